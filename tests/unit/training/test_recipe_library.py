from pathlib import Path

import pytest

from digitpad import assets
from digitpad.errors import FileError
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import all_recipes, own_folder, path_for, recipe_file_exists, save_recipe

ASKED_FOR = {
    "dense-256-128": "784-256-128-10",
    "momentum-dropout": "784-256-128-10",
    "dense-64": "784-64-10",
    "leaky-500-300-100": "784-500-300-100-10",
    "lenet": "28×28-5×5×32-pool-5×5×64-pool-128-10",
}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path))
    return tmp_path / "recipes"


def test_every_built_in_file_is_a_recipe() -> None:
    """Each built-in recipe is listed under its file's name, has a description, and builds its network."""
    recipes = all_recipes()
    assert sorted(recipes.shipped) == sorted(path.stem for path in assets.MODEL.glob("*.toml"))
    for recipe in recipes.shipped.values():
        assert recipe.description
        assert recipe.data.set == "mnist"
        assert recipe.build_network().parameters.size == recipe.plan.n_parameters
    assert not recipes.own
    assert not recipes.problems


@pytest.mark.parametrize("name", ASKED_FOR)
def test_well_known_networks_are_built_in(name: str) -> None:
    """Well-known networks are built in, with their usual sizes."""
    assert all_recipes().shipped[name].summary == ASKED_FOR[name]


def test_user_recipe_is_saved_and_listed() -> None:
    """A saved recipe is listed by its name, unchanged."""
    recipe = Recipe(name="my first: 1/2", description="é")
    path = save_recipe(recipe)
    assert path == own_folder() / "my first- 1-2.toml"
    recipes = all_recipes()
    assert recipes.own == {"my first: 1/2": recipe}
    assert recipes.by_name["my first: 1/2"] == recipe
    assert "quick" in recipes.by_name


def test_user_recipe_replaces_a_built_in_one() -> None:
    """A user's recipe replaces a built-in recipe of the same name."""
    save_recipe(Recipe(name="quick", description="mine"))
    assert all_recipes().by_name["quick"].description == "mine"


def test_existing_recipe_is_replaced_only_on_request() -> None:
    """Saving a second recipe of the same name requires ``replace=True``."""
    path = save_recipe(Recipe(name="mine", description="first"))
    with pytest.raises(FileError, match="already exists"):
        save_recipe(Recipe(name="mine", description="second"))
    assert all_recipes().own["mine"].description == "first"
    assert save_recipe(Recipe(name="mine", description="second"), replace=True) == path
    assert all_recipes().own["mine"].description == "second"


def test_saving_replaces_the_file_with_that_recipe_name(own: Path) -> None:
    """Saving replaces the file whose recipe has that name, whatever the file is called."""
    path = save_recipe(Recipe(name="mine")).rename(own / "zzz.toml")
    assert all_recipes().own_paths == {"mine": path}
    with pytest.raises(FileError, match=r"zzz\.toml: already exists"):
        save_recipe(Recipe(name="mine", description="second"))
    assert save_recipe(Recipe(name="mine", description="second"), replace=True) == path
    assert list(own.iterdir()) == [path]
    assert all_recipes().own["mine"].description == "second"


def test_a_recipe_without_a_name_is_a_problem(own: Path) -> None:
    """A recipe with a blank name is reported as a problem."""
    own.mkdir()
    (own / "blank.toml").write_text('name = " "\n')
    recipes = all_recipes()
    assert not recipes.own
    assert [str(problem).partition(": ")[2] for problem in recipes.problems] == ["has an empty name"]


def test_existing_recipe_file_is_reported(own: Path) -> None:
    """`recipe_file_exists` reports an existing file for a name; two names can share a file."""
    assert not recipe_file_exists("a/b")
    path = save_recipe(Recipe(name="a/b"))
    assert path_for("a-b") == path
    assert recipe_file_exists("a-b")
    assert not recipe_file_exists("a")


def test_unreadable_folder_has_no_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`recipe_file_exists` is False for an unreadable folder, and saving then raises `FileError`."""

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    assert not recipe_file_exists("mine")
    monkeypatch.setattr("digitpad.training.recipe_library.write_atomically", denied)
    with pytest.raises(FileError, match="cannot be written"):
        save_recipe(Recipe(name="mine"))


@pytest.mark.parametrize("name", ["", "...", "../../up", "a" * 300, "con\nsole", "/"])
def test_any_name_stays_in_the_folder(name: str, own: Path) -> None:
    """Any name gives exactly one file in the user's folder."""
    path = save_recipe(Recipe(name=name))
    assert path.parent == own
    assert list(own.iterdir()) == [path]


def test_broken_recipe_does_not_affect_the_others(own: Path) -> None:
    """A broken file is reported by name, and the other recipes are listed."""
    save_recipe(Recipe(name="mine"))
    (own / "broken.toml").write_text("[training]\nepochs = 0")
    recipes = all_recipes()
    assert list(recipes.own) == ["mine"]
    (problem,) = recipes.problems
    assert str(problem).endswith("broken.toml: training.epochs: is 0; enter 1 to 10,000")


def test_folder_that_cannot_be_created_is_reported(own: Path) -> None:
    """If the folder cannot be created, the error names it."""
    own.write_text("a file where the folder should be")
    with pytest.raises(FileError, match="recipes: cannot be created"):
        save_recipe(Recipe(name="mine"))
