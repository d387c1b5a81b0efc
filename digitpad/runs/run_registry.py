"""Registry of all runs, for repeated listing; files that have not changed since the last call are not read again."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from digitpad.errors import RunError
from digitpad.runs.run import Run, RunStatus, RunSummary, run_folders
from digitpad.runs.run_comparison import RunTrace


@dataclass(frozen=True)
class RunEntry:
    """List entry of a run, at the time of the last call."""

    run: Run
    name: str
    summary: RunSummary

    @property
    def id(self) -> str:
        """Identifier of the run."""
        return self.run.id

    @property
    def accuracy(self) -> float | None:
        """Test accuracy if known, otherwise validation accuracy."""
        summary = self.summary
        return summary.validation_accuracy if summary.test_accuracy is None else summary.test_accuracy

    @property
    def is_unfinished(self) -> bool:
        """Whether the run was paused or interrupted."""
        return self.summary.status in (RunStatus.PAUSED, RunStatus.CUT_OFF)

    @property
    def progress(self) -> str:
        """Epochs done and planned, as text."""
        return f"{self.summary.epoch} / {self.summary.n_epochs}"


class RunRegistry:
    """Cached list of runs and their logs. Not thread-safe.

    Attributes
    ----------
    problems : list of RunError
        An error for each run that could not be read at the last call of `entries`, in the order of the folders' names.
    """

    def __init__(self) -> None:
        self.problems: list[RunError] = []
        self._runs: dict[Path, tuple[tuple[int, int], Run | RunError]] = {}
        self._traces: dict[str, tuple[tuple[int, int], RunTrace]] = {}

    def entries(self) -> list[RunEntry]:
        """Return an entry for every readable run, newest first."""
        self._runs = {folder: self._opened(folder) for folder in sorted(run_folders())}
        found = [run for _, run in self._runs.values()]
        self.problems = [run for run in found if isinstance(run, RunError)]
        runs = [run for run in found if isinstance(run, Run)]
        self._traces = {run.id: self._traces[run.id] for run in runs if run.id in self._traces}
        runs.sort(key=lambda run: (run.started, run.id), reverse=True)
        return [RunEntry(run, run.name, run.summary()) for run in runs]

    def _opened(self, folder: Path) -> tuple[tuple[int, int], Run | RunError]:
        """Return the run, or why it cannot be read; it is read again only if ``run.json`` has changed."""
        stamp = _stamp(folder / "run.json")
        known = self._runs.get(folder)
        if known is not None and known[0] == stamp:
            return known
        try:
            return stamp, Run.open(folder)
        except RunError as error:
            return stamp, error

    def traces(self, entries: Iterable[RunEntry]) -> list[RunTrace]:
        """Return the traces of these runs; a log that has not changed is not read again."""
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
    """Return size and modification time in ns; the contents are unchanged while both are equal."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
