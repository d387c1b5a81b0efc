"""``digitpad data``: show or download datasets."""

import argparse
from typing import TYPE_CHECKING

from digitpad.cli.common import add_normalise, data_source, report_skipped
from digitpad.cli.output import FAILED, OK, Parser, clear_line, is_terminal, print_progress, print_result
from digitpad.errors import DigitpadError

if TYPE_CHECKING:
    from digitpad.datasets.summary import DatasetSummary


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad data``."""
    parser = Parser(prog="digitpad data", description="Show or download datasets.")
    commands = parser.add_subparsers(dest="what", required=True, metavar="show|get")
    show = commands.add_parser(
        "show", help="show the contents of a dataset", description="Show the contents of a dataset."
    )
    show.add_argument("data", nargs="?", metavar="PATH|NAME", help="default: the built-in MNIST")
    add_normalise(show)
    get = commands.add_parser("get", help="download a dataset", description="Download a dataset into your data folder.")
    get.add_argument("name", nargs="?", metavar="NAME", help="without a name, list the available datasets")
    for command in (show, get):
        command.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    if options.what == "show":
        return _show(options)
    return _list(options) if options.name is None else _get(options)


def _show(options: argparse.Namespace) -> int:
    from digitpad.datasets.dataset import load
    from digitpad.datasets.summary import PARTS, summarize

    summary = summarize(load(data_source(options.data), normalise=options.normalise or "auto"))
    status = FAILED if summary.skipped else OK
    if options.json:
        values = {
            "name": summary.name,
            "format": summary.format,
            "classes": summary.class_names,
            **dict(zip(PARTS, summary.sizes, strict=True)),
            "counts": dict(zip(PARTS, summary.counts.tolist(), strict=True)),
            "notes": summary.notes,
            "skipped": summary.skipped,
            "sha256": summary.sha256,
        }
        print_result(options, values, "")
        return status
    for line in _table(summary):
        print_result(options, {}, line)
    for note in summary.notes:
        print_progress(note)
    report_skipped(summary.skipped)
    return status


def _table(summary: "DatasetSummary") -> list[str]:
    """Return the lines of a table with a row for each class, numbers right-aligned."""
    from digitpad.datasets.summary import PARTS

    width = max(5, *map(len, summary.class_names))
    counts = [*summary.counts.T.tolist(), list(summary.sizes)]
    lines = [f"{summary.name}, {summary.format}", f"{'class':{width}}" + "".join(f"{part:>12}" for part in PARTS)]
    lines += [
        f"{name:{width}}" + "".join(f"{n:12,}" for n in row)
        for name, row in zip([*summary.class_names, "all"], counts, strict=True)
    ]
    return lines


def _list(options: argparse.Namespace) -> int:
    from digitpad.datasets.download.fetch import downloaded
    from digitpad.datasets.download.sources import SOURCES

    folders = {name: str(path) for name, path in downloaded().items()}
    sets = [
        {"name": source.name, "about": source.about, "bytes": source.size, "terms": source.terms}
        for source in SOURCES.values()
    ]
    if options.json:
        print_result(options, {"available": sets, "downloaded": folders}, "")
        return OK
    for source in SOURCES.values():
        text = f"{source.name:14} {megabytes(source.size):>7}  {source.about} ({source.terms})"
        print_result(options, {}, text)
    if folders:
        print_progress(f"downloaded: {', '.join(folders)}")
    return OK


def _get(options: argparse.Namespace) -> int:
    from digitpad.datasets.download.fetch import download, downloaded
    from digitpad.datasets.download.sources import SOURCES

    source = SOURCES.get(options.name)
    if source is None:
        raise DigitpadError(f"there is no dataset {options.name!r} to download; choose one of {', '.join(SOURCES)}")
    last_percent = -1

    def show(done: int, total: int) -> None:
        nonlocal last_percent
        if is_terminal() and (percent := 100 * done // total) != last_percent:
            last_percent = percent
            print_progress(f"\r  {megabytes(done)} of {megabytes(total)}, {percent}% ", end="")

    folder = download(source, show)
    names = [name for name, path in downloaded().items() if folder in (path, path.parent)]
    print_progress(f"{clear_line()}saved {source.title} in {folder}; use it with --data {' or '.join(names)}")
    print_result(options, {"name": source.name, "folder": str(folder), "sets": names}, str(folder))
    return OK


def megabytes(n_bytes: int) -> str:
    """Return a size in MB as text."""
    return f"{n_bytes / 1e6:.0f} MB"
