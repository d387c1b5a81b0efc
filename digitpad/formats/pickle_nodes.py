"""Inert stand-ins for the objects that a pickle describes; none of them holds executable code."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class GlobalNode:
    """Name of a class or function in a pickle. It is never imported."""

    module: str
    name: str

    def parts(self) -> list[tuple[str, Any]]:
        """Return the full name, as a single unnamed part."""
        return [("", f"{self.module}.{self.name}")]


@dataclass(eq=False)
class ObjectNode:
    """Description of an object that is never built: its class, and the values that the pickle passes to it."""

    cls: Any
    arguments: tuple[Any, ...] = ()
    states: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    pairs: dict[Any, Any] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the class, attributes, elements and arguments, each with its name or an empty string."""
        yield "", self.cls
        for value in (self.pairs, *self.states):
            for part in value if isinstance(value, tuple) else [value]:  # a tuple: (__dict__, __slots__)
                if isinstance(part, dict):
                    yield from ((str(name), inner) for name, inner in part.items())
                else:
                    yield "", part
        yield from ((str(i), item) for i, item in enumerate(self.items))
        yield from (("", argument) for argument in self.arguments)


@dataclass(eq=False)
class DtypeNode:
    """Data type of an array; ``code`` is empty or "O" if the elements are not numbers, as for Python objects."""

    code: str

    def parts(self) -> list[tuple[str, Any]]:
        """Return nothing, as the numbers are held by another node."""
        return []

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The NumPy dtype, or None if there is none."""
        return np.dtype(self.code) if self.code not in ("", "O") else None


@dataclass(eq=False)
class ArrayNode:
    """Array that is created empty and receives its content later; the pickle can refer to it in between.

    ``value`` is an ndarray, a list of Python objects or strings, or None for any other content.
    """

    value: Any = None

    def parts(self) -> list[tuple[str, Any]]:
        """Return the content, as a single unnamed part."""
        return [("", self.value)]


@dataclass(eq=False)
class StorageNode:
    """Memory of PyTorch tensors; its bytes are read separately, and later."""

    key: str
    dtype: np.dtype[Any]
    content: bytes = b""
    halves: bool = False  # bfloat16: each number is the upper half of a float32

    def parts(self) -> list[tuple[str, Any]]:
        """Return nothing, as the numbers are returned by the tensors that use the storage."""
        return []


@dataclass(eq=False)
class TensorNode:
    """View of a storage; offset and strides are counted in numbers."""

    storage: StorageNode
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def parts(self) -> list[tuple[str, Any]]:
        """Return the numbers, or nothing if the storage holds too few."""
        numbers = np.frombuffer(self.storage.content, self.storage.dtype)
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if not 0 < math.prod(self.shape) <= numbers.size or last >= numbers.size:
            return []
        steps = tuple(stride * numbers.itemsize for stride in self.strides)
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, steps, writeable=False)
        if self.storage.halves:
            upper = view.astype(np.uint32)
            upper <<= 16
            return [("", upper.view(np.float32))]
        return [("", np.ascontiguousarray(view))]
