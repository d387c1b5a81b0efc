"""Tests of ``digitpad doctor`` and ``digitpad --version``."""

import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from digitpad.cli import doctor, main
from digitpad.errors import DigitpadError
from digitpad.system import blas_threads


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the number of BLAS threads, which commands set in the environment."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def checks(capsys: pytest.CaptureFixture[str], status: int) -> dict[str, dict[str, Any]]:
    assert main(["doctor", "--json"]) == status
    values = json.loads(capsys.readouterr().out)["checks"]
    return {check["name"]: check for check in values}


def test_all_checks_pass(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a working system every check passes, and nothing is created."""
    monkeypatch.setattr(doctor, "_fonts", lambda: doctor.Finding("fonts", "some"))
    found = checks(capsys, 0)
    assert all(check["ok"] and not check["advice"] for check in found.values())
    assert list(found) == [
        "versions", "display", "fonts", "BLAS threads", "data folder", "disk space", "temporary files"
    ]  # fmt: skip
    assert not (tmp_path / "digitpad-home").exists()
    assert main(["doctor"]) == 0
    assert "✓ data folder" in capsys.readouterr().out


def test_failed_checks_have_advice(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For a missing display, font or disk space, or a read-only folder, the check says what to do; the status is 1."""

    def no_display() -> NoReturn:
        raise DigitpadError("there is no display; run xvfb-run digitpad")

    def no_writing(**_: Any) -> NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("digitpad.app.check_system", no_display)
    monkeypatch.setattr(doctor, "_font_files", lambda folder: iter(()))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(tempfile, "TemporaryFile", no_writing)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**6))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1000")
    found = checks(capsys, 1)
    assert "xvfb-run" in found["display"]["advice"]
    assert "fonts-dejavu" in found["fonts"]["advice"]
    assert "set OPENBLAS_NUM_THREADS to at most" in found["BLAS threads"]["advice"]
    assert "set DIGITPAD_HOME" in found["data folder"]["advice"]
    assert "Read-only file system" in found["data folder"]["text"]
    assert "at least 500 MB" in found["disk space"]["advice"]
    assert "TMPDIR" in found["temporary files"]["advice"]


def test_blas_without_thread_limit_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Accelerate, which threadpoolctl does not know, the doctor does not claim that the limit holds."""
    monkeypatch.setattr("threadpoolctl.threadpool_info", list)
    monkeypatch.setattr("numpy.show_config", lambda mode: {"Build Dependencies": {"blas": {"name": "accelerate"}}})
    assert blas_threads.library() == "accelerate"
    assert not blas_threads.can_limit_threads()
    assert not blas_threads.is_reproducible()
    assert "accelerate" in checks_text(capsys)
    assert "chooses the number" in checks_text(capsys)


def checks_text(capsys: pytest.CaptureFixture[str]) -> str:
    main(["doctor"])
    return capsys.readouterr().out


@pytest.mark.parametrize(("api", "expected"), [("openblas", True), ("blis", True), ("mkl", False)])
def test_mkl_is_not_reproducible(monkeypatch: pytest.MonkeyPatch, api: str, expected: bool) -> None:
    """MKL's threads can be limited, but its results may differ between processes."""
    info = {"user_api": "blas", "internal_api": api, "version": "1.2"}
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: [info])
    assert blas_threads.can_limit_threads()
    assert blas_threads.is_reproducible() == expected
    assert blas_threads.library() == f"{api} 1.2"


def test_version_names_the_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names digitpad, Python, Qt, NumPy and BLAS."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert not ended.value.code
    words = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert words == ["digitpad", "Python", "Qt", "NumPy", "matplotlib", "BLAS"]
