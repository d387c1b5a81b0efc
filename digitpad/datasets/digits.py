"""Labelled images, and the result types and checks that all dataset readers share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES, MAX_NAME
from digitpad.errors import DataError

SIDE = 28

MIN_SIDE, MAX_SIDE = 8, 256
"""Limits of the sides of images in a file, in pixels."""

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
    images : ndarray of uint8, shape (n, height, width)
        `conversion.preparation` makes them 28 × 28.
    labels : ndarray of uint8, shape (n,)
        Indices into ``texts``.
    path : Path
        File or folder to name in an error about a label.
    texts : sequence of str
        Label texts in the file; numbers as text if the file has numbers.
    prepared : ndarray of bool, shape (n,), optional
        Which images were prepared as in the window, so that their digits are scaled and centred; None if none were.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    path: Path
    texts: Sequence[str] = NUMBERS
    prepared: NDArray[np.bool_] | None = None


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

    def part(self, images: NDArray[np.uint8], prepared: NDArray[np.bool_] | None = None) -> RawPart:
        """Return the collected labels together with their images."""
        return RawPart(images, np.array(self._labels, np.uint8), self._path, tuple(self._indices), prepared)


@dataclass(frozen=True, eq=False)
class ReaderResult:
    """Content of a dataset's files, before it is split.

    Attributes
    ----------
    training, test : RawPart
        None if the files have no such part; at least one is there.
    format : str
        File format in a word or two.
    class_names : mapping of str
        Class name of each label text, in class order, if the dataset is a known one; else empty.
    notes : tuple of str
        Changes made while reading that the user should know, one sentence each.
    skipped : tuple of str
        Files that could not be read and were left out, each with its problem.
    """

    training: RawPart | None
    test: RawPart | None
    format: str
    class_names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def check_size(path: Path, size: tuple[int, ...]) -> None:
    """Check that images of height × width have `MIN_SIDE` to `MAX_SIDE` pixels on each side.

    Raises
    ------
    DataError
        If they do not.
    """
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in size):
        text = " × ".join(map(str, size))
        raise DataError(path, f"has images of {text} pixels; expected {SIDE} × {SIDE}, or {MIN_SIDE} to {MAX_SIDE}")


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
