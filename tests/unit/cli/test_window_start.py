"""Tests of the window's start without a standard error, as from a launcher on Windows."""

import sys
from typing import NoReturn

import pytest

from digitpad import cli


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts of message boxes."""
    shown: list[str] = []
    monkeypatch.setattr(cli, "show_error", lambda title, text: shown.append(text))
    return shown


def test_error_at_the_start_is_shown(boxes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be opened, wrong usage, and an unexpected error are shown in a message box."""
    monkeypatch.setattr(sys, "stderr", None)  # here, because pytest replaces it after fixtures
    monkeypatch.setattr(sys, "argv", ["digitpad", "missing-file"])
    assert cli.window() == 1
    assert "missing-file: is neither a file nor a command" in boxes.pop()
    monkeypatch.setattr(sys, "argv", ["digitpad", "--odd"])
    assert cli.window() == 1
    assert "unrecognized arguments: --odd" in boxes.pop()

    def crash(*_: object) -> NoReturn:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(cli, "_run_window", crash)
    monkeypatch.setattr(sys, "argv", ["digitpad"])
    assert cli.window() == 1
    assert "ZeroDivisionError: odd" in boxes.pop()
    assert sys.stderr is None


def test_success_shows_nothing(boxes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No message box appears after the window was closed or interrupted by Ctrl-C."""
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "argv", ["digitpad"])
    for status in (0, 130):
        monkeypatch.setattr(cli, "_run_window", lambda options, status=status: status)
        assert cli.window() == status
    assert boxes == []
