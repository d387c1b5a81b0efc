"""Lazily created values."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """Value that is created by the first call.

    Attributes
    ----------
    value : object or None
        The value, or None before the first call.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.value: T | None = None

    def __call__(self) -> T:
        """Return the value; create it in the first call."""
        if self.value is None:
            self.value = self._make()
        return self.value
