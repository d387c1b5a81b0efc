"""What a path is a data set of: which of the readers takes it."""

import gzip
import zipfile
import zlib
from pathlib import Path

from digitpad.datasets.digits import ReaderResult, Tell, ignore_progress, resolve_inside
from digitpad.datasets.readers.csv_file import MAX_LINE_BYTES, is_image_row, read_csv
from digitpad.datasets.readers.idx_folder import idx_file, idx_files, read_idx_folder
from digitpad.datasets.readers.image_folder import has_image_folders, read_image_folder
from digitpad.datasets.readers.named_arrays import named_as_weights
from digitpad.datasets.readers.npz_file import has_data, is_archive, read_npz
from digitpad.datasets.readers.pickle_file import SUFFIXES as PICKLES
from digitpad.datasets.readers.pickle_file import has_pickled_data, is_pickle, read_pickled_set
from digitpad.datasets.readers.strokes_file import read_strokes_set
from digitpad.errors import DataError, reason

KINDS = "IDX files, an .npz, a .pkl, a .csv, a .jsonl of strokes, or a folder of images for each class"


_TEXTS = (".csv", ".tsv", ".txt")
_TABLES = (*_TEXTS, ".dat", ".json")
_OF_WEIGHTS = (".npy", ".pkl", ".pickle", ".joblib", ".pt", ".pth", ".safetensors", ".h5", ".hdf5", ".keras")
_MOST_LOOKED_AT = 8  # files in a folder
_IDX = (b"\0\0\x08\x01", b"\0\0\x08\x03")


def is_data_set(path: Path, tell: Tell = ignore_progress) -> bool:
    """Whether a file or folder looks like a data set; it may yet turn out damaged.

    Names and first bytes tell, but for pickles, which are read: that may take some seconds, in which ``tell`` hears.
    """
    try:
        return _is_folder_of_data(path, tell) if path.is_dir() else path.is_file() and _is_file_of_data(path, tell)
    except (OSError, EOFError, ValueError, NotImplementedError, zlib.error, zipfile.BadZipFile, DataError):
        return False


def _is_folder_of_data(folder: Path, tell: Tell) -> bool:
    raw = folder / "raw"
    if idx_files(folder) or (raw.is_dir() and idx_files(raw)):
        return True
    # Weights, a matrix a file, may lie beside folders of pictures of their training.
    if has_image_folders(folder, at_least=2) and not any(map(_is_of_weights, folder.iterdir())):
        return True
    if files := _data_files(folder):
        return any(_is_file_of_data(path, tell) for path in files[:_MOST_LOOKED_AT])
    return bool(_pickled_sets(folder, tell))


def _is_of_weights(path: Path) -> bool:
    """Whether a file has the ending that weights have, or a table the name of one of their matrices."""
    kind = path.suffix.lower()
    return kind in _OF_WEIGHTS or (kind in _TABLES and bool(named_as_weights([path.stem])))


def _is_file_of_data(path: Path, tell: Tell) -> bool:
    if is_archive(path):
        return has_data(path)
    if is_pickle(path):
        return has_pickled_data(path, tell)
    begin = _begin(path)
    if begin.startswith(_IDX) or idx_file(path) is not None:
        return True
    return path.suffix.lower() in _TEXTS and any(map(is_image_row, begin.splitlines()[:2]))


def _begin(path: Path) -> bytes:
    """The first two lines of text, or the first bytes of anything, unpacked where they are packed."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not zipped:
            return file.read(2 * MAX_LINE_BYTES)
        with gzip.open(file) as unpacked:
            return unpacked.read(16)


def read(path: Path, tell: Tell = ignore_progress) -> ReaderResult:
    """What is found at a path: a folder, a file, or in a folder the files whose names begin so.

    Raises
    ------
    DataError
        If there is nothing, or nothing that is a data set; or what the reader finds wrong.
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
    raise DataError(path, f"is not there; expected {KINDS}")


def _read_folder(folder: Path, tell: Tell) -> ReaderResult:
    raw = folder / "raw"  # where torchvision puts them
    for one in (folder, raw):
        if one.is_dir() and idx_files(resolve_inside(folder, one)):
            return read_idx_folder(one, tell=tell)
    if has_image_folders(folder):
        return read_image_folder(folder, tell)
    files = _data_files(folder)
    # Of train.csv and test.csv, the reader finds the second by itself.
    files = [path for path in files if not ("test" in path.name and _training_beside(path) in files)] or files
    files = files or _pickled_sets(folder, tell)
    if len(files) == 1:
        return _read_file(resolve_inside(folder, files[0]), tell)
    if files:
        names = ", ".join(path.name for path in files[:6])
        raise DataError(folder, f"holds {len(files)} data sets ({names}); name one of them instead")
    raise DataError(folder, f"holds no data set; expected {KINDS}")


def _data_files(folder: Path) -> list[Path]:
    """Those that hold data by their names; pipes and devices do not, and would be waited for."""
    kinds = (".npz", ".csv", ".jsonl")
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in kinds and path.is_file()]


def _pickled_sets(folder: Path, tell: Tell) -> list[Path]:
    """Those of the first pickles that hold data, which their names do not tell: weights are kept in them likewise."""
    pickles = [path for path in sorted(folder.iterdir()) if path.name.lower().endswith(PICKLES) and path.is_file()]
    return [path for path in pickles[:_MOST_LOOKED_AT] if is_data_set(path, tell)]


def _training_beside(path: Path) -> Path:
    return path.with_name(path.name.replace("test", "train"))


def _read_file(path: Path, tell: Tell) -> ReaderResult:
    if (file := idx_file(path)) is not None:
        return read_idx_folder(path.parent, file.set, tell=tell)
    if is_archive(path):
        return read_npz(path, tell)
    if is_pickle(path):
        return read_pickled_set(path, tell)
    with path.open("rb") as opened:
        begin = opened.read(512)
    if path.suffix.lower() == ".jsonl" or begin.lstrip().startswith(b"{"):
        return read_strokes_set(path, tell)
    if path.suffix.lower() in _TEXTS and b"\0" not in begin:
        return read_csv(path, tell)
    if begin.startswith(_IDX):
        raise DataError(
            path,
            "is IDX, but its name does not tell its part; expected names as train-images-idx3-ubyte, and beside it "
            "train-labels-idx1-ubyte",
        )
    if begin.startswith(b"\x93NUMPY"):
        raise DataError(path, "is one array; expected images and labels together, in an .npz of x_train and y_train")
    if path.suffix.lower() in (*_OF_WEIGHTS, ".json"):
        raise DataError(path, f"is of a kind that weights are kept in, not a data set; expected {KINDS}")
    raise DataError(path, f"is not a data set; expected {KINDS}")
