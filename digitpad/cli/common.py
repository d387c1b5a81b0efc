"""What several commands share: options, what they name, and how results and progress are told."""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.errors import DigitpadError, OutputsError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.datasets.dataset import Dataset
    from digitpad.training.recipe import Recipe
    from digitpad.weights.native_format import Weights

OK, FAILED, INTERRUPTED = 0, 1, 130
DEFAULT_RECIPE = "dense"

DATA_HELP = (
    "IDX files, an .npz, a .pkl, a .csv, strokes, images in folders by class, or a downloaded set's name, instead of "
    "the built-in MNIST"
)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Options of every command that computes."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--threads",
        type=positive_int,
        default=blas_threads.default_thread_count(),
        metavar="N",
        help="for matrix products (%(default)s)",
    )


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Options that say what is trained, and on what."""
    parser.add_argument(
        "--recipe", default=DEFAULT_RECIPE, metavar="NAME|FILE.toml", help="shipped, or a file (%(default)s)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting, as in training.epochs=5"
    )
    parser.add_argument("--data", metavar="PATH", help=DATA_HELP)


def chosen_recipe(options: argparse.Namespace) -> "Recipe":
    """The recipe that the options of `add_recipe` describe."""
    from digitpad.training.recipe import Recipe
    from digitpad.training.recipe_library import all_recipes
    from digitpad.training.setting_values import toml_value

    settings = {key: toml_value(value) for key, value in parse_pairs("--set", options.set).items()}
    if options.data is not None:
        settings["data.set"] = data_source(options.data)
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


def dataset_for(recipe: "Recipe") -> "Dataset":
    """What a recipe trains on; says so where drawings are made first."""
    from digitpad.training.training_data import dataset_of, n_drawings

    if n := n_drawings(recipe):
        print_progress(f"making {n:,} drawings to train on")
    return dataset_of(recipe)


def add_convention(parser: argparse.ArgumentParser) -> None:
    """Options that say of other people's weights how they are meant, where that is not to be found out."""
    parser.add_argument(
        "--activation", metavar="NAME", help="of other people's weights: relu, sigmoid, tanh, leaky_relu, swish, …"
    )
    parser.add_argument(
        "--scaling", metavar="NAME", help="what their pixels were made of: x/255, 0..255, 'x/255 - 0.5', mnist, …"
    )
    parser.add_argument(
        "--classes",
        metavar="NAMES|DATA",
        help="what their outputs stand for, where not digits: A-Z, or 'cat, dog', or a data set of these classes, by "
        "which they are then scored",
    )


def chosen_weights(
    path: Path | None, told: argparse.Namespace | None = None, data: "Dataset | None" = None
) -> "Weights":
    """The weights in a file of any kind, by what `add_convention`'s options say of it, or those that are shipped."""
    from digitpad.importers.open_file import open_weights
    from digitpad.weights.native_format import SHIPPED

    if told is None:
        return open_weights(path or SHIPPED, data=data)
    class_names, by = _classes(told.classes)
    try:
        return open_weights(path or SHIPPED, told.activation, told.scaling, class_names, by or data)
    except OutputsError as error:
        if class_names is not None:
            raise
        raise DigitpadError(f"{error}, as in --classes A-Z") from error


def _classes(text: str | None) -> "tuple[tuple[str, ...] | None, Dataset | None]":
    """The names that ``--classes`` lists, or a data set whose classes they are."""
    if text is None:
        return None, None
    from digitpad.class_names import names_in
    from digitpad.datasets.dataset import load
    from digitpad.datasets.download.fetch import downloaded

    if text in downloaded() or Path(text).exists():
        dataset = load(data_source(text))
        return dataset.class_names, dataset
    try:
        return names_in(text), None
    except ValueError as error:
        raise DigitpadError(f"--classes {error}, and no data set") from error


def parse_pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """What was given as KEY=VALUE, by its key."""
    parse_pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise DigitpadError(f"{option} {text}: expected KEY=VALUE")
        parse_pairs[key.strip()] = value.strip()
    return parse_pairs


def absolute_path(name: str) -> str:
    """The whole path: valid from elsewhere too, and never taken for the built-in set's name."""
    return str(Path(name).resolve())


def data_source(name: str | None) -> str:
    """What `digitpad.datasets.dataset.load` is to be asked for.

    A path, or where there is none of this name, a downloaded set; without a name, the built-in one.
    """
    from digitpad.datasets.dataset import BUILT_IN
    from digitpad.datasets.download.fetch import downloaded

    if name is None:
        return BUILT_IN
    if not Path(name).exists() and (path := downloaded().get(name)) is not None:
        return str(path)
    return absolute_path(name)


def check_free(path: Path, force: bool) -> None:
    """Refuse to write over what is there, or where there is no folder, before any time is spent."""
    if path.exists() and not force:
        raise DigitpadError(f"{path}: is there already; --force replaces it")
    if not path.parent.is_dir():
        raise DigitpadError(f"{path.parent}: is not a folder")


def check_picture(path: Path | None) -> None:
    """Refuse, before any time is spent, a picture that cannot be; one that is there is drawn anew."""
    if path is not None:
        if path.suffix not in (".png", ".svg"):
            raise DigitpadError(f"{path}: pictures are saved as .png or .svg")
        check_free(path, force=True)


def picture_kind(options: argparse.Namespace) -> str:
    """``png`` or ``svg``, as the name at ``--plot`` ends."""
    return options.plot.suffix[1:]


def write_picture(path: Path, content: bytes) -> None:
    """Write a picture, and say where."""
    from digitpad.system.atomic_write import write_atomically

    write_atomically(path, content)
    print_progress(f"saved {path}")


def positive_int(text: str) -> int:
    """A whole number of 1 or more, for `argparse`."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def clear_line() -> str:
    """What puts a line over the one that says how far a trial is."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""


def print_result(options: argparse.Namespace, values: dict[str, Any], text: str) -> None:
    """A result, on standard output: for programs with ``--json``, else for people."""
    sys.stdout.write((json.dumps(values) if options.json else text) + "\n")


def print_progress(text: str, end: str = "\n") -> None:
    """Progress, on standard error, where there is one."""
    if sys.stderr is not None:
        sys.stderr.write(text + end)
        sys.stderr.flush()


def fail(message: str) -> int:
    """Tell a failure in one line, and return its exit status."""
    print_progress(f"digitpad: {message}")
    return FAILED
