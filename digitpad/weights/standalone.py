"""Read images with a trained network: NumPy is all that this file needs.

`predict` takes images of 28 × 28 pixels, 0 for the ground to 255 for ink, one or many, and gives a probability for each
of `CLASSES`. MNIST's digits are scaled to 20 × 20 pixels and centred by their mass.
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
    """Probabilities of `CLASSES`, of shape (n_classes,) for an image (28, 28), or (n, n_classes) for n of them."""
    x = np.asarray(images, np.float32)
    single = x.ndim == 2
    x = x[None] if single else x
    numbers = np.frombuffer(base64.b64decode(PARAMETERS), "<f4")
    for layer in LAYERS:
        arrays = {}
        for name, shape in layer["parameters"].items():
            size = math.prod(shape)
            arrays[name], numbers = numbers[:size].reshape(shape), numbers[size:]
        x = _apply(layer, arrays, x)
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    return probabilities[0] if single else probabilities


def _apply(layer: dict[str, Any], arrays: dict[str, Any], x: Any) -> Any:
    """What one layer makes of a batch: rows (n, units), or images (n, height, width, channels)."""
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
            return _squares(x, layer["size"]).max(axis=(2, 4))
        case "AvgPool2d":
            return _squares(x, layer["size"]).mean(axis=(2, 4))
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
    raise ValueError(f"there is no layer {layer['type']!r}")


def _squares(x: Any, size: int) -> Any:
    """Each square of pixels that a pool looks at: (n, height, size, width, size, channels)."""
    n, height, width, channels = x.shape
    height, width = height // size, width // size
    return x[:, : height * size, : width * size].reshape(n, height, size, width, size, channels)
