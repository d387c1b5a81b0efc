import re

import pytest

from digitpad import assets
from digitpad.training import recipe_results as results
from digitpad.training.recipe_library import all_recipes


def test_results_equal_those_of_the_model_card() -> None:
    """The list of recipes has the accuracy and time from the table in the model card."""
    table = (assets.MODEL / "README.md").read_text("utf-8")
    found = results.recipe_results()
    assert found.keys() == all_recipes().shipped.keys()
    for name, result in found.items():
        (row,) = re.findall(rf"^\| \[`{re.escape(name)}`\].*$", table, re.M)
        assert f"| {100 * result.test_accuracy:.2f}% (" in row
        assert row.endswith(f"| {result.seconds} s |")


def test_damaged_results_file_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the results file is missing or damaged, recipes are listed without results."""
    monkeypatch.setattr(results, "RESULTS", assets.MODEL / "README.md")
    assert results.recipe_results() == {}
