"""From ink to an answer: the one path that the pad, an image and the command line all take."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.ink.drawing import Drawing
from digitpad.ink.raster import rasterize
from digitpad.nn.arrays import Floats
from digitpad.weights.native_format import Weights


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network makes of some ink.

    Attributes
    ----------
    digit : int
        The most probable one: the digit itself, or the place of another class.
    probabilities : tuple of float
        One for each class; their sum is 1.
    sure : bool
        Whether the digit is probable enough to be told as one: a letter or a scribble seldom is.
    image : ndarray of uint8, shape (28, 28)
        What the network saw.
    milliseconds : float
        From ink to answer.
    class_names : tuple of str
        What the probabilities are of.
    """

    digit: int
    probabilities: tuple[float, ...]
    sure: bool
    image: NDArray[np.uint8]
    milliseconds: float
    class_names: tuple[str, ...] = DIGITS

    @property
    def label(self) -> str:
        """The name of `digit`."""
        return self.class_names[self.digit]

    @property
    def confidence(self) -> float:
        """The probability of `digit`."""
        return self.probabilities[self.digit]

    @property
    def ranking(self) -> list[int]:
        """All classes by their places, the most probable first."""
        return sorted(range(len(self.probabilities)), key=lambda digit: -self.probabilities[digit])

    @property
    def likely(self) -> list[int]:
        """The places of the one or two classes that stand out: at least half as probable again as by chance."""
        least = 1.5 / len(self.probabilities)
        return [place for place in self.ranking[:2] if self.probabilities[place] >= least]


class Recognizer:
    """Reads ink with one network, of which it has a copy of its own. Blank ink has no answer: None."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._network = weights.network()

    def read(self, drawing: Drawing) -> Prediction | None:
        """Read what is on a pad."""
        begin = time.perf_counter()
        return self._predict(drawing.rasterize(), begin)

    def read_paths(self, paths: Sequence[Floats]) -> Prediction | None:
        """Read strokes in any unit, each of shape (n_points, 2)."""
        begin = time.perf_counter()
        return self._predict(rasterize(paths), begin)

    def read_image(self, pixels: NDArray[np.uint8]) -> Prediction | None:
        """Read an image of any size: grey levels of shape (height, width), or RGBA of shape (height, width, 4)."""
        return self.read(Drawing.from_pixels(pixels))

    def _predict(self, image: NDArray[np.uint8], begin: float) -> Prediction | None:
        if not image.any():
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            read = self._network.predict(image[None])[0]
        if not np.isfinite(read).all():  # of numbers so large, nothing can be told
            read = np.full_like(read, 1 / len(read))
        probabilities = tuple(read.tolist())
        milliseconds = (time.perf_counter() - begin) * 1000
        sure = max(probabilities) >= self.weights.confidence_threshold
        digit = int(np.argmax(probabilities))
        return Prediction(digit, probabilities, sure, image, milliseconds, self.weights.class_names)
