"""Arithmetic behind one activation: its terms, their sum, and the steps applied to the sum."""

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
    Branches,
    Clip,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Reshape,
    Sigmoid,
    Softplus,
    Swish,
    Tanh,
    ZeroPad2d,
)

Position = tuple[int, ...]
"""Position of an element in a block's output: (unit,) or (map, row, column)."""


@dataclass(frozen=True)
class ArithmeticStep:
    """Operation applied to a sum of products: its name, its formula with numbers filled in, and its result."""

    name: str
    formula: str
    value: float


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """Computation of one element of a block's output.

    Attributes
    ----------
    sources : ndarray of shape (n_terms, 1 or 3)
        Position of each term's input in the output of the previous block.
    inputs, weights : ndarray of shape (n_terms,)
        Factors of each term.
    bias : float
    steps : tuple of ArithmeticStep
        Operations applied to the sum, in order.
    """

    sources: NDArray[np.intp]
    inputs: Floats
    weights: Floats
    bias: float
    steps: tuple[ArithmeticStep, ...]

    @property
    def products(self) -> Floats:
        """Terms inputs × weights, in float64."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.inputs.astype(np.float64) * self.weights

    @property
    def sum(self) -> float:
        """Sum of all terms and the bias."""
        return float(self.products.sum()) + self.bias

    @property
    def value(self) -> float:
        """Result after all steps."""
        return self.steps[-1].value if self.steps else self.sum

    def by_size(self) -> NDArray[np.intp]:
        """Return the indices of the terms, by decreasing absolute value."""
        return np.argsort(-np.abs(self.products), kind="stable")

    def by_unit(self, n_units: int) -> Floats:
        """Return the contribution of each unit of the previous block to the sum, of shape (n_units,)."""
        contributions: Floats = np.bincount(self.sources[:, 0], self.products, n_units).astype(np.float64)
        return contributions


def work_out(tracer: Tracer, trace: ActivationTrace, block: int, position: Position) -> Arithmetic:
    """Return the arithmetic of the element at ``position`` in the output of a block other than the input.

    Notes
    -----
    A pooling window covers several sums. For max pooling, the largest one is shown; for average pooling, the one with
    the largest absolute value.
    """
    this, previous = tracer.blocks[block], tracer.blocks[block - 1]
    layers, outputs = tracer.network.layers, trace.outputs
    steps: list[ArithmeticStep] = []
    at = position
    for place in range(this.shown, this.begin, -1):
        value = float(outputs[place][at])
        at, step = _step(layers[place], outputs[place - 1], at, value)
        if step is not None:
            steps.insert(0, step)
    x = outputs[previous.shown]
    layer = layers[this.begin]
    weight, bias = (layer.parameters[name] for name in ("weight", "bias"))
    if isinstance(layer, Linear):
        sources = flat_places(previous.shape)
        inputs = x[tuple(sources.T)]
        weights = weight[:, at[0]].copy()
    else:
        assert isinstance(layer, Conv2d)
        channel, y, x_place = at
        window = np.indices((previous.n_units, layer.kernel, layer.kernel)).reshape(3, -1).T
        sources = window + np.array([0, *(place * layer.stride - layer.padding for place in (y, x_place))])
        inside = ((sources >= 0) & (sources < previous.shape)).all(axis=1)  # padding is 0: no terms
        sources, window = sources[inside], window[inside]
        inputs = x[tuple(sources.T)]
        weights = weight[window[:, 1], window[:, 2], window[:, 0], channel]
    return Arithmetic(sources, inputs, weights, float(bias[at[0]]), tuple(steps))


def outgoing_terms(tracer: Tracer, trace: ActivationTrace, block: int, unit: int) -> Floats:
    """Return the contribution of one unit or feature map to each unit of the next block, of shape (n_units,).

    The next block's bias is not included. If the next block is a convolution, contributions are averaged over all
    positions.
    """
    this, following = tracer.blocks[block], tracer.blocks[block + 1]
    layer = tracer.network.layers[following.begin]
    activations = trace.of(this)[unit]
    weight = layer.parameters["weight"]
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(layer, Linear):
            rows = weight.reshape(-1, this.n_units, weight.shape[1])[:, unit]
            return activations.reshape(-1) @ rows
        assert isinstance(layer, Conv2d)
        padded = np.pad(activations, layer.padding)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (layer.kernel, layer.kernel))
        windows = windows[:: layer.stride, :: layer.stride]
        mean_window = windows.mean(axis=(0, 1))  # the operation is linear, so averaging its input averages its output
        return np.tensordot(mean_window, weight[:, :, unit], 2)


def _step(layer: Layer, x: Floats, at: Position, value: float) -> tuple[Position, ArithmeticStep | None]:
    """Return the position in the input ``x`` that produces a layer's output at ``at``, and the step to show, if any."""
    if isinstance(layer, MaxPool2d | AvgPool2d | GlobalAvgPool2d | GlobalMaxPool2d):
        return _pooling_step(layer, x, at, value)
    if isinstance(layer, Flatten | Reshape):
        return tuple(flat_places(x.shape)[_flat_index(at, layer)].tolist()), None
    if isinstance(layer, ZeroPad2d):
        channel, *inside = at[0], at[1] - layer.top, at[2] - layer.left
        nearest = tuple(min(max(place, 0), side - 1) for place, side in zip(inside, x.shape[1:], strict=True))
        is_padding = nearest != tuple(inside)
        return (channel, *nearest), ArithmeticStep("Zero padding", "0", value) if is_padding else None
    if isinstance(layer, Branches):
        nearest = tuple(min(place, side - 1) for place, side in zip(at, x.shape, strict=False))
        at_input = nearest + (0,) * (x.ndim - len(nearest))
        return at_input[: x.ndim], _branches_step(layer, x, at, value)
    name_and_formula = _formula(layer, float(x[at]), at[0])
    return at, None if name_and_formula is None else ArithmeticStep(*name_and_formula, value)


def _pooling_step(
    layer: MaxPool2d | AvgPool2d | GlobalAvgPool2d | GlobalMaxPool2d, x: Floats, at: Position, value: float
) -> tuple[Position, ArithmeticStep]:
    channel = at[0]
    if isinstance(layer, MaxPool2d | AvgPool2d):
        tops = [place * layer.step - layer.before for place in at[1:]]
        rows, columns = (slice(max(top, 0), top + layer.size) for top in tops)
    else:
        rows = columns = slice(0, None)
    window = x[channel, rows, columns]
    is_max = isinstance(layer, MaxPool2d | GlobalMaxPool2d)
    y, x_place = np.unravel_index(int((window if is_max else np.abs(window)).argmax()), window.shape)
    name = f"{'Maximum' if is_max else 'Mean'} of {' × '.join(map(str, window.shape))}"
    numbers = ", ".join(format_value(number) for number in window.reshape(-1)[:9].tolist())
    formula = f"{'max' if is_max else 'mean'}({numbers}{', …' if window.size > 9 else ''})"
    return (channel, rows.start + int(y), columns.start + int(x_place)), ArithmeticStep(name, formula, value)


def _flat_index(at: Position, layer: Flatten | Reshape) -> int:
    """Return the index of an element among all elements of a sample, in the order of `Flatten`."""
    if len(at) == 1:
        return at[0]
    assert isinstance(layer, Reshape)
    _, width, channels = (*layer.shape, 1)[:3]
    return (at[1] * width + at[2]) * channels + at[0]


def _branches_step(layer: Branches, x: Floats, at: Position, value: float) -> ArithmeticStep:
    """Return the step that merges branches; it starts at one element of their input, although they use many."""
    if layer.merge == "concatenate":
        return ArithmeticStep("Branches", "concatenated", value)
    batch = np.ascontiguousarray(x.transpose(1, 2, 0)[:, None]) if x.ndim == 3 else x[None]
    terms = []
    for branch in layer.branches:
        y = batch.copy()
        for inner in branch:
            y = inner.forward(y, False)
        terms.append(float(y[at[1], 0, at[2], at[0]] if y.ndim == 4 else y[(0, *at)]))
    first, *others = terms
    return ArithmeticStep("Sum of branches", format_value(first) + "".join(map(_term, others)), value)


def _formula(layer: Layer, x: float, unit: int) -> tuple[str, str] | None:
    """Return the name and formula of an element-wise layer for the input ``x``; None if it changes nothing."""
    text = format_value(x)
    match layer:
        case BatchNorm():
            mean, variance, scale, shift = (
                float(layer.parameters[name][unit]) for name in ("mean", "variance", "scale", "shift")
            )
            spread = format_value(max(variance, 0) + layer.eps)
            return (
                "Batch norm",
                f"({text}{_term(-mean)}) / √{spread} × {_in_parentheses(format_value(scale))}{_term(shift)}",
            )
        case ReLU():
            return "ReLU", f"max({text}, 0)"
        case LeakyReLU():
            return "Leaky ReLU", f"max({text}, {layer.alpha:g} × {_in_parentheses(text)})"
        case Sigmoid():
            return "Sigmoid", f"1 / (1 + exp(−{_in_parentheses(text)}))"
        case Tanh():
            return "Tanh", f"tanh({text})"
        case GELU():
            gate = (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2 if abs(x) < 1e6 else float(x > 0)
            return "GELU", f"{text} × {format_value(gate)}"
        case Swish():
            return "Swish", f"{text} × {format_value((1 + math.tanh(x / 2)) / 2)}"
        case ELU():
            factor = "" if layer.alpha == 1 else f"{layer.alpha:g} × "
            return "ELU", text if x > 0 else f"{factor}(exp({text}) − 1)" if factor else f"exp({text}) − 1"
        case Softplus():
            return "Softplus", f"log(1 + exp({text}))"
        case Clip():
            low, high = format_value(layer.low), format_value(layer.high)
            return "Clip", f"min(max({text}, {low}), {high})"
        case Rescale():
            return "Scaling", f"{format_value(layer.scale)} × {_in_parentheses(text)}{_term(layer.offset)}"
    return None


def _term(value: float) -> str:
    """Format a number as a term to add, with its sign: `` + 0.5`` or `` − 0.5``."""
    return f" {'−' if value < 0 else '+'} {format_value(abs(value))}"


def _in_parentheses(text: str) -> str:
    """Put a negative number in parentheses, for use after another operator."""
    return f"({text})" if text.startswith("−") else text


def format_value(value: float) -> str:
    """Format a number with at most about four significant digits, as in ``0.0412``, ``−1.273`` and ``3.1e5``."""
    if value == 0:
        return "0"
    size = abs(value)
    if not math.isfinite(value) or size >= 1e5 or size < 1e-4:
        text = f"{value:.2g}"
    else:
        digits_before = math.floor(math.log10(size))
        text = f"{value:.{max(0, 3 - digits_before) if digits_before >= 0 else max(3, 1 - digits_before)}f}"
    return text.replace("-", "−").replace("e+0", "e").replace("e−0", "e−")
