import math

import numpy as np
import pytest

from digitpad.nn.arrays import Floats
from digitpad.nn.layers import (
    GELU,
    LAYERS,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    ReLU,
    Rescale,
    Sigmoid,
    Tanh,
)
from digitpad.nn.network import Network
from tests.nn.gradients import numerical_gradient

CASES: list[tuple[Layer, tuple[int, ...]]] = [
    (Rescale(0.5, -0.25), (3, 4)),
    (Flatten(), (3, 4)),
    (Linear(5), (4,)),
    (ReLU(), (7,)),
    (LeakyReLU(0.2), (7,)),
    (Sigmoid(), (7,)),
    (Tanh(), (7,)),
    (GELU(), (7,)),
    (Dropout(0.4), (7,)),
]


def samples_away_from_kinks(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return rng.choice([-1, 1], shape) * rng.uniform(0.1, 1, shape)


def test_every_layer_is_checked() -> None:
    """A layer added later cannot miss the gradient check."""
    assert {type(layer).__name__ for layer, _ in CASES} == set(LAYERS)


@pytest.mark.parametrize(("layer", "shape"), CASES, ids=lambda case: type(case).__name__)
def test_gradients_agree_with_central_differences(layer: Layer, shape: tuple[int, ...]) -> None:
    """Both halves of each layer's backpropagation equal the slopes that are measured."""
    rng = np.random.default_rng(1)
    network = Network([layer], input_shape=shape, dtype=np.float64)
    network.parameters[:] = rng.normal(size=network.parameters.shape)
    x = samples_away_from_kinks((6, *shape), rng)
    weights = rng.normal(size=(6, *network.output_shape))

    def loss() -> float:
        if isinstance(layer, Dropout):
            layer.initialize(np.random.default_rng(2))  # the same draw each time
        return float((layer.forward(x.copy(), training=True) * weights).sum())

    loss()
    layer.write_gradients(weights)
    by_backpropagation = network.gradients.copy()
    dx = layer.input_gradient(weights.copy()).copy()
    np.testing.assert_allclose(by_backpropagation, numerical_gradient(loss, network.parameters), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(dx, numerical_gradient(loss, x), rtol=1e-7, atol=1e-9)


def test_linear_by_hand() -> None:
    """X W + b, worked out on paper."""
    layer = Linear(2)
    network = Network([layer], input_shape=(2,), dtype=np.float64)
    network.parameters[:] = [1, 2, 3, 4, 10, 20]
    np.testing.assert_array_equal(network.forward(np.array([[1.0, 1.0], [2.0, 0.0]])), [[14, 26], [12, 24]])


def test_leaky_relu_by_hand() -> None:
    """Below zero a hundredth passes."""
    layer = LeakyReLU(0.01)
    network = Network([layer], input_shape=(3,), dtype=np.float64)
    np.testing.assert_allclose(network.forward(np.array([[-2.0, 0.0, 3.0]])), [[-0.02, 0, 3]])


def test_linear_refuses_what_is_not_a_row() -> None:
    """An image must be flattened first, and the error says so."""
    with pytest.raises(ValueError, match="put Flatten before it"):
        Network([Linear(3)], input_shape=(28, 28))


@pytest.mark.parametrize(("layer", "shape"), CASES, ids=lambda case: type(case).__name__)
def test_settings_rebuild_a_layer(layer: Layer, shape: tuple[int, ...]) -> None:
    """What a layer says of itself builds an equal one."""
    settings = layer.settings()
    assert LAYERS[settings.pop("type")](**settings) == layer


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Sigmoid(), [0.0, 0.119203, 0.5, 0.880797, 1.0]),
        (Tanh(), [-1.0, -0.964028, 0.0, 0.964028, 1.0]),
        (GELU(), [0.0, -0.0454, 0.0, 1.9546, 1000.0]),
    ],
    ids=lambda case: type(case).__name__,
)
def test_activations_by_hand(layer: Layer, expected: list[float]) -> None:
    """Known values, far ends included, without overflow."""
    network = Network([layer], input_shape=(5,), dtype=np.float64)
    np.testing.assert_allclose(network.forward(np.array([[-1000.0, -2, 0, 2, 1000]]))[0], expected, atol=1e-5)


def test_gelu_is_close_to_its_definition() -> None:
    """The form with tanh stays within 0.0005 of x Φ(x)."""
    x = np.linspace(-5, 5, 1001)
    exact = [one * 0.5 * (1 + math.erf(one / math.sqrt(2))) for one in x]
    network = Network([GELU()], input_shape=(1001,), dtype=np.float64)
    np.testing.assert_allclose(network.forward(x[None])[0], exact, atol=5e-4)


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    """In training; and outside it is not there."""
    layer = Dropout(0.3)
    network = Network([layer], input_shape=(1000,))
    network.initialize(np.random.default_rng(5))
    ones = np.ones((100, 1000), np.float32)
    y = network.forward(ones.copy(), training=True)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(network.forward(ones.copy()), ones)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_dropout_refuses_a_rate_that_cannot_be(rate: float) -> None:
    """Dropping all leaves nothing to scale."""
    with pytest.raises(ValueError, match="0 to below 1"):
        Dropout(rate)
