"""Ctrl-C that waits for its moment."""

import signal

import pytest

from digitpad.cli.deferred_sigint import DeferredSigint


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
