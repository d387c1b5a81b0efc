"""Weights of the first layer as images, one per unit."""

import math

import numpy as np

from digitpad.inspection.trace import Tracer
from digitpad.nn.arrays import Floats
from digitpad.nn.layers import Linear

MAX_PICTURES = 1024


def first_weights(tracer: Tracer) -> Floats:
    """Return the weights of the first dense or convolutional layer as images of shape (units, height, width).

    At most `MAX_PICTURES` units are returned. For a dense layer, the images have the size of its input; for a
    convolution, the size of its kernel. Several input channels are summed; for a grey image, the first convolution has
    only one.
    """
    first, block = tracer.blocks[0], tracer.blocks[1]
    layer = tracer.network.layers[block.begin]
    weight = layer.parameters["weight"][..., :MAX_PICTURES]
    if isinstance(layer, Linear):
        if not first.has_maps:  # the input is already flat, for example normalised; it may still be an image
            is_image = len(weight) == math.prod(tracer.network.input_shape)
            return weight.T.reshape(-1, *(tracer.network.input_shape if is_image else (1, len(weight)))).copy()
        channels, height, width = first.shape
        return weight.T.reshape(-1, height, width, channels).sum(axis=3)
    return np.ascontiguousarray(weight.sum(axis=2).transpose(2, 0, 1))
