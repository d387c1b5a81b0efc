"""Options that commands share, and the objects that these options name."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digitpad.cli.output import print_progress
from digitpad.errors import DigitpadError, OutputsError
from digitpad.system import blas_threads

if TYPE_CHECKING:
    from digitpad.datasets.dataset import Dataset
    from digitpad.training.recipe import Recipe
    from digitpad.weights.native_format import Weights

DEFAULT_RECIPE = "dense"

DATA_HELP = (
    "dataset to use instead of the built-in MNIST: IDX files, an .npz, .pkl, .mat or .csv, strokes, images in a folder "
    "per class or with the digit in their names, an archive of these, the name of a downloaded dataset, or my-digits, "
    "my-digits-by-writer, mnist+my-digits or mnist+my-digits-by-writer"
)
_N_SKIPPED_SHOWN = 3


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that computes."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    parser.add_argument(
        "--threads",
        type=positive_int,
        default=blas_threads.default_thread_count(),
        metavar="N",
        help="BLAS threads (default: %(default)s)",
    )


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a recipe and a dataset."""
    parser.add_argument(
        "--recipe",
        default=DEFAULT_RECIPE,
        metavar="NAME|FILE.toml",
        help="name of a recipe, or a file (default: %(default)s)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting, for example training.epochs=5",
    )
    parser.add_argument("--data", metavar="PATH", help=DATA_HELP)
    add_normalise(parser)


def add_normalise(parser: argparse.ArgumentParser) -> None:
    """Add the option that says whether images of a dataset are normalised."""
    parser.add_argument(
        "--normalise",
        choices=("auto", "always", "never"),
        help="scale and centre images of 28 × 28 pixels like MNIST's (default: if they seem to need it)",
    )


def report_dataset(dataset: "Dataset") -> None:
    """Report changes to a dataset, and its skipped files, on standard error."""
    for note in dataset.notes:
        print_progress(note)
    report_skipped(dataset.skipped)


def report_skipped(skipped: Sequence[str]) -> None:
    """Report the number of skipped files of a dataset, and the first of them, on standard error."""
    if skipped:
        were = "image was skipped, as it" if len(skipped) == 1 else "images were skipped, as they"
        print_progress(f"{len(skipped):,} {were} could not be read:")
        for text in skipped[:_N_SKIPPED_SHOWN]:
            print_progress(f"  {text}")
        if len(skipped) > _N_SKIPPED_SHOWN:
            print_progress(f"  and {len(skipped) - _N_SKIPPED_SHOWN:,} more")


def chosen_recipe(options: argparse.Namespace) -> "Recipe":
    """Return the recipe that the options of `add_recipe` describe.

    Raises
    ------
    DigitpadError
        If there is no such recipe, or a setting is invalid.
    """
    from digitpad.training.recipe import Recipe
    from digitpad.training.recipe_library import all_recipes
    from digitpad.training.setting_values import toml_value

    settings = {key: toml_value(value) for key, value in parse_pairs("--set", options.set).items()}
    if options.data is not None:
        settings["data.set"] = data_source(options.data)
    if options.normalise is not None:
        settings["data.normalise"] = options.normalise
    if options.recipe.endswith(".toml"):
        recipe = Recipe.load(Path(options.recipe))
    else:
        recipes = all_recipes()
        if options.recipe not in recipes.by_name:
            broken = "".join(f"\ndigitpad: {problem}" for problem in recipes.problems)
            names = ", ".join(recipes.by_name)
            raise DigitpadError(f"there is no recipe {options.recipe!r}; choose a FILE.toml, or one of {names}{broken}")
        recipe = recipes.by_name[options.recipe]
    return recipe.with_values(settings)


def dataset_for(recipe: "Recipe") -> "Dataset":
    """Return the dataset of a recipe; report changes and generated drawings on standard error."""
    from digitpad.training.training_data import load_training_data, n_drawings

    if n := n_drawings(recipe):
        print_progress(f"generating {n:,} drawings for training")
    dataset = load_training_data(recipe)
    report_dataset(dataset)
    return dataset


def add_convention(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to use an imported network, for files that do not say it themselves."""
    parser.add_argument(
        "--activation",
        metavar="NAME",
        help="activation of an imported network: relu, sigmoid, tanh, leaky_relu, swish, …",
    )
    parser.add_argument(
        "--scaling",
        metavar="NAME",
        help="pixel scaling of an imported network: x/255, 0..255, 'x/255 - 0.5', mnist, …",
    )
    parser.add_argument(
        "--classes",
        metavar="NAMES|DATA",
        help="classes of an imported network, if they are not digits: A-Z, or 'cat, dog', or a dataset with these "
        "classes, on which the network is then tested",
    )


def chosen_weights(
    path: Path | None, convention: argparse.Namespace | None = None, data: "Dataset | None" = None
) -> "Weights":
    """Return the weights in a file of any supported type, or the built-in weights if ``path`` is None.

    Parameters
    ----------
    path : Path or None
    convention : Namespace or None
        Options of `add_convention`.
    data : Dataset or None
        Dataset on which unknown conventions are tested.
    """
    from digitpad.importers.open_file import open_weights
    from digitpad.weights.native_format import SHIPPED

    if convention is None:
        return open_weights(path or SHIPPED, data=data)
    class_names, scored_on = _classes(convention.classes)
    try:
        return open_weights(path or SHIPPED, convention.activation, convention.scaling, class_names, scored_on or data)
    except OutputsError as error:
        if class_names is not None:
            raise
        raise DigitpadError(f"{error}, for example --classes A-Z") from error


def report_doubt(weights: "Weights") -> None:
    """Warn on standard error if an imported network is probably not used as it was trained."""
    if doubt := weights.about.get("doubt"):
        print_progress(f"digitpad: {weights.name}: {doubt}; see --activation, --scaling and --classes")


def _classes(text: str | None) -> "tuple[tuple[str, ...] | None, Dataset | None]":
    """Return the class names in ``--classes``, and the dataset if it names one."""
    if text is None:
        return None, None
    from digitpad.class_names import parse_names
    from digitpad.datasets.dataset import load
    from digitpad.datasets.download.fetch import downloaded

    if text in downloaded() or Path(text).exists():
        dataset = load(data_source(text))
        return dataset.class_names, dataset
    try:
        return parse_names(text), None
    except ValueError as error:
        raise DigitpadError(f"--classes {error}; or give the path of a dataset") from error


def parse_pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Split texts of the form KEY=VALUE into a dict."""
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise DigitpadError(f"{option} {text}: expected KEY=VALUE")
        pairs[key.strip()] = value.strip()
    return pairs


def absolute_path(name: str) -> str:
    """Return the absolute path: valid in every folder, and never confused with the name of the built-in dataset."""
    return str(Path(name).resolve())


def data_source(name: str | None) -> str:
    """Return the argument for `digitpad.datasets.dataset.load`.

    An existing path comes first, then a downloaded dataset of that name; None is the built-in dataset.
    """
    from digitpad.datasets.dataset import BUILT_IN
    from digitpad.datasets.download.fetch import downloaded
    from digitpad.datasets.own_digits.dataset import OWN_SOURCES

    if name is None:
        return BUILT_IN
    if name in OWN_SOURCES and not Path(name).exists():
        return name
    if not Path(name).exists() and (path := downloaded().get(name)) is not None:
        return str(path)
    return absolute_path(name)


def check_free(path: Path, force: bool) -> None:
    """Raise a DigitpadError if a file exists and ``force`` is false, or if its folder does not exist.

    Called before any long work.
    """
    if path.exists() and not force:
        raise DigitpadError(f"{path}: already exists; use --force to replace it")
    if not path.parent.is_dir():
        raise DigitpadError(f"{path.parent}: is not a folder")


def check_picture(path: Path | None) -> None:
    """Raise a DigitpadError if a picture cannot be saved at a path; an existing picture is replaced.

    Called before any long work.
    """
    if path is not None:
        if path.suffix not in (".png", ".svg"):
            raise DigitpadError(f"{path}: a picture must end in .png or .svg")
        check_free(path, force=True)


def picture_kind(options: argparse.Namespace) -> str:
    """Return the file type of ``--plot``: ``png`` or ``svg``."""
    return options.plot.suffix[1:]


def write_picture(path: Path, content: bytes) -> None:
    """Write a picture, and report its path."""
    from digitpad.system.atomic_write import write_atomically

    write_atomically(path, content)
    print_progress(f"saved {path}")


def positive_int(text: str) -> int:
    """Parse a whole number of 1 or more, for `argparse`."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)
