"""Known datasets of 28 × 28 images, recognised by name: their class names and image orientation."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from digitpad.class_names import DIGITS, MERGED


@dataclass(frozen=True)
class Family:
    """Known properties of a dataset family.

    Attributes
    ----------
    words : tuple of str
        Words that must all occur in the names of its files or folders.
    class_names : mapping of str
        Class name of each label text, in class order.
    transposed : bool
        Whether its IDX and CSV files store each image with rows and columns swapped.
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
    """Return the first family that matches the names of files and folders, or `UNKNOWN`."""
    text = "/".join(names).lower()
    return next((family for family in FAMILIES if all(word in text for word in family.words)), UNKNOWN)
