"""Tests of run folders that are damaged or come from someone else."""

import json
import os
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from digitpad.errors import RunError
from digitpad.runs.network_names import network_name
from digitpad.runs.recorder import Recorder
from digitpad.runs.run import Run, RunStatus, RunSummary, all_runs, find_run
from digitpad.runs.run_comparison import RunTrace, differences, to_csv
from digitpad.runs.run_registry import RunRegistry
from digitpad.training.events import EpochDone
from digitpad.training.trainer import Trainer
from tests.unit.training.made_runs import made_run
from tests.unit.training.small import small_dataset, small_recipe

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")


def change_description(run: Run, **values: Any) -> None:
    (run.folder / "run.json").write_text(json.dumps({**run.about, **values}))


@pytest.mark.parametrize(
    "values",
    [
        {"blas_threads": "x"}, {"blas_threads": 0}, {"n_threads": 1.5}, {"n_threads": 10**9}, {"date": "yesterday"},
        {"date": 5}, {"date": "0001-01-01"}, {"data": []}, {"data": {"name": 7}}, {"digitpad": None},
        {"digitpad": "x" * 5000}, {"recipe": None}, {"recipe": {"training": {"epochs": float("inf")}}},
    ],
    ids=str,
)  # fmt: skip
def test_damaged_run_does_not_affect_the_others(values: dict[str, Any]) -> None:
    """A run with an invalid value is listed as unreadable with its file's name, and other runs work."""
    good, bad = made_run("good"), made_run("bad")
    change_description(bad, **values)
    registry = RunRegistry()
    assert [entry.name for entry in registry.entries()] == ["good"]
    (problem,) = registry.problems
    assert problem.path == bad.folder / "run.json"
    assert all_runs()[0].id == find_run("good").id == good.id
    with pytest.raises(RunError, match="not a valid description"):
        find_run(bad.id)
    change_description(bad)
    assert len(registry.entries()) == 2
    assert registry.problems == []


def test_deeply_nested_description_is_reported() -> None:
    """A description of 100,000 nested brackets raises the usual error."""
    run = made_run()
    (run.folder / "run.json").write_text("[" * 100_000)
    with pytest.raises(RunError, match="not a valid description"):
        Run.open(run.folder)


def test_date_without_a_time_zone_is_local_time() -> None:
    """Dates without a time zone are read as local time, so that runs can be sorted, compared and exported."""
    with_zone, without = made_run("a"), made_run("b")
    change_description(without, date="2024-01-01")
    assert [run.name for run in all_runs()] == ["a", "b"]
    assert [entry.name for entry in RunRegistry().entries()] == ["a", "b"]
    traces = [RunTrace.of(run) for run in (with_zone, Run.open(without.folder))]
    differences(traces)
    assert to_csv(traces[1]).startswith("step,")


@pytest.mark.parametrize(
    "values",
    [
        {"seconds": None}, {"test_accuracy": "high"}, {"validation_accuracy": 7}, {"step": float("inf")},
        {"epoch": True}, {"n_steps": -1}, {"problem": ["x"]}, {"seconds": float("nan")},
    ],
    ids=str,
)  # fmt: skip
def test_run_with_an_invalid_summary_is_interrupted(values: dict[str, Any]) -> None:
    """A run whose summary has an invalid value counts as interrupted."""
    run = made_run()
    path = run.folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    assert run.summary() == RunSummary(RunStatus.CUT_OFF)
    path.write_text("[" * 100_000)
    assert run.summary() == RunSummary(RunStatus.CUT_OFF)


@pytest.mark.parametrize("content", [None, b"", b"\0" * 300])
def test_progress_without_a_summary_is_that_of_the_checkpoint(content: bytes | None) -> None:
    """If the summary is lost, epoch and step are those of the newest checkpoint, and the summary says what is lost."""
    run = trained().run
    assert run is not None
    path = run.folder / "summary.json"
    path.unlink() if content is None else path.write_bytes(content)
    summary = run.summary()
    assert summary.status is RunStatus.CUT_OFF
    assert (summary.epoch, summary.n_epochs, summary.step) == (1, 3, 45)
    assert "summary.json cannot be read" in summary.problem


@posix
@pytest.mark.parametrize("content", ["pipe", "[" * 100_000, '{"recipe": 5}', "\0\0"], ids=lambda text: text[:10])
@pytest.mark.parametrize("name", ["name.txt", "run.json"])
def test_network_of_a_damaged_run_has_a_name(name: str, content: str) -> None:
    """The network of a run with a damaged description or a named pipe has the name of its recipe or of its file."""
    run = made_run()
    path = run.folder / name
    path.unlink(missing_ok=True)
    os.mkfifo(path) if content == "pipe" else path.write_text(content)
    assert network_name(run.weights_path) in (run.weights_path.name, "small", content[:200])


@pytest.mark.parametrize(
    "line",
    [
        '{"kind": "begun", "step": Infinity, "n_epochs": 0, "n_changes": 0}',
        '{"kind": "begun", "step": -1, "n_epochs": 0, "n_changes": 0}',
        '{"kind": "steps", "first": 13, "losses": ["1"], "seconds": 9}',
        '{"kind": "steps", "first": 13, "losses": [1' + "0" * 400 + '], "seconds": 9}',
        '{"kind": "steps", "first": 13, "losses": [1], "seconds": null}',
        '{"kind": "steps", "first": 9000000, "losses": [1], "seconds": 9}',
        '{"kind": "change", "step": 900000000, "settings": {}}',
        '{"kind": "change", "step": 3, "settings": {"training.epochs": {"a": 1}}}',
        '{"kind": "change", "step": 3, "settings": 5}',
        '{"kind": "epoch", "epoch": {"epoch": 4, "step": 16, "is_best": true, "training": {}, "validation": {}}}',
        '{"kind": "steps", "first": 13, "seconds": 9, "losses": [' + "1," * 600_000 + "1]}",
    ],
    ids=lambda line: line[:60],
)
def test_invalid_log_line_is_skipped(line: str) -> None:
    """A log line with an impossible value is skipped, with little memory."""
    run = made_run()
    before = run.history()
    with run.log_path.open("a") as file:
        file.write(line + "\n")
    tracemalloc.start()
    history = run.history()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (history.losses, history.epochs, history.changes) == (before.losses, before.epochs, before.changes)
    assert peak < 20e6


def test_accuracy_that_is_text_is_skipped() -> None:
    """An epoch whose accuracy is a text is skipped."""
    run = made_run()
    lines = run.log_path.read_text().splitlines()
    run.log_path.write_text("\n".join(line.replace('"accuracy": 0.5,', '"accuracy": "0.5",') for line in lines))
    assert [epoch.epoch for epoch in run.history().epochs] == [0, 2, 3]
    assert len(RunTrace.of(run).history.epoch_seconds) == 3


@posix
@pytest.mark.parametrize("name", ["run.json", "summary.json", "log.jsonl", "name.txt"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pipe_or_device_is_not_read(tmp_path: Path, name: str, kind: str) -> None:
    """A named pipe in place of a file does not block, and an endless device is not read."""
    run = made_run()
    path = run.folder / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
        with pytest.raises(RunError, match="is a link"):
            Run.open(run.folder)
    if name == "run.json":
        with pytest.raises(RunError, match="run"):
            Run.open(run.folder)
    assert (run.name, len(run.history().losses)) == ("small", 0 if name == "log.jsonl" else 12)
    assert run.summary().status in (RunStatus.FINISHED, RunStatus.CUT_OFF)


def trained(step: int = 45) -> Recorder:
    """Return a run that was trained up to a step and then paused."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    recorder = Recorder(trainer, Run.create(small_recipe(), dataset, 1), dataset)
    for progress in recorder.train():
        if trainer.step == step and not isinstance(progress, EpochDone):
            break
    recorder.pause()
    recorder.close()
    return recorder


@pytest.mark.parametrize("content", [None, b"", b"\0" * 300, b'{"recipe": {"network"'])
def test_damaged_description_is_rebuilt_from_the_checkpoint(content: bytes | None) -> None:
    """A run with a damaged run.json is listed and resumed from the description in its checkpoint."""
    recorder = trained()
    assert recorder.run is not None
    folder, about = recorder.run.folder, recorder.run.about
    path = folder / "run.json"
    path.unlink() if content is None else path.write_bytes(content)
    (entry,) = RunRegistry().entries()
    assert entry.run.about == json.loads(json.dumps(about))
    assert entry.run.recipe == small_recipe()
    run = find_run(folder.name)
    run.lock()
    assert json.loads(path.read_text()) == json.loads(json.dumps(about))
    assert run.resume(small_dataset()).step == 45
    run.unlock()


def test_damaged_description_without_a_checkpoint_is_reported() -> None:
    """A run with a damaged run.json and without a valid checkpoint is listed as unreadable."""
    recorder = trained()
    assert recorder.run is not None
    for path in (recorder.run.folder / "run.json", *recorder.run.checkpoints()):
        path.write_bytes(path.read_bytes()[:50])
    registry = RunRegistry()
    assert registry.entries() == []
    assert [problem.path.name for problem in registry.problems] == ["run.json"]


@posix
@pytest.mark.parametrize("name", ["run.json", "name.txt", "summary.json", "log.jsonl", ".lock", "step", "weights"])
def test_links_are_refused(tmp_path: Path, name: str) -> None:
    """A run with links as files is not opened, and the targets of the links do not change."""
    recorder = trained()
    run = recorder.run
    assert run is not None
    path = {"step": run.checkpoints()[0], "weights": run.weights_path}.get(name, run.folder / name)
    target = tmp_path / "precious"
    target.write_bytes(path.read_bytes() if path.exists() else b"")
    before = target.read_bytes()
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    with pytest.raises(RunError, match="is a link"):
        Run.open(run.folder)
    assert len(RunRegistry().entries()) == 0
    assert target.read_bytes() == before


@posix
def test_log_does_not_follow_a_link(tmp_path: Path) -> None:
    """A log that became a link after the run was opened is not written to."""
    recorder = trained()
    run, target = recorder.run, tmp_path / "precious"
    assert run is not None
    run.log_path.unlink()
    target.write_text("precious")
    run.log_path.symlink_to(target)
    again = Recorder(recorder.trainer, run, small_dataset())
    again.close()
    assert again.problem
    assert target.read_text() == "precious"


def test_only_own_temporary_files_are_deleted(tmp_path: Path) -> None:
    """Locking deletes temporary files of killed training, but no other files, and no file that is being written."""
    run = made_run()
    own = [".run.json.abcd_123.part", ".summary.json.abcdefgh.part", ".step-000000045-00002.npz.abcdefgh.part",
           f".{run.weights_path.name[:32]}.abcdefgh.part"]  # fmt: skip
    others = [".name.txt.abcdefgh.part", ".thesis.docx.part", ".movie.mp4.abcdefgh.part", "run.json.part"]
    for name in (*own, *others):
        (run.folder / name).touch()
    run.lock()
    run.unlock()
    assert {path.name for path in run.folder.glob("*.part")} | {p.name for p in run.folder.glob(".*.part")} == {*others}


@pytest.mark.parametrize("harm", ["half", "zeroed", "empty", "missing"])
def test_run_survives_the_loss_of_any_file(harm: str) -> None:
    """With one file of a run cut in half, zeroed, emptied or missing, the run is still listed and resumed."""
    recorder = trained()
    assert recorder.run is not None
    folder = recorder.run.folder
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        harmed = {"half": content[: len(content) // 2], "zeroed": bytes(len(content)), "empty": b""}
        path.unlink() if harm == "missing" else path.write_bytes(harmed[harm])
        (entry,) = RunRegistry().entries()
        RunTrace.of(entry.run)
        run = find_run(folder.name)
        run.lock()
        trainer = run.resume(small_dataset())
        run.unlock()
        assert trainer.step in (40, 45), path.name
        assert trainer.best is not None
        path.write_bytes(content)
