"""Activations of all layers of a network for one image, with the channels first."""

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

_PASS_THROUGH = (Flatten, Dropout, AddChannel)
"""Layers that, outside training, leave all values unchanged or only reshape them."""


@dataclass(frozen=True)
class Block:
    """Layer with weights, and the layers after it up to the next one; the first block is the preprocessed input.

    Attributes
    ----------
    name : str
        ``Input``, ``Convolution 1``, ``Dense 2``, ``Output``.
    begin, shown : int
        Indices of the block's first layer, and of the layer whose output is shown for the block.
    shape : tuple of int
        Shape of that output: (channels, height, width) or (units,).
    """

    name: str
    begin: int
    shown: int
    shape: Shape

    @property
    def n_units(self) -> int:
        """Number of units or feature maps."""
        return self.shape[0]

    @property
    def has_maps(self) -> bool:
        """Whether the units are feature maps."""
        return len(self.shape) == 3


@dataclass(frozen=True, eq=False)
class ActivationTrace:
    """Outputs of all layers for one image.

    Attributes
    ----------
    image : ndarray of uint8, shape (28, 28)
    outputs : tuple of ndarray
        Output of each layer, of shape (channels, height, width) or (units,). A grey image has one channel.
    """

    image: NDArray[np.uint8]
    outputs: tuple[Floats, ...]

    @property
    def logits(self) -> Floats:
        """Logits, of shape (n_classes,)."""
        return self.outputs[-1]

    @property
    def probabilities(self) -> Floats:
        """Probabilities, of shape (n_classes,). They are all equal if the logits are not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            probabilities = softmax(self.logits[None])[0]
        if not np.isfinite(probabilities).all():
            return np.full_like(probabilities, 1 / len(probabilities))
        return probabilities

    def of(self, block: Block) -> Floats:
        """Return the output that is shown for a block."""
        return self.outputs[block.shown]


class Tracer:
    """Recorder of all layer outputs of a network. It uses its own copy of the network.

    Attributes
    ----------
    network : Network
    blocks : tuple of Block
        All blocks, from the input to the output.
    """

    def __init__(self, weights: Weights) -> None:
        self.network = weights.network()
        self.blocks = blocks_of(self.network)

    def trace(self, image: NDArray[np.uint8]) -> ActivationTrace:
        """Return the outputs of all layers for an image of shape (28, 28)."""
        outputs = []
        x: NDArray[Any] = image[None]
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in self.network.layers:
                x = layer.forward(x, training=False)
                outputs.append(_channels_first(x))  # a copy, because the next layer may overwrite x
        return ActivationTrace(image, tuple(outputs))


def blocks_of(network: Network) -> tuple[Block, ...]:
    """Return the blocks of a network, from the input to the output."""
    layers = network.layers
    shapes = _channels_first_shapes(layers, network.input_shape)
    begins = [0, *(index for index, layer in enumerate(layers) if isinstance(layer, Linear | Conv2d))]
    ends = [*begins[1:], len(layers)]
    blocks = []
    counts = {Conv2d: 0, Linear: 0}
    for index, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        shown = next((i for i in range(end - 1, begin, -1) if not isinstance(layers[i], _PASS_THROUGH)), begin)
        layer = layers[begin]
        if index == 0:
            name = "Input"
        elif index == len(begins) - 1:
            name = "Output"
        else:
            counts[type(layer)] += 1
            name = f"{'Convolution' if isinstance(layer, Conv2d) else 'Dense'} {counts[type(layer)]}"
        blocks.append(Block(name, begin, shown, shapes[shown]))
    return tuple(blocks)


def flat_places(shape: Shape) -> NDArray[np.intp]:
    """Return the position in a block's output of each element after `Flatten`, of shape (n_elements, len(shape)).

    ``shape`` is the shape of the block's output. A flat output is unchanged by `Flatten`.
    """
    if len(shape) == 1:
        return np.arange(shape[0])[:, None]
    channels, height, width = shape
    y, x, channel = np.unravel_index(np.arange(math.prod(shape)), (height, width, channels))
    return np.stack([channel, y, x], axis=1)


def _channels_first(batch: Floats) -> Floats:
    """Return a copy of the only sample in a batch, of shape (channels, height, width) or (units,)."""
    if batch.ndim == 4:  # (height, n, width, channels)
        return batch[:, 0].transpose(2, 0, 1).copy()
    sample = batch[0]
    return (sample[None] if sample.ndim == 2 else sample).copy()


def _channels_first_shapes(layers: tuple[Layer, ...], shape: Shape) -> list[Shape]:
    shapes: list[Shape] = []
    for layer in layers:
        shape = layer.output_shape(shape)
        height_width_channels = (*shape, 1) if len(shape) == 2 else shape
        shapes.append((height_width_channels[2], *height_width_channels[:2]) if len(shape) > 1 else shape)
    return shapes
