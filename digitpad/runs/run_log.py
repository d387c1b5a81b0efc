"""The log of a run: every metric as a line of JSON, only ever added to.

A process that is killed may leave half a line, and one that goes on from a checkpoint repeats what came after it. A
reader passes over the first, and a line ``begun`` says where the second is to be forgotten.
"""

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.nn.arrays import Floats
from digitpad.training.events import EpochDone, SettingChange, epoch_from


class RunLog:
    """Adds lines to a file; what could not be written, as on a full disk, is written first the next time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._pending = b""

    def add(self, kind: str, **values: Any) -> None:
        """Write a line.

        Raises
        ------
        OSError
            If it cannot be written now; it is kept for the next time.
        """
        self._pending += json.dumps({"kind": kind, **values}).encode() + b"\n"
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            self._pending = b"\n" + self._pending  # ends what a killed process may have left
        written = os.write(self._descriptor, self._pending)
        if written < len(self._pending):
            self._pending = b"\n" + self._pending
            raise OSError(f"only {written} of {len(self._pending)} bytes were written")
        self._pending = b""

    def sync(self) -> None:
        """Wait until all is on the disk."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass
class RunHistory:
    """What a log tells, without what was forgotten.

    Attributes
    ----------
    losses : list of float
        Of each step; NaN where none is known.
    seconds : list of float
        At work until each step.
    epochs : list of EpochDone
    epoch_seconds : list of float
        At work until each of them.
    changes : list of Change
    """

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    epochs: list[EpochDone] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list)
    changes: list[SettingChange] = field(default_factory=list)

    def forget(self, step: int, n_epochs: int, n_changes: int) -> None:
        """Keep so much alone."""
        del self.losses[step:], self.seconds[step:]
        del self.epochs[n_epochs:], self.epoch_seconds[n_epochs:]
        del self.changes[n_changes:]

    def arrays(self) -> tuple[Floats, Floats]:
        """Losses and seconds, each of shape (n_steps,)."""
        return np.array(self.losses), np.array(self.seconds)


def read_log(path: Path) -> RunHistory:
    """What the log tells; nothing, where there is none.

    Lines that are none, or tell nothing that is known here, are passed over.
    """
    history = RunHistory()
    try:
        content = path.read_bytes()
    except OSError:
        return history
    for line in content.splitlines():
        with contextlib.suppress(KeyError, TypeError, ValueError, RecursionError):
            _take(history, json.loads(line))
    return history


def _take(history: RunHistory, record: dict[str, Any]) -> None:
    match record["kind"]:
        case "begun":
            history.forget(int(record["step"]), int(record["n_epochs"]), int(record["n_changes"]))
        case "steps":
            begin, losses = int(record["first"]) - 1, [float(loss) for loss in record["losses"]]
            missing = begin - len(history.losses)
            if not 0 <= missing <= 10_000_000:
                return
            since = max([0.0, *history.seconds[-1:], *history.epoch_seconds[-1:]])
            seconds = np.linspace(since, float(record["seconds"]), missing + len(losses) + 1)[1:]
            history.losses += [float("nan")] * missing + losses
            history.seconds += seconds.tolist()
        case "epoch":
            history.epochs.append(epoch_from(record["epoch"]))
            history.epoch_seconds.append(float(record["seconds"]))
        case "change":
            history.changes.append(SettingChange(int(record["step"]), dict(record["settings"])))
