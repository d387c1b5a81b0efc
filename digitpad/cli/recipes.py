"""``digitpad recipes``: list the recipes."""

import argparse
import json

from digitpad.cli.output import FAILED, OK, Parser, print_progress, write_output
from digitpad.errors import printable


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad recipes``."""
    parser = Parser(
        prog="digitpad recipes",
        description="List the built-in recipes and your own, which are TOML files in the folder `recipes` of your data "
        "folder.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    from digitpad.training.recipe_library import all_recipes, own_folder

    recipes = all_recipes()
    if options.json:
        values = [
            {**recipe.to_dict(), "own": name in recipes.own, "summary": recipe.summary}
            for name, recipe in recipes.by_name.items()
        ]
        write_output(json.dumps({"recipes": values, "folder": str(own_folder())}) + "\n")
    else:
        for name, recipe in recipes.by_name.items():
            origin = "  (yours)" if name in recipes.own else ""
            epochs = recipe.training.epochs
            size = f"{recipe.summary}, {epochs:,} epoch{'s' * (epochs > 1)}, batch size {recipe.training.batch_size:,}"
            description = f"\n    {printable(recipe.description)}" if recipe.description else ""
            write_output(f"{printable(name)}{origin}\n    {size}{description}\n")
    for problem in recipes.problems:
        print_progress(f"digitpad: {problem}")
    return FAILED if recipes.problems else OK
