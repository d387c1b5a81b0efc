"""Kill a training at 50 random moments and resume it: ``python tests/benchmarks/kills.py [--kills 50] [--json]``.

The weights must equal those of an uninterrupted training to the bit, and every file must stay readable after each kill.
Then simulate power cuts: in an interrupted and in a finished run, each file in turn is cut in half, zeroed and emptied,
and the run is resumed; it must end with the same weights too. With 0 kills, only the power cuts are simulated.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from digitpad.datasets.dataset import mnist
from digitpad.runs.run import Run
from digitpad.weights.native_format import load_weights
from tests.integration.killing import RECIPE, killed_and_resumed, train
from tests.unit.datasets.idx_files import write_folder

N_EPOCHS = 6  # of the training for power cuts
HARMS: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda content: content[: len(content) // 2],
    "zeroed": lambda content: bytes(len(content)),
    "empty": lambda content: b"",
}
SAME = "same weights"


def main() -> int:
    """Run both parts; return status 1 if weights differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = write_folder(folder / "data", mnist().training[:1000], mnist().test[:100])
        if options.kills:
            result = kill(folder / "kills", data, options.kills, options.seed)
        harmed = dict(power_cuts(folder / "cuts", data))
    lost = [what for what, outcome in harmed.items() if outcome != SAME]
    result |= {"power_cuts": len(harmed), "lost": {what: harmed[what] for what in lost}}
    print(json.dumps(result) if options.json else "  ".join(f"{key} {value}" for key, value in result.items()))
    return 0 if result.get("same_bits", True) and not lost else 1


def kill(folder: Path, data: Path, n_kills: int, seed: int) -> dict[str, object]:
    """Train twice, once with kills, and compare."""
    folder.mkdir()
    (folder / "killed.toml").write_text(RECIPE.format(epochs=4 * n_kills))
    arguments = ["--recipe", str(folder / "killed.toml"), "--data", str(data)]
    print("training without kills", file=sys.stderr)
    whole = json.loads(train(folder / "whole", *arguments).communicate()[0])

    def report(n_killed: int) -> None:
        print(f"kill {n_killed} of {n_kills}", file=sys.stderr)

    resumed, n_killed = killed_and_resumed(folder / "killed", arguments, n_kills, seed, report)
    history = Run.open(Path(resumed["weights"]).parent).history()
    return {
        "kills": n_killed,
        "same_bits": parameters(resumed) == parameters(whole),
        "epochs_in_the_log": len(history.epochs) - 1,
        "epochs": resumed["epochs"],
        "left_over": [path.name for path in folder.rglob("*.part")],
    }


def power_cuts(folder: Path, data: Path) -> Iterator[tuple[str, str]]:
    """Yield each harmed file, and the outcome of resuming its run: `SAME`, or what went wrong."""
    folder.mkdir()
    (folder / "cut.toml").write_text(RECIPE.format(epochs=N_EPOCHS))
    arguments = ["--recipe", str(folder / "cut.toml"), "--data", str(data)]
    whole, cut = folder / "finished", folder / "interrupted"
    expected = parameters(json.loads(train(whole, *arguments).communicate()[0]))
    process = train(cut, *arguments)
    while process.poll() is None and len(list(cut.rglob("step-*-00003.npz"))) == 0:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    for home in (cut, whole):
        for path in sorted(path for path in home.rglob("*") if path.is_file() and path.stat().st_size):
            for harm, change in HARMS.items():
                what = f"{home.name} run, {path.name} {harm}"
                with tempfile.TemporaryDirectory(dir=folder) as name:
                    copy = Path(name, "home")
                    shutil.copytree(home, copy)
                    target = copy / path.relative_to(home)
                    target.write_bytes(change(target.read_bytes()))
                    out, _ = train(copy, "--resume", path.parent.name).communicate()
                    outcome = "was not resumed"
                    if out:
                        outcome = SAME if parameters(json.loads(out)) == expected else "other weights"
                print(f"{what}: {outcome}", file=sys.stderr)
                yield what, outcome


def parameters(result: dict[str, object]) -> bytes:
    """Return the parameters that a training saved."""
    return load_weights(Path(str(result["weights"]))).parameters.tobytes()


if __name__ == "__main__":
    sys.exit(main())
