import json
import os
from pathlib import Path

import pytest

from digitpad.evaluation.metrics import Scores
from digitpad.runs.run_log import RunLog, read_log
from digitpad.training.events import EpochDone, SettingChange


def epoch_values(epoch: int, step: int) -> dict[str, object]:
    scores = {"accuracy": 0.5, "loss": 1.25, "n": 10}
    return {"epoch": epoch, "step": step, "training": scores, "validation": scores, "is_best": True}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def write(path: Path, *records: dict[str, object]) -> None:
    log = RunLog(path)
    for record in records:
        log.add(**record)  # type: ignore[arg-type]
    log.close()


def test_added_entries_are_read(path: Path) -> None:
    """The log returns losses with interpolated times, epochs and changes."""
    write(
        path,
        {"kind": "begun", "step": 0, "n_epochs": 0, "n_changes": 0},
        {"kind": "epoch", "epoch": epoch_values(0, 0), "seconds": 0.5},
        {"kind": "steps", "first": 1, "losses": [2.0, 1.5], "seconds": 1.0},
        {"kind": "change", "step": 2, "settings": {"optimizer.learning_rate": 0.1}},
        {"kind": "steps", "first": 3, "losses": [1.0], "seconds": 2.0},
    )
    history = read_log(path)
    assert history.losses == [2.0, 1.5, 1.0]
    assert history.seconds == [0.75, 1.0, 2.0]
    assert history.epochs == [EpochDone(0, 0, Scores(0.5, 1.25, 10), Scores(0.5, 1.25, 10), is_best=True)]
    assert history.epoch_seconds == [0.5]
    assert history.changes == [SettingChange(2, {"optimizer.learning_rate": 0.1})]


def test_entries_after_the_checkpoint_are_discarded(path: Path) -> None:
    """A ``begun`` line discards everything after its step."""
    write(
        path,
        {"kind": "epoch", "epoch": epoch_values(0, 0), "seconds": 0.1},
        {"kind": "steps", "first": 1, "losses": [3.0, 2.0, 1.0], "seconds": 1.0},
        {"kind": "epoch", "epoch": epoch_values(1, 3), "seconds": 1.1},
        {"kind": "change", "step": 3, "settings": {}},
    )
    write(
        path,
        {"kind": "begun", "step": 2, "n_epochs": 1, "n_changes": 0},
        {"kind": "steps", "first": 3, "losses": [1.0], "seconds": 5.0},
    )
    history = read_log(path)
    assert history.losses == [3.0, 2.0, 1.0]
    assert [epoch.epoch for epoch in history.epochs] == [0]
    assert history.changes == []


def test_incomplete_line_is_skipped(path: Path) -> None:
    """An incomplete line affects neither earlier nor later lines."""
    write(path, {"kind": "steps", "first": 1, "losses": [3.0], "seconds": 1.0})
    path.write_bytes(path.read_bytes() + b'{"kind": "steps", "first": 2, "los')
    write(path, {"kind": "steps", "first": 2, "losses": [2.0], "seconds": 2.0})
    assert read_log(path).losses == [3.0, 2.0]


def test_invalid_lines_are_skipped(path: Path) -> None:
    """Invalid lines and unknown kinds are skipped, and valid lines are read."""
    lines = [
        b"\xff\xfe", b"[]", b"null", b"{}", b'{"kind": 7}',
        b'{"kind": "steps", "first": "x", "losses": [1], "seconds": 0}',
        b'{"kind": "steps", "first": 99999999999, "losses": [1], "seconds": 0}', b"[" * 5000,
        json.dumps({"kind": "steps", "first": 1, "losses": [1.0], "seconds": 1.0}).encode(),
    ]  # fmt: skip
    path.write_bytes(b"\n".join(lines))
    assert read_log(path).losses == [1.0]
    assert read_log(path.parent / "none").losses == []


def test_full_disk_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed or partial write raises `OSError`, and a later write saves the lines."""
    log = RunLog(path)
    log.add("steps", first=1, losses=[4.0], seconds=1.0)
    os_write = os.write

    def short(descriptor: int, content: bytes) -> int:
        return os_write(descriptor, content[:10])

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    for step, failing in ((2, short), (3, full), (4, short)):
        monkeypatch.setattr(os, "write", failing)
        with pytest.raises(OSError, match=r"bytes were written|No space"):
            log.add("steps", first=step, losses=[5.0 - step], seconds=float(step))
    monkeypatch.setattr(os, "write", os_write)
    log.add("steps", first=5, losses=[0.5], seconds=5.0)
    log.close()
    assert read_log(path).losses == [4.0, 3.0, 2.0, 1.0, 0.5]


def test_log_is_opened_in_binary_mode(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If `os.open` has a text mode, as on Windows, the log is opened in binary mode, so that line ends stay."""
    flags: list[int] = []
    os_open = os.open

    def note(file: Path, mode: int, permissions: int) -> int:
        flags.append(mode)
        return os_open(file, mode & ~0x8000000, permissions)

    monkeypatch.setattr(os, "O_BINARY", 0x8000000, raising=False)
    monkeypatch.setattr(os, "open", note)
    write(path, {"kind": "begun", "step": 0, "n_epochs": 0, "n_changes": 0})
    assert flags[0] & 0x8000000
