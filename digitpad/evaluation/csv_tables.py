"""Figures as tables in CSV, which a spreadsheet opens."""

import csv
import io
import math
from collections.abc import Iterable, Sequence

from digitpad.class_names import DIGITS, noun
from digitpad.evaluation.assessment import Assessment
from digitpad.evaluation.robustness import Robustness

TABLES = ("classes", "confusion", "digits")
"""What an assessment can be told as."""


def class_table(assessment: Assessment, name: str) -> str:
    """One of `TABLES` as CSV: figures of each class, the confusion matrix, or the reading of each image."""
    return {"classes": _classes, "confusion": _confusion, "digits": _digits}[name](assessment)


def robustness_table(robustness: Robustness) -> str:
    """Accuracy over each change's amounts, a row an amount."""
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
            (names[one.digit], one.n, *map(_share, (one.precision, one.recall, one.f1, *one.interval)))
            for one in assessment.classes
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
    p = "p" if names == DIGITS else "p of "
    rows = zip(
        assessment.digits.labels.tolist(),
        assessment.predicted.tolist(),
        assessment.is_sure.tolist(),
        assessment.probabilities.tolist(),
        strict=True,
    )
    return _csv(
        ("index", "label", "read as", "sure", *(p + name for name in names)),
        (
            (index, names[label], names[read_as], "yes" if sure else "no", *(f"{p:.6f}" for p in probabilities))
            for index, (label, read_as, sure, probabilities) in enumerate(rows)
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
