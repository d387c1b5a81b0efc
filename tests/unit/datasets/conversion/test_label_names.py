import pytest

from digitpad.datasets.conversion.label_names import folder_labels, labels_in_names


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["3_02", "3_03", "7_02"], "337"),
        (["0_1", "1_1", "2_1", "0_2"], "0120"),
        (["00001_num5", "00002_num6"], "56"),
        (["img3", "img4"], "34"),
        (["scan 1 label=7", "scan 2 label=7"], "77"),
        (["sample-12-4-2024", "sample-13-5-2024"], "45"),
    ],
)
def test_the_digit_in_a_name_is_found(names: list[str], labels: str) -> None:
    """The digit in a name is found, although the name has running numbers or dates."""
    assert labels_in_names(names) == list(labels)


@pytest.mark.parametrize("names", [[], ["a", "b"], ["IMG_2001", "IMG_2002"], ["001", "002"], ["1", "2", "10"]])
def test_names_without_digits_state_nothing(names: list[str]) -> None:
    """Running numbers and words are not labels."""
    assert labels_in_names(names) is None


def test_folders_are_digits_only_if_all_names_are() -> None:
    """Folder names are digits only if each states a different digit; otherwise they are class names."""
    assert folder_labels(["digit_3", "four"]) == {"digit_3": "3", "four": "4"}
    assert folder_labels(["3", "A"]) == {"3": "3", "A": "A"}
    assert folder_labels(["a1", "b1"]) == {"a1": "a1", "b1": "b1"}
    assert folder_labels(["cat", "dog"]) == {"cat": "cat", "dog": "dog"}
