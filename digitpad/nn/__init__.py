"""Neural networks in NumPy alone: layers, losses, optimizers, schedules, initializers and the network class."""
