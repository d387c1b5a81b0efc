"""Checkpoints: files with the state of a run, from which it resumes with bit-identical results."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import RunError, WeightsError, reason
from digitpad.formats.npz import read_arrays
from digitpad.system.atomic_write import write_atomically
from digitpad.training.trainer import TrainerState

FORMAT = "digitpad checkpoint"
VERSION = 1
BUDGET_BYTES = 512 * 2**20
"""Size limit of a checkpoint; six vectors of the largest number of parameters of a recipe take 384 MB."""


def save_checkpoint(path: Path, state: TrainerState, description: Mapping[str, Any] | None = None) -> None:
    """Write a checkpoint atomically: an ``.npz`` with the state's arrays, and JSON in the array ``header``.

    Parameters
    ----------
    path : Path
    state : TrainerState
    description : mapping or None
        Contents of ``run.json``, so that a run whose ``run.json`` is damaged can be resumed.

    Raises
    ------
    RunError
        If the file cannot be written; an existing file is then unchanged.
    """
    header = json.dumps({"format": FORMAT, "version": VERSION, "run": description, "state": state.values}).encode()
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(header, np.uint8), **state.arrays)  # type: ignore[arg-type]
    try:
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise RunError(path, f"cannot be written ({reason(error)})") from error


def load_checkpoint(path: Path) -> TrainerState:
    """Load the state from a file that `save_checkpoint` wrote.

    Raises
    ------
    RunError
        If the file is not a checkpoint, or of a newer version.
    """
    header, arrays = _load(path)
    return TrainerState(header["state"], arrays)


def load_description(path: Path) -> Any:
    """Load the contents of ``run.json`` from a checkpoint; None if it holds none. The caller checks the values.

    Raises
    ------
    RunError
        See `load_checkpoint`.
    """
    return _load(path)[0].get("run")


def _load(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return header and arrays of a checkpoint."""
    try:
        arrays = read_arrays(path, BUDGET_BYTES)
    except WeightsError as error:
        raise RunError(path, error.problem) from error
    try:
        header: dict[str, Any] = json.loads(arrays.pop("header").astype(np.uint8).tobytes())
        if header["format"] != FORMAT:
            raise ValueError("another format")
        version, values = header["version"], header["state"]
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise RunError(path, "is not a checkpoint of a run") from error
    if not isinstance(version, int) or version > VERSION or not isinstance(values, dict):
        raise RunError(path, f"is a checkpoint of version {version!r}; this digitpad reads versions up to {VERSION}")
    return header, arrays
