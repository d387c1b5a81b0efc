"""How many threads the matrix products use, settled in the environment before NumPy is first imported."""

import os

_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def limit_threads(count: int) -> None:
    """Ask BLAS for ``count`` threads, unless the user's environment asks for a number already.

    OpenBLAS, MKL and Accelerate read these variables when they are loaded, so call it before NumPy is imported.
    """
    if not any(name in os.environ for name in _VARIABLES):
        os.environ.update(dict.fromkeys(_VARIABLES, str(count)))


def leave_a_core() -> None:
    """Leave one core to the window: two busy BLAS threads on two cores stall when another program runs."""
    limit_threads(max(1, (os.cpu_count() or 1) - 1))


def threads() -> int:
    """The number of threads that BLAS was asked for; every core where nothing was asked."""
    for name in _VARIABLES:
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return os.cpu_count() or 1
