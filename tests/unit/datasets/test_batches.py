import itertools

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.augmentation.augment import Augmentation
from digitpad.datasets.batches import Batches
from digitpad.datasets.dataset import Digits
from tests.unit.datasets.idx_files import random_digits

SOME = Augmentation(rotate_deg=12, shift_px=1.5, scale=0.1, shear=0.2)


def numbered(n: int) -> Digits:
    """Return digits whose first two pixels contain their index, and whose label is its last decimal digit."""
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(n), 256)
    return Digits(images, (np.arange(n) % 10).astype(np.uint8))


def numbers(images: NDArray[np.uint8]) -> list[int]:
    return (images[:, 0, 0].astype(int) * 256 + images[:, 0, 1]).tolist()


def one_pass(batches: Batches) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    return [(images.copy(), labels.copy()) for images, labels in batches.one_pass()]


def order(batches: Batches) -> list[int]:
    return list(itertools.chain.from_iterable(numbers(images) for images, _ in batches.one_pass()))


def test_each_digit_comes_once_per_pass() -> None:
    """A pass yields every digit exactly once, with its label."""
    seen = []
    for images, labels in Batches(numbered(1000), 64, np.random.default_rng(1)).one_pass():
        assert [number % 10 for number in numbers(images)] == labels.tolist()
        seen += numbers(images)
    assert sorted(seen) == list(range(1000))


def test_each_pass_has_a_new_order() -> None:
    """Each pass has a new order, different from the order of the files."""
    batches = Batches(numbered(1000), 64, np.random.default_rng(1))
    first, second = order(batches), order(batches)
    assert first != second
    assert list(range(1000)) not in (first, second)


def test_same_seed_gives_the_same_batches() -> None:
    """The order of all passes depends only on the generator."""
    one, other = (Batches(numbered(300), 32, np.random.default_rng(5)) for _ in range(2))
    assert [order(one), order(one)] == [order(other), order(other)]
    assert order(Batches(numbered(300), 32, np.random.default_rng(6))) != order(
        Batches(numbered(300), 32, np.random.default_rng(5))
    )


def test_last_batch_has_the_rest() -> None:
    """100 digits in batches of 32 give a fourth batch of 4, in every pass."""
    batches = Batches(numbered(100), 32, np.random.default_rng(1))
    assert len(batches) == 4
    for _ in range(2):
        assert [len(labels) for _, labels in batches.one_pass()] == [32, 32, 32, 4]


def test_batch_may_be_larger_than_the_set() -> None:
    """A batch size above the number of digits gives a single batch of all digits."""
    batches = Batches(numbered(10), 128, np.random.default_rng(1))
    assert len(batches) == 1
    assert [len(labels) for _, labels in batches.one_pass()] == [10]


def test_digits_are_not_changed() -> None:
    """Shuffling and augmentation do not change the digits."""
    digits = random_digits(200)
    kept = digits.images.copy(), digits.labels.copy()
    for images, labels in Batches(digits, 32, np.random.default_rng(1), SOME).one_pass():
        assert not np.may_share_memory(images, digits.images)
        images.fill(0)
        labels.fill(0)
    np.testing.assert_array_equal(digits.images, kept[0])
    np.testing.assert_array_equal(digits.labels, kept[1])


def test_arrays_are_reused() -> None:
    """Batches of the same size reuse the same memory."""
    memory = {images.ctypes.data for images, _ in Batches(numbered(320), 32, np.random.default_rng(1)).one_pass()}
    assert len(memory) == 1


def test_same_seed_gives_the_same_augmentation() -> None:
    """Augmentation is reproducible from the seed as well."""
    one, other, different = (
        one_pass(Batches(random_digits(100), 32, np.random.default_rng(seed), SOME)) for seed in (7, 7, 8)
    )
    for (images, labels), (same_images, same_labels) in zip(one, other, strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)
    assert not np.array_equal(one[0][0], different[0][0])


def test_augmentation_changes_pixels_and_not_labels() -> None:
    """Augmentation changes pixels, but neither labels nor the order."""
    plain = next(Batches(random_digits(100), 100, np.random.default_rng(7)).one_pass())
    changed = next(Batches(random_digits(100), 100, np.random.default_rng(7), SOME).one_pass())
    np.testing.assert_array_equal(changed[1], plain[1])
    assert not np.array_equal(changed[0], plain[0])


def test_zero_amounts_are_no_augmentation() -> None:
    """Amounts of 0 give the same batches as no augmentation."""
    plain = one_pass(Batches(random_digits(100), 32, np.random.default_rng(7)))
    still = one_pass(Batches(random_digits(100), 32, np.random.default_rng(7), Augmentation()))
    for (images, _), (same, _) in zip(plain, still, strict=True):
        np.testing.assert_array_equal(images, same)


def test_share_of_each_batch_is_unaugmented() -> None:
    """The unaugmented share is the first part of each batch; the rest is augmented."""
    digits = random_digits(80)
    known = {image.tobytes() for image in digits.images}
    batches = Batches(digits, 40, np.random.default_rng(1), Augmentation(noise=0.5), plain=0.25)
    for images, _ in one_pass(batches):
        assert [image.tobytes() in known for image in images] == [True] * 10 + [False] * 30
