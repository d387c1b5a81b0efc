"""Weights as pictures, one for each unit of the first layer."""

import math

import numpy as np

from digitpad.inspection.trace import Tracer
from digitpad.nn.arrays import Floats
from digitpad.nn.layers import Linear

MAX_PICTURES = 1024


def first_weights(tracer: Tracer) -> Floats:
    """What each unit of the first layer with weights looks for: of shape (units, height, width).

    Of more than `MAX_PICTURES` units, it is those of the first.
    Of a dense layer the pictures are as large as the image that it reads, of a convolution as its kernel. Where the
    convolution has several inputs, which as the first layer it never has for a grey image, they are summed.
    """
    first, block = tracer.blocks[0], tracer.blocks[1]
    learner = tracer.network.layers[block.begin]
    weight = learner.parameters["weight"][..., :MAX_PICTURES]
    if isinstance(learner, Linear):
        if not first.has_maps:  # where rows of numbers are normalised, say; of pixels, they are still an image
            of_image = len(weight) == math.prod(tracer.network.input_shape)
            return weight.T.reshape(-1, *(tracer.network.input_shape if of_image else (1, len(weight)))).copy()
        channels, height, width = first.shape
        return weight.T.reshape(-1, height, width, channels).sum(axis=3)
    return np.ascontiguousarray(weight.sum(axis=2).transpose(2, 0, 1))
