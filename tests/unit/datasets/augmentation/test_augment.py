import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from digitpad.datasets.augmentation.augment import Augmentation, Augmenter
from digitpad.datasets.dataset import mnist
from tests.unit.datasets.idx_files import random_digits

AMOUNTS = st.builds(
    Augmentation,
    rotate_deg=st.floats(0, 180),
    shift_px=st.floats(0, 14),
    scale=st.floats(0, 0.9),
    shear=st.floats(0, 1),
    elastic_px=st.floats(0, 10),
    thickness_px=st.floats(0, 2),
    erase_px=st.floats(0, 28),
)
MODEST = {
    "rotate_deg": 12.0,
    "shift_px": 1.5,
    "scale": 0.12,
    "shear": 0.25,
    "elastic_px": 1.0,
    "thickness_px": 1.0,
    "noise": 0.1,
    "erase_px": 8.0,
}
KINDS = [*({name: amount} for name, amount in MODEST.items()), MODEST]
each_kind = pytest.mark.parametrize("amounts", KINDS, ids=[*MODEST, "all"])


def changed(augmentation: Augmentation, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return Augmenter(augmentation)(images, rng).copy()


def test_no_amounts_change_nothing() -> None:
    """All amounts 0 change no pixel."""
    images = random_digits(50).images
    np.testing.assert_array_equal(changed(Augmentation(), images, np.random.default_rng(1)), images)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(AMOUNTS, st.integers(0, 2**32))
def test_blank_stays_blank(augmentation: Augmentation, seed: int) -> None:
    """Only noise adds ink to a blank image."""
    assert not changed(augmentation, np.zeros((3, 28, 28), np.uint8), np.random.default_rng(seed)).any()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(AMOUNTS, st.integers(0, 2**32), st.integers(0, 255))
def test_pixels_are_never_brighter_than_their_neighbours(augmentation: Augmentation, seed: int, level: int) -> None:
    """Interpolated pixels are never brighter than their neighbours, and 255 does not overflow to 0."""
    output = changed(augmentation, np.full((3, 28, 28), level, np.uint8), np.random.default_rng(seed))
    assert output.dtype == np.uint8
    assert output.max() <= level
    middle = Augmentation(
        augmentation.rotate_deg, min(augmentation.shift_px, 3), thickness_px=augmentation.thickness_px
    )
    output = changed(middle, np.full((3, 28, 28), level, np.uint8), np.random.default_rng(seed))
    assert (output[:, 10:18, 10:18] == level).all()


def test_augmented_digits_keep_their_ink() -> None:
    """With the amounts of the built-in recipe, the amount of ink stays about the same."""
    images = mnist().training.images[:500]
    after = changed(Augmentation(12, 1.5, 0.12, 0.25), images, np.random.default_rng(1))
    shares = after.sum(axis=(1, 2), dtype=float) / images.sum(axis=(1, 2), dtype=float)
    assert shares.mean() == pytest.approx(1, abs=0.03)
    assert shares.min() > 0.6


def test_turn_with_a_slant_keeps_areas() -> None:
    """Rotation combined with shear preserves the ink of a centred disc, in all directions."""
    places = np.indices((28, 28)) - 13.5
    disc = np.where(np.hypot(*places) < 8, 255, 0).astype(np.uint8)
    after = changed(
        Augmentation(rotate_deg=45, shear=0.4), np.repeat(disc[None], 200, axis=0), np.random.default_rng(1)
    )
    shares = after.sum(axis=(1, 2), dtype=float) / disc.sum(dtype=float)
    np.testing.assert_allclose(shares, 1, atol=0.01)


@pytest.mark.parametrize("amount", MODEST)
def test_augmentation_is_true_with_any_amount(amount: str) -> None:
    """An augmentation is false only if every amount is 0."""
    assert not Augmentation()
    assert Augmentation(**{amount: 0.1})


def test_augmentation_of_the_built_in_network_is_reproduced() -> None:
    """Random numbers and resampling are the same as when the built-in network was trained.

    Without rotation, all steps are exact arithmetic on every machine; sines may differ in the last bit.
    """
    images = mnist().training.images
    augment, rng = Augmenter(Augmentation(shift_px=1.5, scale=0.12, shear=0.25)), np.random.default_rng(5)
    checksum = hashlib.sha256()
    for batch in (images[:128], images[128:200], images[200:328]):
        checksum.update(augment(batch, rng).tobytes())
    assert checksum.hexdigest() == "6213c4ac182d7e60a81f895da2c4a47caf3f1c54b0f16b904f46fe0144097454"
    turned = changed(Augmentation(12, 1.5, 0.12, 0.25), images[:8], np.random.default_rng(5))
    expected_ink = [21778, 39115, 20894, 15065, 22503, 36699, 21204, 41979]
    np.testing.assert_allclose(turned.sum(axis=(1, 2), dtype=int), expected_ink, atol=10)


@each_kind
def test_same_seed_gives_the_same_batches(amounts: dict[str, float]) -> None:
    """The same seed gives identical batches; another seed gives different ones."""
    images = mnist().training.images[:60]
    first, same, other = (
        [augment(images[:40], rng).copy(), augment(images[40:], rng).copy()]
        for augment, rng in ((Augmenter(Augmentation(**amounts)), np.random.default_rng(seed)) for seed in (1, 1, 2))
    )
    for a, b, c in zip(first, same, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()


@each_kind
def test_each_digit_is_augmented_differently(amounts: dict[str, float]) -> None:
    """Twenty copies of a digit are all augmented differently."""
    image = random_digits(1).images
    after = changed(Augmentation(**amounts), np.repeat(image, 20, axis=0), np.random.default_rng(1))
    assert after.dtype == np.uint8
    assert after.shape == (20, 28, 28)
    assert len(np.unique(after.reshape(20, -1), axis=0)) == 20


@each_kind
def test_batches_of_any_size_follow_each_other(amounts: dict[str, float]) -> None:
    """Reused arrays do not affect batches of other sizes, and the input does not change."""
    images = mnist().training.images[:128]
    before = images.copy()
    augment = Augmenter(Augmentation(**amounts))
    for n in (64, 17, 1, 128):
        after = augment(images[:n], np.random.default_rng(n))
        np.testing.assert_array_equal(after, changed(Augmentation(**amounts), images[:n], np.random.default_rng(n)))
        np.testing.assert_array_equal(images, before)


def test_zero_amounts_draw_no_random_numbers() -> None:
    """Amounts of 0 draw no random numbers, and later distortions do not affect the numbers drawn for a rotation."""
    images = random_digits(5).images
    rng = np.random.default_rng(1)
    changed(Augmentation(), images, rng)
    assert rng.bit_generator.state == np.random.default_rng(1).bit_generator.state
    turned, and_noisy = (
        changed(Augmentation(rotate_deg=30, noise=noise), images, np.random.default_rng(1)) for noise in (0, 1e-6)
    )
    np.testing.assert_array_equal(turned, and_noisy)


@each_kind
def test_nothing_is_allocated_after_the_first_batch(amounts: dict[str, float]) -> None:
    """After the first batch, allocations stay below the size of the batch."""
    images = mnist().training.images[:128]
    augment, rng = Augmenter(Augmentation(**amounts)), np.random.default_rng(1)
    augment(images, rng)
    tracemalloc.start()
    try:
        augment(images, rng)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < images.nbytes
