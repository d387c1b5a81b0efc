"""A data set: labelled digits in three parts, from the built-in MNIST or from a folder of four IDX files."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad import assets
from digitpad.datasets.idx import read_idx
from digitpad.errors import DataError

BUILT_IN = "mnist"
"""The name under which the shipped data set is asked for."""

N_CLASSES = 10
_SIDE = 28
_VALIDATION_SHARE = 1 / 6  # 10 000 of MNIST's 60 000

_MNIST_SHA256 = {
    "train-images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "train-labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "t10k-images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "t10k-labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


@dataclass(frozen=True, eq=False)
class Digits:
    """Labelled images: ``images`` of shape (n, 28, 28) and ``labels`` of shape (n,), both uint8."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> "Digits":
        return Digits(self.images[part], self.labels[part])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Digits to train on, to choose by (validation), and to report once (test); ``sha256`` is that of all bytes."""

    name: str
    training: Digits
    validation: Digits
    test: Digits
    sha256: str


def load(source: str) -> Dataset:
    """The data set of that name or folder: `BUILT_IN`, or the path of a folder with four IDX files.

    Raises
    ------
    DataError
        If there is no such folder, or a file in it is missing or wrong.
    """
    return mnist() if source == BUILT_IN else load_folder(Path(source))


@functools.cache
def mnist() -> Dataset:
    """The shipped MNIST, its files checked against their sums; loaded once (about 0.4 s, 55 MB)."""
    return load_folder(assets.DATA, "MNIST", _MNIST_SHA256)


@functools.cache
def one_of_each() -> NDArray[np.uint8]:
    """A built-in training digit of each kind, in order, of shape (10, 28, 28), without reading the rest of the set.

    Raises
    ------
    DataError
        If a file is missing or is not what its name says.
    """
    n_first = 64  # all ten are among them
    images = read_idx(_find(assets.DATA, "train-images", 3), 3, n_first)
    labels = read_idx(_find(assets.DATA, "train-labels", 1), 1, n_first)
    return images[[np.argmax(labels == digit) for digit in range(N_CLASSES)]]


def load_folder(folder: Path, name: str | None = None, sums: dict[str, str] | None = None) -> Dataset:
    """A data set from the four IDX files in ``folder``, named as MNIST's, raw or gzipped.

    The last sixth of the training file is set aside for validation.

    Parameters
    ----------
    folder : Path
    name : str, optional
        What to call it; the folder's name by default.
    sums : dict of str, optional
        The SHA-256 that each file's array must have, by the beginning of its name.

    Raises
    ------
    DataError
        If a file is missing, is not what its name says, or does not have its sum.
    """
    if not folder.is_dir():
        raise DataError(folder, "is not a folder; expected one with MNIST's four IDX files")
    digest = hashlib.sha256()
    parts = []
    for part in ("train", "t10k"):
        arrays = []
        for content, n_dimensions in (("images", 3), ("labels", 1)):
            key = f"{part}-{content}"
            path = _find(folder, key, n_dimensions)
            array = read_idx(path, n_dimensions)
            sha256 = hashlib.sha256(array.data).hexdigest()
            if sums is not None and sha256 != sums[key]:
                raise DataError(path, f"is damaged: its SHA-256 is {sha256}; expected {sums[key]}")
            digest.update(bytes.fromhex(sha256))
            _check(path, array)
            arrays.append(array)
        images, labels = arrays
        if len(images) != len(labels):
            raise DataError(path, f"has {len(labels)} labels for {len(images)} images")
        parts.append(Digits(images, labels))
    training, test = parts
    n_training = len(training) - round(len(training) * _VALIDATION_SHARE)
    return Dataset(
        name=name or folder.resolve().name,
        training=training[:n_training],
        validation=training[n_training:],
        test=test,
        sha256=digest.hexdigest(),
    )


def _find(folder: Path, key: str, n_dimensions: int) -> Path:
    """The file that goes by ``key``: with a dash or a dot before ``idx``, raw or gzipped."""
    for separator in "-.":
        for suffix in ("", ".gz"):
            path = folder / f"{key}{separator}idx{n_dimensions}-ubyte{suffix}"
            if path.is_file():
                return path
    raise DataError(folder, f"has no {key}-idx{n_dimensions}-ubyte, raw or with .gz")


def _check(path: Path, array: NDArray[np.uint8]) -> None:
    if array.ndim == 3 and array.shape[1:] != (_SIDE, _SIDE):
        raise DataError(path, f"has images of {array.shape[1]} × {array.shape[2]} pixels; expected {_SIDE} × {_SIDE}")
    if array.ndim == 1 and array.size and array.max() >= N_CLASSES:
        row = int(array.argmax())
        raise DataError(path, f"label {row} is {array[row]}; expected 0 to {N_CLASSES - 1}")
    if len(array) < 10:
        raise DataError(path, f"holds {len(array)} samples; a data set takes at least 10")
