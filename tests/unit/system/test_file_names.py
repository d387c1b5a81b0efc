import os
from pathlib import Path

import pytest

from digitpad.runs.run import Run, runs_folder
from digitpad.system.file_names import safe_file_name
from digitpad.training.recipe_library import path_for
from tests.unit.training.small import small_dataset, small_recipe


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain name", "plain name"), ("a/b\\c:d*e?f", "a-b-c-d-e-f"), ('x<y>z|"', "x-y-z--"), ("dots...", "dots"),
        (" . ", ""), ("", ""), ("CON", "_CON"), ("nul", "_nul"), ("Com1", "_Com1"), ("LPT9.old", "_LPT9.old"),
        ("aux .x", "_aux .x"), ("COM¹", "_COM¹"), ("CONIN$", "CONIN-"), ("console", "console"), ("com10", "com10"),
        ("été 数字", "été 数字"), ("a\0b\nc", "a-b-c"), ("\udcff", "-"),
    ],
)  # fmt: skip
def test_name_is_valid_on_every_system(name: str, expected: str) -> None:
    """Separators, forbidden characters and device names of Windows, and final dots never occur in a file name."""
    assert safe_file_name(name) == expected


@pytest.mark.parametrize("letter", ["x", "é", "数", "\U0001d7d8"])
def test_name_is_short_enough(letter: str) -> None:
    """A name has at most 60 characters and 200 bytes, for any letters."""
    name = safe_file_name(letter * 500)
    assert name
    assert len(name) <= 60
    assert len(os.fsencode(name)) <= 200


@pytest.mark.parametrize("name", ["CON", "nul", "prn.x", "COM7"])
def test_recipe_named_like_a_device_can_be_saved(name: str) -> None:
    """A recipe named like a device of Windows gets a valid file name."""
    assert path_for(name).name.startswith("_")


def test_paths_of_a_run_fit_windows() -> None:
    """With the longest recipe name, every path in a run's folder has fewer than 260 characters on Windows."""
    home = r"C:\Users\a-user-name-of-20-ch\AppData\Local\digitpad"
    run = Run.create(small_recipe(name="n" * 300), small_dataset(), 1)
    run.unlock()
    temporary = "." + "n" * 32 + ".abcdefgh.part"
    for name in (run.weights_path.name, temporary, "step-000000000-00000.npz"):
        path = home + "\\" + str(Path("runs") / run.folder.relative_to(runs_folder()) / name)
        assert len(path) < 200
