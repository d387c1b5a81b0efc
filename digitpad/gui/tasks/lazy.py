"""What is not needed at the start, and takes its time to import and to build."""

from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Lazy(Generic[Made]):
    """Something that is made when it is first called for.

    Attributes
    ----------
    made : object or None
        It, if it has been called for: what only concerns it while it is there asks this.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self.made: Made | None = None

    def __call__(self) -> Made:
        """It, made now if it was not there."""
        if self.made is None:
            self.made = self._make()
        return self.made
