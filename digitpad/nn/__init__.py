"""A neural network in NumPy alone: layers, losses, optimizers, schedules, initializers, and the network itself."""
