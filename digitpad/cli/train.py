"""``digitpad train``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad import blas
from digitpad.cli.common import OK, add_common, add_recipe, check_free, chosen_recipe, dataset_for, say, tell
from digitpad.errors import DigitpadError

if TYPE_CHECKING:
    from digitpad.training.loop import Trainer


def parser() -> argparse.ArgumentParser:
    """What ``digitpad train`` can be told."""
    parser = argparse.ArgumentParser(prog="digitpad train", description="Train a network by a recipe.")
    add_recipe(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.npz", help="where to save; the user's data folder by default")
    parser.add_argument("--force", action="store_true", help="replace what is at --out")
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    blas.limit_threads(options.threads)
    from digitpad.training.loop import DivergedError, EpochDone, Result, Trainer
    from digitpad.training.run import new_run_path, weights_of

    recipe = chosen_recipe(options)
    out: Path = options.out or new_run_path(recipe.name)
    if out.suffix != ".npz":
        raise DigitpadError(f"{out}: weights are saved as .npz")
    check_free(out, options.force)
    dataset = dataset_for(recipe)
    trainer = Trainer(recipe, dataset)
    say(f"{recipe.name}: {trainer.network.summary()} on {dataset.name}, {trainer.n_steps:,} steps")
    result = None
    try:
        for progress in trainer.run():
            _show(trainer, progress)
            if isinstance(progress, EpochDone) and progress.is_best and progress.epoch > 0:
                weights_of(trainer, dataset).save(out)
            if isinstance(progress, Result):
                result = progress
    except (KeyboardInterrupt, DivergedError):
        if trainer.best is not None and trainer.best.epoch > 0:
            say(f"\nstopped; the best weights so far are in {out}")
        raise
    assert result is not None
    weights_of(trainer, dataset, result).save(out)
    say(f"saved {out}")
    tell(
        options,
        {
            "weights": str(out),
            "recipe": recipe.name,
            "epochs": result.epochs,
            "best_epoch": result.best_epoch,
            "validation_accuracy": result.validation.accuracy,
            "test_accuracy": result.test.accuracy,
            "test_loss": result.test.loss,
            "test_n": result.test.n,
            "seconds": round(result.seconds, 1),
        },
        f"validation {result.validation.accuracy:.2%}, test {result.test.accuracy:.2%} after {result.seconds:.0f} s",
    )
    return OK


def _show(trainer: "Trainer", progress: Any) -> None:
    from digitpad.training.loop import EpochDone, StepDone

    match progress:
        case StepDone() if sys.stderr.isatty() and progress.step % 20 == 0:
            say(f"\r  step {progress.step:,} of {trainer.n_steps:,}, loss {progress.loss:.4f} ", end="")
        case EpochDone():
            begin = "\r" if sys.stderr.isatty() else ""
            say(
                f"{begin}epoch {progress.epoch:3d}  training loss {progress.training.loss:.4f}  "
                f"validation loss {progress.validation.loss:.4f}  accuracy {progress.validation.accuracy:.2%}"
            )
