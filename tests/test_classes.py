import pytest

from digitpad.classes import DIGITS, MAX_CLASSES, are_names, in_words, noun


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (DIGITS, "0 to 9"),
        (["cat", "dog"], "cat, dog"),
        (["a", "b", "c", "d"], "a, b, c, d"),
        (list("ABCDEFG"), "A, B, C, … G (7 classes)"),
    ],
)
def test_classes_are_told_in_a_few_words(names: list[str], words: str) -> None:
    """Digits as a range, a few by their names, many by the first and the last."""
    assert in_words(names) == words


def test_digits_are_called_digits() -> None:
    """And whatever else there may be, classes."""
    assert noun(list(DIGITS)) == "digit"
    assert noun(DIGITS[:9]) == "class"


@pytest.mark.parametrize("n", [2, 10, MAX_CLASSES])
def test_different_texts_name_classes(n: int) -> None:
    """From two to 62, in a list or a tuple."""
    names = [f"class {place}" for place in range(n)]
    assert are_names(names)
    assert are_names(tuple(names))


@pytest.mark.parametrize(
    "values",
    [
        ["a"],
        [],
        [str(place) for place in range(63)],
        ["a", "a"],
        ["a", ""],
        ["a", "b\n"],
        ["a", 1],
        "ab",
        None,
        {"a": 1},
    ],
)
def test_other_things_do_not(values: object) -> None:
    """One, too many, the same twice, what cannot be shown, and what is no text."""
    assert not are_names(values)
