"""A network whose layers a file states, as Keras and ONNX files do, so that only the pixel scaling must be found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.layout.enlargement import ways_to_resize
from digitpad.nn.arrays import Shape
from digitpad.nn.layers import Branches, Layer
from digitpad.nn.network import IMAGE_SHAPE, Plan, summary
from digitpad.weights.activation_names import NAMES

SIDE = IMAGE_SHAPE[0]


@dataclass(frozen=True, eq=False)
class Step:
    """A layer with its parameters; those of branches are named as by `Branches`."""

    layer: Layer
    parameters: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class StatedNetwork:
    """Layers from grey images (28, 28), of whatever scaling, to the logits.

    Attributes
    ----------
    steps : tuple of Step
    scaled_within : bool
        Whether the network scales pixels of 0..255 itself.
    detail : str
        Assumptions about what the file does not state.
    cost : float
        How uncommon these assumptions are.
    side : int
        Side of the images that the network takes.
    start : str
        How digits are changed to this size, as a key of `ways_to_resize`; empty if they have it.
    """

    steps: tuple[Step, ...]
    scaled_within: bool = False
    detail: str = ""
    cost: float = 0.0
    side: int = SIDE
    start: str = ""

    @property
    def layers(self) -> list[Layer]:
        """All layers in order."""
        return [step.layer for step in self.steps]

    @property
    def activation(self) -> str:
        """Names of the activations: one if all are alike, otherwise all in order; ``none`` if there are none."""
        names = [NAMES.get(kind, kind.lower()) for kind in _activations(self.layers)]
        return names[0] if len(set(names)) == 1 else ", ".join(names) or "none"

    @property
    def sizes(self) -> str:
        """Short description, such as ``28×28-3×3×32-pool-10``."""
        return summary(self.layers)

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """All parameters."""
        return [array for step in self.steps for array in step.parameters.values()]

    def plan(self) -> Plan:
        """Return shapes and sizes.

        Raises
        ------
        ValueError
            If a layer does not accept the output of the previous layer.
        """
        return Plan(self.layers, (self.side, self.side))

    def alternatives(self) -> "list[StatedNetwork]":
        """Return the network, or if it takes images of another size, one for each way to resize digits."""
        if self.side == SIDE:
            return [self]
        ways = ways_to_resize(self.side)
        return [replace(self, start=start, detail=start, cost=cost) for start, cost in ways.items()]

    def transposed(self) -> "StatedNetwork | None":
        """Return the network for images with rows and columns exchanged, or None if it has other layers."""
        kinds = [type(layer).__name__ for layer in self.layers]
        if self.side != SIDE or kinds[:2] != ["Flatten", "Linear"]:
            return None
        first = self.steps[1]
        weight = first.parameters["weight"]
        exchanged = weight.reshape(28, 28, -1).swapaxes(0, 1).reshape(weight.shape)
        step = Step(first.layer, {**first.parameters, "weight": exchanged})
        return StatedNetwork((self.steps[0], step, *self.steps[2:]), self.scaled_within, self.detail, self.cost)


def branches_step(branches: Sequence[Sequence[Step]], merge: str) -> Step:
    """Return the step that merges several sequences of steps."""
    parameters = {
        f"{i}.{j}.{name}": array
        for i, branch in enumerate(branches)
        for j, step in enumerate(branch)
        for name, array in step.parameters.items()
    }
    return Step(Branches([[step.layer for step in branch] for branch in branches], merge), parameters)


def output_shape(steps: Sequence[Step], shape: Shape) -> Shape:
    """Return the shape of a sample after these steps."""
    for step in steps:
        shape = step.layer.output_shape(shape)
    return shape


def _activations(layers: Sequence[Layer]) -> list[str]:
    names = []
    for layer in layers:
        kind = type(layer).__name__
        if isinstance(layer, Branches):
            names += [name for branch in layer.branches for name in _activations(branch)]
        elif kind in NAMES or kind in ("Softplus", "Clip"):
            names.append(kind)
    return names


def are_finite(network: StatedNetwork) -> bool:
    """Return whether all parameters are finite."""
    return all(bool(np.isfinite(array).all()) for array in network.arrays)
