"""Report of an evaluation: scores with intervals, confusion matrix, diagrams, worst mistakes."""

import io
import math
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from digitpad.evaluation.assessment import Assessment
from digitpad.evaluation.robustness import Robustness
from digitpad.evaluation.significance import Comparison
from digitpad.number_format import format_count, format_percent
from digitpad.reports.html import digit, figure, page, paragraph, section, table

N_MISTAKES = 40

_FIGURES = (
    ("Confusion matrix", "confusion", (6.0, 5.4)),
    ("Reliability", "reliability", (6.5, 4.6)),
    ("Accuracy against “not sure”", "threshold", (6.5, 4.6)),
    ("Robustness", "robustness", (8.0, 5.0)),
)
_FIGURE_PX = 620


def evaluation_report(
    assessments: Sequence[Assessment], comparison: Comparison | None = None, robust: Sequence[Robustness] = ()
) -> str:
    """Return the report of one network, or of two on the same images, as HTML.

    Parameters
    ----------
    assessments : sequence of Assessment
        One or two.
    comparison : Comparison or None
        Of the two.
    robust : sequence of Robustness
        One for each network, or empty.
    """
    first = assessments[0]
    names = " and ".join(each.weights.name for each in assessments)
    part = "all" if first.part == "all" else f"{first.part} set,"
    about = f"{first.data}, {part} {format_count(first.scores.n)} {first.images} · {datetime.now():%Y-%m-%d %H:%M}"
    sections = [section("Scores", _scores(assessments))]
    if comparison is not None:
        sections.append(section("Difference", paragraph(_difference(comparison, assessments))))
    sections += [section(f"Classes: {each.weights.name}", _classes(each)) for each in assessments]
    sections += _figures(assessments, robust)
    sections += [section(f"Worst mistakes: {each.weights.name}", *_mistakes(each)) for each in assessments]
    return page(f"Evaluation of {names}", about, sections)


def _scores(assessments: Sequence[Assessment]) -> str:
    rows = []
    for each in assessments:
        low, high = each.interval
        curve = each.rejection_curve
        rows.append(
            (
                each.weights.name,
                format_percent(each.scores.accuracy, 2),
                f"{100 * low:.2f}–{format_percent(high, 2)}",
                format_count(len(each.mistakes)),
                f"{each.scores.loss:.4f}",
                format_percent(each.reliability.error, 2),
                format_percent(curve.not_sure_at_threshold, 2),
                _share(curve.accuracy_at_threshold),
            )
        )
    heads = (
        "Network", "Accuracy", "95 % interval", "Mistakes", "Loss", "Calibration error", "Not sure", "When sure",
    )  # fmt: skip
    return table(heads, rows)


def _difference(comparison: Comparison, assessments: Sequence[Assessment]) -> str:
    low, high = (100 * end for end in comparison.interval)
    verdict = "not statistically significant" if comparison.could_be_chance else "statistically significant"
    one, other = (each.weights.name for each in assessments)
    return (
        f"{100 * comparison.difference:+.2f} points (95 % interval {low:+.2f} to {high:+.2f}), {verdict} (McNemar’s "
        f"test, p = {comparison.p:.2g}). Only {one} is right on {format_count(comparison.only_first)} "
        f"{assessments[0].images}, only {other} on {format_count(comparison.only_second)}."
    )


def _classes(each: Assessment) -> str:
    rows = []
    for scores in each.classes:
        low, high = scores.interval
        interval = "–" if math.isnan(low) else f"{100 * low:.1f}–{100 * high:.1f}"
        name = each.class_names[scores.digit]
        rows.append(
            (name, format_count(scores.n), *map(_share, (scores.precision, scores.recall)), interval, _share(scores.f1))
        )
    return table(("Class", "Count", "Precision", "Recall", "95 % interval", "F1"), rows)


def _figures(assessments: Sequence[Assessment], robust: Sequence[Robustness]) -> Iterator[str]:
    from digitpad.plotting.evaluation_plots import diagram
    from digitpad.plotting.figure_files import evaluation_figure

    for title, name, (width, height) in _FIGURES:
        if name == "robustness" and not robust:
            continue
        one = name == "confusion"
        for each in assessments if one else assessments[:1]:
            heading = f"{title}: {each.weights.name}" if one else title
            shown = [each] if one else assessments
            png = evaluation_figure(diagram(name, shown, robust), heading, "png", width, height)
            yield section(heading, figure(png, heading, _FIGURE_PX))


def _mistakes(each: Assessment) -> Iterator[str]:
    if not len(each.mistakes):
        yield paragraph("None.")
        return
    n = min(N_MISTAKES, len(each.mistakes))
    yield paragraph(f"The {n} most confident of {format_count(len(each.mistakes))}: true → predicted, confidence.")
    for place in each.mistakes[:n].tolist():
        true, said = (each.class_names[int(label)] for label in (each.digits.labels[place], each.predicted[place]))
        yield digit(_png(each.digits.images[place]), f"{true} → {said}, {format_percent(each.confidences[place], 0)}")


def _png(image: NDArray[np.uint8]) -> bytes:
    """Return an image of ink in black on white."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(255 - image).save(content, "PNG")
    return content.getvalue()


def _share(value: float) -> str:
    return "–" if math.isnan(value) else format_percent(value, 2)
