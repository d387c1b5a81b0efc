"""Helpers that kill a training at random moments and resume it until it finishes."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
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
"""A recipe with every component that has a state."""


def train(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start ``digitpad train`` with its own data folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "digitpad", "train", "--json", *arguments],
        env={**os.environ, "DIGITPAD_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def killed_and_resumed(
    home: Path, arguments: list[str], kills: int, seed: int, on_kill: Callable[[int], None] = lambda n_killed: None
) -> tuple[dict[str, Any], int]:
    """Train with up to ``kills`` kills; return the result and the number of kills.

    ``on_kill`` is called after each kill with the number of kills so far.
    """
    rng, n_killed = random.Random(seed), 0
    process = train(home, *arguments)
    while True:
        # Wait for the next checkpoint, then for a random time in which another may be written.
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
            raise AssertionError(f"the training did not finish after {n_killed} kills")
        n_killed += 1
        on_kill(n_killed)
        process = train(home, "--resume")


def _newest_checkpoint(home: Path) -> str:
    return max((path.name for path in home.rglob("step-*.npz")), default="")
