import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.evaluation import robustness as module
from digitpad.evaluation.csv_tables import robustness_table
from digitpad.evaluation.metrics import evaluate, run_to_end
from digitpad.evaluation.robustness import DISTORTIONS, Distortion, evenly_spaced, robustness
from digitpad.weights.native_format import SHIPPED, load_weights


def digits() -> np.ndarray:
    return mnist().test.images[:40]


def change(name: str) -> Distortion:
    return next(distortion for distortion in DISTORTIONS if distortion.name == name)


@pytest.mark.parametrize("distortion", DISTORTIONS, ids=lambda distortion: distortion.name)
def test_neutral_amount_changes_nothing(distortion: Distortion) -> None:
    """Every distortion includes an amount that leaves all pixels unchanged."""
    neutral = 1 if distortion.unit == "×" else 0
    assert neutral in distortion.amounts
    np.testing.assert_array_equal(distortion.apply(digits(), neutral), digits())


@pytest.mark.parametrize("distortion", DISTORTIONS, ids=lambda distortion: distortion.name)
def test_distortions_are_reproducible(distortion: Distortion) -> None:
    """A distortion gives the same images each time, and does not modify the dataset."""
    before = digits().copy()
    first, second = (distortion.apply(digits(), distortion.amounts[-1]).copy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != before).any()
    np.testing.assert_array_equal(digits(), before)


def centres_of_mass(images: np.ndarray) -> np.ndarray:
    """Return the centre of mass (y, x) of each image."""
    places = np.indices((28, 28)).reshape(2, -1)
    flat = images.reshape(len(images), -1).astype(float)
    return flat @ places.T / flat.sum(axis=1, keepdims=True)


def test_digits_are_rotated_clockwise() -> None:
    """A rotation by 90° equals NumPy's clockwise rotation."""
    turned = change("Rotation").apply(digits(), 90)
    np.testing.assert_allclose(turned, np.rot90(digits(), -1, axes=(1, 2)), atol=1)


def test_digits_are_shifted_to_four_sides() -> None:
    """One quarter of the digits is shifted by the distance in each direction."""
    moves = centres_of_mass(change("Shift").apply(digits(), 3)) - centres_of_mass(digits())
    np.testing.assert_allclose(moves[0], (0, -3), atol=0.1)
    np.testing.assert_allclose(moves[1], (-3, 0), atol=0.1)
    np.testing.assert_allclose(moves[2], (0, 3), atol=0.1)
    np.testing.assert_allclose(moves[3], (3, 0), atol=0.1)


def test_digits_are_resized() -> None:
    """The amount of ink is proportional to the square of the scale."""
    ink = digits().astype(float).sum(axis=(1, 2))
    halved = change("Scale").apply(digits(), 0.5).astype(float).sum(axis=(1, 2))
    assert np.mean(halved / ink) == pytest.approx(0.25, abs=0.02)


def test_strokes_are_wider_and_narrower() -> None:
    """Amounts above 0 add ink, and amounts below 0 remove it."""
    ink = [change("Stroke").apply(digits(), amount).astype(float).sum() for amount in (-1, 0, 1)]
    assert ink[0] < 0.85 * ink[1] < 0.85**2 * ink[2]


def test_curves_are_accuracies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves contain the accuracy on the sample: unchanged at 0°, and low for upside-down digits."""
    monkeypatch.setattr(module, "N_SAMPLE", 50)
    turns = Distortion("Rotation", "°", (0, 180), change("Rotation").apply)
    monkeypatch.setattr(module, "DISTORTIONS", (turns,))
    test = mnist().test[:100]
    weights = load_weights(SHIPPED)
    work = robustness(weights, test, 2)
    first = next(work)
    assert first.total == 2 * 50
    result = run_to_end(work)
    assert result.n == 50
    (curve,) = result.curves
    every_other = type(test)(test.images[::2], test.labels[::2])
    assert curve.accuracy[0] == evaluate(weights.network(), every_other).accuracy
    assert curve.accuracy[1] < 0.7
    assert robustness_table(result).splitlines()[1] == f"Rotation,0,°,{curve.accuracy[0]:.6f}"


def test_sample_is_evenly_spaced() -> None:
    """Sample indices are evenly spaced from 0, with at most as many as there are digits."""
    assert evenly_spaced(10, 5).tolist() == [0, 2, 4, 6, 8]
    assert evenly_spaced(3, 5).tolist() == [0, 1, 2]
