"""Recipe library: built-in recipes, and the user's own in a folder of their data folder."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from digitpad import assets
from digitpad.errors import FileError
from digitpad.system import user_folders
from digitpad.system.atomic_write import write_atomically
from digitpad.system.file_names import safe_file_name
from digitpad.training.recipe import Recipe

DEFAULT = "dense"
"""Default recipe of the command line, first in its lists; training it takes some minutes."""

FIRST = "fast"
"""Recipe that the window shows first: accurate after seconds."""


@dataclass
class Recipes:
    """All recipes by name, and the errors of files that could not be read.

    Attributes
    ----------
    shipped, own : dict of str to Recipe
    problems : list of FileError
        An error for each file in the user's folder that is not a valid recipe.
    own_paths : dict of str to Path
        File of each of the user's recipes; its name may differ from the recipe's name.
    """

    shipped: dict[str, Recipe]
    own: dict[str, Recipe] = field(default_factory=dict)
    problems: list[FileError] = field(default_factory=list)
    own_paths: dict[str, Path] = field(default_factory=dict)

    @property
    def by_name(self) -> dict[str, Recipe]:
        """All recipes; the user's recipe replaces a built-in one of the same name."""
        return self.shipped | self.own


def own_folder() -> Path:
    """Return the folder of the user's recipes, which may not exist yet."""
    return user_folders.user_data_path() / "recipes"


def all_recipes() -> Recipes:
    """Load every recipe in ``model/`` and in the user's folder."""
    shipped = _by_name(map(Recipe.load, _files(assets.MODEL)))
    recipes = Recipes({DEFAULT: shipped[DEFAULT], **shipped})
    for path in _files(own_folder()):
        try:
            recipe = Recipe.load(path)
            if not recipe.name.strip():
                raise FileError(path, "has an empty name")
        except FileError as error:
            recipes.problems.append(error)
        else:
            recipes.own[recipe.name], recipes.own_paths[recipe.name] = recipe, path
    return recipes


def path_for(name: str) -> Path:
    """Return the file in the user's folder for a new recipe of that name."""
    return own_folder() / f"{safe_file_name(name) or 'untitled'}.toml"


def recipe_file_exists(name: str) -> bool:
    """Return whether the file for a new recipe of that name exists; False if the folder cannot be read."""
    try:
        return path_for(name).exists()
    except OSError:
        return False


def save_recipe(recipe: Recipe, *, replace: bool = False) -> Path:
    """Save a recipe to the user's folder, and return its path.

    A recipe of the same name is replaced if ``replace`` is true; otherwise the file is named after the recipe.

    Raises
    ------
    FileError
        If the file cannot be written, or exists and ``replace`` is false.
    """
    user_folders.ensure_folder(own_folder())
    listed = all_recipes().own_paths.get(recipe.name)
    path = listed or path_for(recipe.name)
    if (listed or recipe_file_exists(recipe.name)) and not replace:
        raise FileError(path, "already exists")
    try:
        write_atomically(path, recipe.to_toml().encode())
    except OSError as error:
        raise FileError(path, f"cannot be written ({error.strerror or error})") from error
    return path


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _by_name(recipes: Iterable[Recipe]) -> dict[str, Recipe]:
    return {recipe.name: recipe for recipe in recipes}
