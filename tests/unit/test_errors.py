from pathlib import Path

import pytest

from digitpad.errors import DataError, DigitpadError, FileError, InkError, RecipeError, WeightsError


@pytest.mark.parametrize("kind", [FileError, DataError, WeightsError, InkError])
def test_file_error_names_the_file(kind: type[FileError]) -> None:
    """A file error has a complete message, and the path and problem as attributes."""
    error = kind("some/file", "is not what it should be")
    assert str(error) == "some/file: is not what it should be"
    assert (error.path, error.problem) == (Path("some/file"), "is not what it should be")


def test_recipe_error_names_the_key() -> None:
    """A recipe error has the key and the problem as attributes."""
    error = RecipeError("training.epochs", "is 0")
    assert str(error) == "training.epochs: is 0"
    assert (error.key, error.problem) == ("training.epochs", "is 0")


@pytest.mark.parametrize("kind", [FileError, DataError, WeightsError, InkError, RecipeError])
def test_every_error_is_a_digitpad_error(kind: type[DigitpadError]) -> None:
    """Every error is a DigitpadError, and none is a built-in error that could hide a bug."""
    assert issubclass(kind, DigitpadError)
    assert not issubclass(kind, OSError | ValueError | RuntimeError)


@pytest.mark.parametrize("error", [FileError(Path("two\nlines.npz"), "is odd"), FileError("\x1b[2Jx", "is odd")])
def test_odd_file_name_is_escaped(error: FileError) -> None:
    """Line breaks and control characters in a file name are escaped in the message."""
    assert str(error).isprintable()
