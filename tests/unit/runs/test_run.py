import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from digitpad.errors import RunError
from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.runs.run import Run, RunStatus, RunSummary, all_runs, find_run, runs_folder
from digitpad.runs.trained_weights import contents_sha256, weights_of
from digitpad.training.events import EpochDone
from digitpad.training.trainer import Trainer, TrainerState
from digitpad.weights.native_format import load_weights
from tests.unit.training.small import result, small_dataset, small_recipe


def test_weights_have_their_provenance(tmp_path: Path) -> None:
    """The weights file has the recipe, data, history and scores."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    outcome = result(trainer.run())
    weights = weights_of(trainer, dataset, outcome)
    weights.save(tmp_path / "x.npz")
    about = load_weights(tmp_path / "x.npz").about
    assert weights.name == "small.npz"
    assert weights.test_accuracy == about["test_accuracy"] == outcome.test.accuracy
    assert about["recipe"] == json.loads(json.dumps(trainer.recipe.to_dict()))
    assert about["data"] == {"name": "small", "sha256": dataset.sha256}
    assert [epoch["epoch"] for epoch in about["history"]] == [0, 1, 2, 3]
    assert about["epoch"] == outcome.best_epoch
    assert about["validation_accuracy"] == outcome.validation.accuracy
    assert (about["test_loss"], about["test_n"]) == (outcome.test.loss, 500)
    assert {"digitpad", "numpy", "blas_threads", "date"} <= about.keys()


def test_weights_are_those_of_the_best_epoch() -> None:
    """Weights taken during training are the best so far, without a test accuracy."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    run = trainer.run()
    while trainer.step < 50:
        next(run)
    weights = weights_of(trainer, dataset)
    np.testing.assert_array_equal(weights.parameters, trainer.best_parameters)
    assert not np.array_equal(weights.parameters, trainer.network.parameters)
    assert weights.about["epoch"] == 1
    assert weights.test_accuracy is None


def test_weights_can_be_taken_before_the_first_score() -> None:
    """Weights can be taken before the first scores."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    weights = weights_of(trainer, dataset)
    np.testing.assert_array_equal(weights.parameters, trainer.network.parameters)
    assert weights.about["history"] == []


@pytest.fixture
def run() -> Iterator[Run]:
    created = Run.create(small_recipe(), small_dataset(), 1)
    yield created
    created.unlock()


def test_run_is_created_in_the_user_folder(run: Run, tmp_path: Path) -> None:
    """A run in the user's folder is named by date and recipe, and has its recipe, data and date."""
    assert run.folder.parent == runs_folder() == tmp_path / "digitpad-home" / "runs"
    assert run.id[:2] == "20"
    assert "-small-" in run.id
    (listed,) = all_runs()
    assert listed.recipe == small_recipe()
    assert listed.about["data"]["sha256"] == small_dataset().sha256
    assert listed.started == run.started
    assert listed.name == "small"


def test_no_two_runs_share_a_folder() -> None:
    """Runs created within one second have different folders, with any recipe name."""
    recipe = dataclasses.replace(small_recipe(), name="../ä: " + "x" * 300)
    runs = [Run.create(recipe, small_dataset(), 1) for _ in range(4)]
    assert len({run.folder for run in runs}) == 4
    assert {run.folder.parent for run in runs} == {runs_folder()}
    for run in runs:
        run.unlock()


def test_locked_run_cannot_be_locked_again(run: Run) -> None:
    """A locked run cannot be locked again by any process; a released or orphaned lock is free."""
    other = Run.open(run.folder)
    assert other.is_in_training
    with pytest.raises(RunError, match="already in training"):
        other.lock()
    program = f"""
import os
from pathlib import Path
from digitpad.errors import RunError
from digitpad.runs.run import Run
run = Run.open(Path({str(run.folder)!r}))
try:
    run.lock()
except RunError:
    print("refused")
else:
    print("locked", flush=True)
    os._exit(1)
"""
    for expected in ("refused", "locked"):
        process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert process.stdout.strip() == expected, process.stderr
        run.unlock()
    assert not other.is_in_training
    other.lock()
    other.unlock()


def test_unlocked_running_run_is_interrupted(run: Run) -> None:
    """An unlocked run with the status RUNNING counts as interrupted."""
    assert run.summary().status is RunStatus.RUNNING
    run.unlock()
    assert Run.open(run.folder).summary().status is RunStatus.CUT_OFF
    run.write_summary(RunSummary(RunStatus.FINISHED, epoch=3, test_accuracy=0.9))
    assert Run.open(run.folder).summary() == RunSummary(RunStatus.FINISHED, epoch=3, test_accuracy=0.9)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"status": "odd"}', b'{"status": "finished", "odd": 1}'])
def test_damaged_summary_is_read_as_the_default(run: Run, content: bytes) -> None:
    """A damaged summary is read as the default summary."""
    (run.folder / "summary.json").write_bytes(content)
    assert run.summary() == RunSummary(RunStatus.RUNNING)


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"{}", b'{"recipe": 5}', b'{"recipe": {"training": {"epochs": -1}}}']
)
def test_folders_without_a_run_are_skipped(run: Run, content: bytes | None) -> None:
    """Opening a folder that is not a run raises `RunError`; `all_runs` skips it."""
    odd = runs_folder() / "odd"
    odd.mkdir()
    if content is not None:
        (odd / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"odd.*(not a run|not a valid description)"):
        Run.open(odd)
    assert [listed.id for listed in all_runs()] == [run.id]


def test_run_is_renamed(run: Run) -> None:
    """Renaming changes the name and keeps the folder; an empty name restores the recipe's name."""
    run.rename("  for the lecture ")
    assert Run.open(run.folder).name == "for the lecture"
    run.rename("")
    assert run.name == "small"


def test_run_is_found_by_name_or_id(run: Run) -> None:
    """A run is found by folder, id, name, or the start or end of its id."""
    run.rename("lecture")
    for text in (str(run.folder), run.id, "lecture", run.id[:17], run.id[-6:]):
        assert find_run(text).id == run.id
    for text in ("nothing", ""):
        with pytest.raises(RunError, match="has no run"):
            find_run(text)


def test_last_two_checkpoints_are_kept(run: Run) -> None:
    """The last two checkpoints are kept, and a run resumes from the newest readable one."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    for progress in trainer.train():
        if not isinstance(progress, EvaluationProgress) and trainer.step % 20 == 0:
            run.save_checkpoint(trainer.state())
    latest, before = run.checkpoints()
    assert run.resume(dataset).network.parameters.tobytes() == trainer.network.parameters.tobytes()
    latest.write_bytes(latest.read_bytes()[:1000])
    assert run.resume(dataset).step == 120
    assert len(run.resume(dataset).history) == 3
    before.unlink()
    with pytest.raises(RunError, match=r"cannot be read|not an .npz"):
        run.resume(dataset)
    latest.unlink()
    assert run.resume(dataset).step == 0


def test_other_data_are_refused(run: Run) -> None:
    """Resuming with different data raises `RunError`."""
    assert contents_sha256(small_dataset()) == contents_sha256(small_dataset())
    with pytest.raises(RunError, match="trained on different data"):
        run.resume(small_dataset(1990))


@pytest.mark.parametrize("harm", ["header", "shape", "generators", "recipe", "version"])
def test_unsuitable_checkpoint_is_reported(run: Run, harm: str) -> None:
    """A checkpoint that does not fit raises `RunError` with its file name."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    next(record for record in trainer.train() if isinstance(record, EpochDone))
    state = trainer.state()
    values, arrays = dict(state.values), dict(state.arrays)
    if harm == "shape":
        arrays["parameters"] = arrays["parameters"][:-1]
    elif harm == "generators":
        values["generators"] = [{"bit_generator": "PCG64"}] * 2
    elif harm == "recipe":
        values["recipe"] = {"training": {"epochs": 0}}
    run.save_checkpoint(TrainerState(values, arrays))
    (path,) = run.checkpoints()
    if harm == "header":
        np.savez(path, parameters=np.zeros(3))
    elif harm == "version":
        header = np.frombuffer(b'{"format": "digitpad checkpoint", "version": 99, "state": {}}', np.uint8)
        np.savez(path, header=header)
    with pytest.raises(RunError, match=path.name):
        run.resume(dataset)


def test_reading_a_deleted_run_does_not_create_it() -> None:
    """Reading the status of a deleted run does not create its folder again."""
    dataset = small_dataset()
    run = Run.create(small_recipe(), dataset, 1)
    run.unlock()
    run.remove()
    assert not run.is_in_training
    assert run.summary().status is RunStatus.CUT_OFF
    assert not run.folder.exists()


def test_locking_waits_for_a_short_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locking waits for a process that holds the lock for a moment to check the status."""
    run = Run.create(small_recipe(), small_dataset(), 1)
    run.unlock()
    other_lock = FileLock(run.folder / ".lock", thread_local=False)
    other_lock.acquire()
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        other_lock.release()

    monkeypatch.setattr("time.sleep", wait)
    run.lock()
    assert waited
    assert run.is_in_training
    run.unlock()


def test_locking_a_deleted_run_does_not_create_it(run: Run) -> None:
    """Locking a deleted run raises `RunError`, and does not create its folder."""
    run.unlock()
    run.remove()
    with pytest.raises(RunError, match="no longer exists"):
        run.lock()
    assert not run.folder.exists()
