"""Arrays, scalars and tensors that a pickle describes, built from their shape, type and bytes, which are checked."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.formats.pickle_nodes import DtypeNode, StorageNode, TensorNode

MAX_TEXT_BYTES = 2**15
"""Maximum size of a text, or of an array of texts, that is kept completely."""

# Cost of an object that one or two instructions create: its memory, or its time if that weighs more.
POINTER_BYTES = 8
OBJECT_BYTES = 50  # a short string in a list
ROW_BYTES = 200  # a list or an entry of a dict, without its content
SCALAR_BYTES = 300
ARRAY_BYTES = 500


class InvalidPickleError(Exception):
    """The pickle asks for something invalid or too large."""


class CopyBudget:
    """Number of bytes that a pickle may still create or copy.

    Parameters
    ----------
    max_bytes : int
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = self._left = max_bytes

    def spend(self, n_bytes: int) -> None:
        """Subtract ``n_bytes`` from the budget.

        Raises
        ------
        InvalidPickleError
            If the budget is exceeded.
        """
        self._left -= n_bytes
        if self._left < 0:
            raise InvalidPickleError(f"it would create or copy more than {self._max_bytes // 2**20} MiB")


class ArrayBuilder:
    """Builder of the arrays of a pickle, charged to its budget."""

    def __init__(self, budget: CopyBudget) -> None:
        self._spend = budget.spend

    def scalar(self, dtype: DtypeNode, content: bytes | str) -> float | None:
        """Return a NumPy scalar as a number, or None if it is not a number."""
        self._spend(SCALAR_BYTES)
        kind = dtype.dtype
        if kind is None or kind.kind not in "fiub" or len(content) != kind.itemsize:
            return None
        if isinstance(content, str):
            content = content.encode("latin-1", "replace")
        number: float = np.frombuffer(content, kind)[0].item()
        return number

    def array_from_state(self, state: Any) -> Any:
        """Return an array from the state for `ndarray.__setstate__`: (version,) shape, dtype, is_fortran, bytes."""
        match state:
            case (int(), tuple() as shape, DtypeNode() as dtype, by_columns, content):
                pass
            case (tuple() as shape, DtypeNode() as dtype, by_columns, content):
                pass
            case _:
                raise InvalidPickleError("it describes an array in an unknown way")
        if isinstance(content, list):
            return self._reshape_objects(content, shape)
        return self.array(shape, dtype, content, bool(by_columns))

    def _reshape_objects(self, values: list[Any], shape: tuple[Any, ...]) -> Any:
        """Return the objects of an array: a list of rows for two dimensions, a single object for none, else a list."""
        if shape == () and len(values) == 1:
            return values[0]
        if len(shape) == 2 and is_shape(shape) and shape[1] > 0 and len(values) == shape[0] * shape[1]:
            self._spend(ROW_BYTES * shape[0] + POINTER_BYTES * len(values))
            return [values[i : i + shape[1]] for i in range(0, len(values), shape[1])]
        return values

    def array(self, shape: tuple[Any, ...], dtype: DtypeNode, content: Any, by_columns: bool) -> Any:
        """Return an array of numbers or a list of texts, or None for any other type, from the bytes of its elements."""
        self._spend(ARRAY_BYTES)
        kind = dtype.dtype
        if isinstance(content, str):  # from Python 2, where bytes were strings
            self._spend(len(content))
            content = content.encode("latin-1", "replace")
        if kind is not None and kind.kind in "US" and isinstance(content, bytes) and len(content) <= MAX_TEXT_BYTES:
            texts = np.frombuffer(content, kind) if kind.itemsize else np.empty(0, "U1")  # for example class names
            self._spend(len(content) + texts.size * OBJECT_BYTES)
            return texts.tolist()
        if kind is None or kind.kind not in "fiub":
            return None  # records and complex numbers are not used
        if not isinstance(content, bytes | bytearray):
            raise InvalidPickleError("it describes an array without its bytes")
        return self.checked_array(shape, kind, content, by_columns)

    def checked_array(
        self, shape: Sequence[Any], kind: np.dtype[Any], content: bytes | bytearray, by_columns: bool
    ) -> NDArray[Any]:
        """Return an array after a comparison of its shape with the number of its bytes."""
        if not is_shape(shape):
            raise InvalidPickleError("it describes an array of an impossible shape")
        expected = math.prod(shape) * kind.itemsize
        if expected != len(content):
            raise InvalidPickleError(
                f"an array of shape {str(shape)[:80]} needs {expected} bytes, but there are {len(content)}"
            )
        array = np.frombuffer(content, kind).reshape(tuple(shape), order="F" if by_columns else "C")
        if not kind.isnative:
            self._spend(expected)
        return array.astype(kind.newbyteorder("="), copy=False)

    def set_dtype(self, dtype: DtypeNode, state: Any) -> None:
        """Update a dtype from the state for `dtype.__setstate__`: version, byte order, then the fields of a record."""
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            dtype.code = dtype.code if "V" in dtype.code else "O"  # for a record, only the size is used
        elif state[1] in ("<", ">") and dtype.code != "O":
            dtype.code = state[1] + dtype.code.lstrip("<>|=")


def is_shape(sizes: Sequence[Any]) -> bool:
    """Return whether these are valid array dimensions that are small enough to multiply."""
    return len(sizes) <= 8 and all(type(size) is int and 0 <= size < 2**40 for size in sizes)


def tensor_node(arguments: tuple[Any, ...]) -> TensorNode:
    """Return the tensor that PyTorch's arguments describe: storage, offset, shape and strides.

    Raises
    ------
    InvalidPickleError
        If they describe something else.
    """
    match arguments:
        case (StorageNode() as storage, int() as offset, tuple() as shape, tuple() as strides, *_):
            if len(shape) == len(strides) and is_shape(shape) and is_shape(strides) and 0 <= offset < 2**40:
                return TensorNode(storage, offset, shape, strides)
    raise InvalidPickleError("it describes a tensor in an unknown way")
