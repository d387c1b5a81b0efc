import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.evaluation import robustness as module
from digitpad.evaluation.csv_tables import robustness_table
from digitpad.evaluation.metrics import evaluate, run_to_end
from digitpad.evaluation.robustness import CHANGES, Distortion, evenly_spaced, robustness
from digitpad.weights.native_format import SHIPPED, load_weights


def digits() -> np.ndarray:
    return mnist().test.images[:40]


def change(name: str) -> Distortion:
    return next(one for one in CHANGES if one.name == name)


@pytest.mark.parametrize("one", CHANGES, ids=lambda one: one.name)
def test_no_change_leaves_digits_as_they_are(one: Distortion) -> None:
    """Each curve has the unchanged digits in it, pixel for pixel."""
    nothing = 1 if one.unit == "×" else 0
    assert nothing in one.amounts
    np.testing.assert_array_equal(one.made(digits(), nothing), digits())


@pytest.mark.parametrize("one", CHANGES, ids=lambda one: one.name)
def test_changes_are_the_same_each_time(one: Distortion) -> None:
    """So that window and terminal show the same curve; and what is changed is not the data set."""
    before = digits().copy()
    first, second = (one.made(digits(), one.amounts[-1]).copy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != before).any()
    np.testing.assert_array_equal(digits(), before)


def middles(images: np.ndarray) -> np.ndarray:
    """The centre of mass of each: y and x."""
    places = np.indices((28, 28)).reshape(2, -1)
    flat = images.reshape(len(images), -1).astype(float)
    return flat @ places.T / flat.sum(axis=1, keepdims=True)


def test_digits_are_turned_clockwise_by_the_angle() -> None:
    """A quarter turn is what NumPy makes of it."""
    turned = change("Rotation").made(digits(), 90)
    np.testing.assert_allclose(turned, np.rot90(digits(), -1, axes=(1, 2)), atol=1)


def test_digits_are_moved_to_the_four_sides() -> None:
    """By the distance, a quarter of them to each."""
    moves = middles(change("Shift").made(digits(), 3)) - middles(digits())
    np.testing.assert_allclose(moves[0], (0, -3), atol=0.1)
    np.testing.assert_allclose(moves[1], (-3, 0), atol=0.1)
    np.testing.assert_allclose(moves[2], (0, 3), atol=0.1)
    np.testing.assert_allclose(moves[3], (3, 0), atol=0.1)


def test_digits_are_resized() -> None:
    """Ink grows as the square of the scale."""
    ink = digits().astype(float).sum(axis=(1, 2))
    halved = change("Scale").made(digits(), 0.5).astype(float).sum(axis=(1, 2))
    assert np.mean(halved / ink) == pytest.approx(0.25, abs=0.02)


def test_strokes_are_wider_and_narrower() -> None:
    """More ink above 0, less below."""
    ink = [change("Stroke").made(digits(), amount).astype(float).sum() for amount in (-1, 0, 1)]
    assert ink[0] < 0.85 * ink[1] < 0.85**2 * ink[2]


def test_curves_are_accuracies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the sample, evenly spread over the digits; unchanged ones are read as ever, and upside down hardly."""
    monkeypatch.setattr(module, "N_SAMPLE", 50)
    turns = Distortion("Rotation", "°", (0, 180), change("Rotation").made)
    monkeypatch.setattr(module, "CHANGES", (turns,))
    test = mnist().test[:100]
    weights = load_weights(SHIPPED)
    work = robustness(weights, test, 2)
    first = next(work)
    assert first.total == 2 * 50
    made = run_to_end(work)
    assert made.n == 50
    (curve,) = made.curves
    every_other = type(test)(test.images[::2], test.labels[::2])
    assert curve.accuracy[0] == evaluate(weights.network(), every_other).accuracy
    assert curve.accuracy[1] < 0.7
    assert robustness_table(made).splitlines()[1] == f"Rotation,0,°,{curve.accuracy[0]:.6f}"


def test_a_sample_is_even() -> None:
    """From the first on, at most as many as there are."""
    assert evenly_spaced(10, 5).tolist() == [0, 2, 4, 6, 8]
    assert evenly_spaced(3, 5).tolist() == [0, 1, 2]
