"""How many threads the matrix products use, settled in the environment before NumPy is first imported."""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def limit_threads(count: int) -> None:
    """Ask BLAS for ``count`` threads, unless the user's environment asks for a number already.

    OpenBLAS, MKL and Accelerate read these variables when they are loaded, so call it before NumPy is imported.
    """
    if not any(name in os.environ for name in _VARIABLES):
        os.environ.update(dict.fromkeys(_VARIABLES, str(count)))


def set_threads(count: int) -> None:
    """Have BLAS use ``count`` threads from now on, though it was loaded already."""
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(_VARIABLES, str(count)))
    threadpool_limits(count, user_api="blas")


@contextlib.contextmanager
def limited_to(count: int) -> Iterator[None]:
    """Have BLAS use ``count`` threads meanwhile, as what goes on to the same bits must."""
    before = {name: os.environ.get(name) for name in _VARIABLES}
    used = thread_count()
    if count == used:
        yield
        return
    set_threads(count)
    try:
        yield
    finally:
        set_threads(used)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def default_thread_count() -> int:
    """As many threads as there are cores, less one for the window and for other programs.

    A thread on every core makes networks of this size train a little faster, but many times slower as soon as another
    program wants a core, for each product then waits for the thread that was put aside (OpenBLAS #731).
    """
    return max(1, (os.cpu_count() or 1) - 1)


def thread_count() -> int:
    """The number of threads that BLAS was asked for; every core where nothing was asked."""
    for name in _VARIABLES:
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return os.cpu_count() or 1


_lock = threading.Lock()
_limits: list[Any] = []  # one for each who wants one thread; the first of them is what BLAS was told


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep every product to the thread that asks for it, where the work is shared out among threads already.

    BLAS has one number for the whole program: it is put back when the last one who wants this is done.
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
