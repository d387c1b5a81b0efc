"""What the outputs of a network stand for: digits, unless a data set or a weights file says otherwise."""

from collections.abc import Sequence

DIGITS = tuple("0123456789")

MAX_CLASSES = 62
"""Digits, capital and small letters: as many as EMNIST's largest set tells apart."""

MAX_NAME = 40


def in_words(names: Sequence[str]) -> str:
    """The classes in a few words: ``0 to 9``, or ``A, B, C, … Z (26 classes)``."""
    if tuple(names) == DIGITS:
        return "0 to 9"
    if len(names) <= 4:
        return ", ".join(names)
    return f"{', '.join(names[:3])}, … {names[-1]} ({len(names)} classes)"


def noun(names: Sequence[str]) -> str:
    """What one of them is called."""
    return "digit" if tuple(names) == DIGITS else "class"


def are_names(values: object) -> bool:
    """Whether these can name classes: 2 to `MAX_CLASSES` different texts that can be shown in a line."""
    return (
        isinstance(values, list | tuple)
        and 2 <= len(values) <= MAX_CLASSES
        and all(isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable() for name in values)
        and len(set(values)) == len(values)
    )
