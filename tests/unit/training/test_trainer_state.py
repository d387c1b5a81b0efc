"""Tests of restoring a trainer from its state, and of changing settings during training."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest

from digitpad.datasets.dataset import Dataset
from digitpad.errors import RecipeError
from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.training.events import EpochDone, Progress, SettingChange, StepDone
from digitpad.training.trainer import Trainer, TrainerState
from tests.unit.training.small import epochs, small_dataset, small_recipe, steps

ALL_STATE: dict[str, Any] = {
    "network__hidden": ["3x3x4", "pool", 16],
    "network__batch_norm": True,
    "network__dropout": 0.3,
    "optimizer__method": "adam",
    "training__average": 0.9,
    "augmentation__rotate_deg": 10.0,
    "augmentation__noise": 0.1,
}


def restored(trainer: Trainer, dataset: Dataset) -> Trainer:
    """Return a trainer restored from a copy of this trainer's state."""
    state = trainer.state()
    return Trainer.restored(
        TrainerState(state.values, {name: array.copy() for name, array in state.arrays.items()}), dataset
    )


def up_to(records: Iterator[Progress], step: int) -> None:
    """Consume records up to and including that step."""
    for record in records:
        if isinstance(record, StepDone) and record.step == step:
            return


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("step", [1, 17, 40, 41])
def test_restored_trainer_continues_bit_identically(step: int, threads: int) -> None:
    """A restored trainer continues with bit-identical losses, scores and parameters, within and after an epoch."""
    dataset = small_dataset()
    recipe = small_recipe(training__epochs=2, **ALL_STATE)
    whole = Trainer(recipe, dataset, threads)
    records = list(whole.train())
    first = Trainer(recipe, dataset, threads)
    first_records = first.train()
    up_to(first_records, step)
    second = restored(first, dataset)
    first._parallel.close()
    rest = list(second.train())
    assert [record.loss for record in steps(rest)] == [record.loss for record in steps(records)[step:]]
    assert second.history == epochs(records)
    assert second.network.parameters.tobytes() == whole.network.parameters.tobytes()
    assert second.best_parameters.tobytes() == whole.best_parameters.tobytes()


def test_state_saved_during_scoring_has_the_training_parameters() -> None:
    """A state saved during scoring has the parameters in training, and resumes without repeating the pass."""
    dataset = small_dataset()
    recipe = small_recipe(training__epochs=2, **ALL_STATE)
    whole, first = Trainer(recipe, dataset), Trainer(recipe, dataset)
    records = list(whole.train())
    first_records = first.train()
    up_to(first_records, 40)
    scoring = list(islice(first_records, 3))
    assert {type(record) for record in scoring} == {EvaluationProgress}
    second = restored(first, dataset)
    rest = list(second.train())
    assert [record.loss for record in steps(rest)] == [record.loss for record in steps(records)[40:]]
    assert second.network.parameters.tobytes() == whole.network.parameters.tobytes()
    assert second.history == whole.history


@pytest.mark.parametrize("method", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_optimizer_state_is_restored(method: str) -> None:
    """Each optimizer continues with identical results after a restore at the end of an epoch."""
    dataset = small_dataset()
    recipe = small_recipe(optimizer__method=method, training__epochs=2)
    whole, first = Trainer(recipe, dataset), Trainer(recipe, dataset)
    list(whole.train())
    next(record for record in first.train() if isinstance(record, EpochDone) and record.epoch == 1)
    second = restored(first, dataset)
    list(second.train())
    assert second.network.parameters.tobytes() == whole.network.parameters.tobytes()


def test_finished_training_can_be_continued() -> None:
    """A finished run continues after the number of epochs is raised."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    list(trainer.train())
    more = restored(trainer, dataset)
    assert list(more.train()) == []
    more = restored(trainer, dataset)
    more.change({"training.epochs": 5})
    assert [record.step for record in steps(more.train())] == list(range(121, 201))
    assert [epoch.epoch for epoch in more.history] == [0, 1, 2, 3, 4, 5]


def test_state_of_different_data_is_refused() -> None:
    """A state with a batch order of another length raises `ValueError`."""
    trainer = Trainer(small_recipe(), small_dataset())
    up_to(trainer.train(), 3)
    with pytest.raises(ValueError, match="order has 2000 digits; the dataset has 1000"):
        restored(trainer, small_dataset(1000))


def test_learning_rate_changes_from_the_next_step_on() -> None:
    """A new learning rate applies from the next step on, and the change is recorded."""
    dataset = small_dataset()
    plain, changed = (Trainer(small_recipe(optimizer__method="sgd"), dataset) for _ in range(2))
    plain_records, records = plain.train(), changed.train()
    up_to(plain_records, 10)
    up_to(records, 10)
    assert changed.change({"optimizer.learning_rate": 1e-9}) == SettingChange(10, {"optimizer.learning_rate": 1e-9})
    before = changed.network.parameters.copy()
    assert before.tobytes() == plain.network.parameters.tobytes()
    up_to(records, 11)
    np.testing.assert_allclose(changed.network.parameters, before, atol=1e-7)
    assert changed.learning_rate == 1e-9
    assert changed.changes == [SettingChange(10, {"optimizer.learning_rate": 1e-9})]


def test_momentum_keeps_its_velocity() -> None:
    """Changing the momentum keeps the optimizer's velocity."""
    trainer = Trainer(small_recipe(optimizer__method="momentum"), small_dataset())
    records = trainer.train()
    up_to(records, 5)
    velocity = trainer._optimizer.state["velocity"]
    trainer.change({"optimizer.momentum": 0.5})
    assert trainer._optimizer.state["velocity"] is velocity
    assert getattr(trainer._optimizer, "momentum", None) == 0.5


def test_augmentation_can_change() -> None:
    """Augmentation turned on during training changes the next batch."""
    dataset = small_dataset()
    plain, changed = (Trainer(small_recipe(), dataset) for _ in range(2))
    losses = []
    for trainer, settings in ((plain, {}), (changed, {"augmentation.rotate_deg": 90.0})):
        records = trainer.train()
        up_to(records, 1)
        trainer.change(settings)
        losses.append(next(record.loss for record in islice(records, 1) if isinstance(record, StepDone)))
    assert losses[0] != losses[1]


def test_dropout_changes_in_every_thread() -> None:
    """A new dropout rate applies to the layers of every thread."""
    trainer = Trainer(small_recipe(**ALL_STATE), small_dataset(), threads=2)
    trainer.change({"network.dropout": 0.05})
    rates = {layer.settings()["rate"] for net in trainer._parallel._networks for layer in net.layers if
             type(layer).__name__ == "Dropout"}  # fmt: skip
    assert rates == {0.05}
    trainer._parallel.close()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("training.batch_size", 10, "cannot change"),
        ("network.hidden", [5], "cannot change"),
        ("network.dropout", 0.5, "no dropout layers"),
        ("optimizer.learning_rate", -1.0, "more than 0"),
        ("nothing.such", 1, "not a setting"),
    ],
)
def test_fixed_settings_are_reported(key: str, value: Any, message: str) -> None:
    """A setting that cannot change raises `RecipeError`, and nothing changes."""
    trainer = Trainer(small_recipe(), small_dataset())
    before = trainer.recipe
    with pytest.raises(RecipeError, match=message):
        trainer.change({key: value})
    assert trainer.recipe is before
    assert trainer.changes == []


def test_time_between_records_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time between two records is not counted as training time."""
    now = 0.0
    monkeypatch.setattr("digitpad.training.trainer.time.monotonic", lambda: now)
    trainer = Trainer(small_recipe(training__epochs=1), small_dataset())
    for _ in trainer.train():
        now += 100
    assert trainer.seconds == 0


def test_dropout_can_be_raised_again_from_zero() -> None:
    """A trainer restored with a dropout of 0 still has dropout layers."""
    dataset = small_dataset()
    recipe = small_recipe(network__dropout=0.3)
    whole, first = Trainer(recipe, dataset), Trainer(recipe, dataset)
    first_records, whole_records = first.train(), whole.train()
    for trainer, records in ((first, first_records), (whole, whole_records)):
        up_to(records, 5)
        trainer.change({"network.dropout": 0.0})
    second = restored(first, dataset)
    again = second.train()
    for trainer, records in ((second, again), (whole, whole_records)):
        up_to(records, 9)
        trainer.change({"network.dropout": 0.2})
        up_to(records, 12)
    assert second.network.parameters.tobytes() == whole.network.parameters.tobytes()
