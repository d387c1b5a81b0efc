"""End-to-end tests in a real window, on a virtual X server with simulated mouse and keyboard."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from digitpad.datasets.own_digits.store import DigitStore
from digitpad.weights.native_format import load_weights
from tests.root import ROOT
from tests.unit.gui.hand import placed

pytestmark = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool (Debian's packages)"
)


@pytest.fixture
def display() -> Iterator[str]:
    """Run an X server with a virtual screen."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


class App:
    """Running app with simulated mouse and keyboard; ``seen`` is its last reported state."""

    def __init__(self, display: str, *arguments: str, **environment: str) -> None:
        self._environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"} | environment
        self._environment.pop("WAYLAND_DISPLAY", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.window.real_window_driver", *arguments],
            env=self._environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.seen: dict[str, Any] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.wait(lambda: "tab_bar" in self.seen.get("places", {}))

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen = json.loads(line)

    def wait(self, true: Callable[[], object], seconds: float = 60) -> None:
        """Wait until a condition is true."""
        end = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, "the app ended"
            assert time.monotonic() < end, f"not seen in time; seen was {self.seen}"
            time.sleep(0.02)

    def accept_file(self) -> None:
        """Press Return until the file dialog closes: a list of completions that is just shown takes the first press."""
        for _ in range(3):
            self.keys("Return")
            with contextlib.suppress(AssertionError):
                self.wait(lambda: "file_name" not in self.seen["places"], 15)
                return
        raise AssertionError("the file dialog does not close")

    def wait_for_answer(self, answer: str) -> None:
        """Wait until the Draw tab shows this answer."""
        self.wait(lambda: self.seen["answer"] == answer)

    def shows(self, name: str, text: str) -> bool:
        """Whether a label shows this text."""
        return bool(self.seen["texts"].get(name) == text)

    def xdotool(self, *words: object) -> None:
        """Run one or more commands of xdotool."""
        subprocess.run(["xdotool", *map(str, words)], env=self._environment, check=True, timeout=60)

    def click(self, name: str) -> None:
        """Wait for a widget and click its centre."""
        self.wait(lambda: name in self.seen["places"])
        x, y, width, height = self.seen["places"][name]
        self.xdotool("mousemove", x + width // 2, y + height // 2, "sleep", 0.05, "click", 1)

    def focus(self) -> None:
        """Give the window the keyboard focus, as a window manager does."""
        self.xdotool("search", "--onlyvisible", "--name", "digitpad", "windowfocus", "--sync")

    def keys(self, *keys: str) -> None:
        """Press keys."""
        self.xdotool("key", "--delay", 30, *keys)

    def draw(self, digit: int, pad: str = "pad") -> None:
        """Draw with the mouse, slowly enough (2 ms per move) that no two moves are merged."""
        x, y, side, _ = self.seen["places"][pad]
        for stroke in placed(digit, x + 0.25 * side, y + 0.2 * side, 0.55 * side):
            moves: list[object] = ["mousemove", *map(round, stroke[0]), "mousedown", 1]
            for (x0, y0), (x1, y1) in zip(stroke[:-1], stroke[1:], strict=True):
                for share in (0.25, 0.5, 0.75, 1.0):
                    place = (round(x0 + (x1 - x0) * share), round(y0 + (y1 - y0) * share))
                    moves += ["sleep", 0.002, "mousemove", *place]
            self.xdotool(*moves, "sleep", 0.01, "mouseup", 1)

    def end(self) -> int:
        """Close the window and return the exit status."""
        self.focus()
        self.keys("ctrl+q")
        return self.process.wait(30)


@contextlib.contextmanager
def running(display: str, *arguments: str, **environment: str) -> Iterator[App]:
    app = App(display, *arguments, **environment)
    try:
        yield app
    finally:
        app.process.kill()
        app.process.wait(10)
        app._reader.join(10)
        assert app.process.stdout is not None
        app.process.stdout.close()


def test_draw_train_use_save_restart_load(display: str, tmp_path: Path) -> None:
    """A first session works with mouse and keyboard only: draw, train, use, save, restart and open."""
    kept = tmp_path / "kept.npz"
    with running(display) as app:
        app.focus()
        for digit in (7, 4, 3):
            app.draw(digit)
            app.wait_for_answer(str(digit))
            if digit != 3:
                app.click("clear")
                app.wait_for_answer("")

        app.keys("ctrl+2")
        app.click("epochs")
        app.keys("ctrl+a", "2")
        app.wait(lambda: app.seen["epochs"] == "2")
        app.click("train_button")
        app.wait(lambda: app.seen["state"] == "RUNNING")
        app.wait(lambda: app.seen["state"] == "DONE", 120)
        app.click("use_button")
        app.wait(lambda: app.seen["weights"].startswith("own"))
        app.wait_for_answer("3")

        app.keys("ctrl+shift+s")
        app.wait(lambda: "file_name" in app.seen["places"])
        app.xdotool("search", "--onlyvisible", "--name", "Save network as", "windowfocus", "--sync")
        app.click("file_name")
        app.keys("ctrl+a")
        app.xdotool("type", "--delay", 5, str(kept))
        app.wait(lambda: app.seen["file_name"] == str(kept))
        app.accept_file()
        app.wait(kept.exists)
        assert app.end() == 0

    accuracy = load_weights(kept).test_accuracy
    assert accuracy is not None
    assert accuracy > 0.95
    with running(display, str(kept)) as app:
        assert app.seen["weights"].startswith("kept.npz")
        app.draw(7)
        app.wait_for_answer("7")
        assert app.end() == 0


@pytest.mark.parametrize("variable", ["QT_SCALE_FACTOR=2", "QT_FONT_DPI=144"])
def test_the_window_fits_a_small_screen(display: str, variable: str) -> None:
    """With double scaling or large text, the tabs and the status bar stay on the screen."""
    name, _, value = variable.partition("=")
    with running(display, **{name: value}) as app:
        app.wait(lambda: "status" in app.seen["places"])
        width, height = app.seen["screen"]
        for widget in ("window", "tab_bar", "status"):
            x, y, own_width, own_height = app.seen["places"][widget]
            assert x >= 0
            assert y >= 0
            assert x + own_width <= width
            assert y + own_height <= height


def test_the_tab_is_back_after_a_restart(display: str) -> None:
    """The tab of the last session is selected after a restart."""
    with running(display) as app:
        app.focus()
        app.keys("ctrl+3")
        app.wait(lambda: app.seen["page"] == 2)
        assert app.end() == 0
    with running(display) as app:
        app.wait(lambda: app.seen["page"] == 2)


def test_a_click_pins_the_unit_that_edit_changes(display: str) -> None:
    """In the Inside tab, Edit names the unit that was clicked last, not the feature map that was clicked before."""
    with running(display) as app:
        app.focus()
        app.draw(7)
        app.wait_for_answer("7")
        app.keys("ctrl+4")
        app.wait(lambda: app.seen["units"])
        for x, y in (app.seen["units"][1], app.seen["units"][-2]):
            app.xdotool("mousemove", x, y, "sleep", 0.2, "click", 1, "sleep", 0.2)
        app.click("panels_edit")
        app.wait(lambda: "edit_title" in app.seen["texts"])
        assert app.seen["texts"]["edit_title"] == "Dense 1 · unit 2"


def test_results_and_messages_of_the_train_tab(display: str, tmp_path: Path) -> None:
    """An unsuitable dataset is refused when chosen, hints are shown, and both ends of the status bar agree."""
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n3,4\n")
    with running(display) as app:
        app.focus()
        app.keys("ctrl+2")
        app.click("epochs")
        app.keys("ctrl+a", "1")
        app.wait(lambda: app.seen["epochs"] == "1")
        app.click("train_button")
        app.wait(lambda: app.seen["state"] == "DONE", 120)

        app.click("data_set")
        app.keys("Home", "Down", "Down", "Return")
        app.wait(lambda: "file_name" in app.seen["places"])
        app.xdotool("search", "--onlyvisible", "--name", "dataset", "windowfocus", "--sync")
        app.click("file_name")
        app.xdotool("type", "--delay", 5, str(table))
        app.wait(lambda: app.seen["file_name"].endswith("table.csv"))
        app.accept_file()
        app.wait(lambda: "table.csv" in app.seen["texts"].get("data_set_error", ""))
        assert app.seen["state"] == "DONE"
        assert "use_button" in app.seen["places"]

        app.focus()
        app.click("data_set")
        app.keys("Home", "Return")
        app.wait(lambda: not app.seen["texts"].get("data_set_error", ""))
        app.click("learning_rate")
        app.keys("ctrl+a", "5")
        app.click("epochs")
        app.keys("ctrl+a", "9", "9", "Tab")
        app.click("train_button")
        app.wait(lambda: app.seen["texts"].get("training_hint", ""))
        x, _, width, height = app.seen["places"]["training_hint"]
        assert width > 100
        assert height > 10
        assert x + width <= app.seen["screen"][0]

        app.keys("ctrl+r")
        app.wait(lambda: "runs_use" in app.seen["places"])
        app.xdotool("search", "--onlyvisible", "--name", "Runs", "windowfocus", "--sync")
        app.click("runs_table")
        app.keys("Home", "Down")  # the first run, which has finished
        app.click("runs_use")
        app.wait(lambda: app.seen["weights"].startswith("own"))
        app.xdotool("search", "--onlyvisible", "--name", "own", "windowfocus", "--sync")
        app.keys("alt+m", "b")
        app.wait(lambda: app.seen["weights"].startswith("digits.npz"))
        assert "own" not in app.seen["texts"]["message"]


def test_a_pupil_corrects_and_writes(display: str) -> None:
    """A correction counts for the next drawing at once, and My digits asks for more, each kept as it is written."""
    with running(display) as app:
        app.focus()
        app.draw(7)
        app.wait_for_answer("7")
        app.wait(lambda: "was_2" in app.seen["places"])
        app.keys("alt+2")
        app.wait_for_answer("2")
        app.click("clear")
        app.wait_for_answer("")
        app.draw(7)
        app.wait_for_answer("2")
        assert "s you corrected on" in app.seen["texts"]["reading_time"]
        app.keys("ctrl+5")
        app.wait(lambda: app.seen["texts"].get("my_digits_summary", "").startswith("1 drawing"))
        app.keys("ctrl+d")
        app.wait(lambda: "write_pad" in app.seen["places"])
        for count in ("2 of 50", "3 of 50"):
            app.draw(4, "write_pad")
            app.wait(partial(app.shows, "write_count", count))
        assert app.seen["texts"]["my_digits_summary"].startswith("3 drawings")
        assert app.end() == 0
    assert [digit.source for digit in DigitStore().digits] == ["correction", "writing", "writing"]
