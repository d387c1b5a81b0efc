from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import all_recipes
from digitpad.training.time_estimate import estimate_seconds


def test_more_work_takes_longer() -> None:
    """More epochs, more units, small batches and augmentation increase the estimate."""
    recipe = Recipe()
    base = estimate_seconds(recipe)
    assert 0 < base < 600
    for key, value in {
        "network.hidden": [512, 512],
        "training.batch_size": 8,
        "augmentation.rotate_deg": 5.0,
        "augmentation.elastic_px": 1.0,
        "augmentation.thickness_px": 1.0,
        "augmentation.noise": 0.1,
        "augmentation.erase_px": 8.0,
    }.items():
        assert estimate_seconds(recipe.with_values({key: value})) > base
    assert round(estimate_seconds(recipe.with_values({"training.epochs": 20})) / base, 6) == 2


def test_quick_recipe_is_the_quickest() -> None:
    """The recipe "quick" has the lowest estimate of all built-in recipes."""
    recipes = all_recipes().shipped
    assert min(recipes, key=lambda name: estimate_seconds(recipes[name])) == "quick"


def test_synthetic_digits_take_time() -> None:
    """Synthetic digits increase the estimate."""
    recipe = Recipe()
    assert estimate_seconds(recipe.with_values({"data.pen_digits": 50_000})) > 2 * estimate_seconds(recipe)
