"""What every test gets: no display, a data folder of its own, and a check that nothing is left behind."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# One BLAS thread, as the window has on two cores, and as leaves room for tests that run beside each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the user's own folder out of it, and fail on a thread that outlives its test."""
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "digitpad-home"))
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert not left, f"threads left behind: {left}"
