"""Shared test setup: an offscreen display, a separate data folder, and a check for leftover threads."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitpad.system import blas_threads

if os.environ.get("QT_QPA_PLATFORM", "offscreen") == "offscreen":
    # With a screen of 1920 × 1080; by itself it would be smaller than the window.
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={Path(__file__).with_name('screen.json')}"
# One BLAS thread, as the window uses on two cores; it also leaves room for tests that run in parallel.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# A shell starts background jobs with SIGINT ignored, and nohup ignores SIGHUP; what tests start would inherit that.
for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    number = getattr(signal, name, None)  # Windows has no SIGHUP
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use a temporary user folder, restore the BLAS variables, and fail if a thread outlives its test."""
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "digitpad-home"))
    before = set(threading.enumerate())
    variables = {name: os.environ.get(name) for name in blas_threads.VARIABLES}
    yield
    for name, value in variables.items():  # commands that run in this process set them
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    leftover = [thread.name for thread in threading.enumerate() if thread not in before]
    assert not leftover, f"threads left behind: {leftover}"
