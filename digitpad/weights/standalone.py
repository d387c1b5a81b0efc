"""Classify images of digits or other symbols with a trained network. The only dependency is NumPy.

`predict` takes one or more images of 28 × 28 pixels, from 0 (background) to 255 (ink), and returns a probability for
each of `CLASSES`. Images should be prepared as in MNIST: scale the symbol to fit 20 × 20 pixels, and place its centre
of mass at the centre of the image.
"""

import base64
import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

LAYERS: list[dict[str, Any]] = []
PARAMETERS = ""
CLASSES = tuple("0123456789")


def predict(images: Any) -> Any:
    """Return the probability of each of `CLASSES`.

    Parameters
    ----------
    images : array_like of shape (28, 28) or (n, 28, 28)
        One image or a batch of n images, with pixels of 0..255.

    Returns
    -------
    ndarray of shape (n_classes,) or (n, n_classes)
        The probabilities of one image, or of each image in the batch.
    """
    x = np.asarray(images, np.float32)
    single = x.ndim == 2
    x = x[None] if single else x
    parameters = np.frombuffer(base64.b64decode(PARAMETERS), "<f4")
    for layer in LAYERS:
        arrays = {}
        for name, shape in layer["parameters"].items():
            size = math.prod(shape)
            arrays[name], parameters = parameters[:size].reshape(shape), parameters[size:]
        x = _apply(layer, arrays, x)
    exponentials = np.exp(x - x.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities[0] if single else probabilities


def _apply(layer: dict[str, Any], arrays: dict[str, Any], x: Any) -> Any:
    """Return the output of one layer for a batch of shape (n, units) or (n, height, width, channels)."""
    match layer["type"]:
        case "Rescale":
            return x * np.float32(layer["scale"]) + np.float32(layer["offset"])
        case "Binarize":
            return (x > layer["threshold"]).astype(np.float32)
        case "AddChannel":
            return x[..., None]
        case "Flatten":
            return x.reshape(len(x), -1)
        case "Linear":
            return x @ arrays["weight"] + arrays["bias"]
        case "Conv2d":
            windows = _windows(x, layer["kernel"], layer.get("stride", 1), layer["padding"], layer["padding"])
            return np.tensordot(windows, arrays["weight"], ((4, 5, 3), (0, 1, 2))) + arrays["bias"]
        case "MaxPool2d":
            return np.nanmax(_pooling_windows(layer, x), axis=(4, 5))
        case "AvgPool2d":
            return np.nanmean(_pooling_windows(layer, x), axis=(4, 5), dtype=np.float32)
        case "GlobalAvgPool2d":
            return x.mean(axis=(1, 2))
        case "GlobalMaxPool2d":
            return x.max(axis=(1, 2))
        case "ZeroPad2d":
            return np.pad(x, ((0, 0), (layer["top"], layer["bottom"]), (layer["left"], layer["right"]), (0, 0)))
        case "Reshape":
            return x.reshape(len(x), *layer["shape"])
        case "UnitNorm":
            norms = np.sqrt((x**2).sum(axis={"columns": 1, "rows": 2, "image": (1, 2)}[layer["of"]], keepdims=True))
            return x / np.where(norms > 0, norms, 1)
        case "Branches":
            outputs = [_branch(branch, i, arrays, x) for i, branch in enumerate(layer["branches"])]
            return sum(outputs[1:], outputs[0]) if layer["merge"] == "add" else np.concatenate(outputs, axis=-1)
        case "BatchNorm":
            slope = arrays["scale"] / np.sqrt(np.maximum(arrays["variance"], 0) + layer["eps"])
            return (x - arrays["mean"]) * slope + arrays["shift"]
        case "ReLU":
            return np.maximum(x, 0)
        case "LeakyReLU":
            return np.where(x > 0, x, x * np.float32(layer["alpha"]))
        case "Sigmoid":
            return (1 + np.tanh(x / 2)) / 2
        case "Tanh":
            return np.tanh(x)
        case "ELU":
            return np.where(x > 0, x, np.float32(layer.get("alpha", 1)) * np.expm1(np.minimum(x, 0)))
        case "Softplus":
            return np.logaddexp(x, 0)
        case "Clip":
            return np.clip(x, layer["low"], layer["high"])
        case "Swish":
            return x * (1 + np.tanh(x / 2)) / 2
        case "GELU":
            return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
        case "Dropout":
            return x
    raise ValueError(f"unknown layer type {layer['type']!r}")


def _branch(branch: list[dict[str, Any]], i: int, arrays: dict[str, Any], x: Any) -> Any:
    """Return the output of the branch with index i, whose parameters are named ``i.layer.parameter``."""
    for j, layer in enumerate(branch):
        prefix = f"{i}.{j}."
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        x = _apply(layer, own, x)
    return x


def _pooling_windows(layer: dict[str, Any], x: Any) -> Any:
    """Return the windows of a pooling layer; elements outside of the image are NaN."""
    size, before, after = layer["size"], layer.get("before", 0), layer.get("after", 0)
    return _windows(x, size, layer.get("stride") or size, before, after, np.nan)


def _windows(x: Any, size: int, stride: int, before: int, after: int, value: float = 0) -> Any:
    """Return square windows of padded images: an array of shape (n, rows, columns, channels, size, size)."""
    padded = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), constant_values=value)
    return sliding_window_view(padded, (size, size), (1, 2))[:, ::stride, ::stride]
