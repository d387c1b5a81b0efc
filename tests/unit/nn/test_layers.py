import math
from collections.abc import Callable

import numpy as np
import pytest

from digitpad.nn.arrays import Floats
from digitpad.nn.layers import (
    ELU,
    GELU,
    LAYERS,
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Binarize,
    Branches,
    Clip,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Reshape,
    Sigmoid,
    Softplus,
    Swish,
    Tanh,
    UnitNorm,
    ZeroPad2d,
)
from digitpad.nn.network import Network
from tests.unit.nn.gradients import numerical_gradient

CASES: list[tuple[Layer, tuple[int, ...]]] = [
    (Rescale(0.5, -0.25), (3, 4)),
    (Flatten(), (3, 4)),
    (Flatten(), (3, 4, 2)),
    (Linear(5), (4,)),
    (ReLU(), (7,)),
    (LeakyReLU(0.2), (7,)),
    (Sigmoid(), (7,)),
    (Tanh(), (7,)),
    (GELU(), (7,)),
    (Swish(), (7,)),
    (ELU(), (7,)),
    (Binarize(0.05), (3, 4)),
    (Dropout(0.4), (7,)),
    (AddChannel(), (3, 4)),
    (Conv2d(3, 2), (4, 5, 1)),
    (Conv2d(2, 3, padding=1), (3, 4, 5)),
    (Conv2d(2, 3), (5, 4, 11)),
    (Conv2d(2, 2, padding=1), (3, 2, 17)),
    (Conv2d(2, 1), (3, 2, 3)),
    (MaxPool2d(), (4, 6, 2)),
    (MaxPool2d(3), (7, 8, 2)),
    (MaxPool2d(1), (2, 3, 1)),
    (AvgPool2d(), (5, 4, 2)),
    (AvgPool2d(3), (6, 7, 1)),
    (BatchNorm(), (5,)),
    (BatchNorm(0.3), (3, 2, 4)),
    (Conv2d(2, 3, stride=2), (6, 7, 1)),
    (Conv2d(2, 3, 1, stride=2), (6, 5, 12)),
    (Conv2d(3, 2, stride=3), (7, 8, 2)),
    (Conv2d(2, 1, stride=2), (4, 5, 40)),
    (MaxPool2d(3, 2), (7, 8, 2)),
    (MaxPool2d(2, 2, 0, 1), (3, 5, 2)),
    (MaxPool2d(3, 1, 1, 1), (3, 4, 1)),
    (AvgPool2d(3, 2), (7, 8, 2)),
    (AvgPool2d(3, 3, 1, 1), (7, 4, 2)),
    (GlobalAvgPool2d(), (3, 4, 2)),
    (GlobalMaxPool2d(), (3, 4, 2)),
    (ZeroPad2d(1, 0, 2, 1), (3, 2, 2)),
    (Reshape([6]), (3, 2)),
    (Reshape([2, 3, 2]), (12,)),
    (Reshape([4, 3]), (2, 3, 2)),
    (ELU(1.7), (7,)),
    (Softplus(), (7,)),
    (Clip(-0.5, 0.55), (7,)),
    (UnitNorm(), (4, 3)),
    (UnitNorm("rows"), (4, 3)),
    (UnitNorm("image"), (4, 3)),
    (Branches([[Linear(4), BatchNorm(), Tanh()], []]), (4,)),
    (
        Branches([[ReLU(), Conv2d(3, 3, 1), BatchNorm()], [Conv2d(3, 1)], [Branches([[Sigmoid(), Conv2d(3, 1)]])]]),
        (3, 4, 2),
    ),
    (Branches([[Linear(3)], [], [Tanh()]], "concatenate"), (4,)),
]


def samples_away_from_kinks(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return rng.choice([-1, 1], shape) * rng.uniform(0.1, 1, shape)


def batch_shape(n: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a batch of n samples; images with channels are stored by rows."""
    return (shape[0], n, *shape[1:]) if len(shape) == 3 else (n, *shape)


def single_layer_network(layer: Layer, shape: tuple[int, ...]) -> Network:
    """Return an initialised float64 network of one layer."""
    network = Network([layer], input_shape=shape, dtype=np.float64)
    network.initialize(np.random.default_rng(7))
    return network


def test_every_layer_is_tested() -> None:
    """The gradient check covers every layer class."""
    assert {type(layer).__name__ for layer, _ in CASES} == set(LAYERS)


@pytest.mark.parametrize(("layer", "shape"), CASES, ids=lambda case: type(case).__name__)
def test_gradients_agree_with_central_differences(layer: Layer, shape: tuple[int, ...]) -> None:
    """The parameter and input gradients of each layer equal the numerical gradients."""
    rng = np.random.default_rng(1)
    network = Network([layer], input_shape=shape, dtype=np.float64)
    network.parameters[:] = rng.normal(size=network.parameters.shape)
    x = samples_away_from_kinks(batch_shape(6, shape), rng)
    weights = rng.normal(size=batch_shape(6, network.plan.output_shape))

    def loss() -> float:
        if isinstance(layer, Dropout):
            layer.initialize(np.random.default_rng(2))  # the same dropout mask each time
        return float((layer.forward(x.copy(), training=True) * weights).sum())

    loss()
    layer.write_gradients(weights)
    by_backpropagation = network.gradients.copy()
    dx = layer.input_gradient(weights.copy()).copy()
    measured = numerical_gradient(loss, network.parameters)
    np.testing.assert_allclose(by_backpropagation, measured, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(dx, numerical_gradient(loss, x), rtol=1e-7, atol=1e-8)


def test_linear_by_hand() -> None:
    """The output equals X W + b, calculated by hand."""
    layer = Linear(2)
    network = Network([layer], input_shape=(2,), dtype=np.float64)
    network.parameters[:] = [1, 2, 3, 4, 10, 20]
    np.testing.assert_array_equal(network.forward(np.array([[1.0, 1.0], [2.0, 0.0]])), [[14, 26], [12, 24]])


def test_leaky_relu_by_hand() -> None:
    """Negative inputs are multiplied by alpha."""
    layer = LeakyReLU(0.01)
    network = Network([layer], input_shape=(3,), dtype=np.float64)
    np.testing.assert_allclose(network.forward(np.array([[-2.0, 0.0, 3.0]])), [[-0.02, 0, 3]])


def test_linear_refuses_images() -> None:
    """An image raises an error that suggests Flatten."""
    with pytest.raises(ValueError, match="put Flatten before it"):
        Network([Linear(3)], input_shape=(28, 28))


@pytest.mark.parametrize(("layer", "shape"), CASES, ids=lambda case: type(case).__name__)
def test_settings_rebuild_a_layer(layer: Layer, shape: tuple[int, ...]) -> None:
    """The settings of a layer build an equal layer."""
    settings = layer.settings()
    assert LAYERS[settings.pop("type")](**settings) == layer


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Sigmoid(), [0.0, 0.119203, 0.5, 0.880797, 1.0]),
        (Tanh(), [-1.0, -0.964028, 0.0, 0.964028, 1.0]),
        (GELU(), [0.0, -0.0454, 0.0, 1.9546, 1000.0]),
        (Swish(), [0.0, -0.238406, 0.0, 1.761594, 1000.0]),
        (ELU(), [-1.0, -0.864665, 0.0, 2.0, 1000.0]),
        (Binarize(0.5), [0, 0, 0, 1, 1]),
    ],
    ids=lambda case: type(case).__name__,
)
def test_activations_by_hand(layer: Layer, expected: list[float]) -> None:
    """Activations return known values, and do not overflow for large inputs."""
    network = Network([layer], input_shape=(5,), dtype=np.float64)
    np.testing.assert_allclose(network.forward(np.array([[-1000.0, -2, 0, 2, 1000]]))[0], expected, atol=1e-5)


def test_gelu_is_close_to_its_definition() -> None:
    """The tanh approximation is within 0.0005 of x Φ(x)."""
    x = np.linspace(-5, 5, 1001)
    exact = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x]
    network = Network([GELU()], input_shape=(1001,), dtype=np.float64)
    np.testing.assert_allclose(network.forward(x[None])[0], exact, atol=5e-4)


def test_dropout_drops_its_rate_and_keeps_the_mean() -> None:
    """In training, dropout drops its rate and keeps the mean; outside training, it changes nothing."""
    layer = Dropout(0.3)
    network = Network([layer], input_shape=(1000,))
    network.initialize(np.random.default_rng(5))
    ones = np.ones((100, 1000), np.float32)
    y = network.forward(ones.copy(), training=True)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(network.forward(ones.copy()), ones)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_dropout_refuses_invalid_rates(rate: float) -> None:
    """A rate outside 0 to below 1 raises a ValueError."""
    with pytest.raises(ValueError, match="0 to below 1"):
        Dropout(rate)


def convolution_by_loops(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """Return the convolution by its definition; x has the shape (height, n, width, inputs)."""
    kernel = len(weight)
    height, n, width, _ = x.shape
    y = np.zeros((height - kernel + 1, n, width - kernel + 1, len(bias)))
    for i in range(y.shape[0]):
        for j in range(y.shape[2]):
            for k in range(kernel):
                for m in range(kernel):
                    y[i, :, j] += x[i + k, :, j + m] @ weight[k, m]
    return y + bias


@pytest.mark.parametrize("n", [1, 3, 300])
@pytest.mark.parametrize(("kernel", "inputs", "padding"), [(5, 1, 0), (3, 2, 1), (3, 16, 0), (5, 8, 2), (1, 3, 0)])
def test_convolution_equals_a_direct_loop(n: int, kernel: int, inputs: int, padding: int) -> None:
    """Convolution equals its definition for every window layout and for one or many images."""
    layer = Conv2d(4, kernel, padding)
    network = single_layer_network(layer, (7, 9, inputs))
    rng = np.random.default_rng(3)
    network.parameters[:] = rng.normal(size=network.parameters.shape)
    x = rng.normal(size=(7, n, 9, inputs))
    padded = np.pad(x, ((padding, padding), (0, 0), (padding, padding), (0, 0)))
    named = network.named_parameters()
    expected = convolution_by_loops(padded, named["0.weight"], named["0.bias"])
    np.testing.assert_allclose(layer.forward(x, training=True), expected, atol=1e-12)


@pytest.mark.parametrize(("layer", "of"), [(MaxPool2d(3), np.max), (AvgPool2d(3), np.mean)])
def test_pooling_equals_a_direct_loop(layer: Layer, of: Callable[[Floats], float]) -> None:
    """Pooling equals its definition, and ignores incomplete windows at the edges."""
    single_layer_network(layer, (7, 10, 2))
    x = np.random.default_rng(4).normal(size=(7, 5, 10, 2))
    y = layer.forward(x.copy(), training=True)
    assert y.shape == (2, 5, 3, 2)
    for i, n, j, channel in np.ndindex(y.shape):
        assert y[i, n, j, channel] == pytest.approx(of(x[3 * i : 3 * i + 3, n, 3 * j : 3 * j + 3, channel]))


def test_max_pooling_passes_the_gradient_to_the_first_maximum() -> None:
    """If all values of a window are equal, only the first receives the gradient."""
    layer = MaxPool2d()
    single_layer_network(layer, (2, 2, 1))
    layer.forward(np.zeros((2, 1, 2, 1)), training=True)
    dx = layer.input_gradient(np.array([[[[5.0]]]]))
    np.testing.assert_array_equal(dx[:, 0, :, 0], [[5, 0], [0, 0]])


def test_batch_norm_by_hand() -> None:
    """1 and 3 become -1 and 1, then 2 x + 10, and the running averages move by a tenth."""
    layer = BatchNorm(momentum=0.1, eps=1e-12)
    network = single_layer_network(layer, (1,))
    named = network.named_parameters()
    named["0.scale"][:], named["0.shift"][:] = 2, 10
    np.testing.assert_allclose(layer.forward(np.array([[1.0], [3.0]]), training=True), [[8], [12]])
    np.testing.assert_allclose(named["0.mean"], 0.2)
    np.testing.assert_allclose(named["0.variance"], 0.9 + 0.1 * 2)  # unbiased: divided by n - 1
    expected = 2 * (5 - 0.2) / math.sqrt(1.1) + 10
    np.testing.assert_allclose(layer.forward(np.array([[5.0]]), training=False), [[expected]])


def test_batch_norm_prediction_does_not_depend_on_the_batch() -> None:
    """Outside training, the output of a sample does not depend on the rest of the batch, and the slope is constant."""
    layer = BatchNorm()
    network = single_layer_network(layer, (3,))
    rng = np.random.default_rng(5)
    for _ in range(10):
        layer.forward(rng.normal(2, 3, (50, 3)), training=True)
    x = rng.normal(size=(4, 3))
    together = layer.forward(x.copy(), training=False).copy()
    np.testing.assert_allclose(layer.forward(x[:1].copy(), training=False), together[:1])
    dx = layer.input_gradient(np.ones((1, 3)))
    named = network.named_parameters()
    np.testing.assert_allclose(dx[0], named["0.scale"] / np.sqrt(named["0.variance"] + layer.eps))


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ([Conv2d(3)], (28, 28), "takes images of shape"),
        ([Conv2d(3, 5)], (4, 9, 1), "a 5 × 5 kernel does not fit into an image of 4 × 9"),
        ([MaxPool2d(4)], (3, 8, 1), "a 4 × 4 pooling window does not fit"),
        ([MaxPool2d()], (784,), "takes images of shape"),
        ([AddChannel()], (28, 28, 1), "takes images of shape"),
        ([Linear(3)], (4, 4, 2), "put Flatten before it"),
    ],
)
def test_layers_refuse_invalid_input_shapes(layers: list[Layer], shape: tuple[int, ...], message: str) -> None:
    """An input shape that does not fit raises a ValueError with the expected shape."""
    with pytest.raises(ValueError, match=message):
        Network(layers, input_shape=shape)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Conv2d(0),
        lambda: Conv2d(3, 0),
        lambda: Conv2d(3, 3, -1),
        lambda: Conv2d(3, 3, 0, "fancy"),
        lambda: Conv2d(True),
        lambda: MaxPool2d(0),
        lambda: AvgPool2d(1.5),  # type: ignore[arg-type]
        lambda: BatchNorm(0),
        lambda: BatchNorm(eps=float("nan")),
    ],
)
def test_layers_refuse_invalid_settings(make: Callable[[], Layer]) -> None:
    """Invalid settings, which may come from a file, raise a ValueError."""
    with pytest.raises(ValueError, match=r"takes|unknown initializer"):
        make()


def test_batch_norm_learns_no_variance_from_one_sample() -> None:
    """A batch of one sample does not change the running averages."""
    layer = BatchNorm()
    network = single_layer_network(layer, (3,))
    before = network.parameters.copy()
    layer.forward(np.array([[5.0, 6.0, 7.0]]), training=True)
    np.testing.assert_array_equal(network.parameters, before)


def test_a_stride_leaves_out_rows_and_columns() -> None:
    """A convolution with a stride computes every stride-th output of one without."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=batch_shape(4, (7, 8, 3)))
    with_stride = single_layer_network(Conv2d(5, 3, 1, stride=2), (7, 8, 3))
    every = single_layer_network(Conv2d(5, 3, 1), (7, 8, 3))
    every.parameters[:] = with_stride.parameters
    np.testing.assert_allclose(with_stride.forward(x.copy()), every.forward(x.copy())[::2, :, ::2])


def test_overlapping_pooling_by_hand() -> None:
    """Windows that reach beyond the image pool only the pixels in it."""
    x = np.arange(9.0).reshape(3, 1, 3, 1) - 10
    maximum = single_layer_network(MaxPool2d(2, 2, 0, 1), (3, 3, 1)).forward(x.copy())
    mean = single_layer_network(AvgPool2d(3, 2, 1, 1), (3, 3, 1)).forward(x.copy())
    np.testing.assert_array_equal(maximum[:, 0, :, 0], [[-6, -5], [-3, -2]])
    np.testing.assert_array_equal(mean[:, 0, :, 0], [[-8, -7], [-5, -4]])


def test_a_residual_block_adds_its_input() -> None:
    """The sum of a branch and an empty branch is f(x) + x, and a layer that works in place does not change x."""
    network = single_layer_network(Branches([[ReLU()], []]), (3,))
    np.testing.assert_array_equal(network.forward(np.array([[-1.0, 0, 2]])), [[-1, 0, 4]])


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Branches([]), "list of 1 to 16"),
        (lambda: Branches([[{"type": "Nothing"}]]), "unknown type"),
        (lambda: Branches([[5]]), "invalid settings|mapping|iterable"),
        (lambda: Branches([[ReLU()] * 201]), "more than 200"),
        (lambda: Branches([[]], "multiply"), "add or concatenate"),
        (lambda: Branches([[nested(40)]]), "deep"),
        (lambda: Network([Branches([[Linear(3)], [Linear(4)]])], (5,)), "cannot be added"),
        (lambda: Network([Branches([[AddChannel()], []], "concatenate")], (5, 5)), "cannot be concatenated"),
        (lambda: Reshape([2, -1]), "sizes"),
        (lambda: Network([Reshape([5])], (2, 2)), "cannot be reshaped"),
        (lambda: MaxPool2d(2, 1, 2), "0 to 1"),
        (lambda: Network([MaxPool2d(3, 1)], (2, 2, 1)), "does not fit"),
        (lambda: Conv2d(2, 3, stride=0), "1 to 28 as its stride"),
        (lambda: UnitNorm("time"), "columns, rows, image"),
        (lambda: Network([UnitNorm()], (4,)), "takes images"),
        (lambda: ELU(0), "alpha"),
        (lambda: Clip(1, 1), "bound"),
    ],
)
def test_impossible_settings_and_shapes_are_refused(make: Callable[[], object], problem: str) -> None:
    """Settings and shapes that are impossible for a layer raise ValueError or, as in a file's list, TypeError."""
    with pytest.raises((ValueError, TypeError), match=problem):
        make()


def nested(depth: int) -> dict[str, object]:
    layer: dict[str, object] = {"type": "ReLU"}
    for _ in range(depth):
        layer = {"type": "Branches", "branches": [[layer]]}
    return layer
