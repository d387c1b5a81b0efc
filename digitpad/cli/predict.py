"""``digitpad predict``."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from digitpad.cli.common import OK, add_common, add_convention, chosen_weights, print_progress, print_result
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.recognition.recognizer import Prediction


def parser() -> argparse.ArgumentParser:
    """What ``digitpad predict`` can be told."""
    parser = argparse.ArgumentParser(
        prog="digitpad predict", description="Read digits: images, or the lines of a strokes file."
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="of any size and either polarity")
    parser.add_argument("--strokes", type=Path, metavar="FILE.jsonl", help='lines of {"strokes": [[[x, y], …], …]}')
    parser.add_argument("--weights", type=Path, metavar="WEIGHTS", help="the shipped weights by default")
    add_convention(parser)
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    if bool(options.images) == bool(options.strokes):
        parser().error("give either images or --strokes FILE.jsonl")
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
    labelled = right = 0
    for source, label, prediction in answers:
        known = {} if label is None else {"label": label}
        name = None if prediction is None else prediction.label
        values = {
            "digit": None if prediction is None else prediction.digit,
            "class": name,
            "probabilities": None if prediction is None else prediction.probabilities,
            "sure": prediction is not None and prediction.sure,
            **known,
        }
        said = "nothing drawn"
        if prediction is not None:
            said = f"{name}  {prediction.confidence:6.1%}" + "  not sure" * (not prediction.sure)
        print_result(options, values, f"{said}  {source}" + ("" if label is None else f"  (label {label})"))
        labelled += label is not None
        right += label is not None and str(label) == name
    if labelled:
        print_progress(f"{right:,} of {labelled:,} read as labelled: {right / labelled:.2%}")
    return OK
