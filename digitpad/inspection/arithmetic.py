"""How one number of a network comes about, written out: its terms, and what is done to their sum."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.inspection.trace import ActivationTrace, Tracer, flat_places
from digitpad.nn.arrays import Floats
from digitpad.nn.layers import (
    ELU,
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    Swish,
    Tanh,
)

Position = tuple[int, ...]
"""Of a number in a block's output: (unit,), or (map, row, column)."""


@dataclass(frozen=True)
class ArithmeticStep:
    """What is done to a sum of products: its name, the formula with its numbers, and what it gives."""

    name: str
    formula: str
    value: float


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """How one number of a block's output comes about.

    Attributes
    ----------
    sources : ndarray of shape (n_terms, 1 or 3)
        Positions in the output of the block before, for each term.
    inputs, weights : ndarray of shape (n_terms,)
    bias : float
    steps : tuple of Step
        From the sum on, in order.
    """

    sources: NDArray[np.intp]
    inputs: Floats
    weights: Floats
    bias: float
    steps: tuple[ArithmeticStep, ...]

    @property
    def products(self) -> Floats:
        """The terms, in float64."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.inputs.astype(np.float64) * self.weights

    @property
    def sum(self) -> float:
        """Of all terms and the bias."""
        return float(self.products.sum()) + self.bias

    @property
    def value(self) -> float:
        """What it all comes to."""
        return self.steps[-1].value if self.steps else self.sum

    def by_size(self) -> NDArray[np.intp]:
        """The terms, those first that move the sum most."""
        return np.argsort(-np.abs(self.products), kind="stable")

    def by_unit(self, n_units: int) -> Floats:
        """What each unit of the block before brings to the sum, of shape (n_units,)."""
        brought: Floats = np.bincount(self.sources[:, 0], self.products, n_units).astype(np.float64)
        return brought


def work_out(tracer: Tracer, trace: ActivationTrace, block: int, position: Position) -> Arithmetic:
    """The arithmetic of the number at ``position`` in the output of a block other than the input.

    Notes
    -----
    Behind a pool there are several sums; the one that is written out is the largest, as the pool has it, or for a mean
    the one of the most weight in it.
    """
    this, before = tracer.blocks[block], tracer.blocks[block - 1]
    layers, outputs = tracer.network.layers, trace.outputs
    steps: list[ArithmeticStep] = []
    at = position
    for place in range(this.shown, this.begin, -1):
        value = float(outputs[place][at])
        at, step = _step(layers[place], outputs[place - 1], at, value)
        if step is not None:
            steps.insert(0, step)
    x = outputs[before.shown]
    learner = layers[this.begin]
    weight, bias = (learner.parameters[name] for name in ("weight", "bias"))
    if isinstance(learner, Linear):
        sources = flat_places(before.shape)
        inputs = x[tuple(sources.T)]
        weights = weight[:, at[0]].copy()
    else:
        assert isinstance(learner, Conv2d)
        channel, y, x_place = at
        window = np.indices((before.n_units, learner.kernel, learner.kernel)).reshape(3, -1).T
        sources = window + np.array([0, y - learner.padding, x_place - learner.padding])
        inside = ((sources >= 0) & (sources < before.shape)).all(axis=1)  # the frame around it is of zeros
        sources, window = sources[inside], window[inside]
        inputs = x[tuple(sources.T)]
        weights = weight[window[:, 1], window[:, 2], window[:, 0], channel]
    return Arithmetic(sources, inputs, weights, float(bias[at[0]]), tuple(steps))


def outgoing_terms(tracer: Tracer, trace: ActivationTrace, block: int, unit: int) -> Floats:
    """What a unit or a map alone brings to each unit of the next block, before its bias: of shape (n_units,).

    Behind a convolution it is the mean over all places.
    """
    this, following = tracer.blocks[block], tracer.blocks[block + 1]
    learner = tracer.network.layers[following.begin]
    alone = trace.of(this)[unit]
    weight = learner.parameters["weight"]
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(learner, Linear):
            rows = weight.reshape(-1, this.n_units, weight.shape[1])[:, unit]
            return alone.reshape(-1) @ rows
        assert isinstance(learner, Conv2d)
        padded = np.pad(alone, learner.padding)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (learner.kernel, learner.kernel))
        mean_window = windows.mean(axis=(0, 1))  # the mean of what is linear is that of the mean
        return np.tensordot(mean_window, weight[:, :, unit], 2)


def _step(layer: Layer, x: Floats, at: Position, value: float) -> tuple[Position, ArithmeticStep | None]:
    """Where in ``x``, a layer's input, its output at ``at`` comes from, and what is to be told of it."""
    if isinstance(layer, MaxPool2d | AvgPool2d):
        size = layer.size
        channel, row, column = at
        square = x[channel, row * size : (row + 1) * size, column * size : (column + 1) * size]
        largest = isinstance(layer, MaxPool2d)
        y, x_place = np.unravel_index(int((square if largest else np.abs(square)).argmax()), square.shape)
        name = f"{'Largest' if largest else 'Mean'} of {size} × {size}"
        numbers = ", ".join(format_value(one) for one in square.reshape(-1)[:9].tolist())
        formula = f"{'max' if largest else 'mean'}({numbers}{', …' if square.size > 9 else ''})"
        return (channel, row * size + int(y), column * size + int(x_place)), ArithmeticStep(name, formula, value)
    if isinstance(layer, Flatten):
        return (at if x.ndim == 1 else tuple(flat_places(x.shape)[at[0]].tolist())), None
    told = _formula(layer, float(x[at]), at[0])
    return at, None if told is None else ArithmeticStep(*told, value)


def _formula(layer: Layer, x: float, unit: int) -> tuple[str, str] | None:
    """The name and the formula of what a layer does to each number by itself; None where that is nothing."""
    said = format_value(x)
    match layer:
        case BatchNorm():
            mean, variance, scale, shift = (
                float(layer.parameters[name][unit]) for name in ("mean", "variance", "scale", "shift")
            )
            spread = format_value(max(variance, 0) + layer.eps)
            return "Batch norm", f"({said}{_added(-mean)}) / √{spread} × {_signed(format_value(scale))}{_added(shift)}"
        case ReLU():
            return "ReLU", f"max({said}, 0)"
        case LeakyReLU():
            return "Leaky ReLU", f"max({said}, {layer.alpha:g} × {_signed(said)})"
        case Sigmoid():
            return "Sigmoid", f"1 / (1 + exp(−{_signed(said)}))"
        case Tanh():
            return "Tanh", f"tanh({said})"
        case GELU():
            gate = (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2 if abs(x) < 1e6 else float(x > 0)
            return "GELU", f"{said} × {format_value(gate)}"
        case Swish():
            return "Swish", f"{said} × {format_value((1 + math.tanh(x / 2)) / 2)}"
        case ELU():
            return "ELU", said if x > 0 else f"exp({said}) − 1"
    return None


def _added(value: float) -> str:
    """A number as it is added to another."""
    return f" {'−' if value < 0 else '+'} {format_value(abs(value))}"


def _signed(said: str) -> str:
    """A number as it stands behind another sign."""
    return f"({said})" if said.startswith("−") else said


def format_value(value: float) -> str:
    """Some four digits of a number, as in ``0.0412``, ``−1.273`` and ``3.1e5``."""
    if value == 0:
        return "0"
    size = abs(value)
    if not math.isfinite(value) or size >= 1e5 or size < 1e-4:
        said = f"{value:.2g}"
    else:
        digits_before = math.floor(math.log10(size))
        said = f"{value:.{max(0, 3 - digits_before) if digits_before >= 0 else max(3, 1 - digits_before)}f}"
    return said.replace("-", "−").replace("e+0", "e").replace("e−0", "e−")
