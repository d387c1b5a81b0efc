"""Explanations of predictions: the evidence in each pixel, and small changes that would change the prediction.

Both are generators that pause after a few milliseconds of work, so that the window can recognise ink in between.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.ink.drawing import Drawing
from digitpad.ink.perturbations import PLACES, Ink, at_place, small_changes_in_pieces
from digitpad.ink.raster import rasterize, without_specks
from digitpad.nn.arrays import Floats
from digitpad.weights.native_format import Weights

STEPS = 24
"""Steps from blank paper to full ink; the sum of the evidence then differs by 0.07 from its exact value of about 13."""

PRODUCTS_AT_ONCE = {"weighing": 40e6, "reading": 100e6}
"""Multiplications per piece of work, about 4 ms on one core; gradients take longer than predictions."""

READINGS_AT_ONCE = 32  # limit for small networks

MAX_DRAWN_STROKES = 12
MAX_LENGTH = 12.0  # total length of ink, in extents; digits have 1 to 5, and more ink cannot become a digit
MAX_FINDINGS = 3

_T = TypeVar("_T")

InPieces = Generator[None, None, _T]
"""Generator that pauses after each piece of work, and returns the result."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Evidence of each pixel for one digit and against another.

    Attributes
    ----------
    digit, instead : int
        Predicted class, and the second most probable class.
    image : ndarray of uint8, shape (28, 28)
        Network input.
    pixels : ndarray of shape (28, 28)
        Positive where ink supports `digit`, negative where it supports `instead`, 0 without ink. The sum is the
        increase of ``logit[digit] - logit[instead]`` over blank paper.
    """

    digit: int
    instead: int
    image: NDArray[np.uint8]
    pixels: Floats
    class_names: tuple[str, ...] = DIGITS

    @property
    def description(self) -> str:
        """Description of where the ink supports each of the two classes."""
        digit, instead = self.class_names[self.digit], self.class_names[self.instead]
        clauses = [
            f"the ink {at_place(self._strongest_place(sign))} {words}"
            for sign, words in ((1, f"most supports {digit}"), (-1, f"suggests {instead}"))
            if (sign * self.pixels).max() > 0
        ]
        return ", ".join(clauses).capitalize() or "No ink supports either"

    def _strongest_place(self, sign: int) -> str:
        """Return the name of the region with the most evidence of the given sign."""
        rows = np.array_split(np.maximum(sign * self.pixels, 0), np.r_[11, 17])  # a digit covers 4..23
        thirds = np.array([[part.sum() for part in np.array_split(row, np.r_[11, 17], axis=1)] for row in rows])
        y, x = np.unravel_index(thirds.argmax(), thirds.shape)
        return PLACES[y][x]


@dataclass(frozen=True)
class Finding:
    """Small change of the strokes that changes the prediction, or makes an unsure prediction sure.

    Attributes
    ----------
    digit : int
        Predicted class after the change.
    change : str
        Description of the change, for example ``with a shorter flag``, ``without the bar``.
    size : float
        Share of all ink that is changed.
    was_sure : bool
        Whether the prediction was sure before the change.
    paths : tuple of ndarray of shape (n_points, 2)
        The changed strokes.
    """

    digit: int
    change: str
    size: float
    was_sure: bool
    class_names: tuple[str, ...] = DIGITS
    paths: tuple[Floats, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        change = self.change[:1].upper() + self.change[1:]
        verb = "would be" if self.was_sure else "would clearly be"
        return f"{change} it {verb} {_with_article(self.class_names[self.digit])}"


def _with_article(name: str) -> str:
    """Return a class name with its indefinite article: ``a 7``, ``an 8``, ``an M``, ``a cat``."""
    vowel_sounds = "8AEFHILMNORSXaefhilmnorsx" if len(name) == 1 else "8AEIOaeio"
    return f"{'an' if name[0] in vowel_sounds else 'a'} {name}"


class Explainer:
    """Explain predictions with a private copy of a network."""

    def __init__(self, weights: Weights) -> None:
        self._network = network = weights.network()
        n_products = max(1, network.plan.n_products)
        self._steps_at_once = min(STEPS, max(1, int(PRODUCTS_AT_ONCE["weighing"] / n_products)))
        self._readings_at_once = min(READINGS_AT_ONCE, max(1, int(PRODUCTS_AT_ONCE["reading"] / n_products)))
        self._confidence_threshold = weights.confidence_threshold
        self._class_names = weights.class_names

    def weigh(self, image: NDArray[np.uint8], digit: int, instead: int) -> InPieces[Evidence]:
        """Compute how much the ink of each pixel changes ``logit[digit] - logit[instead]``.

        Parameters
        ----------
        image : ndarray of uint8, shape (28, 28)
        digit, instead : int

        Notes
        -----
        Integrated gradients (Sundararajan, Taly and Yan, 2017) along the straight line from blank paper: each pixel is
        multiplied by the mean of its gradient while all ink grows from none to its full value. These values add up to
        the whole difference, unlike the gradient at the full ink only. The baseline is blank paper, so pixels without
        ink have no evidence.

        The share of ink is s = u², with equal steps in u, because gradients change most while there is little ink,
        where units become active one after another. For a dense network, the error of the sum is then a fifth of the
        error with equal steps in s.
        """
        ink = image.astype(np.float32)
        gradient = np.zeros_like(ink)
        u = (np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS
        for chunk in np.array_split(u, math.ceil(STEPS / self._steps_at_once)):
            gradient += self._gradient(chunk[:, None, None] ** 2 * ink, 2 * chunk / STEPS, digit, instead)
            yield
        return Evidence(digit, instead, image, np.nan_to_num(ink * gradient), self._class_names)

    def search(self, drawing: Drawing) -> InPieces[tuple[Finding, ...] | None]:
        """Find small changes of the strokes that change the prediction, at most `MAX_FINDINGS`, the smallest first.

        The result is None if there are no strokes, or if they are drawn on an image. For a scribble, which exceeds
        `MAX_DRAWN_STROKES` or `MAX_LENGTH`, the result is empty.
        """
        paths = without_specks([stroke.points for stroke in drawing.strokes if len(stroke.points)])
        if not paths or (drawing.image is not None and drawing.image.any()):
            return None
        if len(paths) > MAX_DRAWN_STROKES:
            return ()
        ink = Ink(paths)
        if ink.lengths.sum() > MAX_LENGTH * ink.extent:
            return ()
        changes, images = [], [rasterize(paths)]
        yield
        for change in small_changes_in_pieces(ink):
            if change is not None:
                changes.append(change)
                images.append(rasterize(change.paths))
            yield
        outputs = []
        for begin in range(0, len(images), self._readings_at_once):
            outputs.append(self._network.predict(np.stack(images[begin : begin + self._readings_at_once])))
            yield
        before, *after = np.concatenate(outputs)
        was_sure = bool(before.max() >= self._confidence_threshold)
        findings: dict[str, Finding] = {}  # by description, because two gaps can have the same position name
        parts = set()
        for change, probabilities in sorted(zip(changes, after, strict=True), key=lambda pair: pair[0].size):
            digit = int(probabilities.argmax())
            unchanged = was_sure and digit == before.argmax()
            if probabilities.max() >= self._confidence_threshold and not unchanged and change.part not in parts:
                parts.add(change.part)
                finding = Finding(digit, change.words, change.size, was_sure, self._class_names, tuple(change.paths))
                findings.setdefault(str(finding), finding)
        return tuple(findings.values())[:MAX_FINDINGS]

    def _gradient(self, images: Floats, weights: Floats, digit: int, instead: int) -> Floats:
        """Return the weighted sum over images of the gradient of ``logit[digit] - logit[instead]``."""
        with np.errstate(over="ignore", invalid="ignore"):  # the weights may have any size
            direction = np.zeros_like(self._network.forward(images))
            direction[:, digit] += weights
            direction[:, instead] -= weights
            return self._network.input_gradient(direction).sum(axis=0)


def run_without_pauses(work: InPieces[_T]) -> _T:
    """Run work to its end without pauses, and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
