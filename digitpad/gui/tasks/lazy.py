"""Values that are made when they are first needed."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """A value that is made by the first call.

    Attributes
    ----------
    value : object or None
        The value, or None while nothing has called for it.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.value: T | None = None

    def __call__(self) -> T:
        """Return the value, making it first if need be."""
        if self.value is None:
            self.value = self._make()
        return self.value
