"""Fuzz the dataset readers with Google's atheris; `fuzz_weights` fuzzes the weights readers.

    python tests/fuzz/seeds.py data CORPUS_FOLDER
    python tests/fuzz/fuzz_data.py CORPUS_FOLDER -max_total_time=3600 -max_len=30000

The first byte of an input selects the file of a dataset that the remaining bytes become. Each input must be read or
raise `DataError`; add an input that does neither to `tests/unit/datasets/test_hostile.py`.
"""

import contextlib
import gzip
import shutil
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["digitpad"]):
    from digitpad.datasets.dataset import load_path
    from digitpad.datasets.readers.open_dataset import is_data_set
    from digitpad.errors import DataError, InkError
    from digitpad.ink.image import is_image, read_image
    from tests.unit.datasets.set_files import npy, zipped

_FOLDER = Path(tempfile.mkdtemp()) / "set"
_LABELS = struct.pack(">BBBBI", 0, 0, 8, 1, 12) + bytes(i % 2 for i in range(12))
_NPY_LABELS = npy(np.arange(12, dtype=np.uint8) % 2)


def files(content: bytes) -> dict[str, bytes]:
    """Return the files that an input stands for, by name; the first one is opened."""
    match content[:1], content[1:]:
        case b"i", inner:
            return {"train-images-idx3-ubyte": inner, "train-labels-idx1-ubyte": _LABELS}
        case b"g", inner:
            return {"train-images-idx3-ubyte.gz": gzip.compress(inner, 1), "train-labels-idx1-ubyte": _LABELS}
        case b"l", inner:
            return {"qmnist-train-labels-idx2-int": inner, "qmnist-train-images-idx3-ubyte": b""}
        case b"n", inner:
            return {"a.npz": zipped({"x_train.npy": inner, "y_train.npy": _NPY_LABELS})}
        case b"y", inner:
            return {"a.npz": zipped({"y_train.npy": inner, "x_train.npy": npy(np.zeros((12, 28, 28), np.uint8))})}
        case b"k", inner:
            return {"a.pkl": inner}
        case b"z", inner:
            return {"a.pkl.gz": gzip.compress(inner, 1)}
        case b"c", inner:
            return {"train.csv": inner}
        case b"a", inner:
            return {"X.npy": inner, "y.npy": _NPY_LABELS}
        case b"m", inner:
            packed = zlib.compress(inner, 1)
            head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
            return {"a.mat": head + struct.pack("<II", 15, len(packed)) + packed}
        case b"h", inner:
            return {"a.h5": inner}
        case b"v", inner:
            return {"a.svm": inner}
        case b"f", inner:
            return {"a.arff": inner}
        case b"j", inner:
            return {"list.csv": inner, "b/0.png": b"", "b/1.png": b""}
        case b"w", inner:
            return {"a.zip": inner}
        case b"t", inner:
            return {"a.tar": inner}
        case b"x", inner:
            return {"a.parquet": inner}
        case b"s", inner:
            return {"a.jsonl": inner}
        case b"p", inner:
            return {"a": inner, "b/0.png": inner, "c/0.png": inner}
        case _, inner:
            return {"a.npz": inner}


def one_input(content: bytes) -> None:
    """Read a file, and the folder that contains it."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    contents = files(content)
    for name, inner in contents.items():
        path = _FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(inner)
    first = _FOLDER / next(iter(contents))
    for path in (first, _FOLDER):
        is_data_set(path)
        with contextlib.suppress(DataError):
            load_path(path)
    is_image(first)
    if content[:1] == b"p":
        with contextlib.suppress(InkError):
            read_image(first)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
