import gzip
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.datasets.dataset import Dataset, Digits, load_path
from digitpad.datasets.readers import pickle_file
from digitpad.datasets.readers.open_dataset import is_data_set
from digitpad.errors import DataError
from digitpad.ink.image import read_image
from digitpad.ink.raster import rasterize
from digitpad.ink.strokes import read_strokes
from tests.unit.datasets.idx_files import idx_bytes, random_digits, write_folder
from tests.unit.datasets.set_files import (
    HEADER,
    by_class,
    csv_text,
    keras,
    npy,
    pickled,
    pickled_by_python_2,
    write_drawings,
    write_images,
    zipped,
)


def dark_edged(n: int, seed: int = 0) -> Digits:
    """Return random digits with a black border, so that they count as light on dark, like MNIST."""
    digits = random_digits(n, seed)
    images = np.zeros_like(digits.images)
    images[:, 1:-1, 1:-1] = digits.images[:, 1:-1, 1:-1]
    return Digits(images, digits.labels)


TRAINING, TEST = dark_edged(60, 1), dark_edged(20, 2)


def training_of(dataset: Dataset) -> Digits:
    """Return the training and validation set, joined."""
    parts = dataset.training, dataset.validation
    return Digits(np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts]))


def assert_same(found: Digits, expected: Digits) -> None:
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_array_equal(found.labels, expected.labels)


def renamed(digits: Digits, *labels: int) -> Digits:
    """Return the digits with these labels, repeated."""
    return Digits(digits.images, np.resize(np.array(labels, np.uint8), len(digits)))


# IDX.


@pytest.mark.parametrize("prefix", ["emnist-digits", "qmnist", "mine"])
def test_idx_files_may_have_a_prefix(tmp_path: Path, prefix: str) -> None:
    """IDX files may have a prefix, as in EMNIST and QMNIST, where the test set is called ``test``."""
    write_folder(tmp_path / "set", TRAINING, TEST)
    for path in list((tmp_path / "set").iterdir()):
        path.rename(path.with_name(f"{prefix}-{path.name.replace('t10k', 'test')}"))
    dataset = load_path(tmp_path / "set")
    assert (len(training_of(dataset)), len(dataset.test), dataset.class_names) == (60, 20, DIGITS)


def test_labels_of_qmnist_are_read(tmp_path: Path) -> None:
    """The class is the first of the eight integers of QMNIST's labels."""
    write_folder(tmp_path, TRAINING, TEST)
    for part, digits in (("train", TRAINING), ("t10k", TEST)):
        rows = np.zeros((len(digits), 8), ">i4")
        rows[:, 0] = digits.labels
        (tmp_path / f"{part}-labels-idx1-ubyte").unlink()
        content = struct.pack(">BBBB2I", 0, 0, 12, 2, *rows.shape) + rows.tobytes()
        (tmp_path / f"{part}-labels-idx2-int.gz").write_bytes(gzip.compress(content))
    dataset = load_path(tmp_path)
    assert_same(training_of(dataset), TRAINING)
    assert_same(dataset.test, TEST)


def test_images_of_emnist_are_turned_upright(tmp_path: Path) -> None:
    """Only images of EMNIST are transposed."""
    transposed = Digits(TRAINING.images.transpose(0, 2, 1).copy(), TRAINING.labels)
    write_folder(tmp_path / "emnist-digits", transposed, TEST)
    dataset = load_path(tmp_path / "emnist-digits")
    assert_same(training_of(dataset), TRAINING)
    np.testing.assert_array_equal(dataset.test.images, TEST.images.transpose(0, 2, 1))
    assert any("transposed" in note for note in dataset.notes)
    (tmp_path / "emnist-digits").rename(tmp_path / "other")
    assert_same(training_of(load_path(tmp_path / "other")), transposed)


def test_one_of_several_datasets_in_a_folder_is_chosen_by_name(tmp_path: Path) -> None:
    """A dataset in a folder of several is chosen by its prefix or by one of its files."""
    for prefix, digits in (("emnist-letters", renamed(TRAINING, *range(1, 27))), ("emnist-digits", TRAINING)):
        write_folder(tmp_path / prefix, digits, renamed(TEST, *digits.labels))
        for path in list((tmp_path / prefix).iterdir()):
            path.rename(tmp_path / f"{prefix}-{path.name.replace('t10k', 'test')}")
        (tmp_path / prefix).rmdir()
    with pytest.raises(DataError, match=r"contains 2 datasets \(emnist-digits, emnist-letters\)"):
        load_path(tmp_path)
    for name in ("emnist-letters", "emnist-letters-test-labels-idx1-ubyte"):
        dataset = load_path(tmp_path / name)
        assert dataset.class_names == tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        assert dataset.training.labels[:3].tolist() == [0, 1, 2]
    assert load_path(tmp_path / "emnist-digits").class_names == DIGITS


def test_torchvision_layout_is_read(tmp_path: Path) -> None:
    """Both folders of torchvision's layout load the same dataset, with the name of the outer one."""
    write_folder(tmp_path / "FashionMNIST" / "raw", TRAINING, TEST)
    for path in (tmp_path / "FashionMNIST", tmp_path / "FashionMNIST" / "raw"):
        dataset = load_path(path)
        assert (dataset.name, dataset.class_names[9]) == ("FashionMNIST", "Ankle boot")


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("fashion-mnist", ("T-shirt/top", "Trouser", "Pullover")),
        ("KMNIST", ("o", "ki", "su")),
        ("emnist-balanced", ("0", "1", "2")),
        ("emnist_byclass", ("0", "1", "2")),
        ("mnist", ("0", "1", "2")),
    ],
)
def test_known_datasets_have_class_names(tmp_path: Path, name: str, classes: tuple[str, ...]) -> None:
    """Known datasets have all their class names, even if some classes do not occur."""
    dataset = load_path(write_folder(tmp_path / name, TRAINING, TEST))
    n_classes = {"emnist-balanced": 47, "emnist_byclass": 62}.get(name, 10)
    assert (dataset.class_names[:3], len(dataset.class_names)) == (classes, n_classes)


# Keras.


def with_one(number: float) -> NDArray[np.float64]:
    """Return images from 0 to 1, with a single pixel replaced."""
    images = TRAINING.images / 255
    images[41, 3, 3] = number
    return images


@pytest.mark.parametrize("shape", [(28, 28), (784,), (28, 28, 1), (1, 28, 28)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_npz_of_any_shape_and_type_is_read(tmp_path: Path, shape: tuple[int, ...], dtype: type) -> None:
    """Pixels from 0 to 255 are read in any shape and number type."""
    members = keras(TRAINING, TEST)
    members["x_train.npy"] = npy(TRAINING.images.reshape(-1, *shape).astype(dtype))
    members["y_train.npy"] = npy(TRAINING.labels.astype(np.int64)[:, None])
    (tmp_path / "mnist.npz").write_bytes(zipped(members))
    dataset = load_path(tmp_path / "mnist.npz")
    assert_same(training_of(dataset), TRAINING)
    assert_same(dataset.test, TEST)
    assert (dataset.name, dataset.format) == ("mnist.npz", "NumPy archive")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_train.npy": None}, "contains 'x_train' but no labels for it"),
        ({"y_test.npy": None}, "contains 'x_test' but no labels for it"),
        ({"y_train.npy": npy(np.array([{}]))}, "not a plain array of numbers"),
        ({"y_train.npy": npy(np.zeros(59, np.uint8))}, "has 59 labels for 60 images"),
        (
            {"y_train.npy": npy(np.full(60, 300))},
            "row 0 of 'y_train' contains 300; expected whole numbers from 0 to 255",
        ),
        (
            {"x_train.npy": npy(np.full((60, 784), np.nan))},
            "row 0 of 'x_train' contains nan; expected whole numbers from 0 to 255, or numbers from 0 to 1",
        ),
        ({"x_train.npy": npy(with_one(1.3))}, r"row 41 of 'x_train' contains 1.3; expected numbers from 0 to 1$"),
        ({"x_train.npy": npy(with_one(np.nan))}, r"row 41 of 'x_train' contains nan; expected numbers from 0 to 1$"),
        ({"x_train.npy": npy(with_one(np.inf))}, r"row 41 of 'x_train' contains inf; expected numbers from 0 to 1$"),
        ({"x_train.npy": npy(with_one(-1.0))}, r"row 41 of 'x_train' contains -1.0; expected numbers from 0 to 1$"),
        ({"x_train.npy": npy(TRAINING.images - 9.5)}, "expected .* before any mean is subtracted"),
        ({"y_train.npy": npy(np.ones((60, 10)))}, "row 0 of 'y_train' is not one-hot; expected a single 1 among zeros"),
        ({"y_train.npy": npy(np.ones((60, 63)))}, "array 'y_train' has the shape"),
        ({"x_train.npy": npy(np.zeros(60))}, "array 'x_train' has the shape"),
        ({"x_valid.npy": npy(TEST.images)}, "contains 'x_valid' but no labels for it"),
        ({"x_train.npy": npy(np.zeros((60, 7, 7), np.uint8))}, "array 'x_train' has the shape"),
        ({"x_train.npy": npy(np.zeros((60, 28, 28, 5), np.uint8))}, "array 'x_train' has the shape"),
        ({"x_train.npy": b"no array"}, "not in NumPy's format"),
    ],
    ids=[
        "no labels", "no test labels", "objects", "too few", "300", "NaN", "more than 1", "a NaN",
        "an infinity", "a -1", "mean subtracted", "two ones", "63 columns",
        "numbers", "half a validation", "7", "5 colours", "text",
    ],
)  # fmt: skip
def test_error_in_an_npz_is_named(tmp_path: Path, change: dict[str, bytes | None], message: str) -> None:
    """Errors in an archive name the array and the row."""
    members = {name: content for name, content in {**keras(TRAINING, TEST), **change}.items() if content is not None}
    (tmp_path / "mnist.npz").write_bytes(zipped(members))
    with pytest.raises(DataError, match=message):
        load_path(tmp_path / "mnist.npz")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("parts", "factor"), [(255, 255), (256, 256)], ids=["of 255 parts", "of 256 parts, as deeplearning.net's"]
)
def test_pixels_of_0_to_1_and_one_hot_labels_are_read(tmp_path: Path, dtype: type, parts: int, factor: int) -> None:
    """Pixels from 0 to 1 are scaled to the original bytes, one-hot labels are read, and a note reports the factor."""
    members = keras(TRAINING, TEST)
    members["x_train.npy"] = npy((TRAINING.images / parts).astype(dtype))
    members["y_train.npy"] = npy(np.eye(10, dtype=dtype)[TRAINING.labels])
    (tmp_path / "mnist.npz").write_bytes(zipped(members))
    dataset = load_path(tmp_path / "mnist.npz")
    assert_same(training_of(dataset), TRAINING)
    assert dataset.notes == (f"Pixels from 0 to 1 were multiplied by {factor}.",)


@pytest.mark.parametrize("dtype", [np.bool_, np.float32, np.uint8, np.int64])
def test_binary_pixels_are_read(tmp_path: Path, dtype: type) -> None:
    """Binary pixels become 0 and 255, for any number type."""
    on = TRAINING.images > 127
    members = {**keras(TRAINING, TEST), "x_train.npy": npy(on.astype(dtype))}
    (tmp_path / "mnist.npz").write_bytes(zipped(members))
    dataset = load_path(tmp_path / "mnist.npz")
    np.testing.assert_array_equal(training_of(dataset).images, on * np.uint8(255))
    assert_same(dataset.test, TEST)  # its pixels are from 0 to 255
    assert "multiplied by 255" in dataset.notes[0]


@pytest.mark.parametrize("excess", [1.0000001, -1e-9])
def test_rounding_errors_are_clipped(tmp_path: Path, excess: float) -> None:
    """Rounding errors beyond 0 and 1 are clipped."""
    (tmp_path / "mnist.npz").write_bytes(zipped({**keras(TRAINING, TEST), "x_train.npy": npy(with_one(excess))}))
    images = TRAINING.images.copy()
    images[41, 3, 3] = round(excess) * 255
    np.testing.assert_array_equal(training_of(load_path(tmp_path / "mnist.npz")).images, images)


@pytest.mark.parametrize("test", [np.zeros((20, 28, 28)), np.full((20, 28, 28), 0.5)], ids=["black", "one grey"])
def test_training_set_determines_the_scale(tmp_path: Path, test: NDArray[np.float64]) -> None:
    """The training set determines the scale of a test set with few grey levels."""
    members = {**keras(TRAINING, TEST), "x_train.npy": npy(TRAINING.images / 255), "x_test.npy": npy(test)}
    (tmp_path / "mnist.npz").write_bytes(zipped(members))
    dataset = load_path(tmp_path / "mnist.npz")
    np.testing.assert_array_equal(dataset.test.images, np.rint(test * 255))
    assert dataset.notes == ("Pixels from 0 to 1 were multiplied by 255.",)


# Pickles.


@pytest.mark.parametrize("protocol", range(6))
def test_three_pickled_pairs_are_read(tmp_path: Path, protocol: int) -> None:
    """Pairs as in `mnist.pkl.gz` are read: pixels are multiplied by 256, and the validation set is appended."""
    (tmp_path / "mnist.pkl.gz").write_bytes(gzip.compress(pickled(TRAINING[:40], TRAINING[40:], TEST, protocol), 1))
    dataset = load_path(tmp_path / "mnist.pkl.gz")
    assert_same(training_of(dataset), TRAINING)
    assert_same(dataset.test, TEST)
    assert (dataset.format, dataset.class_names) == ("pickle", DIGITS)
    assert "multiplied by 256" in dataset.notes[0]
    assert "validation set (20 images) was appended to its training set" in dataset.notes[1]


def test_pickle_of_python_2_is_read(tmp_path: Path) -> None:
    """A pickle of Python 2, such as deeplearning.net's, is read."""
    (tmp_path / "mnist.pkl").write_bytes(pickled_by_python_2(TRAINING, TEST))
    dataset = load_path(tmp_path / "mnist.pkl")
    assert_same(training_of(dataset), TRAINING)
    assert_same(dataset.test, TEST)


def test_old_pickle_with_swapped_bytes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays of protocol 2 with swapped bytes are read, although they are copied twice."""
    monkeypatch.setattr(pickle_file, "MAX_COPIED_BYTES", 0)
    images = (TRAINING.images.reshape(-1, 784) / 255).astype(">f4")
    (tmp_path / "mnist.pkl").write_bytes(pickle.dumps((images, TRAINING.labels, images, TRAINING.labels), 2))
    assert_same(training_of(load_path(tmp_path / "mnist.pkl")), TRAINING)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("training_images", "training_labels", "test_images", "test_labels"),
        ("train_img", "train_label", "test_img", "test_label"),
        ("x_train", "t_train", "x_test", "t_test"),
        ("data", "target", "x_test", "y_test"),
    ],
)
@pytest.mark.parametrize("form", ["bytes", "of 1"])
def test_a_pickled_dict_is_read(tmp_path: Path, names: tuple[str, ...], form: str) -> None:
    """A dict of bytes or fractions, with labels in a list or one-hot, is read under common names."""
    tree: dict[str, object] = {"about": "digits"}
    for images, labels, digits in ((names[0], names[1], TRAINING), (names[2], names[3], TEST)):
        rows = digits.images.reshape(-1, 784)
        tree[images] = rows if form == "bytes" else np.float32(digits.images / 255)
        tree[labels] = digits.labels.tolist() if form == "bytes" else np.eye(10)[digits.labels]
    (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(tree))
    dataset = load_path(tmp_path / "mnist.pkl")
    assert_same(training_of(dataset), TRAINING)
    assert_same(dataset.test, TEST)


@pytest.mark.parametrize("n_pairs", [0, 1, 2], ids=["a pair", "a list of one", "training and test"])
def test_fewer_pickled_pairs_are_read(tmp_path: Path, n_pairs: int) -> None:
    """A pickle without validation or test set is read."""
    pairs = [(digits.images, digits.labels) for digits in (TRAINING, TEST)]
    (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(pairs[:n_pairs] if n_pairs else pairs[0]))
    dataset = load_path(tmp_path / "mnist.pkl")
    found = np.concatenate([training_of(dataset).images, dataset.test.images])
    assert {image.tobytes() for image in found} == {
        image.tobytes() for digits in (TRAINING, TEST)[: max(1, n_pairs)] for image in digits.images
    }
    assert not any("validation" in note for note in dataset.notes)


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 1, 2, 3)], ids=["in turn", "images first"])
def test_four_pickled_arrays_are_read(tmp_path: Path, order: tuple[int, ...]) -> None:
    """Four arrays are read in the order ``x_train, y_train, x_test, y_test`` or in that of scikit-learn's split."""
    arrays = [TRAINING.images.reshape(-1, 784), TEST.images.reshape(-1, 784), TRAINING.labels, TEST.labels]
    (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(tuple(arrays[i] for i in order)))
    assert is_data_set(tmp_path / "mnist.pkl")
    dataset = load_path(tmp_path / "mnist.pkl")
    assert_same(training_of(dataset), TRAINING)
    assert_same(dataset.test, TEST)


@pytest.mark.parametrize("shape", [(784,), (28, 28)], ids=str)
def test_standardised_images_count_as_a_dataset(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Standardised images count as a dataset, so that the dataset reader reports the problem."""
    images = (TRAINING.images.reshape(-1, *shape) / 255 - 0.13) / 0.31
    for tree in ((images, TRAINING.labels), {"x_train": images, "y_train": TRAINING.labels}):
        (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(tree))
        assert is_data_set(tmp_path / "mnist.pkl")


def test_a_pickle_in_a_folder_is_found_among_weights(tmp_path: Path) -> None:
    """The only dataset among pickles of a folder is found; two datasets are an error."""
    (tmp_path / "weights.pkl").write_bytes(pickle.dumps([np.ones((784, 10)), np.ones(10)]))
    assert not is_data_set(tmp_path)
    (tmp_path / "mnist.pkl.gz").write_bytes(gzip.compress(pickled(TRAINING, TEST, TEST, 4)))
    assert is_data_set(tmp_path)
    assert load_path(tmp_path).format == "pickle"
    (tmp_path / "more.pkl").write_bytes(pickled(TRAINING, TEST, TEST, 4))
    with pytest.raises(DataError, match=r"contains 2 datasets \(mnist.pkl.gz, more.pkl\)"):
        load_path(tmp_path)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (None, "is a pickle without images and labels; expected a tuple of pairs"),
        ([(TRAINING.images, TRAINING.labels[:-1])], "has 59 labels for 60 images$"),
        (
            [(TRAINING.images, TRAINING.labels), (TEST.images, TEST.labels[1:]), (TEST.images, TEST.labels)],
            r"has 19 labels for 20 images \(validation labels, validation images\)",
        ),
        ([TRAINING.images, TRAINING.labels[1:], TEST.images, TEST.labels], "without images and labels"),
        ({"x_train": TRAINING.images - 9.5, "y_train": TRAINING.labels}, "before any mean is subtracted"),
        ((TRAINING.images - 9.5, TRAINING.labels), "before any mean is subtracted"),
        (
            {"W1": np.ones((784, 10))},
            r"contains 'W1' \(784 × 10\), which are weights, not a dataset; expected images and labels",
        ),
        (
            {"x_train": TRAINING.images},
            "contains 'x_train' but no labels for it; expected images and labels, such as x_train",
        ),
        (
            [(TRAINING.images - 0.5, TRAINING.labels)],
            "row 0 of 'training images' contains -0.5; expected .* before any mean is",
        ),
        ([(TRAINING.images, TRAINING.labels + 0.5)], "row 0 of 'training labels' contains 0.5; expected whole numbers"),
        ([(TRAINING.images, np.full(60, np.inf))], "row 0 of 'training labels' contains inf; expected whole numbers"),
        ([(np.ones((60, 10)), np.ones(60))], r"array 'training images' has the shape \(60, 10\)"),
    ],
)
def test_error_in_a_pickle_is_named(tmp_path: Path, tree: object, message: str) -> None:
    """Errors in a pickle name the array, by its name or its purpose."""
    (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(tree))
    is_data_set(tmp_path / "mnist.pkl")  # must neither raise nor warn
    with pytest.raises(DataError, match=message):
        load_path(tmp_path / "mnist.pkl")


def test_callback_exception_ends_reading(tmp_path: Path) -> None:
    """An exception of the progress callback is passed on, not reported as damage."""

    class StopError(Exception):
        pass

    def stop(_n_read: int) -> None:
        raise StopError

    (tmp_path / "mnist.pkl").write_bytes(pickled(TRAINING, TEST, TEST, 4))
    for act in (load_path, is_data_set):
        with pytest.raises(StopError):
            act(tmp_path / "mnist.pkl", stop)


# CSV.


@pytest.mark.parametrize("last", [False, True], ids=["label first", "label last"])
@pytest.mark.parametrize("header", [True, False], ids=["header", "no header"])
@pytest.mark.parametrize(("separator", "end"), [(",", "\n"), (";", "\r\n"), ("\t", "\n")], ids=["comma", "semi", "tab"])
def test_csv_of_any_layout_is_read(tmp_path: Path, last: bool, header: bool, separator: str, end: str) -> None:
    """A CSV is read with or without a header, with the label first or last, and with any separator."""
    names = ([*HEADER[1:], "Label"] if last else HEADER) if header else None
    (tmp_path / "train.csv").write_text(csv_text(TRAINING, names, last, None, separator, end), newline="")
    (tmp_path / "test.csv").write_text(csv_text(TEST, names and HEADER), newline="")
    dataset = load_path(tmp_path)
    assert_same(training_of(dataset), TRAINING)
    assert_same(dataset.test, TEST)
    assert dataset.format == "CSV"


def test_labels_in_a_csv_may_be_words(tmp_path: Path) -> None:
    """Text labels, quoted or not, are sorted class names."""
    names = ["cat", '"dog"', "ant"] * 3 + ["dog"]
    (tmp_path / "animals.csv").write_text(csv_text(random_digits(90), names=names))
    dataset = load_path(tmp_path / "animals.csv")
    assert dataset.class_names == ("ant", "cat", "dog")


@pytest.mark.parametrize(
    "header", [["", *HEADER], ["id", *HEADER], ["label", *map(str, range(784))]], ids=["index", "id", "numbers"]
)
def test_index_columns_of_a_csv_are_ignored(tmp_path: Path, header: list[str]) -> None:
    """Index columns are not read as pixels."""
    lines = csv_text(TRAINING, None).splitlines()
    if len(header) == 786:
        lines = [f"{row},{line}" for row, line in enumerate(lines)]
    (tmp_path / "train.csv").write_text("\n".join([",".join(header), *lines]))
    found = load_path(tmp_path / "train.csv")
    np.testing.assert_array_equal(np.sort(np.unique(found.training.labels)), range(10))
    assert len(found.training) + len(found.validation) + len(found.test) == 60


def test_kaggle_s_test_file_has_no_labels(tmp_path: Path) -> None:
    """A test file without labels is skipped with a note, and cannot be loaded on its own."""
    (tmp_path / "train.csv").write_text(csv_text(TRAINING))
    unlabelled = "\n".join(line.partition(",")[2] for line in csv_text(TEST).splitlines())
    (tmp_path / "test.csv").write_text(unlabelled)
    dataset = load_path(tmp_path)
    assert [len(part) for part in (dataset.training, dataset.validation, dataset.test)] == [42, 8, 10]
    assert any("test.csv has no labels" in note for note in dataset.notes)
    with pytest.raises(DataError, match="images without labels"):
        load_path(tmp_path / "test.csv")


def with_cell(row: int, column: int, text: str) -> str:
    """Return a valid CSV with a single cell replaced, in a row counted from 0 below the header."""
    lines = csv_text(TRAINING).splitlines()
    cells = lines[row + 1].split(",")
    cells[column] = text
    return "\n".join([*lines[: row + 1], ",".join(cells), *lines[row + 2 :]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (with_cell(4, 8, "300"), "row 6: pixel 7 is 300; expected a whole number from 0 to 255"),
        (with_cell(4, 8, "-1"), "row 6: pixel 7 is -1"),
        (with_cell(4, 8, "NaN"), "row 6: pixel 7 is nan"),
        (with_cell(4, 8, "inf"), "row 6: pixel 7 is inf"),
        (with_cell(4, 8, "0.5"), "row 6: pixel 7 is 0.5"),
        (with_cell(4, 8, "x"), "row 6: pixel 7 is 'x'"),
        (with_cell(4, 8, ""), "row 6: pixel 7 is ''"),
        (with_cell(4, 8, "1,2"), "row 6 has 786 columns; expected 785"),
        (with_cell(4, 0, ""), "has the label ''"),
        (with_cell(4, 0, "é" * 41), "expected 1 to 40 characters"),
        (with_cell(4, 0, "12"), "label 4 is 12, the only sample of its class"),
        ("", "is empty"),
        ("label,a\n", "has 2 columns; expected 784 pixels and a label"),
        (",".join(HEADER), "contains no image below its header"),
        ("1," * 40_000, "row 1 is longer than 65,536 bytes; expected 785 columns"),
    ],
    ids=[
        "300", "below 0", "NaN", "infinity", "half", "text", "nothing", "two", "no label", "long label", "alone",
        "empty", "two columns", "header alone", "forty thousand columns",
    ],
)  # fmt: skip
def test_error_in_a_csv_is_named(tmp_path: Path, text: str, message: str) -> None:
    """Errors in a CSV contain the line number."""
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        load_path(tmp_path / "train.csv")


def test_kaggle_s_letters_have_their_names(tmp_path: Path) -> None:
    """Kaggle's letters get their names, and each part of the sorted file contains all letters."""
    digits = random_digits(260)
    letters = Digits(digits.images, np.repeat(np.arange(26, dtype=np.uint8), 10))
    (tmp_path / "A_Z Handwritten Data.csv").write_text(csv_text(letters, None))
    dataset = load_path(tmp_path / "A_Z Handwritten Data.csv")
    assert dataset.class_names == tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for part in (dataset.training, dataset.validation, dataset.test):
        assert np.unique(part.labels).size == 26


def test_more_classes_than_62_are_refused(tmp_path: Path) -> None:
    """More than 62 classes are rejected."""
    digits = random_digits(130)
    labels = Digits(digits.images, np.arange(130, dtype=np.uint8) % 65)
    (tmp_path / "many.csv").write_text(csv_text(labels))
    with pytest.raises(DataError, match="too many different labels; '62' exceeds the limit of 62"):
        load_path(tmp_path / "many.csv")
    write_folder(tmp_path / "idx", labels, labels)
    with pytest.raises(DataError, match="has 65 classes; the limit is 62"):
        load_path(tmp_path / "idx")


# Images.


def test_images_in_folders_are_read(tmp_path: Path) -> None:
    """Image folders below ``train`` and ``test`` are read, and images of 28 × 28 are unchanged."""
    write_images(tmp_path / "set" / "train", TRAINING)
    write_images(tmp_path / "set" / "Test", TEST)
    dataset = load_path(tmp_path / "set")
    found = by_class(training_of(dataset))
    expected = by_class(TRAINING)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert {image.tobytes() for image in found.images} == {image.tobytes() for image in expected.images}
    assert_same(dataset.test, by_class(TEST))
    assert (dataset.format, dataset.class_names, dataset.notes) == ("image folders", DIGITS, ())


def test_images_without_a_test_set_are_split_by_class(tmp_path: Path) -> None:
    """Images without a test set are split by class, and the split is reproducible."""
    names = ["cat", "dog"] * 5
    write_images(tmp_path / "pets", random_digits(70), names)
    dataset, again = (load_path(tmp_path / "pets") for _ in range(2))
    assert dataset.class_names == ("cat", "dog")
    for part, n in ((dataset.training, 50), (dataset.validation, 10), (dataset.test, 10)):
        assert np.bincount(part.labels).tolist() == [n // 2, n // 2]
    np.testing.assert_array_equal(dataset.test.images, again.test.images)
    assert any("(10 images in total) was split off with a fixed seed" in note for note in dataset.notes)


def test_dark_ink_is_inverted(tmp_path: Path) -> None:
    """Images with light borders are inverted, like MNIST."""
    images = np.zeros((20, 28, 28), np.uint8)
    images[:, 8:20, 10:15] = np.arange(20)[:, None, None] + 200
    digits = Digits(images, np.arange(20, dtype=np.uint8) % 2)
    write_images(tmp_path / "dark", Digits(255 - images, digits.labels))
    write_images(tmp_path / "light", digits)
    assert load_path(tmp_path / "dark").sha256 == load_path(tmp_path / "light").sha256


def test_images_of_another_size_are_scaled_and_centred(tmp_path: Path) -> None:
    """Images of another size are scaled and centred, and a note says so."""
    large = np.zeros((20, 90, 120), np.uint8)
    large[:, 10:60, 15:25] = 255
    write_images(tmp_path / "large", Digits(large, np.arange(20, dtype=np.uint8) % 2), suffix=".bmp")
    dataset = load_path(tmp_path / "large")
    ink = np.argwhere(dataset.training.images[0] > 100)
    assert np.ptp(ink[:, 0]) in (19, 20)  # the size of MNIST's digits
    assert "20 of 20 images are not 28 × 28 pixels" in dataset.notes[0]


@pytest.mark.skipif(os.name == "nt", reason="creating links needs privileges on Windows")
@pytest.mark.parametrize("what", ["image", "class", "part", "idx", "raw", "csv"])
def test_links_out_of_the_folder_are_refused(tmp_path: Path, what: str) -> None:
    """Links to files and folders outside the dataset are rejected."""
    outside = write_images(tmp_path / "outside", random_digits(20))
    write_folder(tmp_path / "elsewhere", TRAINING, TEST)
    (tmp_path / "away.csv").write_text(csv_text(TRAINING))
    folder = tmp_path / "set"
    folder.mkdir()
    if what in ("image", "class", "part"):
        write_images(folder / "train", random_digits(20))
    link, target = {
        "image": (folder / "train" / "3" / "zzz.png", outside / "3" / "00003.png"),
        "class": (folder / "train" / "a", outside / "3"),
        "part": (folder / "test", outside),
        "idx": (folder / "train-images-idx3-ubyte", tmp_path / "elsewhere" / "train-images-idx3-ubyte"),
        "raw": (folder / "raw", tmp_path / "elsewhere"),
        "csv": (folder / "train.csv", tmp_path / "away.csv"),
    }[what]
    link.symlink_to(target)
    if what == "idx":
        shutil.copy(tmp_path / "elsewhere" / "train-labels-idx1-ubyte", folder)
    with pytest.raises(DataError, match="is a link out of the dataset's folder"):
        load_path(folder)


@pytest.mark.skipif(os.name == "nt", reason="creating links needs privileges on Windows")
def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    """Links within the folder are followed; circular links are an error."""
    folder = write_images(tmp_path / "set", random_digits(20))
    (folder / "0" / "again.png").symlink_to(folder / "0" / "00000.png")
    dataset = load_path(folder)
    assert len(dataset.training) + len(dataset.validation) + len(dataset.test) == 21
    (folder / "0" / "round.png").symlink_to(folder / "0" / "round.png")
    with pytest.raises(DataError, match="cannot be read"):
        load_path(folder)


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    """An unreadable image is skipped and reported; if no image can be read, the error names the first."""
    folder = write_images(tmp_path / "set", random_digits(20))
    (folder / "3" / "photo.heic").write_bytes(b"no image")
    dataset = load_path(folder)
    assert len(dataset.all) == 20
    assert len(dataset.skipped) == 1
    assert "photo.heic: is not an image" in dataset.skipped[0]
    for path in folder.rglob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"is not an image.* \(and 20 more images cannot be read\)") as caught:
        load_path(folder)
    assert caught.value.path == folder / "0" / "00000.png"


def test_reading_images_can_be_ended(tmp_path: Path) -> None:
    """An exception of the progress callback stops reading at any image."""
    write_images(tmp_path, random_digits(220))
    reports = []

    def tell(n: int) -> None:
        reports.append(n)
        if n == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_path(tmp_path, tell)
    assert [n for n in reports if n] == [100, 200]
    assert len(reports) == 200  # the callback could have stopped at any image


# Strokes.


def test_drawings_are_rasterised_like_on_the_pad(tmp_path: Path) -> None:
    """Labelled drawings are rasterised like on the pad, and a note counts the others."""
    path = write_drawings(tmp_path / "mine.jsonl", [*([0, 1, 2] * 10), None, None])
    dataset = load_path(path)
    drawn = {rasterize(drawing.paths).tobytes() for drawing in read_strokes(path) if drawing.label is not None}
    parts = (dataset.training, dataset.validation, dataset.test)
    assert {image.tobytes() for part in parts for image in part.images} == drawn
    assert dataset.class_names == DIGITS
    assert "2 lines without a label or without ink" in dataset.notes[0]


def test_strokes_without_labels_are_refused(tmp_path: Path) -> None:
    """Strokes without labels and invalid strokes files are rejected."""
    path = write_drawings(tmp_path / "mine.jsonl", [None] * 12)
    with pytest.raises(DataError, match="contains no drawing with a label"):
        load_path(path)
    path.write_text("{")
    with pytest.raises(DataError, match="line 1 is not JSON"):
        load_path(path)


# All formats.


def test_checksum_does_not_depend_on_the_format(tmp_path: Path) -> None:
    """The SHA-256 and the split do not depend on the file format."""
    digits, test = by_class(TRAINING), by_class(TEST)
    write_folder(tmp_path / "idx", digits, test)
    (tmp_path / "set.npz").write_bytes(zipped(keras(digits, test)))
    (tmp_path / "train.csv").write_text(csv_text(digits))
    (tmp_path / "test.csv").write_text(csv_text(test))
    write_images(tmp_path / "images" / "train", digits)
    write_images(tmp_path / "images" / "test", test)
    sets = [load_path(tmp_path / name) for name in ("idx", "set.npz", "train.csv", "images")]
    assert len({dataset.sha256 for dataset in sets}) == 1
    for dataset in sets[1:]:
        np.testing.assert_array_equal(dataset.validation.images, sets[0].validation.images)


def test_sorted_digits_are_split_by_class(tmp_path: Path) -> None:
    """If the last sixth lacks classes, a stratified sixth becomes the validation set."""
    dataset = load_path(write_folder(tmp_path, by_class(TRAINING), TEST))
    assert np.bincount(dataset.validation.labels).tolist() == [1] * 10
    assert np.bincount(dataset.training.labels).tolist() == [5] * 10


def test_a_seventh_is_split_off_without_a_test_set(tmp_path: Path) -> None:
    """Without a test set, a seventh is split off without overlap, and a note says so."""
    write_folder(tmp_path, random_digits(140), TEST)
    for path in tmp_path.glob("t10k-*"):
        path.unlink()
    dataset = load_path(tmp_path)
    parts = (dataset.training, dataset.validation, dataset.test)
    assert [len(part) for part in parts] == [100, 20, 20]
    assert len({image.tobytes() for part in parts for image in part.images}) == 140
    assert "There is no test set" in dataset.notes[0]


def test_arrays_of_a_dataset_are_read_only(tmp_path: Path) -> None:
    """The arrays of all parts are read-only, for every format."""
    write_images(tmp_path / "images", random_digits(40))
    (tmp_path / "set.npz").write_bytes(zipped(keras(TRAINING, TEST)))
    (tmp_path / "emnist-mnist-train-images-idx3-ubyte").write_bytes(idx_bytes(TRAINING.images))
    (tmp_path / "emnist-mnist-train-labels-idx1-ubyte").write_bytes(idx_bytes(TRAINING.labels))
    for name in ("images", "set.npz", "emnist-mnist"):
        dataset = load_path(tmp_path / name)
        for part in (dataset.training, dataset.validation, dataset.test):
            assert not part.images.flags.writeable
            assert not part.labels.flags.writeable


def test_a_png_of_28_by_28_reads_as_written(tmp_path: Path) -> None:
    """The image reader does not change grey levels."""
    write_images(tmp_path, random_digits(1))
    np.testing.assert_array_equal(read_image(tmp_path / "0" / "00000.png")[..., 0], random_digits(1).images[0])


# Detection of datasets without reading them.


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("set", lambda p: write_folder(p, TRAINING, TEST)),
        ("set/raw", lambda p: write_folder(p, TRAINING, TEST)),
        ("images.idx", lambda p: p.write_bytes(idx_bytes(TRAINING.images))),
        ("labels", lambda p: p.write_bytes(gzip.compress(idx_bytes(TRAINING.labels)))),
        ("mnist.npz", lambda p: p.write_bytes(zipped(keras(TRAINING, TEST)))),
        ("mnist.pkl.gz", lambda p: p.write_bytes(gzip.compress(pickled(TRAINING, TEST, TEST, 2)))),
        ("mnist.pkl", lambda p: p.write_bytes(pickle.dumps({"x_train": TRAINING.images, "y_train": TRAINING.labels}))),
        ("pair.pickle", lambda p: p.write_bytes(pickle.dumps((TRAINING.images, TRAINING.labels)))),
        ("without an ending", lambda p: p.write_bytes(pickle.dumps((TRAINING.images, TRAINING.labels)))),
        ("train.csv", lambda p: p.write_text(csv_text(TRAINING))),
        ("bare.csv", lambda p: p.write_text(csv_text(TRAINING, header=None))),
        (
            "named.tsv",
            lambda p: p.write_text(
                csv_text(TRAINING, [*HEADER[1:], "label"], names="abcdefghij", last=True, separator="\t")
            ),
        ),
        ("images", lambda p: write_images(p, TRAINING)),
        ("images/train", lambda p: write_images(p, TRAINING)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_datasets_are_recognised_by_name_and_first_bytes(
    tmp_path: Path, name: str, make: Callable[[Path], object]
) -> None:
    """Datasets are recognised by names and first bytes, also by their folder."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    make(path)
    whole = path.parent if path.name in ("raw", "train") else path
    assert is_data_set(whole)
    if path.suffix in (".npz", ".csv", ".pkl"):
        assert is_data_set(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("w.npz", zipped({"W1.npy": npy(np.ones((784, 10))), "b1.npy": npy(np.ones(10))})),
        ("all.npz", zipped({**keras(TRAINING, TEST), "W1.npy": npy(np.ones((784, 10)))})),
        ("ours.npz", zipped({"header.npy": npy(np.ones(3, np.uint8)), "2.weight.npy": npy(np.ones((784, 10)))})),
        ("test.csv", ("0," * 783 + "9\n").encode() * 10),
        ("W1.csv", ("0.5," * 783 + "1\n").encode() * 10),
        ("w.csv", b"1,2,3\n4,5,6\n"),
        ("empty.csv", b""),
        ("header.csv", ",".join(HEADER).encode()),
        ("damaged.npz", b"PK\x03\x04" + bytes(60)),
        ("damaged.gz", b"\x1f\x8b" + bytes(60)),
        ("cut.npz", zipped(keras(TRAINING, TEST))[:300]),
        ("a.pkl", b"\x80\x04N."),
        ("layers.pkl", pickle.dumps([(np.ones((30, 784)) - 2, np.zeros(30)), (np.ones((10, 30)), np.zeros(10))])),
        ("layer.pkl", pickle.dumps((np.ones((10, 784)) - 2, np.zeros(10)))),
        ("four.pkl", pickle.dumps([np.ones((30, 784)), np.zeros(30), np.ones((10, 30)), np.zeros(10)])),
        ("untrained.pkl", pickle.dumps((np.ones((10, 784)), np.zeros(10)))),
        ("whole.pkl", pickle.dumps((np.ones((10, 784), np.int8) - 2, np.arange(10)))),
        ("biased.pkl", pickle.dumps((np.ones((10, 784)), np.full(10, 0.5)))),
        ("all.pkl", pickle.dumps({"x_train": TRAINING.images, "y_train": TRAINING.labels, "W1": np.ones(3)})),
        ("cut.pkl", pickled(TRAINING, TEST, TEST, 4)[:-100]),
        ("a.png", b"\x89PNG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weights_and_unusable_files_are_not_datasets(tmp_path: Path, name: str, content: bytes) -> None:
    """Weights and unusable files, and their folders, are not datasets, and raise nothing."""
    (tmp_path / name).write_bytes(content)
    assert not is_data_set(tmp_path / name)
    assert not is_data_set(tmp_path)
    assert not is_data_set(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("files", "pictures"),
    [
        (("W1.npy", "b1.npy"), ("plots", "samples")),
        (("W1.csv", "b1.csv"), ("plots", "samples")),
        (("mine.pkl",), ("plots", "samples")),
        (("layer one.csv",), ("plots",)),
    ],
)
def test_weights_beside_plots_are_not_a_dataset(
    tmp_path: Path, files: tuple[str, ...], pictures: tuple[str, ...]
) -> None:
    """A folder of weights and plots is not a dataset; a folder of images and text files is."""
    write_images(tmp_path / "plain", TRAINING, pictures * 10)
    for name in ("labels.csv", "classes.txt", "notes.json"):
        (tmp_path / "plain" / name).write_text("1")
    assert is_data_set(tmp_path / "plain") == (len(pictures) > 1)
    for name in files:
        (tmp_path / "plain" / name).write_text("1")
    assert not is_data_set(tmp_path / "plain")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "w.npz",
            zipped({"W1.npy": npy(np.ones((784, 10)))}),
            r"contains 'W1' \(784 × 10\), which are weights, not a dataset",
        ),
        ("w.npy.pt", b"\x89HDF", "looks like a weights file, not a dataset"),
        ("nothing.pkl", b"", "is empty; expected IDX files"),
        ("w.pkl", b"\x80\x04N.", "is a pickle without images and labels"),
        (
            "twice.pkl",
            pickle.dumps({"X_train": TRAINING.images, "x_train": TRAINING.images, "y_train": TRAINING.labels}),
            "contains 'x_train' twice",
        ),
        (
            "words.pkl",
            pickle.dumps({"x_train": TRAINING.images, "y_train": ["nine"] * 60}),
            "'y_train' is not an array of numbers",
        ),
        ("x_train.npy", npy(TRAINING.images), "is a single array of shape .60, 28, 28.; put the labels beside it"),
        (
            "pictures",
            idx_bytes(TRAINING.images),
            "has no train-labels-idx1-ubyte",
        ),
    ],
)
def test_error_for_other_files_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """Errors for other files, such as weights, say why they are not a dataset."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_path(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are not supported here")
def test_pipe_in_a_folder_is_skipped(tmp_path: Path) -> None:
    """A pipe with the name of a dataset is skipped without blocking."""
    os.mkfifo(tmp_path / "train.csv")
    assert not is_data_set(tmp_path)
    with pytest.raises(DataError, match="contains no dataset"):
        load_path(tmp_path)
