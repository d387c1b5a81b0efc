"""CSV tables of evaluation results."""

import csv
import io
import math
from collections.abc import Iterable, Sequence

from digitpad.class_names import DIGITS, noun
from digitpad.evaluation.assessment import Assessment
from digitpad.evaluation.robustness import Robustness

TABLES = ("classes", "confusion", "digits")
"""Names of the tables that `class_table` can write."""


def class_table(assessment: Assessment, name: str) -> str:
    """Return one of `TABLES` as CSV: scores per class, the confusion matrix, or the prediction for each image."""
    return {"classes": _classes, "confusion": _confusion, "digits": _digits}[name](assessment)


def robustness_table(robustness: Robustness) -> str:
    """Return the results of a robustness test as CSV, with one row per amount of each distortion."""
    return _csv(
        ("change", "amount", "unit", "accuracy"),
        (
            (curve.name, f"{amount:g}", curve.unit, _share(accuracy))
            for curve in robustness.curves
            for amount, accuracy in zip(curve.amounts.tolist(), curve.accuracy.tolist(), strict=True)
        ),
    )


def _classes(assessment: Assessment) -> str:
    names = assessment.class_names
    return _csv(
        (noun(names), "n", "precision", "recall", "f1", "recall from", "recall to"),
        (
            (names[row.digit], row.n, *map(_share, (row.precision, row.recall, row.f1, *row.interval)))
            for row in assessment.classes
        ),
    )


def _confusion(assessment: Assessment) -> str:
    names = assessment.class_names
    return _csv(
        (noun(names), *(f"read as {name}" for name in names)),
        ((name, *row) for name, row in zip(names, assessment.confusion.tolist(), strict=True)),
    )


def _digits(assessment: Assessment) -> str:
    names = assessment.class_names
    prefix = "p" if names == DIGITS else "p of "
    rows = zip(
        assessment.digits.labels.tolist(),
        assessment.predicted.tolist(),
        assessment.is_sure.tolist(),
        assessment.probabilities.tolist(),
        strict=True,
    )
    return _csv(
        ("index", "label", "read as", "sure", *(prefix + name for name in names)),
        (
            (index, names[label], names[predicted], "yes" if sure else "no", *(f"{p:.6f}" for p in probabilities))
            for index, (label, predicted, sure, probabilities) in enumerate(rows)
        ),
    )


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
