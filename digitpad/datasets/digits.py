"""Labelled images, and the result types and checks that all dataset readers share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES, MAX_NAME
from digitpad.errors import DataError

SIDE = 28

MAX_SAMPLES = 1_000_000
"""Maximum number of images in a part. EMNIST, the largest dataset of 28 × 28 images, has 814,255."""

NUMBERS = tuple(str(value) for value in range(256))

TELL_EVERY = 100  # images


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
class RawPart:
    """Images and labels of one part (training or test), as a reader returns them.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 28, 28)
    labels : ndarray of uint8, shape (n,)
        Indices into ``texts``.
    path : Path
        File or folder to name in an error about a label.
    texts : sequence of str
        Label texts in the file; numbers as text if the file has numbers.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    path: Path
    texts: Sequence[str] = NUMBERS


class Labels:
    """Collector of text labels, with at most `MAX_CLASSES` distinct values."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._indices: dict[str, int] = {}
        self._labels: list[int] = []

    def add(self, text: str) -> None:
        """Add the label of the next image.

        Raises
        ------
        DataError
            If the label is not a valid class name, or there are too many classes.
        """
        if text not in self._indices:
            if not 0 < len(text) <= MAX_NAME or not text.isprintable():
                raise DataError(self._path, f"has the label {text[:MAX_NAME]!r}; expected 1 to {MAX_NAME} characters")
            if len(self._indices) == MAX_CLASSES:
                raise DataError(
                    self._path, f"has too many different labels; {text!r} exceeds the limit of {MAX_CLASSES}"
                )
            self._indices[text] = len(self._indices)
        self._labels.append(self._indices[text])

    def part(self, images: NDArray[np.uint8]) -> RawPart:
        """Return the collected labels together with their images."""
        return RawPart(images, np.array(self._labels, np.uint8), self._path, tuple(self._indices))


@dataclass(frozen=True, eq=False)
class ReaderResult:
    """Content of a dataset's files, before it is split.

    Attributes
    ----------
    training, test : RawPart
        ``test`` is None if the files have no test set.
    format : str
        File format in a word or two.
    class_names : mapping of str
        Class name of each label text, in class order, if the dataset is a known one; else empty.
    notes : tuple of str
        Changes made while reading that the user should know, one sentence each.
    """

    training: RawPart
    test: RawPart | None
    format: str
    class_names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def check_images(path: Path, images: NDArray[np.uint8]) -> None:
    """Check that the images have shape (n, 28, 28), with n at most `MAX_SAMPLES`.

    Raises
    ------
    DataError
        If they do not.
    """
    if images.shape[1:] != (SIDE, SIDE):
        size = " × ".join(map(str, images.shape[1:]))
        raise DataError(path, f"has images of {size} pixels; expected {SIDE} × {SIDE}")
    check_count(path, len(images))


def check_count(path: Path, n: int) -> None:
    """Check that n is at most `MAX_SAMPLES`.

    Raises
    ------
    DataError
        If n is larger.
    """
    if n > MAX_SAMPLES:
        raise DataError(path, f"has too many images; the limit is {MAX_SAMPLES:,}")


def resolve_inside(folder: Path, path: Path) -> Path:
    """Return the path unchanged after checking that it does not lead out of the folder through a link.

    Raises
    ------
    DataError
        If it does.
    """
    try:
        leaves = not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # circular links
        leaves = True
    if leaves:
        raise DataError(path, "is a link out of the dataset's folder; copy the file into the folder instead")
    return path
