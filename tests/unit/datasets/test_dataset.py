import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from digitpad import assets
from digitpad.datasets.dataset import BUILT_IN, Digits, load, load_path, mnist, one_of_each
from digitpad.errors import DataError
from tests.unit.datasets.idx_files import header, idx_bytes, random_digits, write_folder

# Counts of the published labels.
TRAINING_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_built_in_set_has_its_three_parts() -> None:
    """MNIST has 50,000 training, 10,000 validation and 10,000 test digits."""
    dataset = load(BUILT_IN)
    assert dataset.name == "MNIST"
    for part, n in ((dataset.training, 50_000), (dataset.validation, 10_000), (dataset.test, 10_000)):
        assert (len(part), part.images.shape, part.labels.shape) == (n, (n, 28, 28), (n,))
        assert part.images.dtype == part.labels.dtype == np.uint8


def test_built_in_labels_have_the_published_counts() -> None:
    """Each digit occurs as often as in the published files."""
    dataset = mnist()
    both = np.concatenate([dataset.training.labels, dataset.validation.labels])
    assert np.bincount(both).tolist() == TRAINING_COUNTS
    assert np.bincount(dataset.test.labels).tolist() == TEST_COUNTS


def test_one_of_each_returns_the_first_of_each_digit() -> None:
    """The ten images are the first training images of each digit, in order."""
    training = mnist().training
    firsts = [training.images[np.argmax(training.labels == digit)] for digit in range(10)]
    np.testing.assert_array_equal(one_of_each(), firsts)


def test_every_built_in_part_holds_every_digit() -> None:
    """Each digit makes up more than 8 % of each part."""
    dataset = mnist()
    for part in (dataset.training, dataset.validation, dataset.test):
        assert np.bincount(part.labels, minlength=10).min() > 0.08 * len(part)


def test_parts_do_not_overlap() -> None:
    """The arrays of the parts share no memory."""
    dataset = mnist()
    assert not np.may_share_memory(dataset.training.images, dataset.validation.images)
    assert not np.may_share_memory(dataset.training.labels, dataset.validation.labels)
    assert not np.may_share_memory(dataset.training.images, dataset.test.images)


def test_built_in_set_is_loaded_once() -> None:
    """Loading again returns the same object."""
    assert load(BUILT_IN) is mnist()


def test_digits_cannot_be_written_to() -> None:
    """The arrays of a dataset are read-only."""
    with pytest.raises(ValueError, match="read-only"):
        mnist().training.images[0, 0, 0] = 1


@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_damaged_built_in_set_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A single changed byte fails the SHA-256 check, and the error names the file."""
    for path in assets.DATA.glob("*.gz"):
        shutil.copy(path, tmp_path)
    content = bytearray(gzip.decompress((tmp_path / name).read_bytes()))
    content[5000] ^= 1
    (tmp_path / name).write_bytes(gzip.compress(content, 1))
    monkeypatch.setattr(assets, "DATA", tmp_path)
    with pytest.raises(DataError, match="is damaged: its SHA-256 is") as caught:
        mnist.__wrapped__()
    assert caught.value.path == tmp_path / name


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("zipped", [False, True], ids=["raw", "gzip"])
def test_file_names_of_a_folder_may_vary(tmp_path: Path, separator: str, zipped: bool) -> None:
    """File names with a dash or a dot, raw or gzipped, give the same digits."""
    training, test = random_digits(60, 1), random_digits(12, 2)
    dataset = load(str(write_folder(tmp_path / "mine", training, test, separator, zipped)))
    assert dataset.name == "mine"
    assert [len(part) for part in (dataset.training, dataset.validation, dataset.test)] == [50, 10, 12]
    np.testing.assert_array_equal(np.concatenate([dataset.training.images, dataset.validation.images]), training.images)
    np.testing.assert_array_equal(np.concatenate([dataset.training.labels, dataset.validation.labels]), training.labels)
    np.testing.assert_array_equal(dataset.test.images, test.images)
    np.testing.assert_array_equal(dataset.test.labels, test.labels)


def test_checksum_distinguishes_datasets(tmp_path: Path) -> None:
    """The SHA-256 is the same for raw and gzipped files, and differs if a pixel differs."""
    training, test = random_digits(60, 1), random_digits(12, 2)
    changed = Digits(training.images.copy(), training.labels)
    changed.images[7, 3, 3] ^= 1
    raw = load_path(write_folder(tmp_path / "raw", training, test))
    zipped = load_path(write_folder(tmp_path / "zipped", training, test, zipped=True))
    other = load_path(write_folder(tmp_path / "other", changed, test))
    assert raw.sha256 == zipped.sha256 != other.sha256
    assert len(raw.sha256) == 64


def labels(*values: int) -> bytes:
    return idx_bytes(np.array(values, np.uint8))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-labels-idx1-ubyte", labels(*[0] * 59), "has 59 labels for 60 images"),
        ("t10k-labels-idx1-ubyte", labels(*[1] * 13), "has 13 labels for 12 images"),
        ("train-labels-idx1-ubyte", labels(*[0] * 41, 10, *[0] * 18), "label 41 is 10, the only sample of its class"),
        ("t10k-labels-idx1-ubyte", labels(*[0] * 11, 255), "label 11 is 255, a class without training images"),
        ("train-images-idx3-ubyte", header(60, 7, 30) + bytes(60 * 7 * 30), "images of 7 × 30 pixels; expected 28"),
        ("train-images-idx3-ubyte", labels(*[0] * 60), "has 1 dimensions; expected 3"),
    ],
    ids=[
        "a label too few",
        "a label too many",
        "a label of 10",
        "a label of 255",
        "small images",
        "labels for images",
    ],
)
def test_wrong_file_in_a_folder_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """The error names the invalid file among four."""
    write_folder(tmp_path, random_digits(60), random_digits(12))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_path(tmp_path)
    assert caught.value.path == tmp_path / name


@pytest.mark.parametrize("part", ["train-images", "train-labels", "t10k-images", "t10k-labels"])
def test_missing_file_in_a_folder_is_named(tmp_path: Path, part: str) -> None:
    """The error names the missing file."""
    write_folder(tmp_path, random_digits(60), random_digits(12))
    next(tmp_path.glob(f"{part}*")).unlink()
    with pytest.raises(DataError, match=f"has no {part}-idx[13]-ubyte") as caught:
        load_path(tmp_path)
    assert caught.value.path == tmp_path


def test_a_part_without_images_is_refused(tmp_path: Path) -> None:
    """A part needs at least one image."""
    write_folder(tmp_path, random_digits(60), random_digits(0))
    with pytest.raises(DataError, match="has no images"):
        load_path(tmp_path)


def test_missing_path_is_refused(tmp_path: Path) -> None:
    """The error names the missing path and the supported formats."""
    with pytest.raises(DataError, match=r"nowhere: does not exist; expected IDX files, an .npz, .npy, .pkl"):
        load(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["file", "file.jpg", "folder"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    """A text file, an invalid image and an empty folder are not datasets."""
    (tmp_path / "folder").mkdir()
    for file in ("file", "file.jpg"):
        (tmp_path / file).write_text("no data")
    with pytest.raises(DataError, match=rf"{name}: (is not|contains no) (a )?dataset; expected"):
        load(str(tmp_path / name))
