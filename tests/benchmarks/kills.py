"""Kill a training at 50 random moments and resume it: ``python tests/benchmarks/kills.py [--kills 50] [--json]``.

The weights must equal those of an uninterrupted training to the bit, and every file must stay readable after each kill.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from digitpad.datasets.dataset import mnist
from digitpad.runs.run import Run
from digitpad.weights.native_format import load_weights
from tests.integration.killing import RECIPE, killed_and_resumed, train
from tests.unit.datasets.idx_files import write_folder


def main() -> int:
    """Train twice, once without kills; return status 1 if the weights differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = write_folder(folder / "data", mnist().training[:1000], mnist().test[:100])
        (folder / "killed.toml").write_text(RECIPE.format(epochs=4 * options.kills))
        arguments = ["--recipe", str(folder / "killed.toml"), "--data", str(data)]
        print("training without kills", file=sys.stderr)
        whole = json.loads(train(folder / "whole", *arguments).communicate()[0])

        def report(n_killed: int) -> None:
            print(f"kill {n_killed} of {options.kills}", file=sys.stderr)

        resumed, n_killed = killed_and_resumed(folder / "killed", arguments, options.kills, options.seed, report)
        one, other = (load_weights(Path(values["weights"])) for values in (whole, resumed))
        history = Run.open(Path(resumed["weights"]).parent).history()
        result = {
            "kills": n_killed,
            "same_bits": one.parameters.tobytes() == other.parameters.tobytes(),
            "epochs_in_the_log": len(history.epochs) - 1,
            "epochs": resumed["epochs"],
            "left_over": [path.name for path in folder.rglob("*.part")],
        }
    print(json.dumps(result) if options.json else "  ".join(f"{key} {value}" for key, value in result.items()))
    return 0 if result["same_bits"] else 1


if __name__ == "__main__":
    sys.exit(main())
