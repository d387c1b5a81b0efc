import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitpad.datasets.dataset import mnist
from digitpad.recognition.number_reader import NumberReader
from digitpad.weights.native_format import SHIPPED, load_weights


def page(rows: list[list[int]]) -> NDArray[np.uint8]:
    """Return an image of dark MNIST digits on light paper, in lines of the given validation indices."""
    ink = np.zeros((90 * len(rows) + 40, 90 * max(map(len, rows)) + 40), np.uint8)
    for line, row in enumerate(rows):
        for column, place in enumerate(row):
            digit = Image.fromarray(mnist().validation.images[place]).resize((80, 80), Image.Resampling.BICUBIC)
            ink[20 + 90 * line :, 20 + 90 * column :][:80, :80] = np.asarray(digit)
    return np.asarray(240 - 0.8 * ink, np.uint8)


def test_lines_of_digits_are_read() -> None:
    """Lines of digits in an image are read from top to bottom, each digit with its box in the image."""
    rows = [[1000, 1001, 1002], [1003, 1004, 1005]]
    reading = NumberReader(load_weights(SHIPPED)).read_image(page(rows))
    assert reading is not None
    labels = mnist().validation.labels
    assert reading.text == "\n".join("".join(str(labels[place]) for place in row) for row in rows)
    assert all(90 * i < item.box.x < 90 * i + 110 for i, item in enumerate(reading.lines[1]))
