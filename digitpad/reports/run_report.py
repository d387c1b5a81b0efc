"""Report of training runs: curves, scores, and all settings."""

from collections.abc import Sequence

from digitpad.number_format import format_percent
from digitpad.reports.html import figure, page, section, table
from digitpad.runs.run import Run
from digitpad.runs.run_comparison import CurveAxis, RunLines, RunTrace, format_duration, setting_text
from digitpad.training.setting_values import flattened

_SPAN = 50  # steps over which the loss of batches is averaged
_FIGURE_PX = 760


def runs_report(runs: Sequence[Run]) -> str:
    """Return the report of one run or of several as HTML.

    Raises
    ------
    RunError
        If a run cannot be read.
    """
    from digitpad.plotting.figure_files import runs_figure

    traces = [RunTrace.of(run) for run in runs]
    lines = [RunLines.of(trace, CurveAxis.EPOCH, _SPAN) for trace in traces]
    names = [trace.name for trace in traces]
    title = f"Training of {names[0]}" if len(names) == 1 else f"{len(names)} training runs"
    scores = [
        (
            trace.name,
            str(trace.summary.status),
            f"{trace.summary.epoch} of {trace.summary.n_epochs}",
            _share(trace.summary.validation_accuracy),
            _share(trace.summary.test_accuracy),
            format_duration(trace.summary.seconds),
            f"{run.started:%Y-%m-%d %H:%M}",
        )
        for run, trace in zip(runs, traces, strict=True)
    ]
    heads = ("Run", "State", "Epochs", "Validation accuracy", "Test accuracy", "Time", "Started")
    settings = [flattened(run.latest_recipe().to_dict()) for run in runs]
    rows = [
        (key, *(setting_text(values.get(key, "–")) for values in settings))
        for key in settings[0]
        if key not in ("name", "description")
    ]
    return page(
        title,
        ", ".join(names),
        [
            section("Scores", table(heads, scores)),
            section("Curves", figure(runs_figure(lines, CurveAxis.EPOCH, "png"), "Loss and accuracy", _FIGURE_PX)),
            section("Settings", table(("Setting", *names), rows)),
        ],
    )


def _share(value: float | None) -> str:
    return "–" if value is None else format_percent(value, 2)
