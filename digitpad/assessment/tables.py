"""Figures as tables in CSV, which a spreadsheet opens."""

import csv
import io
import math
from collections.abc import Iterable, Sequence

from digitpad.assessment.assessment import Assessment
from digitpad.assessment.robustness import Robustness

TABLES = ("classes", "confusion", "digits")
"""What an assessment can be told as."""


def table(assessment: Assessment, name: str) -> str:
    """One of `TABLES` as CSV: figures of each class, the confusion matrix, or the reading of each digit."""
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
    return _csv(
        ("digit", "n", "precision", "recall", "f1", "recall from", "recall to"),
        (
            (one.digit, one.n, *map(_share, (one.precision, one.recall, one.f1, *one.interval)))
            for one in assessment.classes
        ),
    )


def _confusion(assessment: Assessment) -> str:
    n = len(assessment.confusion)
    return _csv(
        ("digit", *(f"read as {digit}" for digit in range(n))),
        ((digit, *row) for digit, row in enumerate(assessment.confusion.tolist())),
    )


def _digits(assessment: Assessment) -> str:
    rows = zip(
        assessment.digits.labels.tolist(),
        assessment.predicted.tolist(),
        assessment.is_sure.tolist(),
        assessment.probabilities.tolist(),
        strict=True,
    )
    return _csv(
        ("index", "label", "read as", "sure", *(f"p{digit}" for digit in range(len(assessment.confusion)))),
        (
            (index, label, read_as, "yes" if sure else "no", *(f"{p:.6f}" for p in probabilities))
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
