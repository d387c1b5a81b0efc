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

_MIN_PROBABILITY = 1e-30  # smaller ones have no logarithm in float32


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
    features : ndarray of shape (n_features,) or None
        Activations of hidden layers, by which the memory compares drawings; None without an active memory.
    """

    digit: int
    probabilities: tuple[float, ...]
    sure: bool
    image: NDArray[np.uint8]
    milliseconds: float
    class_names: tuple[str, ...] = DIGITS
    correction: "Correction | None" = None
    features: Floats | None = None

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
        self._network = weights.network().folded()

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
        """Recognise network inputs, each of shape (28, 28), in batches; each prediction has its share of the time.

        The memory changes none of them; see `recall`.
        """
        predictions: list[Prediction] = []
        for start in range(0, len(images), self._network.chunk):
            begin = time.perf_counter()
            chunk = images[start : start + self._network.chunk]
            with np.errstate(over="ignore", invalid="ignore"):
                outputs, features = self._forward(np.stack(chunk))
            milliseconds = (time.perf_counter() - begin) * 1000 / len(chunk)
            for image, output, point in zip(chunk, outputs, features, strict=True):
                if not np.isfinite(output).all():  # the network overflowed, so every class is equally likely
                    output = np.full_like(output, 1 / len(output))
                    point = None if point is None else np.zeros_like(point)  # similar to no drawing
                predictions.append(
                    Prediction(
                        int(np.argmax(output)),
                        tuple(output.tolist()),
                        float(output.max()) >= self.weights.confidence_threshold,
                        image,
                        milliseconds,
                        self.weights.class_names,
                        features=point,
                    )
                )
        return predictions

    def recall(self, prediction: Prediction) -> Prediction:
        """Return the prediction, changed by the memory if a similar drawing was corrected."""
        if self._active_memory is None:
            return prediction
        if prediction.features is None:  # made before there was a memory
            prediction = self.predict([prediction.image])[0]
        assert prediction.features is not None
        logits = np.log(np.maximum(prediction.probabilities, _MIN_PROBABILITY))
        correction = self._active_memory.look_up(logits, prediction.features)
        return prediction if correction is None else _corrected(prediction, correction)

    def _predict(self, image: NDArray[np.uint8], begin: float) -> Prediction | None:
        if not image.any():
            return None
        prediction = self.recall(self.predict([image])[0])
        return replace(prediction, milliseconds=(time.perf_counter() - begin) * 1000)

    def _forward(self, images: NDArray[np.uint8]) -> tuple[Floats, Sequence[Floats | None]]:
        """Return the probabilities of images, and the features by which the memory compares them, if it is active."""
        if self._active_memory is None:
            return self._network.predict(images), [None] * len(images)
        logits, features = self._active_memory.forward(self._network, images)
        return softmax(logits), list(features)

    @property
    def _active_memory(self) -> "CorrectionMemory | None":
        """The memory, if it may change an answer of this network."""
        memory = self.memory
        return memory if memory is not None and memory.is_active and memory.weights is self.weights else None


def _corrected(prediction: Prediction, correction: "Correction") -> Prediction:
    """Return a prediction of the network alone, changed by a labelled drawing."""
    if correction.label == NONE:
        return replace(prediction, sure=False, correction=correction)
    if correction.label == correction.network_digit and prediction.sure:
        return prediction  # the network alone has answered the same
    probabilities = list(prediction.probabilities)
    first, second = correction.network_digit, correction.label
    probabilities[first], probabilities[second] = probabilities[second], probabilities[first]
    return replace(
        prediction,
        digit=int(np.argmax(probabilities)),
        probabilities=tuple(probabilities),
        sure=prediction.sure or correction.is_sure,
        correction=correction,
    )
