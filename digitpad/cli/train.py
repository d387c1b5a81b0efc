"""``digitpad train``: train a network, or resume a run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import (
    DEFAULT_RECIPE,
    add_common,
    add_recipe,
    check_free,
    chosen_recipe,
    dataset_for,
    parse_pairs,
)
from digitpad.cli.deferred_sigint import DeferredSigint
from digitpad.cli.output import FAILED, OK, Parser, clear_line, is_terminal, print_progress, print_result
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.runs.recorder import Recorder
    from digitpad.runs.run import Run
    from digitpad.training.events import Result
    from digitpad.training.trainer import Trainer

_LATEST = "latest"
_BAR_WIDTH = 24  # characters


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad train``."""
    parser = Parser(
        prog="digitpad train",
        description="Train a network with a recipe. Each training is a run, saved in your data folder while it trains: "
        "Ctrl-C pauses it, and --resume continues it, even after a crash. With OpenBLAS, the result is the same to the "
        "bit.",
    )
    add_recipe(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const=_LATEST,
        metavar="RUN",
        help="resume a run (default: the newest unfinished one); --set training.epochs=N trains it for more epochs",
    )
    parser.add_argument(
        "--find-rate", action="store_true", help="do not train, but test learning rates and suggest one"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.npz", help="also save the weights here")
    parser.add_argument("--force", action="store_true", help="replace an existing file at --out")
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    if options.resume is not None and (
        options.recipe != DEFAULT_RECIPE or options.data is not None or options.normalise is not None
    ):
        raise DigitpadError(
            "--resume uses the recipe and dataset of the run; it cannot be combined with --recipe, --data or "
            "--normalise"
        )
    if options.find_rate:
        if options.resume is not None or options.out is not None:
            raise DigitpadError("--find-rate does not train; it cannot be combined with --resume or --out")
        return _find_rate(options)
    if options.out is not None:
        if options.out.suffix != ".npz":
            raise DigitpadError(f"{options.out}: a weights file must end in .npz")
        check_free(options.out, options.force)
    with _start(options) as recorder, DeferredSigint() as interrupts:
        trainer, run = recorder.trainer, recorder.run
        result, hints = _train(recorder, interrupts, options.out)
        path = options.out
        if path is not None:
            recorder.weights.save(path)
            print_progress(f"saved {path}")
        if run is not None and recorder.problem:
            raise DigitpadError(f"the run is not finished: {_save_failure(recorder, run)}")
        if run is not None and path is None:
            path = run.weights_path
            print_progress(f"saved {path}")
    print_result(
        options,
        {
            "weights": str(path),
            "run": None if run is None else run.id,
            "recipe": trainer.recipe.name,
            "epochs": result.epochs,
            "best_epoch": result.best_epoch,
            "validation_accuracy": result.validation.accuracy,
            "test_accuracy": result.test.accuracy,
            "test_loss": result.test.loss,
            "test_n": result.test.n,
            "hints": hints,
            "seconds": round(result.seconds, 1),
        },
        f"validation {result.validation.accuracy:.2%}, test {result.test.accuracy:.2%} after {result.seconds:.0f} s",
    )
    return FAILED if trainer.skipped_files else OK


def _find_rate(options: argparse.Namespace) -> int:
    blas_threads.limit_threads(options.threads)
    from digitpad.training.lr_finder import range_test

    recipe = chosen_recipe(options)
    *_, result = range_test(recipe, dataset_for(recipe))
    rate = result.suggestion
    if rate is None:
        raise DigitpadError("the loss did not fall at any learning rate, so there is no suggestion")
    values = {"suggestion": rate, "rates": result.rates.tolist(), "losses": result.losses.tolist()}
    print_result(
        options,
        values,
        f"the loss fell fastest at a learning rate of {rate:g}; the recipe has {recipe.optimizer.learning_rate:g}",
    )
    return OK


def _start(options: argparse.Namespace) -> "Recorder":
    """Create a run, or open the one to resume."""
    if options.resume is not None:
        return _resume(options)
    blas_threads.limit_threads(options.threads)
    from digitpad.runs.recorder import Recorder
    from digitpad.runs.run import Run
    from digitpad.training.trainer import Trainer

    recipe = chosen_recipe(options)
    dataset = dataset_for(recipe)
    trainer = Trainer(recipe, dataset)
    run = None
    try:
        run = Run.create(recipe, dataset, trainer.n_threads)
    except DigitpadError as error:
        if options.out is None:
            raise
        print_progress(f"{error}; training continues without a run, and saves only {options.out}")
    print_progress(
        f"{recipe.name}: {trainer.network.summary()} on {dataset.name}, {trainer.n_steps:,} steps"
        + ("" if run is None else f"; run {run.id}")
    )
    return Recorder(trainer, run, dataset, _report_problem)


def _resume(options: argparse.Namespace) -> "Recorder":
    from digitpad.runs.recorder import Recorder
    from digitpad.training.setting_values import toml_value

    run = _chosen_run(options.resume)
    # Another number of threads would give slightly different results.
    blas_threads.set_threads(int(run.about.get("blas_threads", options.threads)))
    if not blas_threads.is_reproducible():
        print_progress(f"BLAS is {blas_threads.library()}: the results may differ slightly from an uninterrupted run")
    run.lock()
    try:
        dataset = dataset_for(run.recipe)
        trainer = run.resume(dataset)
        print_progress(f"{run.name}: resumes at step {trainer.step:,} of {trainer.n_steps:,}; run {run.id}")
        settings = {key: toml_value(value) for key, value in parse_pairs("--set", options.set).items()}
        trainer.changed(settings)  # raises for invalid settings before anything is written
        recorder = Recorder(trainer, run, dataset, _report_problem)
        if settings:
            recorder.change(settings)
    except BaseException:
        run.unlock()
        raise
    return recorder


def _chosen_run(text: str) -> "Run":
    from digitpad.runs.run import RunStatus, all_runs, find_run

    if text != _LATEST:
        return find_run(text)
    for run in all_runs():
        if run.summary().status in (RunStatus.PAUSED, RunStatus.CUT_OFF):
            return run
    raise DigitpadError("there is no paused or interrupted run; `digitpad runs` lists all runs")


def _save_failure(recorder: "Recorder", run: "Run") -> str:
    """Describe why the run could not be saved, what is on disk, and what to do."""
    weights = f"older weights are in {run.weights_path}; " if run.weights_path.exists() else ""
    return (
        f"it could not be saved ({recorder.problem}); {weights}"
        f"free some space, then `digitpad train --resume {run.id}` continues at step {run.checkpoint_step:,}"
    )


def _train(recorder: "Recorder", interrupts: DeferredSigint, out: Path | None) -> "tuple[Result, list[str]]":
    """Train to the end, and return the result, and the hints that were printed.

    Ctrl-C pauses the run. If the pause cannot be saved in the run's folder, or there is no run, the best weights are
    saved to ``out``, if it is given. If the loss diverges, the best weights stay on disk.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C was pressed, and the pause or, without a run, ``out`` is saved.
    DigitpadError
        If the pause cannot be saved, or the loss diverges.
    """
    from digitpad.training.events import Result
    from digitpad.training.hints import HintMonitor
    from digitpad.training.trainer import DivergedError

    run = recorder.run
    monitor = HintMonitor(recorder.trainer)
    try:
        for progress in recorder.train():
            _show_progress(recorder.trainer, progress)
            for hint in monitor.new_hints(progress):
                print_progress(f"{clear_line()}hint: {hint}")
            interrupts.check()
    except KeyboardInterrupt:
        recorder.pause()
        if run is not None and not recorder.problem:
            print_progress(
                f"{clear_line()}paused at step {recorder.trainer.step:,}; resume with: digitpad train --resume"
            )
            raise
        if out is not None:
            recorder.weights.save(out)
            print_progress(f"{clear_line()}saved the best weights so far in {out}")
        if run is None:
            raise
        raise DigitpadError(f"paused at step {recorder.trainer.step:,}, but {_save_failure(recorder, run)}") from None
    except DivergedError:
        for hint in monitor.hints_now():
            print_progress(f"{clear_line()}hint: {hint}")
        if run is not None and run.weights_path.exists():
            print_progress(f"{clear_line()}stopped; the best weights so far are in {run.weights_path}")
        raise
    result = None
    for progress in recorder.conclude():
        if isinstance(progress, Result):
            result = progress
    assert result is not None
    return result, monitor.found


def _report_problem(text: str) -> None:
    print_progress(f"{clear_line()}not saved, training continues: {text}")


def _show_progress(trainer: "Trainer", progress: Any) -> None:
    from digitpad.training.events import EpochDone, StepDone

    match progress:
        case StepDone() if is_terminal() and progress.step % 20 == 0:
            done = progress.step / trainer.n_steps
            full = round(done * _BAR_WIDTH)
            seconds_left = trainer.seconds / progress.step * (trainer.n_steps - progress.step)
            print_progress(
                f"\r  {'█' * full}{'░' * (_BAR_WIDTH - full)} {done:4.0%}  step {progress.step:,} of "
                f"{trainer.n_steps:,}, loss {progress.loss:.4f}, {seconds_left / 60:.0f} min left ",
                end="",
            )
        case EpochDone():
            print_progress(
                f"{clear_line()}epoch {progress.epoch:3d}  training loss {progress.training.loss:.4f}  "
                f"validation loss {progress.validation.loss:.4f}  accuracy {progress.validation.accuracy:.2%}"
            )
