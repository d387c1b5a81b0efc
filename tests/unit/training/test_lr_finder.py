import numpy as np
import pytest

from digitpad.training.lr_finder import HIGHEST, LOWEST, RangeTestResult, range_test
from digitpad.training.trainer import Trainer
from tests.unit.training.small import small_dataset, small_recipe, steps


def test_rates_rise_by_the_same_factor() -> None:
    """Rates rise geometrically from `LOWEST`, one per step; the first loss is that of the untrained network."""
    recipe = small_recipe(optimizer__method="sgd")
    *_, last = range_test(recipe, small_dataset(), 100)
    np.testing.assert_allclose(np.diff(np.log(last.rates)), np.log(HIGHEST / LOWEST) / 99)
    assert last.rates[0] == LOWEST
    assert last.losses[0] == pytest.approx(steps(Trainer(recipe, small_dataset()).train())[0].loss)


def test_suggested_rate_lowers_the_loss() -> None:
    """Training at the suggested rate soon gives a low loss, and a lower one than at a thirtieth of the rate."""
    dataset = small_dataset()
    *_, last = range_test(small_recipe(optimizer__method="momentum"), dataset)
    rate = last.suggestion
    assert rate is not None

    def loss_at(rate: float) -> float:
        recipe = small_recipe(optimizer__method="momentum", optimizer__learning_rate=rate, training__epochs=2)
        trainer = Trainer(recipe, dataset)
        list(trainer.train())
        return trainer.history[-1].validation.loss

    assert loss_at(rate) < loss_at(rate / 30)
    assert loss_at(rate) < 1.0


def test_range_test_ends_when_the_loss_diverges() -> None:
    """The test ends early when the loss diverges, and yields the steps so far."""
    results = list(range_test(small_recipe(optimizer__method="sgd", network__hidden=[64] * 3), small_dataset(), 200))
    assert len(results) < 200
    assert [len(progress.rates) for progress in results] == list(range(1, len(results) + 1))
    assert results[-1].n_planned == 200


def test_no_suggestion_if_the_loss_did_not_fall() -> None:
    """There is no suggestion if the loss did not fall or there are too few steps."""
    assert RangeTestResult(np.geomspace(1e-6, 1, 50), np.full(50, 2.3), 50).suggestion is None
    assert RangeTestResult(np.array([1e-6]), np.array([2.3]), 50).suggestion is None


def test_suggestion_is_at_the_steepest_fall() -> None:
    """For a loss that falls as a logistic curve centred at 0.01, the suggestion is 0.01."""
    rates = np.geomspace(1e-6, 1, 121)
    losses = 2.3 - 2 / (1 + np.exp(-3 * np.log(rates / 0.01)))
    assert RangeTestResult(rates, losses, 121).suggestion == pytest.approx(0.01, rel=0.15)
