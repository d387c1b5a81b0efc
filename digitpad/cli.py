"""The command line: the window, and training, tuning, evaluating and predicting without one.

Results go to standard output, progress and errors to standard error. NumPy and Qt are imported by the command that
needs them, after it is settled how many threads BLAS may use; ``--help`` imports neither.
"""

import argparse
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad import __version__, blas
from digitpad.errors import DigitpadError, reason
from digitpad.interrupts import Interrupts

if TYPE_CHECKING:
    from digitpad.datasets.dataset import Dataset
    from digitpad.recognizer import Prediction
    from digitpad.training.loop import Progress, Trainer
    from digitpad.training.recipe import Recipe
    from digitpad.training.trials import Trial
    from digitpad.training.tune import Search
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
        "  digitpad recipes    list the recipes\n"
        "  digitpad tune       search for a recipe's best settings\n"
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
    _add_recipe(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.npz", help="where to save; the user's data folder by default")
    parser.add_argument("--force", action="store_true", help="replace what is at --out")
    _add_common(parser)
    return parser


def _run_train(options: argparse.Namespace) -> int:
    blas.limit_threads(options.threads)
    from digitpad.training.loop import DivergedError, EpochDone, Result, Trainer
    from digitpad.training.run import new_run_path, weights_of

    recipe = _recipe(options)
    out: Path = options.out or new_run_path(recipe.name)
    if out.suffix != ".npz":
        raise DigitpadError(f"{out}: weights are saved as .npz")
    _check_free(out, options.force)
    dataset = _dataset(recipe)
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
            "test_n": result.test.n,
            "seconds": round(result.seconds, 1),
        },
        f"validation {result.validation.accuracy:.2%}, test {result.test.accuracy:.2%} after {result.seconds:.0f} s",
    )
    return OK


def _recipes_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitpad recipes",
        description="List the recipes: those that are shipped, and your own, FILE.toml in the folder `recipes` of your "
        "data folder.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def _run_recipes(options: argparse.Namespace) -> int:
    from digitpad.training.recipes import all_recipes, own_folder

    recipes = all_recipes()
    if options.json:
        values = [
            {**recipe.to_dict(), "own": name in recipes.own, "summary": recipe.summary}
            for name, recipe in recipes.by_name.items()
        ]
        sys.stdout.write(json.dumps({"recipes": values, "folder": str(own_folder())}) + "\n")
    else:
        for name, recipe in recipes.by_name.items():
            yours = "  (yours)" if name in recipes.own else ""
            size = f"{recipe.summary}, {recipe.training.epochs} epochs of batches of {recipe.training.batch_size}"
            about = f"\n    {recipe.description}" if recipe.description else ""
            sys.stdout.write(f"{name}{yours}\n    {size}{about}\n")
    for problem in recipes.problems:
        _say(f"digitpad: {problem}")
    return FAILED if recipes.problems else OK


def _recipe(options: argparse.Namespace) -> "Recipe":
    from digitpad.training.ranges import toml_value
    from digitpad.training.recipe import Recipe
    from digitpad.training.recipes import all_recipes

    settings = {key: toml_value(value) for key, value in _pairs("--set", options.set).items()}
    if options.data is not None:
        settings["data.set"] = _folder(options.data)
    if options.recipe.endswith(".toml"):
        recipe = Recipe.load(Path(options.recipe))
    else:
        recipes = all_recipes()
        if options.recipe not in recipes.by_name:
            broken = "".join(f"\ndigitpad: {problem}" for problem in recipes.problems)
            names = ", ".join(recipes.by_name)
            raise DigitpadError(f"there is no recipe {options.recipe!r}; there are {names}, or a FILE.toml{broken}")
        recipe = recipes.by_name[options.recipe]
    return recipe.with_values(settings)


def _dataset(recipe: "Recipe") -> "Dataset":
    from digitpad.training.data import dataset_of, n_drawings

    if n := n_drawings(recipe):
        _say(f"making {n:,} drawings to train on")
    return dataset_of(recipe)


def _pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """What was given as KEY=VALUE, by its key."""
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise DigitpadError(f"{option} {text}: expected KEY=VALUE")
        pairs[key.strip()] = value.strip()
    return pairs


def _check_free(path: Path, force: bool) -> None:
    """Refuse to write over what is there, or where there is no folder, before any time is spent."""
    if path.exists() and not force:
        raise DigitpadError(f"{path}: is there already; --force replaces it")
    if not path.parent.is_dir():
        raise DigitpadError(f"{path.parent}: is not a folder")


def _check_picture(path: Path | None) -> None:
    """Refuse, before any time is spent, a picture that cannot be; one that is there is drawn anew."""
    if path is not None:
        if path.suffix not in (".png", ".svg"):
            raise DigitpadError(f"{path}: pictures are saved as .png or .svg")
        _check_free(path, force=True)


def _kind(options: argparse.Namespace) -> str:
    return options.plot.suffix[1:]


def _write_picture(path: Path, content: bytes) -> None:
    from digitpad.files import write_atomically

    write_atomically(path, content)
    _say(f"saved {path}")


def _folder(name: str) -> str:
    """The folder's whole path: valid from elsewhere too, and never taken for the built-in set's name."""
    return str(Path(name).resolve())


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


def _tune_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitpad tune",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Search for a recipe's best settings, by accuracy on validation. What was found is kept: the same\n"
        "command goes on where the search was stopped, and tells the results again.",
        epilog="ranges:\n"
        "  optimizer.learning_rate=0.001..0.5:log   numbers, both ends included; log: as many per power of ten\n"
        "  training.batch_size=32..512              whole numbers, where the setting is one\n"
        "  network.hidden=32..512:log               one hidden layer of so many units\n"
        "  network.hidden=[64]|[128]|[512,256]      choices\n"
        'A recipe\'s file may have them too, in its group [search], as in training.batch_size = "32..512".',
    )
    _add_recipe(parser)
    parser.add_argument(
        "--search", action="append", default=[], metavar="KEY=RANGE", help="search a setting, besides the recipe's own"
    )
    parser.add_argument(
        "--trials", type=_positive, default=20, metavar="N", help="how many there are to be in the end (%(default)s)"
    )
    parser.add_argument(
        "--timeout", type=_minutes, default=math.inf, metavar="MINUTES", help="begin no trial after so long"
    )
    parser.add_argument(
        "--storage", metavar="URL", help="a database that several processes share; the user's data folder by default"
    )
    parser.add_argument("--name", metavar="NAME", help="of the search in its database; the recipe's by default")
    parser.add_argument("--out", type=Path, metavar="FILE.toml", help="where to save the best recipe")
    parser.add_argument("--force", action="store_true", help="replace what is at --out")
    parser.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="a picture of the trials, drawn anew")
    _add_common(parser)
    return parser


def _run_tune(options: argparse.Namespace) -> int:
    blas.limit_threads(options.threads)
    from digitpad.training.tune import Search

    recipe = _recipe(options)
    ranges = _ranges(options, recipe)
    if options.out is not None:
        if options.out.suffix != ".toml":
            raise DigitpadError(f"{options.out}: recipes are saved as .toml")
        _check_free(options.out, options.force)
    _check_picture(options.plot)
    with Search(recipe, ranges, _dataset(recipe), options.name or recipe.name, options.storage) as search:
        _say(f"{search.name}: {', '.join(f'{drawn.key} in {drawn}' for drawn in ranges)}")
        _say(f"kept in {search.place}; there: {_count(search.trials())}, wanted: {options.trials}")
        try:
            with Interrupts() as interrupts:

                def look(number: int, progress: "Progress") -> None:
                    interrupts.check()
                    _show_trial(number, progress)

                for trial in search.run(options.trials, timeout_s=60 * options.timeout, on_progress=look):
                    _say(f"{_begin_line()}{_trial_line(search, trial)}")
                interrupts.check()
        except KeyboardInterrupt:
            _say(f"{_begin_line()}stopped with {_count(search.trials())}; the same command goes on")
            raise
        return _tell_search(options, search)


def _ranges(options: argparse.Namespace, recipe: "Recipe") -> Sequence[Any]:
    """The recipe's own ranges and those on the command line, which go first; what is set is not searched."""
    from digitpad.training.ranges import parse_ranges

    settings, ranges = _pairs("--set", options.set), _pairs("--search", options.search)
    for key in settings.keys() & ranges.keys():
        raise DigitpadError(f"{key}: is both set and searched")
    own = {key: text for key, text in recipe.search.items() if key not in settings}
    if not own | ranges:
        raise DigitpadError(f"recipe {recipe.name!r} has no ranges of its own; --search KEY=RANGE gives them")
    return parse_ranges(recipe, own | ranges)


def _tell_search(options: argparse.Namespace, search: "Search") -> int:
    """The table or its JSON, the picture, and the best recipe where it was asked for."""
    from digitpad.files import write_atomically
    from digitpad.training.trials import best_first, best_of

    trials = best_first(search.trials())
    best = best_of(trials)
    if options.json:
        _tell(
            options,
            {
                "name": search.name,
                "storage": search.place,
                "best": None if best is None else _trial_values(best),
                "trials": [_trial_values(trial) for trial in trials],
            },
            "",
        )
    else:
        for line in _table(search, trials):
            _tell(options, {}, line)
    if options.plot is not None:
        from digitpad.figures import trials_picture

        _write_picture(options.plot, trials_picture(search.name, search.ranges, trials, _kind(options)))
    if options.out is not None and (recipe := search.best_recipe(options.out.stem)) is not None:
        write_atomically(options.out, recipe.to_toml().encode())
        _say(f"saved {options.out}")
    if best is None:
        raise DigitpadError(f"{search.name}: no trial came to its end, so that none is the best")
    return OK


def _trial_values(trial: "Trial") -> dict[str, Any]:
    return {
        "number": trial.number,
        "settings": trial.settings,
        "validation_accuracy": trial.accuracy,
        "epochs": trial.epochs,
        "state": trial.state,
    }


def _table(search: "Search", trials: Iterable["Trial"]) -> Iterable[str]:
    """Lines with a row a trial, numbers to the right."""
    rows = [["trial", *(drawn.key for drawn in search.ranges), "validation", "epochs", "state"]]
    for trial in trials:
        settings = (_short(trial.settings.get(drawn.key, "")) for drawn in search.ranges)
        accuracy = "" if trial.accuracy is None else f"{trial.accuracy:.2%}"
        rows.append([str(trial.number), *settings, accuracy, str(trial.epochs), trial.state])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for *cells, state in rows:
        yield "  ".join([*(cell.rjust(width) for cell, width in zip(cells, widths, strict=False)), state])


def _trial_line(search: "Search", trial: "Trial") -> str:
    from digitpad.training.trials import best_of

    settings = ", ".join(f"{key} {_short(value)}" for key, value in trial.settings.items())
    after = f"{trial.epochs} epoch{'s' * (trial.epochs != 1)}"
    reached = "" if trial.accuracy is None else f"  {trial.accuracy:.2%} after {after}"
    best = best_of(search.trials())
    so_far = "" if best is None else f"  (best so far: {best.accuracy:.2%}, trial {best.number})"
    return f"trial {trial.number:3d}  {trial.state:8}{reached}  {settings}{so_far}"


def _show_trial(number: int, progress: "Progress") -> None:
    from digitpad.training.loop import EpochDone

    if isinstance(progress, EpochDone) and progress.epoch > 0 and sys.stderr.isatty():
        _say(f"\r  trial {number}, epoch {progress.epoch}, accuracy {progress.validation.accuracy:.2%} ", end="")


def _begin_line() -> str:
    """What puts a line over the one that says how far a trial is."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""


def _count(trials: Sequence["Trial"]) -> str:
    """How many trials there are, without those that were stopped, and how many of them still run."""
    from digitpad.training.trials import State, n_counting

    n, running = n_counting(trials), sum(trial.state is State.RUNNING for trial in trials)
    return f"{n} trial{'' if n == 1 else 's'}" + (f" ({running} running)" if running else "")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _evaluate_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="digitpad evaluate", description="Score weights on a test set.")
    parser.add_argument("weights", nargs="?", type=Path, metavar="WEIGHTS", help="the shipped weights by default")
    parser.add_argument(
        "--data", metavar="FOLDER", help="four IDX files named as MNIST's, instead of the built-in MNIST"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png|svg", help="how honest its probabilities are, drawn anew"
    )
    _add_common(parser)
    return parser


def _run_evaluate(options: argparse.Namespace) -> int:
    blas.limit_threads(options.threads)
    import numpy as np

    from digitpad.datasets.dataset import BUILT_IN, load
    from digitpad.nn.losses import softmax
    from digitpad.training.calibration import reliability
    from digitpad.training.evaluation import finished, interval, read_in_chunks, scores_of

    _check_picture(options.plot)
    weights = _weights(options.weights)
    dataset = load(_folder(options.data) if options.data else BUILT_IN)
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

        _write_picture(options.plot, reliability_picture(f"{weights.name} on {dataset.name}", honesty, _kind(options)))
    _tell(
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
        values = {
            "digit": digit,
            "probabilities": None if prediction is None else prediction.probabilities,
            "sure": prediction is not None and prediction.sure,
            **known,
        }
        said = "nothing drawn"
        if prediction is not None:
            said = f"{digit}  {prediction.confidence:6.1%}" + "  not sure" * (not prediction.sure)
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


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", default="dense", metavar="NAME|FILE.toml", help="shipped, or a file (%(default)s)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting, as in training.epochs=5"
    )
    parser.add_argument(
        "--data", metavar="FOLDER", help="four IDX files named as MNIST's, instead of the built-in MNIST"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not minutes >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")
    return minutes


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
    "recipes": (_recipes_parser, _run_recipes),
    "tune": (_tune_parser, _run_tune),
    "evaluate": (_evaluate_parser, _run_evaluate),
    "predict": (_predict_parser, _run_predict),
}
