"""Pickled data sets: three pairs of images and labels, as deeplearning.net's ``mnist.pkl.gz``, four arrays, and dicts.

They are read as weights are, by an interpreter that imports, builds and calls nothing.
"""

import gzip
import io
import itertools
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import ReaderResult, Tell, ignore_progress
from digitpad.datasets.readers.idx import may_unpack_to, opened
from digitpad.datasets.readers.named_arrays import (
    TEST_PAIR,
    TRAINING_PAIR,
    VALIDATION_PAIR,
    are_images,
    found_in,
    training_pair,
)
from digitpad.errors import DataError, reason
from digitpad.formats.pickle_nodes import ArrayNode
from digitpad.formats.safe_pickle import MAX_COPIED_BYTES, read_pickles

SUFFIXES = (".pkl", ".pickle", ".pkl.gz", ".pickle.gz")

_Pair = tuple[NDArray[Any], NDArray[Any]]
_PAIRS = {
    1: (TRAINING_PAIR,),
    2: (TRAINING_PAIR, TEST_PAIR),
    3: (TRAINING_PAIR, VALIDATION_PAIR, TEST_PAIR),
}
_MOST_PARTS = 6
_PIECE_BYTES = 2**20
_NEAR_BYTES = 2**14
_SOME = 100  # images, which tell weights from them


def is_pickle(path: Path) -> bool:
    """Whether a file's name says that it is a pickle, or else it begins as all of protocol 2 and later do."""
    if path.name.lower().endswith(SUFFIXES):
        return True
    with path.open("rb") as file:
        return file.read(1) == b"\x80"


def has_pickled_data(path: Path, tell: Tell = ignore_progress) -> bool:
    """Whether a pickle holds images and labels, rather than matrices and biases, which may lie in it likewise.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    held = _held(path, tell)
    pair = training_pair(held)
    if pair is None:
        return False
    images, labels = (_array_of(path, held, name) for name in pair)
    if pair != TRAINING_PAIR:  # its names tell
        return are_images(images.shape)
    some = labels[:_SOME]
    # Biases are no whole numbers, or alike as long as nothing was learnt, but for those of weights in whole numbers.
    are_labels = bool((some == np.floor(some)).all()) and bool((labels != labels.flat[:1]).any())
    return are_images(images.shape) and are_labels and (images.dtype.kind == "f" or not (images[:_SOME] < 0).any())


def read_pickled_set(path: Path, tell: Tell = ignore_progress) -> ReaderResult:
    """The data set in a pickle, packed by gzip or not.

    It is a tuple or list of pairs of images and labels, to train on, to validate by and to test with (or the first
    alone, or the first and the last), or of as many arrays, or a dict with the names that archives have.

    Raises
    ------
    DataError
        If it cannot be read, or holds no such thing.
    """
    held = _held(path, tell)
    if not held:
        raise DataError(
            path,
            "is a pickle without images and labels; expected a tuple of pairs of them (training, validation, test), or "
            "x_train, y_train, x_test and y_test, in a dict or one after the other",
        )
    return found_in(path, held, lambda name: _array_of(path, held, name), "pickle")


def _held(path: Path, tell: Tell) -> dict[str, Any]:
    """What may be arrays in a pickle, by name, those of pairs by what they are for; nothing in one of another kind.

    Lists are not looked into: many names may stand for one.
    """
    tree = _plain(_tree(path, tell))
    if isinstance(tree, dict):
        held: dict[str, Any] = {}
        for key, value in tree.items():
            name, value = key.lower(), _plain(value)
            if isinstance(value, np.ndarray | list):
                if name in held:
                    raise DataError(path, f"holds {name[:80]!r} twice")
                held[name] = value
        return held
    pairs = _pairs(tree) if isinstance(tree, list | tuple) and len(tree) <= _MOST_PARTS else []
    if pairs:
        return {
            name: array
            for names, pair in zip(_PAIRS[len(pairs)], pairs, strict=True)
            for name, array in zip(names, pair, strict=True)
        }
    return {}


def _array_of(path: Path, held: dict[str, Any], name: str) -> NDArray[Any]:
    array = _array(held[name])
    if array is None:
        raise DataError(path, f"{name[:80]!r} is no array of numbers")
    return array


def _pairs(parts: Sequence[Any]) -> list[_Pair]:
    """Pairs of images and labels, in a row or one alone; or their arrays one after the other, in either order."""
    half = len(parts) // 2
    for pairs, told in (
        ([_plain(part) for part in parts], True),
        ([parts], True),
        (list(zip(parts[::2], parts[1::2], strict=False)), False),
        (list(zip(parts[:half], parts[half:], strict=False)), False),  # as scikit-learn's train_test_split has them
    ):
        found = list(itertools.takewhile(bool, (_pair(pair, told=told) for pair in pairs)))
        if len(found) == len(pairs) and len(found) in _PAIRS:
            return [pair for pair in found if pair]
    return []


def _pair(part: Any, *, told: bool) -> _Pair | None:
    """Images and labels, as many as each other; images may be ``told`` to be, or are known by their shape."""
    if not isinstance(part, list | tuple) or len(part) != 2:
        return None
    images = _plain(part[0])  # before a list of labels becomes an array
    if not isinstance(images, np.ndarray) or images.ndim < 2 or not (are_images(images.shape) or told):
        return None
    labels = _array(part[1])
    if _array(images) is None or labels is None:
        return None
    # Where nothing else can be meant, it is for the reader to say that some are lacking.
    return (images, labels) if len(images) == len(labels) or (told and are_images(images.shape)) else None


def _array(value: Any) -> NDArray[Any] | None:
    """An array of numbers that is one, or a list of labels."""
    value = _plain(value)
    if isinstance(value, list) and {int, float, bool}.issuperset(map(type, value)):
        value = np.array(value)
    return value if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "biuf" else None


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, ArrayNode) else value


def _tree(path: Path, tell: Tell) -> Any:
    try:
        with opened(path) as (file, size, zipped):
            if not size:
                raise DataError(path, "is empty")
            source = _Source(path, file, may_unpack_to(size) if zipped else size, tell)
            try:
                # Arrays of before protocol 3 are copied out of texts, and again where their bytes are swapped.
                most = max(source.left if zipped else 2 * size, MAX_COPIED_BYTES)
                return read_pickles(source, max_copied_bytes=most, tell=lambda: tell(0))[0]
            except ValueError as error:
                if source.failure is not None:  # which the interpreter takes for damage
                    raise source.failure from None
                raise DataError(path, str(error)) from error
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error


class _Source:
    """A pickle's bytes, as they are unpacked, up to a bound; and what went wrong with them."""

    def __init__(self, path: Path, file: BinaryIO | gzip.GzipFile, most: int, tell: Tell) -> None:
        self._path = path
        self._file = file
        self._most = most
        self._tell = tell
        self._near = io.BytesIO()  # read ahead: most instructions take a byte or two
        self.left = most
        self.failure: Exception | None = None

    def read(self, n: int, /) -> bytes:
        """So many bytes, or as many as there are."""
        begin = self._near.read(n)
        left = n - len(begin)
        if not left:
            return begin
        if left > self.left:
            raise self._too_much()
        if left <= _NEAR_BYTES:
            self._near = io.BytesIO(self._piece(_NEAR_BYTES))
            return begin + self._near.read(left)
        content = io.BytesIO()
        content.write(begin)
        while (left := n - content.tell()) and (piece := self._piece(min(left, _PIECE_BYTES))):
            content.write(piece)
        return content.getvalue()

    def readline(self) -> bytes:
        """The rest of a line, with its end."""
        line = self._near.readline()
        if line.endswith(b"\n"):
            return line
        content = io.BytesIO()
        content.write(line)
        while piece := self._piece(_NEAR_BYTES):
            self._near = io.BytesIO(piece)
            content.write(line := self._near.readline())
            if line.endswith(b"\n"):
                break
        return content.getvalue()

    def _piece(self, n: int) -> bytes:
        try:
            piece = self._file.read(min(n, self.left + 1))
            self._tell(0)
        except Exception as error:
            self.failure = error
            raise
        self.left -= len(piece)
        if self.left < 0:
            raise self._too_much()
        return piece

    def _too_much(self) -> DataError:
        return DataError(self._path, f"claims to hold more than the {self._most:,} bytes that can be in it")
