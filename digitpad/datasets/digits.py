"""Labelled images, as they are trained on and as a reader finds them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES, MAX_NAME
from digitpad.errors import DataError

SIDE = 28

MAX_SAMPLES = 1_000_000
"""More than EMNIST's 814 255, the most that a set of this shape has."""

NUMBERS = tuple(str(value) for value in range(256))

Tell = Callable[[int], None]
"""Hears now and then how many images were read, and 0 in between; what it raises ends the reading."""

TELL_EVERY = 100  # images


def ignore_progress(_n_read: int) -> None:
    """The `Tell` of who does not want to know."""


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
    """What one part of a data set's files holds.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 28, 28)
    labels : ndarray of uint8, shape (n,)
        Places in ``texts``.
    path : Path
        The file or folder that an error about a label names.
    texts : sequence of str
        What the labels are called in the file; for files with numbers, these.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    path: Path
    texts: Sequence[str] = NUMBERS


class Labels:
    """Gathers labels that are texts, as few different ones as there can be classes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, int] = {}
        self._labels: list[int] = []

    def add(self, text: str) -> None:
        """The label of the next image.

        Raises
        ------
        DataError
            If it cannot name a class, or there are too many classes.
        """
        if text not in self._places:
            if not 0 < len(text) <= MAX_NAME or not text.isprintable():
                raise DataError(self._path, f"has the label {text[:MAX_NAME]!r}; expected 1 to {MAX_NAME} letters")
            if len(self._places) == MAX_CLASSES:
                raise DataError(self._path, f"has more than {MAX_CLASSES} different labels; {text!r} is one too many")
            self._places[text] = len(self._places)
        self._labels.append(self._places[text])

    def part(self, images: NDArray[np.uint8]) -> RawPart:
        """These labels, with their images."""
        return RawPart(images, np.array(self._labels, np.uint8), self._path, tuple(self._places))


@dataclass(frozen=True, eq=False)
class ReaderResult:
    """What a reader found at a path.

    Attributes
    ----------
    training, test : Part
        ``test`` is None where there is none, and a share of the other is split off.
    format : str
        What it is, in a word or two.
    class_names : mapping of str
        The name of each label, in the order of the classes, where the set is a known one; else empty.
    notes : tuple of str
        What was done that whoever trains on it should know, each a sentence.
    """

    training: RawPart
    test: RawPart | None
    format: str
    class_names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def check_images(path: Path, images: NDArray[np.uint8]) -> None:
    """Refuse what is not (n, 28, 28), with n small enough.

    Raises
    ------
    DataError
    """
    if images.shape[1:] != (SIDE, SIDE):
        size = " × ".join(map(str, images.shape[1:]))
        raise DataError(path, f"has images of {size} pixels; expected {SIDE} × {SIDE}")
    check_count(path, len(images))


def check_count(path: Path, n: int) -> None:
    """Refuse more samples than `MAX_SAMPLES`.

    Raises
    ------
    DataError
    """
    if n > MAX_SAMPLES:
        raise DataError(path, f"holds more than {MAX_SAMPLES:,} images")


def resolve_inside(folder: Path, path: Path) -> Path:
    """The path, which must not lead out of the folder by a link.

    Raises
    ------
    DataError
        If it does.
    """
    try:
        leaves = not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links that go round in a circle
        leaves = True
    if leaves:
        raise DataError(path, "is a link that leads out of the data set's folder; expected a file in it")
    return path
