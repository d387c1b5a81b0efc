"""Reading of ink: the digits found in it, line by line, each with its prediction and its place."""

from collections.abc import Sequence
from dataclasses import dataclass

from digitpad.recognition.recognizer import Prediction
from digitpad.recognition.segmentation.parts import Box

UNREADABLE = "?"
"""Text of an item that is not a digit."""


@dataclass(frozen=True, eq=False)
class Item:
    """Digit of a reading, or ink between digits that is not one.

    Attributes
    ----------
    prediction : Prediction
        Prediction for the ink of the item alone.
    box : Box
        In the unit of the ink.
    wholes : tuple of int
        Numbers of the strokes or components in it, ascending. A stroke that writes two digits is in two items.
    sure : bool
        Whether both the prediction and the division of the ink into this item are sure.
    is_digit : bool
        Whether the ink looks like a digit; if not, its text is `UNREADABLE`.
    line : int
        Number of its line, from 0.
    """

    prediction: Prediction
    box: Box
    wholes: tuple[int, ...]
    sure: bool
    is_digit: bool = True
    line: int = 0

    @property
    def text(self) -> str:
        """Class name of the prediction, or `UNREADABLE`."""
        return self.prediction.label if self.is_digit else UNREADABLE


@dataclass(frozen=True, eq=False)
class Reading:
    """Digits of a drawing or an image, in reading order: lines from top to bottom, each from left to right.

    Attributes
    ----------
    items : tuple of Item
        At least one.
    milliseconds : float
        Time from ink to reading.
    """

    items: tuple[Item, ...]
    milliseconds: float

    @property
    def lines(self) -> list[list[Item]]:
        """The items of each line."""
        lines: list[list[Item]] = [[] for _ in range(self.items[-1].line + 1)]
        for item in self.items:
            lines[item.line].append(item)
        return lines

    @property
    def text(self) -> str:
        """Text of all items, with a line break between lines."""
        return "\n".join(_joined(line) for line in self.lines)

    @property
    def sure(self) -> bool:
        """Whether all items are sure."""
        return all(item.sure for item in self.items)

    @property
    def confidence(self) -> float:
        """Lowest confidence of an item."""
        return min(item.prediction.confidence for item in self.items)


def _joined(items: Sequence[Item]) -> str:
    return "".join(item.text for item in items)
