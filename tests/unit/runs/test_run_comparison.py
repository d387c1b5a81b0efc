import csv
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitpad.runs.recorder import Recorder
from digitpad.runs.run import Run
from digitpad.runs.run_comparison import (
    SCORES,
    CurveAxis,
    RunCurve,
    RunLines,
    RunTrace,
    accuracy_limits,
    differences,
    format_duration,
    loss_limits,
    smoothed,
    to_csv,
    value_at,
)
from digitpad.runs.run_log import RunLog
from digitpad.training.events import StepDone
from digitpad.training.trainer import Trainer
from tests.unit.training.made_runs import made_run
from tests.unit.training.small import small_dataset, small_recipe


def changed(run: Run, step: int, **settings: Any) -> RunTrace:
    """Add a setting change after that step, and return the run's trace."""
    log = RunLog(run.log_path)
    log.add("change", step=step, settings={key.replace("__", "."): value for key, value in settings.items()})
    log.close()
    return RunTrace.of(run)


def reference_average(values: list[float], span: float) -> list[float]:
    """Reference implementation: a moving average with bias correction as in Adam, value by value."""
    decay = 1 - 1 / span
    average, weight, averages = 0.0, 0.0, []
    for value in values:
        average, weight = decay * average, decay * weight
        if np.isfinite(value):
            average, weight = average + value / span, weight + 1 / span
        averages.append(average / weight if weight else float("nan"))
    return averages


@given(
    values=st.lists(st.floats(-1e3, 1e3) | st.just(float("nan")), max_size=200),
    span=st.floats(1, 500),
)
@settings(deadline=None)
def test_smoothing_is_bias_corrected(values: list[float], span: float) -> None:
    """`smoothed` equals the bias-corrected moving average, with and without gaps."""
    actual = smoothed(np.array(values, float), span)
    expected = np.array(reference_average(values, span), float)
    known = np.isfinite(actual)
    np.testing.assert_allclose(actual[known], expected[known], atol=1e-6)
    if span > 20 or not np.isnan(np.array(values)).any():
        np.testing.assert_array_equal(known, np.isfinite(expected))


def test_smoothing_starts_at_the_first_value() -> None:
    """The average is not biased towards 0 at the start, and a span of 1 returns the values."""
    values = np.array([5.0, 5.0, 5.0, 8.0])
    assert smoothed(values, 10)[:3] == pytest.approx(5.0)
    np.testing.assert_array_equal(smoothed(values, 1), values)


def test_curves_are_over_steps_epochs_or_time() -> None:
    """Curves have the same losses and scores on each axis, at the right positions."""
    trace = RunTrace.of(made_run())
    losses = [2.0 * 0.5**step for step in range(1, 13)]
    places: dict[CurveAxis, Any] = {
        CurveAxis.STEP: np.arange(1, 13),
        CurveAxis.EPOCH: np.arange(1, 13) / 4,
        CurveAxis.TIME: [0.625, 0.75, 0.875, 1, 1.4375, 1.625, 1.8125, 2, 2.4375, 2.625, 2.8125, 3],
    }
    for axis, x in places.items():
        curve = trace.losses(axis)
        np.testing.assert_allclose(curve.x, x)
        np.testing.assert_array_equal(curve.y, losses)
    ends: dict[CurveAxis, Any] = {
        CurveAxis.STEP: [0, 4, 8, 12],
        CurveAxis.EPOCH: [0, 1, 2, 3],
        CurveAxis.TIME: [0.5, 1.25, 2.25, 3.25],
    }
    for axis, x in ends.items():
        np.testing.assert_allclose(trace.scores("validation_accuracy", axis).x, x)
    assert trace.scores("validation_accuracy", CurveAxis.STEP).y == pytest.approx([0.1, 0.5, 0.75, 0.875])
    assert trace.scores("training_loss", CurveAxis.STEP).y == pytest.approx([0.9, 0.5, 0.25, 0.125])


def test_axis_ends_at_the_planned_end() -> None:
    """The axis of an unfinished run ends at its planned steps and epochs, and at the extrapolated time."""
    trace = RunTrace.of(made_run(n_epochs=1))
    assert [trace.planned(axis) for axis in (CurveAxis.STEP, CurveAxis.EPOCH)] == [12, 3]
    assert trace.planned(CurveAxis.TIME) == pytest.approx(3 * 1.25)


def test_run_without_a_step_has_empty_curves() -> None:
    """A run without a log or summary has empty curves."""
    run = made_run(n_epochs=0)
    run.log_path.unlink()
    (run.folder / "summary.json").unlink()
    trace = RunTrace.of(run)
    for axis in CurveAxis:
        assert not trace.losses(axis).x.size
        assert not any(trace.scores(score, axis).y.size for score in SCORES)
        assert trace.changes(axis) == []
    assert to_csv(trace).count("\n") == 2


def test_changes_have_positions_on_each_axis() -> None:
    """Changes have the right position on each axis."""
    trace = changed(made_run(), 6, optimizer__learning_rate=0.5)
    for axis, x in ((CurveAxis.STEP, 6), (CurveAxis.EPOCH, 1.5), (CurveAxis.TIME, 1.625)):
        ((place, change),) = trace.changes(axis)
        assert place == x
        assert change.settings == {"optimizer.learning_rate": 0.5}


def test_differing_settings_are_returned() -> None:
    """Only differing settings are returned, in the recipe's order; changes include their step."""
    first = RunTrace.of(made_run("one", loss__l2=0.1))
    second = changed(made_run("other", network__hidden=[64, 32]), 1500, optimizer__learning_rate=0.25)
    rate = str(first.settings["optimizer.learning_rate"])
    assert [(row.key, row.texts) for row in differences([first, second])] == [
        ("network.hidden", ("[32]", "[64, 32]")),
        ("loss.l2", ("0.1", "0.0")),
        ("optimizer.learning_rate", (rate, f"{rate}, 0.25 from step 1,500")),
    ]
    assert differences([first]) == differences([first, first]) == []


def test_different_data_are_a_difference() -> None:
    """Runs with the same settings but other data differ in their data."""
    first, second = (RunTrace.of(made_run()) for _ in range(2))
    about = {**second.about, "data": {"name": "small", "contents_sha256": "f" * 64}}
    second = RunTrace(second.id, second.name, about, second.settings, second.summary, second.history)
    assert [(row.key, row.texts) for row in differences([first, second])] == [("data", ("0" * 12, "f" * 12))]


def test_value_at_a_position_is_the_last_known() -> None:
    """`value_at` returns the last known value, or None before the first."""
    curve = RunCurve(np.array([1.0, 2, 3, 4]), np.array([np.nan, 5, np.nan, 7]))
    assert [value_at(curve, x) for x in (0, 1, 2.5, 3.9, 4, 100)] == [None, None, 5, 5, 7, 7]


def test_csv_has_the_whole_log() -> None:
    """The CSV has every loss, scores at the end of epochs, and changes at their steps."""
    trace = changed(made_run(), 6, optimizer__learning_rate=0.5, loss__l2=0.01)
    rows = list(csv.DictReader(io.StringIO(to_csv(trace))))
    assert [int(row["step"]) for row in rows] == list(range(13))
    assert [row["loss"] for row in rows] == ["", *(repr(2.0 * 0.5**step) for step in range(1, 13))]
    assert [row["step"] for row in rows if row["validation_accuracy"]] == ["0", "4", "8", "12"]
    assert float(rows[8]["validation_accuracy"]) == 0.75
    assert (rows[8]["epoch"], rows[8]["seconds"], rows[7]["seconds"]) == ("2", "2.250", "1.812")
    assert [row["changed"] for row in rows if row["changed"]] == ["optimizer.learning_rate=0.5; loss.l2=0.01"]


def test_trace_equals_the_training_run() -> None:
    """The trace of a real run has its trainer's losses and steps per epoch."""
    dataset, recipe = small_dataset(), small_recipe()
    trainer = Trainer(recipe, dataset)
    with Recorder(trainer, Run.create(recipe, dataset, 1), dataset) as recorder:
        losses = [record.loss for record in recorder.train() if isinstance(record, StepDone)]
        recorder.pause()
    assert recorder.run is not None
    trace = RunTrace.of(recorder.run)
    assert trace.steps_per_epoch == trainer.steps_per_epoch
    np.testing.assert_array_equal(trace.losses(CurveAxis.STEP).y, losses)
    assert trace.losses(CurveAxis.EPOCH).x[-1] == 3
    assert trace.scores("validation_loss", CurveAxis.EPOCH).x.tolist() == [0, 1, 2, 3]


def test_format_duration() -> None:
    """`format_duration` shows hours only from one hour on."""
    assert [format_duration(seconds) for seconds in (0.4, 59.6, 3599, 3661)] == ["0:00", "1:00", "59:59", "1:01:01"]


def test_curves_have_marks_at_changes() -> None:
    """Curves have a mark on the moving average where a setting changed."""
    trace = changed(made_run(), 6, optimizer__learning_rate=0.5)
    lines = RunLines.of(trace, CurveAxis.STEP, 2)
    np.testing.assert_array_equal(lines.smooth.y, smoothed(lines.raw.y, 2))
    (mark,) = lines.marks
    assert (mark.x, mark.y, mark.text) == (6, value_at(lines.smooth, 6), "step 6: optimizer.learning_rate=0.5")
    assert set(lines.scores) == set(SCORES)


def test_limits_fit_the_curves() -> None:
    """Limits fit averages, validation losses and trained accuracies, with defaults for empty curves."""
    lines = [RunLines.of(RunTrace.of(made_run()), CurveAxis.STEP, 1)]
    low, high = loss_limits(lines, logarithmic=True)
    assert (low, high) == pytest.approx((2.0 * 0.5**12 / 1.25, 1.25))
    assert loss_limits(lines, logarithmic=False) == pytest.approx((0, 1.05))
    low, high = accuracy_limits(lines)
    assert 0.4 < low < 0.5
    assert 0.885 < high < 1
    empty = [RunLines.of(RunTrace.of(made_run(n_epochs=0)), CurveAxis.STEP, 1)]
    empty[0].scores["validation_loss"].y[:] = np.nan
    assert loss_limits(empty, logarithmic=True) == (0.01, 3.0)
    assert loss_limits([], logarithmic=False) == (0.0, 3.0)
    assert accuracy_limits(empty) == (0.0, 1.0)
