"""Runs beside each other: their curves over steps, epochs or time, what differs in their settings, and both as text."""

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
_NO_SETTINGS = ("name", "description")
_FORGOTTEN, _REMEMBERED = 1e-20, 1e-9  # weights that no longer count, and that still say something


class CurveAxis(StrEnum):
    """Over what curves are drawn."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"


@dataclass(frozen=True, eq=False)
class RunCurve:
    """A line's points, each of shape (n,); time is in seconds."""

    x: Floats
    y: Floats


@dataclass(frozen=True)
class RunTrace:
    """All that comparing needs of a run; nothing in it changes any more.

    Attributes
    ----------
    about : mapping
        What ``run.json`` holds.
    settings : mapping
        By dotted key, as the run began.
    """

    id: str
    name: str
    about: Mapping[str, Any]
    settings: Mapping[str, Any]
    summary: RunSummary
    history: RunHistory

    @classmethod
    def of(cls, run: Run) -> "RunTrace":
        """That of a run as it is now."""
        return cls(run.id, run.name, run.about, flattened(run.recipe.to_dict()), run.summary(), run.history())

    @property
    def steps_per_epoch(self) -> int:
        """Batches a pass over the data; 1 while that is not known."""
        return max(1, self.summary.n_steps // max(1, self.summary.n_epochs))

    def losses(self, axis: CurveAxis) -> RunCurve:
        """The loss of each batch."""
        losses, seconds = self.history.arrays()
        return RunCurve(self._x(axis, np.arange(1, len(losses) + 1), seconds), losses)

    def scores(self, score: str, axis: CurveAxis) -> RunCurve:
        """One of `SCORES`, at each epoch's end."""
        epochs = self.history.epochs
        steps = np.array([epoch.step for epoch in epochs], float)
        return RunCurve(
            self._x(axis, steps, np.array(self.history.epoch_seconds, float)),
            np.array([score_of(epoch, score) for epoch in epochs], float),
        )

    def planned(self, axis: CurveAxis) -> float:
        """Where the axis is to end; for time, as long as the rest takes at the pace so far."""
        summary = self.summary
        if axis is CurveAxis.TIME:
            return summary.seconds * max(1.0, summary.n_steps / summary.step) if summary.step else summary.seconds
        return float(summary.n_steps if axis is CurveAxis.STEP else summary.n_epochs)

    def changes(self, axis: CurveAxis) -> list[tuple[float, SettingChange]]:
        """Settings that became others, and where."""
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
    """A place on a run's line at which settings became others."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, eq=False)
class RunLines:
    """A run's lines, ready to be drawn.

    Attributes
    ----------
    raw, smooth : Curve
        The loss of each batch, and its average.
    scores : mapping of Curve
        By each of `SCORES`.
    planned : float
        Where the axis is to end while the run is in training.
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
        """Those of a run, with an average over ``span`` steps."""
        raw = trace.losses(axis)
        smooth = RunCurve(raw.x, smoothed(raw.y, span))
        scores = {score: trace.scores(score, axis) for score in SCORES}
        marks = tuple(
            RunMark(x, y, f"step {change.step:,}: {settings_text(change.settings)}")
            for x, change in trace.changes(axis)
            if (y := values_at(smooth, x)) is not None
        )
        return cls(trace.id, trace.name, raw, smooth, scores, marks, trace.planned(axis))


@dataclass(frozen=True)
class SettingDifference:
    """A setting that is not the same in all runs; a text for each of them."""

    key: str
    texts: tuple[str, ...]


def score_of(epoch: EpochDone, score: str) -> float:
    """One of `SCORES` of an epoch."""
    part, _, kind = score.partition("_")
    return float(getattr(getattr(epoch, part), kind))


def differences(traces: Sequence[RunTrace]) -> list[SettingDifference]:
    """What differs in the settings of several runs, those that changed on the way among them; then data and machine.

    A setting that a run changed reads as in ``0.1, 0.01 from step 400``.
    """
    told = [_told(trace) for trace in traces]
    keys = list(dict.fromkeys(key for texts in told for key in texts))
    rows = [SettingDifference(key, tuple(texts.get(key, "–") for texts in told)) for key in keys]
    return [row for row in rows if len(set(row.texts)) > 1]


def smoothed(values: Floats, span: float) -> Floats:
    """The exponential average over about ``span`` values, those that are NaN left out.

    Each value weighs ``1 - 1 / span`` times as much as the one after it, and the weights of those that there are sum
    to 1: the average does not begin at 0, and a gap does not pull it down.

    Parameters
    ----------
    values : ndarray of shape (n,)
    span : float, 1 or more

    Returns
    -------
    ndarray of shape (n,)
        NaN before the first value that is known, and where the last one is forgotten.
    """
    known = np.isfinite(values)
    weight = 1 - 1 / max(1.0, span)
    sums, weights = np.where(known, values, 0.0), known.astype(float)
    reach = 1
    while reach < len(values) and (decay := weight**reach) > _FORGOTTEN:
        # Until now each sum goes over `reach` values; with the one that ends before it, over twice as many.
        for each in (sums, weights):
            each[reach:] += decay * each[:-reach]
        reach *= 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weights > _REMEMBERED, sums / weights, np.nan)


def loss_limits(lines: Sequence[RunLines], *, logarithmic: bool) -> tuple[float, float]:
    """What an axis of losses shows: the averages and validation, for which single batches may lie outside."""
    values = _finite(curve for line in lines for curve in (line.smooth, line.scores["validation_loss"]))
    if logarithmic:
        values = values[values > 0]
        return (values.min() / 1.25, values.max() * 1.25) if values.size else (0.01, 3.0)
    return 0.0, 1.05 * values.max() if values.size and values.max() > 0 else 3.0


def accuracy_limits(lines: Sequence[RunLines]) -> tuple[float, float]:
    """What an axis of accuracies shows: all but the untrained network, whose guesses would take up most of it."""
    curves = [line.scores[score] for line in lines for score in SCORES if score.endswith("accuracy")]
    values = _finite(RunCurve(curve.x[1:], curve.y[1:]) for curve in curves)
    if not values.size:
        return 0.0, 1.0
    margin = max(0.06 * (values.max() - values.min()), 0.001)
    return max(0.0, values.min() - margin), min(1.0, values.max()) + margin


def values_at(curve: RunCurve, x: float) -> float | None:
    """The last value that is known at ``x`` or before; None where there is none."""
    place = int(np.searchsorted(curve.x, x, side="right"))
    known = np.flatnonzero(np.isfinite(curve.y[:place]))
    return float(curve.y[known[-1]]) if known.size else None


def to_csv(trace: RunTrace) -> str:
    """A run's whole log, a line a step; scores stand where an epoch ended, changed settings where they changed."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["step", "epoch", "seconds", "loss", *SCORES, "changed"])
    losses, seconds = trace.history.losses, trace.history.seconds
    epochs = {epoch.step: epoch for epoch in trace.history.epochs}
    ended = dict(zip((epoch.step for epoch in trace.history.epochs), trace.history.epoch_seconds, strict=True))
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
                f"{ended[step] if step in ended else seconds[step - 1] if known else 0.0:.3f}",
                repr(loss) if np.isfinite(loss) else "",
                *(repr(score_of(epochs[step], score)) if step in epochs else "" for score in SCORES),
                settings_text(changes.get(step, {})),
            ]
        )
    return text.getvalue()


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings by their dotted keys, in one line."""
    return "; ".join(f"{key}={setting_text(value)}" for key, value in settings.items())


def setting_text(value: Any) -> str:
    """A setting as one writes it."""
    if isinstance(value, str):
        return value
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def clock(seconds: float) -> str:
    """Minutes and seconds, as in ``0:09``; with hours where there are some."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _finite(curves: Iterable[RunCurve]) -> Floats:
    values = np.concatenate([np.empty(0), *(curve.y for curve in curves)])
    return values[np.isfinite(values)]


def _told(trace: RunTrace) -> dict[str, str]:
    texts = {key: setting_text(value) for key, value in trace.settings.items() if key not in _NO_SETTINGS}
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
