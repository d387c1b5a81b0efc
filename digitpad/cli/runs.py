"""``digitpad runs``: what was trained, and how one training compares with another."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import OK, check_free, check_picture, print_progress, write_picture
from digitpad.errors import DigitpadError

if TYPE_CHECKING:
    from digitpad.runs.run import RunSummary
    from digitpad.runs.run_comparison import RunTrace
    from digitpad.runs.run_registry import RunEntry

_N_ID = 6  # letters at the end of an id, by which one run is told from another
_AXES = ("step", "epoch", "time")


def parser() -> argparse.ArgumentParser:
    """What ``digitpad runs`` can be told."""
    parser = argparse.ArgumentParser(
        prog="digitpad runs",
        description="List the runs of your data folder, the latest first. A RUN is named by its name, its id or how "
        "that begins or ends, or its folder; of several, the latest is meant.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    compare = actions.add_parser("compare", help="what differs in the settings of runs, and how far they came")
    compare.add_argument("runs", nargs="+", metavar="RUN")
    compare.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="draw their curves over each other")
    _add_axis(compare)
    export = actions.add_parser("export", help="a run's log as a table, or its curves as a picture")
    export.add_argument("run", metavar="RUN")
    export.add_argument("out", type=Path, metavar="FILE.csv|png|svg")
    export.add_argument("--force", action="store_true", help="replace what is there")
    _add_axis(export)
    rename = actions.add_parser("rename", help="call a run otherwise; its folder stays")
    rename.add_argument("run", metavar="RUN")
    rename.add_argument("name", metavar="NAME")
    for action in (compare, export, rename):
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="as without an action")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    match options.action:
        case "compare":
            return _compare(options)
        case "export":
            return _export(options)
        case "rename":
            return _rename(options)
    return _list(options)


def _list(options: argparse.Namespace) -> int:
    from digitpad.runs.run import runs_folder
    from digitpad.runs.run_registry import RunRegistry

    entries = RunRegistry().entries()
    if options.json:
        values = [_values(entry) for entry in entries]
        sys.stdout.write(json.dumps({"runs": values, "folder": str(runs_folder())}) + "\n")
    elif entries:
        _write_table([_HEAD, *(_row(entry) for entry in entries)], right=(4, 5, 6, 7))
    else:
        print_progress(f"there are no runs in {runs_folder()} yet; `digitpad train` makes one")
    return OK


def _compare(options: argparse.Namespace) -> int:
    from digitpad.runs.run_comparison import differences

    check_picture(options.plot)
    traces = _traces(options.runs)
    rows = differences(traces)
    if options.plot is not None:
        _draw(traces, options.x, options.plot)
    if options.json:
        values = [
            {
                "id": trace.id,
                "name": trace.name,
                **_progress(trace.summary),
                "settings": trace.settings,
                "changes": [{"step": change.step, "settings": change.settings} for change in trace.history.changes],
            }
            for trace in traces
        ]
        differ = {row.key: row.texts for row in rows}
        sys.stdout.write(json.dumps({"runs": values, "differences": differ}) + "\n")
        return OK
    told = [_progress(trace.summary) for trace in traces]
    texts = {
        "id": [trace.id[-_N_ID:] for trace in traces],
        "status": [values["status"] for values in told],
        "epochs": [f"{values['epoch']} / {values['epochs']}" for values in told],
        "validation": [_share(values["validation_accuracy"]) for values in told],
        "test": [_share(values["test_accuracy"]) for values in told],
        "time": [_clock(values["seconds"]) for values in told],
        **{row.key: row.texts for row in rows},
    }
    _write_table([("", *(trace.name for trace in traces)), *((key, *values) for key, values in texts.items())])
    if not rows and len(traces) > 1:
        print_progress("their settings are the same")
    return OK


def _export(options: argparse.Namespace) -> int:
    from digitpad.runs.run_comparison import to_csv
    from digitpad.system.atomic_write import write_atomically

    path: Path = options.out
    if path.suffix not in (".csv", ".png", ".svg"):
        raise DigitpadError(f"{path}: runs are exported as .csv, .png or .svg")
    check_free(path, options.force)
    (trace,) = _traces([options.run])
    if path.suffix == ".csv":
        write_atomically(path, to_csv(trace).encode())
        print_progress(f"saved {path}")
    else:
        _draw([trace], options.x, path)
    if options.json:
        sys.stdout.write(json.dumps({"run": trace.id, "file": str(path)}) + "\n")
    return OK


def _rename(options: argparse.Namespace) -> int:
    from digitpad.runs.run import find_run

    if not options.name.strip():
        raise DigitpadError("a run is called by a name that is not empty")
    kept = find_run(options.run)
    before = kept.name
    kept.rename(options.name)
    print_progress(f"{before} is {kept.name} now; run {kept.id}")
    if options.json:
        sys.stdout.write(json.dumps({"run": kept.id, "name": kept.name}) + "\n")
    return OK


def _traces(names: Sequence[str]) -> "list[RunTrace]":
    from digitpad.plotting.palette import LINE_COLOURS
    from digitpad.runs.run import find_run
    from digitpad.runs.run_comparison import RunTrace

    if len(names) > len(LINE_COLOURS):
        raise DigitpadError(f"{len(names)} runs; at most {len(LINE_COLOURS)} can be told apart")
    runs = [find_run(name) for name in names]
    if len({kept.id for kept in runs}) < len(runs):
        raise DigitpadError(f"a run is named twice in {' '.join(names)}; `digitpad runs` lists their ids")
    return [RunTrace.of(kept) for kept in runs]


def _draw(traces: "Sequence[RunTrace]", axis: str, path: Path) -> None:
    from digitpad.plotting.figure_files import runs_figure
    from digitpad.runs.run_comparison import CurveAxis, RunLines

    span = max([1, *(len(trace.history.losses) / 100 for trace in traces)])
    lines = [RunLines.of(trace, CurveAxis(axis), span) for trace in traces]
    write_picture(path, runs_figure(lines, CurveAxis(axis), path.suffix[1:]))


def _add_axis(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--x", choices=_AXES, default="step", help="what the curves are over (%(default)s)")


_HEAD = ("id", "name", "recipe", "status", "epochs", "validation", "test", "time", "begun")


def _row(entry: "RunEntry") -> tuple[str, ...]:
    summary = entry.summary
    return (
        entry.id[-_N_ID:],
        entry.name,
        entry.run.recipe.name,
        str(summary.status),
        entry.progress,
        _share(summary.validation_accuracy),
        _share(summary.test_accuracy),
        _clock(summary.seconds),
        f"{entry.run.begun:%Y-%m-%d %H:%M}",
    )


def _values(entry: "RunEntry") -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name,
        "recipe": entry.run.recipe.name,
        **_progress(entry.summary),
        "begun": entry.run.begun.isoformat(),
        "folder": str(entry.run.folder),
    }


def _progress(summary: "RunSummary") -> dict[str, Any]:
    return {
        "status": str(summary.status),
        "epoch": summary.epoch,
        "epochs": summary.n_epochs,
        "step": summary.step,
        "steps": summary.n_steps,
        "validation_accuracy": summary.validation_accuracy,
        "test_accuracy": summary.test_accuracy,
        "seconds": round(summary.seconds, 1),
        "problem": summary.problem,
    }


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _clock(seconds: float) -> str:
    from digitpad.runs.run_comparison import clock

    return clock(seconds)


def _write_table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Columns as wide as their widest text, parted by two spaces; those numbered ``right`` end evenly."""
    # A name may hold line breaks and control characters, which must not reach a terminal.
    clean = [["".join(c if c.isprintable() else repr(c)[1:-1] for c in text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    for row in clean:
        texts = [
            text.rjust(width) if place in right else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        sys.stdout.write("  ".join(texts).rstrip() + "\n")
