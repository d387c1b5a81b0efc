import numpy as np
from numpy.typing import NDArray

from digitpad.evaluation.metrics import run_to_end
from digitpad.inspection.neighbours import FeatureIndex, nearest_by_pixels
from digitpad.inspection.trace import Tracer
from digitpad.inspection.weight_images import first_weights
from tests.unit.inspection.networks import image, weights


def digits(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def test_nearest_by_pixels_equals_a_direct_search() -> None:
    """The search over several chunks equals a direct one, and an image in the dataset is its own nearest."""
    images = digits(4100)
    images[4050] = images[7]
    result = run_to_end(nearest_by_pixels(images[7], images, 5))
    distances = np.linalg.norm((images.reshape(4100, -1) / 255 - images[7].reshape(-1) / 255), axis=1)
    assert result.places[:2].tolist() == [7, 4050]
    np.testing.assert_array_equal(result.places, np.argsort(distances, kind="stable")[:5])
    np.testing.assert_allclose(result.distances, np.sort(distances)[:5], atol=1e-4)
    assert result.n_searched == 4100


def test_nearest_by_the_last_hidden_layer() -> None:
    """The search by features equals a direct search on the activations of the last hidden layer."""
    images, plain = digits(450), weights("convolutional")
    index = FeatureIndex(plain, images)
    run_to_end(index.read_on())
    tracer = Tracer(plain)
    points = np.stack([tracer.trace(digit).outputs[-2] for digit in images])
    distances = np.linalg.norm(points - tracer.trace(image()).outputs[-2], axis=1)
    result = index.nearest(image(), 6)
    np.testing.assert_allclose(result.distances, np.sort(distances)[:6], rtol=1e-4)
    assert set(result.places.tolist()) == set(np.argsort(distances)[:6].tolist())


def test_search_covers_the_processed_digits() -> None:
    """A search covers the digits processed so far, and processing resumes where it stopped."""
    images = digits(450)
    index = FeatureIndex(weights("dense"), images)
    assert len(index.nearest(image(), 3).places) == 0
    next(index.read_on())
    assert 0 < index.nearest(image(), 3).n_searched == index.n_read < 450
    run_to_end(index.read_on())
    assert index.nearest(image(), 3).n_searched == 450


def test_memory_is_bounded() -> None:
    """The number of stored activations is limited by storing fewer digits."""
    index = FeatureIndex(weights("dense"), digits(450), max_numbers=5 * 100)
    run_to_end(index.read_on())
    assert index.nearest(image(), 3).n_searched == 100


def test_features_are_pixels_without_hidden_layers() -> None:
    """Without hidden layers, a search by features equals a search by pixels."""
    images = digits(300)
    index = FeatureIndex(weights("none hidden"), images)
    run_to_end(index.read_on())
    by_pixels = run_to_end(nearest_by_pixels(image(), images, 4))
    np.testing.assert_array_equal(index.nearest(image(), 4).places, by_pixels.places)


def test_first_weights_are_images() -> None:
    """First weights are images of the size of the input or the kernel, also after a pooling layer."""
    tracer = Tracer(weights("dense"))
    weight_images = first_weights(tracer)
    assert weight_images.shape == (7, 28, 28)
    assert weight_images[3, 2, 5] == tracer.network.layers[2].parameters["weight"][2 * 28 + 5, 3]
    tracer = Tracer(weights("convolutional"))
    weight_images = first_weights(tracer)
    assert weight_images.shape == (4, 3, 3)
    assert weight_images[1, 2, 0] == tracer.network.layers[2].parameters["weight"][2, 0, 0, 1]
    assert first_weights(Tracer(weights("leaky"))).shape == (3, 4, 4)
    assert first_weights(Tracer(weights("odd"))).shape == (6, 28, 28)
