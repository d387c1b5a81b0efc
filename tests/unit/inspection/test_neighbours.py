import numpy as np
from numpy.typing import NDArray

from digitpad.evaluation.metrics import run_to_end
from digitpad.inspection.neighbours import FeatureIndex, nearest_by_pixels
from digitpad.inspection.trace import Tracer
from digitpad.inspection.weight_images import first_weights
from tests.unit.inspection.networks import image, weights


def digits(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def test_nearest_by_pixels_is_what_one_would_find_by_hand() -> None:
    """Over more digits than are looked at at once; an image among them is its own nearest."""
    images = digits(4100)
    images[4050] = images[7]
    found = run_to_end(nearest_by_pixels(images[7], images, 5))
    apart = np.linalg.norm((images.reshape(4100, -1) / 255 - images[7].reshape(-1) / 255), axis=1)
    assert found.places[:2].tolist() == [7, 4050]
    np.testing.assert_array_equal(found.places, np.argsort(apart, kind="stable")[:5])
    np.testing.assert_allclose(found.distances, np.sort(apart)[:5], atol=1e-4)
    assert found.n_searched == 4100


def test_nearest_by_the_last_hidden_layer() -> None:
    """The same as by the activations that the network has for each digit."""
    images, plain = digits(450), weights("convolutional")
    memory = FeatureIndex(plain, images)
    run_to_end(memory.read_on())
    tracer = Tracer(plain)
    points = np.stack([tracer.trace(one).outputs[-2] for one in images])
    apart = np.linalg.norm(points - tracer.trace(image()).outputs[-2], axis=1)
    found = memory.nearest(image(), 6)
    np.testing.assert_allclose(found.distances, np.sort(apart)[:6], rtol=1e-4)
    assert set(found.places.tolist()) == set(np.argsort(apart)[:6].tolist())


def test_what_is_read_so_far_is_searched_already() -> None:
    """Nothing at first; after a chunk, the nearest of that chunk; reading goes on where it was left."""
    images = digits(450)
    memory = FeatureIndex(weights("dense"), images)
    assert len(memory.nearest(image(), 3).places) == 0
    next(memory.read_on())
    assert 0 < memory.nearest(image(), 3).n_searched == memory.n_read < 450
    run_to_end(memory.read_on())
    assert memory.nearest(image(), 3).n_searched == 450


def test_memory_is_bounded() -> None:
    """Of a layer too wide for all digits, fewer are kept."""
    memory = FeatureIndex(weights("dense"), digits(450), max_numbers=5 * 100)
    run_to_end(memory.read_on())
    assert memory.nearest(image(), 3).n_searched == 100


def test_without_hidden_layers_it_is_the_pixels() -> None:
    """Both then find the same."""
    images = digits(300)
    memory = FeatureIndex(weights("none hidden"), images)
    run_to_end(memory.read_on())
    by_pixels = run_to_end(nearest_by_pixels(image(), images, 4))
    np.testing.assert_array_equal(memory.nearest(image(), 4).places, by_pixels.places)


def test_first_weights_are_pictures() -> None:
    """Of a dense layer as large as the image, row by row; of a convolution as its kernel; also behind a pool."""
    tracer = Tracer(weights("dense"))
    pictures = first_weights(tracer)
    assert pictures.shape == (7, 28, 28)
    assert pictures[3, 2, 5] == tracer.network.layers[2].parameters["weight"][2 * 28 + 5, 3]
    tracer = Tracer(weights("convolutional"))
    pictures = first_weights(tracer)
    assert pictures.shape == (4, 3, 3)
    assert pictures[1, 2, 0] == tracer.network.layers[2].parameters["weight"][2, 0, 0, 1]
    assert first_weights(Tracer(weights("leaky"))).shape == (3, 4, 4)
    assert first_weights(Tracer(weights("odd"))).shape == (6, 28, 28)
