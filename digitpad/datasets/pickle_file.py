"""Pickled data sets: three pairs of images and labels, as in deeplearning.net's ``mnist.pkl.gz``, and dicts of arrays.

They are read as weights are, by an interpreter that imports, builds and calls nothing.
"""

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.arrays import TEST_PAIR, TRAINING_PAIR, VALIDATION_PAIR, are_images, found_in, training_pair
from digitpad.datasets.digits import Found, Tell, unheard
from digitpad.datasets.idx import may_unpack_to, opened
from digitpad.errors import DataError, reason
from digitpad.unpickle import MAX_COPIED_BYTES, Array, read_pickles

SUFFIXES = (".pkl", ".pickle", ".pkl.gz", ".pickle.gz")

_PAIRS = {
    1: (TRAINING_PAIR,),
    2: (TRAINING_PAIR, TEST_PAIR),
    3: (TRAINING_PAIR, VALIDATION_PAIR, TEST_PAIR),
}
_PIECE_BYTES = 2**20
_SOME = 100  # images, which tell weights from them


def is_pickle(path: Path) -> bool:
    """Whether a file's name says that it is a pickle, or else it begins as all of protocol 2 and later do."""
    if path.name.lower().endswith(SUFFIXES):
        return True
    with path.open("rb") as file:
        return file.read(1) == b"\x80"


def has_pickled_data(path: Path, tell: Tell = unheard) -> bool:
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
    some = labels[:_SOME]
    return are_images(images.shape) and not (images[:_SOME] < 0).any() and bool((some == np.floor(some)).all())


def read_pickled_set(path: Path, tell: Tell = unheard) -> Found:
    """The data set in a pickle, packed by gzip or not.

    It is a tuple or list of pairs of images and labels, to train on, to validate by and to test with (or the first
    alone, or the first and the last), or a dict with the names that archives have.

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
            "a dict of x_train, y_train, x_test and y_test",
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
    pairs = [_pair(part) for part in tree] if isinstance(tree, list | tuple) and len(tree) in _PAIRS else []
    if pairs and all(pairs):
        return {
            name: array
            for names, pair in zip(_PAIRS[len(pairs)], pairs, strict=True)
            for name, array in zip(names, pair, strict=True)
        }
    alone = _pair(tree)
    return dict(zip(TRAINING_PAIR, alone, strict=True)) if alone else {}


def _array_of(path: Path, held: dict[str, Any], name: str) -> NDArray[Any]:
    array = _array(held[name])
    if array is None:
        raise DataError(path, f"{name[:80]!r} is no array of numbers")
    return array


def _pair(part: Any) -> tuple[NDArray[Any], ...]:
    """Images and labels, as many as each other; nothing where it is no such pair."""
    part = _plain(part)
    if not isinstance(part, list | tuple) or len(part) != 2:
        return ()
    images, labels = map(_array, part)
    if images is None or labels is None or images.ndim < 2 or len(images) != len(labels):
        return ()
    return images, labels


def _array(value: Any) -> NDArray[Any] | None:
    """An array of numbers that is one, or a list of labels."""
    value = _plain(value)
    if isinstance(value, list) and {int, float, bool}.issuperset(map(type, value)):
        value = np.array(value)
    return value if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "biuf" else None


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Array) else value


def _tree(path: Path, tell: Tell) -> Any:
    try:
        with opened(path) as (file, size, zipped):
            source = _Source(path, file, may_unpack_to(size) if zipped else size, tell)
            try:
                most = max(source.left, MAX_COPIED_BYTES)
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
        self.left = most
        self.failure: Exception | None = None

    def read(self, n: int, /) -> bytes:
        """So many bytes, or as many as there are."""
        if n > self.left:
            raise self._too_much()
        if n <= _PIECE_BYTES:
            return self._piece(self._file.read, n)
        content = io.BytesIO()
        while (left := n - content.tell()) and (piece := self._piece(self._file.read, left)):
            content.write(piece)
        return content.getvalue()

    def readline(self) -> bytes:
        """The rest of a line, with its end."""
        content = io.BytesIO()
        while piece := self._piece(self._file.readline, self.left + 1):
            content.write(piece)
            if piece.endswith(b"\n"):
                break
        return content.getvalue()

    def _piece(self, take: Callable[[int], bytes], n: int) -> bytes:
        try:
            piece = take(min(n, _PIECE_BYTES))
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
