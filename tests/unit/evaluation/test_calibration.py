import numpy as np
import pytest

from digitpad.evaluation.calibration import confidence_threshold, fit_temperature, reliability
from digitpad.evaluation.metrics import evaluate
from digitpad.nn.losses import softmax
from digitpad.training.trainer import Trainer
from tests.unit.training.small import result, small_dataset, small_recipe


def drawn_labels(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a label for each row from its softmax probabilities."""
    return (softmax(logits).cumsum(axis=1) > rng.random((len(logits), 1))).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_is_recovered(temperature: float) -> None:
    """The temperature by which logits were multiplied is recovered."""
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (20_000, 10))
    labels = drawn_labels(logits, rng)
    assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.03)


def test_temperature_stays_finite_if_all_is_correct() -> None:
    """If all predictions are correct, the temperature stays within its bounds."""
    assert 0.04 < fit_temperature(np.eye(10), np.arange(10)) < 0.06


def test_reliability_by_hand() -> None:
    """With half of the predictions correct at confidences of 0.9 and 0.6, the calibration gaps are 0.4 and 0.1."""
    curve = reliability(np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, False, True, False]), n_bins=10)
    assert curve.error == pytest.approx((2 * 0.4 + 2 * 0.1) / 4)
    np.testing.assert_array_equal(np.flatnonzero(curve.n), [6, 9])
    np.testing.assert_allclose(curve.confidence[[6, 9]], [0.6, 0.9])
    np.testing.assert_allclose(curve.accuracy[[6, 9]], [0.5, 0.5])
    assert np.isnan(curve.accuracy[0])


def test_calibrated_probabilities_have_no_calibration_error() -> None:
    """The calibration error is about 0 if each confidence equals the share of correct predictions, including 1."""
    rng = np.random.default_rng(2)
    confidences = rng.uniform(0.1, 1, 100_000)
    assert reliability(confidences, rng.random(100_000) < confidences).error < 0.01
    assert reliability(np.ones(4), np.ones(4)).error == 0


def test_confidence_threshold_rejects_few_digits() -> None:
    """The confidence threshold rejects 8 in 1,000 digits."""
    confidences = np.linspace(0, 1, 1001)
    assert (confidences < confidence_threshold(confidences)).mean() == pytest.approx(0.008, abs=2e-3)


def test_training_may_end_with_calibration() -> None:
    """Calibration after training keeps the predictions, lowers the validation loss and sets a confidence threshold."""
    plain, calibrated = (
        Trainer(small_recipe(training__calibrate=calibrate), small_dataset()) for calibrate in (False, True)
    )
    before, after = (result(trainer.run()) for trainer in (plain, calibrated))
    assert before.confidence_threshold is None
    assert after.confidence_threshold is not None
    assert 0.1 < after.confidence_threshold < 0.9
    assert after.validation.accuracy == before.validation.accuracy
    assert after.validation.loss < before.validation.loss
    assert after.validation == evaluate(calibrated.network, small_dataset().validation)
    np.testing.assert_array_equal(calibrated.best_parameters, calibrated.network.parameters)


def test_temperature_is_fitted_to_the_pen_digits_at_the_end_of_the_validation_set() -> None:
    """With pen digits in the recipe, calibration divides the logits by the temperature of these digits alone."""
    validation = small_dataset().validation
    n_pen = len(validation) // 2
    recipe = small_recipe(data__pen_digits=10 * n_pen, training__calibrate=True)
    plain, calibrated = (Trainer(recipe, small_dataset()) for _ in range(2))
    for _ in plain.train():
        pass
    result(calibrated.run())
    plain.network.parameters[:] = plain.best_parameters
    logits = plain.network.forward(validation.images).copy()
    temperature = fit_temperature(logits[-n_pen:], validation.labels[-n_pen:])
    assert temperature != pytest.approx(fit_temperature(logits, validation.labels), rel=1e-3)
    np.testing.assert_allclose(
        calibrated.network.forward(validation.images), logits / temperature, rtol=1e-3, atol=1e-4
    )
