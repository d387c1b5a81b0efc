"""Class names of the outputs, as stated in an imported file."""

import re
from collections.abc import Sequence

from digitpad.class_names import DIGITS, are_names
from digitpad.importers.containers.tensor_tree import TensorTree

_LISTS = re.compile(
    r"(?:^|[._])(?:class(?:es)?|class_?names?|labels?|label_?names?|names|categories|targets?|target_?names|alphabet|"
    r"letters|characters|id2label|(?:idx|index|id|int)_(?:to|2)_(?:class|label|char|name|letter))_?$",
    re.IGNORECASE,
)
_INDICES = re.compile(
    r"(?:^|[._])(?:label2id|(?:class|label|char|name|letter)_(?:to|2)_(?:idx|index|id|int))$", re.IGNORECASE
)
_DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def class_names_in(tensor_tree: TensorTree) -> list[tuple[str, ...]]:
    """Return every list of names in a file that may name its outputs, in output order.

    Names of the ten digits, such as ``zero`` or ``0 - zero``, become `DIGITS`.
    """
    candidates: list[tuple[str, ...]] = []
    lists: dict[str, dict[str, str]] = {}
    for name, word in tensor_tree.words:
        prefix, _, key = name.rpartition(".")
        if _LISTS.search(prefix):
            lists.setdefault(prefix, {})[key] = word
        elif _LISTS.search(name) and len(word) > 2:  # one string: "ABC…" or "a, b, c"
            candidates.append(tuple(map(str.strip, word.split(","))) if "," in word else tuple(word))
    candidates += [
        tuple(words[str(i)] for i in range(len(words)))
        for words in lists.values()
        if words.keys() == {str(i) for i in range(len(words))}
    ]
    indices: dict[str, dict[str, float]] = {}
    for name, number in tensor_tree.numbers.items():
        prefix, _, key = name.rpartition(".")
        if _INDICES.search(prefix):
            indices.setdefault(prefix, {})[key] = number
    candidates += [
        tuple(sorted(numbers, key=numbers.__getitem__))
        for numbers in indices.values()
        if sorted(numbers.values()) == list(range(len(numbers)))
    ]
    candidates += [  # such as scikit-learn's classes_; labels of samples repeat, so `are_names` rejects them
        tuple(map(str, array.tolist()))
        for name, array in tensor_tree.arrays.items()
        if _LISTS.search(name) and array.ndim == 1 and array.size <= 256 and array.dtype.kind in "iu"
    ]
    return [_normalise_digits(names) for names in candidates if are_names(names)]


def _normalise_digits(names: Sequence[str]) -> tuple[str, ...]:
    """Return `DIGITS` if the names are the ten digits, such as ``0 - zero`` or ``zero``; otherwise the names."""
    if len(names) == len(DIGITS) and all(
        re.fullmatch(rf"{digit}(\W.*)?|{word}", name.strip().lower())
        for digit, word, name in zip(DIGITS, _DIGIT_WORDS, names, strict=True)
    ):
        return DIGITS
    return tuple(names)
