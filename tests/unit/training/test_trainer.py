import dataclasses
import itertools
import math
import threading
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import numpy as np
import pytest

from digitpad.datasets.dataset import Dataset, Digits, mnist
from digitpad.evaluation.metrics import EvaluationProgress, Scores, evaluate
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import NONE
from digitpad.nn.optimizers import SGD
from digitpad.training.events import EpochDone, Progress, Result, StepDone
from digitpad.training.recipe import OPTIMIZERS, Recipe
from digitpad.training.trainer import DivergedError, Trainer
from tests.unit.training.small import epochs, result, small_dataset, small_recipe, steps

SCORES = Scores(0.5, 1.0, 500)

TOO_FAST: dict[str, Any] = {
    "optimizer__method": "sgd",
    "optimizer__learning_rate": 10.0,
    "network__hidden": [64] * 6,
}


def test_records_come_in_order() -> None:
    """Records are the untrained scores, then steps and scores of each epoch, then the result."""
    trainer = Trainer(small_recipe(), small_dataset(1990))
    records = list(trainer.run())
    kinds = [type(record) for record in records if not isinstance(record, EvaluationProgress)]
    assert kinds == [EpochDone, *([StepDone] * 40 + [EpochDone]) * 3, Result]
    assert trainer.n_steps == 120
    assert [record.step for record in steps(records)] == list(range(1, 121))
    assert [record.n_images for record in steps(records)] == ([50] * 39 + [40]) * 3
    assert [(record.epoch, record.step) for record in epochs(records)] == [(0, 0), (1, 40), (2, 80), (3, 120)]
    assert trainer.history == epochs(records)


def test_progress_is_yielded_between_chunks() -> None:
    """Scoring 500 digits twice yields a progress record per chunk before the epoch's scores."""
    records = list(Trainer(small_recipe(training__epochs=1), small_dataset()).run())
    first = list(itertools.takewhile(lambda record: isinstance(record, EvaluationProgress), records))
    assert first == [EvaluationProgress(done, 500) for done in (200, 400, 500)] * 2


def test_training_raises_the_accuracy() -> None:
    """Three epochs on 2,000 digits give more than 80 % accuracy on other digits, and a lower loss."""
    records = list(Trainer(small_recipe(), small_dataset()).run())
    assert result(records).test.accuracy > 0.8
    assert result(records).validation.accuracy > 0.8
    losses = [record.loss for record in steps(records)]
    assert np.mean(losses[-10:]) < 0.4 * np.mean(losses[:10])
    assert epochs(records)[0].validation.accuracy < 0.3


@pytest.mark.parametrize("method", OPTIMIZERS)
def test_every_optimizer_learns(method: str) -> None:
    """Each optimizer lowers the loss at a suitable learning rate."""
    rate = {"sgd": 0.2, "momentum": 0.05, "nesterov": 0.05}.get(method, 0.003)
    recipe = small_recipe(optimizer__method=method, optimizer__learning_rate=rate, optimizer__schedule="cosine")
    before, *_, after = epochs(Trainer(recipe, small_dataset()).run())
    assert after.validation.loss < 0.4 * before.validation.loss


def test_schedule_spans_the_whole_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The learning-rate schedule spans all steps of all epochs."""
    rates = []

    def record_rate(self: SGD, parameters: Floats, gradients: Floats, learning_rate: float) -> None:
        rates.append(learning_rate)

    monkeypatch.setattr(SGD, "step", record_rate)
    recipe = small_recipe(optimizer__method="sgd", optimizer__learning_rate=0.1, optimizer__schedule="cosine")
    list(Trainer(recipe, small_dataset()).run())
    np.testing.assert_allclose(rates, 0.05 * (1 + np.cos(np.pi * np.arange(120) / 120)))


@pytest.mark.parametrize("amount", [0.0, 10.0], ids=["plain", "augmented"])
def test_the_same_seed_gives_the_same_parameters(amount: float) -> None:
    """The same seed gives bit-identical losses and parameters, with and without augmentation."""
    recipe = small_recipe(training__epochs=2, augmentation__rotate_deg=amount)
    first, second = Trainer(recipe, small_dataset()), Trainer(recipe, small_dataset())
    losses = [[record.loss for record in steps(trainer.run())] for trainer in (first, second)]
    assert losses[0] == losses[1]
    assert first.network.parameters.tobytes() == second.network.parameters.tobytes()


def test_another_seed_gives_other_parameters() -> None:
    """Another seed gives other initial weights and other losses."""
    first, second = (Trainer(small_recipe(training__seed=seed), small_dataset()) for seed in (1, 2))
    assert not np.array_equal(first.network.parameters, second.network.parameters)
    assert [record.loss for record in steps(first.run())] != [record.loss for record in steps(second.run())]


def test_best_epoch_is_restored() -> None:
    """The result has the parameters and scores of the best epoch."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    records: list[Progress] = []
    for record in trainer.run():
        records.append(record)
        if isinstance(record, EpochDone) and record.epoch == 2:
            best = trainer.network.parameters.copy()
            trainer.network.parameters.fill(0)  # so that the third epoch is not the best
    outcome = result(records)
    assert [epoch.is_best for epoch in epochs(records)] == [True, True, True, False]
    assert (outcome.best_epoch, outcome.epochs) == (2, 3)
    np.testing.assert_array_equal(trainer.network.parameters, best)
    np.testing.assert_array_equal(trainer.best_parameters, best)
    assert outcome.validation == epochs(records)[2].validation == evaluate(trainer.network, dataset.validation)
    assert outcome.test == evaluate(trainer.network, dataset.test)


def test_best_epoch_is_marked_when_it_is_scored() -> None:
    """An epoch is the best if its accuracy is the highest so far, or equal with a lower loss."""
    records = epochs(Trainer(small_recipe(training__epochs=6), small_dataset()).run())
    goodness = [(epoch.validation.accuracy, -epoch.validation.loss) for epoch in records]
    assert [epoch.is_best for epoch in records] == [
        good > max(goodness[:place], default=(-1.0, 0.0)) for place, good in enumerate(goodness)
    ]


def test_best_parameters_are_a_copy() -> None:
    """Changing the returned parameters does not change the trainer."""
    trainer = Trainer(small_recipe(), small_dataset())
    list(trainer.run())
    trainer.best_parameters.fill(0)
    assert trainer.best_parameters.any()


@pytest.mark.parametrize("stop_after", [0, 1, 40, 55], ids=lambda step: f"step {step}")
def test_abandoned_training_can_be_concluded(stop_after: int) -> None:
    """Training stopped at any step can be concluded, and its best parameters are scored."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    run = trainer.run()
    while trainer.step < stop_after:
        next(run)
    cast("Any", run).close()
    outcome = result(trainer.conclude())
    assert outcome.epochs == trainer.history[-1].epoch == math.ceil(stop_after / 40)
    assert trainer.history[-1].step == trainer.step == stop_after
    assert outcome.validation == max(
        (epoch.validation for epoch in trainer.history), key=lambda scores: scores.accuracy
    )
    assert outcome.validation == evaluate(trainer.network, dataset.validation)
    assert outcome.test == evaluate(trainer.network, dataset.test)


class Forbidden:
    """Digits that raise an error on any access."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise AssertionError(f"{name} of the test set was asked for")

    def __len__(self) -> NoReturn:
        raise AssertionError("the test set was counted")

    def __getitem__(self, part: object) -> NoReturn:
        raise AssertionError("the test set was read")


def test_test_set_is_not_used_until_the_end() -> None:
    """The test set is not used before the last epoch is scored."""
    trainer = Trainer(small_recipe(), small_dataset(test=cast(Digits, Forbidden())))
    run = trainer.run()
    seen = list(itertools.takewhile(lambda record: getattr(record, "epoch", None) != 3, run))
    assert len(epochs(seen)) == 3
    with pytest.raises(AssertionError, match=r"of the test set|the test set was"):
        next(run)


def test_training_scores_use_as_many_digits_as_validation() -> None:
    """Training scores use as many digits as validation scores."""
    dataset = small_dataset()
    (first, *_) = epochs(Trainer(small_recipe(training__epochs=1), dataset).run())
    assert first.training.n == first.validation.n == 500


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_divergence_is_reported() -> None:
    """Divergence raises an error with step and rate, and restores the best epoch's parameters."""
    trainer = Trainer(small_recipe(**TOO_FAST), small_dataset())
    with pytest.raises(
        DivergedError, match=r"the loss is (nan|inf) at step \d+ with a learning rate of 10; try a lower"
    ):
        list(trainer.run())
    assert np.isfinite(trainer.network.parameters).all()
    np.testing.assert_array_equal(trainer.network.parameters, trainer.best_parameters)


def test_divergence_gives_no_warnings() -> None:
    """Divergence raises an error without NumPy overflow warnings."""
    with pytest.raises(DivergedError):
        list(Trainer(small_recipe(**TOO_FAST), small_dataset()).run())


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_nan_parameters_are_never_the_best() -> None:
    """NaN parameters are never the best, even if they read most digits correctly."""
    whole = small_dataset()
    zeros = Digits(mnist().validation.images[:500], np.zeros(500, np.uint8))
    trainer = Trainer(small_recipe(), Dataset("zeros", whole.training, zeros, whole.test, ""))
    run = trainer.run()
    while trainer.step < 5:
        next(run)
    trainer.network.parameters.fill(np.nan)
    outcome = result(trainer.conclude())
    assert outcome.best_epoch == 0
    assert np.isfinite(trainer.network.parameters).all()


def test_image_can_be_read_between_two_records() -> None:
    """`read` returns the probabilities of the network with its current parameters."""
    trainer = Trainer(small_recipe(), small_dataset())
    image = mnist().validation.images[0]
    probabilities = trainer.read(image)
    np.testing.assert_array_equal(probabilities, trainer.network.predict(image[None])[0])
    assert probabilities.sum() == pytest.approx(1, abs=1e-6)
    list(trainer.run())
    assert not np.array_equal(trainer.read(image), probabilities)


def test_digits_are_not_changed() -> None:
    """Training does not modify the dataset."""
    dataset = small_dataset()
    before = dataset.training.images.copy()
    list(Trainer(small_recipe(training__epochs=1, augmentation__shift_px=2), dataset).run())
    np.testing.assert_array_equal(dataset.training.images, before)


CONVOLUTIONAL = {"network__hidden": ["5x5x4", "pool", 16], "training__epochs": 1}


@pytest.mark.parametrize("threads", [1, 2])
def test_training_is_bit_identical_for_the_same_threads(threads: int) -> None:
    """Training a convolutional network with the same number of threads is bit-identical."""
    recipe = small_recipe(**CONVOLUTIONAL, network__batch_norm=True, network__dropout=0.2)
    trainers = [Trainer(recipe, small_dataset(), threads) for _ in range(2)]
    scores = [epochs(trainer.run()) for trainer in trainers]
    assert scores[0] == scores[1]
    assert trainers[0].network.parameters.tobytes() == trainers[1].network.parameters.tobytes()


def test_threads_end_with_the_training() -> None:
    """Threads end when training is stopped within an epoch and concluded."""
    before = threading.active_count()
    trainer = Trainer(small_recipe(**CONVOLUTIONAL), small_dataset(), threads=2)
    run = trainer.run()
    next(record for record in run if isinstance(record, StepDone))
    assert threading.active_count() == before + 1
    outcome = result(trainer.conclude())
    assert threading.active_count() == before
    assert outcome.test == evaluate(trainer.network, small_dataset().test)


def test_no_thread_is_started_for_a_dense_network() -> None:
    """A dense network uses BLAS threads only."""
    before = threading.active_count()
    run = Trainer(small_recipe(), small_dataset(), threads=4).run()
    next(record for record in run if isinstance(record, StepDone))
    assert threading.active_count() == before


def test_training_stops_when_patience_ends() -> None:
    """Training stops after ``patience`` epochs without an improvement, and restores the best epoch."""
    # The rate is so small that no epoch improves.
    trainer = Trainer(
        small_recipe(training__epochs=50, training__patience=2, optimizer__learning_rate=1e-30), small_dataset()
    )
    outcome = result(trainer.run())
    assert (outcome.best_epoch, outcome.epochs) == (0, 2)


def test_improvement_resets_the_patience() -> None:
    """Each improvement resets the patience."""
    outcome = result(Trainer(small_recipe(training__epochs=5, training__patience=2), small_dataset()).run())
    assert outcome.epochs == 5 or outcome.epochs == outcome.best_epoch + 2
    assert outcome.epochs > 2


def test_averaged_weights_are_scored_and_kept() -> None:
    """Averaging changes the scores and the kept weights, but not the losses of training steps."""
    plain = Trainer(small_recipe(), small_dataset())
    averaged = Trainer(small_recipe(training__average=0.95), small_dataset())
    records = [list(trainer.run()) for trainer in (plain, averaged)]
    assert [record.loss for record in steps(records[0])] == [record.loss for record in steps(records[1])]
    assert epochs(records[0])[1:] != epochs(records[1])[1:]
    outcome = result(records[1])
    assert outcome.validation == evaluate(averaged.network, small_dataset().validation)
    assert outcome.validation.accuracy > 0.7


@pytest.mark.parametrize("stop_at", [StepDone, EvaluationProgress])
def test_abandoned_training_with_averages_keeps_them(stop_at: type) -> None:
    """Training with averages can be stopped anywhere, even during scoring, and keeps the averaged weights."""
    trainer = Trainer(small_recipe(training__average=0.95), small_dataset())
    run = trainer.run()
    next(record for record in run if isinstance(record, EpochDone) and record.epoch == 1)
    while not (isinstance(next(run), stop_at) and trainer.step > 70):
        pass
    outcome = result(trainer.conclude())
    assert outcome.validation == evaluate(trainer.network, small_dataset().validation)


@pytest.mark.parametrize(
    "settings",
    [
        {"loss__label_smoothing": 0.1},
        {"loss__l1": 1e-4},
        {"loss__l2": 1e-3},
        {"optimizer__clip_norm": 0.5},
        {"optimizer__clip_value": 0.01},
        {"optimizer__warmup_epochs": 1},
        {"optimizer__schedule": "one_cycle", "optimizer__learning_rate": 0.01},
        {"network__batch_norm": True},
        {"optimizer__method": "adamw", "optimizer__weight_decay": 0.1},
        {"augmentation__elastic_px": 0.5, "augmentation__thickness_px": 0.5},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_every_setting_changes_training(settings: dict[str, Any]) -> None:
    """Each setting changes the result, and the network still learns."""
    plain = epochs(Trainer(small_recipe(), small_dataset()).run())
    changed = epochs(Trainer(small_recipe(**settings), small_dataset()).run())
    assert changed[-1] != plain[-1]
    assert changed[-1].validation.accuracy > 0.75


def test_penalties_keep_weights_small() -> None:
    """An L2 penalty shrinks the weights, and an L1 penalty moves more of them close to 0."""
    lengths, shares_near_0 = {}, {}
    for name, settings in {"plain": {}, "l2": {"loss__l2": 0.03}, "l1": {"loss__l1": 0.003}}.items():
        trainer = Trainer(small_recipe(**settings), small_dataset())
        list(trainer.run())
        weight = trainer.network.named_parameters()["2.weight"]
        lengths[name], shares_near_0[name] = np.linalg.norm(weight), (np.abs(weight) < 0.003).mean()
    assert lengths["l2"] < 0.8 * lengths["plain"]
    assert shares_near_0["l1"] > 3 * shares_near_0["plain"]


def test_concluding_without_training_leaves_no_thread() -> None:
    """Concluding without training scores the initial parameters, and leaves no thread."""
    before = threading.active_count()
    trainer = Trainer(small_recipe(**CONVOLUTIONAL), small_dataset(), threads=2)
    assert result(trainer.conclude()).best_epoch == 0
    assert threading.active_count() == before


def test_numpy_error_settings_are_not_changed() -> None:
    """NumPy's error settings are unchanged between two records."""
    before = np.geterr()
    for _ in Trainer(small_recipe(training__epochs=1), small_dataset()).run():
        assert np.geterr() == before


def normalized_recipe(**settings: Any) -> Recipe:
    return small_recipe(network__hidden=["3x3x4", "pool", 16], network__batch_norm=True, **settings)


def test_normalisation_averages_fit_clean_digits() -> None:
    """The kept normalisation averages fit clean digits, not the augmented digits of training."""
    dataset = small_dataset()
    recipe = normalized_recipe(augmentation__noise=0.5, augmentation__rotate_deg=90.0, training__epochs=2)
    trainer = Trainer(recipe, dataset)
    list(trainer.train())
    training = trainer.network.parameters.copy()
    trainer.network.parameters[:] = trainer.best_parameters
    clean = {name: view.copy() for name, view in trainer.network.named_parameters().items()}
    list(trainer.network.estimate_averages([dataset.training.images]))
    for name, view in trainer.network.named_parameters().items():
        np.testing.assert_allclose(clean[name], view, rtol=0.05, atol=0.02, err_msg=name)
    trainer.network.parameters[:] = training
    variance = next(name for name in clean if name.endswith("variance"))
    noisy = trainer.network.named_parameters()[variance]
    assert not np.allclose(noisy, clean[variance], rtol=0.2)


def test_scoring_does_not_change_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scoring does not change training: the parameters equal those of training without scoring."""
    recipe = normalized_recipe(training__average=0.9, network__dropout=0.3, training__epochs=2)
    first, second = Trainer(recipe, small_dataset()), Trainer(recipe, small_dataset())

    def unscored(self: Trainer, epoch: int) -> Iterator[Progress]:
        self.history.append(EpochDone(epoch, self.step, SCORES, SCORES, is_best=False))
        yield self.history[-1]

    list(first.train())
    monkeypatch.setattr(Trainer, "_score_epoch", unscored)
    list(second.train())
    assert first.network.parameters.tobytes() == second.network.parameters.tobytes()


def test_non_digits_do_not_affect_the_averages() -> None:
    """Non-digits do not affect the normalisation averages."""
    dataset = small_dataset()
    n = len(dataset.training)
    noise = np.random.default_rng(1).integers(0, 256, (n, 28, 28), np.uint8)
    mixed = dataclasses.replace(
        dataset,
        training=Digits(
            np.concatenate([dataset.training.images, noise]),
            np.concatenate([dataset.training.labels, np.full(n, NONE, np.uint8)]),
        ),
    )
    averages = []
    for data in (dataset, mixed):
        trainer = Trainer(normalized_recipe(), data)
        trainer.step = 1
        list(trainer._estimate_averages())
        averages.append(trainer.network.parameters.copy())
    np.testing.assert_array_equal(averages[0], averages[1])
