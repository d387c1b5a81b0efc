"""Networks as other programs save them: trained briefly on real digits with NumPy, saved in many formats."""

import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.dataset import mnist
from digitpad.nn.layers import AddChannel, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU, Rescale
from digitpad.nn.losses import CrossEntropy
from digitpad.nn.network import Network
from digitpad.nn.optimizers import Adam

Matrix = NDArray[Any]

ACTIVATIONS: dict[str, tuple[Callable[[Matrix], Matrix], Callable[[Matrix], Matrix]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z: np.exp(np.minimum(z, 0))),
    "swish": (
        lambda z: z / (1 + np.exp(-z)),
        lambda z: 1 / (1 + np.exp(-z)) * (1 + z * (1 - 1 / (1 + np.exp(-z)))),
    ),
}


def pixels(n: int = 4000) -> Matrix:
    return mnist().training.images[:n].reshape(n, 784).astype(np.float64)


MEAN_OF_ALL, STD_OF_ALL = 33.3, 78.6

SCALINGS: dict[str, Callable[[Matrix], Matrix]] = {
    "x/255": lambda x: x / 255,
    "0..255": lambda x: x,
    "x/255 - 0.5": lambda x: x / 255 - 0.5,
    "x - 33.3": lambda x: x - 33.3,
    "(x/255 - 0.1307)/0.3081": lambda x: (x / 255 - 0.1307) / 0.3081,
    "standardised": lambda x: (x - MEAN_OF_ALL) / STD_OF_ALL,
    "standardised per pixel": lambda x: (x - pixels().mean(0)) / (pixels().std(0) + 1e-8),
    "binarised": lambda x: (x > 127) * 1.0,
}


@dataclass(frozen=True, eq=False)
class Trained:
    """Parameters of a trained network: matrices of shape (in, out) and biases of shape (out,)."""

    weights: list[Matrix]
    biases: list[Matrix]


def train(
    sizes: Sequence[int], activation: str = "relu", scaling: str = "x/255", *, transposed: bool = False
) -> Trained:
    """Train a network with Adam for three epochs on 4,000 digits."""
    rng = np.random.default_rng(1)
    act, slope = ACTIVATIONS[activation]
    x, labels = SCALINGS[scaling](pixels()), mnist().training.labels[:4000]
    if transposed:
        x = x.reshape(-1, 28, 28).swapaxes(1, 2).reshape(-1, 784)
    spread = np.sqrt(3 * (x**2).mean())
    weights = [rng.normal(size=(a, b)) * np.sqrt(1.5 / a) for a, b in zip(sizes, sizes[1:], strict=False)]
    weights[0] /= spread
    biases = [np.zeros(b) for b in sizes[1:]]
    parameters = [*weights, *biases]
    rates = [0.005 / spread] + [0.005] * (len(parameters) - 1)
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    t = 0
    for _ in range(3):
        order = rng.permutation(len(x))
        for begin in range(0, len(x), 64):
            rows = order[begin : begin + 64]
            inputs, sums = [x[rows]], []
            for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
                sums.append(inputs[-1] @ w + b)
                inputs.append(act(sums[-1]) if layer < len(weights) - 1 else sums[-1])
            e = np.exp(sums[-1] - sums[-1].max(1, keepdims=True))
            d = e / e.sum(1, keepdims=True)
            d[np.arange(len(rows)), labels[rows]] -= 1
            d /= len(rows)
            gw: list[Matrix] = []
            gb: list[Matrix] = []
            for layer in reversed(range(len(weights))):
                gw.insert(0, inputs[layer].T @ d)
                gb.insert(0, d.sum(0))
                if layer:
                    d = d @ weights[layer].T * slope(sums[layer - 1])
            t += 1
            for p, g, m, v, rate in zip(parameters, gw + gb, first, second, rates, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return Trained(weights, biases)


def train_images(layers: Sequence[Layer], steps: int = 60) -> Network:
    """Train convolutional layers briefly with digitpad's Adam, with pixels scaled by x/255."""
    network = Network([Rescale(), AddChannel(), *layers])
    network.initialize(np.random.default_rng(1))
    optimizer = Adam()
    data = mnist().training
    for step in range(steps):
        part = data[step * 50 : step * 50 + 50]
        _, gradient = CrossEntropy()(network.forward(part.images, training=True), part.labels)
        network.backward(gradient)
        optimizer.step(network.parameters, network.gradients, 0.004)
    return network


def small_lenet() -> list[Layer]:
    return [
        Conv2d(4, 5),
        ReLU(),
        MaxPool2d(),
        Conv2d(6, 3),
        ReLU(),
        MaxPool2d(),
        Flatten(),
        Linear(20),
        ReLU(),
        Linear(10),
    ]


def listed(arrays: Sequence[Any]) -> NDArray[Any]:
    """Return an array of objects, which NumPy makes from a list of matrices."""
    array = np.empty(len(arrays), object)
    array[:] = arrays
    return array


def numbered(
    trained: Trained,
    weight: str,
    bias: str,
    first: int = 1,
    step: int = 1,
    *,
    out_in: bool = False,
    column: bool = False,
) -> dict[str, Matrix]:
    """Return the arrays by numbered names, such as W1, b1, W2, b2."""
    arrays: dict[str, Matrix] = {}
    for i, (w, b) in enumerate(zip(trained.weights, trained.biases, strict=True)):
        number = first + i * step
        arrays[weight.format(number)] = w.T if out_in else w
        arrays[bias.format(number)] = b[:, None] if column else b
    return arrays


class Dense:
    """A layer class, common in notebooks."""

    def __init__(self, weights: Matrix, biases: Matrix, **others: Any) -> None:
        self.weights = weights
        self.biases = biases
        self.__dict__.update(others)


class Sigmoid:
    """Activation class; a pickle stores only its name."""


class LeakyReLU:
    """Activation class; a pickle stores only its name."""


class Model:
    """A network class, common in notebooks."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def save_npz(path: Path, arrays: Mapping[str, Any]) -> Path:
    np.savez(path, **arrays)
    return path


def save_pickle(path: Path, tree: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(tree, protocol))
    return path


def save_json(path: Path, tree: Any) -> Path:
    path.write_text(json.dumps(tree))
    return path


def save_tables(folder: Path, arrays: Mapping[str, Matrix], delimiter: str = ",") -> Path:
    folder.mkdir()
    for name, array in arrays.items():
        np.savetxt(folder / f"{name}.csv", array, delimiter=delimiter)
    return folder


def save_npy_each(folder: Path, arrays: Mapping[str, Any]) -> Path:
    folder.mkdir()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=True)
    return folder


def save_safetensors(path: Path, arrays: Mapping[str, Matrix]) -> Path:
    """Write safetensors from the format's specification, without digitpad's own writer."""
    header: dict[str, Any] = {"__metadata__": {"format": "np"}}
    content = b""
    for name, array in arrays.items():
        numbers = np.ascontiguousarray(array, "<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(content), len(content) + len(numbers)],
        }
        content += numbers
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)
    return path


def pairs(t: Trained) -> list[Matrix]:
    """Return weights and biases alternately."""
    return [array for pair in zip(t.weights, t.biases, strict=True) for array in pair]


def columns(t: Trained) -> list[Matrix]:
    """Return the biases with shape (n, 1)."""
    return [b[:, None] for b in t.biases]


def turned(t: Trained) -> list[Matrix]:
    """Return the weights with shape (out, in)."""
    return [w.T for w in t.weights]


def folded(t: Trained, *, last: bool = False) -> list[Matrix]:
    """Return the weights with the biases as an extra row, first or ``last``."""
    return [np.vstack([w, b] if last else [b, w]) for w, b in zip(t.weights, t.biases, strict=True)]
