"""Ctrl-C that waits for its moment."""

import signal

import pytest

from digitpad.cli.deferred_sigint import END_SIGNALS, DeferredSigint


def test_ctrl_c_waits_for_the_check() -> None:
    """Whatever is under way is not broken off; the check raises, once."""
    with DeferredSigint() as interrupts:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()


def test_second_ctrl_c_does_not_wait() -> None:
    """Who presses twice means it."""
    with DeferredSigint():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_all_is_as_before() -> None:
    """The handler of before is back, after an error too."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), DeferredSigint():
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", END_SIGNALS)
def test_every_request_to_end_waits_for_the_check(number: signal.Signals) -> None:
    """`kill`, a closed terminal and, on Windows, a closed console end as Ctrl-C does."""
    before = signal.getsignal(number)
    with DeferredSigint() as interrupts:
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert signal.getsignal(number) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a signal of POSIX")
def test_signal_that_is_ignored_stays_ignored() -> None:
    """Under `nohup`, a training survives the end of its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with DeferredSigint() as interrupts:
            signal.raise_signal(signal.SIGHUP)
            interrupts.check()
    finally:
        signal.signal(signal.SIGHUP, before)
