"""Readers of MATLAB's MAT files, which `formats.mat` parses, and of Octave's text files."""

import io
import math
import re
import warnings
from pathlib import Path

import numpy as np

from digitpad.errors import WeightsError
from digitpad.formats.mat import MAGIC as MAGIC
from digitpad.formats.mat import DamagedMatError, named_values
from digitpad.formats.npy import BUDGET_BYTES, mebibytes
from digitpad.importers.containers.tensor_tree import TensorTree

OCTAVE_MAGIC = b"# Created by Octave"

_MAX_OCTAVE_BYTES = 12 * 2**20


def read_mat(path: Path, content: bytes) -> TensorTree:
    """Read every named numeric array and text, including those within cells and structures.

    Raises
    ------
    WeightsError
        If the file is damaged or would exceed the budget.
    """
    tensor_tree = TensorTree(path, "a MATLAB file")
    try:
        for name, value in named_values(content, BUDGET_BYTES, tensor_tree.passed_over):
            tensor_tree.add(name, value)
    except DamagedMatError as error:
        raise WeightsError(path, f"is a damaged MATLAB file: {error}") from error
    return tensor_tree


_OCTAVE = re.compile(
    rb"^# name: (?P<name>.{1,100})\n# type: (?P<type>.{1,60})\n"
    rb"(?:# rows: (?P<rows>\d{1,6})\n# columns: (?P<columns>\d{1,6})\n|# ndims: \d\n(?P<shape>[ \d]{1,60})\n)?"
    rb"(?P<numbers>[^#]*)",
    re.MULTILINE,
)
_OCTAVE_NUMBERS = re.compile(rb"(?:global )?(?:float |u?int\d\d? |bool )?(?:matrix|scalar)")
_NA = re.compile(rb"\bNA\b")  # Octave's mark for missing values


def read_octave(path: Path, content: bytes) -> TensorTree:
    """Read the matrices and numbers in the text file that Octave's ``save`` writes by default.

    Raises
    ------
    WeightsError
        If the file is too large, or a matrix does not have its stated size.
    """
    if len(content) > _MAX_OCTAVE_BYTES:
        raise WeightsError(path, f"is too large; the limit for Octave's text files is {mebibytes(_MAX_OCTAVE_BYTES)}")
    tensor_tree = TensorTree(path, "an Octave file")
    for match in _OCTAVE.finditer(content.replace(b"\r\n", b"\n")):
        name, kind = match["name"].decode("latin-1"), match["type"].decode("latin-1")
        if not _OCTAVE_NUMBERS.fullmatch(match["type"]):
            if kind.endswith("matrix"):  # sparse, complex, diagonal
                tensor_tree.passed_over.append(f"{name} ({kind})")
            continue
        try:
            with warnings.catch_warnings(action="ignore"):  # an empty matrix is allowed
                numbers = np.loadtxt(io.BytesIO(_NA.sub(b"NaN", match["numbers"])), ndmin=2)
        except ValueError:
            tensor_tree.passed_over.append(f"{name} (not only numbers)")
            continue
        # Two-dimensional matrices are in row-major order, others in column-major order.
        sizes = (match["rows"], match["columns"]) if match["rows"] else (match["shape"] or b"1 1").split()
        shape = tuple(map(int, sizes))
        if numbers.size != math.prod(shape):
            raise WeightsError(
                path, f"is damaged: {name} of shape {shape} needs {math.prod(shape)} numbers, but has {numbers.size}"
            )
        array = numbers.reshape(shape, order="C" if match["rows"] else "F")
        tensor_tree.add(name, float(numbers[0, 0]) if kind.endswith("scalar") and numbers.size else array)
    return tensor_tree
