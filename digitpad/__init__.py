"""Desktop app that recognises drawn digits with a neural network written in NumPy."""

__version__ = "0.1.0"
