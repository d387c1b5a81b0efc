"""``digitpad tune``: search for a recipe's best settings."""

import argparse
import dataclasses
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import (
    add_common,
    add_recipe,
    check_free,
    check_picture,
    chosen_recipe,
    dataset_for,
    parse_pairs,
    picture_kind,
    positive_int,
    write_picture,
)
from digitpad.cli.deferred_sigint import DeferredSigint
from digitpad.cli.output import OK, Parser, clear_line, is_terminal, print_progress, print_result
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.training.events import Progress
    from digitpad.training.recipe import Recipe
    from digitpad.tuning.optuna_search import HyperparameterSearch
    from digitpad.tuning.trials import Trial


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad tune``."""
    parser = Parser(
        prog="digitpad tune",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Search for a recipe's best settings, by validation accuracy. All trials are saved: the same\n"
        "command continues a stopped search, and prints the results of a finished one.",
        epilog="ranges:\n"
        "  optimizer.learning_rate=0.001..0.5:log   numbers, both ends included; log: logarithmic scale\n"
        "  training.batch_size=32..512              whole numbers, if the setting takes them\n"
        "  network.hidden=32..512:log               one hidden layer with this number of units\n"
        "  network.hidden=[64]|[128]|[512,256]      choices\n"
        'A recipe file may also hold ranges, in its table [search], for example training.batch_size = "32..512".',
    )
    add_recipe(parser)
    parser.add_argument(
        "--search",
        action="append",
        default=[],
        metavar="KEY=RANGE",
        help="search a setting, in addition to the ranges of the recipe",
    )
    parser.add_argument(
        "--trials", type=positive_int, default=20, metavar="N", help="total number of trials (default: %(default)s)"
    )
    parser.add_argument(
        "--timeout", type=_minutes, default=math.inf, metavar="MINUTES", help="start no trial after this time"
    )
    parser.add_argument(
        "--storage",
        metavar="URL",
        help="database, which several processes can share (default: a file in your data folder)",
    )
    parser.add_argument(
        "--name", metavar="NAME", help="name of the search in its database (default: the name of the recipe)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.toml", help="save the best recipe here")
    parser.add_argument("--force", action="store_true", help="replace an existing file at --out")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png|svg", help="save a picture of the trials; an existing one is replaced"
    )
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    blas_threads.limit_threads(options.threads)
    from digitpad.tuning.optuna_search import HyperparameterSearch

    recipe = chosen_recipe(options)
    ranges = _ranges(options, recipe)
    if options.out is not None:
        if options.out.suffix != ".toml":
            raise DigitpadError(f"{options.out}: a recipe file must end in .toml")
        check_free(options.out, options.force)
    check_picture(options.plot)
    with HyperparameterSearch(
        recipe, ranges, dataset_for(recipe), options.name or recipe.name, options.storage
    ) as search:
        print_progress(f"{search.name}: {', '.join(f'{item.key} in {item}' for item in ranges)}")
        print_progress(f"saved in {search.place}; {_count(search.trials())} so far, {options.trials:,} requested")
        try:
            with DeferredSigint() as interrupts:

                def on_progress(number: int, progress: "Progress") -> None:
                    interrupts.check()
                    _show_trial(number, progress)

                for trial in search.run(options.trials, timeout_s=60 * options.timeout, on_progress=on_progress):
                    print_progress(f"{clear_line()}{_trial_line(search, trial)}")
                interrupts.check()
        except KeyboardInterrupt:
            print_progress(f"{clear_line()}stopped after {_count(search.trials())}; run the same command to continue")
            raise
        return _report(options, search)


def _ranges(options: argparse.Namespace, recipe: "Recipe") -> Sequence[Any]:
    """Return the ranges of the command line and the recipe; the command line takes precedence.

    A setting given with ``--set`` is not searched.
    """
    from digitpad.training.search_space import parse_ranges

    settings, ranges = parse_pairs("--set", options.set), parse_pairs("--search", options.search)
    for key in settings.keys() & ranges.keys():
        raise DigitpadError(f"{key}: is given to both --set and --search; use one of them")
    own = {key: text for key, text in recipe.search.items() if key not in settings}
    if not own | ranges:
        raise DigitpadError(f"recipe {recipe.name!r} has no search ranges; add them with --search KEY=RANGE")
    return parse_ranges(dataclasses.replace(recipe, search={}), own | ranges)


def _report(options: argparse.Namespace, search: "HyperparameterSearch") -> int:
    """Print the table or the JSON object, and save the picture and the best recipe if requested.

    Raises
    ------
    DigitpadError
        If no trial has finished.
    """
    from digitpad.system.atomic_write import write_atomically
    from digitpad.tuning.trials import best_first, best_of

    trials = best_first(search.trials())
    best = best_of(trials)
    if options.json:
        print_result(
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
            print_result(options, {}, line)
    if options.plot is not None:
        from digitpad.plotting.figure_files import trials_figure

        write_picture(options.plot, trials_figure(search.name, search.ranges, trials, picture_kind(options)))
    if options.out is not None and (recipe := search.best_recipe(options.out.stem)) is not None:
        write_atomically(options.out, recipe.to_toml().encode())
        print_progress(f"saved {options.out}")
    if best is None:
        raise DigitpadError(f"{search.name}: no trial finished, so there is no best recipe")
    return OK


def _trial_values(trial: "Trial") -> dict[str, Any]:
    return {
        "number": trial.number,
        "settings": trial.settings,
        "validation_accuracy": trial.accuracy,
        "epochs": trial.epochs,
        "state": trial.state,
    }


def _table(search: "HyperparameterSearch", trials: Iterable["Trial"]) -> Iterable[str]:
    """Yield the lines of a table with one row per trial, numbers right-aligned."""
    rows = [["trial", *(item.key for item in search.ranges), "validation", "epochs", "state"]]
    for trial in trials:
        settings = (_short(trial.settings.get(item.key, "")) for item in search.ranges)
        accuracy = "" if trial.accuracy is None else f"{trial.accuracy:.2%}"
        rows.append([str(trial.number), *settings, accuracy, str(trial.epochs), trial.state])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for *cells, state in rows:
        yield "  ".join([*(cell.rjust(width) for cell, width in zip(cells, widths, strict=False)), state])


def _trial_line(search: "HyperparameterSearch", trial: "Trial") -> str:
    from digitpad.tuning.trials import best_of

    settings = ", ".join(f"{key} {_short(value)}" for key, value in trial.settings.items())
    epochs = f"{trial.epochs:,} epoch{'s' * (trial.epochs != 1)}"
    accuracy = "" if trial.accuracy is None else f"  {trial.accuracy:.2%} after {epochs}"
    best = best_of(search.trials())
    best_text = "" if best is None else f"  (best so far: {best.accuracy:.2%}, trial {best.number})"
    return f"trial {trial.number:3d}  {trial.state:8}{accuracy}  {settings}{best_text}"


def _show_trial(number: int, progress: "Progress") -> None:
    from digitpad.training.events import EpochDone

    if isinstance(progress, EpochDone) and progress.epoch > 0 and is_terminal():
        print_progress(
            f"\r  trial {number}, epoch {progress.epoch}, accuracy {progress.validation.accuracy:.2%} ", end=""
        )


def _count(trials: Sequence["Trial"]) -> str:
    """Return the number of trials, without stopped ones, and how many of them are running."""
    from digitpad.tuning.trials import TrialOutcome, count_trials

    n, running = count_trials(trials), sum(trial.state is TrialOutcome.RUNNING for trial in trials)
    return f"{n} trial{'' if n == 1 else 's'}" + (f" ({running} running)" if running else "")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not minutes >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")
    return minutes
