import re

import pytest

from digitpad import assets
from digitpad.training import recipe_results as results
from digitpad.training.recipe_library import all_recipes


def test_every_built_in_recipe_has_the_result_of_the_model_card() -> None:
    """Accuracy and time in the list of recipes are those of the table in the model card."""
    table = (assets.MODEL / "README.md").read_text("utf-8")
    found = results.recipe_results()
    assert found.keys() == all_recipes().shipped.keys()
    for name, result in found.items():
        (row,) = re.findall(rf"^\| \[`{re.escape(name)}`\].*$", table, re.M)
        assert f"| {100 * result.test_accuracy:.2f}% (" in row
        assert row.endswith(f"| {result.seconds} s |")


def test_a_damaged_file_of_results_is_no_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes are listed without results if their file is missing or damaged."""
    monkeypatch.setattr(results, "RESULTS", assets.MODEL / "README.md")
    assert results.recipe_results() == {}
