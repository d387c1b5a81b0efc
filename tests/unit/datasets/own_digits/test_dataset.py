import numpy as np
import pytest

from digitpad.datasets.dataset import load, mnist
from digitpad.datasets.own_digits.dataset import OWN, OWN_BY_WRITER, WITH_MNIST, WITH_MNIST_BY_WRITER
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.datasets.own_digits.store import DigitStore
from digitpad.errors import DataError
from digitpad.nn.losses import NONE


def image(number: int) -> np.ndarray:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[0, :2] = divmod(number, 256)
    pixels[9:20, 14] = 255
    return pixels


def add(store: DigitStore, n_per_digit: int, n_writers: int = 1) -> None:
    """Add drawings of all digits; the first pixels of each hold a unique number."""
    begin = len(store.digits)
    store.add(
        OwnDigit(number % 10, pixels=image(begin + number), writer=f"w{number // 10 % n_writers}")
        for number in range(10 * n_per_digit)
    )


def numbers(images: np.ndarray) -> set[int]:
    return {int(row[0]) * 256 + int(row[1]) for row in images[:, 0, :2]}


def test_parts_are_disjoint_and_contain_each_digit() -> None:
    """Training, validation and test set are disjoint, have all drawings, and each contains every digit."""
    store = DigitStore()
    add(store, 5)
    store.add([OwnDigit(NONE, pixels=image(999))])
    dataset = load(OWN)
    parts = [dataset.training, dataset.validation, dataset.test]
    assert [len(part) for part in parts] == [30, 10, 10]
    assert set().union(*(numbers(part.images) for part in parts)) == set(range(50))
    assert all(set(part.labels.tolist()) == set(range(10)) for part in parts)
    assert dataset.name == "My digits"
    assert dataset.notes == ("1 drawings that are not digits were left out.",)


def test_new_drawings_do_not_move_old_ones() -> None:
    """Drawings that are added later do not move the earlier ones to another part, but change the checksum."""
    store = DigitStore()
    add(store, 4)
    before = load(OWN)
    add(store, 4)
    after = load(OWN)
    for part in ("training", "validation", "test"):
        assert numbers(getattr(before, part).images) <= numbers(getattr(after, part).images)
    assert before.sha256 != after.sha256


def test_split_by_writer() -> None:
    """No writer is in two parts."""
    store = DigitStore()
    add(store, 6, n_writers=3)
    dataset = load(OWN_BY_WRITER)
    writers = {number: f"w{number // 10 % 3}" for number in range(60)}
    found = [
        {writers[number] for number in numbers(part.images)}
        for part in (dataset.training, dataset.validation, dataset.test)
    ]
    assert sorted(map(sorted, found)) == [["w0"], ["w1"], ["w2"]]


@pytest.mark.parametrize("source", [WITH_MNIST, WITH_MNIST_BY_WRITER])
def test_together_with_mnist(source: str) -> None:
    """MNIST's parts come first; own training digits are repeated to a tenth of the set, others appear once."""
    store = DigitStore()
    add(store, 6, n_writers=3)
    own, dataset = load(source.removeprefix("mnist+")), load(source)
    for part in ("validation", "test"):
        built_in, mine, both = (getattr(each, part) for each in (mnist(), own, dataset))
        np.testing.assert_array_equal(both.images, np.concatenate([built_in.images, mine.images]))
        np.testing.assert_array_equal(both.labels, np.concatenate([built_in.labels, mine.labels]))
    n_mnist = len(mnist().training)
    assert (len(dataset.training) - n_mnist) / len(dataset.training) == pytest.approx(0.1, abs=0.01)
    assert numbers(dataset.training.images[n_mnist:]) == numbers(own.training.images)
    assert "repeated" in dataset.notes[-1]


def test_too_few_drawings_are_refused() -> None:
    """Without a file, with too few drawings and with too few writers, the error says what to do."""
    with pytest.raises(DataError, match="label some drawings in My digits first"):
        load(OWN)
    store = DigitStore()
    add(store, 2)
    with pytest.raises(DataError, match="20 digits, too few for a validation set; write three of each digit"):
        load(OWN)
    with pytest.raises(DataError, match="has 1 writers; a split by writer needs at least 3"):
        load(WITH_MNIST_BY_WRITER)
