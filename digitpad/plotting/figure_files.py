"""Figures written to PNG or SVG, drawn with matplotlib and without Qt, so that no window is needed."""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullFormatter, NullLocator, PercentFormatter

from digitpad.number_format import PERCENT, format_percent
from digitpad.plotting.evaluation_plots import Draw, empty_figure
from digitpad.plotting.palette import LIGHT, LINE_COLOURS
from digitpad.runs.run_comparison import CurveAxis, RunLines, accuracy_limits, format_duration, loss_limits
from digitpad.training.search_space import ChoiceRange, Range
from digitpad.tuning.trials import Trial, TrialOutcome, best_of

_COLUMNS = 3
_BELOW = "below the axis"  # kind of point whose accuracy is below the visible range
_MARKS: dict[str, dict[str, Any]] = {
    TrialOutcome.DONE: {"marker": "o", "color": LIGHT.accent, "alpha": 0.85, "linewidths": 0},
    TrialOutcome.PRUNED: {"marker": "o", "facecolors": "none", "edgecolors": LIGHT.faint, "linewidths": 1.2},
    TrialOutcome.DIVERGED: {"marker": "x", "color": LIGHT.bad, "linewidths": 1.4},
    _BELOW: {"marker": "v", "color": LIGHT.faint, "linewidths": 0},
}


def trials_figure(name: str, ranges: Sequence[Range], trials: Sequence[Trial], kind: str) -> bytes:
    """Return a figure of a search's trials as PNG or SVG: accuracy by trial, and below it accuracy by each setting.

    Trials far below the median are shown as marks at the lower edge, so that the differences among good trials stay
    visible.

    Parameters
    ----------
    name : str
        Title of the figure.
    ranges : sequence of Range
        Ranges of the settings, in the order of their panels.
    trials : sequence of Trial
    kind : {"png", "svg"}
    """
    trials = sorted(
        (trial for trial in trials if trial.state in (TrialOutcome.DONE, TrialOutcome.PRUNED, TrialOutcome.DIVERGED)),
        key=lambda trial: trial.number,
    )
    n_columns = 2 if len(ranges) == 4 else min(_COLUMNS, len(ranges))
    n_rows = -(-len(ranges) // n_columns)
    figure = Figure(
        figsize=(9.6, 3.4 + 2.5 * n_rows), facecolor=LIGHT.card,
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12, wspace=0.03, hspace=0.03),
    )  # fmt: skip
    grid = figure.add_gridspec(1 + n_rows, n_columns, height_ratios=[3.4] + [2.5] * n_rows)
    axes = figure.add_subplot(grid[0, :])
    low, high = _limits(trials)
    _style(axes, low, high)
    _draw_history(axes, trials, low)
    axes.set_title(name, loc="left", fontsize=13, color=LIGHT.text, pad=26, fontweight="bold", parse_math=False)
    for index, setting_range in enumerate(ranges):
        panel = figure.add_subplot(grid[1 + index // n_columns, index % n_columns])
        _style(panel, low, high)
        _draw_setting(panel, setting_range, trials, low)
        if index % n_columns:
            panel.yaxis.set_major_formatter(NullFormatter())
    return _encoded(figure, kind)


def evaluation_figure(draw: Draw, title: str, kind: str, width: float = 8.0, height: float = 6.0) -> bytes:
    """Return an evaluation figure with a title as PNG or SVG.

    Parameters
    ----------
    draw : callable
        Function that fills a figure; see `digitpad.plotting.evaluation_plots`.
    title : str
    kind : {"png", "svg"}
    width, height : float
        Size in inches.
    """
    figure = empty_figure(width, height, LIGHT)
    draw(figure, LIGHT)
    text = figure.suptitle(title, x=0.015, ha="left", fontsize=13, color=LIGHT.text, fontweight="bold")
    text.set_parse_math(False)
    return _encoded(figure, kind)


def runs_figure(
    lines: Sequence[RunLines],
    axis: CurveAxis,
    kind: str,
    *,
    logarithmic: bool = True,
    colours: Sequence[str] = LINE_COLOURS,
) -> bytes:
    """Return loss and accuracy of several runs in one figure as PNG or SVG; validation curves are dashed.

    Parameters
    ----------
    lines : sequence of RunLines
    axis : CurveAxis
        Quantity on the horizontal axis.
    kind : {"png", "svg"}
    logarithmic : bool
        Whether the loss axis is logarithmic.
    colours : sequence of str
        Colours of the runs; there may be more colours than runs.
    """
    figure = Figure(
        figsize=(9.6, 7.2), facecolor=LIGHT.card,
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12, wspace=0.03, hspace=0.03),
    )  # fmt: skip
    losses, accuracies = figure.subplots(2, 1, sharex=True)
    low, high = loss_limits(lines, logarithmic=logarithmic)
    _style(losses, low, high)
    losses.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    if logarithmic:
        losses.set_yscale("log")
        losses.yaxis.set_major_locator(FixedLocator(_log_ticks(low, high)))
        losses.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        losses.yaxis.set_minor_locator(NullLocator())
    _style(accuracies, *accuracy_limits(lines))
    for line, colour in zip(lines, colours, strict=False):
        losses.plot(line.raw.x, line.raw.y, color=colour, linewidth=0.7, alpha=0.22)
        losses.plot(line.smooth.x, line.smooth.y, color=colour, linewidth=1.6, label=_plain(line.name))
        marks = [(mark.x, mark.y) for mark in line.marks]
        losses.plot(
            [x for x, _ in marks], [y for _, y in marks], color=colour, linewidth=0, marker="D", markersize=4.5,
            markeredgecolor=LIGHT.card, zorder=4,
        )  # fmt: skip
        for axes, score, style in (
            (losses, "validation_loss", (0, (4, 2))),
            (accuracies, "training_accuracy", "-"),
            (accuracies, "validation_accuracy", (0, (4, 2))),
        ):
            curve = line.scores[score]
            axes.plot(curve.x, curve.y, color=colour, linewidth=1.6, linestyle=style)
    losses.plot([], [], color=LIGHT.soft, linewidth=1.4, label="training")
    losses.plot([], [], color=LIGHT.soft, linewidth=1.4, linestyle=(0, (4, 2)), label="validation")
    legend = losses.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=5, frameon=False, fontsize=9, labelcolor=LIGHT.soft,
        columnspacing=1.6, borderaxespad=0.2,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    accuracies.set_xlim(left=0)
    accuracies.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 3, 5, 6, 10] if axis is CurveAxis.TIME else None))
    if axis is CurveAxis.TIME:
        accuracies.xaxis.set_major_formatter(lambda value, _: format_duration(value))
    elif axis is CurveAxis.STEP:
        accuracies.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    losses.set_ylabel("loss", fontsize=9, color=LIGHT.soft)
    accuracies.set_ylabel("accuracy", fontsize=9, color=LIGHT.soft)
    accuracies.set_xlabel(axis, fontsize=9, color=LIGHT.soft)
    return _encoded(figure, kind)


def _plain(name: str) -> str:
    """Return a name for a legend: shortened, and not hidden for a leading underscore."""
    name = name if len(name) <= 28 else f"{name[:27]}…"
    return f"\N{WORD JOINER}{name}" if name.startswith("_") else name


def _encoded(figure: Figure, kind: str) -> bytes:
    content = io.BytesIO()
    # By default, an SVG has random IDs and a date; without them, the same data gives the same bytes.
    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "digitpad"}):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # boxes replace characters that the font lacks
        figure.savefig(content, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return content.getvalue()


def _draw_history(axes: Axes, trials: Sequence[Trial], low: float) -> None:
    """Draw the accuracy by trial number, and the best accuracy so far as a step line."""
    _scatter(axes, [trial.number for trial in trials], trials, low, size=34)
    done = [trial for trial in trials if trial.state is TrialOutcome.DONE]
    edge = max(trials[-1].number if trials else 0, 1) + 0.6
    if done:
        best = np.maximum.accumulate([trial.accuracy or 0.0 for trial in done])
        axes.step(
            [*(trial.number for trial in done), edge], [*best, best[-1]],
            where="post", color=LIGHT.second, linewidth=1.6, label="best so far", zorder=2,
        )  # fmt: skip
        axes.annotate(
            format_percent(best[-1], 2), (edge, best[-1]), xytext=(0, 5), textcoords="offset points",
            ha="right", va="bottom", fontsize=9, color=LIGHT.text, fontweight="bold",
        )  # fmt: skip
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=5, frameon=False, fontsize=9, labelcolor=LIGHT.soft,
            handletextpad=0.4, columnspacing=1.6, borderaxespad=0.2,
        )  # fmt: skip
    axes.set_xlim(-0.6, edge)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("trial", fontsize=9, color=LIGHT.soft)
    axes.set_ylabel("validation accuracy", fontsize=9, color=LIGHT.soft)


def _draw_setting(axes: Axes, setting_range: Range, trials: Sequence[Trial], low: float) -> None:
    """Draw the accuracy by the value of a setting, and mark the best trial."""
    trials = [trial for trial in trials if setting_range.key in trial.settings]
    if isinstance(setting_range, ChoiceRange):
        values = [str(setting_range.value(text)) for text in setting_range.texts]
        # Spread the marks horizontally by trial number, so that they do not cover each other.
        places = [values.index(str(trial.settings[setting_range.key])) + _jitter(trial.number) for trial in trials]
        axes.set_xlim(-0.5, len(values) - 0.5)
        axes.xaxis.set_major_locator(FixedLocator(list(range(len(values)))))
        axes.xaxis.set_major_formatter(FixedFormatter(list(setting_range.texts)))
        is_crowded = sum(map(len, setting_range.texts)) > 24
        axes.tick_params(axis="x", labelrotation=30 if is_crowded else 0)
        for label in axes.get_xticklabels():
            label.set_parse_math(False)
            label.set_horizontalalignment("right" if is_crowded else "center")
    else:
        settings = [trial.settings[setting_range.key] for trial in trials]
        places = [setting[0] if setting_range.in_list else setting for setting in settings]
        if setting_range.logarithmic:
            axes.set_xscale("log")
            margin = (setting_range.high / setting_range.low) ** 0.06
            axes.set_xlim(setting_range.low / margin, setting_range.high * margin)
            axes.xaxis.set_major_locator(FixedLocator(_log_ticks(setting_range.low, setting_range.high)))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        else:
            margin = 0.06 * (setting_range.high - setting_range.low)
            axes.set_xlim(setting_range.low - margin, setting_range.high + margin)
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    _scatter(axes, places, trials, low, size=24)
    best = best_of(trials)
    if best is not None:
        place = places[trials.index(best)]
        axes.scatter([place], [best.accuracy or 0.0], s=90, facecolors="none", edgecolors=LIGHT.second, linewidths=1.6)
    axes.set_title(setting_range.key, loc="left", fontsize=9.5, color=LIGHT.text)


def _jitter(number: int) -> float:
    """Return an offset within ±0.15, spread evenly over successive numbers by golden-ratio steps."""
    return 0.3 * (number * 0.618034 % 1 - 0.5)


def _scatter(axes: Axes, places: Sequence[float], trials: Sequence[Trial], low: float, size: float) -> None:
    """Draw one mark per trial, styled by its outcome; trials below the visible range are drawn at the lower edge."""
    accuracies = [trial.accuracy or 0.0 for trial in trials]
    kinds = [
        trial.state if trial.state is TrialOutcome.DIVERGED or accuracy >= low else _BELOW
        for trial, accuracy in zip(trials, accuracies, strict=True)
    ]
    for kind, style in _MARKS.items():
        chosen = [index for index, trial_kind in enumerate(kinds) if trial_kind == kind]
        if chosen:
            axes.scatter(
                [places[index] for index in chosen], [max(accuracies[index], low) for index in chosen],
                s=size, label=str(kind), clip_on=False, zorder=3, **style,
            )  # fmt: skip


def _limits(trials: Sequence[Trial]) -> tuple[float, float]:
    """Return the visible range of accuracies: from somewhat below the better half of the trials to the best trial."""
    accuracies = [
        trial.accuracy for trial in trials if trial.accuracy is not None and trial.state is not TrialOutcome.DIVERGED
    ]
    if not accuracies:
        return 0.0, 1.0
    best, median = max(accuracies), float(np.median(accuracies))
    threshold = best - 4 * max(best - median, 0.002)
    low = min(accuracy for accuracy in accuracies if accuracy >= threshold)
    margin = max(0.12 * (best - low), 0.0005)
    return max(0.0, low - margin), best + 1.5 * margin


def _style(axes: Axes, low: float, high: float) -> None:
    axes.set_facecolor(LIGHT.card)
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0 if high - low > 0.05 else 1, symbol=PERCENT))
    axes.tick_params(which="both", length=0, labelsize=8.5, labelcolor=LIGHT.soft)
    axes.grid(visible=True, axis="y", color=LIGHT.hairline, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set(visible=side == "bottom", color=LIGHT.hairline)


def _log_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten in a range; for a range of at most two decades, also 2 and 5 times each power."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1,) if np.log10(high / low) > 2 else (1, 2, 5)
    return [tick for power in powers for step in steps if low <= (tick := step * 10.0**power) <= high * (1 + 1e-9)]
