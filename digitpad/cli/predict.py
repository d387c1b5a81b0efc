"""``digitpad predict``: read images or strokes."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from digitpad.cli.common import OK, add_common, add_convention, chosen_weights, print_progress, print_result
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.recognition.recognizer import Prediction


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad predict``."""
    parser = argparse.ArgumentParser(
        prog="digitpad predict", description="Read the digits in images, or in the lines of a strokes file."
    )
    parser.add_argument(
        "images", nargs="*", type=Path, metavar="IMAGE", help="image of any size, dark on light or light on dark"
    )
    parser.add_argument(
        "--strokes", type=Path, metavar="FILE.jsonl", help='file with lines {"strokes": [[[x, y], …], …]}'
    )
    parser.add_argument("--weights", type=Path, metavar="WEIGHTS", help="default: the built-in network")
    add_convention(parser)
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    if bool(options.images) == bool(options.strokes):
        parser().error("name images, or use --strokes FILE.jsonl, but not both")
    blas_threads.limit_threads(options.threads)
    from digitpad.ink.image import read_image
    from digitpad.ink.strokes import read_strokes
    from digitpad.recognition.recognizer import Recognizer

    recognizer = Recognizer(chosen_weights(options.weights, options))
    answers: Iterable[tuple[str, int | None, Prediction | None]]
    if options.strokes:
        answers = (
            (f"line {drawing.line}", drawing.label, recognizer.read_paths(drawing.paths))
            for drawing in read_strokes(options.strokes)
        )
    else:
        answers = ((str(path), None, recognizer.read_image(read_image(path))) for path in options.images)
    n_labelled = n_correct = 0
    for source, label, prediction in answers:
        name = None if prediction is None else prediction.label
        values = {
            "digit": None if prediction is None else prediction.digit,
            "class": name,
            "probabilities": None if prediction is None else prediction.probabilities,
            "sure": prediction is not None and prediction.sure,
            **({} if label is None else {"label": label}),
        }
        answer = "nothing drawn"
        if prediction is not None:
            answer = f"{name}  {prediction.confidence:6.1%}" + "  not sure" * (not prediction.sure)
        print_result(options, values, f"{answer}  {source}" + ("" if label is None else f"  (label {label})"))
        n_labelled += label is not None
        n_correct += label is not None and str(label) == name
    if n_labelled:
        print_progress(
            f"{n_correct:,} of {n_labelled:,} labelled drawings read correctly: {n_correct / n_labelled:.2%}"
        )
    return OK
