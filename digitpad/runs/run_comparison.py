"""Comparison of runs: curves over steps, epochs or time, differences in settings, and CSV export."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from digitpad.nn.arrays import Floats
from digitpad.runs.run import Run, RunSummary
from digitpad.runs.run_log import RunHistory
from digitpad.training.events import EpochDone, SettingChange
from digitpad.training.setting_values import flattened

SCORES = ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy")
_NOT_COMPARED = ("name", "description")
_NEGLIGIBLE_DECAY, _MIN_WEIGHT = 1e-20, 1e-9  # below these, older values no longer count; an average is unknown


class CurveAxis(StrEnum):
    """Horizontal axis of curves."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"


@dataclass(frozen=True, eq=False)
class RunCurve:
    """Points of a curve, each array of shape (n,); time is in seconds."""

    x: Floats
    y: Floats


@dataclass(frozen=True)
class RunTrace:
    """Immutable snapshot of a run for comparison.

    Attributes
    ----------
    about : mapping
        Contents of ``run.json``.
    settings : mapping
        Settings at the start of the run, by dotted key.
    """

    id: str
    name: str
    about: Mapping[str, Any]
    settings: Mapping[str, Any]
    summary: RunSummary
    history: RunHistory

    @classmethod
    def of(cls, run: Run) -> "RunTrace":
        """Return the current trace of a run."""
        return cls(run.id, run.name, run.about, flattened(run.recipe.to_dict()), run.summary(), run.history())

    @property
    def steps_per_epoch(self) -> int:
        """Batches per epoch; 1 while unknown."""
        return max(1, self.summary.n_steps // max(1, self.summary.n_epochs))

    def losses(self, axis: CurveAxis) -> RunCurve:
        """Return the loss of each batch."""
        losses, seconds = self.history.arrays()
        return RunCurve(self._x(axis, np.arange(1, len(losses) + 1), seconds), losses)

    def scores(self, score: str, axis: CurveAxis) -> RunCurve:
        """Return one of `SCORES`, at the end of each epoch."""
        epochs = self.history.epochs
        steps = np.array([epoch.step for epoch in epochs], float)
        return RunCurve(
            self._x(axis, steps, np.array(self.history.epoch_seconds, float)),
            np.array([score_of(epoch, score) for epoch in epochs], float),
        )

    def planned(self, axis: CurveAxis) -> float:
        """Return the planned end of the axis; for time, extrapolated from the pace so far."""
        summary = self.summary
        if axis is CurveAxis.TIME:
            return summary.seconds * max(1.0, summary.n_steps / summary.step) if summary.step else summary.seconds
        return float(summary.n_steps if axis is CurveAxis.STEP else summary.n_epochs)

    def changes(self, axis: CurveAxis) -> list[tuple[float, SettingChange]]:
        """Return the setting changes, each with its position on the axis."""
        _, seconds = self.history.arrays()
        seconds = np.concatenate([[0.0], seconds])
        places = [min(change.step, len(seconds) - 1) for change in self.history.changes]
        return [
            (float(self._x(axis, np.array(place, float), seconds[place])), change)
            for place, change in zip(places, self.history.changes, strict=True)
        ]

    def _x(self, axis: CurveAxis, steps: Any, seconds: Any) -> Any:
        if axis is CurveAxis.TIME:
            return seconds
        return steps / self.steps_per_epoch if axis is CurveAxis.EPOCH else np.asarray(steps, float)


@dataclass(frozen=True)
class RunMark:
    """Mark on a run's curve where settings were changed."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, eq=False)
class RunLines:
    """Curves of a run, ready to draw.

    Attributes
    ----------
    raw, smooth : RunCurve
        Loss of each batch, and its moving average.
    scores : mapping of RunCurve
        A curve for each of `SCORES`.
    planned : float
        Planned end of the axis.
    """

    id: str
    name: str
    raw: RunCurve
    smooth: RunCurve
    scores: Mapping[str, RunCurve]
    marks: tuple[RunMark, ...]
    planned: float

    @classmethod
    def of(cls, trace: RunTrace, axis: CurveAxis, span: float) -> "RunLines":
        """Return the curves of a run, with a moving average over about ``span`` steps."""
        raw = trace.losses(axis)
        smooth = RunCurve(raw.x, smoothed(raw.y, span))
        scores = {score: trace.scores(score, axis) for score in SCORES}
        marks = tuple(
            RunMark(x, y, f"step {change.step:,}: {settings_text(change.settings)}")
            for x, change in trace.changes(axis)
            if (y := value_at(smooth, x)) is not None
        )
        return cls(trace.id, trace.name, raw, smooth, scores, marks, trace.planned(axis))


@dataclass(frozen=True)
class SettingDifference:
    """Setting that differs between runs, with its value in each run as text."""

    key: str
    texts: tuple[str, ...]


def score_of(epoch: EpochDone, score: str) -> float:
    """Return one of `SCORES` of an epoch."""
    part, _, kind = score.partition("_")
    return float(getattr(getattr(epoch, part), kind))


def differences(traces: Sequence[RunTrace]) -> list[SettingDifference]:
    """Return the settings that differ between runs, then differences in data, threads and version.

    A setting that was changed during a run has the form ``0.1, 0.01 from step 400``.
    """
    columns = [_texts_by_key(trace) for trace in traces]
    keys = list(dict.fromkeys(key for texts in columns for key in texts))
    rows = [SettingDifference(key, tuple(texts.get(key, "–") for texts in columns)) for key in keys]
    return [row for row in rows if len(set(row.texts)) > 1]


def smoothed(values: Floats, span: float) -> Floats:
    """Return the exponential moving average over about ``span`` values, ignoring NaN.

    Each value weighs ``1 - 1 / span`` times as much as the next value. The weights of known values are normalised to
    sum to 1, so the average is not biased towards 0 at the start or after a gap.

    Parameters
    ----------
    values : ndarray of shape (n,)
    span : float, 1 or more

    Returns
    -------
    ndarray of shape (n,)
        NaN before the first known value, and after a gap that is much longer than ``span``.
    """
    known = np.isfinite(values)
    weight = 1 - 1 / max(1.0, span)
    sums, weights = np.where(known, values, 0.0), known.astype(float)
    reach = 1
    while reach < len(values) and (decay := weight**reach) > _NEGLIGIBLE_DECAY:
        # Each sum covers `reach` values; adding the sum that ends `reach` values earlier doubles that.
        for array in (sums, weights):
            array[reach:] += decay * array[:-reach]
        reach *= 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weights > _MIN_WEIGHT, sums / weights, np.nan)


def loss_limits(lines: Sequence[RunLines], *, logarithmic: bool) -> tuple[float, float]:
    """Return limits of a loss axis that fit moving averages and validation losses; batch losses may lie outside."""
    values = _finite(curve for line in lines for curve in (line.smooth, line.scores["validation_loss"]))
    if logarithmic:
        values = values[values > 0]
        return (values.min() / 1.25, values.max() * 1.25) if values.size else (0.01, 3.0)
    return 0.0, 1.05 * values.max() if values.size and values.max() > 0 else 3.0


def accuracy_limits(lines: Sequence[RunLines]) -> tuple[float, float]:
    """Return limits of an accuracy axis that fit all scores except epoch 0, which would take up most of the axis."""
    curves = [line.scores[score] for line in lines for score in SCORES if score.endswith("accuracy")]
    values = _finite(RunCurve(curve.x[1:], curve.y[1:]) for curve in curves)
    if not values.size:
        return 0.0, 1.0
    margin = max(0.06 * (values.max() - values.min()), 0.001)
    return max(0.0, values.min() - margin), min(1.0, values.max()) + margin


def value_at(curve: RunCurve, x: float) -> float | None:
    """Return the last known value at or before ``x``; None if there is no such value."""
    place = int(np.searchsorted(curve.x, x, side="right"))
    known = np.flatnonzero(np.isfinite(curve.y[:place]))
    return float(curve.y[known[-1]]) if known.size else None


def to_csv(trace: RunTrace) -> str:
    """Return a run's log as CSV, one row per step, with scores at the end of epochs and setting changes."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["step", "epoch", "seconds", "loss", *SCORES, "changed"])
    losses, seconds = trace.history.losses, trace.history.seconds
    epochs = {epoch.step: epoch for epoch in trace.history.epochs}
    epoch_ends = dict(zip((epoch.step for epoch in trace.history.epochs), trace.history.epoch_seconds, strict=True))
    changes: dict[int, dict[str, Any]] = {}
    for change in trace.history.changes:
        changes.setdefault(change.step, {}).update(change.settings)
    for step in range(max([len(losses), *epochs, *changes]) + 1):
        known = 0 < step <= len(losses)
        loss = losses[step - 1] if known else float("nan")
        table.writerow(
            [
                step,
                f"{step / trace.steps_per_epoch:.6g}",
                f"{epoch_ends[step] if step in epoch_ends else seconds[step - 1] if known else 0.0:.3f}",
                repr(loss) if np.isfinite(loss) else "",
                *(repr(score_of(epochs[step], score)) if step in epochs else "" for score in SCORES),
                settings_text(changes.get(step, {})),
            ]
        )
    return text.getvalue()


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings as one line of text, by dotted key."""
    return "; ".join(f"{key}={setting_text(value)}" for key, value in settings.items())


def setting_text(value: Any) -> str:
    """Return a setting's value as text, in the form that users type."""
    if isinstance(value, str):
        return value
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def format_duration(seconds: float) -> str:
    """Format seconds as minutes and seconds, for example ``0:09``, or ``1:01:01`` from one hour on."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _finite(curves: Iterable[RunCurve]) -> Floats:
    values = np.concatenate([np.empty(0), *(curve.y for curve in curves)])
    return values[np.isfinite(values)]


def _texts_by_key(trace: RunTrace) -> dict[str, str]:
    texts = {key: setting_text(value) for key, value in trace.settings.items() if key not in _NOT_COMPARED}
    for change in trace.history.changes:
        for key, value in change.settings.items():
            texts[key] = f"{texts.get(key, '–')}, {setting_text(value)} from step {change.step:,}"
    data = trace.about.get("data")
    facts = {
        "data": str(data.get("contents_sha256", ""))[:12] if isinstance(data, Mapping) else "",
        "threads": str(trace.about.get("n_threads", "")),
        "BLAS threads": str(trace.about.get("blas_threads", "")),
        "version": str(trace.about.get("digitpad", "")),
    }
    return texts | facts
