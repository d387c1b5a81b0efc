"""Tests of deferred handling of Ctrl-C and other end signals."""

import runpy
import signal

import pytest

from digitpad.cli import deferred_sigint
from digitpad.cli.deferred_sigint import END_SIGNALS, DeferredSigint


def test_ctrl_c_is_deferred_to_the_check() -> None:
    """Ctrl-C does not interrupt the current work; the next check raises KeyboardInterrupt, once."""
    with DeferredSigint() as interrupts:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()


def test_second_ctrl_c_interrupts_at_once() -> None:
    """A second Ctrl-C raises KeyboardInterrupt at once."""
    with DeferredSigint():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_previous_handler_is_restored() -> None:
    """The previous signal handler is restored, also after an error."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), DeferredSigint():
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", END_SIGNALS)
def test_every_end_signal_is_deferred_to_the_check(number: signal.Signals) -> None:
    """`kill`, a closed terminal and, on Windows, a closed console are deferred like Ctrl-C."""
    before = signal.getsignal(number)
    with DeferredSigint() as interrupts:
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert signal.getsignal(number) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a signal of POSIX")
def test_ignored_signal_stays_ignored() -> None:
    """A signal that is already ignored, as SIGHUP under `nohup`, stays ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with DeferredSigint() as interrupts:
            signal.raise_signal(signal.SIGHUP)
            interrupts.check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_closed_console_of_windows_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGBREAK, which only Windows has, is one of the signals that are deferred."""
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    assert deferred_sigint.__file__ is not None
    assert 21 in runpy.run_path(deferred_sigint.__file__)["END_SIGNALS"]
