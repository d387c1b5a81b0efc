"""Run log: an append-only file with every metric as a line of JSON.

A killed process may leave an incomplete line, which the reader skips. A process that resumes from a checkpoint repeats
the steps after it; its ``begun`` line states from which step the reader discards older lines.
"""

import contextlib
import io
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.formats import json_values
from digitpad.formats.bounded_read import read_bounded
from digitpad.nn.arrays import Floats
from digitpad.training.events import EpochDone, SettingChange, change_from_dict, epoch_from_dict

MAX_BYTES = 256 * 2**20
"""Size limit of a log; ten million steps take about 200 MB."""

MAX_LINE_BYTES = 2**20
"""Size limit of a line; a second of steps takes about 100 kB."""

MAX_STEPS = 10_000_000
MAX_MISSING = 1_000_000
"""Limit of steps that are not in the log; a kill loses those of about a second."""

_MAX_KEY, _MAX_SETTING = 100, 1000


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
            # Without O_BINARY, Windows writes other line ends; with O_NOFOLLOW, a link is an error.
            flags = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | flags, 0o666)
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
    n_missing : int
        Number of steps whose loss is unknown.
    """

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    epochs: list[EpochDone] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list)
    changes: list[SettingChange] = field(default_factory=list)
    n_missing: int = 0

    def truncate(self, step: int, n_epochs: int, n_changes: int) -> None:
        """Discard everything after the first ``step`` steps, ``n_epochs`` epochs and ``n_changes`` changes."""
        del self.losses[step:], self.seconds[step:]
        del self.epochs[n_epochs:], self.epoch_seconds[n_epochs:]
        del self.changes[n_changes:]

    def arrays(self) -> tuple[Floats, Floats]:
        """Return losses and seconds, each of shape (n_steps,)."""
        return np.array(self.losses), np.array(self.seconds)


def read_log(path: Path) -> RunHistory:
    """Read a log; an empty history if there is no file, or it is larger than `MAX_BYTES`.

    Invalid lines, lines longer than `MAX_LINE_BYTES`, and lines of an unknown kind are skipped.
    """
    history = RunHistory()
    try:
        content = io.BytesIO(read_bounded(path, MAX_BYTES))
    except OSError:
        return history
    for line in content:
        if len(line) <= MAX_LINE_BYTES:
            with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError, RecursionError):
                _apply(history, json.loads(line))
    return history


def _apply(history: RunHistory, record: Any) -> None:
    match record["kind"]:
        case "begun":
            history.truncate(*(json_values.whole_number(record[key]) for key in ("step", "n_epochs", "n_changes")))
        case "steps":
            start = json_values.whole_number(record["first"], 1) - 1
            losses, seconds = [_loss(loss) for loss in record["losses"]], _seconds(record["seconds"])
            missing = start - len(history.losses)
            _check_step(history, start + len(losses), n_written=len(losses))
            if missing < 0:
                return
            since = max([0.0, *history.seconds[-1:], *history.epoch_seconds[-1:]])
            times = np.linspace(since, seconds, missing + len(losses) + 1)[1:]
            history.losses += [float("nan")] * missing + losses
            history.seconds += times.tolist()
            history.n_missing += missing
        case "epoch":
            epoch, seconds = epoch_from_dict(record["epoch"]), _seconds(record["seconds"])
            _check_step(history, epoch.step)
            history.epochs.append(epoch)
            history.epoch_seconds.append(seconds)
        case "change":
            change = change_from_dict(record)
            _check_step(history, change.step)
            for key, value in change.settings.items():
                json_values.text(key, _MAX_KEY)
                _check_setting(value)
            history.changes.append(change)


def _check_step(history: RunHistory, step: int, n_written: int = 0) -> None:
    """Raise ValueError if a line would claim steps beyond all reason: each costs memory, in a table a row."""
    if step > MAX_STEPS or step - n_written - len(history.losses) + history.n_missing > MAX_MISSING:
        raise ValueError("too many steps")


def _loss(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError("expected a number")  # as the other checks
    return float(value)


def _seconds(value: Any) -> float:
    return json_values.number(value, 0, 1e9)


def _check_setting(value: Any) -> None:
    """Raise ValueError unless the value is a number, a text or a short list of them."""
    for item in value if isinstance(value, list) else [value]:
        if type(item) not in (int, float, bool):
            json_values.text(item, _MAX_SETTING)
    if isinstance(value, list) and len(value) > _MAX_SETTING:
        raise ValueError("a list is too long")
