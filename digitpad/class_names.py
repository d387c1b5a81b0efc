"""What the outputs of a network stand for: digits, unless a data set or a weights file says otherwise."""

from collections.abc import Sequence

DIGITS = tuple("0123456789")

MAX_CLASSES = 62
"""Digits, capital and small letters: as many as EMNIST's largest set tells apart."""

MAX_NAME = 40

MERGED = "abdefghnqrt"
"""The small letters that EMNIST tells from capitals; the others look alike."""


def describe_names(names: Sequence[str]) -> str:
    """The classes in a few words: ``0 to 9``, or ``A, B, C, … Z (26 classes)``."""
    if tuple(names) == DIGITS:
        return "0 to 9"
    if len(names) <= 4:
        return ", ".join(names)
    return f"{', '.join(names[:3])}, … {names[-1]} ({len(names)} classes)"


def noun(names: Sequence[str]) -> str:
    """What one of them is called."""
    return "digit" if tuple(names) == DIGITS else "class"


def images(names: Sequence[str]) -> str:
    """What pictures of them are called."""
    return "digits" if tuple(names) == DIGITS else "images"


def are_names(values: object) -> bool:
    """Whether these can name classes: 2 to `MAX_CLASSES` different texts that can be shown in a line."""
    return (
        isinstance(values, list | tuple)
        and 2 <= len(values) <= MAX_CLASSES
        and all(isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable() for name in values)
        and len(set(values)) == len(values)
    )


def names_in(text: str) -> tuple[str, ...]:
    """The names that a text lists, apart by commas; ``A-Z`` stands for all letters between, ``0-9`` for the digits.

    Raises
    ------
    ValueError
        If they cannot name classes.
    """
    names: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if len(part) == 3 and part[1] == "-" and part[0].isalnum() and part[0] < part[2]:
            names += map(chr, range(ord(part[0]), min(ord(part[2]), ord(part[0]) + MAX_CLASSES) + 1))
        else:
            names.append(part)
    if not are_names(names):
        raise ValueError(f"{text[:80]!r} is no list of 2 to {MAX_CLASSES} different names, as A-Z or cat, dog")
    return tuple(names)


def default_names(n: int) -> str:
    """What so many classes likely are, as `names_in` takes it; nothing where they could be anything."""
    default_names = ("0-9", "A-Z", "0-9, A-Z", "A-Z, a-z", "0-9, A-Z, a-z", f"0-9, A-Z, {', '.join(MERGED)}")
    return next((text for text in default_names if len(names_in(text)) == n), "")
