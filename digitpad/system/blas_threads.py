"""Number of BLAS threads, set in the environment before NumPy is first imported."""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def limit_threads(count: int) -> None:
    """Set the number of BLAS threads to ``count``, unless the user's environment already sets one.

    OpenBLAS, MKL and Accelerate read these variables when they are loaded, so call this before NumPy is imported.
    """
    if not any(name in os.environ for name in VARIABLES):
        os.environ.update(dict.fromkeys(VARIABLES, str(count)))


def set_threads(count: int) -> None:
    """Set the number of BLAS threads to ``count``, also if BLAS is already loaded."""
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(VARIABLES, str(count)))
    threadpool_limits(count, user_api="blas")


@contextlib.contextmanager
def limited_to(count: int) -> Iterator[None]:
    """Use ``count`` BLAS threads inside the block, for example to resume a run with bit-identical results."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    count_before = thread_count()
    if count == count_before:
        yield
        return
    set_threads(count)
    try:
        yield
    finally:
        set_threads(count_before)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def library() -> str:
    """Return the name of NumPy's BLAS, for example ``openblas 0.3.30``, ``mkl`` or ``accelerate``."""
    for info in _loaded():
        return f"{info['internal_api']} {info.get('version') or ''}".strip()
    import numpy as np

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return str(blas.get("name") or "unknown").lower()


def can_limit_threads() -> bool:
    """Return whether the number of BLAS threads can be set; not for Accelerate, which threadpoolctl does not know."""
    return bool(_loaded())


def is_reproducible() -> bool:
    """Return whether the same number of threads gives bit-identical results, also in another process.

    OpenBLAS and BLIS do. MKL chooses its algorithm by the alignment of memory, and Accelerate documents nothing.
    """
    loaded = _loaded()
    return bool(loaded) and all(info["internal_api"] in ("openblas", "blis") for info in loaded)


def _loaded() -> list[dict[str, Any]]:
    """Return what threadpoolctl knows of the loaded BLAS libraries."""
    import numpy  # noqa: F401  # loads its BLAS
    from threadpoolctl import threadpool_info

    return [info for info in threadpool_info() if info["user_api"] == "blas"]


def default_thread_count() -> int:
    """Return the number of cores minus one, which is left to the window and to other programs.

    With a thread on every core, networks of this size train a little faster. But they train many times slower as soon
    as another program needs a core, because each product then waits for the suspended thread (OpenBLAS #731).
    """
    return max(1, (os.cpu_count() or 1) - 1)


def thread_count() -> int:
    """Return the number of BLAS threads that the environment sets, or the number of cores if it sets none."""
    for name in VARIABLES:
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return os.cpu_count() or 1


_lock = threading.Lock()
_limits: list[Any] = []  # the same limit once for each active `one_thread` block


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Use one BLAS thread inside the block, for work that is already divided among threads.

    BLAS has one setting for the whole process, which is restored when the last active block ends.
    """
    from threadpoolctl import threadpool_limits

    with _lock:
        _limits.append(_limits[0] if _limits else threadpool_limits(1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            limit = _limits.pop()
            if not _limits:
                limit.restore_original_limits()
