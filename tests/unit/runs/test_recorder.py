import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from digitpad.datasets.dataset import Dataset
from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.runs import recorder as module
from digitpad.runs.recorder import Recorder
from digitpad.runs.run import Run, RunStatus
from digitpad.training.events import EpochDone, Progress, StepDone
from digitpad.training.recipe import Recipe
from digitpad.training.trainer import DivergedError, Trainer
from digitpad.weights.native_format import load_weights
from tests.unit.training.small import result, small_dataset, small_recipe, steps

CHECKPOINT_S = module.CHECKPOINT_S  # before `eager` changes it


@pytest.fixture
def dataset() -> Dataset:
    return small_dataset()


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save a checkpoint at every step."""
    monkeypatch.setattr(module, "CHECKPOINT_S", 0.0)


def new(dataset: Dataset, recipe: Recipe | None = None, problems: list[str] | None = None) -> Recorder:
    recipe = recipe or small_recipe()
    trainer = Trainer(recipe, dataset)
    tell = (lambda problem: None) if problems is None else problems.append
    return Recorder(trainer, Run.create(recipe, dataset, 1), dataset, tell)


def resumed(recorder: Recorder, dataset: Dataset) -> Recorder:
    """Resume the run as another process would."""
    assert recorder.run is not None
    run = Run.open(recorder.run.folder)
    run.lock()
    return Recorder(run.resume(dataset), run, dataset)


def take_up_to(records: Iterator[Progress], step: int) -> None:
    for record in records:
        if isinstance(record, StepDone) and record.step == step:
            return


def test_whole_training_is_recorded(dataset: Dataset) -> None:
    """The run has all losses, scores and weights, and recording does not change training."""
    with new(dataset) as recorder:
        records = [*recorder.train(), *recorder.conclude()]
    plain = Trainer(small_recipe(), dataset)
    expected = list(plain.run())
    run = recorder.run
    assert run is not None
    history, summary = run.history(), run.summary()
    assert history.losses == [record.loss for record in steps(expected)]
    assert history.epochs == plain.history
    assert history.seconds == sorted(history.seconds)
    assert summary.status is RunStatus.FINISHED
    assert summary.test_accuracy == result(expected).test.accuracy == result(records).test.accuracy
    assert (summary.epoch, summary.n_epochs, summary.step, summary.n_steps) == (3, 3, 120, 120)
    weights = load_weights(run.weights_path)
    assert weights.parameters.tobytes() == plain.best_parameters.tobytes()
    assert weights.test_accuracy == summary.test_accuracy
    assert not run.is_in_training


@pytest.mark.parametrize("step", [1, 39, 40, 77])
def test_interrupted_run_resumes_bit_identically(dataset: Dataset, step: int) -> None:
    """A run interrupted at any step resumes with bit-identical results, and its log has each step once."""
    first = new(dataset)
    take_up_to(first.train(), step)
    first._losses.clear()
    assert first.run is not None
    first.run.unlock()
    with resumed(first, dataset) as second:
        assert second.trainer.step == step
        outcome = result([*second.train(), *second.conclude()])
    plain = Trainer(small_recipe(), dataset)
    expected = list(plain.run())
    assert outcome.test == result(expected).test
    assert second.run is not None
    assert load_weights(second.run.weights_path).parameters.tobytes() == plain.best_parameters.tobytes()
    losses = np.array(second.run.history().losses)
    whole = np.array([record.loss for record in steps(expected)])
    known = np.isfinite(losses)
    assert known[: max(0, step - 1)].all()
    np.testing.assert_array_equal(losses[known], whole[known])


def test_run_paused_during_scoring_resumes_bit_identically(dataset: Dataset) -> None:
    """A run paused during scoring resumes without repeating the epoch's steps."""
    first = new(dataset)
    records = first.train()
    take_up_to(records, 40)
    assert isinstance(next(records), EvaluationProgress)
    first.pause()
    first.close()
    with resumed(first, dataset) as second:
        list(second.train())
    plain = Trainer(small_recipe(), dataset)
    list(plain.train())
    assert second.trainer.step == plain.step == 120
    assert second.trainer.history == plain.history
    assert second.trainer.network.parameters.tobytes() == plain.network.parameters.tobytes()


def test_paused_run_has_its_status(dataset: Dataset) -> None:
    """A paused run has the status PAUSED, and can resume in this or another process."""
    with new(dataset) as recorder:
        records = recorder.train()
        take_up_to(records, 5)
        recorder.pause()
        assert recorder.run is not None
        assert recorder.run.summary().status is RunStatus.PAUSED
        recorder.resume()
        assert recorder.run.summary().status is RunStatus.RUNNING
        recorder.pause()
    assert recorder.run.summary().status is RunStatus.PAUSED
    assert resumed(recorder, dataset).trainer.step == 5


def test_changes_are_on_disk_before_the_next_step(dataset: Dataset) -> None:
    """A run interrupted right after a change resumes with the new setting, which is in the log."""
    first = new(dataset)
    take_up_to(first.train(), 7)
    first.change({"optimizer.learning_rate": 0.004})
    assert first.run is not None
    first.run.unlock()
    with resumed(first, dataset) as second:
        assert second.trainer.learning_rate == 0.004
        assert second.trainer.changes == first.trainer.changes
        assert second.run is not None
        assert second.run.history().changes == first.trainer.changes
        assert second.run.recipe.optimizer.learning_rate != 0.004


def test_diverged_run_has_its_reason(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A diverged run has its reason in the summary, and resumes from a finite checkpoint at a lower rate."""
    monkeypatch.setattr(module, "CHECKPOINT_S", 1000.0)
    recipe = small_recipe(optimizer__method="sgd", optimizer__learning_rate=10.0, network__hidden=[64] * 6)
    with new(dataset, recipe) as recorder:
        with pytest.raises(DivergedError, match=r"step .* learning rate of 10"):
            list(recorder.train())
        assert recorder.run is not None
        summary = recorder.run.summary()
        assert summary.status is RunStatus.DIVERGED
        assert "try a lower learning rate" in summary.problem
    later = resumed(recorder, dataset)
    assert np.isfinite(later.trainer.network.parameters).all()
    later.change({"optimizer.learning_rate": 0.01})
    list(later.train())
    later.close()


@pytest.mark.parametrize("failing", ["write", "fsync", "replace", "log"])
def test_full_disk_does_not_stop_training(dataset: Dataset, failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each kind of write error, training continues, old files are intact, and later writes succeed."""
    problems: list[str] = []
    recorder = new(dataset, problems=problems)
    run = recorder.run
    assert run is not None
    records = recorder.train()
    take_up_to(records, 45)
    before = {path: path.read_bytes() for path in run.folder.glob("*.npz")}
    assert len(before) == 3

    def raise_full(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if failing == "write":
            patch.setattr(os, "fdopen", raise_full)
        elif failing == "fsync":
            patch.setattr(os, "fsync", raise_full)
        elif failing == "replace":
            patch.setattr(Path, "replace", raise_full)
        else:
            patch.setattr(os, "write", raise_full)
            patch.setattr(module, "LOG_S", 0.0)
        take_up_to(records, 85)
        if failing != "log":
            assert {path: path.read_bytes() for path in run.folder.glob("*.npz")} == before
            assert any("No space left" in problem for problem in problems)
            assert len(problems) <= 3
    take_up_to(records, 90)
    assert recorder.problem == ""
    rest = [*records, *recorder.conclude()]
    recorder.close()
    assert load_weights(run.weights_path).test_accuracy == result(rest).test.accuracy
    assert not list(run.folder.glob("*.part"))
    assert len(run.history().losses) == 120


def test_training_without_a_run_writes_no_files(dataset: Dataset, tmp_path: Path) -> None:
    """Training without a run writes no files."""
    recipe = small_recipe(training__epochs=1)
    with Recorder(Trainer(recipe, dataset), None, dataset) as recorder:
        records = [*recorder.train(), *recorder.conclude()]
    assert recorder.weights.test_accuracy == result(records).test.accuracy
    assert not (tmp_path / "digitpad-home").exists()


def test_stopped_run_can_be_resumed(dataset: Dataset) -> None:
    """A stopped run resumes from its last step, not from the restored best weights."""
    with new(dataset) as recorder:
        records = recorder.train()
        take_up_to(records, 50)
        parameters = recorder.trainer.network.parameters.copy()
        recorder.checkpoint()
        list(recorder.conclude(RunStatus.STOPPED))
        recorder.checkpoint()
        assert recorder.run is not None
        assert recorder.run.summary().status is RunStatus.STOPPED
    later = resumed(recorder, dataset)
    assert later.trainer.network.parameters.tobytes() == parameters.tobytes()
    assert [epoch.epoch for epoch in later.trainer.history] == [0, 1]
    list(later.train())
    assert isinstance(later.trainer.history[-1], EpochDone)
    assert later.trainer.step == 120
    later.close()


def test_discarded_run_without_steps_is_deleted(dataset: Dataset) -> None:
    """Discarding a run before its first step deletes its folder."""
    with new(dataset) as recorder:
        run = recorder.run
        recorder.discard()
    assert run is not None
    assert not run.folder.exists()


def test_log_is_flushed_with_each_checkpoint(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each checkpoint the log is flushed to disk, so that a power cut loses no earlier metric."""
    with new(dataset) as recorder:
        assert recorder.run is not None
        take_up_to(recorder.train(), 5)
        log = recorder.run.log_path.stat()
        synced: list[int] = []
        fsync = os.fsync

        def note(descriptor: int) -> None:
            synced.append(os.fstat(descriptor).st_ino)
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", note)
        recorder.checkpoint()
        assert synced[-1] == log.st_ino
        assert len(synced) > 1


def test_best_weights_are_saved_before_the_checkpoint(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that states a new best epoch is written after that epoch's weights."""
    written: list[str] = []
    replace = os.replace

    def note(source: Any, target: Any) -> None:
        name = Path(target).name
        if name.endswith(".npz"):
            written.append("checkpoint" if name.startswith("step-") else "weights")
        replace(source, target)

    with new(dataset) as recorder:
        records = recorder.train()
        take_up_to(records, 40)
        recorder.checkpoint()
        monkeypatch.setattr(os, "replace", note)
        while not isinstance(next(records), EpochDone):
            pass
        assert written[-2:] == ["weights", "checkpoint"]


def test_nan_parameters_are_not_checkpointed(dataset: Dataset) -> None:
    """While a parameter is NaN, `checkpoint` writes only the log, and the old checkpoints are kept."""
    with new(dataset) as recorder:
        take_up_to(recorder.train(), 5)
        assert recorder.run is not None
        before = recorder.run.checkpoints()
        recorder.trainer.network.parameters[0] = np.nan
        recorder.trainer.step += 1
        recorder.checkpoint()
        assert recorder.run.checkpoints() == before
        assert recorder.problem == ""


def test_checkpoints_are_ten_seconds_apart(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """During an epoch, a checkpoint is written every ten seconds."""
    monkeypatch.setattr(module, "CHECKPOINT_S", CHECKPOINT_S)
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with new(dataset) as recorder:
        assert recorder.run is not None
        records = recorder.train()
        for step, seconds, expected in ((1, 0, 0), (2, 9.9, 0), (3, 10.1, 3), (4, 20, 3), (5, 20.2, 5)):
            now = 1000.0 + seconds
            take_up_to(records, step)
            assert recorder.run.checkpoint_step == expected
