import numpy as np

from digitpad.training.snapshots import weight_pictures
from tests.unit.training.small import small_recipe


def test_dense_weights_are_images() -> None:
    """A dense layer gives an image per unit: grey where the weight is 0, white or black at its largest."""
    network = small_recipe(network__hidden=[5]).build_network()
    weight = next(view for name, view in network.named_parameters().items() if name.endswith("weight"))
    weight[28 * 3 + 7, 2] = 0.5
    weight[28 * 3 + 8, 2] = -0.25
    pictures = weight_pictures(network)
    assert pictures.shape == (5, 28, 28)
    assert pictures.dtype == np.uint8
    assert (pictures[2, 3, 7], pictures[2, 3, 8], pictures[2, 0, 0]) == (255, 64, 128)
    assert (pictures[[0, 1, 3, 4]] == 128).all()


def test_kernels_are_images() -> None:
    """A convolution gives an image per output channel, up to the requested number."""
    network = small_recipe(network__hidden=["5x5x8", "pool", 10]).build_network()
    network.initialize(np.random.default_rng(1))
    pictures = weight_pictures(network, 6)
    assert pictures.shape == (6, 5, 5)
    kernels = next(view for name, view in network.named_parameters().items() if name.endswith("weight"))
    np.testing.assert_array_equal(
        pictures[3] > 128, (kernels[:, :, 0, 3] / np.abs(kernels[:, :, 0, 3]).max()) > 1 / 127
    )


def test_nan_weights_give_grey_images() -> None:
    """NaN weights give grey images."""
    network = small_recipe().build_network()
    network.parameters.fill(np.nan)
    assert (weight_pictures(network) == 128).all()
