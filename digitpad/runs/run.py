"""Runs: each has its own folder in the user's data folder, and an interrupted run can be resumed from it.

| file | contents | written |
|---|---|---|
| ``run.json`` | recipe, data, threads, version, date | once, when the run starts |
| ``name.txt`` | the user's name for it | when it is renamed |
| ``summary.json`` | progress and status | after each epoch |
| ``log.jsonl`` | every metric | appended to, about once a second |
| ``step-….npz`` | the last two checkpoints | about every ten seconds, and after each epoch |
| ``<folder>.npz`` | the best weights so far | when they improve |
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
LOCK_S = 0.1  # `is_in_training` holds the lock for a moment


class RunStatus(StrEnum):
    """Status of a run.

    CUT_OFF is an interrupted run: its summary says running, but no process holds its lock.
    """

    RUNNING = "running"
    PAUSED = "paused"
    CUT_OFF = "cut off"
    STOPPED = "stopped"
    FINISHED = "finished"
    DIVERGED = "diverged"

    @property
    def label(self) -> str:
        """The status in words for the user."""
        return "interrupted" if self is RunStatus.CUT_OFF else self.value


@dataclass(frozen=True)
class RunSummary:
    """Progress of a run.

    Attributes
    ----------
    epoch : int
        Last epoch that was scored.
    n_epochs, step, n_steps : int
        Planned epochs, steps done, and planned steps.
    seconds : float
        Training time.
    validation_accuracy, test_accuracy : float or None
        Scores of the best weights so far; the test accuracy is None until the run ends.
    problem : str
        Reason why the run ended early by itself, or an empty string.
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
    """A run and its folder.

    Attributes
    ----------
    folder : Path
    recipe : Recipe
        Recipe at the start; later changes are in the history.
    about : dict
        Contents of ``run.json``.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.folder = folder
        self.about = about
        self.recipe = Recipe.from_dict(about["recipe"])
        self._lock = FileLock(folder / ".lock", thread_local=False)

    @classmethod
    def create(cls, recipe: Recipe, dataset: Dataset, n_threads: int) -> Self:
        """Create and lock a run in the user's folder, named by date and recipe.

        Raises
        ------
        RunError
            If the folder cannot be written.
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
        """Open the run in that folder.

        Raises
        ------
        RunError
            If the folder is not a run.
        """
        try:
            return cls(folder, json.loads((folder / "run.json").read_text("utf-8")))
        except OSError as error:
            raise RunError(folder, f"is not a run: run.json cannot be read ({reason(error)})") from error
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError, RecipeError) as error:
            raise RunError(folder / "run.json", "is not a valid description of a run") from error

    # Locking: two processes never train the same run.

    def lock(self) -> None:
        """Lock the run for this process; the lock is released when the process ends, however it ends.

        Raises
        ------
        RunError
            If the run is locked already, by this or another process, or was deleted.
        """
        if not (self.folder / "run.json").exists():
            raise RunError(self.folder, "no longer exists")
        try:
            self._lock.acquire(timeout=LOCK_S, poll_interval=LOCK_S / 10)
        except Timeout as error:
            raise RunError(self.folder, "is already in training, possibly in another window") from error
        except OSError as error:
            raise RunError(self.folder, f"cannot be locked ({reason(error)})") from error
        for partial in self.folder.glob(".*.part"):  # left by a process that was killed while writing
            if not partial.name.startswith(".name"):
                partial.unlink(missing_ok=True)

    def unlock(self) -> None:
        """Release the lock."""
        self._lock.release()

    @property
    def is_in_training(self) -> bool:
        """Whether a process has locked the run."""
        if self._lock.is_locked:
            return True
        if not self.folder.is_dir():  # deleted; taking the lock would create the folder again
            return False
        try:
            with FileLock(self.folder / ".lock").acquire(timeout=0):
                return False
        except (Timeout, OSError):
            return True

    # Contents.

    @property
    def id(self) -> str:
        """Unique identifier: the folder's name."""
        return self.folder.name

    @property
    def name(self) -> str:
        """User's name for the run; the recipe's name by default."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return (self.folder / "name.txt").read_text("utf-8").strip()[:200] or self.recipe.name
        return self.recipe.name

    def rename(self, name: str) -> None:
        """Rename the run; its folder keeps its name.

        Raises
        ------
        RunError
            If the name cannot be saved.
        """
        self._write("name.txt", name.strip())

    @property
    def started(self) -> datetime:
        """Start time."""
        try:
            return datetime.fromisoformat(str(self.about["date"]))
        except (KeyError, ValueError):
            return datetime.fromtimestamp(0).astimezone()

    @property
    def weights_path(self) -> Path:
        """File of the best weights, which may not exist yet."""
        return self.folder / f"{self.id}.npz"

    @property
    def log_path(self) -> Path:
        """File of the log."""
        return self.folder / "log.jsonl"

    def history(self) -> RunHistory:
        """Read every metric from the log."""
        return read_log(self.log_path)

    def latest_recipe(self) -> Recipe:
        """Return the recipe with all changes since the start.

        Raises
        ------
        RecipeError
            If the log contains an invalid change.
        """
        recipe = self.recipe
        for change in self.history().changes:
            recipe = recipe.with_values(change.settings)
        return recipe

    def summary(self) -> RunSummary:
        """Read the summary; the defaults of `RunSummary` if it cannot be read."""
        summary = RunSummary()
        with contextlib.suppress(OSError, KeyError, TypeError, ValueError):
            values = json.loads((self.folder / "summary.json").read_text("utf-8"))
            summary = RunSummary(**{**values, "status": RunStatus(values["status"])})
        if summary.status is RunStatus.RUNNING and not self.is_in_training:
            summary = dataclasses.replace(summary, status=RunStatus.CUT_OFF)
        return summary

    def write_summary(self, summary: RunSummary) -> None:
        """Save the summary.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        self._write("summary.json", json.dumps(dataclasses.asdict(summary)))

    def remove(self) -> None:
        """Delete the folder; ignore files that cannot be deleted."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # Checkpoints.

    def checkpoints(self) -> list[Path]:
        """Return the checkpoint files, newest first."""
        return sorted(self.folder.glob("step-[0-9]*-[0-9]*.npz"), reverse=True)

    @property
    def checkpoint_step(self) -> int:
        """Step of the newest checkpoint, from which the run resumes; 0 if there is none."""
        latest = next(iter(self.checkpoints()), None)
        return 0 if latest is None else int(latest.stem.split("-")[1])

    def save_checkpoint(self, state: TrainerState) -> None:
        """Write a checkpoint, and delete all but the last two.

        Raises
        ------
        RunError
            If the file cannot be written; older checkpoints are then unchanged.
        """
        scored = len(state.values["history"])  # an epoch's last step has two checkpoints: before and after scoring
        save_checkpoint(self.folder / f"{_checkpoints_of(state.values['step'])}-{scored:05d}.npz", state)
        for old in self.checkpoints()[N_CHECKPOINTS:]:
            with contextlib.suppress(OSError):
                old.unlink()

    def delete_checkpoint(self, step: int) -> None:
        """Delete the newest checkpoint if it is of this step and there is an older one.

        Used for a step from which training cannot continue.
        """
        first, *others = self.checkpoints() or [self.folder]
        if others and first.name.startswith(_checkpoints_of(step)):
            first.unlink(missing_ok=True)

    def resume(self, dataset: Dataset) -> Trainer:
        """Restore the trainer from the newest readable checkpoint; start a new trainer if there is no checkpoint.

        Raises
        ------
        RunError
            If there are checkpoints but none is readable, or the dataset differs from the run's.
        """
        expected = self.about.get("data", {}).get("contents_sha256")
        if expected != (actual := contents_sha256(dataset)):
            raise RunError(
                self.folder,
                f"was trained on different data (SHA-256 {str(expected)[:12]}…, now {actual[:12]}…); "
                f"resume it with the same data",
            )
        problems: list[DigitpadError] = []
        for path in self.checkpoints():
            try:
                return Trainer.restored(load_checkpoint(path), dataset)
            except FileError as error:
                problems.append(error)
            except (KeyError, TypeError, ValueError, RecipeError) as error:
                problems.append(RunError(path, f"does not fit the run ({reason(error)})"))
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
    """Return the folder of all runs, which may not exist yet."""
    return user_folders.user_data_path() / "runs"


def all_runs() -> list[Run]:
    """Open every readable run, newest first."""
    runs = []
    for path in runs_folder().glob("*/run.json"):
        with contextlib.suppress(RunError):
            runs.append(Run.open(path.parent))
    return sorted(runs, key=lambda run: (run.started, run.id), reverse=True)


def find_run(text: str) -> Run:
    """Find a run by its folder, id or name, or by the start or end of its id; the newest of several matches.

    Raises
    ------
    RunError
        If no run matches.
    """
    if (Path(text) / "run.json").is_file():
        return Run.open(Path(text))
    runs = all_runs()
    matches = (
        [run for run in runs if run.id == text]
        or [run for run in runs if run.name == text]
        or [run for run in runs if text and (run.id.startswith(text) or run.id.endswith(text))]
    )
    if not matches:
        raise RunError(runs_folder(), f"has no run {text!r}; list all runs with `digitpad runs`")
    return matches[0]


def weights_of(trainer: Trainer, dataset: Dataset, result: Result | None = None) -> Weights:
    """Return the best weights so far; with a result, their description includes the test scores."""
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
    """Return the SHA-256 of all images and labels that training uses, including synthetic drawings."""
    digest = hashlib.sha256()
    for digits in (dataset.training, dataset.validation, dataset.test):
        for array in (digits.images, digits.labels):
            digest.update(array.tobytes() if not array.flags.c_contiguous else array.data)
    return digest.hexdigest()


def _checkpoints_of(step: int) -> str:
    """Return the start of the file names of a step's checkpoints."""
    return f"step-{step:09d}"


def _safe(name: str) -> str:
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    return safe.encode()[:100].decode(errors="ignore")  # file names are limited to 255 bytes
