import pytest

from digitpad.class_names import DIGITS, MAX_CLASSES, are_names, default_names, describe_names, noun, parse_names


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (DIGITS, "0 to 9"),
        (["cat", "dog"], "cat, dog"),
        (["a", "b", "c", "d"], "a, b, c, d"),
        (list("ABCDEFG"), "A, B, C, … G (7 classes)"),
    ],
)
def test_classes_are_described_briefly(names: list[str], words: str) -> None:
    """Digits are shown as a range, a few classes by name, and many classes by the first and last names."""
    assert describe_names(names) == words


def test_digits_are_called_digits() -> None:
    """The noun is "digit" for digits and "class" for everything else."""
    assert noun(list(DIGITS)) == "digit"
    assert noun(DIGITS[:9]) == "class"


@pytest.mark.parametrize("n", [2, 10, MAX_CLASSES])
def test_distinct_texts_are_valid_names(n: int) -> None:
    """A list or tuple of 2 to 62 distinct strings is valid."""
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
def test_other_values_are_invalid_names(values: object) -> None:
    """Too few or too many names, duplicates, unprintable names and other types are invalid."""
    assert not are_names(values)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A-C", ("A", "B", "C")),
        ("0-9", DIGITS),
        (" cat,dog ", ("cat", "dog")),
        ("0-2, x-z, other", ("0", "1", "2", "x", "y", "z", "other")),
        ("T-shirt, a-b", ("T-shirt", "a", "b")),
        ("い-う", ("い", "ぅ", "う")),
    ],
)
def test_names_are_parsed_from_a_line(text: str, names: tuple[str, ...]) -> None:
    """Names are separated by commas, and two characters with a hyphen are a range."""
    assert parse_names(text) == names


@pytest.mark.parametrize("text", ["", "cat", "a, a", "a,,b", "Z-A", "\u0100-\u0200", "0-9, 5"])
def test_invalid_lists_of_names_are_refused(text: str) -> None:
    """Too few or too many names, duplicates and empty names raise a ValueError."""
    with pytest.raises(ValueError, match="different names"):
        parse_names(text)


@pytest.mark.parametrize(("n", "last"), [(10, "9"), (26, "Z"), (36, "Z"), (47, "t"), (52, "z"), (62, "z")])
def test_common_numbers_of_classes_have_default_names(n: int, last: str) -> None:
    """Common numbers of classes have default names: digits, letters, or both."""
    names = parse_names(default_names(n))
    assert (len(names), names[-1]) == (n, last)


def test_other_numbers_of_classes_have_no_default_names() -> None:
    """Other numbers of classes have no default names."""
    assert default_names(7) == ""
