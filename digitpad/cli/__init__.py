"""The command line: the window, and training, tuning, evaluating, predicting and data without one.

Results go to standard output, progress and errors to standard error. NumPy and Qt are imported by the command that
needs them, after it is settled how many threads BLAS may use; ``--help`` imports neither.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from digitpad import __version__
from digitpad.cli import convert, data, evaluate, predict, recipes, runs, train, tune
from digitpad.cli.common import FAILED, INTERRUPTED, fail
from digitpad.errors import DigitpadError, reason
from digitpad.system import blas_threads

_COMMANDS = {
    "train": train,
    "runs": runs,
    "recipes": recipes,
    "tune": tune,
    "evaluate": evaluate,
    "predict": predict,
    "data": data,
    "convert": convert,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 for a failure, 130 for Ctrl-C; wrong usage exits with 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a sign of ours shows its number instead
            stream.reconfigure(errors="backslashreplace")
    try:
        if words and words[0] in _COMMANDS:
            command = _COMMANDS[words[0]]
            status = command.run(command.parser().parse_args(words[1:]))
            sys.stdout.flush()  # here, where a reader who left can still be told from a failure
            return status
        return _run_window(_window_parser().parse_args(words))
    except DigitpadError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return fail(reason(error))
    except MemoryError:
        return fail("there is not enough memory")


def window() -> int:
    """Open the window; for desktop starters, which have no terminal (on Windows, not even a standard output)."""
    return main()


def _window_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitpad",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Draw a digit and see what a neural network makes of it.",
        epilog="commands, each with its own --help:\n"
        "  digitpad train      train a network by a recipe\n"
        "  digitpad runs       list, compare, export and rename what was trained\n"
        "  digitpad recipes    list the recipes\n"
        "  digitpad tune       search for a recipe's best settings\n"
        "  digitpad evaluate   score weights on a test set\n"
        "  digitpad predict    read images or strokes\n"
        "  digitpad data       look at data sets, and fetch others\n"
        "  digitpad convert    write weights in another format",
    )
    parser.add_argument("weights", nargs="?", type=Path, metavar="WEIGHTS", help="a file of weights to read with")
    parser.add_argument("--version", action="version", version=f"digitpad {__version__}")
    return parser


def _run_window(options: argparse.Namespace) -> int:
    if options.weights is not None and not options.weights.suffix and not options.weights.exists():
        raise DigitpadError(f"{options.weights}: neither a file nor one of the commands {', '.join(_COMMANDS)}")
    blas_threads.limit_threads(blas_threads.default_thread_count())
    from digitpad.app import run

    return run(options.weights)
