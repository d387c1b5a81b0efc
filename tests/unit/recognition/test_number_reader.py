from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.datasets.synthetic.pen import write, writers
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import Stroke
from digitpad.nn.arrays import Floats
from digitpad.recognition.number_reader import NumberReader
from digitpad.recognition.recognizer import Prediction, Recognizer
from digitpad.weights.native_format import SHIPPED, Weights, load_weights
from tests.unit.ink.drawings import DIGITS, picture, pixels
from tests.unit.recognition.numbers import numbers, write_number

BAR = [np.array([[0.0, 0.0], [50.0, 1.0]])]
DOT = [np.array([[0.0, 0.0], [3.0, 2.0]])]
ONE = [np.array([[10.0, 0.0], [0.0, 100.0]])]


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights(SHIPPED)


@pytest.fixture(scope="module")
def reader(weights: Weights) -> NumberReader:
    return NumberReader(weights)


def text(reader: NumberReader, paths: Sequence[Floats]) -> str:
    reading = reader.read_paths(paths)
    assert reading is not None
    return reading.text


def moved(paths: Sequence[Floats], x: float, y: float, scale: float = 1.0) -> list[Floats]:
    return [path * scale + [x, y] for path in paths]


def clear_number(number: str, seed: int = 3) -> list[Floats]:
    writer, rng = next(writers(seed))
    return write_number(number, writer, rng)


@pytest.mark.parametrize("n_digits", [2, 3, 8])
def test_numbers_are_read(reader: NumberReader, n_digits: int) -> None:
    """Numbers of many writers, in all styles, are read correctly as a whole."""
    n_correct = sum(text(reader, paths) == number for number, paths in numbers(12, 11, n_digits=n_digits))
    assert n_correct >= 11


def test_stroke_of_two_digits_is_cut(reader: NumberReader) -> None:
    """Some numbers written without lifting the pen are read, which requires cutting a stroke."""
    n_correct = sum(text(reader, paths) == number for number, paths in numbers(20, 5, joined=True, n_digits=2))
    assert n_correct >= 8


def test_single_digit_has_one_item(reader: NumberReader, weights: Weights) -> None:
    """A single digit of any style has one item, with the prediction of the recogniser."""
    recognizer = Recognizer(weights)
    n_same = n = 0
    for number, (writer, rng) in zip(range(12), writers(21), strict=False):
        for digit in range(10):
            paths = write(digit, rng, writer)
            reading, alone = reader.read_paths(paths), recognizer.read_paths(paths)
            assert reading is not None
            assert alone is not None
            n += 1
            if len(reading.items) == 1:
                n_same += reading.items[0].prediction.probabilities == pytest.approx(alone.probabilities, abs=1e-5)
            assert number >= 0
    assert n_same >= n - 1


@pytest.mark.parametrize(
    ("strokes", "expected"),
    [
        ([[[0, 0], [50, 0], [20, 100]], [[15, 45], [52, 45]]], "7"),  # with a bar
        ([DIGITS[0][0] * [0.3, 0.16] + [0, 0], DIGITS[0][0] * [0.36, 0.18] + [-14, 42]], "8"),  # of two circles
        (
            [[[5, 0], [0, 40], [30, 38], [45, 60], [40, 90], [20, 100], [0, 92]], [[5, 0], [45, -2]]],
            "5",
        ),  # with a late hat
    ],
)
def test_digits_of_two_strokes(reader: NumberReader, strokes: list[list[list[float]]], expected: str) -> None:
    """A bar, second circle or hat belongs to its digit, alone and in a number."""
    paths = [np.asarray(stroke, float) for stroke in strokes]
    assert text(reader, paths) == expected
    assert text(reader, [*moved(ONE, -60, 0), *paths]) == f"1{expected}"


def test_lines_are_read_one_by_one(reader: NumberReader) -> None:
    """Numbers in several lines are read line by line, in any order of writing."""
    upper, lower = clear_number("273"), moved(clear_number("60"), 10, 160)
    assert text(reader, [*upper, *lower]) == "273\n60"
    assert text(reader, [*lower, *upper]) == "273\n60"
    reading = reader.read_paths([*upper, *lower])
    assert reading is not None
    assert [[item.text for item in line] for line in reading.lines] == [["2", "7", "3"], ["6", "0"]]


def test_short_numbers_far_below_each_other_are_two_lines(reader: NumberReader) -> None:
    """A 4 above a 3, apart by their height, is not the body of another digit, although 7 and 1 stand beside them."""
    four = [[(35, 0), (22, 30), (15, 55), (45, 55), (85, 52)], [(68, 15), (66, 55), (64, 100)]]
    seven = [[(145, 5), (180, 3), (215, 0), (195, 40), (180, 70), (170, 100)]]
    three = [[(20, 210), (45, 200), (70, 210), (66, 236), (42, 247), (72, 258), (75, 285), (20, 292)]]
    one = [[(180, 200), (180, 233), (179, 266), (178, 300)]]
    pixels_page = pixels(picture([np.array(path) + 90.0 for path in (*four, *seven, *three, *one)]))
    reading = reader.read_image(pixels_page)
    assert reading is not None
    assert reading.text == "47\n31"


def test_signs_and_points_are_question_marks(reader: NumberReader) -> None:
    """A minus, plus or decimal point is "?" in its position, and an exponent is read after its base."""
    three, two = clear_number("3"), clear_number("2")
    plus = [*BAR, np.array([[25.0, -25.0], [25.0, 25.0]])]
    assert text(reader, [*moved(BAR, -80, 50), *three]) == "?3"
    assert text(reader, [*three, *moved(plus, 95, 50), *moved(two, 170, 0)]) == "3?2"
    assert text(reader, [*three, *moved(DOT, 90, 96), *moved(two, 120, 0)]) == "3?2"
    assert text(reader, [*three, *moved(two, 80, -35, 0.5)]) == "32"


@pytest.mark.parametrize("writer", range(3))
@pytest.mark.parametrize(
    ("sign", "width"),
    [
        ([[(0, 97), (-5, 118)]], 0),  # a comma close to the digits
        ([[(0, 98), (1, 99)]], 1),  # a point
        ([[(0, 50), (20, 51), (40, 48)]], 40),  # a minus sign
        ([[(0, 35), (30, 34)], [(2, 60), (31, 58)]], 31),  # an equals sign
        ([[(0, 50), (80, 47)], [(41, 5), (39, 95)]], 80),  # a plus sign as large as the digits
    ],
    ids=["comma", "point", "minus", "equals", "plus"],
)
def test_sign_close_to_digits_is_told_from_them(
    reader: NumberReader, sign: list[list[tuple[float, float]]], width: float, writer: int
) -> None:
    """The digits beside a sign are read as without it, and the sign is one "?"."""
    first, second = clear_number("3", writer), clear_number("8", writer)
    right = max(path[:, 0].max() for path in first)
    left = min(path[:, 0].min() for path in second)
    marks = moved([np.array(path, float) for path in sign], right + 12, 0)
    assert text(reader, [*first, *marks, *moved(second, right + width + 24 - left, 0)]) == "3?8"


@pytest.mark.parametrize("exponent", ["1", "2", "3"])
def test_exponent_close_to_its_base(reader: NumberReader, exponent: str) -> None:
    """An exponent that almost touches its base is a digit of its own."""
    base, small = clear_number("8"), [path * 0.45 for path in clear_number(exponent)]
    right = max(path[:, 0].max() for path in base)
    left = min(path[:, 0].min() for path in small)
    assert text(reader, [*base, *moved(small, right + 5 - left, -15)]) == f"8{exponent}"


def test_order_of_strokes_does_not_matter(reader: NumberReader) -> None:
    """A number is read from left to right, even if it is written from right to left."""
    paths = clear_number("2706")
    assert text(reader, paths) == text(reader, paths[::-1]) == "2706"


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_unit_does_not_matter(reader: NumberReader, scale: float) -> None:
    """Scaling a number does not change its text."""
    assert text(reader, [path * scale for path in clear_number("2706")]) == "2706"


def test_boxes_and_strokes_of_items(reader: NumberReader) -> None:
    """An item has the box of its ink and the indices of its strokes."""
    reading = reader.read_paths([*DIGITS[4], *moved(DIGITS[2], 300, 0)])
    assert reading is not None
    assert [item.wholes for item in reading.items] == [(0, 1), (2,)]
    assert reading.items[0].box == (150, 80, 190, 320)
    assert reading.sure
    assert reading.milliseconds > 0


def test_new_stroke_reuses_earlier_predictions(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a new stroke, predictions of unchanged strokes are reused."""
    n_images = []
    predict = Recognizer.predict

    def counting(self: Recognizer, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        n_images.append(len(images))
        return predict(self, images)

    monkeypatch.setattr(Recognizer, "predict", counting)
    reader = NumberReader(weights)
    paths = [*DIGITS[7], *moved(DIGITS[2], 300, 0), *moved(DIGITS[0], 600, 0)]
    before = reader.read_paths(paths)
    n_images.clear()
    after = reader.read_paths([*paths, *moved(DIGITS[7], 900, 0)])
    assert sum(n_images) == 1
    assert before is not None
    assert after is not None
    assert after.text == "7207"
    assert after.items[0].prediction is before.items[0].prediction


def test_blank_ink_has_no_reading(reader: NumberReader) -> None:
    """Blank ink gives None."""
    assert reader.read(Drawing()) is None
    assert reader.read_paths([]) is None
    assert reader.read_paths([np.empty((0, 2))]) is None
    assert reader.read_image(np.full((40, 40), 255, np.uint8)) is None


def test_single_reads_one_digit(reader: NumberReader, weights: Weights) -> None:
    """With ``single``, all ink is one digit, with the prediction of the recogniser."""
    paths = clear_number("27")
    reading, alone = reader.read_paths(paths, single=True), Recognizer(weights).read_paths(paths)
    assert reading is not None
    assert alone is not None
    (item,) = reading.items
    assert item.prediction.probabilities == alone.probabilities
    assert item.wholes == tuple(range(len(paths)))


def test_drawings_are_read(reader: NumberReader) -> None:
    """Strokes on the pad give the same result as paths."""
    paths = clear_number("27")
    reading = reader.read(Drawing(tuple(Stroke(path) for path in paths)))
    assert reading is not None
    assert reading.text == "27"


def test_box_of_a_digit_in_an_image(reader: NumberReader) -> None:
    """The box of a digit is in pixels of the image."""
    image = np.full((300, 500), 255, np.uint8)
    image[40:280, 200:440] = pixels(1 - picture(DIGITS[7], side=240))
    reading = reader.read_image(image)
    assert reading is not None
    assert reading.text == "7"
    assert reading.items[0].box == pytest.approx((264, 84, 112, 157), abs=6)


@pytest.mark.parametrize(
    "paths",
    [
        [np.zeros((1, 2))],
        [np.zeros((1, 2)), np.ones((1, 2))],
        [np.zeros((3, 2))] * 3,
        [np.array([[0.0, 0.0], [1e8, 0.0]]), np.array([[0.0, 1.0]])],
        list(np.random.default_rng(0).normal(0, 100, (60, 5, 2))),
        [np.random.default_rng(1).normal(0, 100, (3000, 2)) * [5, 1]],
    ],
    ids=["dot", "dots", "equal", "flat", "many", "scribble"],
)
def test_odd_ink_is_read(reader: NumberReader, paths: list[Floats]) -> None:
    """Dots, bars and scribbles are read in limited time, and every stroke is in an item."""
    reading = reader.read_paths(paths)
    assert reading is not None
    assert {whole for item in reading.items for whole in item.wholes} == set(range(len(paths)))


def test_many_strokes_are_read_as_one_drawing(reader: NumberReader) -> None:
    """A thousand strokes are a scribble, which is not divided, as that would take half a minute."""
    rng = np.random.default_rng(0)
    paths = [rng.uniform(0, 500, 2) + np.array([(0, 0), (5, 20)]) for _ in range(1000)]
    reading = reader.read_paths(paths)
    assert reading is not None
    assert len(reading.items) == 1


def test_other_classes_are_not_divided(weights: Weights) -> None:
    """A network whose classes are not digits reads all ink as one item."""
    letters = Weights("letters", weights.architecture, weights.parameters, class_names=tuple("ABCDEFGHIJ"))
    reading = NumberReader(letters).read_paths(clear_number("27"))
    assert reading is not None
    assert len(reading.items) == 1
    assert reading.text in tuple("ABCDEFGHIJ")
