"""Reading of a picture or a part of it, for the pad. It runs in a task, so it uses no widget."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.ink.drawing import Drawing
from digitpad.ink.finding import FoundInk
from digitpad.recognition.number_reader import NumberReader
from digitpad.recognition.reading import Item, Reading

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class PictureReading:
    """What was found in a picture.

    Attributes
    ----------
    found : FoundInk
        In pixels of the part that was read.
    reading : Reading or None
        None if there is no ink.
    drawing : Drawing
        The ink for the pad.
    """

    found: FoundInk
    reading: Reading | None
    drawing: Drawing

    @property
    def items(self) -> tuple[Item, ...]:
        """The digits, empty if there is no ink."""
        return () if self.reading is None else self.reading.items


def read_picture(reader: NumberReader, pixels: Pixels, *, single: bool = False) -> PictureReading:
    """Read a picture, uint8 of shape (height, width, 4), and make a drawing of its ink."""
    found, reading = reader.find_and_read(pixels, single=single)
    if reading is None:
        return PictureReading(found, None, Drawing())
    if len(reading.items) == 1:
        return PictureReading(found, reading, Drawing.from_pixels(pixels))
    return PictureReading(found, reading, Drawing.from_number(found.ink))
