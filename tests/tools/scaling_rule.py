"""Choose the constants of the rule that decides between pixel scalings of networks of others.

    python tests/tools/scaling_rule.py score TRUTHS SCORES.json
    python tests/tools/scaling_rule.py show SCORES.json

``score`` reads a file with a line of {"file": …, "scaling": …} for each network, and adds the scores of the finalists
of its search to SCORES.json. ``show`` prints, for each family of networks, how many scalings are right for several
margins. "dense" and "images" have no configuration and follow `most_common`; "stated" networks follow `likeliest`,
whose points of accuracy per cost are varied.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from digitpad.class_names import DIGITS
from digitpad.errors import WeightsError
from digitpad.importers.inference import best_convention
from digitpad.importers.inference.best_convention import DENSE_RULE, IMAGE_RULE, infer_convention, most_common
from digitpad.importers.inference.conventions import Candidate, Convention
from digitpad.importers.inference.stated_search import likeliest
from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.layout.structure import NetworkStructure
from digitpad.importers.open_file import probe_set
from digitpad.importers.read_file import read_tensor_tree

MARGINS = (0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02)
POINTS_PER_COST = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
_NOTHING = NetworkStructure((), (), "")


def score(path: Path) -> dict[str, Any]:
    """Return the family of a network, and the scores of the finalists of its search."""
    tree = read_tensor_tree(path)
    structure = find_structures(tree, len(DIGITS))[0]
    family = "stated" if structure.stated is not None else "images" if structure.convs else "dense"
    finalists: list[Candidate] = []

    def keep(candidates: Sequence[Candidate], *_: object) -> Candidate:
        finalists[:] = candidates
        return candidates[0]

    name = "likeliest" if family == "stated" else "most_common"
    original = getattr(best_convention, name)
    setattr(best_convention, name, keep)
    try:
        infer_convention(tree, probe_set())
    finally:
        setattr(best_convention, name, original)
    rows = [
        [item.convention.activation, item.convention.scaling, item.cost, item.accuracy, item.loss] for item in finalists
    ]
    return {"family": family, "candidates": rows}


def candidates_of(entry: dict[str, Any]) -> list[Candidate]:
    """Return the finalists of a scored network."""
    return [
        Candidate(Convention(activation, scaling, ""), accuracy, cost, _NOTHING, loss=loss)
        for activation, scaling, cost, accuracy, loss in entry["candidates"]
    ]


def n_right(entries: Sequence[dict[str, Any]], choose: Callable[[list[Candidate]], Candidate]) -> int:
    """Return for how many networks the chosen scaling is the true one."""
    return sum(choose(candidates_of(entry)).convention.scaling == entry["scaling"] for entry in entries)


def show(scores: dict[str, dict[str, Any]]) -> None:
    """Print a table for each family."""
    for family in ("dense", "images", "stated"):
        entries = [entry for entry in scores.values() if entry["family"] == family]
        print(f"{family}: {len(entries)} networks")
        if family == "stated":
            for points in POINTS_PER_COST if entries else ():
                right = n_right(entries, partial(likeliest, points_per_cost=points))
                print(f"  {points:.1f} points per cost: {right} right")
            continue
        rule = IMAGE_RULE if family == "images" else DENSE_RULE
        for margin in MARGINS if entries else ():
            varied = replace(rule, margin=margin)
            right = n_right(entries, partial(most_common, rule=varied))
            print(f"  margin of {100 * margin:.1f} points: {right} right")


def main() -> None:
    """Run the command."""
    if sys.argv[1] == "show":
        show(json.loads(Path(sys.argv[2]).read_text()))
        return
    out = Path(sys.argv[3])
    scores: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    for line in Path(sys.argv[2]).read_text().splitlines():
        truth = json.loads(line)
        path = Path(truth["file"])
        if path.name in scores:
            continue
        try:
            scores[path.name] = score(path) | {"scaling": truth["scaling"]}
        except WeightsError as error:
            print(f"{path.name}: {error.problem}")
        out.write_text(json.dumps(scores, indent=0))


if __name__ == "__main__":
    main()
