"""``digitpad predict``: read images or strokes."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import OK, add_common, add_convention, chosen_weights, print_progress, print_result
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.recognition.memory import CorrectionMemory
    from digitpad.recognition.recognizer import Prediction
    from digitpad.weights.native_format import Weights


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
    parser.add_argument(
        "--memory",
        type=Path,
        metavar="FILE.jsonl",
        help="labelled drawings, such as My digits: those that the network misreads correct similar ones",
    )
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
    if options.memory is not None:
        recognizer.memory = _memory(options.memory, recognizer.weights)
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
            **({} if options.memory is None else {"correction": _correction(prediction)}),
        }
        answer = "nothing drawn"
        if prediction is not None:
            answer = f"{name}  {prediction.confidence:6.1%}" + "  not sure" * (not prediction.sure)
            if prediction.correction is not None:
                answer += f"  {prediction.correction.said}"
        print_result(options, values, f"{answer}  {source}" + ("" if label is None else f"  (label {label})"))
        n_labelled += label is not None
        n_correct += label is not None and str(label) == name
    if n_labelled:
        print_progress(
            f"{n_correct:,} of {n_labelled:,} labelled drawings read correctly: {n_correct / n_labelled:.2%}"
        )
    return OK


def _memory(path: Path, weights: "Weights") -> "CorrectionMemory":
    """Return the memory of the drawings in a file, and report damaged lines."""
    from digitpad.class_names import DIGITS
    from digitpad.datasets.own_digits.store import read_own_digits
    from digitpad.recognition.memory import CorrectionMemory

    if weights.class_names != DIGITS:
        raise DigitpadError(f"--memory works only with a network of digits; {weights.name} has other classes")
    store = read_own_digits(path)
    for problem in store.problems:
        print_progress(f"digitpad: {path}: {problem}")
    return CorrectionMemory(weights, store.digits)


def _correction(prediction: "Prediction | None") -> dict[str, Any] | None:
    """Return the correction behind an answer as JSON values."""
    if prediction is None or prediction.correction is None:
        return None
    correction = prediction.correction
    return {
        "date": None if correction.date is None else correction.date.isoformat(),
        "distance": correction.distance,
        "network_digit": correction.network_digit,
        "not_a_digit": correction.label not in range(10),
    }
