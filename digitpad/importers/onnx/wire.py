"""Reader of protobuf's wire format: fields with a number, a type and a value, within strict bounds.

Source: Protocol Buffers, "Encoding" (Google). A message is a sequence of fields. A field starts with a varint, whose
lowest three bits are its type: 0 a varint, 1 eight bytes, 2 a length and that many bytes, 5 four bytes. The obsolete
groups (3 and 4) are refused.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

MAX_FIELDS = 200_000
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5

Value = int | memoryview


class WireError(ValueError):
    """Error about bytes that are not a valid message."""


class WireReader:
    """Reader of messages that share one limit on the number of fields."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def fields(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        """Yield the number and the value of each field: an integer for varints, otherwise bytes.

        Raises
        ------
        WireError
            If the message is damaged or has too many fields.
        """
        position = 0
        while position < len(message):
            self._left -= 1
            if self._left < 0:
                raise WireError(f"it has more than {MAX_FIELDS:,} fields")
            key, position = _varint(message, position)
            number, kind = key >> 3, key & 7
            if not number:
                raise WireError("a field has the number 0")
            if kind == _VARINT:
                value, position = _varint(message, position)
                yield number, value
                continue
            if kind == _BYTES:
                size, position = _varint(message, position)
            elif kind in (_EIGHT, _FOUR):
                size = 8 if kind == _EIGHT else 4
            else:
                raise WireError(f"a field has the unknown type {kind}")
            if size > len(message) - position:
                raise WireError(f"a field claims {size:,} bytes, but only {len(message) - position:,} follow")
            yield number, message[position : position + size]
            position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return the integer at a position and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise WireError("it ends within a number")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise WireError("a number is longer than ten bytes")


def signed(value: int) -> int:
    """Return a varint of 64 bits as a signed integer."""
    return value - 2**64 if value >= 2**63 else value


def packed_varints(content: memoryview, max_count: int) -> NDArray[np.int64]:
    """Return the integers in a packed field, which may be at most ``max_count``.

    Raises
    ------
    WireError
        If there are more, or the last one is not complete.
    """
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) < 0x80)
    if len(ends) > max_count:
        raise WireError(f"it has more than {max_count:,} integers in one field")
    values = np.empty(len(ends), np.int64)
    position = 0
    for i in range(len(ends)):
        value, position = _varint(content, position)
        values[i] = signed(value)
    if position != len(content):
        raise WireError("it ends within a number")
    return values


def numbers(content: memoryview, dtype: str) -> NDArray[np.float32] | NDArray[np.float64]:
    """Return the floats in a packed field, or the single one in a field that is not packed.

    Raises
    ------
    WireError
        If the bytes are not a whole number of floats.
    """
    if len(content) % np.dtype(dtype).itemsize:
        raise WireError("a list of numbers is cut off")
    return np.frombuffer(content, dtype)


def text(value: Value) -> str:
    """Return a field as text of at most 200 characters.

    Raises
    ------
    WireError
        If the field is a number.
    """
    if isinstance(value, int):
        raise WireError("it has a number where a text belongs")
    return bytes(value[:800]).decode("utf-8", "replace")[:200]


def message_of(value: Value) -> memoryview:
    """Return a field that holds another message.

    Raises
    ------
    WireError
        If the field is a number.
    """
    if isinstance(value, int):
        raise WireError("it has a number where a message belongs")
    return value


def integer(value: Value) -> int:
    """Return a field as a signed integer.

    Raises
    ------
    WireError
        If the field is not a varint.
    """
    if not isinstance(value, int):
        raise WireError("it has bytes where a number belongs")
    return signed(value)
