"""Draw a digit and see what a neural network written in NumPy makes of it."""

__version__ = "0.1.0"
