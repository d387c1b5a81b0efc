"""Small networks with random weights that together contain every layer type."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.feedforward import feedforward
from digitpad.nn.layers import (
    ELU,
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Binarize,
    Branches,
    Clip,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Reshape,
    Softplus,
    Swish,
    Tanh,
    UnitNorm,
    ZeroPad2d,
)
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights

LAYERS: dict[str, Any] = {
    "none hidden": lambda: feedforward([]),
    "dense": lambda: feedforward([7, 5]),
    "dense with norm": lambda: feedforward([7, 5], "sigmoid", batch_norm=True, dropout=0.2),
    "convolutional": lambda: feedforward(["3x3x4", "pool", "3x3x5", "pool3", 6], batch_norm=True),
    "padded": lambda: feedforward(["3x3x3", "avgpool", "5x5x4", "pool", 6], "gelu", padding="same"),
    "leaky": lambda: feedforward(["pool", "4x4x3", "3x3x2", 5], "leaky_relu", alpha=0.3),
    "odd": lambda: [
        Rescale(1 / 128, -1.0), Flatten(), BatchNorm(), Linear(6), Flatten(), LeakyReLU(0.2), Tanh(), Linear(10)
    ],
    "imported": lambda: [Rescale(), Flatten(), Linear(7), Swish(), Linear(6), ELU(), Linear(10)],
    "binarised": lambda: [Rescale(1 / 255), Binarize(0.4), Flatten(), Linear(6), ReLU(), Linear(10)],
    "norm after rows": lambda: [
        Rescale(), AddChannel(), Conv2d(3, 5, 1), AvgPool2d(4), Flatten(), BatchNorm(), Tanh(), Linear(10)
    ],
    "strided": lambda: [
        Rescale(), AddChannel(), ZeroPad2d(0, 1, 0, 1), Conv2d(3, 3, stride=2), ELU(1.5), MaxPool2d(3, 2, 0, 1),
        Conv2d(4, 3, 1, stride=2), Softplus(), ZeroPad2d(1, 1, 1, 1), Conv2d(4, 2), Clip(),
        GlobalAvgPool2d(), Linear(10)
    ],
    "residual": lambda: [
        Rescale(), UnitNorm(), AddChannel(), Conv2d(3, 3), ReLU(), AvgPool2d(3, 2, 1, 1),
        Branches([[Conv2d(4, 3, 1, stride=2), BatchNorm(), Tanh()], [Conv2d(4, 1, stride=2)]]), ReLU(),
        Branches([[], []]), GlobalMaxPool2d(), Rescale(2, 1), Linear(8),
        Branches([[Linear(4)], []], "concatenate"), Reshape([2, 2, 3]),
        Conv2d(5, 2), Flatten(), Linear(10)
    ],
}  # fmt: skip


def weights(name: str, seed: int = 0) -> Weights:
    network = Network(LAYERS[name]())
    rng = np.random.default_rng(seed)
    network.initialize(rng)
    for key, values in network.named_parameters().items():
        if key.endswith(("bias", "mean", "shift")):
            values[...] = rng.normal(0, 0.3, values.shape)
        elif key.endswith(("scale", "variance")):
            values[...] = rng.uniform(0.5, 2, values.shape)
    return Weights("random.npz", network.architecture(), network.parameters, {"test_accuracy": 0.1, "sure_above": 0.7})


def image(seed: int = 1) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(1, 256, (28, 28), dtype=np.uint8)
    pixels[rng.random((28, 28)) < 0.5] = 0
    return pixels
