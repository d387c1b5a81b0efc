"""Pictures of terms that show the drawing on the pad, or the network in use."""

# Longer than 400 lines: one short function for each picture.

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPen

from digitpad.gui.help.picture_tools import Canvas, Line, pale
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import Stroke
from digitpad.inspection.trace import Tracer
from digitpad.inspection.weight_images import first_weights
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import softmax as softmax_of
from digitpad.weights.native_format import SHIPPED, Weights, load_weights

_SEVEN = ([(90, 90), (150, 84), (205, 80), (180, 140), (150, 190), (135, 235)], [(115, 160), (190, 152)])
_STEP = 4  # rows and columns of pixels that are shown as one cell


def sample_drawing() -> Drawing:
    """Return the drawing that is shown while the pad is empty: a 7 with a bar."""
    return Drawing(tuple(Stroke(np.array(path, np.float64)) for path in _SEVEN))


@dataclass(frozen=True)
class Subject:
    """What the pictures show: the drawing on the pad as network input, and the network in use.

    Attributes
    ----------
    image : ndarray of uint8, shape (28, 28)
    weights : Weights
    """

    image: NDArray[np.uint8]
    weights: Weights

    @classmethod
    def of(cls, drawing: Drawing | None = None, weights: Weights | None = None) -> "Subject":
        """Return the subject for a drawing and a network; by default a 7 and the built-in network."""
        shown = sample_drawing() if drawing is None or drawing.is_empty else drawing
        image = shown.rasterize()
        return cls(image if image.any() else sample_drawing().rasterize(), weights or load_weights(SHIPPED))

    @cached_property
    def tracer(self) -> Tracer:
        """The network."""
        return Tracer(self.weights)

    @cached_property
    def logits(self) -> Floats:
        """Logits of the image."""
        return self.tracer.trace(self.image).logits.astype(np.float64)

    @property
    def names(self) -> list[str]:
        """Names of the classes, shortened; at most ten are shown."""
        return [name[:2] for name in self.weights.class_names[:10]]


def softmax(c: Canvas, subject: Subject) -> None:
    """Probabilities of the drawing."""
    shares = _probabilities(subject)
    c.captioned("your drawing, read by the network in use").bars(
        shares, subject.names, marked=int(np.argmax(shares)), most=1
    )


def logits(c: Canvas, subject: Subject) -> None:
    """Logits of the drawing."""
    values = subject.logits[:10]
    c.captioned("scores of your drawing").bars(list(values), subject.names, marked=int(np.argmax(values)))


def temperature(c: Canvas, subject: Subject) -> None:
    """Probabilities at three temperatures."""
    for part, t in zip(c.columns(3), (0.5, 1.0, 6.0), strict=True):
        shares = softmax_of(subject.logits[None] / t)[0][:10]
        part.captioned(f"T = {t:g}").bars(list(shares), [""] * len(shares), marked=int(np.argmax(shares)), most=1)


def label_smoothing(c: Canvas, subject: Subject) -> None:
    """The target without and with label smoothing."""
    names = [str(digit) for digit in range(10)]
    for part, s in zip(c.columns(2), (0.0, 0.1), strict=True):
        target = (1 - s) * np.eye(10)[7] + s / 10
        part.captioned("plain goal for a 7" if s == 0 else "with 0.1").bars(list(target), names, marked=7, most=1)


def not_sure(c: Canvas, subject: Subject) -> None:
    """Confidence of the drawing against the limit."""
    limit, confidence = subject.weights.confidence_threshold, max(_probabilities(subject))
    upper = c.captioned("confidence of your drawing; dashed: the limit")
    a = upper.area
    bar = QRectF(a.left(), a.center().y() - 12, a.width(), 24)
    c.painter.fillRect(bar, QColor(c.tokens.hairline))
    colour = c.tokens.accent if confidence >= limit else c.tokens.second
    c.painter.fillRect(QRectF(bar.left(), bar.top(), bar.width() * confidence, bar.height()), QColor(colour))
    x = bar.left() + limit * bar.width()
    c.painter.setPen(QPen(QColor(c.tokens.text), 1.5, Qt.PenStyle.DashLine))
    c.painter.drawLine(QPointF(x, bar.top() - 10), QPointF(x, bar.bottom() + 10))


def _probabilities(subject: Subject) -> list[float]:
    return [float(share) for share in softmax_of(subject.logits[None])[0][:10]]


def network_input(c: Canvas, subject: Subject) -> None:
    """The drawing as 28 × 28 pixels, with its grid."""
    left, right = c.columns(2)
    place = left.image(subject.image)
    c.painter.setPen(QPen(QColor(pale(c.tokens, c.tokens.border, 0.35)), 0.5))
    for i in range(29):
        x, y = place.left() + i * place.width() / 28, place.top() + i * place.height() / 28
        c.painter.drawLine(QPointF(x, place.top()), QPointF(x, place.bottom()))
        c.painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
    rows, columns = np.nonzero(subject.image)
    r, k = int(np.median(rows)) - 2, int(np.median(columns)) - 2
    values = subject.image[r : r + 4, k : k + 4]
    right.captioned("16 pixels as numbers").table([["", *[""] * 4], *[["", *map(str, row)] for row in values]], {})


def feature_map(c: Canvas, subject: Subject) -> None:
    """The drawing and three feature maps of it."""
    first, *others = c.columns(4)
    first.captioned("drawing").image(subject.image)
    block = subject.tracer.blocks[1]
    if block.has_maps:
        maps = subject.tracer.trace(subject.image).of(block)
        strongest = np.argsort(-maps.reshape(len(maps), -1).std(axis=1))[:3]
        pictures = [maps[i] for i in strongest]
    else:
        pictures = [_slid(subject.image, kernel) for kernel in _EDGES]
    for number, (part, picture) in enumerate(zip(others, pictures, strict=True), start=1):
        part.captioned(f"map {number}").signed_image(picture)


_EDGES = (np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]]),)
_EDGES += (_EDGES[0].T, np.array([[-1, -1, 2], [-1, 2, -1], [2, -1, -1]]))  # type: ignore[assignment]


def _slid(image: NDArray[np.uint8], kernel: NDArray[np.int_]) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), kernel.shape)
    return np.maximum((windows * kernel).sum(axis=(2, 3)), 0)


def pooling(c: Canvas, subject: Subject) -> None:
    """The drawing before and after pooling."""
    left, right = c.columns(2)
    left.captioned("28 × 28").image(subject.image)
    right.captioned("14 × 14").image(subject.image.reshape(14, 2, 14, 2).max(axis=(1, 3)))


def padding(c: Canvas, subject: Subject) -> None:
    """The drawing with a frame of zeros."""
    upper = c.captioned("a frame of zeros, two pixels wide")
    place = upper.image(np.pad(subject.image, 2))
    inner = place.adjusted(place.width() / 16, place.height() / 16, -place.width() / 16, -place.height() / 16)
    c.painter.setPen(QPen(QColor(c.tokens.accent), 1.5, Qt.PenStyle.DashLine))
    c.painter.drawRect(inner)


def augmentation(c: Canvas, subject: Subject) -> None:
    """The drawing, changed as in training."""
    from digitpad.datasets.augmentation.augment import Augmentation, Augmenter

    change = Augmenter(Augmentation(rotate_deg=18, shift_px=3, scale=0.15, shear=0.25, elastic_px=0.8, thickness_px=1))
    images = change(np.repeat(subject.image[None], 4, axis=0), np.random.default_rng(5))
    for part, image in zip(c.columns(4), images, strict=True):
        part.image(image)


def dataset(c: Canvas, subject: Subject) -> None:
    """Digits with their answers."""
    for part, image, label in zip(c.columns(5), *_written((3, 0, 8, 2, 5)), strict=True):
        part.captioned(str(label)).image(image)


def pen_digits(c: Canvas, subject: Subject) -> None:
    """Digits written by the program."""
    for part, image in zip(c.columns(5), _written((7, 1, 4, 9, 2))[0], strict=True):
        part.image(image)


def _written(digits: tuple[int, ...]) -> tuple[list[NDArray[np.uint8]], tuple[int, ...]]:
    from digitpad.datasets.synthetic.pen_digits import pen_digits as write

    images = write(10, 7).images
    return [images[digit] for digit in digits], digits


def batch(c: Canvas, subject: Subject) -> None:
    """A pile of images makes one step."""
    place = c.part(0, 0, 0.62, 1)
    images, _ = _written((3, 0, 8, 2, 5, 7, 1, 4))
    for index, image in enumerate(images):
        r, k = divmod(index, 4)
        place.part(k / 4 + 0.01, r / 2 + 0.02, (k + 1) / 4 - 0.01, (r + 1) / 2 - 0.02).image(image)
    a = c.area
    c.arrow(QPointF(a.left() + 0.66 * a.width(), a.center().y()), QPointF(a.left() + 0.76 * a.width(), a.center().y()))
    c.part(0.78, 0, 1, 1).text("one step", c.tokens.text)


def correction(c: Canvas, subject: Subject) -> None:
    """What you said about a drawing, and one like it."""
    first, second, third = c.columns(3)
    first.captioned("corrected").image(subject.image)
    place = second.area
    c.arrow(QPointF(place.left() + 8, place.center().y()), QPointF(place.right() - 8, place.center().y()))
    third.captioned("read so now").image(np.roll(subject.image, 1, axis=1))


def nearest(c: Canvas, subject: Subject) -> None:
    """The drawing and images like it."""
    from digitpad.datasets.augmentation.augment import Augmentation, Augmenter

    change = Augmenter(Augmentation(rotate_deg=10, scale=0.1, elastic_px=0.7))
    images = change(np.repeat(subject.image[None], 3, axis=0), np.random.default_rng(1))
    first, *others = c.columns(4)
    first.captioned("yours").image(subject.image)
    for part, name, image in zip(others, ("closest", "second", "third"), images, strict=True):
        part.captioned(name).image(image)


def evidence(c: Canvas, subject: Subject) -> None:
    """Pixels that support the answer, by the gradient times the input."""
    network, x = subject.tracer.network, subject.image
    values = network.forward(x[None])
    gradient = np.zeros_like(values)
    gradient[0, int(np.argmax(values))] = 1
    slopes = np.array(network.input_gradient(gradient)).reshape(28, 28)
    left, right = c.columns(2)
    left.image(x)
    right.signed_image(slopes * x)


def first_layer(c: Canvas, subject: Subject) -> None:
    """Weights of four units of the first layer."""
    pictures = first_weights(subject.tracer)
    chosen = np.argsort(-np.abs(pictures).reshape(len(pictures), -1).sum(axis=1))[:4]
    for part, index in zip(c.columns(4), chosen, strict=False):
        part.signed_image(pictures[index])


def unit(c: Canvas, subject: Subject) -> None:
    """Pixels times weights, added up."""
    pixels = subject.image.reshape(7, _STEP, 7, _STEP).mean(axis=(1, 3)) / 255
    wanted = sample_drawing().rasterize().reshape(7, _STEP, 7, _STEP).mean(axis=(1, 3)) / 255
    weights = np.where(wanted > 0.2, 1.0, -0.5)  # a unit that looks for a 7
    parts = c.columns(3)
    parts[0].captioned("pixels").image(np.rint(255 * np.minimum(1, 2 * pixels)).astype(np.uint8))
    parts[1].captioned("× weights").signed_image(weights)
    parts[2].captioned(f"sum = {(pixels * weights).sum():.1f}").signed_image(pixels * weights)


def pruning(c: Canvas, subject: Subject) -> None:
    """Histogram of the weights; the small ones are pale."""
    values = np.abs(first_weights(subject.tracer)).ravel()
    counts, _ = np.histogram(values / values.max(), bins=16, range=(0, 1))
    upper = c.captioned("first weights by size; the pale half could go")
    upper.bars(list(counts / counts.max()), [""] * 16, colour=pale(c.tokens, c.tokens.accent, 0.35))
    kept = np.where(np.cumsum(counts) > counts.sum() / 2, counts / counts.max(), 0)
    upper.bars(list(kept), [""] * 16, most=1, colour=c.tokens.accent)


def quantisation(c: Canvas, subject: Subject) -> None:
    """Weights with fewer and fewer bits."""
    pictures = first_weights(subject.tracer)
    picture = pictures[int(np.argmax(np.abs(pictures).reshape(len(pictures), -1).sum(axis=1)))]
    most = float(np.abs(picture).max())
    for part, bits in zip(c.columns(3), (32, 3, 2), strict=True):
        levels = 2 ** (bits - 1) - 1
        shown = picture if bits == 32 else np.rint(picture / most * levels) / levels
        part.captioned(f"{bits} bits").signed_image(shown)


def network(c: Canvas, subject: Subject) -> None:
    """Layers of units and their connections."""
    _draw_network(c, off=())


def dropout(c: Canvas, subject: Subject) -> None:
    """The same with two units switched off."""
    _draw_network(c.captioned("in this step, the crossed units are off"), off=((1, 1), (1, 3), (2, 2)))


def _draw_network(c: Canvas, off: tuple[tuple[int, int], ...]) -> None:
    sizes, a = (4, 5, 4, 3), c.area
    radius = min(9.0, a.height() / 12)
    places = {
        (layer, i): QPointF(
            a.left() + a.width() * (0.1 + 0.8 * layer / 3), a.center().y() + (i - (n - 1) / 2) * a.height() / 5
        )
        for layer, n in enumerate(sizes)
        for i in range(n)
    }
    for layer in range(3):
        for i, k in product(range(sizes[layer]), range(sizes[layer + 1])):
            if (layer, i) not in off and (layer + 1, k) not in off:
                c.painter.setPen(QPen(QColor(pale(c.tokens, c.tokens.border, 0.6)), 1))
                c.painter.drawLine(places[layer, i], places[layer + 1, k])
    for key, place in places.items():
        c.painter.setPen(QPen(QColor(c.tokens.accent if key not in off else c.tokens.faint), 1.5))
        c.painter.setBrush(QColor(c.tokens.accent_ground if key not in off else c.tokens.card))
        c.painter.drawEllipse(place, radius, radius)
        if key in off:
            d = QPointF(radius * 0.7, radius * 0.7)
            c.painter.drawLine(place - d, place + d)
            c.painter.drawLine(place + QPointF(-d.x(), d.y()), place + QPointF(d.x(), -d.y()))


def split(c: Canvas, subject: Subject) -> None:
    """How the data is divided."""
    a = c.area
    left, t = a.left(), c.tokens
    parts = ((50_000, "training", t.accent), (10_000, "validation", t.second), (10_000, "test", t.good))
    for n, name, colour in parts:
        width = a.width() * n / 70_000
        bar = QRectF(left, a.center().y() - 22, width - 3, 22)
        c.painter.fillRect(bar, QColor(colour))
        wide = QRectF(bar.center().x() - 45, bar.bottom() + 3, 90, c.line_px * 2)
        c.text(f"{name}\n{n:,}", colour, wide)
        left += width


def accuracy(c: Canvas, subject: Subject) -> None:
    """A hundred images, two of them wrong."""
    colours = [c.tokens.accent] * 100
    for wrong in (37, 81):
        colours[wrong] = c.tokens.second
    c.captioned("98 right, 2 wrong: 98 %").dots(25, colours)


def significance(c: Canvas, subject: Subject) -> None:
    """Two splits of the images that only one network gets right."""
    for part, (one, other), text in zip(c.columns(2), ((30, 8), (12, 10)), ("hardly luck", "may be luck"), strict=True):
        part.captioned(text).bars([one, other], ["only A", "only B"], marked=0, most=30)


def confusion(c: Canvas, subject: Subject) -> None:
    """A part of a confusion matrix."""
    _matrix(c, {(1, 2): pale(c.tokens, c.tokens.second)})


def precision(c: Canvas, subject: Subject) -> None:
    """A column."""
    _matrix(c, {(row, 3): pale(c.tokens, c.tokens.accent) for row in (1, 2, 3)}, "said 7: 98 of 103 right")


def recall(c: Canvas, subject: Subject) -> None:
    """A row."""
    _matrix(c, {(3, column): pale(c.tokens, c.tokens.accent) for column in (1, 2, 3)}, "true sevens: 98 of 102 found")


def _matrix(c: Canvas, fills: dict[tuple[int, int], str], caption: str = "row 4, column 9: 8 mix-ups") -> None:
    rows = (("", "4", "9", "7"), ("4", "90", "8", "1"), ("9", "3", "95", "4"), ("7", "1", "3", "98"))
    c.captioned(caption).table(rows, fills)


def f1(c: Canvas, subject: Subject) -> None:
    """High only if both are high."""
    for part, (p, r) in zip(c.columns(3), ((0.95, 0.95), (0.95, 0.4), (0.4, 0.4)), strict=True):
        score = 2 * p * r / (p + r)
        part.captioned(f"F1 = {score:.2f}").bars([p, r, score], ["P", "R", "F1"], marked=2, most=1)


def map_of_images(c: Canvas, subject: Subject) -> None:
    """Three clouds of dots."""
    rng = np.random.default_rng(3)
    axes = c.plot([], (-4, 4), (-2.4, 2.4), ("each dot is an image", ""))
    for (x, y), colour, name in (
        ((-2.2, 0.8), c.tokens.accent, "1"),
        ((0.4, -1), c.tokens.second, "4"),
        ((2.2, 0.9), c.tokens.good, "9"),
    ):
        for dx, dy in rng.normal(0, 0.5, (28, 2)):
            axes.dot(x + dx, y + dy, pale(c.tokens, colour, 0.75))
        place = axes.place(x, y)
        c.text(name, c.tokens.text, QRectF(place.x() - 10, place.y() - 10, 20, 20))


def recipe(c: Canvas, subject: Subject) -> None:
    """A few lines of a recipe."""
    c.text(
        "hidden = [128]\nactivation = \"relu\"\nmethod = \"adam\"\nlearning_rate = 0.001\nepochs = 10",
        c.tokens.text, c.area.adjusted(12, 0, -12, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
    )  # fmt: skip


DIGIT_PICTURES: dict[str, Callable[[Canvas, Subject], None]] = {
    "map": map_of_images,
    **{
        function.__name__: function
        for function in (
            softmax, logits, temperature, label_smoothing, not_sure, network_input, feature_map, pooling, padding,
            augmentation, dataset, pen_digits, batch, correction, nearest, evidence, first_layer, unit, pruning,
            quantisation, network, dropout, split, accuracy, significance, confusion, precision, recall, f1, recipe,
        )
    },
}  # fmt: skip
"""Pictures of a subject, by name."""

__all__ = ["DIGIT_PICTURES", "Line", "Subject", "sample_drawing"]
