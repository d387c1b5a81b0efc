"""Checkpoints: the state of a training in a file, from which it goes on to the same bits."""

import io
import json
from pathlib import Path

import numpy as np

from digitpad.errors import RunError, WeightsError, reason
from digitpad.formats.npz import read_arrays
from digitpad.system.atomic_write import write_atomically
from digitpad.training.trainer import TrainerState

FORMAT = "digitpad checkpoint"
VERSION = 1
BUDGET_BYTES = 512 * 2**20
"""What a checkpoint may take: six vectors of as many parameters as a recipe may have are 384 MB."""


def save_checkpoint(path: Path, state: TrainerState) -> None:
    """Write the file, atomically: an ``.npz`` whose array ``header`` holds JSON, beside the state's arrays.

    Raises
    ------
    RunError
        If it cannot be written; what was at ``path`` is then as it was.
    """
    header = json.dumps({"format": FORMAT, "version": VERSION, "state": state.values}).encode()
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(header, np.uint8), **state.arrays)  # type: ignore[arg-type]
    try:
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise RunError(path, f"cannot be written ({reason(error)})") from error


def load_checkpoint(path: Path) -> TrainerState:
    """The state in a file that `save_checkpoint` wrote.

    Raises
    ------
    RunError
        If it is no such file, or of a newer layout.
    """
    try:
        arrays = read_arrays(path, BUDGET_BYTES)
    except WeightsError as error:
        raise RunError(path, error.problem) from error
    try:
        header = json.loads(arrays.pop("header").astype(np.uint8).tobytes())
        if header["format"] != FORMAT:
            raise ValueError("another format")
        version, values = header["version"], header["state"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise RunError(path, "is no checkpoint of a training") from error
    if not isinstance(version, int) or version > VERSION or not isinstance(values, dict):
        raise RunError(path, f"is a checkpoint of version {version!r}; this program reads up to {VERSION}")
    return TrainerState(values, arrays)
