"""Labels in the names of files and folders, such as ``3_02.jpg``, ``img3.png``, ``digit_7`` and ``seven``."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from digitpad.class_names import DIGITS

_NUMBER = re.compile(r"\d+")
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LABEL_WORD = re.compile(r"(?:label|class|digit|num|number|is|true|target|y)[-_ =]*(\d)(?!\d)", re.IGNORECASE)


def labels_in_names(names: Sequence[str]) -> list[str] | None:
    """Return the digit that each name (without its suffix) states; None if the names do not state digits.

    The digit follows a word such as "label", or is the first, the second, …, or the last number of each name. Of
    several such places, the one with the most different digits is chosen, as a running number of each digit's images
    has fewer, or more than ten; then the first. Numbers with leading zeros are running numbers.
    """
    found = [_LABEL_WORD.findall(name) for name in names]
    if found and all(len(digits) == 1 for digits in found):
        return [digits[0] for digits in found]
    numbers = [_NUMBER.findall(name) for name in names]
    shortest = min(map(len, numbers), default=0)
    best: list[str] | None = None
    for place in sorted([*range(shortest), *range(-shortest, 0)], key=lambda place: (place not in (0, -1), place < 0)):
        column = [found_numbers[place] for found_numbers in numbers]
        if all(text in DIGITS for text in column) and (best is None or len(set(column)) > len(set(best))):
            best = column
    return best


def folder_labels(names: Iterable[str]) -> dict[str, str]:
    """Return the label of each class folder: the digit that its name states, or else its name.

    Digits are used only if every name states one: as a figure or an English word, alone or beside other letters, and
    no two names the same.
    """
    names = list(names)
    stated = {name: stated_digit(name) for name in names}
    digits = [digit for digit in stated.values() if digit is not None]
    if len(digits) == len(names) == len(set(digits)):
        return {name: digit for name, digit in stated.items() if digit is not None}
    return {name: name for name in names}


def stated_digit(name: str) -> str | None:
    """Return the digit in a name that has a single number, from 0 to 9, or is or contains an English word for it."""
    numbers = _NUMBER.findall(name)
    if numbers:
        return numbers[0] if len(numbers) == 1 and numbers[0] in DIGITS else None
    words = re.findall(r"[a-z]+", name.lower())
    found = [str(digit) for digit, word in enumerate(_WORDS) if word in words]
    return found[0] if len(found) == 1 else None


def digits_of_one_to_ten(path: Path) -> tuple[dict[str, str], str]:
    """Return the digit of each label from 1 to 10, in the order of digits, and a sentence about it.

    USPS's files number the digits 0 to 9 from 1. MATLAB's courses use 10 for the digit 0, as its arrays begin at 1.
    """
    if "usps" in path.name.lower():
        return {
            str(n + 1): str(n) for n in range(10)
        }, "Labels from 1 to 10 were read as the digits 0 to 9, as in USPS."
    return {str(n or 10): str(n) for n in range(10)}, "Labels from 1 to 10 were read as the digits 1 to 9 and 0."
