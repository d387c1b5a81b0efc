"""Datasets as named arrays, in archives and pickles: find the images and labels, and convert their values."""

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
"""Names for arrays that are unnamed in their file."""

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

_WEIGHT_NAME = re.compile(r"(.*[._])?([wb]|weights?|bias(es)?|kernel|coefs?|thetas?|header)[_0-9]*", re.IGNORECASE)


def training_pair(names: Collection[str]) -> Pair | None:
    """Return the names of the training images and labels; None if there are none or any name is one of weights."""
    return None if named_as_weights(names) else _first_pair(names, _TRAINING)


def named_as_weights(names: Iterable[str]) -> list[str]:
    """Return the names that are typical of weights and biases."""
    return [name for name in names if _WEIGHT_NAME.fullmatch(name)]


def are_images(shape: tuple[int, ...]) -> bool:
    """Return whether an array of that shape may be images of 28 × 28 pixels."""
    return shape[1:] in ((SIDE * SIDE,), (SIDE, SIDE), (SIDE, SIDE, 1), (1, SIDE, SIDE))


def found_in(path: Path, names: Collection[str], array_of: Callable[[str], NDArray[Any]], kind: str) -> ReaderResult:
    """Build a dataset from named arrays.

    Parameters
    ----------
    path : Path
        File of the arrays.
    names : collection of str
        Names of the arrays, in lower case.
    array_of : callable
        Function that reads the array of a name; called only for the required arrays.
    kind : str
        File format in a word or two.

    Raises
    ------
    DataError
        If the names are not those of images and labels, or an array does not match its name.
    """
    pair = _first_pair(names, _TRAINING)
    if pair is None:
        listed = ", ".join(repr(name[:40]) for name in list(names)[:6]) or "nothing"
        weights = ", which are weights, not a dataset" if named_as_weights(names) else ""
        raise DataError(path, f"contains {listed}{weights}; expected x_train, y_train, x_test and y_test")
    pixels = Pixels(path)
    training = _part(path, pair, array_of, pixels)
    validation, test = (
        None if pair is None else _part(path, pair, array_of, pixels)
        for pair in (_complete_pair(path, names, pairs) for pairs in (_VALIDATION, _TEST))
    )
    if validation is not None:
        training = _concatenated(training, validation)
        pixels.notes[
            f"The file's validation set ({len(validation.labels):,} images) was appended to its training set. "
            "As for every dataset, a sixth of the result was then set aside for validation."
        ] = None
    return ReaderResult(training, test, kind, family_of(path.parent.name, path.name).class_names, tuple(pixels.notes))


def _first_pair(names: Collection[str], pairs: Iterable[Pair]) -> Pair | None:
    """Return the first pair with both names present, or None."""
    return next((pair for pair in pairs if all(name in names for name in pair)), None)


def _complete_pair(path: Path, names: Collection[str], pairs: Iterable[Pair]) -> Pair | None:
    """Return the first pair with both names present, or None.

    Raises
    ------
    DataError
        If there is no complete pair, but half of a pair is present.
    """
    if (pair := _first_pair(names, pairs)) is not None:
        return pair
    for images, labels in pairs:
        for present, missing in ((images, labels), (labels, images)):
            if present in names:
                raise DataError(path, f"contains {present!r} but no {missing!r}")
    return None


def _concatenated(part: RawPart, other: RawPart) -> RawPart:
    images, labels = (np.concatenate([part.images, other.images]), np.concatenate([part.labels, other.labels]))
    check_count(part.path, len(labels))
    return RawPart(images, labels, part.path)


def _part(path: Path, pair: Pair, array_of: Callable[[str], NDArray[Any]], pixels: Pixels) -> RawPart:
    labels = _class_numbers(path, pair[1], array_of(pair[1]))
    images = array_of(pair[0])
    if images.ndim < 2:
        raise DataError(path, f"array {pair[0]!r} has the shape {images.shape}; expected (n, {SIDE}, {SIDE})")
    if are_images(images.shape):
        images = images.reshape(len(images), SIDE, SIDE)
    check_images(path, images)
    if len(images) != len(labels):
        pair_names = "" if pair in (TRAINING_PAIR, ("x_train", "y_train")) else f" ({pair[1]}, {pair[0]})"
        raise DataError(path, f"has {len(labels)} labels for {len(images)} images{pair_names}")
    return RawPart(np.ascontiguousarray(pixels.as_bytes(pair[0], images)), np.ascontiguousarray(labels), path)


def _class_numbers(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return class numbers from an array of numbers or of one-hot rows."""
    if array.ndim:
        check_count(path, len(array))  # rows of zero columns take no memory, however many there are
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1:
        return whole_numbers(path, name, array, "whole numbers from 0 to 255")
    if array.ndim != 2 or not 0 < array.shape[1] <= MAX_CLASSES:
        raise DataError(path, f"array {name!r} has the shape {array.shape}; expected one label per image")
    is_valid = ((array == 0) | (array == 1)).all(axis=1) & ((array == 1).sum(axis=1) == 1)
    if not is_valid.all():
        raise DataError(
            path, f"row {int(np.argmin(is_valid))} of {name!r} is not one-hot; expected a single 1 among zeros"
        )
    return array.argmax(axis=1).astype(np.uint8)
