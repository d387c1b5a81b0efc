import os
import subprocess
import sys

import pytest
import threadpoolctl

from digitpad.system import blas_threads

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that monkeypatch restores the variable after the test
        monkeypatch.delenv(name)


def test_every_blas_library_is_limited() -> None:
    """The variables of all BLAS libraries are set."""
    blas_threads.limit_threads(3)
    assert [os.environ[name] for name in VARIABLES] == ["3"] * 4
    assert blas_threads.thread_count() == 3


@pytest.mark.parametrize("name", VARIABLES)
def test_existing_variable_is_kept(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """If the environment already sets a number of threads, no variable changes."""
    monkeypatch.setenv(name, "7")
    blas_threads.limit_threads(3)
    assert {key: os.environ.get(key) for key in VARIABLES} == {**dict.fromkeys(VARIABLES), name: "7"}
    assert blas_threads.thread_count() == 7


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 1), (8, 7), (None, 1)])
def test_one_core_is_left_for_the_window(monkeypatch: pytest.MonkeyPatch, cores: int | None, expected: int) -> None:
    """The default is the number of cores minus one, and at least one."""
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert blas_threads.default_thread_count() == expected


@pytest.mark.parametrize("value", ["", "many", "-1", "0.5"])
def test_invalid_variable_is_ignored(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A variable that is not a positive integer is ignored, as BLAS does."""
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert blas_threads.thread_count() == 6


def test_module_does_not_import_numpy() -> None:
    """The module does not import NumPy, which would read the variables too early."""
    code = "import sys, digitpad.system.blas_threads; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_overlapping_blocks_keep_one_thread() -> None:
    """With two overlapping blocks, BLAS gets its threads back only after both have ended."""
    code = """
import numpy
from threadpoolctl import threadpool_info
from digitpad.system import blas_threads
def n(): return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
before = n()
first, second = blas_threads.one_thread(), blas_threads.one_thread()
first.__enter__(); second.__enter__()
first.__exit__(None, None, None)
assert n() == {1}, n()
second.__exit__(None, None, None)
assert n() == before, n()
"""
    environment = {**os.environ, **dict.fromkeys(VARIABLES, "3")}
    result = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, env=environment)
    assert result.returncode == 0


def test_number_of_threads_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the block, BLAS and the environment have their previous settings."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = n_in_use()
    with blas_threads.limited_to(2):
        assert (blas_threads.thread_count(), n_in_use()) == (2, 2)
    assert blas_threads.thread_count() == 1
    assert n_in_use() == before
    assert "MKL_NUM_THREADS" not in os.environ


def n_in_use() -> int:
    """Return the number of threads that BLAS reports."""
    import numpy as np

    assert np.ones(3) @ np.ones(3) == 3  # loads BLAS
    return max(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")
