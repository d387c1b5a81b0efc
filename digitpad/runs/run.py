"""Runs: each training has a folder of its own in the user's data folder, and nothing in it is lost when it is cut off.

| file | holds | written |
|---|---|---|
| ``run.json`` | recipe, data, threads, version, date | once, at the beginning |
| ``name.txt`` | what the user calls it | when it is renamed |
| ``summary.json`` | how far it is, and how it ended | at each epoch's end |
| ``log.jsonl`` | every metric | added to, about once a second |
| ``step-….npz`` | checkpoints, the last two | about every ten seconds, and at each epoch's end |
| ``<folder>.npz`` | the best weights so far | when there are better ones |
"""

import contextlib
import dataclasses
import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from digitpad.datasets.dataset import Dataset
from digitpad.errors import DigitpadError, FileError, RecipeError, RunError, reason
from digitpad.runs.checkpoint import load_checkpoint, save_checkpoint
from digitpad.runs.run_log import RunHistory, read_log
from digitpad.system import user_folders
from digitpad.system.atomic_write import write_atomically
from digitpad.training.events import Result
from digitpad.training.recipe import Recipe
from digitpad.training.trainer import Trainer, TrainerState
from digitpad.weights.native_format import Weights, provenance

N_CHECKPOINTS = 2
LOCK_S = 0.1  # who looks whether a run is in training holds its lock for a moment


class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    CUT_OFF = "cut off"
    STOPPED = "stopped"
    FINISHED = "finished"
    DIVERGED = "diverged"


@dataclass(frozen=True)
class RunSummary:
    """How far a run is.

    Attributes
    ----------
    epoch : int
        The last that was scored.
    n_epochs, step, n_steps : int
        What is planned and done.
    seconds : float
        At work.
    validation_accuracy, test_accuracy : float or None
        Of the best weights so far; the second is known at the end.
    problem : str
        Why it ended by itself before its end, if it did.
    """

    status: RunStatus = RunStatus.RUNNING
    epoch: int = 0
    n_epochs: int = 0
    step: int = 0
    n_steps: int = 0
    seconds: float = 0.0
    validation_accuracy: float | None = None
    test_accuracy: float | None = None
    problem: str = ""


class Run:
    """One training's folder.

    Attributes
    ----------
    folder : Path
    recipe : Recipe
        As it began with; the changes since are in the history.
    about : dict
        What ``run.json`` holds.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.folder = folder
        self.about = about
        self.recipe = Recipe.from_dict(about["recipe"])
        self._lock = FileLock(folder / ".lock", thread_local=False)

    @classmethod
    def create(cls, recipe: Recipe, dataset: Dataset, n_threads: int) -> Self:
        """A new run, locked: named by when and what, in the user's folder.

        Raises
        ------
        RunError
            If it cannot be written.
        """
        now = datetime.now().astimezone()
        about = {
            "recipe": recipe.to_dict(),
            "data": {"name": dataset.name, "sha256": dataset.sha256, "contents_sha256": contents_sha256(dataset)},
            "n_threads": n_threads,
            **provenance(),
        }
        folder = runs_folder() / f"{now:%Y-%m-%d-%H%M%S}-{_safe(recipe.name)}-{secrets.token_hex(3)}"
        user_folders.ensure_folder(folder)
        run = cls(folder, about)
        run._write("run.json", json.dumps(about, indent=1))
        run.lock()
        return run

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The run in that folder.

        Raises
        ------
        RunError
            If there is none.
        """
        try:
            return cls(folder, json.loads((folder / "run.json").read_text("utf-8")))
        except OSError as error:
            raise RunError(folder, f"is no run: run.json cannot be read ({reason(error)})") from error
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError, RecipeError) as error:
            raise RunError(folder / "run.json", "does not describe a run") from error

    # Two processes never train one run.

    def lock(self) -> None:
        """Take the run for this process; the lock goes with the process, however it ends.

        Raises
        ------
        RunError
            If another one has it, in this process or in another, or it was deleted.
        """
        if not (self.folder / "run.json").exists():
            raise RunError(self.folder, "is there no more")
        try:
            self._lock.acquire(timeout=LOCK_S, poll_interval=LOCK_S / 10)
        except Timeout as error:
            raise RunError(self.folder, "is in training already, perhaps in another window") from error
        except OSError as error:
            raise RunError(self.folder, f"cannot be locked ({reason(error)})") from error
        for left in self.folder.glob(".*.part"):  # by a process that was killed as it wrote
            if not left.name.startswith(".name"):
                left.unlink(missing_ok=True)

    def unlock(self) -> None:
        """Let it go."""
        self._lock.release()

    @property
    def is_in_training(self) -> bool:
        """Whether somebody has locked it."""
        if self._lock.is_locked:
            return True
        if not self.folder.is_dir():  # it was deleted; the lock would make it again
            return False
        try:
            with FileLock(self.folder / ".lock").acquire(timeout=0):
                return False
        except (Timeout, OSError):
            return True

    # What is in it.

    @property
    def id(self) -> str:
        """The folder's name, which no other run has."""
        return self.folder.name

    @property
    def name(self) -> str:
        """What the user calls it; the recipe's name at first."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return (self.folder / "name.txt").read_text("utf-8").strip()[:200] or self.recipe.name
        return self.recipe.name

    def rename(self, name: str) -> None:
        """Call it otherwise; its folder stays.

        Raises
        ------
        RunError
            If that cannot be written.
        """
        self._write("name.txt", name.strip())

    @property
    def begun(self) -> datetime:
        """When it began."""
        try:
            return datetime.fromisoformat(str(self.about["date"]))
        except (KeyError, ValueError):
            return datetime.fromtimestamp(0).astimezone()

    @property
    def weights_path(self) -> Path:
        """Where its best weights lie, once there are some."""
        return self.folder / f"{self.id}.npz"

    @property
    def log_path(self) -> Path:
        """Its log."""
        return self.folder / "log.jsonl"

    def history(self) -> RunHistory:
        """Every metric."""
        return read_log(self.log_path)

    def latest_recipe(self) -> Recipe:
        """The recipe with all that was changed since it began.

        Raises
        ------
        RecipeError
            If the log holds a change that cannot be.
        """
        recipe = self.recipe
        for change in self.history().changes:
            recipe = recipe.with_values(change.settings)
        return recipe

    def summary(self) -> RunSummary:
        """How far it is; what cannot be read is as at its beginning."""
        summary = RunSummary()
        with contextlib.suppress(OSError, KeyError, TypeError, ValueError):
            values = json.loads((self.folder / "summary.json").read_text("utf-8"))
            summary = RunSummary(**{**values, "status": RunStatus(values["status"])})
        if summary.status is RunStatus.RUNNING and not self.is_in_training:
            summary = dataclasses.replace(summary, status=RunStatus.CUT_OFF)
        return summary

    def write_summary(self, summary: RunSummary) -> None:
        """Put the summary on disk.

        Raises
        ------
        RunError
            If that cannot be.
        """
        self._write("summary.json", json.dumps(dataclasses.asdict(summary)))

    def remove(self) -> None:
        """Delete the folder, as far as that can be."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # Checkpoints.

    def checkpoints(self) -> list[Path]:
        """Those that there are, the latest first."""
        return sorted(self.folder.glob("step-[0-9]*-[0-9]*.npz"), reverse=True)

    @property
    def checkpoint_step(self) -> int:
        """The step of the latest checkpoint, from which a resume continues; 0 if there is none."""
        latest = next(iter(self.checkpoints()), None)
        return 0 if latest is None else int(latest.stem.split("-")[1])

    def save_checkpoint(self, state: TrainerState) -> None:
        """Write a checkpoint, and let those before the last two go.

        Raises
        ------
        RunError
            If it cannot be written; those before are as they were.
        """
        scored = len(state.values["history"])  # the same step has one before its epoch is scored, and one after
        save_checkpoint(self.folder / f"{_checkpoints_of(state.values['step'])}-{scored:05d}.npz", state)
        for old in self.checkpoints()[N_CHECKPOINTS:]:
            with contextlib.suppress(OSError):
                old.unlink()

    def forget_checkpoint(self, step: int) -> None:
        """Delete that of a step from which training could not go on, where there is an older one."""
        first, *others = self.checkpoints() or [self.folder]
        if others and first.name.startswith(_checkpoints_of(step)):
            first.unlink(missing_ok=True)

    def resume(self, dataset: Dataset) -> Trainer:
        """The trainer as it was at the latest checkpoint that can be read; at its beginning, where there was none yet.

        Raises
        ------
        RunError
            If no checkpoint can be read, or the data are not those that it was trained on.
        """
        expected = self.about.get("data", {}).get("contents_sha256")
        if expected != (found := contents_sha256(dataset)):
            raise RunError(
                self.folder,
                f"was trained on other data: their SHA-256 was {str(expected)[:12]}…, and is now {found[:12]}…",
            )
        problems: list[DigitpadError] = []
        for path in self.checkpoints():
            try:
                return Trainer.restored(load_checkpoint(path), dataset)
            except FileError as error:
                problems.append(error)
            except (KeyError, TypeError, ValueError, RecipeError) as error:
                problems.append(RunError(path, f"does not fit ({reason(error)})"))
        if problems:
            raise problems[0]
        return Trainer(self.recipe, dataset, int(self.about["n_threads"]))

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        try:
            write_atomically(path, text.encode())
        except OSError as error:
            raise RunError(path, f"cannot be written ({reason(error)})") from error


def runs_folder() -> Path:
    """Where runs lie, whether it is there or not."""
    return user_folders.user_data_path() / "runs"


def all_runs() -> list[Run]:
    """Every run that can be read, the latest first."""
    runs = []
    for path in runs_folder().glob("*/run.json"):
        with contextlib.suppress(RunError):
            runs.append(Run.open(path.parent))
    return sorted(runs, key=lambda run: (run.begun, run.id), reverse=True)


def find_run(text: str) -> Run:
    """The run that ``text`` means: a folder, an id or a name, or how an id begins or ends; of several, the latest.

    Raises
    ------
    RunError
        If none is meant.
    """
    if (Path(text) / "run.json").is_file():
        return Run.open(Path(text))
    runs = all_runs()
    meant = (
        [run for run in runs if run.id == text]
        or [run for run in runs if run.name == text]
        or [run for run in runs if text and (run.id.startswith(text) or run.id.endswith(text))]
    )
    if not meant:
        raise RunError(runs_folder(), f"holds no run {text!r}; `digitpad runs` lists those that there are")
    return meant[0]


def weights_of(trainer: Trainer, dataset: Dataset, result: Result | None = None) -> Weights:
    """The best weights that a training has come to; with its result, also how good they are on the test set."""
    best = trainer.best
    about = {
        "recipe": trainer.recipe.to_dict(),
        "data": {"name": dataset.name, "sha256": dataset.sha256},
        "history": [dataclasses.asdict(epoch) for epoch in trainer.history],
        **provenance(),
    }
    if trainer.changes:
        about["changes"] = [dataclasses.asdict(change) for change in trainer.changes]
    if best is not None:
        about |= {"epoch": best.epoch, "validation_accuracy": best.validation.accuracy}
    if result is not None:
        about |= {
            "test_accuracy": result.test.accuracy,
            "test_loss": result.test.loss,
            "test_n": result.test.n,
            "seconds": result.seconds,
        }
        if result.confidence_threshold is not None:
            about["sure_above"] = result.confidence_threshold
    return Weights(
        name=f"{trainer.recipe.name}.npz",
        architecture=trainer.network.architecture(),
        parameters=trainer.best_parameters,
        about=about,
        class_names=dataset.class_names,
    )


def contents_sha256(dataset: Dataset) -> str:
    """The SHA-256 of all that a training looks at, drawings that were made for it too."""
    digest = hashlib.sha256()
    for digits in (dataset.training, dataset.validation, dataset.test):
        for array in (digits.images, digits.labels):
            digest.update(array.tobytes() if not array.flags.c_contiguous else array.data)
    return digest.hexdigest()


def _checkpoints_of(step: int) -> str:
    """How their names begin."""
    return f"step-{step:09d}"


def _safe(name: str) -> str:
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    return safe.encode()[:100].decode(errors="ignore")  # a file's name has room for 255 bytes
