"""Throughput of each distortion on one core: ``python tests/benchmarks/augmentation.py [--json]``.

Batches of 128 MNIST digits. The kinds take turns within each round; the median over the rounds is printed, in images
per second.
"""

import argparse
import json
import statistics
import sys
import time

from digitpad.system.blas_threads import limit_threads

limit_threads(1)

import numpy as np  # noqa: E402  # after BLAS is limited

from digitpad.datasets.augmentation.augment import Augmentation, Augmenter  # noqa: E402
from digitpad.datasets.dataset import mnist  # noqa: E402

KINDS = {
    "affine": Augmentation(rotate_deg=12, shift_px=1.5, scale=0.12, shear=0.25),
    "affine + elastic": Augmentation(rotate_deg=12, shift_px=1.5, scale=0.12, shear=0.25, elastic_px=1),
    "thickness": Augmentation(thickness_px=1),
    "noise": Augmentation(noise=0.1),
    "erase": Augmentation(erase_px=8),
    "all": Augmentation(12, 1.5, 0.12, 0.25, elastic_px=1, thickness_px=1, noise=0.1, erase_px=8),
}
BATCH_SIZE, N_BATCHES = 128, 50


def main() -> None:
    """Run all rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    images = mnist().training.images[: BATCH_SIZE * N_BATCHES].reshape(N_BATCHES, BATCH_SIZE, 28, 28)
    augmenters = {kind: Augmenter(augmentation) for kind, augmentation in KINDS.items()}
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    rng = np.random.default_rng(1)
    for augment in augmenters.values():
        augment(images[0], rng)  # the first call allocates
    for number in range(1, options.rounds + 1):
        print(f"round {number} of {options.rounds}", file=sys.stderr)
        for kind, augment in augmenters.items():
            begin = time.perf_counter()
            for batch in images:
                augment(batch, rng)
            rates[kind].append(BATCH_SIZE * N_BATCHES / (time.perf_counter() - begin))
    medians = {kind: round(statistics.median(values)) for kind, values in rates.items()}
    if options.json:
        print(json.dumps(medians))
        return
    for kind, rate in medians.items():
        print(f"{kind:16s} {rate:9,} images/s   {1e6 / rate:5.1f} µs each")


if __name__ == "__main__":
    main()
