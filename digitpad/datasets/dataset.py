"""A data set: labelled images in three parts, from the built-in MNIST or from files in any of the known formats."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad import assets
from digitpad.class_names import DIGITS, MAX_CLASSES, MAX_NAME, are_names
from digitpad.datasets.digits import Digits as Digits  # it belongs to a data set, and is asked for here
from digitpad.datasets.digits import RawPart, ReaderResult, Tell, ignore_progress
from digitpad.datasets.readers.idx import read_idx
from digitpad.datasets.readers.idx_folder import read_idx_folder
from digitpad.datasets.readers.open_dataset import read
from digitpad.errors import DataError

BUILT_IN = "mnist"
"""The name under which the shipped data set is asked for."""

N_CLASSES = len(DIGITS)  # of the built-in set

MIN_SAMPLES = 10
MIN_IN_A_CLASS = 2  # one to train on, and one to choose by
_VALIDATION_SHARE = 1 / 6  # 10 000 of MNIST's 60 000
_TEST_SHARE = 1 / 7  # 10 000 of MNIST's 70 000
_SPLIT_SEED = 1

_MNIST_SHA256 = {
    "train-images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "train-labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "test-images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "test-labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to train on, to choose by (validation), and to report once (test).

    Attributes
    ----------
    sha256 : str
        That of all images and labels, which is the same in whatever format they were found.
    class_names : tuple of str
        What each label stands for.
    format : str
        In what it was found.
    notes : tuple of str
        What was done to it, each a sentence.
    """

    name: str
    training: Digits
    validation: Digits
    test: Digits
    sha256: str
    class_names: tuple[str, ...] = DIGITS
    format: str = "IDX files"
    notes: tuple[str, ...] = ()


def load(source: str, tell: Tell = ignore_progress) -> Dataset:
    """The data set of that name, file or folder: `BUILT_IN`, or a path of any kind that `readers.read` knows.

    Parameters
    ----------
    source : str
    tell : callable, optional
        Hears now and then how many images were read, where that takes long; what it raises ends the reading.

    Raises
    ------
    DataError
        If there is no such file or folder, or something in it is wrong.
    """
    return mnist() if source == BUILT_IN else load_path(Path(source), tell)


@functools.cache
def mnist() -> Dataset:
    """The shipped MNIST, its files checked against their sums; loaded once (about 0.4 s, 55 MB)."""
    return _dataset("MNIST", read_idx_folder(assets.DATA, sums=_MNIST_SHA256))


@functools.cache
def one_of_each() -> NDArray[np.uint8]:
    """A built-in training digit of each kind, in order, of shape (10, 28, 28), without reading the rest of the set.

    Raises
    ------
    DataError
        If a file is missing or is not what its name says.
    """
    n_first = 64  # all ten are among them
    images = read_idx(assets.DATA / "train-images-idx3-ubyte.gz", 3, n_first)
    labels = read_idx(assets.DATA / "train-labels-idx1-ubyte.gz", 1, n_first)
    return images[[np.argmax(labels == digit) for digit in range(len(DIGITS))]]


def load_path(path: Path, tell: Tell = ignore_progress) -> Dataset:
    """A data set from a file or folder.

    Where there is no test part, a seventh is set aside for it, drawn with a fixed seed and from each class alike. For
    validation it is the last sixth of what is left, as of MNIST; or, where that does not hold each class as the rest
    does, a sixth drawn likewise.

    Raises
    ------
    DataError
        If there is no such file or folder, or something in it is wrong.
    """
    name = path.resolve().name
    return _dataset(path.resolve().parent.name if name == "raw" else name, read(path, tell))


def _dataset(name: str, found: ReaderResult) -> Dataset:
    parts = [found.training] if found.test is None else [found.training, found.test]
    for part in parts:
        if len(part.labels) < MIN_SAMPLES:
            raise DataError(part.path, f"holds {len(part.labels)} samples; a data set takes at least {MIN_SAMPLES}")
    names, places = _classes(found)
    digits = [_in_classes(part, places) for part in parts]
    digest = hashlib.sha256()
    for part_digits in digits:
        for array in (part_digits.images, part_digits.labels):
            digest.update(hashlib.sha256(array.data).digest())
    notes = list(found.notes)
    training = digits[0]
    if found.test is None:
        training, test = _drawn(training, _TEST_SHARE)
        notes.append(
            f"There is no test part: of each class a seventh, {len(test):,} images in all, was drawn with a fixed seed "
            "and set aside."
        )
    else:
        test = digits[1]
    n_training = len(training) - round(len(training) * _VALIDATION_SHARE)
    validation = training[n_training:]
    if _holds_each_class(validation.labels, training.labels, len(names)):
        training = training[:n_training]
    else:
        training, validation = _drawn(training, _VALIDATION_SHARE)
    return Dataset(name, training, validation, test, digest.hexdigest(), names, found.format, tuple(notes))


def _classes(found: ReaderResult) -> tuple[tuple[str, ...], dict[str, int]]:
    """The names of the classes, and the place of each label among them.

    Raises
    ------
    DataError
        If there are too few or too many, or a label is alone of its kind.
    """
    counts = _counts(found.training)
    for text, n in counts.items():
        if n < MIN_IN_A_CLASS:
            raise _alone(found.training, text, f"alone of its class; expected {MIN_IN_A_CLASS} at least")
    if len(counts) < 2:
        raise DataError(found.training.path, f"holds the class {next(iter(counts))!r} alone; expected two at least")
    if found.test is not None:
        for text in _counts(found.test):
            if text not in counts:
                raise _alone(found.test, text, "and no image to train on is")
    known: Mapping[str, str] = found.class_names
    if not counts.keys() <= known.keys():
        known = dict(zip(DIGITS, DIGITS, strict=True))
    if not counts.keys() <= known.keys():
        known = {text: text for text in sorted(counts, key=_natural)}
    names = tuple(known.values())
    if not are_names(names):
        raise DataError(
            found.training.path,
            f"has {len(names)} classes; at most {MAX_CLASSES}, with names of {MAX_NAME} letters, are possible",
        )
    return names, {text: place for place, text in enumerate(known)}


def _counts(part: RawPart) -> dict[str, int]:
    n = np.bincount(part.labels, minlength=len(part.texts))
    return {text: int(count) for text, count in zip(part.texts, n, strict=False) if count}


def _alone(part: RawPart, text: str, problem: str) -> DataError:
    row = int(np.argmax(part.labels == part.texts.index(text)))
    return DataError(part.path, f"label {row} is {text}, {problem}")


def _natural(text: str) -> tuple[bool, int, str]:
    """Numbers in their order, and before words."""
    is_number = text.isascii() and text.isdecimal()
    return not is_number, int(text) if is_number else 0, text


def _in_classes(part: RawPart, places: Mapping[str, int]) -> Digits:
    """The part's images with their classes as labels; read-only."""
    table = np.array([places.get(text, 0) for text in part.texts], np.uint8)
    digits = Digits(part.images, table[part.labels])
    for array in (digits.images, digits.labels):
        array.flags.writeable = False
    return digits


def _drawn(digits: Digits, share: float) -> tuple[Digits, Digits]:
    """What is left, and a share of each class, at least one and never all, drawn with a fixed seed."""
    rng = np.random.default_rng(_SPLIT_SEED)
    chosen = np.zeros(len(digits), bool)
    for label in np.unique(digits.labels):
        rows = np.flatnonzero(digits.labels == label)
        n = min(max(1, round(share * len(rows))), len(rows) - 1)
        chosen[rng.permutation(rows)[:n]] = True
    return _rows(digits, ~chosen), _rows(digits, chosen)


def _rows(digits: Digits, which: NDArray[np.bool_]) -> Digits:
    part = Digits(digits.images[which], digits.labels[which])
    for array in (part.images, part.labels):
        array.flags.writeable = False
    return part


def _holds_each_class(some: NDArray[np.uint8], all_labels: NDArray[np.uint8], n_classes: int) -> bool:
    """Whether each class is there with half of its share at least, and leaves half of it to the rest."""
    here, everywhere = (np.bincount(labels, minlength=n_classes) for labels in (some, all_labels))
    expected = everywhere * len(some) / len(all_labels)
    return bool((here >= np.floor(expected / 2)).all() and (everywhere - here >= np.minimum(everywhere, 1)).all())
