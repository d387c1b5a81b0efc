"""Datasets as named arrays, in archives, folders, pickles and MATLAB files: find the parts, convert the values."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES
from digitpad.datasets.conversion.array_roles import (
    Roles,
    find_roles,
    half_pairs,
    image_layouts,
    label_counts,
    named_as_weights,
)
from digitpad.datasets.conversion.label_names import digits_of_one_to_ten
from digitpad.datasets.conversion.pixels import Pixels, whole_numbers
from digitpad.datasets.digits import NUMBERS, RawPart, ReaderResult, check_count
from digitpad.datasets.download.families import family_of
from digitpad.errors import DataError

TRAINING_PAIR = ("training images", "training labels")
VALIDATION_PAIR = ("validation images", "validation labels")
TEST_PAIR = ("test images", "test labels")
"""Names for unnamed arrays whose roles follow from the structure of the file."""

_STRUCTURAL = (TRAINING_PAIR, VALIDATION_PAIR, TEST_PAIR)

EXPECTED = "images and labels, such as x_train, y_train, x_test and y_test"

_N_INSPECTED = 100  # images and labels that are inspected to tell them from weights
_GREY = np.array([0.299, 0.587, 0.114])
_BLOCK = 4096

ArrayOf = Callable[[str], NDArray[Any]]
Shapes = Mapping[str, tuple[int, ...]]


def has_pair(shapes: Shapes, array_of: ArrayOf) -> bool:
    """Return whether named arrays hold images with labels, and none of them is named as weights.

    ``array_of`` returns the array of a name. It is called only if names do not say what the arrays are.
    """
    if named_as_weights(shapes):
        return False
    roles = find_roles(shapes)
    return any(
        _fits(shapes, pair)
        and ((pair.stated and (pair.images, pair.labels) not in _STRUCTURAL) or _looks_right(array_of, pair))
        for pair in roles.values()
    )


def found_in(path: Path, shapes: Shapes, array_of: ArrayOf, kind: str) -> ReaderResult:
    """Build a dataset from named arrays.

    Parameters
    ----------
    path : Path
        File of the arrays.
    shapes : mapping of str
        Shape of each array.
    array_of : callable
        Function that reads the array of a name; called only for the required arrays.
    kind : str
        File format in a word or two.

    Raises
    ------
    DataError
        If no arrays are images and labels, or an array has invalid values. The message lists all problems.
    """
    roles = find_roles(shapes)
    roles = {part: pair for part, pair in roles.items() if pair.stated or _looks_right(array_of, pair)}
    problems = [f"contains {name!r} but no {missing} for it" for name, missing in half_pairs(shapes, roles)]
    if not roles or problems:
        raise DataError(path, "; ".join(problems[:3]) if roles else _no_pair(shapes, problems))
    pixels = Pixels(path)
    notes: dict[str, None] = {}
    parts = {part: _part(path, pair, shapes, array_of, pixels, notes) for part, pair in roles.items()}
    training = parts.get("training")
    validation = parts.get("validation")
    if validation is not None and training is not None:
        training = _concatenated(training, validation)
        pixels.notes[
            f"The file's validation set ({len(validation.labels):,} images) was appended to its training set. "
            "As for every dataset, a sixth of the result was then set aside for validation."
        ] = None
    family = family_of(path.parent.name, path.name)
    return ReaderResult(
        training, parts.get("test", validation if training is None else None), kind, family.class_names,
        (*pixels.notes, *notes),
    )  # fmt: skip


def _no_pair(shapes: Shapes, problems: list[str]) -> str:
    listed = ", ".join(f"{name[:40]!r} ({' × '.join(map(str, shape))})" for name, shape in list(shapes.items())[:6])
    weights = ", which are weights, not a dataset" if named_as_weights(shapes) else ""
    found = problems[:3] or [f"contains {listed or 'nothing'}{weights}"]
    return "; ".join([*found, f"expected {EXPECTED}"])


def _fits(shapes: Shapes, pair: Roles) -> bool:
    return not label_counts(shapes[pair.labels]).isdisjoint(image_layouts(shapes[pair.images]))


def _looks_right(array_of: ArrayOf, pair: Roles) -> bool:
    """Return whether values are those of images and labels rather than of a weight matrix and its biases."""
    images, labels = array_of(pair.images), array_of(pair.labels)
    first = labels.reshape(len(labels), -1)[:_N_INSPECTED]
    # Biases are fractions, or all equal before training; weights quantised to integers have negative values.
    if not (first == np.floor(first)).all() or not (labels != labels.flat[:1]).any() or (first < -1).any():
        return False
    return images.dtype.kind == "f" or not (images[:_N_INSPECTED] < 0).any()


def _concatenated(part: RawPart, other: RawPart) -> RawPart:
    images, labels = (np.concatenate([part.images, other.images]), np.concatenate([part.labels, other.labels]))
    check_count(part.path, len(labels))
    return RawPart(images, labels, part.path)


def _part(
    path: Path, pair: Roles, shapes: Shapes, array_of: ArrayOf, pixels: Pixels, notes: dict[str, None]
) -> RawPart:
    problems: list[str] = []
    images = labels = None
    try:
        labels = class_numbers(path, pair.labels, array_of(pair.labels), image_layouts(shapes[pair.images]), notes)
    except DataError as error:
        problems.append(error.problem)
    layouts = image_layouts(shapes[pair.images])
    if not layouts:
        shape = shapes[pair.images]
        problems.append(f"array {pair.images!r} has the shape {shape}; expected (n, height, width) or (n, pixels)")
    else:
        n = len(labels) if labels is not None and len(labels) in layouts else next(reversed(layouts))
        if labels is not None and len(labels) not in layouts:
            names = "" if (pair.images, pair.labels) == TRAINING_PAIR else f" ({pair.labels}, {pair.images})"
            problems.append(f"has {len(labels):,} labels for {n:,} images{names}")
        check_count(path, n)
        try:
            array = array_of(pair.images)
            if layouts[n].axes is not None:
                array = array.transpose(layouts[n].axes)
            images = grey(pixels.as_bytes(pair.images, array.reshape(layouts[n].shape)))
        except DataError as error:
            problems.append(error.problem)
    if problems or images is None or labels is None:
        raise DataError(path, "; ".join(problems))
    return RawPart(np.ascontiguousarray(images), np.ascontiguousarray(labels), path, NUMBERS)


def grey(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey levels, shape (n, height, width), of images that may have a last axis of three or four colours."""
    if images.ndim == 3:
        return images
    levels = np.empty(images.shape[:3], np.uint8)
    for begin in range(0, len(images), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        levels[block] = np.rint(images[block, ..., :3] @ _GREY)
    return levels


def class_numbers(
    path: Path, name: str, array: NDArray[Any], counts: Mapping[int, object], notes: dict[str, None]
) -> NDArray[np.uint8]:
    """Return class numbers from an array of numbers, or of one-hot rows or columns.

    Parameters
    ----------
    path, name
        File and name of the array, for errors.
    array : ndarray
    counts : mapping of int
        Possible numbers of images, as its keys.
    notes : dict of str
        Sentences about changes are added as keys.

    Raises
    ------
    DataError
        If a label is not a whole number from 0 to 255, or a row is not one-hot.
    """
    if array.ndim:
        check_count(path, max(array.shape))  # rows of zero columns take no memory, however many there are
    if array.ndim == 3 and array.shape[2] == 1:  # one-hot columns
        array = array[:, :, 0]
    if array.ndim == 2 and array.shape[0] not in counts and array.shape[1] in counts:
        array = array.T
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1:
        numbers = whole_numbers(path, name, array, "whole numbers from 0 to 255")
        if numbers.size and numbers.min() == 1 and numbers.max() == 10 and np.unique(numbers).size == 10:
            digits, note = digits_of_one_to_ten(path)
            notes[note] = None
            numbers = np.array([0, *(int(digits[str(n)]) for n in range(1, 11))], np.uint8)[numbers]
        return numbers
    if array.ndim != 2 or not 0 < array.shape[1] <= MAX_CLASSES:
        raise DataError(path, f"array {name!r} has the shape {array.shape}; expected one label per image")
    is_valid = ((array == 0) | (np.abs(array) == 1)).all(axis=1) & ((array == 1).sum(axis=1) == 1)
    if not is_valid.all():
        raise DataError(
            path, f"row {int(np.argmin(is_valid))} of {name!r} is not one-hot; expected a single 1 among zeros"
        )
    return array.argmax(axis=1).astype(np.uint8)
