"""Tests of ``digitpad train``: runs that are paused, killed and resumed."""

import errno
import json
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from digitpad.cli import main
from digitpad.datasets.dataset import mnist
from digitpad.runs.run import Run, RunStatus, all_runs
from digitpad.system.user_folders import user_data_path
from digitpad.training.events import EpochDone, Progress
from digitpad.training.trainer import Trainer
from digitpad.weights.native_format import load_weights
from tests.integration.killing import RECIPE, killed_and_resumed, train
from tests.integration.test_cli import one_error
from tests.unit.datasets.idx_files import write_folder

TRAIN = ["train", "--recipe", "quick", "--set", "training.epochs=4", "--set", "augmentation.rotate_deg=5", "--json"]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the number of BLAS threads, which commands set in the environment."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS", "1"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 1,000 training digits and 100 test digits."""
    return write_folder(tmp_path_factory.mktemp("small"), mnist().training[:1000], mnist().test[:100])


def interrupt_after(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate Ctrl-C after the scores of an epoch."""
    train = Trainer.train

    def interrupted(self: Trainer) -> Iterator[Progress]:
        for progress in train(self):
            yield progress
            if isinstance(progress, EpochDone) and progress.epoch == epoch:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "train", interrupted)


def outcome(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def the_run() -> Run:
    (run,) = all_runs()
    return run


def test_ctrl_c_pauses(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """Ctrl-C ends with status 130, says how to resume, and saves the best weights so far."""
    with monkeypatch.context() as patch:
        interrupt_after(1, patch)
        assert main([*TRAIN, "--data", str(data)]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "paused at step 8; resume with: digitpad train --resume"
    assert the_run().summary().status is RunStatus.PAUSED
    assert load_weights(the_run().weights_path).about["epoch"] == 1


def test_resumed_run_equals_an_uninterrupted_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path
) -> None:
    """The newest unfinished run is resumed; result and weights equal those of an uninterrupted run."""
    assert main([*TRAIN, "--data", str(data), "--out", str(tmp_path / "whole.npz")]) == 0
    whole = outcome(capsys)
    with monkeypatch.context() as patch:
        interrupt_after(2, patch)
        assert main([*TRAIN, "--data", str(data)]) == 130
    capsys.readouterr()
    assert main(["train", "--resume", "--json", "--out", str(tmp_path / "again.npz")]) == 0
    resumed = outcome(capsys)
    same = ("recipe", "epochs", "best_epoch", "validation_accuracy", "test_accuracy", "test_loss")
    assert [resumed[key] for key in same] == [whole[key] for key in same]
    one, other = (load_weights(tmp_path / name) for name in ("whole.npz", "again.npz"))
    assert one.parameters.tobytes() == other.parameters.tobytes()
    assert {run.summary().status for run in all_runs()} == {RunStatus.FINISHED}
    assert main(["train", "--resume"]) == 1
    assert "no paused or interrupted run" in one_error(capsys)


def test_finished_run_can_be_trained_further(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    """A finished run can be resumed by name, for more epochs and with another learning rate."""
    assert main([*TRAIN, "--data", str(data)]) == 0
    capsys.readouterr()
    settings = ["--set", "training.epochs=6", "--set", "optimizer.learning_rate=0.0005"]
    assert main(["train", "--resume", "quick", "--json", *settings]) == 0
    assert outcome(capsys)["epochs"] == 6
    history = the_run().history()
    assert [epoch.epoch for epoch in history.epochs] == list(range(7))
    (change,) = history.changes
    assert change.settings == {"training.epochs": 6, "optimizer.learning_rate": 0.0005}


@pytest.mark.parametrize(
    ("settings", "message"),
    [(["training.batch_size=5"], "cannot change"), (["optimizer.learning_rate=-1"], "more than 0")],
)
def test_fixed_settings_are_reported(
    capsys: pytest.CaptureFixture[str], data: Path, settings: list[str], message: str
) -> None:
    """The error is one line, and the run stays unchanged and unlocked."""
    assert main([*TRAIN, "--data", str(data)]) == 0
    capsys.readouterr()
    options = [word for text in settings for word in ("--set", text)]
    assert main(["train", "--resume", "quick", *options]) == 1
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not the_run().is_in_training
    assert the_run().summary().status is RunStatus.FINISHED
    assert main(["train", "--resume", "quick"]) == 0


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a full disk in the user's folder: only JSON files can still be written."""
    make = tempfile.mkstemp

    def full(*, prefix: str, suffix: str, dir: Path) -> tuple[int, str]:
        if user_data_path() in Path(dir).parents and "json" not in prefix:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return make(prefix=prefix, suffix=suffix, dir=dir)

    monkeypatch.setattr(tempfile, "mkstemp", full)


@pytest.mark.parametrize("out", [True, False])
def test_full_disk_gives_exit_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path, out: bool
) -> None:
    """On a full disk the status is 1, the run is not finished, and --out is written if it is on another disk."""
    options = ["--out", str(tmp_path / "out.npz")] if out else []
    with monkeypatch.context() as patch:
        fill_disk(patch)
        assert main([*TRAIN, "--data", str(data), *options]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    run = the_run()
    last = errors.splitlines()[-1]
    assert "not finished" in last
    assert "No space left on device" in last
    assert f"digitpad train --resume {run.id}` continues at step 0" in last
    assert any(line.startswith("saved ") for line in errors.splitlines()) == out
    assert run.summary().status is RunStatus.PAUSED
    assert not run.weights_path.exists()
    assert not out or load_weights(tmp_path / "out.npz").test_accuracy is not None
    assert main(["train", "--resume"]) == 0
    assert the_run().summary().status is RunStatus.FINISHED
    assert the_run().weights_path.exists()


@pytest.mark.parametrize("out", [True, False])
def test_pause_on_a_full_disk_names_the_last_saved_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path, out: bool
) -> None:
    """The message after Ctrl-C names a step that is on disk."""
    options = ["--out", str(tmp_path / "out.npz")] if out else []
    with monkeypatch.context() as patch:
        fill_disk(patch)
        interrupt_after(1, patch)
        assert main([*TRAIN, "--data", str(data), *options]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "paused at step 8, but it could not be saved" in last
    assert f"--resume {the_run().id}` continues at step 0" in last
    assert the_run().checkpoint_step == 0
    assert not out or load_weights(tmp_path / "out.npz").about["epoch"] == 1


@pytest.mark.parametrize(("api", "is_warned"), [("openblas", False), ("mkl", True), (None, True)])
def test_resume_promises_the_same_bits_only_where_blas_can_keep_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path, api: str | None, is_warned: bool
) -> None:
    """With MKL, and with Accelerate, which threadpoolctl does not know, resuming says that results may differ."""
    assert main([*TRAIN, "--data", str(data)]) == 0
    capsys.readouterr()
    loaded = [] if api is None else [{"user_api": "blas", "internal_api": api, "version": "1", "num_threads": 1}]
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: loaded)
    assert main(["train", "--resume", "quick"]) == 0
    assert ("the results may differ slightly" in capsys.readouterr().err) == is_warned


def test_unknown_run_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The error says that there is no such run."""
    assert main(["train", "--resume", "none such"]) == 1
    assert "has no run 'none such'" in one_error(capsys)


@pytest.mark.parametrize(
    "arguments",
    [["--resume", "--recipe", "lenet"], ["--resume", "--data", "x"], ["--find-rate", "--resume"],
     ["--find-rate", "--out", "x.npz"]],
)  # fmt: skip
def test_conflicting_options_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Options that exclude each other are an error."""
    assert main(["train", *arguments]) == 1
    assert "cannot be combined" in one_error(capsys)


def test_find_rate_suggests_a_learning_rate(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    """--find-rate suggests a learning rate without creating a run; JSON has every rate and loss."""
    assert main([*TRAIN, "--data", str(data), "--find-rate"]) == 0
    values = outcome(capsys)
    assert 1e-4 < values["suggestion"] < 0.5
    assert len(values["rates"]) == len(values["losses"])
    assert all_runs() == []
    assert main([*TRAIN[:-1], "--data", str(data), "--find-rate"]) == 0
    assert f"learning rate of {values['suggestion']:g}; the recipe has 0.001" in capsys.readouterr().out


def test_killed_run_resumes_to_the_same_bits(data: Path, tmp_path: Path) -> None:
    """A run that is killed at random moments and resumed has the weights of an uninterrupted run."""
    recipe = tmp_path / "killed.toml"
    recipe.write_text(RECIPE.format(epochs=20))
    arguments = ["--recipe", str(recipe), "--data", str(data)]
    whole = json.loads(train(tmp_path / "whole", *arguments).communicate(timeout=120)[0])
    resumed, n_killed = killed_and_resumed(tmp_path / "killed", arguments, kills=4, seed=1)
    assert n_killed >= 2
    assert resumed["test_loss"] == whole["test_loss"]
    one, other = (load_weights(Path(values["weights"])) for values in (whole, resumed))
    assert one.parameters.tobytes() == other.parameters.tobytes()
    assert [epoch["epoch"] for epoch in other.about["history"]] == list(range(21))
    assert not list(tmp_path.rglob("*.part"))
