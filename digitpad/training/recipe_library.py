"""The recipes that there are: those that are shipped, and the user's own, in a folder of theirs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from digitpad import assets
from digitpad.errors import FileError
from digitpad.system import user_folders
from digitpad.system.atomic_write import write_atomically
from digitpad.training.recipe import Recipe

DEFAULT = "dense"
"""The first of all lists, and what is trained where none is named: it takes some minutes."""


@dataclass
class Recipes:
    """Recipes by name, and what could not be read.

    Attributes
    ----------
    shipped, own : dict of str to Recipe
    problems : list of FileError
        One for each file in the user's folder that is no recipe; the others are there all the same.
    own_paths : dict of str to Path
        The file of each of the user's recipes, which may be called otherwise than what it holds.
    """

    shipped: dict[str, Recipe]
    own: dict[str, Recipe] = field(default_factory=dict)
    problems: list[FileError] = field(default_factory=list)
    own_paths: dict[str, Path] = field(default_factory=dict)

    @property
    def by_name(self) -> dict[str, Recipe]:
        """All of them; of two with one name, the user's."""
        return self.shipped | self.own


def own_folder() -> Path:
    """Where the user's recipes lie, whether it is there or not."""
    return user_folders.user_data_path() / "recipes"


def all_recipes() -> Recipes:
    """Every recipe in ``model/`` and in the user's folder."""
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
    """The file in the user's folder that a new recipe of that name is kept in."""
    safe = "".join(c if c.isalnum() or c in "-_ ." else "-" for c in name).strip(" .")[:60]
    return own_folder() / f"{safe or 'untitled'}.toml"


def is_kept(name: str) -> bool:
    """Whether a new recipe of that name would meet a file in the user's folder, as far as can be seen."""
    try:
        return path_for(name).exists()
    except OSError:
        return False


def save_recipe(recipe: Recipe, *, replace: bool = False) -> Path:
    """Put a recipe into the user's folder: in place of that of its name, else in a file that is called like it.

    Raises
    ------
    FileError
        If it cannot be written, or is there already and ``replace`` does not say that it may go.
    """
    user_folders.ensure_folder(own_folder())
    listed = all_recipes().own_paths.get(recipe.name)
    path = listed or path_for(recipe.name)
    if (listed or is_kept(recipe.name)) and not replace:
        raise FileError(path, "is there already")
    try:
        write_atomically(path, recipe.to_toml().encode())
    except OSError as error:
        raise FileError(path, f"cannot be written ({error.strerror or error})") from error
    return path


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _by_name(recipes: Iterable[Recipe]) -> dict[str, Recipe]:
    return {recipe.name: recipe for recipe in recipes}
