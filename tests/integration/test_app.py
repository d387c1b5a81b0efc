"""Tests of the program's start and end, and of the Qt version in use."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.root import ROOT


def start(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    variables = variables | {"DIGITPAD_HOME": str(tmp_path)} | environment
    command = [sys.executable, "-m", "digitpad", *arguments]
    return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland are Linux's")
def test_missing_display_is_reported(tmp_path: Path) -> None:
    """Without a display, one line explains how to get one, and the exit status is 1."""
    ended = start(tmp_path, QT_QPA_PLATFORM="")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "no display" in ended.stderr
    assert "xvfb-run" in ended.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland are Linux's")
@pytest.mark.parametrize("platform", ["", "wayland"])
def test_unreachable_wayland_display_is_reported(tmp_path: Path, platform: str) -> None:
    """A Wayland display that no longer runs is reported in one line."""
    ended = start(tmp_path, QT_QPA_PLATFORM=platform, WAYLAND_DISPLAY="wayland-9", XDG_RUNTIME_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "Wayland display" in ended.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland are Linux's")
def test_unreachable_x_display_is_reported(tmp_path: Path) -> None:
    """An X display that does not answer is reported in one line; Qt itself would abort."""
    pytest.importorskip("ctypes").CDLL("libxcb.so.1")
    ended = start(tmp_path, QT_QPA_PLATFORM="xcb", DISPLAY=":987")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "digitpad: " in ended.stderr


def test_missing_library_error_has_the_install_command() -> None:
    """The error for a missing library has the command that installs its package."""
    from digitpad.app import _missing_library

    message = _missing_library("libxcb-cursor.so.0: cannot open shared object file: No such file or directory")
    assert message.endswith("sudo apt install libxcb-cursor0")


def test_window_opens_before_the_other_tabs_are_imported(tmp_path: Path) -> None:
    """Only the Draw tab is imported before the window opens, the other tabs after the first paint, Matplotlib later."""
    code = """
import sys
from digitpad.app import build
application, window = build(None)
early = {
    "digitpad.gui.draw.draw_tab", "digitpad.gui.train.train_tab",
    "digitpad.training.trainer", "digitpad.datasets.dataset",
}
print(*sorted(early & sys.modules.keys()))
window.banner.looked.connect(lambda _: application.exit())
window.show()
application.exec()
late = early | {
    "digitpad.gui.evaluate.evaluate_tab", "digitpad.gui.inspect.inspect_tab",
    "digitpad.gui.runs.runs_window", "matplotlib",
}
print(*sorted(late & sys.modules.keys()))
window.close()
"""
    variables = os.environ | {"DIGITPAD_HOME": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.splitlines()
    assert before == "digitpad.gui.draw.draw_tab"
    assert "digitpad.gui.train.train_tab" in after
    assert "digitpad.gui.inspect.inspect_tab" in after
    assert "matplotlib" not in after


def test_unreadable_network_on_the_command_line_ends_the_program(tmp_path: Path) -> None:
    """If the file on the command line cannot be read, the program ends with status 1 and names it."""
    ended = start(tmp_path, str(tmp_path / "none.npz"), QT_QPA_PLATFORM="offscreen")
    assert ended.returncode == 1
    assert "none.npz" in ended.stderr


def test_many_signals_do_not_crash_qt(tmp_path: Path) -> None:
    """20,000 signals and label texts do not crash Qt, as PySide6 6.12.0 does on Python 3.11 (PYSIDE-3474)."""
    program = """
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QLabel

class Sender(QObject):
    sent = Signal(bool)

application = QApplication([])
sender, label = Sender(), QLabel()
sender.sent.connect(label.setVisible)
for number in range(20_000):
    sender.sent.emit(False)
    label.setText(str(number))
"""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, timeout=120, capture_output=True)
    assert ended.returncode == 0, ended.stderr.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal to send")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_end_signal_closes_the_window(tmp_path: Path, name: str) -> None:
    """Ctrl-C, `kill` and a closed terminal close the window; the exit status is 130, as shells expect."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "DIGITPAD_HOME": str(tmp_path)}
    program = "import digitpad.cli, digitpad.gui.shell.window as w; s = w.Window.show; " + (
        "w.Window.show = lambda self: (s(self), print('open', flush=True)); raise SystemExit(digitpad.cli.main([]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        process.send_signal(getattr(signal, name))  # perhaps before the event loop runs
        try:
            assert process.wait(60) == 130
        finally:
            process.kill()


ASKING = """
import sys, time
from pathlib import Path
from digitpad.app import build
from digitpad.gui.importing.classes_dialog import ClassesDialog

application, window = build(Path(sys.argv[1]))
window.show()
until = time.monotonic() + 60
while window.findChild(ClassesDialog) is None and time.monotonic() < until:
    application.processEvents()
dialog = window.findChild(ClassesDialog)
print(dialog is not None, window.session.weights.name)
dialog.reject()
window.close()
"""


def test_missing_class_names_are_asked_for_at_the_start(tmp_path: Path) -> None:
    """The window opens with the built-in network, then asks for the class names of the network on the command line."""
    path = tmp_path / "letters.npz"
    np.savez(path, W1=np.ones((784, 5)) / 3, W2=-np.ones((5, 26)))
    variables = {**os.environ, "DIGITPAD_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", ASKING, str(path)]
    ended = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout.split() == ["True", "digits.npz"], ended.stderr[-500:]
