"""Time to read a number at every pen event: ``python tests/benchmarks/live_numbers.py [--digits 8] [--json]``.

Generated numbers are drawn point by point. After each point, all strokes so far are read, as on the pad. It prints the
median, p99 and maximum of the times on one thread, and the share of the finished numbers that are read correctly.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np  # after BLAS is limited

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from digitpad.recognition.number_reader import NumberReader  # noqa: E402 (found by the line above)
from digitpad.weights.native_format import SHIPPED, load_weights  # noqa: E402
from tests.unit.recognition.numbers import numbers  # noqa: E402


def main() -> None:
    """Draw all numbers, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, default=8)
    parser.add_argument("--numbers", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    weights = load_weights(SHIPPED)
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    n_correct = 0
    for text, strokes in numbers(options.numbers, options.seed, n_digits=options.digits):
        print(f"drawing {text}", file=sys.stderr)
        reader = NumberReader(weights)
        reading = None
        for i, stroke in enumerate(strokes):
            for n_points in range(1, len(stroke) + 1):
                begin, begin_cpu = time.perf_counter(), time.process_time()
                reading = reader.read_paths([*strokes[:i], stroke[:n_points]])
                seconds.append(time.perf_counter() - begin)
                cpu_seconds.append(time.process_time() - begin_cpu)
        n_correct += reading is not None and reading.text == text
    results: dict[str, Any] = {"pen events": len(seconds)}
    for name, times in (("ms", seconds), ("CPU ms", cpu_seconds)):  # equal on an idle machine
        milliseconds = np.array(times) * 1e3
        results[f"{name}, median"] = round(float(np.median(milliseconds)), 2)
        results[f"{name}, p99"] = round(float(np.percentile(milliseconds, 99)), 2)
        results[f"{name}, maximum"] = round(float(milliseconds.max()), 2)
    results |= {
        "numbers read correctly": n_correct / options.numbers,
    }
    print(json.dumps(results) if options.json else "\n".join(f"{name:24s} {value}" for name, value in results.items()))


if __name__ == "__main__":
    main()
