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
            p, k = layer["padding"], layer["kernel"]
            windows = sliding_window_view(np.pad(x, ((0, 0), (p, p), (p, p), (0, 0))), (k, k), (1, 2))
            return np.tensordot(windows, arrays["weight"], ((4, 5, 3), (0, 1, 2))) + arrays["bias"]
        case "MaxPool2d":
            return _pooling_windows(x, layer["size"]).max(axis=(2, 4))
        case "AvgPool2d":
            return _pooling_windows(x, layer["size"]).mean(axis=(2, 4))
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
            return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
        case "Swish":
            return x * (1 + np.tanh(x / 2)) / 2
        case "GELU":
            return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
        case "Dropout":
            return x
    raise ValueError(f"unknown layer type {layer['type']!r}")


def _pooling_windows(x: Any, size: int) -> Any:
    """Split images into pooling windows: an array of shape (n, height, size, width, size, channels)."""
    n, height, width, channels = x.shape
    height, width = height // size, width // size
    return x[:, : height * size, : width * size].reshape(n, height, size, width, size, channels)
