"""Layers, one concept per module."""

from collections.abc import Mapping
from typing import Any

from digitpad.nn.layers.activations import ELU, GELU, Clip, LeakyReLU, ReLU, Sigmoid, Softplus, Swish, Tanh
from digitpad.nn.layers.base import Layer
from digitpad.nn.layers.branches import Branches
from digitpad.nn.layers.convolution import AddChannel, Conv2d
from digitpad.nn.layers.dropout import Dropout
from digitpad.nn.layers.linear import Binarize, Flatten, Linear, Rescale
from digitpad.nn.layers.normalization import BatchNorm, UnitNorm
from digitpad.nn.layers.pooling import AvgPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxPool2d
from digitpad.nn.layers.reshaping import Reshape, ZeroPad2d

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Rescale,
        Binarize,
        UnitNorm,
        Flatten,
        Linear,
        ReLU,
        LeakyReLU,
        Sigmoid,
        Tanh,
        GELU,
        Swish,
        ELU,
        Softplus,
        Clip,
        Dropout,
        AddChannel,
        Conv2d,
        MaxPool2d,
        AvgPool2d,
        GlobalAvgPool2d,
        GlobalMaxPool2d,
        ZeroPad2d,
        Reshape,
        BatchNorm,
        Branches,
    )
}
"""Layer classes by the name that `Layer.settings` returns as ``type``."""


def layer_from_settings(settings: Mapping[str, Any]) -> Layer:
    """Return the layer that `Layer.settings` describes.

    Raises
    ------
    ValueError
        If the type or a setting is unknown or invalid. The message is worded to follow the name of a layer.
    """
    options = dict(settings)
    kind = options.pop("type", None)
    if not isinstance(kind, str) or kind not in LAYERS:
        raise ValueError(f"has the unknown type {kind!r}; supported: {', '.join(LAYERS)}")
    try:
        return LAYERS[kind](**options)
    except TypeError as error:
        raise ValueError(f"({kind}) has invalid settings: {error}") from error


__all__ = [
    "ELU",
    "GELU",
    "LAYERS",
    "AddChannel",
    "AvgPool2d",
    "BatchNorm",
    "Binarize",
    "Branches",
    "Clip",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "GlobalMaxPool2d",
    "Layer",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "Rescale",
    "Reshape",
    "Sigmoid",
    "Softplus",
    "Swish",
    "Tanh",
    "UnitNorm",
    "ZeroPad2d",
    "layer_from_settings",
]
