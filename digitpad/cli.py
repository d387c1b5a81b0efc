"""The command line: the window, and training, evaluating and predicting without one.

Results go to standard output, progress and errors to standard error. NumPy and Qt are imported by the command that
needs them, after it is settled how many threads BLAS may use; ``--help`` imports neither.
"""

import argparse
import io
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad import __version__, blas
from digitpad.errors import DigitpadError, reason

if TYPE_CHECKING:
    from digitpad.recognizer import Prediction
    from digitpad.training.loop import Trainer
    from digitpad.weights.weights import Weights

OK, FAILED, INTERRUPTED = 0, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 for a failure, 130 for Ctrl-C; wrong usage exits with 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a sign of ours shows its number instead
            stream.reconfigure(errors="backslashreplace")
    try:
        if words and words[0] in _COMMANDS:
            parser, run = _COMMANDS[words[0]]
            status = run(parser().parse_args(words[1:]))
            sys.stdout.flush()  # here, where a reader who left can still be told from a failure
            return status
        return _run_window(_window_parser().parse_args(words))
    except DigitpadError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _fail(reason(error))
    except MemoryError:
        return _fail("there is not enough memory")


def window() -> int:
    """Open the window; for desktop starters, which have no terminal (on Windows, not even a standard output)."""
    return main()


def _window_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitpad",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Draw a digit and see what a neural network makes of it.",
        epilog="commands, each with its own --help:\n"
        "  digitpad train      train a network by a recipe\n"
        "  digitpad evaluate   score weights on a test set\n"
        "  digitpad predict    read images or strokes",
    )
    parser.add_argument("weights", nargs="?", type=Path, metavar="WEIGHTS", help="an .npz to read with")
    parser.add_argument("--version", action="version", version=f"digitpad {__version__}")
    return parser


def _run_window(options: argparse.Namespace) -> int:
    if options.weights is not None and not options.weights.suffix and not options.weights.exists():
        raise DigitpadError(f"{options.weights}: neither a file nor one of the commands {', '.join(_COMMANDS)}")
    blas.limit_threads(blas.all_but_one())
    from digitpad.app import run

    return run(options.weights)


def _train_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="digitpad train", description="Train a network by a recipe.")
    parser.add_argument("--recipe", default="dense", metavar="NAME|FILE.toml", help="shipped, or a file (%(default)s)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting, as in training.epochs=5"
    )
    parser.add_argument(
        "--data", metavar="FOLDER", help="four IDX files named as MNIST's, instead of the built-in MNIST"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.npz", help="where to save; the user's data folder by default")
    parser.add_argument("--force", action="store_true", help="replace what is at --out")
    _add_common(parser)
    return parser


def _run_train(options: argparse.Namespace) -> int:
    blas.limit_threads(options.threads)
    from digitpad.datasets.dataset import load
    from digitpad.training.loop import DivergedError, EpochDone, Result, Trainer
    from digitpad.training.run import new_run_path, weights_of

    recipe = _recipe(options)
    out: Path = options.out or new_run_path(recipe.name)
    if out.suffix != ".npz":
        raise DigitpadError(f"{out}: weights are saved as .npz")
    if out.exists() and not options.force:
        raise DigitpadError(f"{out}: is there already; --force replaces it")
    if not out.parent.is_dir():
        raise DigitpadError(f"{out.parent}: is not a folder")
    dataset = load(recipe.data.set)
    trainer = Trainer(recipe, dataset)
    _say(f"{recipe.name}: {trainer.network.summary()} on {dataset.name}, {trainer.n_steps:,} steps")
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
            _say(f"\nstopped; the best weights so far are in {out}")
        raise
    assert result is not None
    weights_of(trainer, dataset, result).save(out)
    _say(f"saved {out}")
    _tell(
        options,
        {
            "weights": str(out),
            "recipe": recipe.name,
            "epochs": result.epochs,
            "best_epoch": result.best_epoch,
            "validation_accuracy": result.validation.accuracy,
            "test_accuracy": result.test.accuracy,
            "test_loss": result.test.loss,
            "seconds": round(result.seconds, 1),
        },
        f"validation {result.validation.accuracy:.2%}, test {result.test.accuracy:.2%} after {result.seconds:.0f} s",
    )
    return OK


def _recipe(options: argparse.Namespace) -> Any:
    from digitpad.training.recipe import Recipe, shipped_recipes

    settings = {}
    for setting in options.set:
        key, equals, value = setting.partition("=")
        if not equals:
            raise DigitpadError(f"--set {setting}: expected KEY=VALUE")
        settings[key.strip()] = _toml_value(value.strip())
    if options.data is not None:
        settings["data.set"] = _folder(options.data)
    if options.recipe.endswith(".toml"):
        recipe = Recipe.load(Path(options.recipe))
    else:
        shipped = shipped_recipes()
        if options.recipe not in shipped:
            raise DigitpadError(
                f"there is no recipe {options.recipe!r}; there are {', '.join(shipped)}, or a FILE.toml"
            )
        recipe = shipped[options.recipe]
    return recipe.with_values(settings)


def _folder(name: str) -> str:
    """The folder's whole path: valid from elsewhere too, and never taken for the built-in set's name."""
    return str(Path(name).resolve())


def _toml_value(text: str) -> Any:
    """A number, list or quoted text as TOML has it; anything else is text as it stands."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # not TOML, a number of thousands of figures, lists too deep
        return text


def _show(trainer: "Trainer", progress: Any) -> None:
    from digitpad.training.loop import EpochDone, StepDone

    match progress:
        case StepDone() if sys.stderr.isatty() and progress.step % 20 == 0:
            _say(f"\r  step {progress.step:,} of {trainer.n_steps:,}, loss {progress.loss:.4f} ", end="")
        case EpochDone():
            begin = "\r" if sys.stderr.isatty() else ""
            _say(
                f"{begin}epoch {progress.epoch:3d}  training loss {progress.training.loss:.4f}  "
                f"validation loss {progress.validation.loss:.4f}  accuracy {progress.validation.accuracy:.2%}"
            )


def _evaluate_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="digitpad evaluate", description="Score weights on a test set.")
    parser.add_argument("weights", nargs="?", type=Path, metavar="WEIGHTS", help="the shipped weights by default")
    parser.add_argument(
        "--data", metavar="FOLDER", help="four IDX files named as MNIST's, instead of the built-in MNIST"
    )
    _add_common(parser)
    return parser


def _run_evaluate(options: argparse.Namespace) -> int:
    blas.limit_threads(options.threads)
    from digitpad.datasets.dataset import BUILT_IN, load
    from digitpad.training.evaluation import evaluate

    weights = _weights(options.weights)
    dataset = load(_folder(options.data) if options.data else BUILT_IN)
    scores = evaluate(weights.network(), dataset.test)
    _tell(
        options,
        {
            "weights": weights.name,
            "data": dataset.name,
            "accuracy": scores.accuracy,
            "loss": scores.loss,
            "n": scores.n,
        },
        f"{weights.name} reads {scores.accuracy:.2%} of {scores.n:,} test digits of {dataset.name}; "
        f"loss {scores.loss:.4f}",
    )
    return OK


def _predict_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitpad predict", description="Read digits: images, or the lines of a strokes file."
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="of any size and either polarity")
    parser.add_argument("--strokes", type=Path, metavar="FILE.jsonl", help='lines of {"strokes": [[[x, y], …], …]}')
    parser.add_argument("--weights", type=Path, metavar="WEIGHTS", help="the shipped weights by default")
    _add_common(parser)
    return parser


def _run_predict(options: argparse.Namespace) -> int:
    if bool(options.images) == bool(options.strokes):
        _predict_parser().error("give either images or --strokes FILE.jsonl")
    blas.limit_threads(options.threads)
    from digitpad.ink.image import read_image
    from digitpad.ink.strokes import read_strokes
    from digitpad.recognizer import Recognizer

    recognizer = Recognizer(_weights(options.weights))
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
        digit = None if prediction is None else prediction.digit
        values = {"digit": digit, "probabilities": None if prediction is None else prediction.probabilities, **known}
        said = "nothing drawn" if prediction is None else f"{digit}  {prediction.confidence:6.1%}"
        _tell(options, values, f"{said}  {source}" + ("" if label is None else f"  (label {label})"))
        labelled += label is not None
        right += label is not None and label == digit
    if labelled:
        _say(f"{right:,} of {labelled:,} read as labelled: {right / labelled:.2%}")
    return OK


def _weights(path: Path | None) -> "Weights":
    from digitpad.weights.weights import SHIPPED, load_weights

    return load_weights(path or SHIPPED)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--threads", type=_positive, default=blas.all_but_one(), metavar="N", help="for matrix products (%(default)s)"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _tell(options: argparse.Namespace, values: dict[str, Any], text: str) -> None:
    """A result, on standard output: for programs with ``--json``, else for people."""
    sys.stdout.write((json.dumps(values) if options.json else text) + "\n")


def _say(text: str, end: str = "\n") -> None:
    """Progress, on standard error, where there is one."""
    if sys.stderr is not None:
        sys.stderr.write(text + end)
        sys.stderr.flush()


def _fail(message: str) -> int:
    _say(f"digitpad: {message}")
    return FAILED


_COMMANDS: dict[str, tuple[Callable[[], argparse.ArgumentParser], Callable[[argparse.Namespace], int]]] = {
    "train": (_train_parser, _run_train),
    "evaluate": (_evaluate_parser, _run_evaluate),
    "predict": (_predict_parser, _run_predict),
}
