"""``digitpad predict``: read images or strokes."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import add_common, add_convention, chosen_weights
from digitpad.cli.output import OK, Parser, print_progress, print_result
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.recognition.memory import CorrectionMemory
    from digitpad.recognition.reading import Reading
    from digitpad.recognition.recognizer import Prediction
    from digitpad.weights.native_format import Weights


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad predict``."""
    parser = Parser(
        prog="digitpad predict", description="Read the digits and numbers in images, or in the lines of a strokes file."
    )
    parser.add_argument(
        "images", nargs="*", type=Path, metavar="IMAGE", help="image of any size, dark on light or light on dark"
    )
    parser.add_argument(
        "--strokes", type=Path, metavar="FILE.jsonl", help='file with lines {"strokes": [[[x, y], …], …]}'
    )
    parser.add_argument("--single", action="store_true", help="read each image or drawing as one digit")
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
    from digitpad.recognition.number_reader import NumberReader

    weights = chosen_weights(options.weights, options)
    reader = NumberReader(weights, None if options.memory is None else _memory(options.memory, weights))
    answers: Iterable[tuple[str, int | str | None, Reading | None]]
    if options.strokes:
        answers = (
            (f"line {drawing.line}", drawing.label, reader.read_paths(drawing.paths, single=options.single))
            for drawing in read_strokes(options.strokes)
        )
    else:
        answers = (
            (str(path), None, reader.read_image(read_image(path), single=options.single)) for path in options.images
        )
    n_labelled = n_correct = 0
    for source, label, reading in answers:
        values = {**_values(reading, options.memory is not None), **({} if label is None else {"label": label})}
        note = "" if label is None else f"  (label {_in_one_line(str(label))})"
        print_result(options, values, f"{_answer(reading)}  {source}{note}")
        n_labelled += label is not None
        n_correct += label is not None and reading is not None and str(label) == reading.text
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


def _values(reading: "Reading | None", has_memory: bool) -> dict[str, Any]:
    """Return a reading as JSON values; a reading of several items has no single digit."""
    items = () if reading is None else reading.items
    only = items[0].prediction if len(items) == 1 else None
    return {
        "digit": None if only is None else only.digit,
        "class": None if only is None else only.label,
        "probabilities": None if only is None else only.probabilities,
        "sure": reading is not None and reading.sure,
        **({"correction": _correction(only)} if has_memory else {}),
        "text": "" if reading is None else reading.text,
        "items": [
            {
                "digit": item.prediction.digit,
                "class": item.prediction.label,
                "probabilities": item.prediction.probabilities,
                "sure": item.sure,
                "box": list(item.box),
                **({"correction": _correction(item.prediction)} if has_memory else {}),
            }
            for item in items
        ],
    }


def _answer(reading: "Reading | None") -> str:
    """Return a reading as text in one line, with its lowest confidence."""
    if reading is None:
        return "nothing drawn"
    reasons = [item.prediction.correction.said for item in reading.items if item.prediction.correction is not None]
    answer = f"{_in_one_line(reading.text)}  {reading.confidence:6.1%}" + "  not sure" * (not reading.sure)
    return "  ".join([answer, *dict.fromkeys(reasons)])


def _in_one_line(text: str) -> str:
    return text.replace("\n", " / ")
