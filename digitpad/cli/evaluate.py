"""``digitpad evaluate``."""

import argparse
from pathlib import Path

from digitpad import blas
from digitpad.cli.common import (
    OK,
    add_common,
    check_picture,
    chosen_weights,
    picture_kind,
    tell,
    whole_path,
    write_picture,
)
from digitpad.errors import DigitpadError


def parser() -> argparse.ArgumentParser:
    """What ``digitpad evaluate`` can be told."""
    parser = argparse.ArgumentParser(prog="digitpad evaluate", description="Score weights on a test set.")
    parser.add_argument("weights", nargs="?", type=Path, metavar="WEIGHTS", help="the shipped weights by default")
    parser.add_argument(
        "--data", metavar="FOLDER", help="four IDX files named as MNIST's, instead of the built-in MNIST"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png|svg", help="how honest its probabilities are, drawn anew"
    )
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    blas.limit_threads(options.threads)
    import numpy as np

    from digitpad.datasets.dataset import BUILT_IN, load
    from digitpad.nn.losses import softmax
    from digitpad.training.calibration import reliability
    from digitpad.training.evaluation import finished, interval, read_in_chunks, scores_of

    check_picture(options.plot)
    weights = chosen_weights(options.weights)
    dataset = load(whole_path(options.data) if options.data else BUILT_IN)
    digits = dataset.test
    logits = finished(read_in_chunks(weights.network(), digits))
    scores = scores_of(logits, digits.labels)
    if not np.isfinite(logits).all():
        raise DigitpadError(f"{weights.name}: computes numbers that are not finite")
    confidences = softmax(logits).max(axis=1)
    honesty = reliability(confidences, logits.argmax(axis=1) == digits.labels)
    low, high = interval(scores.accuracy, scores.n)
    if options.plot is not None:
        from digitpad.figures import reliability_picture

        write_picture(
            options.plot, reliability_picture(f"{weights.name} on {dataset.name}", honesty, picture_kind(options))
        )
    tell(
        options,
        {
            "weights": weights.name,
            "data": dataset.name,
            "accuracy": scores.accuracy,
            "interval": [low, high],
            "loss": scores.loss,
            "calibration_error": honesty.error,
            "not_sure": float((confidences < weights.sure_above).mean()),
            "n": scores.n,
        },
        f"{weights.name} reads {scores.accuracy:.2%} ({low:.2%} to {high:.2%}) of {scores.n:,} test digits of "
        f"{dataset.name}; loss {scores.loss:.4f}, calibration error {honesty.error:.2%}",
    )
    return OK
