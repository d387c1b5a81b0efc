"""Checks of values from JSON files of unknown origin; each returns the value or raises ValueError."""

from collections.abc import Mapping
from typing import Any

MAX_COUNT = 2**53
"""Largest whole number that every JSON program reads exactly."""


def whole_number(value: Any, low: int = 0, high: int = MAX_COUNT) -> int:
    """Return the value if it is an int in low..high; True and 1.0 are not."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"expected a whole number from {low:,} to {high:,}")
    return value


def number(value: Any, low: float, high: float) -> float:
    """Return the value as a float if it is a number in low..high; NaN is not."""
    if type(value) not in (int, float) or not low <= value <= high:
        raise ValueError(f"expected a number from {low:g} to {high:g}")
    return float(value)


def text(value: Any, max_length: int) -> str:
    """Return the value if it is a text of at most ``max_length`` characters that UTF-8 can encode."""
    if not isinstance(value, str) or len(value) > max_length:
        raise ValueError(f"expected a text of at most {max_length:,} characters")
    value.encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value if it is a JSON object."""
    if not isinstance(value, dict):
        raise ValueError("expected an object")  # noqa: TRY004  # all checks raise ValueError
    return value
