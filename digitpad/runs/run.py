"""Runs: each has its own folder in the user's data folder, and an interrupted run can be resumed from it.

| file | contents | written |
|---|---|---|
| ``run.json`` | recipe, data, threads, version, date | once, when the run starts |
| ``name.txt`` | the user's name for it | when it is renamed |
| ``summary.json`` | progress and status | after each epoch |
| ``log.jsonl`` | every metric | appended to, about once a second |
| ``step-….npz`` | the last two checkpoints, with a copy of ``run.json`` | every ten seconds, and after each epoch |
| ``<folder>.npz`` | the best weights so far | when they improve |
"""

import contextlib
import dataclasses
import json
import re
import secrets
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from digitpad.datasets.dataset import Dataset
from digitpad.datasets.own_digits.dataset import OWN_SOURCES
from digitpad.errors import DigitpadError, FileError, RecipeError, RunError, reason
from digitpad.formats.bounded_read import read_bounded
from digitpad.runs.checkpoint import load_checkpoint, save_checkpoint
from digitpad.runs.network_names import DESCRIPTION
from digitpad.runs.run_description import is_readable, read_description, started
from digitpad.runs.run_log import RunHistory, read_log
from digitpad.runs.run_summary import RunStatus as RunStatus  # re-exported: callers import both from here
from digitpad.runs.run_summary import RunSummary as RunSummary
from digitpad.runs.trained_weights import contents_sha256
from digitpad.system import user_folders
from digitpad.system.atomic_write import is_partial, write_atomically
from digitpad.system.file_lock_probe import is_locked
from digitpad.system.file_names import safe_file_name
from digitpad.training.recipe import Recipe
from digitpad.training.trainer import Trainer, TrainerState
from digitpad.weights.native_format import provenance

N_CHECKPOINTS = 2
LOCK_S = 0.1  # `is_in_training` holds the lock for a moment
MAX_NAME_IN_PATH = 32  # it occurs twice in the path of the weights, and Windows limits paths to 260 characters

_LOCK = ".lock"
_MAX_NAME, _MAX_NAME_BYTES, _MAX_SUMMARY_BYTES = 200, 10_000, 100_000
_CHECKPOINT = re.compile(r"step-\d{9}-\d{5,}\.npz")


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

    def __init__(self, folder: Path, about: Mapping[str, Any], recipe: Recipe) -> None:
        self.folder = folder
        self.about = about
        self.recipe = recipe
        self._lock = FileLock(folder / _LOCK, thread_local=False)

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
        folder = runs_folder() / f"{now:%Y-%m-%d-%H%M%S}-{_name_in_path(recipe)}-{secrets.token_hex(3)}"
        user_folders.ensure_folder(folder)
        run = cls(folder, about, recipe)
        run._write_description()
        run.lock()
        return run

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the run in that folder; a damaged ``run.json`` is replaced by the copy in a checkpoint.

        Raises
        ------
        RunError
            If the folder is not a run, or one of the run's files is a link: a write would change a file elsewhere.
        """
        for path in (*_checkpoints(folder), *(folder / name for name in _own_files(folder))):
            if path.is_symlink():
                raise RunError(path, "is a link; replace it with the file, because a run changes only its own files")
        return cls(folder, *read_description(folder, _checkpoints(folder)))

    # Locking: two processes never train the same run.

    def lock(self) -> None:
        """Lock the run for this process; the lock is released when the process ends, also by a crash.

        Raises
        ------
        RunError
            If the run is locked already, by this or another process, or was deleted.
        """
        if not self.folder.is_dir():
            raise RunError(self.folder, "no longer exists")
        try:
            self._lock.acquire(timeout=LOCK_S, poll_interval=LOCK_S / 10)
        except Timeout as error:
            raise RunError(self.folder, "is already in training, possibly in another window") from error
        except OSError as error:
            raise RunError(self.folder, f"cannot be locked ({reason(error)})") from error
        self._delete_partial_files()
        if not is_readable(self.folder):
            with contextlib.suppress(RunError):  # on a full disk the copy in the checkpoint remains
                self._write_description()

    def _delete_partial_files(self) -> None:
        """Delete the temporary files of a process that was killed while writing.

        Only files that training writes are deleted, because another process may be writing the name.
        """
        names = [name for name in _own_files(self.folder) if name != "name.txt"]
        for path in self.folder.glob(".*.part"):
            if is_partial(path.name, names) or _CHECKPOINT.fullmatch(path.name[1:].rsplit(".", 2)[0]):
                path.unlink(missing_ok=True)

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
        return is_locked(self.folder / _LOCK)

    # Contents.

    @property
    def id(self) -> str:
        """Unique identifier: the folder's name."""
        return self.folder.name

    @property
    def name(self) -> str:
        """User's name for the run; the recipe's name by default."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = read_bounded(self.folder / "name.txt", _MAX_NAME_BYTES).decode()
            return text.strip()[:_MAX_NAME] or self.recipe.name
        return self.recipe.name

    def rename(self, name: str) -> None:
        """Rename the run; its folder keeps its name. Only the first 200 characters of the name are kept.

        Raises
        ------
        RunError
            If the name cannot be saved.
        """
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise RunError(self.folder, f"cannot be renamed to {name!r}: the name is not valid text") from error
        self._write("name.txt", name.strip()[:_MAX_NAME])

    @property
    def started(self) -> datetime:
        """Start time, with a time zone."""
        return started(self.about)

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
        """Read the summary; if it cannot be read, the progress that the name of the newest checkpoint states."""
        try:
            summary = RunSummary.from_dict(json.loads(read_bounded(self.folder / "summary.json", _MAX_SUMMARY_BYTES)))
        except (OSError, KeyError, TypeError, ValueError, RecursionError):
            summary = self._progress()
        if summary.status is RunStatus.RUNNING and not self.is_in_training:
            summary = dataclasses.replace(summary, status=RunStatus.CUT_OFF)
        return summary

    def _progress(self) -> RunSummary:
        latest = next(iter(self.checkpoints()), None)
        if latest is None:  # the run may be just starting
            return RunSummary()
        _, step, scored = latest.stem.split("-")
        return RunSummary(
            epoch=max(0, int(scored) - 1),
            n_epochs=self.recipe.training.epochs,
            step=int(step),
            problem="summary.json cannot be read; resume the run to restore its scores",
        )

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
        return _checkpoints(self.folder)

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
        save_checkpoint(self.folder / f"{_checkpoints_of(state.values['step'])}-{scored:05d}.npz", state, self.about)
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
            advice = "resume it with the same data"
            if self.recipe.data.set in OWN_SOURCES:
                advice = "My digits have changed since, so train a new network on them"
            raise RunError(
                self.folder,
                f"was trained on different data (SHA-256 {str(expected)[:12]}…, now {actual[:12]}…); {advice}",
            )
        problems: list[DigitpadError] = []
        for path in self.checkpoints():
            try:
                return Trainer.restored(load_checkpoint(path), dataset)
            except FileError as error:
                problems.append(error)
            except (KeyError, TypeError, ValueError, OverflowError, RecipeError) as error:
                problems.append(RunError(path, f"does not fit the run ({reason(error)})"))
        if problems:
            raise problems[0]
        return Trainer(self.recipe, dataset, self.about.get("n_threads", 1))

    def _write_description(self) -> None:
        self._write(DESCRIPTION, json.dumps(self.about, indent=1))

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        try:
            write_atomically(path, text.encode())
        except OSError as error:
            raise RunError(path, f"cannot be written ({reason(error)})") from error


def runs_folder() -> Path:
    """Return the folder of all runs, which may not exist yet."""
    return user_folders.runs_path()


def run_folders() -> set[Path]:
    """Return the folders that hold a run, readable or not."""
    folder = runs_folder()
    return {path.parent for pattern in (DESCRIPTION, "step-*.npz") for path in folder.glob(f"*/{pattern}")}


def all_runs() -> list[Run]:
    """Open every readable run, newest first."""
    runs = []
    for folder in run_folders():
        with contextlib.suppress(RunError):
            runs.append(Run.open(folder))
    return sorted(runs, key=lambda run: (run.started, run.id), reverse=True)


def find_run(text: str) -> Run:
    """Find a run by its folder, id or name, or by the start or end of its id; the newest of several matches.

    Raises
    ------
    RunError
        If no run matches, or the run cannot be read.
    """
    if "\0" not in text and _is_run(Path(text)):
        return Run.open(Path(text))
    if text and _is_run(runs_folder() / text):
        return Run.open(runs_folder() / text)
    runs = all_runs()
    matches = [run for run in runs if run.name == text] or [
        run for run in runs if text and (run.id.startswith(text) or run.id.endswith(text))
    ]
    if not matches:
        raise RunError(runs_folder(), f"has no run {text!r}; list all runs with `digitpad runs`")
    return matches[0]


def _checkpoints_of(step: int) -> str:
    """Return the start of the file names of a step's checkpoints."""
    return f"step-{step:09d}"


def _checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoint files in a folder, newest first."""
    return sorted((path for path in folder.glob("step-*.npz") if _CHECKPOINT.fullmatch(path.name)), reverse=True)


def _own_files(folder: Path) -> tuple[str, ...]:
    """Return the names of a run's files, without checkpoints."""
    return DESCRIPTION, "name.txt", "summary.json", "log.jsonl", _LOCK, f"{folder.name}.npz"


def _is_run(folder: Path) -> bool:
    try:
        return (folder / DESCRIPTION).is_file() or bool(_checkpoints(folder))
    except OSError:  # for example a name that is too long
        return False


def _name_in_path(recipe: Recipe) -> str:
    return safe_file_name(recipe.name, "-_", MAX_NAME_IN_PATH)
