import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import Stroke
from digitpad.recognition.recognizer import Prediction, Recognizer
from digitpad.weights.native_format import SHIPPED, load_weights
from tests.unit.ink.drawings import DIGITS, picture, pixels


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(load_weights(SHIPPED))


@pytest.mark.parametrize("digit", DIGITS)
def test_every_kind_of_input_gives_the_same_digit(recognizer: Recognizer, digit: int) -> None:
    """Paths, strokes on the pad, an image and an image on the pad give the same digit."""
    image = pixels(1 - picture(DIGITS[digit], width_px=40))
    by_paths = recognizer.read_paths(DIGITS[digit])
    by_strokes = recognizer.read(Drawing(tuple(Stroke(path) for path in DIGITS[digit])))
    by_image = recognizer.read_image(image)
    by_drawing = recognizer.read(Drawing.from_pixels(image))
    assert by_paths is not None
    assert by_strokes is not None
    assert by_image is not None
    assert by_drawing is not None
    assert [prediction.digit for prediction in (by_paths, by_strokes, by_image, by_drawing)] == [digit] * 4
    assert by_paths.probabilities == by_strokes.probabilities
    assert by_image.probabilities == by_drawing.probabilities
    np.testing.assert_allclose(by_image.probabilities, by_paths.probabilities, atol=0.2)


def test_blank_ink_has_no_prediction(recognizer: Recognizer) -> None:
    """Blank input has no prediction."""
    assert recognizer.read(Drawing()) is None
    assert recognizer.read_paths([]) is None
    assert recognizer.read_image(np.full((40, 40), 255, np.uint8)) is None


@pytest.mark.parametrize("digit", DIGITS)
def test_prediction_is_complete(recognizer: Recognizer, digit: int) -> None:
    """A prediction has ten probabilities with the sum 1, the most probable digit, and the network input."""
    prediction = recognizer.read_paths(DIGITS[digit])
    assert prediction is not None
    assert len(prediction.probabilities) == 10
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
    assert min(prediction.probabilities) >= 0
    assert prediction.confidence == max(prediction.probabilities)
    assert prediction.digit == prediction.ranking[0] == np.argmax(prediction.probabilities)
    assert sorted(prediction.ranking) == list(range(10))
    ranked = [prediction.probabilities[place] for place in prediction.ranking]
    assert ranked == sorted(ranked, reverse=True)
    assert prediction.image.shape == (28, 28)
    assert prediction.milliseconds > 0


def test_probabilities_are_those_of_the_network_input(recognizer: Recognizer) -> None:
    """The probabilities are those of the network input in the prediction."""
    prediction = recognizer.read_paths(DIGITS[4])
    assert prediction is not None
    expected = recognizer.weights.network().predict(prediction.image[None])[0]
    np.testing.assert_allclose(prediction.probabilities, expected, rtol=1e-5)


def test_later_recognition_does_not_change_a_prediction(recognizer: Recognizer) -> None:
    """A later recognition does not change an earlier prediction."""
    first = recognizer.read_paths(DIGITS[4])
    assert first is not None
    probabilities, image = first.probabilities, first.image.copy()
    recognizer.read_paths(DIGITS[7])
    assert first.probabilities == probabilities
    np.testing.assert_array_equal(first.image, image)


def test_recognizer_copies_the_network(recognizer: Recognizer) -> None:
    """Changing the original weights does not change the recognizer."""
    weights = load_weights(SHIPPED)
    copied = Recognizer(weights)
    weights.parameters.fill(0)
    prediction, expected = copied.read_paths(DIGITS[4]), recognizer.read_paths(DIGITS[4])
    assert prediction is not None
    assert expected is not None
    assert prediction.probabilities == expected.probabilities


def test_preprocessing_hardly_changes_dataset_images(recognizer: Recognizer) -> None:
    """The preprocessing of images hardly changes dataset images."""
    images = mnist().validation.images[:50]
    offsets = []
    for image in images:
        prediction = recognizer.read_image(image)
        assert prediction is not None
        offsets.append(np.abs(prediction.image.astype(int) - image).mean())
    assert np.mean(offsets) < 10


@pytest.mark.parametrize(
    ("probabilities", "likely"),
    [
        ((0.1,) * 10, []),
        ((0.11, 0.12, 0.09, 0.13, *(0.55 / 6,) * 6), []),
        ((0.04,) * 8 + (0.2, 0.48), [9, 8]),
        ((0.5, 0.07, *(0.43 / 8,) * 8), [0]),
        ((0.02,) * 25 + (0.5,), [25]),
        ((0.45, 0.55), []),
    ],
)
def test_likely_classes_stand_out_from_chance(probabilities: tuple[float, ...], likely: list[int]) -> None:
    """One, two or no classes are likely; none if all probabilities are close to chance, as for a scribble."""
    blank = np.zeros((28, 28), np.uint8)
    prediction = Prediction(int(np.argmax(probabilities)), probabilities, False, blank, 0.0)
    assert prediction.likely == likely
