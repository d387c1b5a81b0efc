"""Versions of the interpreter and the libraries, for bug reports."""

import platform
from importlib import metadata

from digitpad.system import blas_threads


def versions() -> dict[str, str]:
    """Return the version of each part by name; ``missing`` for a library that is not installed."""
    found = {"Python": f"{platform.python_version()} ({platform.platform()})"}
    for name, package in (("Qt", "PySide6-Essentials"), ("NumPy", "numpy"), ("matplotlib", "matplotlib")):
        try:
            found[name] = metadata.version(package)
        except metadata.PackageNotFoundError:  # also in a bundle, which may leave the metadata out
            found[name] = _imported_version(name)
    return found | {"BLAS": blas_threads.library()}


def version_text() -> str:
    """Return a line for each of `versions`."""
    return "\n".join(f"{name} {version}" for name, version in versions().items())


def _imported_version(name: str) -> str:
    module = {"Qt": "PySide6", "NumPy": "numpy"}.get(name, name)
    try:
        return str(__import__(module).__version__)
    except ImportError:
        return "missing"
