"""From named tensors to the layers of a network."""
