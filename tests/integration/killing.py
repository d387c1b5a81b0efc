"""A training that is killed at random moments, and gone on with, until it is done."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RECIPE = """
[network]
hidden = ["3x3x4", "pool", 16]
batch_norm = true
dropout = 0.2
[training]
epochs = {epochs}
batch_size = 20
average = 0.9
[augmentation]
elastic_px = 0.5
"""
"""With every part that has a state of its own."""


def train(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """``digitpad train``, with a data folder of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "digitpad", "train", "--json", *arguments],
        env={**os.environ, "DIGITPAD_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def killed_and_resumed(home: Path, arguments: list[str], kills: int, seed: int) -> tuple[dict[str, Any], int]:
    """What it comes to, and how often it could be killed before."""
    rng, n_killed = random.Random(seed), 0
    process = train(home, *arguments)
    while True:
        # A checkpoint, and then anything up to where the next may be.
        newest = _newest_checkpoint(home)
        while n_killed < kills and process.poll() is None and _newest_checkpoint(home) == newest:
            time.sleep(0.002)
        if n_killed < kills:
            time.sleep(rng.uniform(0, 0.1))
            process.kill()
        out, _ = process.communicate(timeout=300)
        if out:
            result: dict[str, Any] = json.loads(out)
            return result, n_killed
        if n_killed >= kills:
            raise AssertionError(f"after {n_killed} kills it did not come to its end")
        n_killed += 1
        process = train(home, "--resume")


def _newest_checkpoint(home: Path) -> str:
    return max((path.name for path in home.rglob("step-*.npz")), default="")
