"""Class names of a network's outputs: digits, unless a dataset or a weights file names other classes."""

from collections.abc import Sequence

DIGITS = tuple("0123456789")

MAX_CLASSES = 62
"""Maximum number of classes: digits, capital letters and small letters, as in EMNIST's largest dataset."""

MAX_NAME = 40

MERGED = "abdefghnqrt"
"""Small letters that EMNIST keeps separate from capitals; the others look the same as their capitals."""


def describe_names(names: Sequence[str]) -> str:
    """Return a short description of the classes: ``0 to 9``, or ``A, B, C, … Z (26 classes)``."""
    if tuple(names) == DIGITS:
        return "0 to 9"
    if len(names) <= 4:
        return ", ".join(names)
    return f"{', '.join(names[:3])}, … {names[-1]} ({len(names)} classes)"


def noun(names: Sequence[str]) -> str:
    """Return the singular noun for these classes: ``digit`` or ``class``."""
    return "digit" if tuple(names) == DIGITS else "class"


def images(names: Sequence[str]) -> str:
    """Return the plural noun for images of these classes: ``digits`` or ``images``."""
    return "digits" if tuple(names) == DIGITS else "images"


def are_names(values: object) -> bool:
    """Return whether the values are valid class names: 2 to `MAX_CLASSES` distinct printable strings."""
    return (
        isinstance(values, list | tuple)
        and 2 <= len(values) <= MAX_CLASSES
        and all(isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable() for name in values)
        and len(set(values)) == len(values)
    )


def parse_names(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of class names; ``A-Z`` and ``0-9`` are ranges.

    Raises
    ------
    ValueError
        If the result is not a valid list of class names.
    """
    names: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if len(part) == 3 and part[1] == "-" and part[0].isalnum() and part[0] < part[2]:
            names += map(chr, range(ord(part[0]), min(ord(part[2]), ord(part[0]) + MAX_CLASSES) + 1))
        else:
            names.append(part)
    if not are_names(names):
        raise ValueError(
            f"{text[:80]!r} is not a list of 2 to {MAX_CLASSES} different names; "
            "separate the names with commas, for example A-Z or cat, dog"
        )
    return tuple(names)


def default_names(n: int) -> str:
    """Return likely names for n classes, in the form that `parse_names` parses, or an empty string if unknown."""
    candidates = ("0-9", "A-Z", "0-9, A-Z", "A-Z, a-z", "0-9, A-Z, a-z", f"0-9, A-Z, {', '.join(MERGED)}")
    return next((text for text in candidates if len(parse_names(text)) == n), "")
