"""Dataset detection and reading: the format is chosen by name and content."""

import gzip
import zipfile
import zlib
from pathlib import Path

from digitpad.datasets.digits import ReaderResult, resolve_inside
from digitpad.datasets.readers.csv_file import MAX_LINE_BYTES, is_image_row, read_csv
from digitpad.datasets.readers.idx_folder import idx_file, idx_files, read_idx_folder
from digitpad.datasets.readers.image_folder import has_image_folders, read_image_folder
from digitpad.datasets.readers.named_arrays import named_as_weights
from digitpad.datasets.readers.npz_file import has_data, is_archive, read_npz
from digitpad.datasets.readers.pickle_file import SUFFIXES as PICKLES
from digitpad.datasets.readers.pickle_file import has_pickled_data, is_pickle, read_pickled_set
from digitpad.datasets.readers.strokes_file import read_strokes_set
from digitpad.errors import DataError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress

KINDS = "IDX files, an .npz, .pkl or .csv file, a .jsonl file of strokes, or a folder of images per class"
"""Supported formats, for error messages."""

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_TABLE_SUFFIXES = (*_TEXT_SUFFIXES, ".dat", ".json")
_WEIGHTS_SUFFIXES = (".npy", ".pkl", ".pickle", ".joblib", ".pt", ".pth", ".safetensors", ".h5", ".hdf5", ".keras")
_MAX_FILES_CHECKED = 8  # per folder
_IDX = (b"\0\0\x08\x01", b"\0\0\x08\x03")


def is_data_set(path: Path, tell: ProgressCallback = ignore_progress) -> bool:
    """Return whether a file or folder looks like a dataset, judged by names and first bytes; it may still be damaged.

    A pickle has to be read completely, which may take a few seconds; ``tell`` is called meanwhile.
    """
    try:
        return _is_dataset_folder(path, tell) if path.is_dir() else path.is_file() and _is_dataset_file(path, tell)
    except (OSError, EOFError, ValueError, NotImplementedError, zlib.error, zipfile.BadZipFile, DataError):
        return False


def _is_dataset_folder(folder: Path, tell: ProgressCallback) -> bool:
    raw = folder / "raw"
    if idx_files(folder) or (raw.is_dir() and idx_files(raw)):
        return True
    # A folder of weights (a file per matrix) may also contain folders of plots.
    if has_image_folders(folder, at_least=2) and not any(map(_looks_like_weights, folder.iterdir())):
        return True
    if files := _data_files(folder):
        return any(_is_dataset_file(path, tell) for path in files[:_MAX_FILES_CHECKED])
    return bool(_pickled_sets(folder, tell))


def _looks_like_weights(path: Path) -> bool:
    """Return whether the suffix is one of weights, or the file is a table with the name of a weight matrix."""
    suffix = path.suffix.lower()
    return suffix in _WEIGHTS_SUFFIXES or (suffix in _TABLE_SUFFIXES and bool(named_as_weights([path.stem])))


def _is_dataset_file(path: Path, tell: ProgressCallback) -> bool:
    if is_archive(path):
        return has_data(path)
    if is_pickle(path):
        return has_pickled_data(path, tell)
    first_bytes = _first_bytes(path)
    if first_bytes.startswith(_IDX) or idx_file(path) is not None:
        return True
    return path.suffix.lower() in _TEXT_SUFFIXES and any(map(is_image_row, first_bytes.splitlines()[:2]))


def _first_bytes(path: Path) -> bytes:
    """Return enough bytes for the first two lines of text; only 16 decompressed bytes of a gzip file."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not is_gzip:
            return file.read(2 * MAX_LINE_BYTES)
        with gzip.open(file) as unpacked:
            return unpacked.read(16)


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
        if path.parent.is_dir() and any(file.set == path.name for file in idx_files(path.parent)):
            return read_idx_folder(path.parent, path.name, tell=tell)
    except OSError as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    raise DataError(path, f"does not exist; expected {KINDS}")


def _read_folder(folder: Path, tell: ProgressCallback) -> ReaderResult:
    raw = folder / "raw"  # torchvision's layout
    for candidate in (folder, raw):
        if candidate.is_dir() and idx_files(resolve_inside(folder, candidate)):
            return read_idx_folder(candidate, tell=tell)
    if has_image_folders(folder):
        return read_image_folder(folder, tell)
    files = _data_files(folder)
    # The reader of train.csv finds test.csv by itself.
    files = [path for path in files if not ("test" in path.name and _training_file_of(path) in files)] or files
    files = files or _pickled_sets(folder, tell)
    if len(files) == 1:
        return _read_file(resolve_inside(folder, files[0]), tell)
    if files:
        names = ", ".join(path.name for path in files[:6])
        raise DataError(folder, f"contains {len(files)} datasets ({names}); open a single file instead")
    raise DataError(folder, f"contains no dataset; expected {KINDS}")


def _data_files(folder: Path) -> list[Path]:
    """Return files whose suffix is one of datasets; skip pipes and devices, on which reading would block."""
    suffixes = (".npz", ".csv", ".jsonl")
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in suffixes and path.is_file()]


def _pickled_sets(folder: Path, tell: ProgressCallback) -> list[Path]:
    """Return the pickles that contain a dataset, among the first few; by its name, a pickle may also be weights."""
    pickles = [path for path in sorted(folder.iterdir()) if path.name.lower().endswith(PICKLES) and path.is_file()]
    return [path for path in pickles[:_MAX_FILES_CHECKED] if is_data_set(path, tell)]


def _training_file_of(path: Path) -> Path:
    return path.with_name(path.name.replace("test", "train"))


def _read_file(path: Path, tell: ProgressCallback) -> ReaderResult:
    if (file := idx_file(path)) is not None:
        return read_idx_folder(path.parent, file.set, tell=tell)
    if is_archive(path):
        return read_npz(path, tell)
    if is_pickle(path):
        return read_pickled_set(path, tell)
    with path.open("rb") as opened:
        first_bytes = opened.read(512)
    if path.suffix.lower() == ".jsonl" or first_bytes.lstrip().startswith(b"{"):
        return read_strokes_set(path, tell)
    if path.suffix.lower() in _TEXT_SUFFIXES and b"\0" not in first_bytes:
        return read_csv(path, tell)
    if first_bytes.startswith(_IDX):
        raise DataError(
            path,
            "is an IDX file with an unknown name; rename the files as train-images-idx3-ubyte and "
            "train-labels-idx1-ubyte",
        )
    if first_bytes.startswith(b"\x93NUMPY"):
        raise DataError(
            path, "is a single array; save images and labels together in an .npz file as x_train and y_train"
        )
    if path.suffix.lower() in (*_WEIGHTS_SUFFIXES, ".json"):
        raise DataError(path, f"looks like a weights file, not a dataset; expected {KINDS}")
    raise DataError(path, f"is not a dataset; expected {KINDS}")
