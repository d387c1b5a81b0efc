"""Arrays by name, as archives and pickles keep them: which are images and labels, and what their numbers mean."""

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES
from digitpad.datasets.digits import SIDE, RawPart, ReaderResult, check_count, check_images
from digitpad.datasets.download.families import family_of
from digitpad.datasets.readers.pixels import Pixels, whole_numbers
from digitpad.errors import DataError

Pair = tuple[str, str]

TRAINING_PAIR: Pair = ("training images", "training labels")
VALIDATION_PAIR: Pair = ("validation images", "validation labels")
TEST_PAIR: Pair = ("test images", "test labels")
"""What arrays are called that have no names in their file."""

_TRAINING = (
    ("x_train", "y_train"),
    ("x_train", "t_train"),
    ("train_images", "train_labels"),
    ("training_images", "training_labels"),
    ("train_img", "train_label"),
    ("images", "labels"),
    ("x", "y"),
    ("data", "target"),
    ("data", "labels"),
    TRAINING_PAIR,
)
_VALIDATION = (
    ("x_valid", "y_valid"),
    ("x_val", "y_val"),
    ("valid_images", "valid_labels"),
    ("val_images", "val_labels"),
    ("validation_images", "validation_labels"),
    VALIDATION_PAIR,
)
_TEST = (
    ("x_test", "y_test"),
    ("x_test", "t_test"),
    ("test_images", "test_labels"),
    ("test_img", "test_label"),
    TEST_PAIR,
)

_OF_WEIGHTS = re.compile(r"(.*[._])?([wb]|weights?|bias(es)?|kernel|coefs?|thetas?|header)[_0-9]*", re.IGNORECASE)


def training_pair(names: Collection[str]) -> Pair | None:
    """The names of the images and labels to train on, where none of the names is one of weights."""
    return None if named_as_weights(names) else _pair(names, _TRAINING)


def named_as_weights(names: Iterable[str]) -> list[str]:
    """Those of the names that weights and biases have."""
    return [name for name in names if _OF_WEIGHTS.fullmatch(name)]


def are_images(shape: tuple[int, ...]) -> bool:
    """Whether an array of that shape may be images of 28 × 28 pixels."""
    return shape[1:] in ((SIDE * SIDE,), (SIDE, SIDE), (SIDE, SIDE, 1), (1, SIDE, SIDE))


def found_in(path: Path, names: Collection[str], array_of: Callable[[str], NDArray[Any]], kind: str) -> ReaderResult:
    """The data set in arrays that have names.

    Parameters
    ----------
    path : Path
        Their file.
    names : collection of str
        In lower case.
    array_of : callable
        Reads the one of a name; asked for no more of them than are needed.
    kind : str
        What their file is, in a word or two.

    Raises
    ------
    DataError
        If the names are not those of images and labels, or an array is not what its name says.
    """
    pair = _pair(names, _TRAINING)
    if pair is None:
        listed = ", ".join(repr(name[:40]) for name in list(names)[:6]) or "nothing"
        weights = ", which are weights, not data" if named_as_weights(names) else ""
        raise DataError(path, f"holds {listed}{weights}; expected x_train, y_train, x_test and y_test")
    pixels = Pixels(path)
    training = _part(path, pair, array_of, pixels)
    validation, test = (
        None if pair is None else _part(path, pair, array_of, pixels)
        for pair in (_whole_pair(path, names, pairs) for pairs in (_VALIDATION, _TEST))
    )
    if validation is not None:
        training = _joined(training, validation)
        pixels.notes[
            f"Its own part for validation, {len(validation.labels):,} images, was put behind its part to train on, of "
            "which a sixth is set aside for validation as of any set."
        ] = None
    return ReaderResult(training, test, kind, family_of(path.parent.name, path.name).class_names, tuple(pixels.notes))


def _pair(names: Collection[str], pairs: Iterable[Pair]) -> Pair | None:
    """The first pair that is there."""
    return next((pair for pair in pairs if all(name in names for name in pair)), None)


def _whole_pair(path: Path, names: Collection[str], pairs: Iterable[Pair]) -> Pair | None:
    """The first pair that is there; none may be there by half."""
    if (pair := _pair(names, pairs)) is not None:
        return pair
    for images, labels in pairs:
        for here, lacking in ((images, labels), (labels, images)):
            if here in names:
                raise DataError(path, f"holds no {lacking!r} beside {here!r}")
    return None


def _joined(part: RawPart, other: RawPart) -> RawPart:
    images, labels = (np.concatenate([part.images, other.images]), np.concatenate([part.labels, other.labels]))
    check_count(part.path, len(labels))
    return RawPart(images, labels, part.path)


def _part(path: Path, pair: Pair, array_of: Callable[[str], NDArray[Any]], pixels: Pixels) -> RawPart:
    labels = _labels(path, pair[1], array_of(pair[1]))
    images = array_of(pair[0])
    if images.ndim < 2:
        raise DataError(path, f"array {pair[0]!r} has the shape {images.shape}; expected (n, {SIDE}, {SIDE})")
    if are_images(images.shape):
        images = images.reshape(len(images), SIDE, SIDE)
    check_images(path, images)
    if len(images) != len(labels):
        which = "" if pair in (TRAINING_PAIR, ("x_train", "y_train")) else f" ({pair[1]}, {pair[0]})"
        raise DataError(path, f"has {len(labels)} labels for {len(images)} images{which}")
    return RawPart(np.ascontiguousarray(pixels.as_bytes(pair[0], images)), np.ascontiguousarray(labels), path)


def _labels(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.uint8]:
    """Classes as numbers, of numbers or of rows with a single 1."""
    if array.ndim:
        check_count(path, len(array))  # rows of no number take no room, however many they are
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1:
        return whole_numbers(path, name, array, "whole numbers of 0 to 255")
    if array.ndim != 2 or not 0 < array.shape[1] <= MAX_CLASSES:
        raise DataError(path, f"array {name!r} has the shape {array.shape}; expected one label an image")
    good = ((array == 0) | (array == 1)).all(axis=1) & ((array == 1).sum(axis=1) == 1)
    if not good.all():
        raise DataError(path, f"row {int(np.argmin(good))} of {name!r} is no label; expected a single 1 among zeros")
    return array.argmax(axis=1).astype(np.uint8)
