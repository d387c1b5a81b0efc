"""Detection and reading of datasets: one table of formats recognises each file by its content."""

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from digitpad.datasets.conversion.array_roles import named_as_weights
from digitpad.datasets.digits import ReaderResult, resolve_inside
from digitpad.datasets.readers import parquet_file
from digitpad.datasets.readers.archive import member_names, read_archive
from digitpad.datasets.readers.array_tree import has_tree_data, read_tree
from digitpad.datasets.readers.folder_walk import entries
from digitpad.datasets.readers.idx import opened
from digitpad.datasets.readers.idx_folder import idx_file, idx_files, read_idx_file, read_idx_folder
from digitpad.datasets.readers.image_folder import SUFFIXES as IMAGES
from digitpad.datasets.readers.image_folder import has_images, is_image_folder, read_image_folder
from digitpad.datasets.readers.image_list import is_image_list, read_image_list
from digitpad.datasets.readers.numpy_files import MAGIC as NPY_MAGIC
from digitpad.datasets.readers.numpy_files import has_npy_data, has_npz_data, read_npy_files, read_npz
from digitpad.datasets.readers.pickle_file import SUFFIXES as PICKLES
from digitpad.datasets.readers.pickle_file import has_pickled_data, read_pickled_set
from digitpad.datasets.readers.sparse_text import is_sparse_text, read_sparse_text
from digitpad.datasets.readers.strokes_file import read_strokes_set
from digitpad.datasets.readers.table_file import MAX_LINE_BYTES, is_image_table, read_table, training_file_of
from digitpad.errors import DataError, reason
from digitpad.formats.hdf5 import find_hdf5
from digitpad.formats.mat import MAGIC as MAT_MAGIC
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.formats.stand_in import stand_in_problem

KINDS = (
    "IDX files, an .npz, .npy, .pkl, .mat, .h5, .parquet or .csv file, a .jsonl file of strokes, images in a folder "
    "per class or with the digit in their names, or an archive of any of these"
)
"""Supported formats, for error messages."""

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".arff")
_TABLE_SUFFIXES = (*_TEXT_SUFFIXES, ".dat", ".json")
_WEIGHTS_SUFFIXES = (".npy", ".pkl", ".pickle", ".joblib", ".pt", ".pth", ".safetensors", ".h5", ".hdf5", ".keras")
_DATA_SUFFIXES = (".npz", ".csv", ".jsonl")
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_MAT_7_3 = b"MATLAB 7.3 MAT-file"  # HDF5 after a header of 512 bytes
_MAX_FILES_CHECKED = 16  # per folder
_MAX_NESTED = 3  # folders that only wrap another

# First bytes of files that cannot be datasets, and the message for each.
_REFUSED = {
    b"%pdf": "is a PDF, not a dataset",
    b"rar!": "is a RAR archive; unpack it first",
    b"7z\xbc\xaf": "is a 7z archive; unpack it first",
    b"\x89png": "is a single image; a dataset is a folder of images",
    b"\xff\xd8\xff": "is a single image; a dataset is a folder of images",
    b"gif8": "is a single image; a dataset is a folder of images",
}


@dataclass(frozen=True)
class FileStart:
    """Beginning of a file: the first bytes as they are, and after decompression."""

    path: Path
    raw: bytes
    content: bytes

    @property
    def suffix(self) -> str:
        """Last suffix of the file's name in lower case, without that of a compression."""
        name = self.path.name.lower().removesuffix(".gz").removesuffix(".bz2")
        return Path(name).suffix

    @property
    def is_text(self) -> bool:
        """Whether the file may be text."""
        return bool(self.content) and b"\0" not in self.content[:512]


@dataclass(frozen=True)
class Format:
    """File format.

    Attributes
    ----------
    name : str
    matches : callable
        Returns whether a file has this format, by its first bytes.
    has_data : callable
        Returns whether such a file holds images and labels rather than weights; may raise a DataError.
    read : callable
        Reads the dataset.
    """

    name: str
    matches: Callable[[FileStart], bool]
    has_data: Callable[[Path, ProgressCallback], bool]
    read: Callable[[Path, ProgressCallback], ReaderResult]


def _always(_path: Path, _tell: ProgressCallback) -> bool:
    return True


def _has_table(path: Path, _tell: ProgressCallback) -> bool:
    return is_image_table(_start(path).content)


def _is_npz(start: FileStart) -> bool:
    return start.raw.startswith(_ZIPS) and any(name.endswith(".npy") for name in member_names(start.path))


def _has_archived_data(path: Path, _tell: ProgressCallback) -> bool:
    names = [name.lower() for name in member_names(path)] if _start(path).raw.startswith(_ZIPS) else ["ubyte"]
    if any(name.endswith(("config.json", "data.pkl", "[content_types].xml")) for name in names):
        return False
    return any(name.endswith((*IMAGES, ".csv", ".npz", ".arff", "ubyte", "ubyte.gz")) for name in names)


FORMATS = (
    Format("IDX files", lambda start: idx_file(start.path) is not None, _always, read_idx_file),
    Format("NumPy archive", _is_npz, has_npz_data, read_npz),
    Format(
        "archive", lambda start: start.raw.startswith(_ZIPS) or start.content[257:262] == b"ustar", _has_archived_data,
        lambda path, tell: read_archive(path, tell, _read_folder),
    ),
    Format("NumPy files", lambda start: start.content.startswith(NPY_MAGIC), has_npy_data, read_npy_files),
    Format(
        "MATLAB or HDF5 file",
        lambda start: start.raw.startswith((MAT_MAGIC, _MAT_7_3)) or find_hdf5(start.content) is not None,
        has_tree_data,
        read_tree,
    ),
    Format("Parquet", lambda start: start.raw.startswith(parquet_file.MAGIC), _always, parquet_file.read_parquet),
    Format(
        "pickle",
        lambda start: start.content.startswith(b"\x80") or start.path.name.lower().endswith(PICKLES),
        has_pickled_data,
        read_pickled_set,
    ),
    Format(
        "strokes",
        lambda start: start.suffix == ".jsonl" or start.content.lstrip().startswith(b'{"'),
        lambda path, tell: False,  # as JSON may also be weights, the window opens strokes as a drawing
        read_strokes_set,
    ),
    Format("LIBSVM", lambda start: start.is_text and is_sparse_text(start.content), _always, read_sparse_text),
    Format(
        "list of images",
        lambda start: start.is_text and is_image_list(start.content[:MAX_LINE_BYTES], start.path.parent),
        _always,
        read_image_list,
    ),
    Format(
        "CSV",
        lambda start: start.is_text and (start.suffix in _TEXT_SUFFIXES or is_image_table(start.content)),
        _has_table,
        read_table,
    ),
)  # fmt: skip
"""All file formats, in the order in which they are tried."""


def is_data_set(path: Path, tell: ProgressCallback = ignore_progress) -> bool:
    """Return whether a file or folder looks like a dataset, judged by its content; it may still be damaged.

    A pickle has to be read completely, which may take a few seconds; ``tell`` is called meanwhile.
    """
    try:
        if path.is_dir():
            return _is_dataset_folder(path, tell, _MAX_NESTED)
        return path.is_file() and _has_data(path, tell)
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile, DataError):
        return False


def _has_data(path: Path, tell: ProgressCallback) -> bool:
    found = _format_of(_start(path))
    try:
        return found is not None and found.has_data(path, tell)
    except DataError:
        return False


def _is_dataset_folder(folder: Path, tell: ProgressCallback, n_nested: int) -> bool:
    if idx_files(folder):
        return True
    files, folders = entries(folder)
    # A folder of weights (a file per matrix) may also contain folders of plots.
    if is_image_folder(folder) and not any(map(_looks_like_weights, files)):
        return True
    if _data_files(folder, tell) or _has_npy_files(folder, files, tell):
        return True
    return n_nested > 0 and not files and len(folders) == 1 and _is_dataset_folder(folders[0], tell, n_nested - 1)


def _looks_like_weights(path: Path) -> bool:
    """Return whether the suffix is one of weights, or the file is a table with the name of a weight matrix."""
    suffix = path.suffix.lower()
    return suffix in _WEIGHTS_SUFFIXES or (suffix in _TABLE_SUFFIXES and bool(named_as_weights([path.stem])))


def read(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset at a path: a folder, a file, or a name prefix of IDX files in a folder.

    Raises
    ------
    DataError
        If the path does not exist, is not a dataset, or is an invalid one.
    """
    try:
        if path.is_dir():
            return _read_folder(path, tell)
        if path.is_file():
            return _read_file(path, tell)
        if path.parent.is_dir() and any(file.set == path.name for file in idx_files(path.parent, 0)):
            return read_idx_folder(path.parent, path.name, tell=tell, depth=0)
    except OSError as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    raise DataError(path, f"does not exist; expected {KINDS}")


def _read_file(path: Path, tell: ProgressCallback) -> ReaderResult:
    start = _start(path)
    if not start.raw:
        raise DataError(path, f"is empty; expected {KINDS}")
    if (problem := stand_in_problem(start.content, "a dataset")) is not None:
        raise DataError(path, problem)
    for magic, problem in _REFUSED.items():
        if start.content.lstrip()[: len(magic)].lower() == magic:
            raise DataError(path, problem)
    try:
        found = _format_of(start)
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    if found is not None:
        return found.read(path, tell)
    if start.suffix in (*_WEIGHTS_SUFFIXES, ".json"):
        raise DataError(path, f"looks like a weights file, not a dataset; expected {KINDS}")
    raise DataError(path, f"is not a dataset; expected {KINDS}")


def _start(path: Path) -> FileStart:
    """Read enough bytes for the first lines of text."""
    with path.open("rb") as file:
        raw = file.read(512)
    try:
        with opened(path, 2**63) as (stream, _, _):
            content = stream.read(2 * MAX_LINE_BYTES)
    except (EOFError, zlib.error, OSError):
        content = raw
    return FileStart(path, raw, content)


def _format_of(start: FileStart) -> Format | None:
    return next((found for found in FORMATS if found.matches(start)), None)


def _read_folder(folder: Path, tell: ProgressCallback, n_nested: int = _MAX_NESTED) -> ReaderResult:
    if idx_files(folder):
        return read_idx_folder(folder, tell=tell)
    files, folders = entries(folder)
    lists = [path for path in files[:_MAX_FILES_CHECKED] if path.suffix.lower() in _TEXT_SUFFIXES and _is_list(path)]
    if len(lists) == 1:
        return read_image_list(resolve_inside(folder, lists[0]), tell)
    if is_image_folder(folder):
        return read_image_folder(folder, tell)
    found = _data_files(folder, tell)
    if not found and _has_npy_files(folder, files, tell):
        return read_npy_files(folder, tell)
    if not found:  # damaged files, so that the error names them
        found = _without_tests([path for path in files if path.suffix.lower() in _DATA_SUFFIXES and path.is_file()])
    if len(found) == 1:
        return _read_file(resolve_inside(folder, found[0]), tell)
    if found:
        names = ", ".join(path.name for path in found[:6])
        raise DataError(folder, f"contains {len(found)} datasets ({names}); open a single file instead")
    if n_nested and len(folders) == 1 and not files:
        return _read_folder(resolve_inside(folder, folders[0]), tell, n_nested - 1)
    if has_images(folder):
        return read_image_folder(folder, tell)
    raise DataError(folder, f"contains no dataset; expected {KINDS}")


def _is_list(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return is_image_list(file.read(MAX_LINE_BYTES), path.parent)


def _data_files(folder: Path, tell: ProgressCallback) -> list[Path]:
    """Return the files of a folder that contain a dataset, among the first few that are not images or arrays.

    The reader of ``train.csv`` finds ``test.csv`` by itself.
    """
    candidates = [
        path
        for path in entries(folder)[0]
        if not path.name.lower().endswith((*IMAGES, ".npy", ".md")) and path.is_file()
    ]
    return _without_tests([path for path in candidates[:_MAX_FILES_CHECKED] if is_data_set(path, tell)])


def _without_tests(files: list[Path]) -> list[Path]:
    return [path for path in files if not ("tes" in path.name.lower() and training_file_of(path) in files)] or files


def _has_npy_files(folder: Path, files: list[Path], tell: ProgressCallback) -> bool:
    if not any(path.suffix.lower() == ".npy" for path in files):
        inner = [file for path in entries(folder)[1][:8] for file in entries(path)[0]]
        if not any(path.suffix.lower() == ".npy" for path in inner):
            return False
    return has_npy_data(folder, tell)
