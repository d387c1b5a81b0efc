"""Reading of whole numbers: division of ink into digits and recognition of each digit, in one search."""

import time
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.ink.components import bounds
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import NONE
from digitpad.recognition.reading import Item, Reading
from digitpad.recognition.recognizer import Prediction, Recognizer
from digitpad.recognition.segmentation.layout import find_lines, find_units, widest_gap
from digitpad.recognition.segmentation.parts import Box, DividedInk
from digitpad.recognition.segmentation.search import Hypothesis, best_reading, may_be_letter
from digitpad.recognition.segmentation.strokes import DividedStrokes
from digitpad.recognition.segmentation.units import Unit, digit_height
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.ink.finding import FoundInk
    from digitpad.recognition.memory import CorrectionMemory

MAX_CACHED = 1000
"""Number of predictions that are kept for the next reading."""

MAX_DIVIDED = 300
"""Strokes that are divided into digits; more are a scribble, and would take seconds."""

DOUBT = 1.5
"""A stroke or component is cut only if its hypothesis is so much worse than a perfect digit, in units of e."""

NUMBER_SIDE = 960
"""Longest side in pixels of the ink of an image in which several digits may be."""

MAX_AMBIGUOUS = 4
"""Units that are read as one line too if they lie on several; an 8 can be a circle above a circle."""

MAX_GAP = 0.5
"""Largest distance between such lines, in heights of digits."""

NEW_LINE = -3.0
"""Score of a line break among so few units."""


class NumberReader:
    """Read the digits of drawings, strokes and images with a private copy of a network. Blank ink is read as None.

    The predictions of unchanged ink are kept, so after each movement of the pen only the hypotheses with the new stroke
    are computed. A network whose classes are not the digits always reads its whole input as one item.
    """

    def __init__(self, weights: Weights, memory: "CorrectionMemory | None" = None) -> None:
        self.recognizer = Recognizer(weights, memory)
        self._is_dividing = weights.class_names == DIGITS
        self._cache: OrderedDict[Hashable, Prediction] = OrderedDict()

    def read(self, drawing: Drawing, *, single: bool = False) -> Reading | None:
        """Read a drawing; with ``single``, as one digit. A dataset image is always read as one digit."""
        if drawing.image is None or not drawing.image.any():
            return self.read_paths([stroke.points for stroke in drawing.strokes], single=single)
        from digitpad.ink.finding import FoundInk
        from digitpad.recognition.segmentation.image_parts import DividedImage

        begin = time.perf_counter()
        image, x, y = drawing.painted()
        found = FoundInk(image / 255, x, y, CANVAS_PX / len(drawing.image))
        if single or drawing.is_sample or not self._is_dividing:
            return _one_item(self.recognizer.read(drawing), [_ink_box(found)], begin)
        return self.read_divided(DividedImage(found))

    def read_paths(self, paths: Sequence[Floats], *, single: bool = False) -> Reading | None:
        """Read strokes in any unit, each of shape (n_points, 2); with ``single``, as one digit."""
        begin = time.perf_counter()
        paths = [path for path in paths if len(path)]
        if single or not self._is_dividing or len(paths) > MAX_DIVIDED:
            return _one_item(self.recognizer.read_paths(paths), [Box.around(path) for path in paths], begin)
        return self.read_divided(DividedStrokes(paths))

    def read_image(self, pixels: NDArray[np.uint8], *, single: bool = False) -> Reading | None:
        """Read an image of any size: grey levels of shape (height, width), or RGBA of shape (height, width, 4)."""
        return self.find_and_read(pixels, single=single)[1]

    def find_and_read(self, pixels: NDArray[np.uint8], *, single: bool = False) -> "tuple[FoundInk, Reading | None]":
        """Read an image as `read_image` does, and return the ink that was found, too."""
        from digitpad.ink.finding import locate_ink
        from digitpad.recognition.segmentation.image_parts import DividedImage

        begin = time.perf_counter()
        if not single and self._is_dividing:
            found = locate_ink(pixels, NUMBER_SIDE)
            return found, self.read_divided(DividedImage(found))
        found = locate_ink(pixels)
        if not found.ink.any():
            return found, None
        return found, _one_item(self.recognizer.read(Drawing.from_ink(found.ink)), [_ink_box(found)], begin)

    def read_divided(self, ink: DividedInk) -> Reading | None:
        """Read ink of any source that is divided into parts."""
        begin = time.perf_counter()
        if not ink.parts:
            return None
        lines, _ = self._read_lines(ink, frozenset())
        doubtful = self._doubtful(ink, lines)
        if doubtful:
            lines, _ = self._read_lines(ink, doubtful)
        items = [
            self._item(ink, hypothesis, number, hypothesis.is_sure and not may_be_letter(line))
            for number, line in enumerate(lines)
            for hypothesis in line
        ]
        return Reading(tuple(items), (time.perf_counter() - begin) * 1000)

    def _item(self, ink: DividedInk, hypothesis: Hypothesis, line: int, sure: bool) -> Item:
        assert hypothesis.prediction is not None  # the search reads each hypothesis of its result
        wholes = sorted({ink.parts[part].whole for part in hypothesis.parts})
        prediction, is_digit = self.recognizer.recall(hypothesis.prediction), hypothesis.is_digit
        if prediction.correction is not None:
            is_digit = prediction.correction.label != NONE
            sure = prediction.sure
        return Item(prediction, hypothesis.box, tuple(wholes), sure, is_digit, line)

    def _read_lines(self, ink: DividedInk, divided: frozenset[int]) -> tuple[list[list[Hypothesis]], float]:
        """Return the hypotheses of the best reading, by line, and its score."""
        units = find_units(ink.parts, divided)
        lines = find_lines(units)
        readings = [self._read_line(ink, line) for line in lines]
        score = sum(score for _, score in readings) + NEW_LINE * (len(lines) - 1)
        if len(lines) > 1 and len(units) <= MAX_AMBIGUOUS and widest_gap(lines) < MAX_GAP * digit_height(units):
            one_line = self._read_line(ink, units)
            if one_line[1] > score:
                return [one_line[0]], one_line[1]
        return [hypotheses for hypotheses, _ in readings], score

    def _read_line(self, ink: DividedInk, units: Sequence[Unit]) -> tuple[list[Hypothesis], float]:
        def read(hypotheses: Sequence[Hypothesis]) -> None:
            for hypothesis, prediction in zip(hypotheses, self._predict(ink, hypotheses), strict=True):
                hypothesis.take(prediction)

        return best_reading(units, read)

    def _predict(self, ink: DividedInk, hypotheses: Sequence[Hypothesis]) -> list[Prediction]:
        """Return the predictions of hypotheses; all that are not cached are read in one batch."""
        keys = [ink.key(hypothesis.parts) for hypothesis in hypotheses]
        new = {key: h.parts for key, h in zip(keys, hypotheses, strict=True) if key not in self._cache}
        images = [ink.rasterize(parts) for parts in new.values()]
        self._cache.update(zip(new, self.recognizer.predict(images), strict=True))
        for key in keys:
            self._cache.move_to_end(key)
        predictions = [self._cache[key] for key in keys]
        while len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        return predictions

    def _doubtful(self, ink: DividedInk, lines: Sequence[Sequence[Hypothesis]]) -> frozenset[int]:
        """Return the wholes that can be cut, and are in hypotheses that are not clearly a digit."""
        n_parts: dict[int, int] = {}
        for part in ink.parts:
            n_parts[part.whole] = n_parts.get(part.whole, 0) + 1
        doubtful = (hypothesis for line in lines for hypothesis in line if hypothesis.doubt > DOUBT)
        wholes = {ink.parts[part].whole for hypothesis in doubtful for part in hypothesis.parts}
        return frozenset(whole for whole in wholes if n_parts[whole] > 1)


def _ink_box(found: "FoundInk") -> Box:
    """Return the box of the ink in the unit of its picture."""
    box = bounds(found.ink > 0)
    assert box is not None
    top, bottom, left, right = box
    x, y = left * found.scale + found.x, top * found.scale + found.y
    return Box(x, y, (right - left) * found.scale, (bottom - top) * found.scale)


def _one_item(prediction: Prediction | None, boxes: Sequence[Box], begin: float) -> Reading | None:
    if prediction is None:
        return None
    item = Item(prediction, Box.union(boxes), tuple(range(len(boxes))), prediction.sure)
    return Reading((item,), (time.perf_counter() - begin) * 1000)
