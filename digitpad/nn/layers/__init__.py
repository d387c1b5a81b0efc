"""Layers, one concept per module."""

from digitpad.nn.layers.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Swish, Tanh
from digitpad.nn.layers.base import Layer
from digitpad.nn.layers.convolution import AddChannel, Conv2d
from digitpad.nn.layers.dropout import Dropout
from digitpad.nn.layers.linear import Binarize, Flatten, Linear, Rescale
from digitpad.nn.layers.normalization import BatchNorm
from digitpad.nn.layers.pooling import AvgPool2d, MaxPool2d

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Rescale,
        Binarize,
        Flatten,
        Linear,
        ReLU,
        LeakyReLU,
        Sigmoid,
        Tanh,
        GELU,
        Swish,
        ELU,
        Dropout,
        AddChannel,
        Conv2d,
        MaxPool2d,
        AvgPool2d,
        BatchNorm,
    )
}
"""Layer classes by the name that `Layer.settings` returns as ``type``."""

__all__ = [
    "ELU",
    "GELU",
    "LAYERS",
    "AddChannel",
    "AvgPool2d",
    "BatchNorm",
    "Binarize",
    "Conv2d",
    "Dropout",
    "Flatten",
    "Layer",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "Rescale",
    "Sigmoid",
    "Swish",
    "Tanh",
]
