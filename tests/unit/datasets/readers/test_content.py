"""Tests of reading files with any names, layouts and value ranges by their content."""

import bz2
import gzip
import io
import pickle
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from digitpad.class_names import DIGITS
from digitpad.datasets.dataset import Dataset, Digits, load_path, mnist
from digitpad.datasets.readers.open_dataset import is_data_set
from digitpad.errors import DataError
from tests.unit.datasets.idx_files import idx_bytes, write_folder
from tests.unit.datasets.set_files import csv_text, keras, npy, write_images, zipped
from tests.unit.importers.mat_files import mat, mat_matrix

TRAINING, TEST = mnist().training[:60], mnist().test[:20]
ROWS, TEST_ROWS = TRAINING.images.reshape(-1, 784), TEST.images.reshape(-1, 784)
LABELS = TRAINING.labels.astype(np.int64)


def assert_holds(dataset: Dataset, training: Digits, test: Digits | None = None) -> None:
    """Check that a dataset has these images with these labels, in any order if there is no test set."""
    expected = training if test is None else Digits(*(np.concatenate(pair) for pair in zip(
        (training.images, training.labels), (test.images, test.labels), strict=True)))  # fmt: skip
    found = dataset.all
    names = [dataset.class_names[label] for label in found.labels]
    assert sorted((image.tobytes(), name) for image, name in zip(found.images, names, strict=True)) == sorted(
        (image.tobytes(), str(label)) for image, label in zip(expected.images, expected.labels, strict=True)
    )
    if test is not None:
        np.testing.assert_array_equal(dataset.test.images, test.images)


# IDX files, by their magic number.

NAMES = [
    f"{part}-{content}-idx{n}-ubyte" for part in ("train", "t10k") for content, n in (("images", 3), ("labels", 1))
]


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.split("-idx")[0].replace("-", "_").replace("t10k", "test") + ".gz",
        lambda name: name.split("-idx")[0],
        lambda name: name + " (1).gz",
        lambda name: name.upper() + ".GZ",
        lambda name: f"{name}/{name}",
        lambda name: f"MNIST/raw/{name}.gz",
        lambda name: f"{name.split('-')[0]}/{name.split('-')[1]}.bin",
        lambda name: {"train-images": "a", "train-labels": "b", "t10k-images": "c"}.get(name.split("-idx")[0], "d"),
    ],
    ids=["underscores", "short", "downloaded twice", "upper case", "a folder each", "nested", "parts", "no names"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_idx_files_are_recognised_by_their_magic_number(
    tmp_path: Path, rename: Callable[[str], str], packed: bool
) -> None:
    """IDX files are read under any name and in any folder, also from a zip archive."""
    write_folder(tmp_path / "first", TRAINING, TEST)
    for name in NAMES:
        target = tmp_path / "set" / rename(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = (tmp_path / "first" / name).read_bytes()
        target.write_bytes(gzip.compress(content) if target.suffix.lower() == ".gz" else content)
    path = tmp_path / "set"
    if packed:
        path = Path(shutil.make_archive(str(tmp_path / "set"), "zip", path))
    assert_holds(load_path(path), TRAINING, TEST)


def test_a_single_renamed_idx_file_finds_its_labels(tmp_path: Path) -> None:
    """The labels for a renamed file of images come from the labels file beside it with the same count."""
    (tmp_path / "pictures").write_bytes(idx_bytes(TRAINING.images))
    (tmp_path / "answers").write_bytes(idx_bytes(TRAINING.labels))
    assert_holds(load_path(tmp_path / "pictures"), TRAINING)


def test_a_test_set_alone_can_be_scored_but_not_trained_on(tmp_path: Path) -> None:
    """With only a test set, all images are in the test set, and training is refused with the reason."""
    write_folder(tmp_path, TRAINING, TEST)
    for path in tmp_path.glob("train-*"):
        path.unlink()
    dataset = load_path(tmp_path)
    np.testing.assert_array_equal(dataset.test.images, TEST.images)
    assert len(dataset.training) == len(dataset.validation) == 0
    with pytest.raises(DataError, match="has only a test set; it can be used to evaluate, but not to train"):
        dataset.check_trainable()


def test_two_datasets_in_subfolders_are_reported(tmp_path: Path) -> None:
    """A folder with two folders of IDX files raises an error that names both."""
    write_folder(tmp_path / "a", TRAINING, TEST)
    write_folder(tmp_path / "b", TRAINING, TEST)
    with pytest.raises(DataError, match="contains 2 datasets, in a, b; open one of these folders"):
        load_path(tmp_path)


# Tables.


def saved(array: NDArray[np.generic], fmt: str = "%d", delimiter: str = " ") -> str:
    buffer = io.StringIO()
    np.savetxt(buffer, array, fmt, delimiter)
    return buffer.getvalue()


TABLES = {
    "fractions.csv": saved(np.c_[LABELS, ROWS / 255], "%.4g", ","),
    "blanks.txt": saved(np.c_[LABELS, ROWS]),
    "savetxt.txt": saved(np.c_[ROWS, LABELS], "%.18e"),
    "one-hot.csv": saved(np.c_[np.eye(10)[LABELS], ROWS], "%d", ","),
    "one-hot-last.csv": saved(np.c_[ROWS, np.eye(10)[LABELS]], "%d", ","),
    "tabs.tsv": saved(np.c_[ROWS, LABELS], "%d", "\t"),
    "bars": saved(np.c_[LABELS, ROWS], "%d", "|"),
    "decimal-commas.csv": saved(np.c_[LABELS, ROWS / 255], "%.5f", ";").replace(".", ","),
    "quoted.csv": "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in csv_text(TRAINING).split()),
    "indexed.csv": saved(np.c_[np.arange(60), LABELS, ROWS], "%d", ","),
    "comment.txt": "# label, then pixels\n" + saved(np.c_[LABELS, ROWS]),
    "packed.csv": "emotion,pixels\n" + "".join(
        f'{label},"{" ".join(map(str, row))}"\n' for label, row in zip(LABELS, ROWS.tolist(), strict=True)),
    "set.arff": "% MNIST\n@RELATION m\n" + "@ATTRIBUTE p real\n" * 784 + "@ATTRIBUTE class {0,1}\n@DATA\n"
    + saved(np.c_[ROWS, LABELS], "%d", ","),
    "set.svm": "".join(
        f"{label} " + " ".join(f"{i + 1}:{row[i]}" for i in np.flatnonzero(row)) + "\n"
        for label, row in zip(LABELS, ROWS, strict=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_read_in_any_layout(tmp_path: Path, name: str) -> None:
    """Tables with any separator, scale and label column give the same images."""
    (tmp_path / name).write_text(TABLES[name])
    assert is_data_set(tmp_path / name)
    assert_holds(load_path(tmp_path / name), TRAINING)


@pytest.mark.parametrize(("name", "first"), [("usps.t", 0), ("USPS.npz", 0), ("other.svm", 1), ("other.npz", 1)])
def test_labels_from_1_to_10_are_digits(tmp_path: Path, name: str, first: int) -> None:
    """Labels from 1 to 10 are the digits 0 to 9 in USPS's files, and otherwise the digits 1 to 9 and 0."""
    labels = np.r_[[1] * 30, np.arange(2, 11).repeat(2)]
    images = np.zeros((len(labels), 784), np.uint8)
    images[:, 300:780] = 200
    if name.endswith("npz"):
        np.savez(tmp_path / name, images=images, labels=labels)
    else:
        pixels = " ".join(f"{i + 1}:{value}" for i, value in enumerate(images[0]) if value)
        (tmp_path / name).write_text("".join(f"{label} {pixels}\n" for label in labels))
    data = load_path(tmp_path / name)
    assert data.class_names == DIGITS
    assert np.bincount(np.r_[data.training.labels, data.test.labels]).argmax() == first
    assert any(note.startswith("Labels from 1 to 10") for note in data.notes)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_compressed_table_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """A table compressed with gzip or bzip2 is read."""
    (tmp_path / "set.csv.gz").write_bytes(pack(csv_text(TRAINING).encode()))
    assert_holds(load_path(tmp_path / "set.csv.gz"), TRAINING)


def small(side: int) -> NDArray[np.uint8]:
    """Return the training digits, cut to their box and reduced to a smaller size."""
    boxes = [Image.fromarray(image[4:24, 4:24]) for image in mnist().training[:300].images]
    return np.stack([np.asarray(box.resize((side, side), Image.Resampling.BOX)) for box in boxes])


@pytest.mark.parametrize(
    ("side", "write"),
    [
        (8, lambda images: images // 16),
        (8, lambda images: images),
        (16, lambda images: images / 127.5 - 1),
        (16, lambda images: (images > 127).astype(int)),
    ],
    ids=["8 x 8, 16 levels", "8 x 8", "16 x 16, -1 to 1", "16 x 16, binary"],
)
def test_small_images_are_enlarged_smoothly(
    tmp_path: Path, side: int, write: Callable[[NDArray[np.uint8]], NDArray[np.generic]]
) -> None:
    """Small images, such as those of scikit-learn or USPS, are enlarged so that the built-in network reads them."""
    from digitpad.weights.native_format import SHIPPED, load_weights

    labels = mnist().training.labels[:300]
    table = np.c_[labels, write(small(side)).reshape(300, -1)]
    (tmp_path / "set.csv").write_text(saved(table, "%.4g", ","))
    dataset = load_path(tmp_path / "set.csv")
    found = dataset.all
    predicted = load_weights(SHIPPED).network().predict(found.images).argmax(axis=1)
    assert (predicted == found.labels).mean() > 0.9
    assert any(f"Images of {side} × {side} pixels" in note for note in dataset.notes)


def test_all_problems_of_a_table_are_reported(tmp_path: Path) -> None:
    """The error lists every kind of problem with its first row, the most frequent first."""
    lines = csv_text(TRAINING).splitlines()
    lines[3] += ",7"
    for row in (5, 6, 9):
        lines[row] = lines[row].replace(",0,", ",x,", 1)
    (tmp_path / "set.csv").write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        load_path(tmp_path / "set.csv")
    first, second = caught.value.problem.split("; row")
    assert first.startswith("row 6: pixel 0 is 'x'; expected") or "and 2 more rows" in caught.value.problem
    assert "row 4 has 786 columns; expected 785" in caught.value.problem
    assert caught.value.problem.index("row 6") < caught.value.problem.index("row 4")
    assert second


# Named arrays.


@pytest.mark.parametrize(
    "names",
    [
        ("train_x", "train_y", "test_x", "test_y"),
        ("trainX", "trainY", "testX", "testY"),
        ("xtrain", "ytrain", "xtest", "ytest"),
        ("X_tr", "y_tr", "X_te", "y_te"),
        ("imgs_train", "lbl_train", "imgs_test", "lbl_test"),
        ("arr_0", "arr_1", "arr_2", "arr_3"),
        ("p", "q", "r", "s"),
    ],
)
@pytest.mark.parametrize("form", ["npz", "npy", "pickle"])
def test_arrays_are_recognised_by_shapes_and_names(tmp_path: Path, names: tuple[str, ...], form: str) -> None:
    """Arrays of any names are read from an archive, a folder of files and a pickled dict."""
    contents: tuple[NDArray[np.generic], ...] = (ROWS, LABELS, TEST_ROWS, TEST.labels)
    arrays = dict(zip(names, contents, strict=True))
    path = tmp_path / "set"
    if form == "npz":
        path = tmp_path / "set.npz"
        path.write_bytes(zipped({f"{name}.npy": npy(array) for name, array in arrays.items()}))
    elif form == "npy":
        path.mkdir()
        for name, array in arrays.items():
            (path / f"{name}.npy").write_bytes(npy(array))
    else:
        path.write_bytes(pickle.dumps(arrays))
    assert is_data_set(path)
    assert_holds(load_path(path), TRAINING, TEST)


def test_one_hot_columns_are_read(tmp_path: Path) -> None:
    """Labels of shape (n, 10, 1) and images of shape (n, 784, 1), as lists of column vectors become, are read."""
    np.savez(tmp_path / "a.npz", x=ROWS[:, :, None], y=np.eye(10)[LABELS][:, :, None])
    assert_holds(load_path(tmp_path / "a.npz"), TRAINING)


@pytest.mark.parametrize(("images", "labels"), [("imgs", "labels"), ("features", "targets"), ("data", "y")])
def test_single_pair_of_arrays_is_read(tmp_path: Path, images: str, labels: str) -> None:
    """A single pair of arrays of any names is read and split."""
    (tmp_path / "a.npz").write_bytes(
        zipped({f"{images}.npy": npy(TRAINING.images), f"{labels}.npy": npy(np.eye(10)[TRAINING.labels])})
    )
    assert_holds(load_path(tmp_path / "a.npz"), TRAINING)


def test_a_table_in_a_single_array_is_read(tmp_path: Path) -> None:
    """A ``.npy`` file of labels and pixels in one table is read."""
    (tmp_path / "all.npy").write_bytes(npy(np.c_[LABELS, ROWS]))
    assert_holds(load_path(tmp_path / "all.npy"), TRAINING)


def test_unnamed_weights_are_not_a_dataset(tmp_path: Path) -> None:
    """A weight matrix with biases is not read as images with labels, although the shapes fit."""
    rng = np.random.default_rng(1)
    members = {"arr_0.npy": npy(rng.normal(size=(784, 10))), "arr_1.npy": npy(rng.normal(size=10))}
    (tmp_path / "w.npz").write_bytes(zipped(members))
    assert not is_data_set(tmp_path / "w.npz")
    with pytest.raises(DataError, match=r"contains 'arr_0' \(784 × 10\), 'arr_1' \(10\); expected images and labels"):
        load_path(tmp_path / "w.npz")


def test_standardised_pixels_are_restored(tmp_path: Path) -> None:
    """Pixels that were standardised with MNIST's mean and standard deviation are converted back."""
    members = {**keras(TRAINING, TEST), "x_train.npy": npy(((TRAINING.images / 255 - 0.1307) / 0.3081).astype("f4"))}
    (tmp_path / "a.npz").write_bytes(zipped(members))
    dataset = load_path(tmp_path / "a.npz")
    assert_holds(dataset, TRAINING, TEST)
    assert "standardised" in dataset.notes[0]


def test_colour_images_become_grey(tmp_path: Path) -> None:
    """Arrays with three colours are read as grey levels."""
    members = {**keras(TRAINING, TEST), "x_train.npy": npy(TRAINING.images[..., None].repeat(3, axis=3))}
    (tmp_path / "a.npz").write_bytes(zipped(members))
    assert_holds(load_path(tmp_path / "a.npz"), TRAINING, TEST)


def test_a_mat_file_with_images_in_columns_is_read(tmp_path: Path) -> None:
    """A MATLAB file with a column per image is read; 10 stands for the digit 0."""
    labels = np.where(TRAINING.labels == 0, 10, TRAINING.labels)
    content = mat(mat_matrix("data", ROWS.T.astype(np.float64)) + mat_matrix("label", labels[None].astype(np.float64)))
    (tmp_path / "set.mat").write_bytes(content)
    assert is_data_set(tmp_path / "set.mat")
    dataset = load_path(tmp_path / "set.mat")
    assert_holds(dataset, TRAINING)
    assert any("1 to 10" in note for note in dataset.notes)


def test_a_mat_file_with_a_page_per_digit_is_read(tmp_path: Path) -> None:
    """A lone array of pixels × images × digits, such as USPS's ``usps_all.mat``, is read; the last page is for 0."""
    images = [mnist().training.images[mnist().training.labels == digit][:11] for digit in [*range(1, 10), 0]]
    columns = np.stack([part.transpose(0, 2, 1).reshape(11, 784).T for part in images], axis=2)
    (tmp_path / "all.mat").write_bytes(mat(mat_matrix("data", columns)))
    assert is_data_set(tmp_path / "all.mat")
    dataset = load_path(tmp_path / "all.mat")
    assert_holds(dataset, Digits(np.concatenate(images), np.repeat([*range(1, 10), 0], 11).astype(np.uint8)))
    assert any("digits 1 to 9 and 0" in note for note in dataset.notes)


def test_swapped_rows_and_columns_are_detected(tmp_path: Path) -> None:
    """Digits that are stored column by column are transposed."""
    digits = mnist().training[:400]
    turned = Digits(digits.images.transpose(0, 2, 1).copy(), digits.labels)
    (tmp_path / "a.npz").write_bytes(zipped({"x.npy": npy(turned.images), "y.npy": npy(turned.labels)}))
    dataset = load_path(tmp_path / "a.npz")
    assert_holds(dataset, digits)
    assert any("transposed" in note for note in dataset.notes)


# Images.


def page(digit_image: NDArray[np.uint8]) -> Image.Image:
    """Return a digit on a large white page."""
    return Image.fromarray(255 - np.pad(digit_image.repeat(2, axis=0).repeat(2, axis=1), 8))


@pytest.mark.parametrize(
    "name", ["{d}_{k}.png", "{d}-{k:03d}.png", "img{d}.png", "{k:05d}_{d}.png", "n{k}_label{d}.png"]
)
def test_labels_in_the_names_of_images_are_read(tmp_path: Path, name: str) -> None:
    """The label is the first or last number of an image's name, or follows a word such as "label"."""
    firsts = [int(np.argmax(TRAINING.labels == digit)) for digit in range(10)]
    for digit, row in enumerate(firsts):
        for k in range(2):
            page(TRAINING.images[row]).save(tmp_path / name.format(d=digit, k=k))
    dataset = load_path(tmp_path)
    found = dataset.all
    expected = 10 if name == "img{d}.png" else 20
    assert np.bincount(found.labels).tolist() == [expected // 10] * 10
    assert is_data_set(tmp_path)


def test_one_image_per_class_is_enough_to_score(tmp_path: Path) -> None:
    """With one image per class, all images are in the test set, and training is refused."""
    write_images(tmp_path, mnist().training[:0], ())
    for digit in range(10):
        row = int(np.argmax(TRAINING.labels == digit))
        write_images(tmp_path, TRAINING[row : row + 1])
    dataset = load_path(tmp_path)
    assert (len(dataset.test), len(dataset.training)) == (10, 0)
    with pytest.raises(DataError, match="has only one image of 0, 1, 2, 3, …, and needs at least 2 of each class"):
        dataset.check_trainable()


def test_default_part_of_a_small_set_is_all(tmp_path: Path) -> None:
    """The default part is "all" for a small set without a test set, and otherwise "test"."""
    write_images(tmp_path / "small", TRAINING)
    write_images(tmp_path / "large", mnist().training[:120])
    write_folder(tmp_path / "parts", TRAINING, TEST)
    parts = [load_path(tmp_path / name).default_part for name in ("small", "large", "parts")]
    assert parts == ["all", "test", "test"]


@pytest.mark.parametrize("text", ["Image,Label\n{rows}", "{rows}", "id;file;answer\n{rows}"])
def test_a_list_of_images_is_read(tmp_path: Path, text: str) -> None:
    """A CSV of paths and labels is read, by itself or in its folder; missing images are reported."""
    (tmp_path / "img").mkdir()
    rows = []
    for row, (image, label) in enumerate(zip(TRAINING.images, TRAINING.labels, strict=True)):
        Image.fromarray(image).save(tmp_path / "img" / f"a{row}.png")
        rows.append(f"{row};a{row}.png;{label}" if ";" in text else f"img/a{row}.png,{label}")
    rows.append("99;b.png;3" if ";" in text else "img/b.png,3")
    (tmp_path / "list.csv").write_text(text.format(rows="\n".join(rows)))
    for path in (tmp_path, tmp_path / "list.csv"):
        dataset = load_path(path)
        assert_holds(dataset, TRAINING)
        assert dataset.skipped == (f"{tmp_path / 'list.csv'}: row {text.count(chr(10)) + 61}: there is no image "
            + ("'b.png'" if ";" in text else "'img/b.png'"),)  # fmt: skip


def test_an_image_list_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    """Paths that lead out of the list's folder are not followed."""
    Image.fromarray(TRAINING.images[0]).save(tmp_path / "a.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "list.csv").write_text("file,label\n../a.png,3\n../a.png,4\n")
    with pytest.raises(DataError, match="lists no image that exists"):
        load_path(tmp_path / "set" / "list.csv")


@pytest.mark.parametrize("names", [["digit_0", "digit_1"], ["zero", "one"], ["class 0", "class 1"]])
def test_class_folders_may_name_digits_in_words(tmp_path: Path, names: list[str]) -> None:
    """Folders such as ``digit_3`` and ``three`` are the class 3."""
    write_images(tmp_path / "set", TRAINING, [names[label % 2] for label in range(10)])
    dataset = load_path(tmp_path / "set")
    assert {dataset.class_names[label] for label in dataset.all.labels} == {"0", "1"}


def test_an_unreadable_image_needs_no_label(tmp_path: Path) -> None:
    """Among images with the digit in their names, one of an unsupported format without a digit is only skipped."""
    for digit in range(10):
        page(TRAINING.images[int(np.argmax(TRAINING.labels == digit))]).save(tmp_path / f"{digit}_a.png")
    (tmp_path / "IMG_2044.heic").write_bytes(bytes(40))
    assert is_data_set(tmp_path)
    dataset = load_path(tmp_path)
    assert len(dataset.all) == 10
    assert "IMG_2044.heic: is not an image" in dataset.skipped[0]


def test_error_for_unlabelled_images_says_how_to_label_them(tmp_path: Path) -> None:
    """The error for images without labels lists the ways to label them."""
    for row in range(12):
        Image.fromarray(TRAINING.images[row]).save(tmp_path / f"IMG_20{row:02d}.png")
    with pytest.raises(DataError, match="has 12 images without labels; put them in a folder per class, put the digit"):
        load_path(tmp_path)


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar"])
def test_archives_of_images_are_read(tmp_path: Path, suffix: str) -> None:
    """Zip and tar archives of image folders are read, also with a folder around the classes."""
    write_images(tmp_path / "images" / "set", TRAINING)
    form = {".zip": "zip", ".tar.gz": "gztar", ".tar": "tar"}[suffix]
    path = Path(shutil.make_archive(str(tmp_path / "mine"), form, tmp_path / "images"))
    assert is_data_set(path)
    dataset = load_path(path)
    assert_holds(dataset, TRAINING)
    assert dataset.format == "image folders in an archive"


def test_errors_in_an_archive_name_the_archive_and_the_file(tmp_path: Path) -> None:
    """An error about a file in an archive names both."""
    (tmp_path / "a.zip").write_bytes(zipped({"inner/train.csv": csv_text(TRAINING).replace(",0,", ",x,", 1).encode()}))
    with pytest.raises(DataError, match=r"train\.csv: row 2: pixel") as caught:
        load_path(tmp_path / "a.zip")
    assert caught.value.path == tmp_path / "a.zip"


def test_members_of_an_archive_stay_in_its_folder(tmp_path: Path) -> None:
    """Archive members whose names lead out of the folder are written inside it, or skipped."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("../../evil.csv", "/evil.csv"):
            member = tarfile.TarInfo(name)
            content = csv_text(TRAINING).encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    before = set(tmp_path.parent.rglob("evil*"))
    with pytest.raises(DataError):
        load_path(tmp_path / "missing.tar")
    load_path(tmp_path / "a.tar")
    assert set(tmp_path.parent.rglob("evil*")) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><html>", "is a web page, not a dataset"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        (b"Rar!\x1a\x07", "is a RAR archive; unpack it first"),
        (b"\x89PNG\r\n\x1a\n", "is a single image; a dataset is a folder of images"),
    ],
)
def test_files_that_cannot_be_datasets_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    """Web pages, pointers and other archives are recognised whatever their name."""
    (tmp_path / "mnist.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_path(tmp_path / "mnist.csv")


def test_parquet_files_with_images_are_read(tmp_path: Path) -> None:
    """Parquet files as Hugging Face's datasets store them are read, the test set from the file beside."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    for part, digits in (("train", TRAINING), ("test", TEST)):
        images = []
        for image in digits.images:
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "PNG")
            images.append({"bytes": buffer.getvalue(), "path": None})
        table = pyarrow.table({"image": images, "label": digits.labels.astype(np.int64)})
        parquet.write_table(table, tmp_path / f"{part}-00000-of-00001.parquet")
    assert_holds(load_path(tmp_path / "train-00000-of-00001.parquet"), TRAINING, TEST)
