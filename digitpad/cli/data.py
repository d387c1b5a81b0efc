"""``digitpad data``: what is in a data set."""

import argparse
from typing import TYPE_CHECKING

from digitpad.cli.common import OK, data_source, say, tell

if TYPE_CHECKING:
    from digitpad.datasets.overview import Overview


def parser() -> argparse.ArgumentParser:
    """What ``digitpad data`` can be told."""
    parser = argparse.ArgumentParser(prog="digitpad data", description="Look at data sets.")
    commands = parser.add_subparsers(dest="what", required=True, metavar="show")
    show = commands.add_parser("show", help="what is in a data set", description="Tell what is in a data set.")
    show.add_argument("data", nargs="?", metavar="PATH", help="the built-in MNIST by default")
    show.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    return _show(options)


def _show(options: argparse.Namespace) -> int:
    from digitpad.datasets.dataset import load
    from digitpad.datasets.overview import PARTS, overview

    found = overview(load(data_source(options.data)))
    if options.json:
        values = {
            "name": found.name,
            "format": found.format,
            "classes": found.class_names,
            **dict(zip(PARTS, found.sizes, strict=True)),
            "counts": dict(zip(PARTS, found.counts.tolist(), strict=True)),
            "notes": found.notes,
            "sha256": found.sha256,
        }
        tell(options, values, "")
        return OK
    for line in _table(found):
        tell(options, {}, line)
    for note in found.notes:
        say(note)
    return OK


def _table(found: "Overview") -> list[str]:
    """A row for each class, numbers to the right."""
    from digitpad.datasets.overview import PARTS

    width = max(5, *map(len, found.class_names))
    counts = [*found.counts.T.tolist(), list(found.sizes)]
    lines = [f"{found.name}, {found.format}", f"{'class':{width}}" + "".join(f"{part:>12}" for part in PARTS)]
    lines += [
        f"{name:{width}}" + "".join(f"{n:12,}" for n in row)
        for name, row in zip([*found.class_names, "all"], counts, strict=True)
    ]
    return lines
