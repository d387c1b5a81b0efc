import numpy as np

from digitpad.datasets.dataset import mnist
from digitpad.datasets.sorted_pixels import SortedPixels

IMAGES = mnist().training.images[:500]


def test_a_batch_is_a_prefix_that_holds_all_ink() -> None:
    """A batch is shorter than its images, the shorter the fewer it has, and gives the images back."""
    pixels = SortedPixels(IMAGES)
    lengths = []
    for n in (1, 20, 300):
        chosen = np.arange(7, 7 + n)
        batch = pixels.batch(chosen)
        np.testing.assert_array_equal(pixels.images(batch), IMAGES[chosen])
        assert batch[:, -8:].any()
        lengths.append(batch.shape[1])
    assert lengths == sorted(set(lengths))
    assert lengths[-1] < 700


def test_prefix_share_is_the_median_over_batches() -> None:
    """The typical prefix is as long as the median of random batches."""
    pixels, rng = SortedPixels(IMAGES), np.random.default_rng(1)
    lengths = [pixels.batch(rng.choice(500, 20, replace=False)).shape[1] for _ in range(101)]
    assert abs(pixels.prefix_share(20) - np.median(lengths) / 784) < 0.02


def test_blank_images_have_no_ink_to_cut_at() -> None:
    """Blank images are kept whole, and come back blank."""
    pixels = SortedPixels(np.zeros((3, 28, 28), np.uint8))
    assert not pixels.images(pixels.batch(np.array([0, 2]))).any()


def test_sorted_weights_give_the_same_products() -> None:
    """Sorted pixels times sorted weights equal images times weights; `unsort` restores the weights to the bit."""
    pixels, rng = SortedPixels(IMAGES), np.random.default_rng(1)
    weight = rng.normal(size=(784, 3))
    changed = weight.copy()
    pixels.sort(changed)
    batch = pixels.batch(np.arange(30))
    np.testing.assert_allclose(batch @ changed[: batch.shape[1]], IMAGES[:30].reshape(30, -1) @ weight)
    pixels.unsort(changed)
    np.testing.assert_array_equal(changed, weight)
