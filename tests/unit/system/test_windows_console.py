"""Tests of the console and the message box of Windows, simulated."""

import ctypes
import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from digitpad.cli.output import clear_line
from digitpad.system.message_box import show_error
from digitpad.system.windows_console import enable_control_codes


class Kernel:
    """A console that has a mode, or none, as a pipe; an old version knows only the first two bits of the mode."""

    def __init__(self, mode: int | None, known_bits: int) -> None:
        self.mode, self.known_bits = mode, known_bits

    def GetStdHandle(self, number: int) -> int:  # noqa: N802
        return number

    def GetConsoleMode(self, handle: int, mode: Any) -> int:  # noqa: N802
        if self.mode is None:
            return 0
        mode._obj.value = self.mode
        return 1

    def SetConsoleMode(self, handle: int, mode: int) -> int:  # noqa: N802
        if mode & ~self.known_bits:
            return 0
        self.mode = mode
        return 1


@pytest.mark.parametrize(
    ("mode", "known_bits", "expected"),
    [(3, 7, True), (3, 3, False), (None, 7, False)],
    ids=["new", "old", "no console"],
)
def test_old_console_gets_no_control_codes(
    monkeypatch: pytest.MonkeyPatch, mode: int | None, known_bits: int, expected: bool
) -> None:
    """Control codes are enabled where the console knows them; elsewhere none are written."""
    kernel = Kernel(mode, known_bits)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    assert enable_control_codes() == expected
    assert kernel.mode == (7 if expected else mode)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "platform", "win32")
    assert bool(clear_line()) == expected


def test_error_is_shown_in_a_message_box_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows the text is shown with an error's icon; elsewhere nothing happens."""
    boxes: list[tuple[Any, ...]] = []
    user = SimpleNamespace(MessageBoxW=lambda *arguments: boxes.append(arguments))
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(user32=user), raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    show_error("digitpad", "broken")
    assert boxes == []
    monkeypatch.setattr(sys, "platform", "win32")
    show_error("digitpad", "broken")
    assert boxes == [(None, "broken", "digitpad", 0x10)]
