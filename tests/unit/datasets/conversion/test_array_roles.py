import pytest

from digitpad.datasets.conversion.array_roles import find_roles, image_layouts, words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [("trainX", ["train", "x"]), ("X_train", ["x", "train"]), ("ytest", ["test", "y"]), ("dataset.train.images",
     ["dataset", "train", "images"]), ("t10k_labels", ["test", "labels"]), ("X_tr", ["x", "tr"])],
)  # fmt: skip
def test_names_are_split_into_words(name: str, words: list[str]) -> None:
    """Words are separated by case, signs, or a part at either end."""
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("shape", "layouts"),
    [
        ((50, 784), {50: (50, 28, 28)}),
        ((784, 50), {50: (50, 28, 28)}),
        ((28, 28, 50), {50: (50, 28, 28), 28: (28, 28, 50)}),
        ((50, 28, 28, 1), {50: (50, 28, 28)}),
        ((50, 1, 28, 28), {50: (50, 28, 28)}),
        ((32, 32, 3, 50), {50: (50, 32, 32, 3)}),
        ((50, 10), {}),
        ((50,), {}),
    ],
)
def test_shapes_of_images_are_known(shape: tuple[int, ...], layouts: dict[int, tuple[int, ...]]) -> None:
    """Flat and square images are recognised, in the row order of Python and the column order of MATLAB."""
    assert {n: layout.shape for n, layout in image_layouts(shape).items()} == layouts


def test_parts_follow_from_names_or_order() -> None:
    """Pairs of arrays whose names do not state a part are the training, validation and test set, in this order."""
    shapes = {f"{kind}{n}": (n, *rest) for n in (30, 20, 10) for kind, rest in (("p", (784,)), ("q", ()))}
    roles = find_roles(shapes)
    assert {part: (pair.images, pair.labels) for part, pair in roles.items()} == {
        "training": ("p30", "q30"), "validation": ("p20", "q20"), "test": ("p10", "q10")
    }  # fmt: skip


def test_other_arrays_are_not_labels() -> None:
    """Writers and mappings, as in EMNIST's files, are not labels."""
    shapes = {"train.images": (60, 784), "train.writers": (60, 1), "train.labels": (60, 1), "mapping": (10, 2)}
    pair = find_roles(shapes)["training"]
    assert (pair.images, pair.labels, pair.stated) == ("train.images", "train.labels", True)
