"""Command line: ``digitpad`` opens the window; its subcommands work without one.

Results go to standard output; progress and errors go to standard error. Each command imports NumPy and Qt only when it
needs them, after it has set the number of BLAS threads; ``--help`` imports neither.
"""

import argparse
import io
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digitpad import __version__
from digitpad.cli import adapt, convert, data, doctor, evaluate, predict, recipes, runs, train, tune
from digitpad.cli.output import FAILED, INTERRUPTED, OK, Parser, discard, fail, flush_output, write_output
from digitpad.errors import DigitpadError, reason
from digitpad.system import blas_threads
from digitpad.system.message_box import show_error

_COMMANDS = {
    "train": train,
    "runs": runs,
    "recipes": recipes,
    "tune": tune,
    "evaluate": evaluate,
    "predict": predict,
    "adapt": adapt,
    "data": data,
    "convert": convert,
    "doctor": doctor,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, 1 for a failure, or 130 for Ctrl-C; wrong usage exits with 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # escape characters that the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        if words and words[0] in _COMMANDS:
            command = _COMMANDS[words[0]]
            status = command.run(command.parser().parse_args(words[1:]))
            flush_output()  # here, so that a closed pipe is caught below
            return status
        return _run_window(_window_parser().parse_args(words))
    except DigitpadError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader closed the pipe, as in `| head -1`
        discard(sys.stdout)
        return FAILED
    except OSError as error:
        return fail(reason(error) if error.filename is None else f"{error.filename}: {reason(error)}")
    except MemoryError:
        return fail("not enough memory")


def window() -> int:
    """Open the window from a desktop launcher, which has no terminal.

    On Windows there is not even a standard error; an error at the start is then shown in a message box.
    """
    if sys.stderr is not None:
        return main()
    sys.stderr = messages = io.StringIO()
    try:
        status = main()
    except SystemExit as error:  # argparse exits
        status = FAILED if error.code else OK
    except Exception:
        messages.write(traceback.format_exc())
        status = FAILED
    finally:
        sys.stderr = None  # restore it
    if status == FAILED:
        show_error("digitpad", messages.getvalue().strip() or "digitpad could not start")
    return status


def _window_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="digitpad",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Draw a digit and watch a neural network read it.",
        epilog="commands, each with its own --help:\n"
        "  digitpad train      train a network with a recipe\n"
        "  digitpad runs       list, compare, export and rename training runs\n"
        "  digitpad recipes    list the recipes\n"
        "  digitpad tune       search for a recipe's best settings\n"
        "  digitpad evaluate   evaluate a network on a test set\n"
        "  digitpad predict    read images or strokes\n"
        "  digitpad adapt      fine-tune a network on your own digits\n"
        "  digitpad data       show or download datasets\n"
        "  digitpad convert    save a network in another format\n"
        "  digitpad doctor     check display, fonts, threads and folders, and say what to do",
    )
    parser.add_argument("weights", nargs="?", type=Path, metavar="WEIGHTS", help="the network to open")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the versions of digitpad and its libraries")
    return parser


class _Version(argparse.Action):
    """``--version``: the libraries are imported only when it is given."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from digitpad.system.versions import version_text

        write_output(f"digitpad {__version__}\n{version_text()}\n")
        parser.exit()


def _run_window(options: argparse.Namespace) -> int:
    if options.weights is not None and not options.weights.suffix and not options.weights.exists():
        raise DigitpadError(
            f"{options.weights}: is neither a file nor a command; the commands are {', '.join(_COMMANDS)}"
        )
    blas_threads.limit_threads(blas_threads.default_thread_count())
    from digitpad.app import run

    return run(options.weights)
