"""Datasets of labelled images, split into training, validation and test sets: the built-in MNIST, or files."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad import assets
from digitpad.class_names import DIGITS, MAX_CLASSES, MAX_NAME, are_names
from digitpad.datasets.conversion.preparation import AUTO, prepared
from digitpad.datasets.digits import Digits as Digits  # re-exported: callers import it from here
from digitpad.datasets.digits import RawPart, ReaderResult
from digitpad.datasets.own_digits.dataset import (
    OWN_BY_WRITER,
    OWN_SOURCES,
    WITH_MNIST,
    WITH_MNIST_BY_WRITER,
    joined,
    own_parts,
    sha256_of,
)
from digitpad.datasets.readers.idx import read_idx
from digitpad.datasets.readers.idx_folder import read_idx_folder
from digitpad.datasets.readers.open_dataset import read
from digitpad.errors import DataError
from digitpad.formats.progress import ProgressCallback, ignore_progress

BUILT_IN = "mnist"
"""Name of the built-in dataset."""

N_CLASSES = len(DIGITS)  # of the built-in dataset

MIN_SAMPLES = 10
MIN_IN_A_CLASS = 2  # at least one each for training and validation
SMALL = 100
"""A dataset of fewer images without a test set is not split; all its images are scored by default."""
_VALIDATION_SHARE = 1 / 6  # MNIST: 10,000 of 60,000
_TEST_SHARE = 1 / 7  # MNIST: 10,000 of 70,000
_SPLIT_SEED = 1

_MNIST_SHA256 = {
    "train-images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "train-labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "test-images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "test-labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images in a training set, a validation set (for choices) and a test set (for the final score).

    Attributes
    ----------
    sha256 : str
        SHA-256 of all images and labels. It does not depend on the file format.
    class_names : tuple of str
        Name of the class of each label.
    format : str
        File format.
    notes : tuple of str
        Changes made while reading, one sentence each.
    skipped : tuple of str
        Files that could not be read and were left out, each with its problem.
    training_problem : str
        Why the dataset can only be scored, not trained on; empty if it can. Then all images are in ``test``.
    default_part : str
        Part to score unless the user chooses one: "test", or "all" if the test set was split off a small dataset.
    """

    name: str
    training: Digits
    validation: Digits
    test: Digits
    sha256: str
    class_names: tuple[str, ...] = DIGITS
    format: str = "IDX files"
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    training_problem: str = ""
    default_part: str = "test"

    @property
    def all(self) -> Digits:
        """All images: the training, validation and test set, joined."""
        parts = [part for part in (self.training, self.validation, self.test) if len(part)]
        if len(parts) == 1:
            return parts[0]
        return Digits(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))

    def check_trainable(self) -> None:
        """Raise a DataError if the dataset can be used to evaluate, but not to train."""
        if self.training_problem:
            raise DataError(self.name, f"{self.training_problem}; it can be used to evaluate, but not to train")


def load(source: str, tell: ProgressCallback = ignore_progress, normalise: str = AUTO) -> Dataset:
    """Load the built-in dataset (`BUILT_IN`), My digits, or a file or folder that `readers.open_dataset` supports.

    Parameters
    ----------
    source : str
        `BUILT_IN`, one of `OWN_SOURCES`, or the path of a file or folder.
    tell : callable, optional
        Called with the number of images read so far, if reading takes long. An exception that it raises stops reading.
    normalise : {"auto", "always", "never"}
        Whether to scale and centre images of 28 × 28 pixels like MNIST's: if they seem to need it, always, or never.
        The built-in dataset is not changed.

    Raises
    ------
    DataError
        If there is no such file or folder, or it is not a valid dataset.
    """
    if source in OWN_SOURCES:
        return _own(source, tell)
    return mnist() if source == BUILT_IN else load_path(Path(source), tell, normalise)


def _own(source: str, tell: ProgressCallback) -> Dataset:
    """Load My digits, alone or with MNIST."""
    parts, notes = own_parts(source, tell)
    name = "My digits"
    if source in (WITH_MNIST, WITH_MNIST_BY_WRITER):
        built_in = mnist()
        name = "MNIST and my digits"
        parts, note = joined((built_in.training, built_in.validation, built_in.test), parts)
        notes = (*notes, note)
    if source in (OWN_BY_WRITER, WITH_MNIST_BY_WRITER):
        name += ", by writer"
    return Dataset(name, *parts, sha256_of(parts), format="strokes", notes=notes)


@functools.cache
def mnist() -> Dataset:
    """Load the built-in MNIST and verify the SHA-256 of its arrays. Cached; the first call takes 0.4 s and 55 MB."""
    return _dataset("MNIST", read_idx_folder(assets.DATA, sums=_MNIST_SHA256))


@functools.cache
def one_of_each() -> NDArray[np.uint8]:
    """Return the first built-in training image of each digit, in order: uint8 of shape (10, 28, 28).

    Only the beginning of the files is read.

    Raises
    ------
    DataError
        If a file is missing or its content does not match its name.
    """
    n_first = 64  # they include all ten digits
    images = read_idx(assets.DATA / "train-images-idx3-ubyte.gz", 3, n_first)
    labels = read_idx(assets.DATA / "train-labels-idx1-ubyte.gz", 1, n_first)
    return images[[np.argmax(labels == digit) for digit in range(len(DIGITS))]]


def load_path(path: Path, tell: ProgressCallback = ignore_progress, normalise: str = AUTO) -> Dataset:
    """Load a dataset from a file or folder.

    If there is no test set, a stratified seventh is split off with a fixed seed. The validation set is the last sixth
    of the remaining images, as for MNIST. If that sixth does not represent every class, the validation set is instead
    a stratified sixth, drawn with a fixed seed. A dataset that is too small to train on, or has only a test set, has
    all its images in the test set. Images are prepared like MNIST's; see `conversion.preparation.prepared`.

    Raises
    ------
    DataError
        If there is no such file or folder, or it is not a valid dataset.
    """
    name = path.resolve().name
    result = prepared(read(path, tell), normalise, tell)
    return _dataset(path.resolve().parent.name if name == "raw" else name, result)


def _dataset(name: str, result: ReaderResult) -> Dataset:
    parts = [part for part in (result.training, result.test) if part is not None]
    for part in parts:
        if not len(part.labels):
            raise DataError(part.path, "has no images")
    names, indices = _classes(result, parts)
    digits = [_to_digits(part, indices) for part in parts]
    digest = hashlib.sha256()
    for part_digits in digits:
        for array in (part_digits.images, part_digits.labels):
            digest.update(hashlib.sha256(array.data).digest())
    problem = _training_problem(result)
    default_part = "test"
    notes = list(result.notes)
    if problem:
        training = validation = digits[0][:0]
        test = digits[-1]
    else:
        training = digits[0]
        if result.test is None:
            default_part = "all" if len(training) < SMALL else "test"
            training, test = _split_off(training, _TEST_SHARE)
            notes.append(
                f"There is no test set, so a seventh of each class ({len(test):,} images in total) was split off "
                "with a fixed seed."
            )
        else:
            test = digits[1]
        training, validation = _split_validation(training, len(names))
    return Dataset(
        name, training, validation, test, digest.hexdigest(), names, result.format, tuple(notes), result.skipped,
        problem, default_part,
    )  # fmt: skip


def _split_validation(training: Digits, n_classes: int) -> tuple[Digits, Digits]:
    n_training = len(training) - round(len(training) * _VALIDATION_SHARE)
    validation = training[n_training:]
    if _represents_each_class(validation.labels, training.labels, n_classes):
        return training[:n_training], validation
    return _split_off(training, _VALIDATION_SHARE)


def _training_problem(result: ReaderResult) -> str:
    """Return why the training set is too small to train on; empty if it is not."""
    if result.training is None:
        return "has only a test set"
    counts = _counts(result.training)
    n = len(result.training.labels)
    if n < MIN_SAMPLES:
        return f"has {n} images for training, and needs at least {MIN_SAMPLES}"
    if len(counts) < 2:
        return f"has only the class {next(iter(counts))!r}, and needs at least two"
    single = [text for text, count in counts.items() if count < MIN_IN_A_CLASS]
    if single:
        names = ", ".join(single[:4]) + ", …" * (len(single) > 4)
        return f"has only one image of {names}, and needs at least {MIN_IN_A_CLASS} of each class"
    return ""


def _classes(result: ReaderResult, parts: Sequence[RawPart]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the class names, and the class index of each label text.

    Raises
    ------
    DataError
        If there are too few or too many classes, or a label occurs once or is not a training label, and is therefore
        likely to be wrong. Digits and names of a known dataset are accepted.
    """
    counts = _counts(parts[0])
    usual = {**dict.fromkeys(DIGITS), **dict.fromkeys(result.class_names)}
    is_small = len(parts[0].labels) < SMALL and 2 * sum(n < MIN_IN_A_CLASS for n in counts.values()) > len(counts)
    for text, n in counts.items():
        if n < MIN_IN_A_CLASS and text not in usual and not is_small:
            raise _label_error(parts[0], text, f"the only sample of its class; a class needs at least {MIN_IN_A_CLASS}")
    if len(counts) < 2 and not counts.keys() <= usual.keys():
        raise DataError(parts[0].path, f"has only the class {next(iter(counts))!r}; a dataset needs at least two")
    for part in parts[1:]:
        for text in _counts(part):
            if text not in counts and text not in usual:
                raise _label_error(part, text, "a class without training images")
            counts.setdefault(text, 0)
    known: Mapping[str, str] = result.class_names
    if not counts.keys() <= known.keys():
        known = dict(zip(DIGITS, DIGITS, strict=True))
    if not counts.keys() <= known.keys():
        known = {text: text for text in sorted(counts, key=_sort_key)}
    names = tuple(known.values())
    if not are_names(names):
        raise DataError(
            parts[0].path,
            f"has {len(names)} classes; the limit is {MAX_CLASSES}, with names of at most {MAX_NAME} characters",
        )
    return names, {text: index for index, text in enumerate(known)}


def _counts(part: RawPart) -> dict[str, int]:
    n = np.bincount(part.labels, minlength=len(part.texts))
    return {text: int(count) for text, count in zip(part.texts, n, strict=False) if count}


def _label_error(part: RawPart, text: str, problem: str) -> DataError:
    row = int(np.argmax(part.labels == part.texts.index(text)))
    return DataError(part.path, f"label {row} is {text}, {problem}")


def _sort_key(text: str) -> tuple[bool, int, str]:
    """Return a sort key that puts numbers in numerical order, before words."""
    is_number = text.isascii() and text.isdecimal()
    return not is_number, int(text) if is_number else 0, text


def _to_digits(part: RawPart, indices: Mapping[str, int]) -> Digits:
    """Return the images of a part, labelled with their class indices, as read-only arrays."""
    table = np.array([indices.get(text, 0) for text in part.texts], np.uint8)
    digits = Digits(part.images, table[part.labels])
    for array in (digits.images, digits.labels):
        array.flags.writeable = False
    return digits


def _split_off(digits: Digits, share: float) -> tuple[Digits, Digits]:
    """Split off a share of each class with a fixed seed (at least one image, never all); return rest and share."""
    rng = np.random.default_rng(_SPLIT_SEED)
    chosen = np.zeros(len(digits), bool)
    for label in np.unique(digits.labels):
        rows = np.flatnonzero(digits.labels == label)
        n = min(max(1, round(share * len(rows))), len(rows) - 1)
        chosen[rng.permutation(rows)[:n]] = True
    return _rows(digits, ~chosen), _rows(digits, chosen)


def _rows(digits: Digits, mask: NDArray[np.bool_]) -> Digits:
    part = Digits(digits.images[mask], digits.labels[mask])
    for array in (part.images, part.labels):
        array.flags.writeable = False
    return part


def _represents_each_class(some: NDArray[np.uint8], all_labels: NDArray[np.uint8], n_classes: int) -> bool:
    """Return whether ``some`` labels represent each class.

    That holds if each class occurs at least half as often as expected, and at least one of its samples remains outside.
    """
    counts, all_counts = (np.bincount(labels, minlength=n_classes) for labels in (some, all_labels))
    expected = all_counts * len(some) / len(all_labels)
    return bool((counts >= np.floor(expected / 2)).all() and (all_counts - counts >= np.minimum(all_counts, 1)).all())
