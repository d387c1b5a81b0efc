"""Reading of whole numbers: division of ink into digits and recognition of each digit, in one search."""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitpad.ink.drawing import Drawing
from digitpad.nn.arrays import Floats
from digitpad.recognition.reading import Item, Reading
from digitpad.recognition.recognizer import Prediction, Recognizer
from digitpad.recognition.segmentation.parts import Box
from digitpad.weights.native_format import Weights


class NumberReader:
    """Read the digits of drawings, strokes and images with a private copy of a network. Blank ink is read as None."""

    def __init__(self, weights: Weights) -> None:
        self._recognizer = Recognizer(weights)

    def read(self, drawing: Drawing, *, single: bool = False) -> Reading | None:
        """Read a drawing; with ``single``, as one digit."""
        begin = time.perf_counter()
        boxes = [Box.around(stroke.points) for stroke in drawing.strokes]
        if drawing.image is not None and drawing.image.any():
            boxes.append(Box(0.0, 0.0, float(len(drawing.image)), float(len(drawing.image))))
        return _one_digit(self._recognizer.read(drawing), boxes, begin)

    def read_paths(self, paths: Sequence[Floats], *, single: bool = False) -> Reading | None:
        """Read strokes in any unit, each of shape (n_points, 2); with ``single``, as one digit."""
        begin = time.perf_counter()
        paths = [path for path in paths if len(path)]
        return _one_digit(self._recognizer.read_paths(paths), [Box.around(path) for path in paths], begin)

    def read_image(self, pixels: NDArray[np.uint8], *, single: bool = False) -> Reading | None:
        """Read an image of any size: grey levels of shape (height, width), or RGBA of shape (height, width, 4)."""
        return self.read(Drawing.from_pixels(pixels), single=single)


def _one_digit(prediction: Prediction | None, boxes: Sequence[Box], begin: float) -> Reading | None:
    if prediction is None:
        return None
    item = Item(prediction, Box.union(boxes), tuple(range(len(boxes))))
    return Reading((item,), (time.perf_counter() - begin) * 1000)
