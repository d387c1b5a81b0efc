"""``digitpad tune``."""

import argparse
import dataclasses
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import (
    OK,
    add_common,
    add_recipe,
    check_free,
    check_picture,
    chosen_recipe,
    clear_line,
    dataset_for,
    parse_pairs,
    picture_kind,
    positive_int,
    print_progress,
    print_result,
    write_picture,
)
from digitpad.cli.deferred_sigint import DeferredSigint
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.training.events import Progress
    from digitpad.training.recipe import Recipe
    from digitpad.tuning.optuna_search import HyperparameterSearch
    from digitpad.tuning.trials import Trial


def parser() -> argparse.ArgumentParser:
    """What ``digitpad tune`` can be told."""
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
    add_recipe(parser)
    parser.add_argument(
        "--search", action="append", default=[], metavar="KEY=RANGE", help="search a setting, besides the recipe's own"
    )
    parser.add_argument(
        "--trials", type=positive_int, default=20, metavar="N", help="how many there are to be in the end (%(default)s)"
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
    add_common(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    blas_threads.limit_threads(options.threads)
    from digitpad.tuning.optuna_search import HyperparameterSearch

    recipe = chosen_recipe(options)
    ranges = _ranges(options, recipe)
    if options.out is not None:
        if options.out.suffix != ".toml":
            raise DigitpadError(f"{options.out}: recipes are saved as .toml")
        check_free(options.out, options.force)
    check_picture(options.plot)
    with HyperparameterSearch(
        recipe, ranges, dataset_for(recipe), options.name or recipe.name, options.storage
    ) as search:
        print_progress(f"{search.name}: {', '.join(f'{drawn.key} in {drawn}' for drawn in ranges)}")
        print_progress(f"kept in {search.place}; there: {_count(search.trials())}, wanted: {options.trials}")
        try:
            with DeferredSigint() as interrupts:

                def look(number: int, progress: "Progress") -> None:
                    interrupts.check()
                    _show_trial(number, progress)

                for trial in search.run(options.trials, timeout_s=60 * options.timeout, on_progress=look):
                    print_progress(f"{clear_line()}{_trial_line(search, trial)}")
                interrupts.check()
        except KeyboardInterrupt:
            print_progress(f"{clear_line()}stopped with {_count(search.trials())}; the same command goes on")
            raise
        return _tell_search(options, search)


def _ranges(options: argparse.Namespace, recipe: "Recipe") -> Sequence[Any]:
    """The recipe's own ranges and those on the command line, which go first; what is set is not searched."""
    from digitpad.training.search_space import parse_ranges

    settings, ranges = parse_pairs("--set", options.set), parse_pairs("--search", options.search)
    for key in settings.keys() & ranges.keys():
        raise DigitpadError(f"{key}: is both set and searched")
    own = {key: text for key, text in recipe.search.items() if key not in settings}
    if not own | ranges:
        raise DigitpadError(f"recipe {recipe.name!r} has no ranges of its own; --search KEY=RANGE gives them")
    return parse_ranges(dataclasses.replace(recipe, search={}), own | ranges)


def _tell_search(options: argparse.Namespace, search: "HyperparameterSearch") -> int:
    """The table or its JSON, the picture, and the best recipe where it was asked for."""
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


def _table(search: "HyperparameterSearch", trials: Iterable["Trial"]) -> Iterable[str]:
    """Lines with a row a trial, numbers to the right."""
    rows = [["trial", *(drawn.key for drawn in search.ranges), "validation", "epochs", "state"]]
    for trial in trials:
        settings = (_short(trial.settings.get(drawn.key, "")) for drawn in search.ranges)
        accuracy = "" if trial.accuracy is None else f"{trial.accuracy:.2%}"
        rows.append([str(trial.number), *settings, accuracy, str(trial.epochs), trial.state])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for *cells, state in rows:
        yield "  ".join([*(cell.rjust(width) for cell, width in zip(cells, widths, strict=False)), state])


def _trial_line(search: "HyperparameterSearch", trial: "Trial") -> str:
    from digitpad.tuning.trials import best_of

    settings = ", ".join(f"{key} {_short(value)}" for key, value in trial.settings.items())
    after = f"{trial.epochs} epoch{'s' * (trial.epochs != 1)}"
    reached = "" if trial.accuracy is None else f"  {trial.accuracy:.2%} after {after}"
    best = best_of(search.trials())
    so_far = "" if best is None else f"  (best so far: {best.accuracy:.2%}, trial {best.number})"
    return f"trial {trial.number:3d}  {trial.state:8}{reached}  {settings}{so_far}"


def _show_trial(number: int, progress: "Progress") -> None:
    from digitpad.training.events import EpochDone

    if isinstance(progress, EpochDone) and progress.epoch > 0 and sys.stderr.isatty():
        print_progress(
            f"\r  trial {number}, epoch {progress.epoch}, accuracy {progress.validation.accuracy:.2%} ", end=""
        )


def _count(trials: Sequence["Trial"]) -> str:
    """How many trials there are, without those that were stopped, and how many of them still run."""
    from digitpad.tuning.trials import TrialOutcome, n_counting

    n, running = n_counting(trials), sum(trial.state is TrialOutcome.RUNNING for trial in trials)
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
