"""Drawings for the tests of My digits."""

from digitpad.datasets.own_digits.records import WRITING, OwnDigit
from tests.unit.ink.drawings import DIGITS


def drawing(label: int, shape: int | None = None, writer: str = "") -> OwnDigit:
    """Return a drawing with the label and the shape of another digit, so that the network misreads it, or its own."""
    return OwnDigit(label, tuple(DIGITS[label if shape is None else shape]), writer=writer, source=WRITING)
