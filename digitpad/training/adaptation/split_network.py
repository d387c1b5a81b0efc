"""A network in two parts: a trunk that stays as it is, and a head of dense layers that is trained on its output."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Ints
from digitpad.nn.layers import Linear
from digitpad.nn.network import Network
from digitpad.nn.parallel import DataParallel
from digitpad.system import blas_threads
from digitpad.weights.native_format import Weights

MAX_WIDTH = 5000
"""Largest output of a trunk, in numbers; 20,000 images then take 400 MB. The built-in network has 1,024."""

_CHUNK = 250


class SplitNetwork:
    """Copy of a network, split before the first dense layer whose input has at most `MAX_WIDTH` numbers.

    A network without such a layer is split before its last layer with weights. The head works as in prediction: its
    dropout does nothing, and batch normalisation uses its running averages.

    Parameters
    ----------
    weights : Weights
    n_threads : int
        Threads for the trunk.

    Attributes
    ----------
    head : Network
        The layers after the split.
    width : tuple of int
        Shape of the trunk's output for one image.
    """

    def __init__(self, weights: Weights, n_threads: int = 1) -> None:
        self._network = network = weights.network()
        split = _split(network)
        shapes = network.plan.parameter_shapes[:split]
        n = sum(math.prod(shape) for layer in shapes for shape in layer.values())
        layers = [replace(layer) for layer in network.layers]  # type: ignore[type-var]
        self._trunk_network = Network(layers[:split], parameters=network.parameters[:n])
        self.width = self._trunk_network.plan.output_shape
        self.head = Network(layers[split:], self.width, parameters=network.parameters[n:])
        self._n_threads = n_threads if n else 1
        self._trunk = DataParallel(self._trunk_network, self._n_threads)
        self._chunk = max(1, min(_CHUNK, network.chunk))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._trunk.close()

    @property
    def parameters(self) -> Floats:
        """Copy of the parameters of the whole network."""
        return self._network.parameters.copy()

    def features(self, images: NDArray[np.uint8], out: Floats) -> Iterator[int]:
        """Write the trunk's output for all images to ``out``; yield the number done after each chunk."""
        for start in range(0, len(images), self._chunk):
            part = images[start : start + self._chunk]
            with blas_threads.one_thread() if self._n_threads > 1 else contextlib.nullcontext():
                out[start : start + len(part)] = self._trunk.forward(part)
            yield start + len(part)

    def logits(self, features: Floats) -> Floats:
        """Return the head's logits, in a new array of shape (n, n_classes)."""
        with np.errstate(over="ignore", invalid="ignore"):
            starts = range(0, len(features), self._chunk)
            return np.concatenate([self.head.forward(features[at : at + self._chunk]).copy() for at in starts])

    def is_right(self, features: Floats, labels: Ints) -> NDArray[np.bool_]:
        """Return for which features the head's answer is the label."""
        right: NDArray[np.bool_] = self.logits(features).argmax(axis=1) == labels
        return right


def head_width(weights: Weights) -> int:
    """Return the number of inputs of the head into which a network would be split."""
    network = weights.network()
    shape = network.input_shape
    for layer in network.layers[: _split(network)]:
        shape = layer.output_shape(shape)
    return math.prod(shape)


def _split(network: Network) -> int:
    """Return the index of the first layer of the head."""
    width: list[int] = []
    shape = network.input_shape
    for layer in network.layers:
        width.append(math.prod(shape))
        shape = layer.output_shape(shape)
    dense = [i for i, layer in enumerate(network.layers) if isinstance(layer, Linear) and width[i] <= MAX_WIDTH]
    return dense[0] if dense else max(i for i, layer in enumerate(network.layers) if layer.weights)
