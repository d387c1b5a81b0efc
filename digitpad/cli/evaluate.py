"""``digitpad evaluate``: evaluate a network on a test set."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import (
    DATA_HELP,
    add_common,
    add_convention,
    add_normalise,
    check_free,
    check_picture,
    chosen_weights,
    data_source,
    picture_kind,
    report_dataset,
    report_doubt,
    write_picture,
)
from digitpad.cli.output import FAILED, OK, Parser, print_result, run_with_progress
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.evaluation.assessment import Assessment
    from digitpad.evaluation.metrics import EvaluationProgress
    from digitpad.evaluation.robustness import Robustness
    from digitpad.evaluation.significance import Comparison

PICTURES = ("reliability", "threshold", "robustness", "confusion", "map")
TABLES = ("classes", "confusion", "digits", "robustness")


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad evaluate``."""
    parser = Parser(prog="digitpad evaluate", description="Evaluate a network on a test set.")
    parser.add_argument("weights", nargs="?", type=Path, metavar="WEIGHTS", help="default: the built-in network")
    parser.add_argument("--data", metavar="PATH", help=DATA_HELP)
    parser.add_argument(
        "--part",
        choices=("test", "validation", "all"),
        help="part of the dataset (default: test, or all images of a small dataset without a test set)",
    )
    add_normalise(parser)
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OTHER",
        help="evaluate another network on the same images, and test whether the difference is significant",
    )
    parser.add_argument("--robustness", action="store_true", help="also measure accuracy on distorted images")
    parser.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="save a picture; an existing one is replaced")
    parser.add_argument(
        "--picture", choices=PICTURES, default="reliability", help="picture that --plot saves (default: %(default)s)"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE.csv", help="save a table; an existing one is replaced")
    parser.add_argument(
        "--table", choices=TABLES, default="classes", help="table that --csv saves (default: %(default)s)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="save a report in one file; an existing one is replaced"
    )
    add_convention(parser)
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    blas_threads.limit_threads(options.threads)
    from digitpad.datasets.dataset import load
    from digitpad.evaluation.assessment import assess
    from digitpad.evaluation.robustness import robustness
    from digitpad.evaluation.significance import compare

    check_picture(options.plot)
    if options.report is not None:
        if options.report.suffix.lower() not in (".html", ".htm"):
            raise DigitpadError(f"{options.report}: a report must end in .html")
        check_free(options.report, force=True)
    if options.csv is not None:
        check_free(options.csv, force=True)
    dataset = load(data_source(options.data), normalise=options.normalise or "auto")
    report_dataset(dataset)
    part = options.part or dataset.default_part
    if not len(getattr(dataset, part)):
        raise DigitpadError(f"{dataset.name}: has no {part} set; use --part test or --part all")
    chosen = [chosen_weights(options.weights, options, dataset)]
    if options.compare is not None:
        chosen.append(chosen_weights(options.compare, data=dataset))
    assessments = [
        run_with_progress(assess(weights, dataset, part, options.threads), _progress_text(f"evaluating {weights.name}"))
        for weights in chosen
    ]
    robustness_output = (options.plot and options.picture == "robustness") or (
        options.csv and options.table == "robustness"
    )
    robust: list[Robustness] = []
    if options.robustness or robustness_output:
        robust = [
            run_with_progress(
                robustness(assessment.weights, assessment.digits, options.threads),
                _progress_text(f"testing the robustness of {assessment.weights.name}"),
            )
            for assessment in assessments
        ]
    comparison = compare(assessments[0].right, assessments[1].right) if len(assessments) > 1 else None
    if options.plot is not None:
        from digitpad.plotting.evaluation_plots import diagram
        from digitpad.plotting.figure_files import evaluation_figure

        title = f"{' and '.join(assessment.weights.name for assessment in assessments)} on {dataset.name}"
        if options.picture in ("confusion", "map"):
            title = f"{assessments[0].weights.name} on {dataset.name}"
        write_picture(
            options.plot, evaluation_figure(diagram(options.picture, assessments, robust), title, picture_kind(options))
        )
    if options.csv is not None:
        from digitpad.evaluation.csv_tables import class_table, robustness_table

        if options.table == "robustness":
            text = robustness_table(robust[0])
        else:
            text = class_table(assessments[0], options.table)
        write_picture(options.csv, text.encode())
    if options.report is not None:
        from digitpad.reports.evaluation_report import evaluation_report

        write_picture(options.report, evaluation_report(assessments, comparison, robust).encode())
    for weights in chosen:
        report_doubt(weights)
    values = _values(assessments[0], robust[0] if robust else None)
    values |= {"notes": dataset.notes, "skipped": dataset.skipped}
    if comparison is not None:
        values["compared"] = {
            **_values(assessments[1], robust[1] if robust else None),
            "difference": comparison.difference,
            "difference_interval": list(comparison.interval),
            "both": comparison.both,
            "only_first": comparison.only_first,
            "only_second": comparison.only_second,
            "neither": comparison.neither,
            "p": comparison.p,
        }
    lines = [_line(assessment) for assessment in assessments]
    if comparison is not None:
        lines.append(_verdict(comparison, assessments[0].images))
    if options.robustness:
        lines += _curves(robust[0])
    print_result(options, values, "\n".join(lines))
    return FAILED if dataset.skipped else OK


def _progress_text(title: str) -> "Callable[[EvaluationProgress], str]":
    return lambda progress: f"{title}: {100 * progress.done // progress.total}%"


def _values(assessment: "Assessment", robust: "Robustness | None") -> dict[str, Any]:
    import numpy as np

    from digitpad.importers.open_file import convention_of

    values: dict[str, Any] = {
        "weights": assessment.weights.name,
        "data": assessment.data,
        "part": assessment.part,
        "accuracy": assessment.scores.accuracy,
        "interval": list(assessment.interval),
        "loss": assessment.scores.loss,
        "calibration_error": assessment.reliability.error,
        "not_sure": assessment.rejection_curve.not_sure_at_threshold,
        "accuracy_when_sure": _finite_or_none(assessment.rejection_curve.accuracy_at_threshold),
        "n": assessment.scores.n,
        "classes": [
            {
                "digit": row.digit,
                "class": assessment.weights.class_names[row.digit],
                "n": row.n,
                "precision": _finite_or_none(row.precision),
                "recall": _finite_or_none(row.recall),
                "recall_interval": [_finite_or_none(end) for end in row.interval],
                "f1": _finite_or_none(row.f1),
            }
            for row in assessment.classes
        ],
        "confusion": assessment.confusion.tolist(),
        "convention": convention_of(assessment.weights),
        "doubt": assessment.weights.about.get("doubt"),
    }
    if robust is not None:
        values["robustness"] = {
            "n": robust.n,
            **{
                curve.name.lower(): np.column_stack([curve.amounts, curve.accuracy]).tolist() for curve in robust.curves
            },
        }
    return values


def _finite_or_none(share: float) -> float | None:
    """Return None for NaN, which JSON does not have."""
    return None if math.isnan(share) else share


def _line(assessment: "Assessment") -> str:
    scores, (low, high) = assessment.scores, assessment.interval
    return (
        f"{assessment.weights.name}: accuracy {scores.accuracy:.2%} (95% interval {low:.2%} to {high:.2%}) on "
        f"{scores.n:,} {assessment.part_images} of {assessment.data}; loss {scores.loss:.4f}, "
        f"calibration error {assessment.reliability.error:.2%}"
    )


def _curves(robust: "Robustness") -> list[str]:
    """Return one line for each distortion: the accuracy at each amount."""
    return [
        f"{curve.name} ({curve.unit or 'share'}): "
        + ", ".join(
            f"{amount:g} {accuracy:.1%}" for amount, accuracy in zip(curve.amounts, curve.accuracy, strict=True)
        )
        for curve in robust.curves
    ]


def _verdict(comparison: "Comparison", images: str) -> str:
    low, high = (100 * end for end in comparison.interval)
    verdict = "not statistically significant" if comparison.could_be_chance else "statistically significant"
    return (
        f"difference {100 * comparison.difference:+.2f} points (95% interval {low:+.2f} to {high:+.2f}), {verdict} "
        f"(McNemar's test, p = {comparison.p:.2g}); only the first network is correct on {comparison.only_first:,} "
        f"{images}, only the second on {comparison.only_second:,}"
    )
