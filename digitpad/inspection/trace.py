"""One image on its way through a network: what every layer makes of it, in the order in which one thinks of it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.layers import AddChannel, Conv2d, Dropout, Flatten, Layer, Linear
from digitpad.nn.losses import softmax
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights

_SILENT = (Flatten, Dropout, AddChannel)
"""Layers that change no number outside training, only how numbers lie."""


@dataclass(frozen=True)
class Block:
    """A layer with weights and what follows it, up to the next; the first is the input, and what is done to it.

    Attributes
    ----------
    name : str
        ``Input``, ``Convolution 1``, ``Dense 2``, ``Output``.
    begin, shown : int
        The places of the first of its layers, and of the one whose output stands for all of it.
    shape : tuple of int
        Of that output: (channels, height, width), or (units,).
    """

    name: str
    begin: int
    shown: int
    shape: Shape

    @property
    def n_units(self) -> int:
        """How many units it has, or feature maps."""
        return self.shape[0]

    @property
    def has_maps(self) -> bool:
        """Whether its units are feature maps."""
        return len(self.shape) == 3


@dataclass(frozen=True, eq=False)
class ActivationTrace:
    """What every layer made of one image.

    Attributes
    ----------
    image : ndarray of uint8, shape (28, 28)
    outputs : tuple of ndarray
        Of each layer, (channels, height, width) or (units,); a grey image has one channel.
    """

    image: NDArray[np.uint8]
    outputs: tuple[Floats, ...]

    @property
    def logits(self) -> Floats:
        """Of shape (n_classes,)."""
        return self.outputs[-1]

    @property
    def probabilities(self) -> Floats:
        """Of shape (n_classes,), all alike where the logits are no numbers."""
        with np.errstate(over="ignore", invalid="ignore"):
            read = softmax(self.logits[None])[0]
        return read if np.isfinite(read).all() else np.full_like(read, 1 / len(read))

    def of(self, block: Block) -> Floats:
        """What stands for a block."""
        return self.outputs[block.shown]


class Tracer:
    """Follows images through one network, of which it has a copy of its own.

    Attributes
    ----------
    network : Network
    blocks : tuple of Block
        From the input to the output.
    """

    def __init__(self, weights: Weights) -> None:
        self.network = weights.network()
        self.blocks = blocks_of(self.network)

    def trace(self, image: NDArray[np.uint8]) -> ActivationTrace:
        """What every layer makes of an image of shape (28, 28)."""
        outputs = []
        x: NDArray[Any] = image[None]
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in self.network.layers:
                x = layer.forward(x, training=False)
                outputs.append(_natural(x))  # a copy, as the next layer may write over it
        return ActivationTrace(image, tuple(outputs))


def blocks_of(network: Network) -> tuple[Block, ...]:
    """The blocks of a network, from the input to the output."""
    layers = network.layers
    shapes = _natural_shapes(layers, network.input_shape)
    begins = [0, *(place for place, layer in enumerate(layers) if isinstance(layer, Linear | Conv2d))]
    ends = [*begins[1:], len(layers)]
    blocks = []
    n_of = {Conv2d: 0, Linear: 0}
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        shown = next((i for i in range(end - 1, begin, -1) if not isinstance(layers[i], _SILENT)), begin)
        layer = layers[begin]
        if number == 0:
            name = "Input"
        elif number == len(begins) - 1:
            name = "Output"
        else:
            n_of[type(layer)] += 1
            name = f"{'Convolution' if isinstance(layer, Conv2d) else 'Dense'} {n_of[type(layer)]}"
        blocks.append(Block(name, begin, shown, shapes[shown]))
    return tuple(blocks)


def flat_places(shape: Shape) -> NDArray[np.intp]:
    """Where each number of a row that `Flatten` makes comes from: of shape (n_numbers, len(shape)).

    ``shape`` is that of a block; rows of numbers come from themselves.
    """
    if len(shape) == 1:
        return np.arange(shape[0])[:, None]
    channels, height, width = shape
    y, x, channel = np.unravel_index(np.arange(math.prod(shape)), (height, width, channels))
    return np.stack([channel, y, x], axis=1)


def _natural(batch: Floats) -> Floats:
    """The only sample of a batch: (channels, height, width) or (units,), in memory of its own."""
    if batch.ndim == 4:  # (height, n, width, channels)
        return batch[:, 0].transpose(2, 0, 1).copy()
    sample = batch[0]
    return (sample[None] if sample.ndim == 2 else sample).copy()


def _natural_shapes(layers: tuple[Layer, ...], shape: Shape) -> list[Shape]:
    shapes: list[Shape] = []
    for layer in layers:
        shape = layer.output_shape(shape)
        height_width_channels = (*shape, 1) if len(shape) == 2 else shape
        shapes.append((height_width_channels[2], *height_width_channels[:2]) if len(shape) > 1 else shape)
    return shapes
