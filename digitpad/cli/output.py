"""Output of the commands: results on standard output, progress and errors on standard error."""

import argparse
import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any, NoReturn, TextIO, TypeVar

from digitpad.errors import DigitpadError, printable, reason

OK, FAILED, INTERRUPTED = 0, 1, 130

_CLEAR = "\r\x1b[K"
_LINE_START = re.compile(r"\r(\x1b\[K)?")  # control codes at the start of a progress line

_Progress = TypeVar("_Progress")
_Result = TypeVar("_Result")


def clear_line() -> str:
    """Return the control characters that clear the progress line; empty if standard error is not a terminal."""
    return _CLEAR if is_terminal() and _has_control_codes() else ""


def is_terminal() -> bool:
    """Return whether progress is shown on a terminal, where a line can replace the one before."""
    with contextlib.suppress(ValueError):  # it is closed
        return sys.stderr is not None and sys.stderr.isatty()
    return False


def _has_control_codes() -> bool:
    """Return whether the terminal knows control codes; consoles of old Windows versions must be asked to."""
    if sys.platform != "win32":
        return os.environ.get("TERM") != "dumb"
    from digitpad.system.windows_console import enable_control_codes

    return enable_control_codes()


def print_result(options: argparse.Namespace, values: dict[str, Any], text: str) -> None:
    """Write a result to standard output: ``values`` as JSON with ``--json``, otherwise ``text``."""
    write_output((json.dumps(values) if options.json else text) + "\n")


def write_output(text: str) -> None:
    """Write lines to standard output, with control characters escaped: names in files may contain them.

    Raises
    ------
    DigitpadError
        If standard output cannot be written, for example because its disk is full.
    BrokenPipeError
        If its reader has closed the pipe.
    """
    lines = text.split("\n")
    with _output_errors():
        if sys.stdout is None:  # closed by the shell, or a program for Windows without a console
            raise ValueError("it is closed")
        sys.stdout.write("\n".join(map(printable, lines)))


def flush_output() -> None:
    """Flush standard output, if there is one; see `write_output`."""
    with _output_errors():
        if sys.stdout is not None:
            sys.stdout.flush()


@contextlib.contextmanager
def _output_errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:  # ValueError: it is closed
        if sys.stdout is not None:
            discard(sys.stdout)
        raise DigitpadError(f"standard output: cannot be written ({reason(error)})") from error


def print_progress(text: str, end: str = "\n") -> None:
    """Write a line of progress to standard error, with control characters in names escaped.

    If it cannot be written, for example because a pipe was closed, progress is no longer shown, and the work continues.
    """
    if sys.stderr is None:
        return
    codes = _LINE_START.match(text)
    start = codes[0] if codes else ""
    try:
        sys.stderr.write(start + printable(text[len(start) :]) + end)
        sys.stderr.flush()
    except (OSError, ValueError):  # ValueError: it is closed
        discard(sys.stderr)


def run_with_progress(work: Generator[_Progress, None, _Result], describe: Callable[[_Progress], str]) -> _Result:
    """Run a generator and return its result; on a terminal, show what ``describe`` returns for each value it yields."""
    line_start = clear_line()
    shown = ""
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            if line_start:
                print_progress(line_start, end="")
            result: _Result = end.value
            return result
        if line_start and (text := describe(progress)) != shown:
            shown = text
            print_progress(f"{line_start}{text}", end="")


def discard(stream: TextIO) -> None:
    """Redirect a stream to the null device, so that later writes, also when Python exits, do not fail."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a file descriptor, or a closed one
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, stream.fileno())
        finally:
            os.close(null)


class Parser(argparse.ArgumentParser):
    """Argument parser that escapes control characters in its errors: a shell may insert the name of any file."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def fail(message: str) -> int:
    """Write an error message in one line, and return the exit status of a failure."""
    print_progress(f"digitpad: {message}")
    return FAILED
