"""Reading of any file from another program: detect the format by the first bytes, then read the tensors."""

import bz2
import functools
import io
import itertools
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitpad.class_names import MAX_CLASSES
from digitpad.errors import WeightsError, reason
from digitpad.formats.hdf5 import find_hdf5
from digitpad.formats.npy import BUDGET_BYTES, mebibytes, read_npy
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.formats.stand_in import stand_in_problem
from digitpad.importers.containers.archives import is_legacy_torch, read_legacy_torch, read_zip
from digitpad.importers.containers.matlab import MAGIC, OCTAVE_MAGIC, read_mat, read_octave
from digitpad.importers.containers.pickles import read_pickle
from digitpad.importers.containers.safetensors_file import is_safetensors, read_safetensors
from digitpad.importers.containers.tensor_tree import DATA_HINT, TensorTree
from digitpad.importers.containers.texts import looks_like_table, read_json, read_table
from digitpad.importers.keras.read_keras import read_hdf5
from digitpad.importers.onnx.model_file import is_onnx
from digitpad.importers.onnx.read_onnx import read_onnx
from digitpad.importers.sibling_files import siblings

MAX_FILES = 64
_ONE_MATRIX_EACH = (".npy", ".csv", ".txt", ".tsv", ".dat", ".pkl", ".pickle", ".json")
_WHOLE = (".pkl", ".pickle", ".json")
_NAMES_OF_CLASSES = ("classes", "class_names", "labels", "names")  # text files with one class name per line
MAX_LIST_BYTES = 4096
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
_PARTS = re.compile("weight|bias|^[wb][0-9_]*$")

# First bytes of files that are not weights or cannot be read, and the message for each.
_NOT_READ = {
    b"\x89PNG": "is an image, not weights; open it in the Draw tab",
    b"\xff\xd8\xff": "is an image, not weights; open it in the Draw tab",
    b"GIF8": "is an image, not weights; open it in the Draw tab",
    b"BM": "is an image, not weights; open it in the Draw tab",
    b"\0\0\x08\x03": "is a dataset's images (IDX), not weights; use it to train or evaluate a network",
    b"\0\0\x08\x01": "is a dataset's labels (IDX), not weights; use it to train or evaluate a network",
    b"MATLAB 7.3": "is a MATLAB 7.3 file (HDF5), which is not supported; save it with save(…, '-v7')",
    b"%PDF": "is a PDF",
}
_TFLITE_MAGIC, _TFLITE_MAGIC_AT = b"TFL3", 4


def read_tensor_tree(path: Path, tell: ProgressCallback = ignore_progress) -> TensorTree:
    """Read all tensors, numbers and texts in a file or folder.

    Parameters
    ----------
    path : Path
    tell : callable, optional
        Called while pickles are read, which may take a second. An exception that it raises ends the reading.

    Raises
    ------
    WeightsError
        If the path cannot be read or has an unknown format. No other exception is raised, except by ``tell``.
    """
    try:
        if path.is_dir():
            return read_together(path, _members(path), tell)
        return _read_bytes(path, _file_bytes(path), tell)
    except WeightsError:
        raise
    except (
        OSError,
        EOFError,
        ArithmeticError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
    ) as error:
        raise WeightsError(path, f"cannot be read ({reason(error)[:200]})") from error


def with_siblings(path: Path, tell: ProgressCallback = ignore_progress) -> TensorTree | None:
    """Read this file and those beside it that belong to the same network, as `siblings` finds them.

    Return None if there are no siblings, or if one of them cannot be read.
    """
    if path.is_dir() or path.suffix.lower() not in _ONE_MATRIX_EACH:
        return None
    files = siblings(path, _weight_files(path.parent))[:MAX_FILES]
    if path.suffix.lower() in _WHOLE:  # Such a file is usually a whole network, so only combine files named as parts.
        files = [file for file in files if _PARTS.search(file.stem.lower())]
    if len(files) < 2 or path.name not in {file.name for file in files}:
        return None
    try:
        return read_together(path, files, tell)
    except WeightsError:
        return None


def read_together(path: Path, files: list[Path], tell: ProgressCallback = ignore_progress) -> TensorTree:
    """Read several files into one tree, with each array's name prefixed by the name of its file.

    Raises
    ------
    WeightsError
        If there are no files, a file cannot be read, or the files together exceed the budget.
    """
    if not files:  # Then `path` is a folder; otherwise it may be one of the files.
        if any(file.suffix.lower() in _PICTURES for file in itertools.chain(path.iterdir(), path.glob("*/*"))):
            raise WeightsError(path, "holds images, not weights; for a dataset, put them in one folder per class")
        raise WeightsError(path, f"is a folder without weights; supported: {', '.join(_ONE_MATRIX_EACH)}")
    together = TensorTree(path, "a folder")
    left = BUDGET_BYTES
    for file in files:
        left -= file.stat().st_size
        if left < 0:
            raise WeightsError(path, f"holds too much data; the limit is {mebibytes(BUDGET_BYTES)} for all files")
        if file.stem.lower() in _NAMES_OF_CLASSES and file.suffix.lower() == ".txt":
            names = file.read_bytes()[:MAX_LIST_BYTES].decode("utf-8-sig", "replace").splitlines()
            together.add("classes", [name.strip() for name in names[:MAX_CLASSES]])
            continue
        part = read_tensor_tree(file, tell)
        for name, array in part.arrays.items():
            inner = "" if name in ("", file.stem) else name
            together.add(f"{file.stem}.{inner}".strip("."), array)
        for name, number in part.numbers.items():
            together.add(f"{file.stem}.{name}".strip("."), number)
        together.words.extend(part.words)
        together.passed_over.extend(part.passed_over)
    return together


def _members(folder: Path) -> list[Path]:
    """Return up to 64 weight files of a folder."""
    return _weight_files(folder)[:MAX_FILES]


def _weight_files(folder: Path) -> list[Path]:
    """Return the weight files of a folder, sorted by name, without symbolic links, which may lead anywhere."""
    return [
        file
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.suffix.lower() in _ONE_MATRIX_EACH and not file.is_symlink() and file.is_file()
    ]


def _file_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise WeightsError(path, "is not a file" if path.exists() else "cannot be read (No such file or directory)")
    if (size := path.stat().st_size) > BUDGET_BYTES:
        limit = mebibytes(BUDGET_BYTES)
        raise WeightsError(path, f"is too large ({mebibytes(size)}); the limit is {limit}; {DATA_HINT}")
    return path.read_bytes()


def _read_bytes(path: Path, content: bytes, tell: ProgressCallback, *, unpacked: bool = False) -> TensorTree:
    if (problem := stand_in_problem(content, "weights")) is not None:
        raise WeightsError(path, problem)
    for beginning, problem in _NOT_READ.items():
        if content.startswith(beginning):
            raise WeightsError(path, problem)
    if content.startswith(_TFLITE_MAGIC, _TFLITE_MAGIC_AT):
        problem = "is a TensorFlow Lite model, which is not supported; open the Keras or ONNX model it was made from"
        raise WeightsError(path, problem)
    if not content:
        raise WeightsError(path, "is empty")
    if not unpacked and (inner := _unpacked(path, content)) is not None:
        return _read_bytes(path, inner, tell, unpacked=True)
    return _reader_for(path, content, tell)(path, content)


def _reader_for(path: Path, content: bytes, tell: ProgressCallback) -> Callable[[Path, bytes], TensorTree]:
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if content.startswith(b"PK"):
        return functools.partial(read_zip, tell=tell)
    if content.startswith(b"\x93NUMPY"):
        return functools.partial(_read_npy, tell=tell)
    if find_hdf5(content) == 0:
        return read_hdf5
    if content.startswith(MAGIC):
        return read_mat
    if content.startswith(OCTAVE_MAGIC):
        return read_octave
    if is_legacy_torch(content):
        return functools.partial(read_legacy_torch, tell=tell)
    if is_safetensors(content):
        return read_safetensors
    if is_onnx(content) or path.suffix.lower() == ".onnx":
        return read_onnx
    if content.startswith(b"\x80") or (content.rstrip(b"\r\n").endswith(b".") and not start.isdigit()):
        return functools.partial(_read_pickle, tell=tell)
    if start in (b"{", b"["):
        return read_json
    if looks_like_table(content):
        return read_table
    raise WeightsError(
        path,
        "has an unknown file type; supported: .npz, .npy, pickle, .pt, Keras (.h5, .keras), ONNX, JSON, CSV, "
        "safetensors and .mat (saved with save -v7)",
    )


def _read_npy(path: Path, content: bytes, tell: ProgressCallback) -> TensorTree:
    tensor_tree = TensorTree(path, "an .npy")
    tree = read_npy(path, "its array", io.BytesIO(content), read_objects=lambda pickle: read_pickle(path, pickle, tell))
    tensor_tree.add(path.stem, tree)
    return tensor_tree


def _read_pickle(path: Path, content: bytes, tell: ProgressCallback) -> TensorTree:
    tensor_tree = TensorTree(path, "a pickle")
    tensor_tree.add("", read_pickle(path, content, tell))
    return tensor_tree


def _unpacked(path: Path, content: bytes) -> bytes | None:
    """Return the decompressed content of a file, or None if it is not compressed.

    Raises
    ------
    WeightsError
        If the content exceeds the budget.
    """
    unpacker: Any
    if content.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(31)
    elif content[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        unpacker = zlib.decompressobj()
    elif content.startswith(b"BZh"):
        unpacker = bz2.BZ2Decompressor()
    elif content.startswith(b"\xfd7zXZ"):
        unpacker = lzma.LZMADecompressor(memlimit=100 * 2**20)
    else:
        return None
    inner: bytes = unpacker.decompress(content, BUDGET_BYTES + 1)
    if len(inner) > BUDGET_BYTES:
        raise WeightsError(path, f"is too large when decompressed; the limit is {mebibytes(BUDGET_BYTES)}; {DATA_HINT}")
    return inner
