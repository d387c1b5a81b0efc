"""``digitpad data``: what is in a data set, and fetching others."""

import argparse
import sys
from typing import TYPE_CHECKING

from digitpad.cli.common import OK, clear_line, data_source, print_progress, print_result
from digitpad.errors import DigitpadError

if TYPE_CHECKING:
    from digitpad.datasets.summary import DatasetSummary


def parser() -> argparse.ArgumentParser:
    """What ``digitpad data`` can be told."""
    parser = argparse.ArgumentParser(prog="digitpad data", description="Look at data sets, and fetch others.")
    commands = parser.add_subparsers(dest="what", required=True, metavar="show|get")
    show = commands.add_parser("show", help="what is in a data set", description="Tell what is in a data set.")
    show.add_argument("data", nargs="?", metavar="PATH|NAME", help="the built-in MNIST by default")
    get = commands.add_parser(
        "get", help="download a data set", description="Download a data set into your own data folder."
    )
    get.add_argument("name", nargs="?", metavar="NAME", help="without one, those that there are")
    for command in (show, get):
        command.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    if options.what == "show":
        return _show(options)
    return _list(options) if options.name is None else _get(options)


def _show(options: argparse.Namespace) -> int:
    from digitpad.datasets.dataset import load
    from digitpad.datasets.summary import PARTS, summarize

    found = summarize(load(data_source(options.data)))
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
        print_result(options, values, "")
        return OK
    for line in _table(found):
        print_result(options, {}, line)
    for note in found.notes:
        print_progress(note)
    return OK


def _table(found: "DatasetSummary") -> list[str]:
    """A row for each class, numbers to the right."""
    from digitpad.datasets.summary import PARTS

    width = max(5, *map(len, found.class_names))
    counts = [*found.counts.T.tolist(), list(found.sizes)]
    lines = [f"{found.name}, {found.format}", f"{'class':{width}}" + "".join(f"{part:>12}" for part in PARTS)]
    lines += [
        f"{name:{width}}" + "".join(f"{n:12,}" for n in row)
        for name, row in zip([*found.class_names, "all"], counts, strict=True)
    ]
    return lines


def _list(options: argparse.Namespace) -> int:
    from digitpad.datasets.download.fetch import downloaded
    from digitpad.datasets.download.sources import SOURCES

    here = {name: str(path) for name, path in downloaded().items()}
    sets = [
        {"name": source.name, "about": source.about, "bytes": source.size, "terms": source.terms}
        for source in SOURCES.values()
    ]
    if options.json:
        print_result(options, {"available": sets, "downloaded": here}, "")
        return OK
    for source in SOURCES.values():
        text = f"{source.name:14} {megabytes(source.size):>7}  {source.about} ({source.terms})"
        print_result(options, {}, text)
    if here:
        print_progress(f"downloaded: {', '.join(here)}")
    return OK


def _get(options: argparse.Namespace) -> int:
    from digitpad.datasets.download.fetch import download, downloaded
    from digitpad.datasets.download.sources import SOURCES

    source = SOURCES.get(options.name)
    if source is None:
        raise DigitpadError(f"there is no data set {options.name!r} to download; there are {', '.join(SOURCES)}")
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        if sys.stderr.isatty() and (share := 100 * done // total) != shown:
            shown = share
            print_progress(f"\r  {megabytes(done)} of {megabytes(total)}, {share} % ", end="")

    folder = download(source, show)
    names = [name for name, path in downloaded().items() if folder in (path, path.parent)]
    print_progress(f"{clear_line()}{source.title} is in {folder}; use it as --data {' or '.join(names)}")
    print_result(options, {"name": source.name, "folder": str(folder), "sets": names}, str(folder))
    return OK


def megabytes(n_bytes: int) -> str:
    """A size for people."""
    return f"{n_bytes / 1e6:.0f} MB"
