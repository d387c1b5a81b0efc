"""Run log: an append-only file with every metric as a line of JSON.

A killed process may leave an incomplete line, which the reader skips. A process that resumes from a checkpoint repeats
the steps after it; its ``begun`` line tells the reader from which step to discard the older lines.
"""

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.nn.arrays import Floats
from digitpad.training.events import EpochDone, SettingChange, epoch_from_dict


class RunLog:
    """Append-only log file; lines that could not be written, for example on a full disk, are written with the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._pending = b""

    def add(self, kind: str, **values: Any) -> None:
        """Append a line.

        Raises
        ------
        OSError
            If the line cannot be written now; the next call writes it.
        """
        self._pending += json.dumps({"kind": kind, **values}).encode() + b"\n"
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            self._pending = b"\n" + self._pending  # ends an incomplete line of a killed process
        written = os.write(self._descriptor, self._pending)
        if written < len(self._pending):
            self._pending = b"\n" + self._pending
            raise OSError(f"only {written} of {len(self._pending)} bytes were written")
        self._pending = b""

    def sync(self) -> None:
        """Flush the file to disk."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass
class RunHistory:
    """Contents of a log, without discarded steps.

    Attributes
    ----------
    losses : list of float
        Loss of each step; NaN if unknown.
    seconds : list of float
        Training time up to each step.
    epochs : list of EpochDone
    epoch_seconds : list of float
        Training time up to the end of each epoch.
    changes : list of SettingChange
    """

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    epochs: list[EpochDone] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list)
    changes: list[SettingChange] = field(default_factory=list)

    def truncate(self, step: int, n_epochs: int, n_changes: int) -> None:
        """Discard everything after the first ``step`` steps, ``n_epochs`` epochs and ``n_changes`` changes."""
        del self.losses[step:], self.seconds[step:]
        del self.epochs[n_epochs:], self.epoch_seconds[n_epochs:]
        del self.changes[n_changes:]

    def arrays(self) -> tuple[Floats, Floats]:
        """Return losses and seconds, each of shape (n_steps,)."""
        return np.array(self.losses), np.array(self.seconds)


def read_log(path: Path) -> RunHistory:
    """Read a log; an empty history if there is no file.

    Invalid lines, and lines of an unknown kind, are skipped.
    """
    history = RunHistory()
    try:
        content = path.read_bytes()
    except OSError:
        return history
    for line in content.splitlines():
        with contextlib.suppress(KeyError, TypeError, ValueError, RecursionError):
            _apply(history, json.loads(line))
    return history


def _apply(history: RunHistory, record: dict[str, Any]) -> None:
    match record["kind"]:
        case "begun":
            history.truncate(int(record["step"]), int(record["n_epochs"]), int(record["n_changes"]))
        case "steps":
            start, losses = int(record["first"]) - 1, [float(loss) for loss in record["losses"]]
            missing = start - len(history.losses)
            if not 0 <= missing <= 10_000_000:
                return
            since = max([0.0, *history.seconds[-1:], *history.epoch_seconds[-1:]])
            seconds = np.linspace(since, float(record["seconds"]), missing + len(losses) + 1)[1:]
            history.losses += [float("nan")] * missing + losses
            history.seconds += seconds.tolist()
        case "epoch":
            history.epochs.append(epoch_from_dict(record["epoch"]))
            history.epoch_seconds.append(float(record["seconds"]))
        case "change":
            history.changes.append(SettingChange(int(record["step"]), dict(record["settings"])))
