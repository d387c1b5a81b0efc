import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitpad.datasets.own_digits.records import IMPORT
from digitpad.nn.losses import NONE
from digitpad.recognition.number_reader import NumberReader
from digitpad.recognition.sheet import SheetRow, drawings_of_row, read_sheet, row_labels
from digitpad.weights.native_format import SHIPPED, load_weights
from tests.unit.ink.drawings import DIGITS


def photo_of(rows: list[list[int]]) -> np.ndarray:
    """Return a photo of rows of digits, dark on light grey: RGBA of 160 pixels per digit."""
    image = Image.new("L", (160 * max(map(len, rows)), 160 * len(rows)), 215)
    pen = ImageDraw.Draw(image)
    for top, row in enumerate(rows):
        for left, digit in enumerate(row):
            for path in DIGITS[digit]:
                points = [(160 * left + 0.3 * x, 160 * top + 0.3 * y) for x, y in path.tolist()]
                pen.line(points, fill=40, width=7, joint="curve")
    return np.asarray(image.convert("RGBA"))


def test_a_photo_is_cut_into_rows() -> None:
    """Each digit of each row is a network input, with what the network reads."""
    rows = [[0, 2, 7, 4], [7, 7, 0], [4, 2, 2, 0]]
    found = read_sheet(NumberReader(load_weights(SHIPPED)), photo_of(rows))
    assert [row.read for row in found] == ["0274", "770", "4220"]
    assert all(image.shape == (28, 28) and image.any() for row in found for image in row.images)
    assert read_sheet(NumberReader(load_weights(SHIPPED)), np.full((200, 300), 200, np.uint8)) == []


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("7", [7, 7, 7]),
        ("1 2 3", [1, 2, 3]),
        ("1-x", [1, None, NONE]),
        ("?2X", [None, 2, NONE]),
        ("", [None, None, None]),
    ],
)
def test_labels_are_for_the_row_or_for_each_digit(text: str, labels: list[int | None]) -> None:
    """An x is not a digit; - and ? are left out, and so is a row without labels."""
    assert row_labels(text, 3) == labels


@pytest.mark.parametrize(("text", "problem"), [("12", "2 labels for 3 drawings"), ("1a3", "“a” is no label")])
def test_wrong_labels_are_refused(text: str, problem: str) -> None:
    """The message says what to type."""
    with pytest.raises(ValueError, match=problem):
        row_labels(text, 3)


def test_drawings_keep_what_was_read() -> None:
    """A row becomes labelled drawings of one writer, without those that are left out."""
    image = np.eye(28, dtype=np.uint8) * 255
    drawings = drawings_of_row(SheetRow((image, image, image), "17?"), "1-4", "Ada")
    assert [(each.label, each.read_as, each.writer, each.source) for each in drawings] == [
        (1, 1, "Ada", IMPORT), (4, None, "Ada", IMPORT)
    ]  # fmt: skip
    np.testing.assert_array_equal(drawings[0].image, image)
