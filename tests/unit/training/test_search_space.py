from pathlib import Path

import pytest

from digitpad.errors import FileError, RecipeError
from digitpad.training.recipe import Recipe
from digitpad.training.search_space import ChoiceRange, NumberRange, Range, parse_range
from digitpad.training.setting_values import toml_value
from tests.unit.training.small import small_recipe


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("optimizer.learning_rate", "0.01..0.5", NumberRange("optimizer.learning_rate", 0.01, 0.5, False)),
        ("optimizer.learning_rate", " 1e-4 .. 1 : log ", NumberRange("optimizer.learning_rate", 1e-4, 1.0, True)),
        ("training.batch_size", "32..512", NumberRange("training.batch_size", 32, 512, False)),
        ("network.hidden", "32..512:log", NumberRange("network.hidden", 32, 512, True, in_list=True)),
        ("network.hidden", "[64]|[]|[512, 256]", ChoiceRange("network.hidden", ("[64]", "[]", "[512, 256]"))),
        ("training.batch_size", "50|100", ChoiceRange("training.batch_size", ("50", "100"))),
        ("optimizer.method", "sgd | adam", ChoiceRange("optimizer.method", ("sgd", "adam"))),
        ("training.seed", "0..3", NumberRange("training.seed", 0, 3, False)),
    ],
)
def test_range_is_read(key: str, text: str, expected: Range) -> None:
    """Ranges of integer settings are integers, and a range's text parses to the same range."""
    parsed = parse_range(Recipe(), key, text)
    assert parsed == expected
    assert parse_range(Recipe(), key, str(parsed)) == expected
    if isinstance(parsed, NumberRange) and isinstance(expected, NumberRange):
        assert (type(parsed.low), type(parsed.high)) == (type(expected.low), type(expected.high))


def test_sampled_value_becomes_a_setting() -> None:
    """A sampled number of a list setting becomes a list of one; a sampled text is parsed."""
    assert parse_range(Recipe(), "network.hidden", "32..512").value(64) == [64]  # type: ignore[arg-type]
    assert parse_range(Recipe(), "network.hidden", "[64]|[8, 4]").value("[8, 4]") == [8, 4]  # type: ignore[arg-type]
    assert parse_range(Recipe(), "training.epochs", "2..5").value(3) == 3  # type: ignore[arg-type]
    assert toml_value("adam") == "adam"


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("colour", "1..2", "is not a setting"),
        ("training.epoch", "1..2", "is not a setting"),
        ("training", "1..2", "is not a setting"),
        ("", "1..2", "is not a setting"),
        ("name", "a|b", "cannot be searched"),
        ("data.set", "a|b", "cannot be searched"),
        ("training.epochs", "", "enter LOW..HIGH"),
        ("training.epochs", "3", "enter LOW..HIGH"),
        ("training.epochs", "1..", "enter LOW..HIGH"),
        ("training.epochs", "few..many", "enter LOW..HIGH"),
        ("training.epochs", "1..2:lin", "enter LOW..HIGH"),
        ("training.epochs", "1..2:", "enter LOW..HIGH"),
        ("training.epochs", "true..2", "enter LOW..HIGH"),
        ("training.epochs", "5..1", "the first number"),
        ("training.epochs", "5..5", "the first number"),
        ("training.epochs", "0..5", "is 0; enter 1 to 10,000"),
        ("training.epochs", "1..10001", "is 10,001; enter"),
        ("training.epochs", "1.5..3", "enter a whole number"),
        ("training.epochs", "1|", "a choice is empty"),
        ("training.epochs", "1|2|1", "a choice is repeated"),
        ("training.epochs", "1|many", "is 'many'; enter a whole number"),
        ("training.seed", "0..5:log", "must start above 0"),
        ("optimizer.learning_rate", "0..1", "is 0.0; enter more than 0"),
        ("optimizer.learning_rate", "nan..1", "the first number"),
        ("optimizer.learning_rate", "0.1..inf", "is inf; enter"),
        ("optimizer.learning_rate", "0.1..1" + "0" * 400, "is inf; enter"),
        ("optimizer.learning_rate", "0.1..1" + "0" * 5000, "enter LOW..HIGH"),
        ("optimizer.method", "1..2", "the setting is text"),
        ("optimizer.method", "sgd|lbfgs", "is 'lbfgs'; enter one of"),
        ("network.hidden", "32..9999", "is 9,999; enter 1 to 4,096"),
        ("network.hidden", "64|128", "enter a list"),
        ("network.hidden", "[64]|[4096, 4096]", "parameters; the limit is"),
    ],
    ids=lambda text: text[:30],
)
def test_invalid_range_is_refused(key: str, text: str, problem: str) -> None:
    """An invalid range raises `RecipeError` with the key, by the same rules as the recipe."""
    with pytest.raises(RecipeError) as caught:
        parse_range(Recipe(), key, text)
    assert caught.value.key == key
    assert problem in caught.value.problem


def test_recipe_file_can_have_ranges(tmp_path: Path) -> None:
    """A recipe file can have ranges, with quoted or unquoted dotted keys; they do not affect equality."""
    path = tmp_path / "mine.toml"
    path.write_text('[search]\noptimizer.learning_rate = "0.1..1"\n"training.epochs" = "1|2"\n')
    recipe = Recipe.load(path)
    assert recipe.search == {"optimizer.learning_rate": "0.1..1", "training.epochs": "1|2"}
    assert recipe.with_values({"training.seed": 3}).search == recipe.search
    assert recipe == Recipe(name="mine")
    assert "search" not in recipe.to_dict()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[search]\ntraining.epochs = '0..5'", "training.epochs"),
        ("[search]\ncolour = '0..5'", "colour"),
        ("[search]\ntraining = '0..5'", "training"),
        ("[search]\ntraining.epochs = 3", "search.training.epochs"),
        ("[search]\ntraining.epochs = ['0..5']", "search.training.epochs"),
        ("search = '0..5'", "search"),
        ("[[search]]\ntraining.epochs = '0..5'", "search"),
    ],
)
def test_ranges_in_a_file_are_checked(tmp_path: Path, text: str, key: str) -> None:
    """Invalid ranges in a file raise `FileError` on load, with the file and the key."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(FileError, match=rf"mine.toml: {key}: ") as caught:
        Recipe.load(path)
    assert isinstance(caught.value.__cause__, RecipeError)


@pytest.mark.parametrize(
    "name",
    [
        "mine",
        'a "quoted" \\ name',
        "lines\nand\r\ntabs\t",
        "".join(map(chr, range(1, 32))) + "\x7f\x80\u2028",
        "Ziffern é 数字 😀",
    ],
    ids=ascii,
)
def test_recipe_survives_a_round_trip(tmp_path: Path, name: str) -> None:
    """Saving and loading a recipe keeps every setting and range, with any text."""
    recipe = Recipe.from_dict(
        {
            **small_recipe(optimizer__learning_rate=1e-5, network__hidden=[], network__dropout=0.25).to_dict(),
            "name": name,
            "data": {"set": name},
            "search": {"network.hidden": "[64]|[8, 4]", "optimizer.learning_rate": "0.1..1:log"},
        }
    )
    path = tmp_path / "mine.toml"
    path.write_bytes(recipe.to_toml().encode())
    assert Recipe.load(path) == recipe
    assert Recipe.load(path).search == recipe.search


def test_text_that_cannot_be_encoded_is_reported() -> None:
    """Text that cannot be encoded raises `RecipeError` with its key."""
    recipe = Recipe().with_values({"data.set": "caf\udce9"})
    with pytest.raises(RecipeError) as caught:
        recipe.to_toml()
    assert caught.value.key == "data.set"
