"""Data sets of MNIST's shape that are known by their names: what their labels mean, and how their images lie."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from digitpad.class_names import DIGITS, MERGED


@dataclass(frozen=True)
class Family:
    """What is known of a data set by its name.

    Attributes
    ----------
    words : tuple of str
        All of them occur in the names of its files or folders.
    class_names : mapping of str
        By label, in the order of the classes.
    transposed : bool
        Whether its IDX and CSV files hold each image with rows and columns exchanged.
    """

    words: tuple[str, ...]
    class_names: Mapping[str, str] = field(default_factory=dict)
    transposed: bool = False


def _numbered(*names: str, first: int = 0) -> dict[str, str]:
    return {str(label): name for label, name in enumerate(names, first)}


_CAPITALS, _SMALL = string.ascii_uppercase, string.ascii_lowercase
_MERGED = _numbered(*DIGITS, *_CAPITALS, *MERGED)

FAMILIES = (
    Family(
        ("fashion",),
        _numbered(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"
        ),
    ),
    Family(("emnist", "byclass"), _numbered(*DIGITS, *_CAPITALS, *_SMALL), transposed=True),
    Family(("emnist", "bymerge"), _MERGED, transposed=True),
    Family(("emnist", "balanced"), _MERGED, transposed=True),
    Family(("emnist", "letters"), _numbered(*_CAPITALS, first=1), transposed=True),
    Family(("emnist", "digits"), _numbered(*DIGITS), transposed=True),
    Family(("emnist", "mnist"), _numbered(*DIGITS), transposed=True),
    Family(("a_z", "handwritten"), _numbered(*_CAPITALS)),  # Kaggle's capital letters
    Family(("kmnist",), _numbered("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")),
    Family(("kuzushiji", "mnist"), _numbered("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")),
)

UNKNOWN = Family(())


def family_of(*names: str) -> Family:
    """The family that the names of files and folders tell, the first that fits; `UNKNOWN` where none does."""
    text = "/".join(names).lower()
    return next((family for family in FAMILIES if all(word in text for word in family.words)), UNKNOWN)
