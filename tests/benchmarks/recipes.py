"""Results of each built-in recipe: ``python tests/benchmarks/recipes.py [NAME …] [--json]`` prints a Markdown table.

``--save`` also writes them to ``model/recipe_results.json``, which the window's list of recipes shows. With
``--from-table`` nothing is trained: the results are those of the table in ``model/README.md``.

``digitpad train`` trains each recipe in turn; all of them take about half an hour on two cores. The test set is
evaluated once, with the weights of the epoch that was best on validation. The interval is Wilson's 95 % interval.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Train the recipes, and print the table."""
    from digitpad.evaluation.metrics import interval
    from digitpad.training.recipe_library import all_recipes

    shipped = all_recipes().shipped
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="recipes to train (default: all)")
    parser.add_argument("--threads", default="2", metavar="N")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="save the weights here, as NAME.npz")
    parser.add_argument("--save", action="store_true", help="write model/recipe_results.json")
    parser.add_argument("--from-table", action="store_true", help="take the results from model/README.md")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.from_table:
        save(table_results())
        return
    results = {}
    for name in options.names or shipped:
        print(f"training {name}", file=sys.stderr)
        results[name] = {**_train(name, options.threads, options.keep), "summary": shipped[name].summary}
        print(name, results[name], file=sys.stderr)
    if options.save:
        save({name: {key: values[key] for key in ("test_accuracy", "seconds")} for name, values in results.items()})
    if options.json:
        print(json.dumps(results))
        return
    print("| recipe | network | epochs | validation | test, 95 % interval | time |")
    print("|---|---|---|---|---|---|")
    for name, values in results.items():
        low, high = interval(values["test_accuracy"], values["test_n"])
        validation, test = f"{values['validation_accuracy']:.2%}", f"{values['test_accuracy']:.2%}"
        cells = [f"[`{name}`]({name}.toml)", values["summary"], values["epochs"], validation]
        cells += [f"{test} ({low:.2%} to {high:.2%})", f"{values['seconds']:.0f} s"]
        print("|", " | ".join(map(str, cells)), "|")


def table_results() -> dict[str, dict[str, float]]:
    """Return test accuracy and seconds of each recipe from the table in ``model/README.md``."""
    rows = re.findall(
        r"^\| \[`([\w-]+)`\].*\| ([\d.]+)% \([^|]*\| ([\d ]+) s \|$", (ROOT / "model" / "README.md").read_text(), re.M
    )
    return {name: {"test_accuracy": float(share) / 100, "seconds": float(time)} for name, share, time in rows}


def save(results: dict[str, dict[str, float]]) -> None:
    """Write results to ``model/recipe_results.json``; recipes without a new result keep theirs."""
    path = ROOT / "model" / "recipe_results.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    rounded = {
        name: {"test_accuracy": round(values["test_accuracy"], 4), "seconds": round(values["seconds"])}
        for name, values in results.items()
    }
    merged = known | rounded
    path.write_text(json.dumps(dict(sorted(merged.items(), key=lambda item: item[1]["seconds"])), indent=1) + "\n")


def _train(name: str, threads: str, keep: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = str((keep or Path(folder)).resolve() / f"{name}.npz")
        command = [sys.executable, "-m", "digitpad", "train", "--recipe", name, "--threads", threads, "--out", out]
        output = subprocess.run(
            [*command, "--force", "--json"],
            cwd=ROOT,
            env={**os.environ, "DIGITPAD_HOME": folder},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ).stdout
    values: dict[str, Any] = json.loads(output)
    return values


if __name__ == "__main__":
    main()
