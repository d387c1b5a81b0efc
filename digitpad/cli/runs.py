"""``digitpad runs``: list, compare, export and rename training runs."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitpad.cli.common import check_free, check_picture, write_picture
from digitpad.cli.output import OK, Parser, print_progress, write_output
from digitpad.errors import DigitpadError, printable

if TYPE_CHECKING:
    from digitpad.runs.run import RunSummary
    from digitpad.runs.run_comparison import RunTrace
    from digitpad.runs.run_registry import RunEntry

_N_ID = 6  # letters at the end of an id that the tables show
_AXES = ("step", "epoch", "time")


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad runs``."""
    parser = Parser(
        prog="digitpad runs",
        description="List the runs in your data folder, newest first. RUN is the name of a run, its id, the first or "
        "last characters of its id, or its folder; if several runs match, the newest is used.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    compare = actions.add_parser("compare", help="compare the settings and results of runs")
    compare.add_argument("runs", nargs="+", metavar="RUN")
    compare.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="save their curves in one picture")
    _add_axis(compare)
    export = actions.add_parser("export", help="save the log of a run as a table, or its curves as a picture")
    export.add_argument("run", metavar="RUN")
    export.add_argument("out", type=Path, metavar="FILE.csv|png|svg")
    export.add_argument("--force", action="store_true", help="replace an existing file")
    _add_axis(export)
    rename = actions.add_parser("rename", help="rename a run; its folder keeps its name")
    rename.add_argument("run", metavar="RUN")
    rename.add_argument("name", metavar="NAME")
    for action in (compare, export, rename):
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object on standard output"
        )
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
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

    registry = RunRegistry()
    entries = registry.entries()
    if options.json:
        values = [_values(entry) for entry in entries]
        unreadable = [{"file": str(problem.path), "problem": problem.problem} for problem in registry.problems]
        write_output(json.dumps({"runs": values, "unreadable": unreadable, "folder": str(runs_folder())}) + "\n")
    elif entries:
        _write_table([_HEAD, *(_row(entry) for entry in entries)], right=(4, 5, 6, 7))
    elif not registry.problems:
        print_progress(f"there are no runs in {runs_folder()}; start one with: digitpad train")
    for entry in entries:
        if entry.is_unfinished and entry.summary.problem:
            print_progress(f"digitpad: {entry.name}: {entry.summary.problem}")
    for problem in registry.problems:
        print_progress(f"digitpad: unreadable run: {problem}")
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
        write_output(json.dumps({"runs": values, "differences": differ}) + "\n")
        return OK
    progress = [_progress(trace.summary) for trace in traces]
    texts = {
        "id": [trace.id[-_N_ID:] for trace in traces],
        "status": [_status_text(trace.summary) for trace in traces],
        "epochs": [f"{values['epoch']} / {values['epochs']}" for values in progress],
        "validation": [_share(values["validation_accuracy"]) for values in progress],
        "test": [_share(values["test_accuracy"]) for values in progress],
        "time": [_duration(values["seconds"]) for values in progress],
        **{row.key: row.texts for row in rows},
    }
    _write_table([("", *(trace.name for trace in traces)), *((key, *values) for key, values in texts.items())])
    if not rows and len(traces) > 1:
        print_progress("all settings are the same")
    return OK


def _export(options: argparse.Namespace) -> int:
    from digitpad.runs.run_comparison import to_csv
    from digitpad.system.atomic_write import write_atomically

    path: Path = options.out
    if path.suffix not in (".csv", ".png", ".svg"):
        raise DigitpadError(f"{path}: an exported run must end in .csv, .png or .svg")
    check_free(path, options.force)
    (trace,) = _traces([options.run])
    if path.suffix == ".csv":
        write_atomically(path, to_csv(trace).encode())
        print_progress(f"saved {path}")
    else:
        _draw([trace], options.x, path)
    if options.json:
        write_output(json.dumps({"run": trace.id, "file": str(path)}) + "\n")
    return OK


def _rename(options: argparse.Namespace) -> int:
    from digitpad.runs.run import find_run

    if not options.name.strip():
        raise DigitpadError("the name of a run must not be empty")
    run = find_run(options.run)
    old_name = run.name
    run.rename(options.name)
    print_progress(f"renamed {old_name} to {run.name}; run {run.id}")
    if options.json:
        write_output(json.dumps({"run": run.id, "name": run.name}) + "\n")
    return OK


def _traces(names: Sequence[str]) -> "list[RunTrace]":
    from digitpad.plotting.palette import LINE_COLOURS
    from digitpad.runs.run import find_run
    from digitpad.runs.run_comparison import RunTrace

    if len(names) > len(LINE_COLOURS):
        raise DigitpadError(f"{len(names)} runs are too many; compare at most {len(LINE_COLOURS)}")
    runs = [find_run(name) for name in names]
    if len({run.id for run in runs}) < len(runs):
        raise DigitpadError(f"{' '.join(names)}: names the same run twice; `digitpad runs` lists the ids of all runs")
    return [RunTrace.of(run) for run in runs]


def _draw(traces: "Sequence[RunTrace]", axis: str, path: Path) -> None:
    from digitpad.plotting.figure_files import runs_figure
    from digitpad.runs.run_comparison import CurveAxis, RunLines

    span = max([1, *(len(trace.history.losses) / 100 for trace in traces)])
    lines = [RunLines.of(trace, CurveAxis(axis), span) for trace in traces]
    write_picture(path, runs_figure(lines, CurveAxis(axis), path.suffix[1:]))


def _add_axis(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--x", choices=_AXES, default="step", help="horizontal axis of the curves (default: %(default)s)"
    )


_HEAD = ("id", "name", "recipe", "status", "epochs", "validation", "test", "time", "started")


def _row(entry: "RunEntry") -> tuple[str, ...]:
    summary = entry.summary
    return (
        entry.id[-_N_ID:],
        entry.name,
        entry.run.recipe.name,
        _status_text(summary),
        entry.progress,
        _share(summary.validation_accuracy),
        _share(summary.test_accuracy),
        _duration(summary.seconds),
        f"{entry.run.started:%Y-%m-%d %H:%M}",
    )


def _values(entry: "RunEntry") -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name,
        "recipe": entry.run.recipe.name,
        **_progress(entry.summary),
        "begun": entry.run.started.isoformat(),
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


def _status_text(summary: "RunSummary") -> str:
    return summary.status.label


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _duration(seconds: float) -> str:
    from digitpad.runs.run_comparison import format_duration

    return format_duration(seconds)


def _write_table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Write rows as aligned columns, two spaces apart; ``right`` holds the indices of right-aligned columns."""
    clean = [[printable(text) for text in row] for row in rows]  # a line break would end the row
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    for row in clean:
        texts = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        write_output("  ".join(texts).rstrip() + "\n")
