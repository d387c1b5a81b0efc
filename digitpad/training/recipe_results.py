"""Measured accuracy and training time of the built-in recipes, for the list of recipes."""

import json
from dataclasses import dataclass

from digitpad import assets

RESULTS = assets.MODEL / "recipe_results.json"
"""Written by ``python tests/benchmarks/recipes.py --save``."""


@dataclass(frozen=True)
class RecipeResult:
    """Accuracy on the test set, and seconds of training on one core of the machine that measured it."""

    test_accuracy: float
    seconds: float


def recipe_results() -> dict[str, RecipeResult]:
    """Return the results by the names of recipes; a recipe that was not measured has none."""
    try:
        values = json.loads(RESULTS.read_text("utf-8"))
        return {name: RecipeResult(**result) for name, result in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
