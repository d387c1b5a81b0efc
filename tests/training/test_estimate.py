from digitpad.training.estimate import estimate_seconds
from digitpad.training.recipe import Recipe, shipped_recipes


def test_more_work_takes_longer() -> None:
    """Epochs, units, small batches and augmentation all add to the time."""
    recipe = Recipe()
    base = estimate_seconds(recipe)
    assert 0 < base < 600
    for key, value in {
        "network.hidden": [512, 512],
        "training.batch_size": 8,
        "augmentation.rotate_deg": 5.0,
    }.items():
        assert estimate_seconds(recipe.with_values({key: value})) > base
    assert round(estimate_seconds(recipe.with_values({"training.epochs": 20})) / base, 6) == 2


def test_quick_recipe_is_the_quickest() -> None:
    """What is named quick is, among those that are shipped."""
    recipes = shipped_recipes()
    assert min(recipes, key=lambda name: estimate_seconds(recipes[name])) == "quick"
