"""Commands with hostile names, closed pipes, full disks and read-only folders."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from digitpad.cli import main
from digitpad.datasets.dataset import mnist
from digitpad.runs.run import Run, RunStatus
from digitpad.training.recipe_library import own_folder
from digitpad.weights.native_format import load_weights
from tests.integration.test_cli import one_error
from tests.unit.datasets.idx_files import write_folder
from tests.unit.runs.test_hostile_runs import trained
from tests.unit.training.made_runs import made_run

posix = pytest.mark.skipif(sys.platform == "win32", reason="devices, pipes and arguments as POSIX has them")
TRAIN = ["train", "--recipe", "quick", "--set", "training.epochs=2"]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the number of BLAS threads, which commands set in the environment."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS", "1"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 1,000 training digits and 100 test digits."""
    return write_folder(tmp_path_factory.mktemp("small"), mnist().training[:1000], mnist().test[:100])


def test_damaged_run_does_not_affect_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """`runs` lists the good runs and names the unreadable one; comparing and exporting the others works."""
    good, bad = made_run("good"), made_run("bad")
    (bad.folder / "run.json").write_text(json.dumps({**bad.about, "blas_threads": "x"}))
    assert main(["runs"]) == 0
    out, err = capsys.readouterr()
    assert "good" in out
    assert "unreadable run" in err
    assert f"{bad.folder / 'run.json'}: is not a valid description of a run (blas_threads: expected" in err
    assert main(["runs", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert [run["id"] for run in values["runs"]] == [good.id]
    assert [entry["file"] for entry in values["unreadable"]] == [str(bad.folder / "run.json")]
    assert main(["runs", "compare", "good"]) == 0


def test_lost_summary_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """`runs` says that the summary of a run cannot be read."""
    run = trained().run
    assert run is not None
    (run.folder / "summary.json").write_bytes(bytes(100))
    assert main(["runs"]) == 0
    out, err = capsys.readouterr()
    assert "interrupted" in out
    assert err == "digitpad: small: summary.json cannot be read; resume the run to restore its scores\n"


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape codes in names of recipes and runs are escaped in every listing and message."""
    evil = "a\x1b[2Jb\x9b5mc\u202ed"
    run = made_run("plain")
    run.rename(evil)
    own_folder().mkdir(parents=True)
    text = json.dumps(evil)
    (own_folder() / "evil.toml").write_text(f"name = {text}\ndescription = {text}\n")
    for arguments in (["runs"], ["recipes"], ["runs", "compare", run.id], ["runs", "rename", run.id, evil]):
        assert main(arguments) == 0
        output = "".join(capsys.readouterr())
        assert "\\x1b[2Jb" in output
        assert not set(output) & {"\x1b", "\x9b", "\u202e"}


def test_control_characters_in_wrong_usage_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """An error about unknown arguments, which may be the names of files, escapes control characters."""
    for arguments in (["--a\x1b[2J"], ["predict", "--a\x1b[2J"], ["runs", "\x1b[2J"]):
        with pytest.raises(SystemExit):
            main(arguments)
        error = capsys.readouterr().err
        assert "\\x1b[2J" in error
        assert "\x1b" not in error


@posix
@pytest.mark.parametrize("arguments", [["recipes"], ["--version"], ["runs", "--json"]], ids=" ".join)
def test_closed_standard_output_is_reported(tmp_path: Path, arguments: list[str]) -> None:
    """A result that cannot be written because standard output is closed ends with status 1 and one line."""
    process = start(tmp_path, *arguments, preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 1
    assert err.decode() == "digitpad: standard output: cannot be written (it is closed)\n"


@posix
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pipe_or_device_is_not_read_as_an_image(capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str) -> None:
    """A named pipe, which would block, and a device are refused as images."""
    path = tmp_path / "x.png"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    assert main(["predict", str(path)]) == 1
    assert one_error(capsys) == f"digitpad: {path}: is not a regular file"


@posix
def test_null_character_in_a_setting_is_a_one_line_error(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    """A file name with a null character is an error that names the setting."""
    assert main(["train", "--set", 'data.set="\\u0000"']) == 1
    assert "data.set: is '\\x00'" in one_error(capsys)


@posix
def test_invalid_utf8_name_is_a_one_line_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Renaming a run to bytes that are not UTF-8 is an error, and the name stays."""
    run = made_run()
    assert main(["runs", "rename", run.id, os.fsdecode(b"\xff")]) == 1
    assert "is not valid text" in one_error(capsys)
    assert run.name == "small"


@posix
@pytest.mark.parametrize("kind", ["pipe", "device", "dots"])
def test_endless_recipe_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str) -> None:
    """A named pipe, a device and a key of 20,000 parts are refused as recipes at once."""
    path = tmp_path / "x.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.write_text(".".join("a" * 20_000) + " = 1")
    assert main(["train", "--recipe", str(path)]) == 1
    error = one_error(capsys)
    assert str(path) in error
    assert "too many dots" in error if kind == "dots" else "not a regular file" in error


def start(home: Path, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "digitpad", *arguments], env={**os.environ, "DIGITPAD_HOME": str(home)}, **streams
    )


@posix
@pytest.mark.parametrize("broken", ["closed pipe", "full disk", "no stream"])
def test_training_continues_if_progress_cannot_be_printed(data: Path, tmp_path: Path, broken: str) -> None:
    """If standard error cannot be written, training continues with the same exit status."""
    arguments = [*TRAIN, "--data", str(data), "--json"]
    if broken == "no stream":
        process = start(tmp_path, *arguments, stdout=subprocess.PIPE, preexec_fn=lambda: os.close(2))
        out, _ = process.communicate(timeout=100)
    elif broken == "full disk":
        with Path("/dev/full").open("wb") as full:
            process = start(tmp_path, *arguments, stdout=subprocess.PIPE, stderr=full)
            out, _ = process.communicate(timeout=100)
    else:
        process = start(tmp_path, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        assert process.stdout is not None
        out = process.stdout.read()
        process.stdout.close()
    assert process.wait(timeout=100) == 0
    assert json.loads(out)["epochs"] == 2


@posix
def test_unwritable_standard_output_is_reported(tmp_path: Path) -> None:
    """A result that cannot be written ends with status 1 and names standard output."""
    with Path("/dev/full").open("wb") as full:
        process = start(tmp_path, "recipes", stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=100)
    assert process.returncode == 1
    assert err.decode() == "digitpad: standard output: cannot be written (No space left on device)\n"


def refuse(*_: Any, **__: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_file_on_a_full_disk_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An export that does not fit on the disk names its file."""
    run = made_run()
    monkeypatch.setattr(os, "fsync", refuse)
    path = tmp_path / "out.csv"
    assert main(["runs", "export", run.id, str(path)]) == 1
    assert one_error(capsys) == f"digitpad: {path}: No space left on device"
    assert not path.exists()


def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a data folder on a read-only disk: neither files nor folders can be made or locked."""

    def refuse_lock(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("digitpad.system.user_folders.Path.mkdir", refuse_lock)
    monkeypatch.setattr("filelock.FileLock.acquire", refuse_lock)


def test_run_in_a_read_only_folder_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a read-only data folder a cut-off run counts as interrupted, and a run in training as running."""
    run = made_run(status=RunStatus.CUT_OFF, n_epochs=1)
    run.lock()
    run.unlock()
    other = Run.open(run.folder)
    with monkeypatch.context() as patch:
        read_only(patch)
        assert other.summary().status is RunStatus.CUT_OFF
    run.lock()
    with monkeypatch.context() as patch:
        read_only(patch)
        if sys.platform != "win32":
            assert other.summary().status is RunStatus.RUNNING
    run.unlock()


def test_training_in_a_read_only_folder_saves_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path
) -> None:
    """With --out, training works without a run, as in the window; without --out it is refused."""
    arguments = [*TRAIN, "--data", str(data), "--json"]
    out = tmp_path / "out.npz"
    with monkeypatch.context() as patch:
        read_only(patch)
        assert main(arguments) == 1
        assert "cannot be created" in one_error(capsys)
        assert main([*arguments, "--out", str(out)]) == 0
    output, errors = capsys.readouterr()
    assert json.loads(output)["run"] is None
    assert "training continues without a run" in errors
    assert load_weights(out).test_accuracy is not None
