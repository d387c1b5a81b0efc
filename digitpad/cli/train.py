"""``digitpad train``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import (
    DEFAULT_RECIPE,
    OK,
    add_common,
    add_recipe,
    check_free,
    chosen_recipe,
    clear_line,
    dataset_for,
    parse_pairs,
    print_progress,
    print_result,
)
from digitpad.cli.deferred_sigint import DeferredSigint
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.runs.recorder import Recorder
    from digitpad.runs.run import Run
    from digitpad.training.events import Result
    from digitpad.training.trainer import Trainer

_LATEST = "latest"
_BAR = 24


def parser() -> argparse.ArgumentParser:
    """What ``digitpad train`` can be told."""
    parser = argparse.ArgumentParser(
        prog="digitpad train",
        description="Train a network by a recipe. Each training is a run, kept in your data folder as it goes: Ctrl-C "
        "pauses it, and --resume goes on with it to the same bits, even after a crash.",
    )
    add_recipe(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const=_LATEST,
        metavar="RUN",
        help="go on with a run, by default the latest that is not finished; --set training.epochs=N trains on",
    )
    parser.add_argument(
        "--find-rate", action="store_true", help="train nothing, but try all learning rates and suggest one"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.npz", help="where to save the weights besides")
    parser.add_argument("--force", action="store_true", help="replace what is at --out")
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    if options.resume is not None and (options.recipe != DEFAULT_RECIPE or options.data is not None):
        raise DigitpadError("--resume goes on with the run's own recipe and data; --recipe and --data begin another")
    if options.find_rate:
        if options.resume is not None or options.out is not None:
            raise DigitpadError("--find-rate trains nothing; it goes with neither --resume nor --out")
        return _find_rate(options)
    if options.out is not None:
        if options.out.suffix != ".npz":
            raise DigitpadError(f"{options.out}: weights are saved as .npz")
        check_free(options.out, options.force)
    with _begun(options) as recorder, DeferredSigint() as interrupts:
        trainer, kept = recorder.trainer, recorder.run
        assert kept is not None
        result = _trained(recorder, interrupts, options.out)
        path = kept.weights_path
        if options.out is not None:
            path = options.out
            recorder.weights.save(path)
            print_progress(f"saved {path}")
        if recorder.problem:
            raise DigitpadError(f"the run is not finished: {_unsaved(recorder, kept)}")
        if options.out is None:
            print_progress(f"saved {path}")
    print_result(
        options,
        {
            "weights": str(path),
            "run": kept.id,
            "recipe": trainer.recipe.name,
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


def _find_rate(options: argparse.Namespace) -> int:
    blas_threads.limit_threads(options.threads)
    from digitpad.training.lr_finder import range_test

    recipe = chosen_recipe(options)
    *_, tried = range_test(recipe, dataset_for(recipe))
    rate = tried.suggestion
    if rate is None:
        raise DigitpadError("at no learning rate did the loss fall; nothing can be suggested")
    values = {"suggestion": rate, "rates": tried.rates.tolist(), "losses": tried.losses.tolist()}
    print_result(
        options,
        values,
        f"the loss fell most steeply at a learning rate of {rate:g}; the recipe has {recipe.optimizer.learning_rate:g}",
    )
    return OK


def _begun(options: argparse.Namespace) -> "Recorder":
    """A new run, or one that is gone on with, at its first step."""
    if options.resume is not None:
        return _resumed(options)
    blas_threads.limit_threads(options.threads)
    from digitpad.runs.recorder import Recorder
    from digitpad.runs.run import Run
    from digitpad.training.trainer import Trainer

    recipe = chosen_recipe(options)
    dataset = dataset_for(recipe)
    trainer = Trainer(recipe, dataset)
    kept = Run.create(recipe, dataset, trainer.n_threads)
    print_progress(
        f"{recipe.name}: {trainer.network.summary()} on {dataset.name}, {trainer.n_steps:,} steps; run {kept.id}"
    )
    return Recorder(trainer, kept, dataset, _problem)


def _resumed(options: argparse.Namespace) -> "Recorder":
    from digitpad.runs.recorder import Recorder
    from digitpad.training.setting_values import toml_value

    kept = _chosen_run(options.resume)
    blas_threads.set_threads(int(kept.about.get("blas_threads", options.threads)))  # for other numbers give other bits
    kept.lock()
    try:
        dataset = dataset_for(kept.recipe)
        trainer = kept.resume(dataset)
        print_progress(f"{kept.name}: goes on at step {trainer.step:,} of {trainer.n_steps:,}; run {kept.id}")
        settings = {key: toml_value(value) for key, value in parse_pairs("--set", options.set).items()}
        trainer.changed(settings)  # refused before anything is written
        recorder = Recorder(trainer, kept, dataset, _problem)
        if settings:
            recorder.change(settings)
    except BaseException:
        kept.unlock()
        raise
    return recorder


def _chosen_run(text: str) -> "Run":
    from digitpad.runs.run import RunStatus, all_runs, find_run

    if text != _LATEST:
        return find_run(text)
    for kept in all_runs():
        if kept.summary().status in (RunStatus.PAUSED, RunStatus.CUT_OFF):
            return kept
    raise DigitpadError("there is no run that was paused or cut off; `digitpad runs` lists all")


def _unsaved(recorder: "Recorder", kept: "Run") -> str:
    """Why the run is not on disk, what is, and what to do."""
    weights = f"older weights are in {kept.weights_path}; " if kept.weights_path.exists() else ""
    return (
        f"it could not be saved ({recorder.problem}); {weights}"
        f"free some space, then `digitpad train --resume {kept.id}` continues at step {kept.checkpoint_step:,}"
    )


def _trained(recorder: "Recorder", interrupts: DeferredSigint, out: Path | None) -> "Result":
    """Train to the end; Ctrl-C pauses, and what ran away can still be used.

    A pause that cannot be saved in the run's folder writes the best weights to ``out``, if it is given.
    """
    from digitpad.training.events import Result
    from digitpad.training.trainer import DivergedError

    kept = recorder.run
    assert kept is not None
    try:
        for progress in recorder.train():
            _show(recorder.trainer, progress)
            interrupts.check()
    except KeyboardInterrupt:
        recorder.pause()
        if not recorder.problem:
            print_progress(f"{clear_line()}paused at step {recorder.trainer.step:,}; digitpad train --resume goes on")
            raise
        if out is not None:
            recorder.weights.save(out)
            print_progress(f"{clear_line()}saved the best weights so far in {out}")
        raise DigitpadError(f"paused at step {recorder.trainer.step:,}, but {_unsaved(recorder, kept)}") from None
    except DivergedError:
        if kept.weights_path.exists():
            print_progress(f"{clear_line()}stopped; the best weights so far are in {kept.weights_path}")
        raise
    result = None
    for progress in recorder.conclude():
        if isinstance(progress, Result):
            result = progress
    assert result is not None
    return result


def _problem(text: str) -> None:
    print_progress(f"{clear_line()}not saved, training goes on: {text}")


def _show(trainer: "Trainer", progress: Any) -> None:
    from digitpad.training.events import EpochDone, StepDone

    match progress:
        case StepDone() if sys.stderr.isatty() and progress.step % 20 == 0:
            done = progress.step / trainer.n_steps
            full = round(done * _BAR)
            left = trainer.seconds / progress.step * (trainer.n_steps - progress.step)
            print_progress(
                f"\r  {'█' * full}{'░' * (_BAR - full)} {done:4.0%}  step {progress.step:,} of {trainer.n_steps:,}, "
                f"loss {progress.loss:.4f}, {left / 60:.0f} min left ",
                end="",
            )
        case EpochDone():
            print_progress(
                f"{clear_line()}epoch {progress.epoch:3d}  training loss {progress.training.loss:.4f}  "
                f"validation loss {progress.validation.loss:.4f}  accuracy {progress.validation.accuracy:.2%}"
            )
