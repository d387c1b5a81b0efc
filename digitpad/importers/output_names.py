"""What a stranger's file says that its outputs stand for."""

import re
from collections.abc import Sequence

from digitpad.class_names import DIGITS, are_names
from digitpad.importers.containers.tensor_tree import TensorTree

_LISTS = re.compile(
    r"(?:^|[._])(?:class(?:es)?|class_?names?|labels?|label_?names?|names|categories|targets?|target_?names|alphabet|"
    r"letters|characters|id2label|(?:idx|index|id|int)_(?:to|2)_(?:class|label|char|name|letter))_?$",
    re.IGNORECASE,
)
_PLACES = re.compile(
    r"(?:^|[._])(?:label2id|(?:class|label|char|name|letter)_(?:to|2)_(?:idx|index|id|int))$", re.IGNORECASE
)
_DIGITS_IN_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def class_names_in(contents: TensorTree) -> list[tuple[str, ...]]:
    """Every list of names in a file that may be those of its outputs, in their order; digits as digits."""
    found: list[tuple[str, ...]] = []
    lists: dict[str, dict[str, str]] = {}
    for name, word in contents.words:
        before, _, key = name.rpartition(".")
        if _LISTS.search(before):
            lists.setdefault(before, {})[key] = word
        elif _LISTS.search(name) and len(word) > 2:  # as one text: "ABC…", or "a, b, c"
            found.append(tuple(map(str.strip, word.split(","))) if "," in word else tuple(word))
    found += [
        tuple(words[str(i)] for i in range(len(words)))
        for words in lists.values()
        if words.keys() == {str(i) for i in range(len(words))}
    ]
    places: dict[str, dict[str, float]] = {}
    for name, number in contents.numbers.items():
        before, _, key = name.rpartition(".")
        if _PLACES.search(before):
            places.setdefault(before, {})[key] = number
    found += [
        tuple(sorted(numbers, key=numbers.__getitem__))
        for numbers in places.values()
        if sorted(numbers.values()) == list(range(len(numbers)))
    ]
    found += [  # as scikit-learn's classes_ are; labels of samples hold each many times, which are no names
        tuple(map(str, array.tolist()))
        for name, array in contents.arrays.items()
        if _LISTS.search(name) and array.ndim == 1 and array.size <= 256 and array.dtype.kind in "iu"
    ]
    return [_plain(names) for names in found if are_names(names)]


def _plain(names: Sequence[str]) -> tuple[str, ...]:
    """The digits as we call them, where they are, as in ``0 - zero`` or ``zero``."""
    if len(names) == len(DIGITS) and all(
        re.fullmatch(rf"{digit}(\W.*)?|{word}", name.strip().lower())
        for digit, word, name in zip(DIGITS, _DIGITS_IN_WORDS, names, strict=True)
    ):
        return DIGITS
    return tuple(names)
