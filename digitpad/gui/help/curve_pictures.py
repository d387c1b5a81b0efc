"""Pictures of terms that are plots: losses, rates, optimisers, scores. Where they can, they run the real code."""

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from digitpad.gui.help.picture_tools import Canvas, Line, pale
from digitpad.nn.arrays import Floats
from digitpad.nn.optimizers import EMA, SGD, Adam, Optimizer
from digitpad.nn.schedules import Constant, Cosine, OneCycle, StepDecay, WarmUp

_X = np.linspace(0, 1, 101)


def loss(c: Canvas) -> None:
    """Minus the logarithm of the probability of the true digit."""
    p = np.linspace(0.02, 1, 100)
    line = Line(p, -np.log(p), c.tokens.accent)
    axes = c.plot([line], (0, 1), (0, 4), ("probability of the true digit", "loss"))
    for share, text in ((0.1, "10 %: 2.3"), (0.9, "90 %: 0.1")):
        place = axes.dot(share, -math.log(share), c.tokens.second)
        c.text(text, c.tokens.text, QRectF(place.x() + 6 if share < 0.5 else place.x() - 70, place.y() - 18, 80, 16))


def learning_rate(c: Canvas) -> None:
    """Gradient descent in a bowl at three rates."""
    steps = np.arange(13)
    lines = [
        Line(steps, np.abs(1 - rate) ** (2 * steps), colour, label)
        for rate, colour, label in (
            (0.03, c.tokens.soft, "too low"),
            (0.3, c.tokens.accent, "right"),
            (2.06, c.tokens.second, "too high"),
        )
    ]
    c.plot(lines, (0, 12), (0, 2.4), ("steps", "loss"))


def finder(c: Canvas) -> None:
    """Loss while the rate grows."""
    y = 0.9 - 0.55 / (1 + np.exp(-14 * (_X - 0.42))) + np.where(_X > 0.74, 9 * (_X - 0.74) ** 2 * 3, 0)
    axes = c.plot([Line(_X, y, c.tokens.accent)], (0, 1), (0.2, 1.2), ("learning rate, growing", "loss"))
    axes.upright(0.52, c.tokens.good)
    place = axes.place(0.52, 1.12)
    c.text("a good rate", c.tokens.good, QRectF(place.x() - 90, place.y() - 6, 84, 16))


def epochs(c: Canvas) -> None:
    """Accuracy after each epoch."""
    n = np.arange(1, 11)
    y = 0.985 - 0.075 * np.exp(-(n - 1) / 2.2)
    axes = c.plot([Line(n, y, c.tokens.accent)], (0, 10), (0.9, 1), ("epochs", "accuracy"))
    for x, value in zip(n, y, strict=True):
        axes.dot(float(x), float(value))


def overfitting(c: Canvas) -> None:
    """Training and validation loss part."""
    axes = c.plot(_overfit(c), (0, 1), (0, 1), ("epochs", "loss"))
    axes.upright(0.36)


def early_stopping(c: Canvas) -> None:
    """Training ends some epochs after the best one."""
    training, validation = _overfit(c)
    shown = _X <= 0.62
    cut = [Line(_X[shown], np.asarray(line.y)[shown], line.colour, line.label) for line in (training, validation)]
    axes = c.plot(cut, (0, 1), (0, 1), ("epochs", "loss"))
    axes.dot(0.36, float(validation.y[36]), c.tokens.good)
    axes.upright(0.62)
    place = axes.place(0.36, float(validation.y[36]))
    c.text("best", c.tokens.good, QRectF(place.x() - 30, place.y() - 22, 60, 16))


def adaptation(c: Canvas) -> None:
    """My digits are read better, and those of others as well as before."""
    own = 0.97 - 0.22 * np.exp(-5 * _X)
    others = np.full_like(_X, 0.985)
    lines = [Line(_X, own, c.tokens.accent, "my digits"), Line(_X, others, c.tokens.second, "other people's")]
    c.plot(lines, (0, 1), (0.7, 1.03), ("training", "accuracy"))


def _overfit(c: Canvas) -> list[Line]:
    training = 0.9 * np.exp(-4.5 * _X) + 0.03
    validation = 0.85 * np.exp(-6 * _X) + 0.2 + 0.45 * _X**1.6
    return [Line(_X, training, c.tokens.accent, "training"), Line(_X, validation, c.tokens.second, "validation")]


def optimiser(c: Canvas) -> None:
    """Paths of three optimisers in a long bowl."""
    _paths(c, (("SGD", SGD(), 0.055), ("Momentum", SGD(momentum=0.8), 0.03), ("Adam", Adam(), 0.35)))


def momentum(c: Canvas) -> None:
    """Paths with and without momentum."""
    _paths(c, (("none", SGD(), 0.03), ("0.8", SGD(momentum=0.8), 0.03)))


def _paths(c: Canvas, made: tuple[tuple[str, Optimizer, float], ...]) -> None:
    curvature = np.array([1.0, 30.0])
    colours = (c.tokens.soft, c.tokens.accent, c.tokens.second)
    lines = []
    for (label, optimizer, rate), colour in zip(made, colours, strict=False):
        point, path = np.array([-4.0, 0.9]), []
        for _ in range(26):
            path.append(point.copy())
            optimizer.step(point, curvature * point, rate)
        x, y = np.array(path).T
        lines.append(Line(x, y, colour, label, 1.8))
    angle = np.linspace(0, 2 * np.pi, 80)
    rings = [
        Line(r * np.cos(angle), r * np.sin(angle) / 4.2, pale(c.tokens, c.tokens.border, 0.5), "", 1)
        for r in (1.2, 2.6, 4)
    ]
    axes = c.plot(lines, (-4.4, 4.2), (-1.05, 1.05), ("a valley of the loss, seen from above", ""))
    for ring in rings:
        axes.line(ring)
    for line in lines:
        axes.line(line)
    axes.dot(0, 0, c.tokens.good)


def gradient(c: Canvas) -> None:
    """The slope at a point, and the step downhill."""
    x = np.linspace(-2, 2, 80)
    axes = c.plot([Line(x, x**2, c.tokens.accent)], (-2, 2), (0, 4), ("one weight", "loss"))
    axes.line(Line([-2, -0.6], [3.84, -0.12], c.tokens.soft, "", 1.4))
    start = axes.dot(-1.4, 1.96, c.tokens.second)
    c.arrow(start, axes.place(-0.7, 0.6), c.tokens.second)


def schedule(c: Canvas) -> None:
    """Three schedules."""
    made = (("Cosine", Cosine(), c.tokens.accent), ("Step", StepDecay(3.4), c.tokens.soft))
    made += (("One cycle", OneCycle(), c.tokens.second),)  # type: ignore[assignment]
    lines = [Line(10 * _X, [rule(10 * x, 10) for x in _X], colour, label) for label, rule, colour in made]
    c.plot(lines, (0, 10), (0, 1.05), ("epochs", "learning rate"))


def warm_up(c: Canvas) -> None:
    """Constant rate after two epochs of warm-up."""
    rule = WarmUp(2, Constant())
    line = Line(10 * _X, [rule(10 * x, 10) for x in _X], c.tokens.accent)
    c.plot([line], (0, 10), (0, 1.2), ("epochs", "learning rate"))


def clipping(c: Canvas) -> None:
    """A step that is cut down to the limit."""
    sizes = [0.4, 0.7, 0.5, 2.6, 0.6, 0.45]
    upper = c.captioned("size of each step; the pale part is cut off")
    upper.bars(sizes, [""] * len(sizes), most=2.8, colour=pale(c.tokens, c.tokens.second, 0.45))
    upper.bars([min(size, 1) for size in sizes], [""] * len(sizes), most=2.8, colour=c.tokens.accent)


def averaging(c: Canvas) -> None:
    """A shaking weight and its mean."""
    noisy, mean = _noisy(0.93)
    lines = [Line(_X, noisy, c.tokens.faint, "each step", 1.2), Line(_X, mean, c.tokens.accent, "mean")]
    c.plot(lines, (0, 1), (0, 1), ("steps", "one weight"))


def smoothing(c: Canvas) -> None:
    """The loss of batches and the calmer line."""
    noise = 0.12 * np.random.default_rng(4).normal(size=len(_X))
    raw = 0.75 * np.exp(-4 * _X) + 0.15 + noise * (0.4 + np.exp(-3 * _X))
    calm, value = [], raw[0]
    for y in raw:
        value = 0.85 * value + 0.15 * y
        calm.append(value)
    c.plot(
        [Line(_X, raw, c.tokens.faint, "real", 1.2), Line(_X, calm, c.tokens.accent, "smooth")],
        (0, 1), (0, 1), ("steps", "loss"),
    )  # fmt: skip


def _noisy(decay: float) -> tuple[Floats, Floats]:
    noisy = 0.3 + 0.4 * (1 - np.exp(-5 * _X)) + 0.09 * np.random.default_rng(2).normal(size=len(_X))
    average = EMA(decay)
    means = []
    for value in noisy:
        average.update(np.array([value]))
        means.append(float(average.average[0]))
    return noisy, np.array(means)


def initialiser(c: Canvas) -> None:
    """Size of the signal, layer by layer."""
    layers = np.arange(6)
    lines = [
        Line(layers, factor**layers, colour, label)
        for factor, colour, label in (
            (1.35, c.tokens.second, "too large"),
            (1.0, c.tokens.accent, "He"),
            (0.55, c.tokens.soft, "too small"),
        )
    ]
    c.plot(lines, (0, 5), (0, 3), ("layers", "size of the signal"))


def penalties(c: Canvas) -> None:
    """Cost of a weight."""
    w = np.linspace(-2, 2, 81)
    lines = [Line(w, np.abs(w), c.tokens.second, "L1"), Line(w, w**2 / 2, c.tokens.accent, "L2")]
    c.plot(lines, (-2, 2), (0, 2.1), ("size of a weight", "cost"))


def seed(c: Canvas) -> None:
    """Two runs with the same seed, and one with another."""
    n = np.arange(12)

    def run(number: int) -> Floats:
        return 0.2 + 0.7 * np.exp(-n / 3) + 0.05 * np.random.default_rng(number).normal(size=len(n))

    lines = [
        Line(n, run(1), pale(c.tokens, c.tokens.accent, 0.45), "", 6),
        Line(n, run(1), c.tokens.accent, "seed 1, twice"),
        Line(n, run(3), c.tokens.second, "seed 2"),
    ]
    c.plot(lines, (0, 11), (0, 1), ("epochs", "loss"))


def activation(c: Canvas) -> None:
    """Three activation functions."""
    x = np.linspace(-3, 3, 121)
    lines = [
        Line(x, np.maximum(x, 0), c.tokens.accent, "ReLU"),
        Line(x, np.tanh(x), c.tokens.second, "tanh"),
        Line(x, 1 / (1 + np.exp(-x)), c.tokens.soft, "sigmoid"),
    ]
    c.plot(lines, (-3, 3), (-1.1, 2.2), ("sum of a unit", "what it passes on"))


def leaky(c: Canvas) -> None:
    """ReLU with a slope below zero."""
    x = np.linspace(-3, 3, 121)
    lines = [Line(x, np.where(x > 0, x, 0.15 * x), c.tokens.accent, "leaky"), Line([-3, 0], [0, 0], c.tokens.soft)]
    c.plot(lines, (-3, 3), (-0.9, 3), ("sum of a unit", "what it passes on"))


def batch_norm(c: Canvas) -> None:
    """Sums before and after."""
    x = np.linspace(-6, 6, 121)

    def bell(mean: float, spread: float) -> Floats:
        return np.exp(-((x - mean) ** 2) / (2 * spread**2)) / spread

    before, after = c.columns(2)
    lines = [Line(x, bell(3, 0.7), c.tokens.second), Line(x, bell(-2, 2.2), c.tokens.soft)]
    before.plot(lines, (-6, 6), (0, 1.6), ("sums before", ""))
    after.plot([Line(x, bell(0, 1), c.tokens.accent)], (-6, 6), (0, 1.6), ("after", ""))


def robustness(c: Canvas) -> None:
    """Accuracy falls as images change."""
    lines = [
        Line(45 * _X, 1 - 0.75 / (1 + np.exp(-(45 * _X - middle) / 5)), colour, label)
        for middle, colour, label in ((40, c.tokens.accent, "augmented"), (27, c.tokens.second, "plain"))
    ]
    c.plot(lines, (0, 45), (0, 1.05), ("rotation in degrees", "accuracy"))


def calibration(c: Canvas) -> None:
    """Bars below the line of perfect calibration."""
    area = c.captioned("confidence")
    values = [0.42, 0.5, 0.58, 0.68, 0.79]
    area.bars(values, ["50", "60", "70", "80", "90 %"], most=1, colour=pale(c.tokens, c.tokens.accent, 0.75))
    a = area.area.adjusted(0, 2, 0, -area.line_px - 2)
    for i, claim in enumerate((0.5, 0.6, 0.7, 0.8, 0.9)):
        y = a.bottom() - claim * a.height()
        left = a.left() + i * a.width() / 5
        c.painter.setPen(c.tokens.second)
        c.painter.drawLine(QPointF(left + 4, y), QPointF(left + a.width() / 5 - 4, y))
    c.text("orange: what it claims, bars: how often it is right", area=QRectF(a.left(), a.top() - 2, a.width(), 16))


def interval(c: Canvas) -> None:
    """Intervals of three sizes of test set."""
    from digitpad.evaluation.metrics import interval as wilson

    axes = c.plot([], (0.95, 1.0), (0, 4), ("accuracy: 98.5 %, measured on more and more images", ""))
    for row, n in enumerate((10_000, 1000, 200), start=1):
        low, high = wilson(0.985, n)
        axes.line(Line([low, high], [row, row], c.tokens.accent, "", 3))
        place = axes.dot(0.985, row, c.tokens.second)
        c.text(f"{n:,}", area=QRectF(axes.area.left() + 4, place.y() - 8, 60, 16))


CURVES: dict[str, Callable[[Canvas], None]] = {
    function.__name__: function
    for function in (
        loss, learning_rate, finder, epochs, overfitting, early_stopping, adaptation, optimiser, momentum, gradient,
        schedule, warm_up, clipping, averaging, smoothing, initialiser, penalties, seed, activation, leaky, batch_norm,
        robustness, calibration, interval,
    )
}  # fmt: skip
"""Pictures that show no digit, by name."""
