"""Recognition of drawings, images and strokes, shared by the window and the command line."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.ink.drawing import Drawing
from digitpad.ink.raster import rasterize
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import NONE, softmax
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.recognition.memory import Correction, CorrectionMemory


@dataclass(frozen=True, eq=False)
class Prediction:
    """Prediction of a network for some ink.

    Attributes
    ----------
    digit : int
        Index of the most probable class; for digits, the digit itself.
    probabilities : tuple of float
        Probability of each class; the sum is 1.
    sure : bool
        Whether the confidence reaches the threshold; for a letter or a scribble it seldom does.
    image : ndarray of uint8, shape (28, 28)
        Network input.
    milliseconds : float
        Time from ink to prediction.
    class_names : tuple of str
        Names of the classes.
    correction : Correction or None
        The user's labelled drawing that changed the answer or made it sure. The probabilities of the network's own
        answer and of the corrected one are then exchanged; a correction to "not a digit" makes the answer not sure.
    """

    digit: int
    probabilities: tuple[float, ...]
    sure: bool
    image: NDArray[np.uint8]
    milliseconds: float
    class_names: tuple[str, ...] = DIGITS
    correction: "Correction | None" = None

    @property
    def label(self) -> str:
        """Class name of `digit`."""
        return self.class_names[self.digit]

    @property
    def confidence(self) -> float:
        """Probability of `digit`."""
        return self.probabilities[self.digit]

    @property
    def ranking(self) -> list[int]:
        """Indices of all classes, the most probable first."""
        return sorted(range(len(self.probabilities)), key=lambda digit: -self.probabilities[digit])

    @property
    def likely(self) -> list[int]:
        """Indices of up to two classes whose probability is at least 1.5 times that of chance."""
        minimum = 1.5 / len(self.probabilities)
        return [place for place in self.ranking[:2] if self.probabilities[place] >= minimum]


class Recognizer:
    """Recognise ink with a private copy of a network. The result for blank ink is None.

    Attributes
    ----------
    memory : CorrectionMemory or None
        Corrections that may change an answer; it must be made for the same weights.
    """

    def __init__(self, weights: Weights, memory: "CorrectionMemory | None" = None) -> None:
        self.weights = weights
        self.memory = memory
        self._network = weights.network()

    def read(self, drawing: Drawing) -> Prediction | None:
        """Recognise a drawing."""
        begin = time.perf_counter()
        return self._predict(drawing.rasterize(), begin)

    def read_paths(self, paths: Sequence[Floats]) -> Prediction | None:
        """Recognise strokes in any unit, each of shape (n_points, 2)."""
        begin = time.perf_counter()
        return self._predict(rasterize(paths), begin)

    def read_image(self, pixels: NDArray[np.uint8]) -> Prediction | None:
        """Recognise an image of any size: grey levels of shape (height, width), or RGBA of shape (height, width, 4)."""
        return self.read(Drawing.from_pixels(pixels))

    def predict(self, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """Recognise network inputs, each of shape (28, 28), in batches; each prediction has its share of the time."""
        predictions: list[Prediction] = []
        for start in range(0, len(images), self._network.chunk):
            begin = time.perf_counter()
            chunk = images[start : start + self._network.chunk]
            with np.errstate(over="ignore", invalid="ignore"):
                outputs = self._network.predict(np.stack(chunk))
            milliseconds = (time.perf_counter() - begin) * 1000 / len(chunk)
            predictions += [
                self._prediction(image, output, milliseconds) for image, output in zip(chunk, outputs, strict=True)
            ]
        return predictions

    def _predict(self, image: NDArray[np.uint8], begin: float) -> Prediction | None:
        if not image.any():
            return None
        prediction = self._remembered(image) if self._remembers else self.predict([image])[0]
        return replace(prediction, milliseconds=(time.perf_counter() - begin) * 1000)

    def recall(self, prediction: Prediction) -> Prediction:
        """Return the prediction, changed by the memory if a similar drawing was corrected."""
        if not self._remembers:
            return prediction
        remembered = self._remembered(prediction.image)
        return prediction if remembered.correction is None else remembered

    @property
    def _remembers(self) -> bool:
        return self.memory is not None and self.memory.weights is self.weights

    def _remembered(self, image: NDArray[np.uint8]) -> Prediction:
        assert self.memory is not None
        begin = time.perf_counter()
        with np.errstate(over="ignore", invalid="ignore"):
            logits, correction = self.memory.read(image, self._network)
            output = softmax(logits[None])[0]
        return self._prediction(image, output, (time.perf_counter() - begin) * 1000, correction)

    def _prediction(
        self,
        image: NDArray[np.uint8],
        output: Floats,
        milliseconds: float,
        correction: "Correction | None" = None,
    ) -> Prediction:
        if not np.isfinite(output).all():  # the network overflowed, so every class is equally likely
            output, correction = np.full_like(output, 1 / len(output)), None
        is_sure = float(output.max()) >= self.weights.confidence_threshold
        if correction is not None and correction.label == correction.network_digit and is_sure:
            correction = None  # the network alone would have answered the same
        if correction is not None and correction.label != NONE:
            changed = [correction.network_digit, correction.label]
            output[changed] = output[changed[::-1]]
        probabilities = tuple(output.tolist())
        sure = is_sure if correction is None else correction.label != NONE and (is_sure or correction.is_sure)
        digit = int(np.argmax(probabilities))
        return Prediction(digit, probabilities, sure, image, milliseconds, self.weights.class_names, correction)
