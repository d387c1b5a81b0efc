"""What is said when the window cannot open, and that Qt is a sound one."""

import os
import signal
import subprocess
import sys
import time
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
def test_without_a_display_it_says_so(tmp_path: Path) -> None:
    """One line, which tells how to mend it, and exit status 1."""
    ended = start(tmp_path, QT_QPA_PLATFORM="")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "no display" in ended.stderr
    assert "xvfb-run" in ended.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland are Linux's")
@pytest.mark.parametrize("platform", ["", "wayland"])
def test_a_wayland_display_that_does_not_answer_is_told(tmp_path: Path, platform: str) -> None:
    """As in a shell that outlived its session."""
    ended = start(tmp_path, QT_QPA_PLATFORM=platform, WAYLAND_DISPLAY="wayland-9", XDG_RUNTIME_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "Wayland display" in ended.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland are Linux's")
def test_a_display_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """Qt itself would abort here."""
    pytest.importorskip("ctypes").CDLL("libxcb.so.1")
    ended = start(tmp_path, QT_QPA_PLATFORM="xcb", DISPLAY=":987")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "digitpad: " in ended.stderr


def test_a_missing_library_is_named_with_its_package() -> None:
    """The one line that installs it."""
    from digitpad.app import _missing_library

    said = _missing_library("libxcb-cursor.so.0: cannot open shared object file: No such file or directory")
    assert said.endswith("sudo apt install libxcb-cursor0")


def test_it_opens_before_what_it_does_not_begin_with_is_imported(tmp_path: Path) -> None:
    """The other tabs are, once the window has been painted; what draws curves, when there are some."""
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


def test_weights_that_cannot_be_used_end_the_start(tmp_path: Path) -> None:
    """A file named on the command line that is none."""
    ended = start(tmp_path, str(tmp_path / "none.npz"), QT_QPA_PLATFORM="offscreen")
    assert ended.returncode == 1
    assert "none.npz" in ended.stderr


def test_qt_keeps_its_references(tmp_path: Path) -> None:
    """20 000 emits and texts do not end the process, as they do with PySide6 6.12.0 on Python 3.11 (PYSIDE-3474)."""
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
def test_a_request_to_end_ends_the_window(tmp_path: Path, name: str) -> None:
    """Ctrl-C, `kill` and a closed terminal end it with 130, as a shell expects it."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "DIGITPAD_HOME": str(tmp_path)}
    program = "import digitpad.cli, digitpad.gui.shell.window as w; s = w.Window.show; " + (
        "w.Window.show = lambda self: (s(self), print('open', flush=True)); raise SystemExit(digitpad.cli.main([]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        time.sleep(0.5)  # until it waits for events
        process.send_signal(getattr(signal, name))
        assert process.wait(20) == 130


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


def test_weights_whose_outputs_have_no_names_are_asked_for_at_the_start(tmp_path: Path) -> None:
    """The window opens with its own weights, and asks; a terminal has no way to."""
    path = tmp_path / "letters.npz"
    np.savez(path, W1=np.ones((784, 5)) / 3, W2=-np.ones((5, 26)))
    variables = {**os.environ, "DIGITPAD_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", ASKING, str(path)]
    ended = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout.split() == ["True", "digits.npz"], ended.stderr[-500:]
