"""``digitpad adapt``: fine-tune a network on your own digits."""

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from digitpad.cli.common import add_common, add_convention, check_free, chosen_weights
from digitpad.cli.output import OK, Parser, print_progress, print_result, run_with_progress
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.training.adaptation.records import AdaptationResult, AdaptationScores


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad adapt``."""
    parser = Parser(
        prog="digitpad adapt",
        description="Fine-tune a network on your own digits, together with MNIST and generated digits, so that it "
        "still reads other people's. A third of your digits is held out to measure the effect; the saved network is "
        "adapted to all of them.",
    )
    parser.add_argument(
        "--digits",
        type=Path,
        metavar="FILE.jsonl",
        help='labelled drawings, lines of {"label": 7, "strokes": [[[x, y], …], …]} (default: My digits)',
    )
    parser.add_argument("--weights", type=Path, metavar="WEIGHTS", help="default: the built-in network")
    parser.add_argument("--out", type=Path, required=True, metavar="NEW.npz", help="save the adapted network here")
    parser.add_argument("--force", action="store_true", help="replace an existing file at --out")
    add_convention(parser)
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    if options.out.suffix != ".npz":
        raise DigitpadError(f"{options.out}: a weights file must end in .npz")
    check_free(options.out, options.force)
    blas_threads.limit_threads(options.threads)
    from digitpad.datasets.own_digits.store import own_digits_path, read_own_digits
    from digitpad.training.adaptation.adapt import adapt

    begin = time.monotonic()
    store = read_own_digits(own_digits_path() if options.digits is None else options.digits)
    for problem in store.problems:
        print_progress(f"digitpad: {store.path}: {problem}")
    result = run_with_progress(
        adapt(chosen_weights(options.weights, options), store.digits, options.threads),
        lambda progress: f"{progress.stage}: {progress.share:.0%}",
    )
    result.weights.save(options.out)
    print_progress(f"saved {options.out}")
    values = {
        "weights": str(options.out),
        "before": asdict(result.before),
        "after": asdict(result.after),
        "n_drawings": len(store.digits),
        "now_read": [drawing.id for drawing in result.now_read],
        "no_longer_read": [drawing.id for drawing in result.no_longer_read],
        "seconds": round(time.monotonic() - begin, 1),
    }
    print_result(options, values, _text(result))
    return OK


def _text(result: "AdaptationResult") -> str:
    def scores(scores: "AdaptationScores") -> str:
        own = "" if scores.own_accuracy is None else f"held-out own digits {scores.own_accuracy:.1%}, "
        return f"{own}MNIST test set {scores.mnist_accuracy:.2%}"

    return (
        f"before: {scores(result.before)}\nafter:  {scores(result.after)}\n"
        f"{result.after.n_own:,} digits held out; on all own digits, {len(result.now_read):,} errors fixed and "
        f"{len(result.no_longer_read):,} new"
    )
