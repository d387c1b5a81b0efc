"""Why ink is read as it is: which of it speaks for the answer, and which small change would make it another.

Both are told in pieces: generators that stop after some milliseconds of work, so that a window can read ink in between.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass
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
"""From blank paper to the whole ink; the evidence's sum then differs by 0.07 from what it should be, some 13."""

PRODUCTS_AT_ONCE = {"weighing": 40e6, "reading": 100e6}
"""Of a network's products, those of a piece: on one core, some 4 ms. Their gradients take more than themselves."""

READINGS_AT_ONCE = 32  # of however small a network

MAX_DRAWN_STROKES = 12
MAX_LENGTH = 12.0  # of all ink, in extents; a digit's is 1 to 5, and no small change makes a digit of what has more
MAX_FINDINGS = 3

_T = TypeVar("_T")

InPieces = Generator[None, None, _T]
"""Work that stops after each piece; what it comes to is what the generator returns."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What each pixel of some ink says in favour of one digit and against another.

    Attributes
    ----------
    digit, instead : int
        The answer, and what was next.
    image : ndarray of uint8, shape (28, 28)
        What the network saw.
    pixels : ndarray of shape (28, 28)
        Above 0 where ink speaks for `digit`, below where it speaks for `instead`, 0 where there is none. The sum is by
        how much ``logit[digit] - logit[instead]`` is larger than on blank paper.
    """

    digit: int
    instead: int
    image: NDArray[np.uint8]
    pixels: Floats
    class_names: tuple[str, ...] = DIGITS

    @property
    def said(self) -> str:
        """In words: where the ink is that speaks for the one, and for the other."""
        digit, instead = self.class_names[self.digit], self.class_names[self.instead]
        speaks = [
            f"the ink {at_place(self._strongest(sign))} speaks {words}"
            for sign, words in ((1, f"most for {digit}"), (-1, f"for {instead} instead"))
            if (sign * self.pixels).max() > 0
        ]
        return ", ".join(speaks).capitalize() or "No ink speaks for either"

    def _strongest(self, sign: int) -> str:
        """The place around which most of what speaks for one of the two lies together."""
        rows = np.array_split(np.maximum(sign * self.pixels, 0), np.r_[11, 17])  # a digit covers 4..23
        thirds = np.array([[part.sum() for part in np.array_split(row, np.r_[11, 17], axis=1)] for row in rows])
        y, x = np.unravel_index(thirds.argmax(), thirds.shape)
        return PLACES[y][x]


@dataclass(frozen=True)
class Finding:
    """A small change of the strokes that makes the ink another digit, or an unsure answer sure.

    Attributes
    ----------
    digit : int
        What it is then.
    change : str
        In words that go on after the digit: ``when the flag is shorter``, ``without the bar``.
    size : float
        How much of the ink it touches.
    was_sure : bool
        Whether the answer was sure before.
    """

    digit: int
    change: str
    size: float
    was_sure: bool
    class_names: tuple[str, ...] = DIGITS

    def __str__(self) -> str:
        return f"{'Read as' if self.was_sure else 'Sure of'} {self.class_names[self.digit]} {self.change}"


class Explainer:
    """Explains with one network, of which it has a copy of its own, how some ink is read."""

    def __init__(self, weights: Weights) -> None:
        self._network = network = weights.network()
        n_products = max(1, network.plan.n_products)
        self._steps_at_once = min(STEPS, max(1, int(PRODUCTS_AT_ONCE["weighing"] / n_products)))
        self._readings_at_once = min(READINGS_AT_ONCE, max(1, int(PRODUCTS_AT_ONCE["reading"] / n_products)))
        self._confidence_threshold = weights.confidence_threshold
        self._class_names = weights.class_names

    def weigh(self, image: NDArray[np.uint8], digit: int, instead: int) -> InPieces[Evidence]:
        """How much the ink of each pixel moves ``logit[digit] - logit[instead]``.

        Parameters
        ----------
        image : ndarray of uint8, shape (28, 28)
        digit, instead : int

        Notes
        -----
        Integrated gradients (Sundararajan, Taly and Yan, 2017) along the straight line from blank paper: each pixel
        times the mean of its gradient while all ink grows from none to what it is. They add up to the whole difference,
        as the gradient at the ink alone does not; and blank paper is what ink is written on, so nothing is said of
        pixels without any.

        With ink of a share s = u², the steps are even in u: gradients change most while there is little ink, where
        units begin to fire one after the other. For a dense network, the sum's error then is a fifth of that of steps
        that are even in s.
        """
        ink = image.astype(np.float32)
        gradient = np.zeros_like(ink)
        u = (np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS
        for some in np.array_split(u, math.ceil(STEPS / self._steps_at_once)):
            gradient += self._gradient(some[:, None, None] ** 2 * ink, 2 * some / STEPS, digit, instead)
            yield
        return Evidence(digit, instead, image, np.nan_to_num(ink * gradient), self._class_names)

    def search(self, drawing: Drawing) -> InPieces[tuple[Finding, ...] | None]:
        """What small changes of the strokes would make of them, at most `MAX_FINDINGS`, the smallest first.

        None where there are no strokes to change, or they are part of an image. Nothing is tried of a scribble, of
        more than `MAX_DRAWN_STROKES` or `MAX_LENGTH`.
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
        read = []
        for begin in range(0, len(images), self._readings_at_once):
            read.append(self._network.predict(np.stack(images[begin : begin + self._readings_at_once])))
            yield
        before, *after = np.concatenate(read)
        was_sure = bool(before.max() >= self._confidence_threshold)
        found: dict[str, Finding] = {}  # by its words, as two gaps may lie at the top
        parts = set()
        for change, probabilities in sorted(zip(changes, after, strict=True), key=lambda pair: pair[0].size):
            digit = int(probabilities.argmax())
            as_before = was_sure and digit == before.argmax()
            if probabilities.max() >= self._confidence_threshold and not as_before and change.part not in parts:
                parts.add(change.part)
                finding = Finding(digit, change.words, change.size, was_sure, self._class_names)
                found.setdefault(str(finding), finding)
        return tuple(found.values())[:MAX_FINDINGS]

    def _gradient(self, images: Floats, weights: Floats, digit: int, instead: int) -> Floats:
        """The weighted sum over images of the gradient of ``logit[digit] - logit[instead]``."""
        with np.errstate(over="ignore", invalid="ignore"):  # what a network is made of may be of any size
            direction = np.zeros_like(self._network.forward(images))
            direction[:, digit] += weights
            direction[:, instead] -= weights
            return self._network.input_gradient(direction).sum(axis=0)


def run_without_pauses(work: InPieces[_T]) -> _T:
    """What work in pieces comes to, without a pause."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
