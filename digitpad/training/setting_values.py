"""Conversion of settings to dotted keys and from text."""

from collections.abc import Mapping
from typing import Any

from digitpad.formats.toml import parse_toml


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as a flat dict by dotted key, as TOML writes unquoted dotted keys."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        flat |= flattened(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return flat


def toml_value(text: str) -> Any:
    """Parse text as a TOML number, list or quoted string; return any other text unchanged."""
    try:
        value = parse_toml(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # not TOML, a number of thousands of digits, or lists nested too deeply
        return text
    # A hexadecimal integer of thousands of digits parses, but Python refuses to print it in an error message.
    return text if isinstance(value, int) and value.bit_length() > 14_000 else value
