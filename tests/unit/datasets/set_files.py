"""Write datasets to files of each format, as common programs do."""

import io
import pickle
import struct
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitpad.datasets.dataset import Digits
from digitpad.ink.strokes import LabelledStrokes, write_strokes


def npy(array: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_claiming(shape: str, content: bytes = b"", descr: str = "|u1") -> bytes:
    """Return an ``.npy`` file whose header claims any shape."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive that is the same at any time: tests are named after its bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def keras(training: Digits, test: Digits) -> dict[str, bytes]:
    """Return the members of an archive like Keras' ``mnist.npz``."""
    return {
        "x_train.npy": npy(training.images),
        "y_train.npy": npy(training.labels),
        "x_test.npy": npy(test.images),
        "y_test.npy": npy(test.labels),
    }


HEADER = ["label", *(f"pixel{i}" for i in range(784))]


def csv_text(
    digits: Digits,
    header: Sequence[str] | None = HEADER,
    last: bool = False,
    names: Sequence[str] | None = None,
    separator: str = ",",
    end: str = "\n",
) -> str:
    """Return digits as CSV; with ``last``, the label is the last column instead of the first."""
    lines = [] if header is None else [separator.join(header)]
    for image, label in zip(digits.images, digits.labels, strict=True):
        pixels = list(map(str, image.ravel().tolist()))
        name = str(label) if names is None else names[label]
        lines.append(separator.join([*pixels, name] if last else [name, *pixels]))
    return end.join(lines) + end


def write_images(folder: Path, digits: Digits, names: Sequence[str] | None = None, suffix: str = ".png") -> Path:
    """Write an image file per digit, in a folder per class."""
    for row, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        path = folder / (str(label) if names is None else names[label]) / f"{row:05d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


def by_class(digits: Digits) -> Digits:
    """Return the digits sorted by class, as image folders order them."""
    order = np.argsort(digits.labels, kind="stable")
    return Digits(digits.images[order], digits.labels[order])


def write_drawings(path: Path, labels: Iterable[int | None]) -> Path:
    """Write a strokes file with a line per label; each is a stroke with a different slant."""
    drawings = [
        LabelledStrokes([np.array([[100.0, 100.0], [100.0 + 5 * i, 300.0]])], label) for i, label in enumerate(labels)
    ]
    write_strokes(path, drawings)
    return path


def pickled(training: Digits, validation: Digits, test: Digits, protocol: int) -> bytes:
    """Return three pairs as in deeplearning.net's file: float32 rows divided by 256, and int64 labels."""
    return pickle.dumps(tuple(_rows(part) for part in (training, validation, test)), protocol)


def _rows(digits: Digits) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return (digits.images.reshape(-1, 784) / 256).astype(np.float32), digits.labels.astype(np.int64)


def pickled_by_python_2(training: Digits, test: Digits) -> bytes:
    """Return two such pairs as written by Python 2's cPickle, with the bytes of an array as a string."""

    def array(values: NDArray[Any]) -> bytes:
        sizes = b"".join(b"J" + struct.pack("<i", size) for size in values.shape)
        kind = {"f": b"f4", "i": b"i8"}[values.dtype.kind]
        content = values.tobytes()
        return (
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01("
            + sizes
            + b"tcnumpy\ndtype\nU\x02"
            + kind
            + b"K\0K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T"
            + struct.pack("<i", len(content))
            + content
            + b"tb"
        )

    pairs = (b"(" + array(images) + array(labels) + b"t" for images, labels in map(_rows, (training, test)))
    return b"\x80\x02(" + b"".join(pairs) + b"t."
