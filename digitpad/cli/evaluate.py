"""``digitpad evaluate``."""

import argparse
import math
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from digitpad.cli.common import (
    DATA_HELP,
    OK,
    add_common,
    add_convention,
    check_free,
    check_picture,
    chosen_weights,
    clear_line,
    data_source,
    picture_kind,
    print_progress,
    print_result,
    write_picture,
)
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.evaluation.assessment import Assessment
    from digitpad.evaluation.metrics import EvaluationProgress
    from digitpad.evaluation.robustness import Robustness
    from digitpad.evaluation.significance import Comparison

PICTURES = ("reliability", "threshold", "robustness", "confusion", "map")
TABLES = ("classes", "confusion", "digits", "robustness")

_T = TypeVar("_T")


def parser() -> argparse.ArgumentParser:
    """What ``digitpad evaluate`` can be told."""
    parser = argparse.ArgumentParser(prog="digitpad evaluate", description="Score weights on a test set.")
    parser.add_argument("weights", nargs="?", type=Path, metavar="WEIGHTS", help="the shipped weights by default")
    parser.add_argument("--data", metavar="PATH", help=DATA_HELP)
    parser.add_argument("--part", choices=("test", "validation"), default="test", help="of the data set (%(default)s)")
    parser.add_argument(
        "--compare", type=Path, metavar="OTHER", help="other weights on the same digits, and whether it could be chance"
    )
    parser.add_argument("--robustness", action="store_true", help="also on turned, moved and otherwise changed digits")
    parser.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="draw a picture anew")
    parser.add_argument(
        "--picture", choices=PICTURES, default="reliability", help="which one --plot draws (%(default)s)"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE.csv", help="write a table anew")
    parser.add_argument("--table", choices=TABLES, default="classes", help="which one --csv writes (%(default)s)")
    add_convention(parser)
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    blas_threads.limit_threads(options.threads)
    from digitpad.datasets.dataset import load
    from digitpad.evaluation.assessment import assess
    from digitpad.evaluation.robustness import robustness
    from digitpad.evaluation.significance import compare

    check_picture(options.plot)
    if options.csv is not None:
        check_free(options.csv, force=True)
    dataset = load(data_source(options.data))
    chosen = [chosen_weights(options.weights, options, dataset)]
    if options.compare is not None:
        chosen.append(chosen_weights(options.compare, data=dataset))
    made = [
        _shown(f"reading with {weights.name}", assess(weights, dataset, options.part, options.threads))
        for weights in chosen
    ]
    wanted = (options.plot and options.picture == "robustness") or (options.csv and options.table == "robustness")
    robust: list[Robustness] = []
    if options.robustness or wanted:
        robust = [
            _shown(f"changing digits for {one.weights.name}", robustness(one.weights, one.digits, options.threads))
            for one in made
        ]
    comparison = compare(made[0].right, made[1].right) if len(made) > 1 else None
    if options.plot is not None:
        from digitpad.plotting.evaluation_plots import diagram
        from digitpad.plotting.figure_files import evaluation_figure

        title = f"{' and '.join(one.weights.name for one in made)} on {dataset.name}"
        if options.picture in ("confusion", "map"):
            title = f"{made[0].weights.name} on {dataset.name}"
        write_picture(
            options.plot, evaluation_figure(diagram(options.picture, made, robust), title, picture_kind(options))
        )
    if options.csv is not None:
        from digitpad.evaluation.csv_tables import class_table, robustness_table

        robustly = options.table == "robustness"
        text = robustness_table(robust[0]) if robustly else class_table(made[0], options.table)
        write_picture(options.csv, text.encode())
    values = _values(made[0], robust[0] if robust else None)
    if comparison is not None:
        values["compared"] = {
            **_values(made[1], robust[1] if robust else None),
            "difference": comparison.difference,
            "difference_interval": list(comparison.interval),
            "both": comparison.both,
            "only_first": comparison.only_first,
            "only_second": comparison.only_second,
            "neither": comparison.neither,
            "p": comparison.p,
        }
    lines = [_line(one) for one in made]
    if comparison is not None:
        lines.append(_verdict(comparison, made[0].images))
    if options.robustness:
        lines += _curves(robust[0])
    print_result(options, values, "\n".join(lines))
    return OK


def _shown(what: str, work: "Generator[EvaluationProgress, None, _T]") -> _T:
    """The value of a generator, its progress told on a terminal."""
    begin = clear_line()
    told = -1
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            if begin:
                print_progress(begin, end="")
            value: _T = end.value
            return value
        percent = 100 * progress.done // progress.total
        if begin and percent != told:
            told = percent
            print_progress(f"{begin}{what}: {percent} %", end="")


def _values(made: "Assessment", robust: "Robustness | None") -> dict[str, Any]:
    import numpy as np

    from digitpad.importers.open_file import convention_of

    values: dict[str, Any] = {
        "weights": made.weights.name,
        "data": made.data,
        "part": made.part,
        "accuracy": made.scores.accuracy,
        "interval": list(made.interval),
        "loss": made.scores.loss,
        "calibration_error": made.reliability.error,
        "not_sure": made.rejection_curve.not_sure_at_threshold,
        "accuracy_when_sure": _known(made.rejection_curve.accuracy_at_threshold),
        "n": made.scores.n,
        "classes": [
            {
                "digit": one.digit,
                "class": made.weights.class_names[one.digit],
                "n": one.n,
                "precision": _known(one.precision),
                "recall": _known(one.recall),
                "recall_interval": [_known(end) for end in one.interval],
                "f1": _known(one.f1),
            }
            for one in made.classes
        ],
        "confusion": made.confusion.tolist(),
        "convention": convention_of(made.weights),
    }
    if robust is not None:
        values["robustness"] = {
            "n": robust.n,
            **{
                curve.name.lower(): np.column_stack([curve.amounts, curve.accuracy]).tolist() for curve in robust.curves
            },
        }
    return values


def _known(share: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(share) else share


def _line(made: "Assessment") -> str:
    scores, (low, high) = made.scores, made.interval
    return (
        f"{made.weights.name} reads {scores.accuracy:.2%} ({low:.2%} to {high:.2%}) of {scores.n:,} {made.part} "
        f"{made.images} of {made.data}; loss {scores.loss:.4f}, calibration error {made.reliability.error:.2%}"
    )


def _curves(robust: "Robustness") -> list[str]:
    """Accuracy over each change's amounts, a line a change."""
    return [
        f"{curve.name} ({curve.unit or 'share'}): "
        + ", ".join(
            f"{amount:g} {accuracy:.1%}" for amount, accuracy in zip(curve.amounts, curve.accuracy, strict=True)
        )
        for curve in robust.curves
    ]


def _verdict(comparison: "Comparison", images: str) -> str:
    low, high = (100 * end for end in comparison.interval)
    chance = "which could be chance" if comparison.could_be_chance else "which is hardly chance"
    return (
        f"difference {100 * comparison.difference:+.2f} points ({low:+.2f} to {high:+.2f}): {comparison.only_first:,} "
        f"{images} are read right by the first alone, {comparison.only_second:,} by the second, {chance} "
        f"(McNemar's test, p = {comparison.p:.2g})"
    )
