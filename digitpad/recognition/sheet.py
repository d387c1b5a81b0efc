"""Sheets of digits: a photo of rows of digits is cut up, and each digit gets the label that the user typed for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.own_digits.records import IMPORT, OwnDigit
from digitpad.nn.losses import NONE
from digitpad.recognition.number_reader import NumberReader

LEFT_OUT = "-"
"""In the labels of a row, stands for ink that is not imported; ``?`` means the same."""

NOT_A_DIGIT = "x"
"""In the labels of a row, stands for ink that is imported as "not a digit"."""


@dataclass(frozen=True, eq=False)
class SheetRow:
    """Row of a sheet.

    Attributes
    ----------
    images : tuple of ndarray of uint8, shape (28, 28)
        Network input for each digit, from left to right.
    read : str
        One character for each digit: what the network reads, or ``?`` if it does not look like a digit.
    """

    images: tuple[NDArray[np.uint8], ...]
    read: str


def read_sheet(reader: NumberReader, pixels: NDArray[np.uint8]) -> list[SheetRow]:
    """Find the rows of digits in a photo or scan; return none if there is no ink.

    Parameters
    ----------
    reader : NumberReader
        Of a network that reads the digits 0 to 9.
    pixels : ndarray of uint8, shape (height, width) or (height, width, 4)
    """
    reading = reader.read_image(pixels)
    if reading is None:
        return []
    return [
        SheetRow(tuple(item.prediction.image for item in line), "".join(item.text for item in line))
        for line in reading.lines
        if line
    ]


def row_labels(text: str, n: int) -> list[int | None]:
    """Return the label of each of ``n`` digits of a row, or None for those that are left out.

    Parameters
    ----------
    text : str
        One character for the whole row, or one for each digit: 0 to 9, `NOT_A_DIGIT`, `LEFT_OUT` or ``?``. Spaces do
        not count. Without any text, all are left out.
    n : int

    Raises
    ------
    ValueError
        If the text has another length, or another character; the message is for the user.
    """
    symbols = "".join(text.lower().split()) or LEFT_OUT
    if unknown := next((c for c in symbols if c not in f"0123456789{NOT_A_DIGIT}{LEFT_OUT}?"), ""):
        raise ValueError(f"“{unknown}” is no label: use 0 to 9, x for not a digit, - to leave out")
    if len(symbols) not in (1, n):
        raise ValueError(f"{len(symbols)} labels for {n} drawings: give one for each, or one for the row")
    if len(symbols) == 1:
        symbols *= n
    return [None if c in f"{LEFT_OUT}?" else NONE if c == NOT_A_DIGIT else int(c) for c in symbols]


def drawings_of_row(row: SheetRow, text: str, writer: str) -> list[OwnDigit]:
    """Return the labelled drawings of a row, ready for `DigitStore.add`.

    Raises
    ------
    ValueError
        If the labels do not fit; see `row_labels`.
    """
    labels = row_labels(text, len(row.images))
    return [
        OwnDigit(
            label, pixels=image.copy(), writer=writer, source=IMPORT, read_as=int(read) if read.isdigit() else None
        )
        for image, read, label in zip(row.images, row.read, labels, strict=True)
        if label is not None
    ]
