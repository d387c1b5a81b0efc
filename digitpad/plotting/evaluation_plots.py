"""Evaluation figures, drawn with matplotlib and without Qt, for files and for the window.

Each drawing function fills an empty figure. A second network is drawn over the first one, in another colour.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter
from numpy.typing import NDArray

from digitpad.class_names import DIGITS, noun
from digitpad.evaluation.assessment import Assessment, RejectionCurve
from digitpad.evaluation.calibration import Reliability
from digitpad.evaluation.feature_map import FeatureMap, feature_map
from digitpad.evaluation.metrics import interval
from digitpad.evaluation.robustness import Robustness
from digitpad.nn.arrays import Ints
from digitpad.number_format import PERCENT, format_percent
from digitpad.plotting.palette import Palette, class_colours

Draw = Callable[[Figure, Palette], None]

_DPI = 100  # of the window at a scale of 1
_MAX_NAME = 28
_MAX_LEGEND_CLASSES = 12  # classes; with more, a legend is too long
_CELL_INCHES = 0.26  # cell of a confusion matrix, wide enough for a count of three digits


def empty_figure(width: float, height: float, colours: Palette, dpi: float = _DPI) -> Figure:
    """Return an empty figure with automatic layout; the size is in inches."""
    engine = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1, wspace=0.03, hspace=0.03)
    return Figure(figsize=(width, height), dpi=dpi, facecolor=colours.card, layout=engine)


def rendered(draw: Draw, width_px: int, height_px: int, scale: float, colours: Palette) -> NDArray[np.uint8]:
    """Render a figure to RGBA pixels of shape (height_px * scale, width_px * scale, 4)."""
    figure = empty_figure(width_px / _DPI, height_px / _DPI, colours, _DPI * scale)
    draw(figure, colours)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def diagram(name: str, made: Sequence[Assessment], robust: Sequence[Robustness]) -> Draw:
    """Return the function that draws a figure for one or two networks.

    Parameters
    ----------
    name : {"reliability", "threshold", "robustness", "confusion", "map"}
        The confusion matrix and the feature map show only the first network.
    made : sequence of Assessment
        One or two assessments.
    robust : sequence of Robustness
        One for each assessment; only used for ``robustness``.

    Raises
    ------
    ValueError
        If there is no figure of this name.
    """
    names = [item.weights.name for item in made]
    first = made[0]
    match name:
        case "reliability":
            return partial(draw_reliability, named=list(zip(names, (item.reliability for item in made), strict=True)))
        case "threshold":
            return partial(
                draw_rejection_curve,
                named=list(zip(names, (item.rejection_curve for item in made), strict=True)),
            )
        case "robustness":
            return partial(draw_robustness, named=list(zip(names, robust, strict=True)))
        case "confusion":
            return partial(draw_confusion, confusion=first.confusion, class_names=first.class_names)
        case "map":
            places = feature_map(first.features)
            return partial(
                draw_map,
                places=places,
                labels=first.digits.labels,
                predicted=first.predicted,
                class_names=first.class_names,
            )
    raise ValueError(f"there is no figure {name!r}")


def draw_reliability(figure: Figure, colours: Palette, named: Sequence[tuple[str, Reliability]]) -> None:
    """Draw a reliability diagram: accuracy by confidence, with the diagonal of perfect calibration.

    A histogram below shows the number of predictions by confidence. Its scale is logarithmic, because most predictions
    have a high confidence.
    """
    axes, counts = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    axes.plot([0, 1], [0, 1], color=colours.faint, linewidth=1.2, linestyle=(0, (4, 3)), label="perfectly calibrated")
    max_count = 1
    for place, (name, curve) in enumerate(named):
        colour = _line_colours(colours)[place]
        non_empty = curve.n > 0
        low, high = np.array(
            [interval(*pair) for pair in zip(curve.accuracy[non_empty], curve.n[non_empty], strict=True)]
        ).T
        axes.vlines(curve.confidence[non_empty], low, high, color=colour, linewidth=1.4, alpha=0.5)
        axes.plot(
            curve.confidence[non_empty], curve.accuracy[non_empty], marker="o", markersize=5, linewidth=0,
            color=colour, clip_on=False, label=f"{_plain(name)}, ECE {format_percent(curve.error, 2)}",
        )  # fmt: skip
        edges = np.linspace(0, 1, len(curve.n) + 1)
        width = 1 / len(curve.n) / len(named)
        counts.bar(edges[:-1] + place * width, curve.n, width=width, align="edge", color=colour, alpha=0.4, linewidth=0)
        max_count = max(max_count, int(curve.n.max()))
    _style(axes, colours)
    _style(counts, colours)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    _percent_axis(axes)
    axes.set_ylabel("accuracy", fontsize=9, color=colours.soft)
    counts.set_yscale("log")
    counts.set_ylim(0.7, max(10, max_count * 2))
    counts.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    counts.yaxis.set_minor_locator(NullLocator())
    counts.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=PERCENT))
    counts.set_xlabel("confidence", fontsize=9, color=colours.soft)
    counts.set_ylabel("predictions", fontsize=9, color=colours.soft)
    _legend(axes, colours)


def draw_rejection_curve(figure: Figure, colours: Palette, named: Sequence[tuple[str, RejectionCurve]]) -> None:
    """Draw the accuracy of sure predictions and the share of not sure ones by threshold; mark each network's own."""
    axes, shares = figure.subplots(2, 1, height_ratios=[3, 2], sharex=True)
    lowest_accuracy, lowest_share = 1.0, 1.0
    for place, (name, curve) in enumerate(named):
        colour = _line_colours(colours)[place]
        has_not_sure = curve.not_sure > 0
        axes.plot(curve.thresholds, curve.accuracy, color=colour, linewidth=1.8, label=_plain(name))
        shares.plot(curve.thresholds[has_not_sure], curve.not_sure[has_not_sure], color=colour, linewidth=1.8)
        lowest_accuracy = min(lowest_accuracy, float(np.nanmin(curve.accuracy)))
        if has_not_sure.any():
            lowest_share = min(lowest_share, float(curve.not_sure[has_not_sure].min()))
        for panel, value in ((axes, curve.accuracy_at_threshold), (shares, curve.not_sure_at_threshold)):
            panel.axvline(curve.threshold, color=colour, linewidth=1, linestyle=(0, (3, 4)))
            if value > 0:
                panel.plot(curve.threshold, value, marker="o", markersize=6, color=colour, clip_on=False)
                panel.annotate(
                    format_percent(value, 2), (curve.threshold, value),
                    xytext=(7, -14) if place else (-7, 7), textcoords="offset points", ha="left" if place else "right",
                    fontsize=8.5, color=colour, fontweight="bold",
                )  # fmt: skip
    for panel in (axes, shares):
        _style(panel, colours)
    axes.set_xlim(0, 1)
    margin = max(0.15 * (1 - lowest_accuracy), 0.0005)
    axes.set_ylim(max(0, lowest_accuracy - margin), 1 + margin)
    _percent_axis(axes)
    shares.set_yscale("log")
    shares.set_ylim(lowest_share / 2, 1)
    shares.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}{PERCENT}")
    shares.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("accuracy when sure", fontsize=9, color=colours.soft)
    shares.set_ylabel("not sure", fontsize=9, color=colours.soft)
    shares.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=PERCENT))
    shares.set_xlabel("confidence threshold", fontsize=9, color=colours.soft)
    _legend(axes, colours)


def draw_robustness(figure: Figure, colours: Palette, named: Sequence[tuple[str, Robustness]]) -> None:
    """Draw the accuracy for each distortion, with its 95 % interval."""
    n_panels = len(named[0][1].curves)
    width, height = figure.get_size_inches()
    n_columns = n_panels if width > 2.6 * height else 3
    rows = figure.subplots(-(-n_panels // n_columns), n_columns, sharey=True, squeeze=False)
    panels = rows.ravel()
    for panel in panels[n_panels:]:
        panel.set_axis_off()
    for index, (name, result) in enumerate(named):
        colour = _line_colours(colours)[index]
        for panel, curve in zip(panels, result.curves, strict=False):
            low, high = np.array([interval(accuracy, result.n) for accuracy in curve.accuracy]).T
            panel.fill_between(curve.amounts, low, high, color=colour, alpha=0.18, linewidth=0)
            panel.plot(
                curve.amounts, curve.accuracy, color=colour, linewidth=1.8, marker="o", markersize=3.5,
                label=_plain(name), clip_on=False,
            )  # fmt: skip
    for place, (panel, curve) in enumerate(zip(panels, named[0][1].curves, strict=False)):
        _style(panel, colours)
        panel.set_ylim(0, 1.02)
        panel.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 3, 5, 10]))
        _percent_axis(panel)
        unit = f" ({curve.unit})" if curve.unit else ""
        panel.set_title(curve.name + unit, loc="left", fontsize=9.5, color=colours.text)
        if place % n_columns == 0:
            panel.set_ylabel("accuracy", fontsize=9, color=colours.soft)
    figure.legend(  # below all panels: inside one, it would cover the curves of inaccurate networks
        *panels[0].get_legend_handles_labels(), loc="outside lower left", ncols=3, frameon=False, fontsize=9,
        labelcolor=colours.soft,
    )  # fmt: skip


def draw_confusion(
    figure: Figure, colours: Palette, confusion: NDArray[np.int64], class_names: Sequence[str] = DIGITS
) -> None:
    """Draw the confusion matrix (rows: true class, columns: predicted class), with errors highlighted.

    For many classes, the figure is enlarged so that each count stays legible.
    """
    n = len(confusion)
    if n > _MAX_LEGEND_CLASSES:
        width, height = figure.get_size_inches()
        figure.set_size_inches(max(width, _CELL_INCHES * n + 1.6), max(height, _CELL_INCHES * n + 1.2))
    axes = figure.subplots()
    wrong = confusion - np.diag(confusion.diagonal())
    shades = np.zeros((n, n, 4))
    shades[..., :3] = _rgb(colours.second)
    shades[..., 3] = 0.75 * np.sqrt(wrong / max(1, wrong.max()))
    diagonal = np.arange(n)
    shades[diagonal, diagonal] = (*_rgb(colours.accent), 0.25)
    axes.imshow(shades)
    zero_rows, zero_columns = np.nonzero(confusion == 0)
    axes.scatter(zero_columns, zero_rows, s=2.5, color=colours.faint, linewidth=0)
    for row, column in np.argwhere(confusion).tolist():
        axes.text(
            column, row, f"{confusion[row, column]:,}", ha="center", va="center",
            fontsize=9 if n <= _MAX_LEGEND_CLASSES else 6.5, color=colours.text,
            fontweight="bold" if row == column else "normal",
        )  # fmt: skip
    names = [_plain(name) for name in class_names]
    axes.set_xticks(range(n), names, rotation=90 if max(map(len, names)) > 2 else 0)
    axes.set_yticks(range(n), names)
    axes.set_xlabel("predicted", fontsize=9, color=colours.soft)
    axes.set_ylabel(f"true {noun(class_names)}", fontsize=9, color=colours.soft)
    axes.tick_params(length=0, labelsize=9, labelcolor=colours.soft)
    axes.set_facecolor(colours.card)
    axes.set_xticks(np.arange(1, n) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, n) - 0.5, minor=True)
    axes.grid(visible=True, which="minor", color=colours.hairline, linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_color(colours.hairline)


def draw_map(
    figure: Figure,
    colours: Palette,
    places: FeatureMap,
    labels: Ints,
    predicted: Ints,
    class_names: Sequence[str] = DIGITS,
) -> None:
    """Draw the feature map: one point per image in the colour of its class, with a ring around each wrong prediction.

    With many classes, colours are hard to distinguish, so class names are drawn on the map.
    """
    axes = figure.subplots()
    has_legend = len(class_names) <= _MAX_LEGEND_CLASSES
    points = places.points
    labels, predicted = labels[: len(points)], predicted[: len(points)]
    for place, (name, colour) in enumerate(zip(class_names, class_colours(len(class_names)), strict=True)):
        class_points = points[labels == place]
        axes.scatter(
            class_points[:, 0],
            class_points[:, 1],
            s=5,
            color=colour,
            linewidths=0,
            alpha=0.8,
            label=_plain(name) if has_legend else None,
            rasterized=True,
        )
        if not has_legend and len(class_points):
            x, y = np.median(class_points, axis=0)
            axes.text(
                x, y, _plain(name), ha="center", va="center", fontsize=10, fontweight="bold", color=colour, zorder=4,
                path_effects=[withStroke(linewidth=3, foreground=colours.card)],
            )  # fmt: skip
    wrong = points[labels != predicted]
    axes.scatter(
        wrong[:, 0],
        wrong[:, 1],
        s=26,
        facecolors="none",
        edgecolors=colours.text,
        linewidths=0.9,
        label="wrong prediction",
    )
    _style(axes, colours)
    axes.grid(visible=False)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    axis_labels = [
        f"component {number}, {format_percent(share, 0)} of the variance"
        for number, share in enumerate(places.explained, start=1)
    ]
    axes.set_xlabel(axis_labels[0], fontsize=9, color=colours.soft)
    axes.set_ylabel(axis_labels[1], fontsize=9, color=colours.soft)
    has_short_names = all(len(name) == 1 for name in class_names)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=11 if has_short_names else 4, frameon=False, fontsize=9,
        labelcolor=colours.soft, handletextpad=0.1, columnspacing=0.9, markerscale=1.6, borderaxespad=0.2,
    )  # fmt: skip


def _line_colours(colours: Palette) -> tuple[str, str]:
    return colours.accent, colours.second


def _plain(text: str) -> str:
    """Return a name that matplotlib shows literally: not as mathematics, and not hidden for a leading underscore.

    The middle of a long name is replaced with an ellipsis, because the plot needs the space.
    """
    if len(text) > _MAX_NAME:
        text = f"{text[: _MAX_NAME // 2]}…{text[-_MAX_NAME // 2 :]}"
    return " " * text.startswith("_") + text.replace("$", r"\$")


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _percent_axis(axes: Axes) -> None:
    low, high = axes.get_ylim()
    decimals = 0 if high - low > 0.05 else 1 if high - low > 0.005 else 2
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=decimals, symbol=PERCENT))


def _style(axes: Axes, colours: Palette) -> None:
    axes.set_facecolor(colours.card)
    axes.tick_params(which="both", length=0, labelsize=8.5, labelcolor=colours.soft)
    axes.grid(visible=True, axis="y", color=colours.hairline, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set(visible=side == "bottom", color=colours.hairline)


def _legend(axes: Axes, colours: Palette) -> None:
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, frameon=False, fontsize=9, labelcolor=colours.soft,
        borderaxespad=0.2,
    )  # fmt: skip
