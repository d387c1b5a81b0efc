"""What stands for the objects that a pickle speaks of: what is known of each, and nothing that could be run."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class GlobalNode:
    """A class or function that a pickle names; never looked up."""

    module: str
    name: str

    def parts(self) -> list[tuple[str, Any]]:
        """Its name alone, as a word."""
        return [("", f"{self.module}.{self.name}")]


@dataclass(eq=False)
class ObjectNode:
    """An object that a pickle describes, and that nobody builds: the name of its class, and what it was given."""

    cls: Any
    arguments: tuple[Any, ...] = ()
    states: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    pairs: dict[Any, Any] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Its class's name, its attributes and elements."""
        yield "", self.cls
        for value in (self.pairs, *self.states):
            for part in value if isinstance(value, tuple) else [value]:  # attributes, and those in slots
                if isinstance(part, dict):
                    yield from ((str(name), inner) for name, inner in part.items())
                else:
                    yield "", part
        yield from ((str(i), item) for i, item in enumerate(self.items))
        yield from (("", argument) for argument in self.arguments)


@dataclass(eq=False)
class DtypeNode:
    """A type of numbers; ``code`` is empty for one that is none, as for Python's objects."""

    code: str

    def parts(self) -> list[tuple[str, Any]]:
        """Nothing: it is said of numbers that lie elsewhere."""
        return []

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """NumPy's, if there is one."""
        return np.dtype(self.code) if self.code not in ("", "O") else None


@dataclass(eq=False)
class ArrayNode:
    """An array that is told its content only after it was created, and can be referred to in between.

    ``value`` is an ndarray, a list of Python's objects or texts, or None for what has neither numbers nor texts.
    """

    value: Any = None

    def parts(self) -> list[tuple[str, Any]]:
        """Its content."""
        return [("", self.value)]


@dataclass(eq=False)
class StorageNode:
    """The memory of PyTorch's tensors, whose bytes come from elsewhere, and later."""

    key: str
    dtype: np.dtype[Any]
    content: bytes = b""
    halves: bool = False  # of float32, the upper ones

    def parts(self) -> list[tuple[str, Any]]:
        """Nothing by itself."""
        return []


@dataclass(eq=False)
class TensorNode:
    """A view of a storage."""

    storage: StorageNode
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def parts(self) -> list[tuple[str, Any]]:
        """Its numbers, where the storage has as many."""
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
