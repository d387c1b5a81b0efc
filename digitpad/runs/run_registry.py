"""The runs that there are, looked at again and again: what cannot have changed since the last look is not read anew."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from digitpad.errors import RunError
from digitpad.runs.run import Run, RunStatus, RunSummary, runs_folder
from digitpad.runs.run_comparison import RunTrace


@dataclass(frozen=True)
class RunEntry:
    """A run in the list, as it was at the last look."""

    run: Run
    name: str
    summary: RunSummary

    @property
    def id(self) -> str:
        """The run's."""
        return self.run.id

    @property
    def accuracy(self) -> float | None:
        """On the test set if that is known, else on validation."""
        summary = self.summary
        return summary.validation_accuracy if summary.test_accuracy is None else summary.test_accuracy

    @property
    def is_unfinished(self) -> bool:
        """Whether it was paused or cut off."""
        return self.summary.status in (RunStatus.PAUSED, RunStatus.CUT_OFF)

    @property
    def progress(self) -> str:
        """Epochs done, of how many."""
        return f"{self.summary.epoch} / {self.summary.n_epochs}"


class RunRegistry:
    """Lists runs and reads their logs, each as cheaply as can be; for one thread."""

    def __init__(self) -> None:
        self._runs: dict[Path, Run | None] = {}
        self._traces: dict[str, tuple[tuple[int, int], RunTrace]] = {}

    def entries(self) -> list[RunEntry]:
        """Every run that can be read, the latest first."""
        paths = set(runs_folder().glob("*/run.json"))
        self._runs = {path: run for path, run in self._runs.items() if path in paths}
        for path in paths - self._runs.keys():  # what is in it is written once
            self._runs[path] = None
            with contextlib.suppress(RunError):
                self._runs[path] = Run.open(path.parent)
        runs = [run for run in self._runs.values() if run is not None]
        self._traces = {run.id: self._traces[run.id] for run in runs if run.id in self._traces}
        runs.sort(key=lambda run: (run.begun, run.id), reverse=True)
        return [RunEntry(run, run.name, run.summary()) for run in runs]

    def traces(self, entries: Iterable[RunEntry]) -> list[RunTrace]:
        """Those of these runs; a log that has not grown is not read again."""
        traces = []
        for entry in entries:
            stamp = _stamp(entry.run.log_path)
            known = self._traces.get(entry.id)
            if known is None or known[0] != stamp:
                trace = RunTrace.of(entry.run)
            else:
                trace = RunTrace(
                    entry.id, entry.name, entry.run.about, known[1].settings, entry.summary, known[1].history
                )
            self._traces[entry.id] = stamp, trace
            traces.append(trace)
        return traces


def _stamp(path: Path) -> tuple[int, int]:
    """What another reading of a file would not differ without."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
