"""My digits as a dataset: alone or together with MNIST, split at random or by writer.

=============================  =====================================================================================
``my-digits``                  of each five drawings of a digit, the second is for the test and the third for
                               validation; drawings that are added later do not move earlier ones
``my-digits-by-writer``        the same, but split by writer: no writer is in two parts
``mnist+my-digits``            MNIST's parts, each with those of ``my-digits``
``mnist+my-digits-by-writer``  MNIST's parts, each with those of ``my-digits-by-writer``
=============================  =====================================================================================

Together with MNIST, the training drawings are repeated until they are a tenth of the training set. Drawings that are
not digits are left out.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import SIDE, TELL_EVERY, Digits
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.datasets.own_digits.store import own_digits_path, read_own_digits
from digitpad.errors import DataError, InkError
from digitpad.formats.progress import ProgressCallback, ignore_progress

OWN, OWN_BY_WRITER = "my-digits", "my-digits-by-writer"
WITH_MNIST, WITH_MNIST_BY_WRITER = "mnist+my-digits", "mnist+my-digits-by-writer"

OWN_SOURCES = (OWN, OWN_BY_WRITER, WITH_MNIST, WITH_MNIST_BY_WRITER)
"""Names of datasets that contain My digits."""

MIN_WRITERS = 3
_OWN_SHARE = 0.1  # of the training set, together with MNIST
_TRAINING, _VALIDATION, _TEST = range(3)

Parts = tuple[Digits, Digits, Digits]


def own_parts(source: str, tell: ProgressCallback = ignore_progress) -> tuple[Parts, tuple[str, ...]]:
    """Return the training, validation and test digits of one of `OWN_SOURCES`, without MNIST, and notes.

    Raises
    ------
    DataError
        If the file cannot be read, or there are too few drawings or writers.
    """
    path = own_digits_path()
    try:
        store = read_own_digits(path)
    except InkError as error:
        raise DataError(path, f"{error.problem}; label some drawings in My digits first") from error
    digits = [digit for digit in store.digits if digit.is_digit]
    notes = [f"{path.name}: {problem}" for problem in store.problems[:1]]
    if len(digits) < len(store.digits):
        notes.append(f"{len(store.digits) - len(digits):,} drawings that are not digits were left out.")
    if source in (OWN_BY_WRITER, WITH_MNIST_BY_WRITER):
        places = _places_by_writer(digits, path)
    else:
        places = _places_in_turn([digit.label for digit in digits])
    alone = source in (OWN, OWN_BY_WRITER)
    for place, name in ((_TRAINING, "training"), (_VALIDATION, "validation"), (_TEST, "test")):
        if (places == place).sum() < 1:
            raise DataError(path, f"has {len(digits):,} digits, too few for a {name} set; write three of each digit")
    if alone and len({digit.label for digit in digits}) < 2:
        raise DataError(path, "has drawings of one digit only; a dataset needs at least two")
    images = np.empty((len(digits), SIDE, SIDE), np.uint8)
    for row, digit in enumerate(digits):
        images[row] = digit.image
        tell(0 if (row + 1) % TELL_EVERY else row + 1)
    labels = np.array([digit.label for digit in digits], np.uint8)
    training, validation, test = (Digits(images[places == place], labels[places == place]) for place in range(3))
    return (training, validation, test), tuple(notes)


def joined(mnist_parts: Parts, own: Parts) -> tuple[Parts, str]:
    """Return MNIST's parts with the own ones, and a note on how often the training drawings are repeated."""
    n_mnist, n_own = len(mnist_parts[_TRAINING]), len(own[_TRAINING])
    n_times = max(1, round(_OWN_SHARE / (1 - _OWN_SHARE) * n_mnist / n_own))
    training = _join(mnist_parts[_TRAINING], *[own[_TRAINING]] * n_times)
    note = f"The {n_own:,} own training digits are repeated {n_times:,} times, to about a tenth of the training set."
    return (training, _join(mnist_parts[_VALIDATION], own[_VALIDATION]), _join(mnist_parts[_TEST], own[_TEST])), note


def sha256_of(parts: Parts) -> str:
    """Return the SHA-256 of all images and labels."""
    digest = hashlib.sha256()
    for part in parts:
        for array in (part.images, part.labels):
            digest.update(hashlib.sha256(np.ascontiguousarray(array).data).digest())
    return digest.hexdigest()


def _join(*parts: Digits) -> Digits:
    return Digits(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def _places_in_turn(labels: Sequence[int]) -> NDArray[np.int_]:
    """Return the part of each drawing: of each digit, in turn training, test and validation; then twice training."""
    cycle = np.array([_TRAINING, _TEST, _VALIDATION, _TRAINING, _TRAINING])
    places = np.zeros(len(labels), int)
    array = np.array(labels)
    for label in set(labels):
        rows = np.flatnonzero(array == label)
        places[rows] = cycle[np.arange(len(rows)) % len(cycle)]
    return places


def _places_by_writer(digits: Sequence[OwnDigit], path: Path) -> NDArray[np.int_]:
    """Return the part of each drawing: writers in order of their first drawing, in turn as `_places_in_turn`."""
    writers = list(dict.fromkeys(digit.writer for digit in digits))
    if len(writers) < MIN_WRITERS:
        raise DataError(
            path, f"has {len(writers)} writers; a split by writer needs at least {MIN_WRITERS}, so use {OWN} instead"
        )
    turns = _places_in_turn([0] * len(writers))
    part_of = dict(zip(writers, turns.tolist(), strict=True))
    return np.array([part_of[digit.writer] for digit in digits])
