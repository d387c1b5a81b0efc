import shutil

import pytest

from digitpad.runs.run import Run, RunStatus
from digitpad.runs.run_log import RunLog
from digitpad.runs.run_registry import RunRegistry
from tests.unit.training.made_runs import made_run


def test_runs_are_listed_the_latest_first() -> None:
    """Entries have names and statuses, newest first; a folder that is not a run is skipped."""
    first, second = made_run("one"), made_run("two", RunStatus.CUT_OFF, n_epochs=1)
    second.rename("my two")
    (first.folder.parent / "none").mkdir()
    (first.folder.parent / "none" / "run.json").write_text("{}")
    entries = RunRegistry().entries()
    assert [(entry.id, entry.name) for entry in entries] == [(second.id, "my two"), (first.id, "one")]
    assert [entry.summary.status for entry in entries] == [RunStatus.CUT_OFF, RunStatus.FINISHED]
    assert [entry.is_unfinished for entry in entries] == [True, False]
    assert [entry.accuracy for entry in entries] == [0.5, 0.865]
    assert entries[0].progress == "1 / 3"


def test_changes_are_reported() -> None:
    """Each call reports new and deleted runs, new names, and new log lines."""
    registry = RunRegistry()
    assert registry.entries() == []
    run = made_run()
    (entry,) = registry.entries()
    (before,) = registry.traces([entry])
    run.rename("other")
    log = RunLog(run.log_path)
    log.add("steps", first=13, losses=[0.5], seconds=9.0)
    log.close()
    (entry,) = registry.entries()
    (after,) = registry.traces([entry])
    assert (before.name, after.name) == ("small", "other")
    assert after.history.losses == [*before.history.losses, 0.5]
    shutil.rmtree(run.folder)
    assert registry.entries() == []


def test_unchanged_files_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unchanged ``run.json`` and log files are not read again; the name is."""
    registry = RunRegistry()
    run = made_run()
    (before,) = registry.traces(registry.entries())
    run.rename("other")
    monkeypatch.setattr(Run, "open", None)
    monkeypatch.setattr(Run, "history", None)
    (after,) = registry.traces(registry.entries())
    assert after.history is before.history
    assert after.name == "other"
