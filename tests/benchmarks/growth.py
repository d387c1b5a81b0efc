"""Growth of time and memory with the amount of work: ``python tests/benchmarks/growth.py [--json]``.

Seconds per epoch by the number of images and by the width of the network, and the peak memory of ``digitpad train`` on
all of MNIST, with a dense and a convolutional network, each in its own process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGES = (6_250, 12_500, 25_000, 50_000)
WIDTHS = (128, 256, 512, 1024, 2048)

_PEAK = """
import resource, sys
from digitpad.cli import main
status = main(sys.argv[1:])
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
sys.exit(status)
"""


def main() -> None:
    """Run the measurements and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    results: dict[str, dict[Any, float]] = {
        "seconds by images, 784-256-128-10": {n: _seconds([256, 128], n, options.rounds) for n in IMAGES},
        "seconds by units of two hidden layers, 12,500 images": {
            width: _seconds([width, width], 12_500, options.rounds) for width in WIDTHS
        },
        "peak MB of `digitpad train`": {name: _peak_mb(name) for name in ("dense", "lenet")},
    }
    if options.json:
        print(json.dumps(results))
        return
    for title, values in results.items():
        print(title)
        for key, value in values.items():
            relative = ""
            if "images, 784" in title:
                relative = f"{value / int(key) * 1e6:8.1f} µs per image"
            elif "units" in title:
                n = int(key)
                relative = f"{value / (784 * n + n * n + 10 * n) * 1e9:8.1f} ns per weight"
            print(f"  {key!s:>8}  {value:8.3f}{relative}")


def _seconds(hidden: list[int], n_images: int, rounds: int) -> float:
    """Return the median seconds of an epoch: gather, forward, backward, SGD update with momentum; batch size 128."""
    print(f"training {hidden} on {n_images:,} images", file=sys.stderr)
    import numpy as np

    from digitpad.datasets.batches import Batches
    from digitpad.datasets.dataset import mnist
    from digitpad.nn.feedforward import feedforward
    from digitpad.nn.network import Network
    from digitpad.nn.optimizers import SGD
    from digitpad.nn.parallel import DataParallel

    rng = np.random.default_rng(1)
    network, optimizer = Network(feedforward(hidden)), SGD(0.9)
    parallel = DataParallel(network)
    parallel.initialize(rng)
    batches = Batches(mnist().training[:n_images], 128, rng)
    times = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        for images, labels in batches.one_pass():
            parallel.learn(images, labels)
            optimizer.step(network.parameters, network.gradients, 0.01)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def _peak_mb(recipe: str) -> float:
    print(f"measuring the memory of recipe {recipe}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "weights.npz")
        command = ["train", "--recipe", recipe, "--set", "training.epochs=1", "--out", out, "--json"]
        output = subprocess.run(
            [sys.executable, "-c", _PEAK, *command],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ).stdout
    return int(output.splitlines()[-1]) / 1e6


if __name__ == "__main__":
    main()
