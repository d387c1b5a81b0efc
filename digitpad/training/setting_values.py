"""Values of settings: by dotted key, and from text."""

import tomllib
from collections.abc import Mapping
from typing import Any


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values in groups, as TOML has them for a dotted key without quotes, by their whole keys."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        flat |= flattened(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return flat


def toml_value(text: str) -> Any:
    """A number, list or quoted text as TOML has it; anything else is text as it stands."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # not TOML, a number of thousands of figures, lists too deep
        return text
    # One of thousands of figures in hexadecimal is read, and could then not be told of.
    return text if isinstance(value, int) and value.bit_length() > 14_000 else value
