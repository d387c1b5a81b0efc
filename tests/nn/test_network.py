import copy
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats
from digitpad.nn.layers import LAYERS, Dropout, Linear
from digitpad.nn.losses import CrossEntropy
from digitpad.nn.network import ACTIVATIONS, Network, feedforward
from digitpad.nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSProp
from tests.nn.gradients import numerical_gradient


def random_batch(n: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


LENET = ("5x5x32", "pool", "5x5x64", "pool", 128)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "settings", [{"dropout": 0.3}, {"batch_norm": True}, {"dropout": 0.3, "batch_norm": True}], ids=str
)
def test_gradients_in_training(activation: str, settings: dict[str, Any]) -> None:
    """No layer spoils what the one before it needs for its slope, with the same dropout each time."""
    network = Network(feedforward([5, 4], activation, alpha=0.3, **settings), dtype=np.float64)
    network.initialize(np.random.default_rng(5))
    images, labels = random_batch(6)
    loss = CrossEntropy(0.1)

    def losses() -> tuple[float, Floats]:
        for layer in network.layers:
            if isinstance(layer, Dropout):
                layer.initialize(np.random.default_rng(9))
        return loss(network.forward(images, training=True), labels)

    network.backward(losses()[1])
    gradients = network.gradients.copy()
    some = slice(network.parameters.size - 120, network.parameters.size)
    np.testing.assert_allclose(
        gradients[some], numerical_gradient(lambda: losses()[0], network.parameters[some]), atol=1e-7
    )


@pytest.mark.parametrize("first", ["Sigmoid", "Tanh", "LeakyReLU", "GELU", "ReLU"])
@pytest.mark.parametrize("second", ["Sigmoid", "Tanh", "LeakyReLU", "GELU", "ReLU"])
def test_gradients_through_two_activations_in_a_row(first: str, second: str) -> None:
    """As a file from elsewhere may have them."""
    layers = [Linear(4), LAYERS[first](), LAYERS[second](), Linear(3)]
    network = Network(layers, (5,), np.float64)
    network.initialize(np.random.default_rng(6))
    x, labels = np.random.default_rng(7).normal(size=(6, 5)), np.arange(6) % 3
    loss = CrossEntropy()
    _, dlogits = loss(network.forward(x.copy(), training=True), labels)
    network.backward(dlogits)
    measured = numerical_gradient(lambda: loss(network.forward(x.copy()), labels)[0], network.parameters)
    np.testing.assert_allclose(network.gradients, measured, atol=1e-7)


@pytest.mark.parametrize(
    ("hidden", "activation"),
    [*(((4, 3), activation) for activation in ACTIVATIONS), (("9x9x2", "pool4", "3x3x2", "avgpool", 4), "tanh")],
    ids=str,
)
def test_gradients_through_the_whole_network(hidden: tuple[int | str, ...], activation: str) -> None:
    """Each parameter of each layer moves the loss as backpropagation says."""
    network = Network(feedforward(hidden, activation), dtype=np.float64)
    network.initialize(np.random.default_rng(5))
    images, labels = random_batch(3)
    loss = CrossEntropy()
    _, dlogits = loss(network.forward(images, training=True), labels)
    network.backward(dlogits)
    some = np.r_[0:40, network.parameters.size - 80 : network.parameters.size]
    measured = numerical_gradient(lambda: loss(network.forward(images), labels)[0], network.parameters)
    np.testing.assert_allclose(network.gradients[some], measured[some], atol=1e-7)


@pytest.mark.parametrize(
    ("hidden", "settings"),
    [
        ((4, 3), {"activation": "tanh", "dropout": 0.5}),
        (("9x9x2", "pool4", "3x3x2", "avgpool", 4), {"activation": "gelu", "batch_norm": True, "padding": "same"}),
    ],
    ids=str,
)
def test_gradients_reach_the_pixels(hidden: tuple[int | str, ...], settings: dict[str, Any]) -> None:
    """Each pixel moves a difference of logits as it says, and the parameters' gradients are left alone."""
    network = Network(feedforward(hidden, **settings), dtype=np.float64)
    network.initialize(np.random.default_rng(5))
    images = random_batch(2)[0].astype(np.float64)
    direction = np.random.default_rng(1).normal(size=(2, 10))
    network.forward(images)
    network.gradients.fill(7)
    gradient = network.input_gradient(direction.copy()).copy()
    assert gradient.shape == images.shape
    assert (network.gradients == 7).all()
    measured = numerical_gradient(lambda: float((network.forward(images) * direction).sum()), images)
    np.testing.assert_allclose(gradient, measured, atol=1e-8)


def test_overfits_twenty_samples() -> None:
    """What cannot learn twenty digits by heart cannot learn."""
    network = Network(feedforward([32]))
    network.initialize(np.random.default_rng(6))
    images, labels = random_batch(20)
    loss, optimizer = CrossEntropy(), Adam()
    for _ in range(100):
        value, dlogits = loss(network.forward(images, training=True), labels)
        network.backward(dlogits)
        optimizer.step(network.parameters, network.gradients, 0.01)
    assert value < 0.01
    assert (network.predict(images).argmax(axis=1) == labels).all()


def test_the_same_seed_gives_the_same_weights() -> None:
    """Randomness comes from the generator that is passed, and from nowhere else."""
    one, other = Network(feedforward([8])), Network(feedforward([8]))
    one.initialize(np.random.default_rng(7))
    other.initialize(np.random.default_rng(7))
    np.testing.assert_array_equal(one.parameters, other.parameters)


@pytest.mark.parametrize(
    "optimizer", [SGD(momentum=0.9), Adam(), AdamW(), RMSProp()], ids=lambda one: type(one).__name__
)
@pytest.mark.parametrize(
    ("hidden", "settings"),
    [
        ([256, 128], {}),
        ([256, 128], {"activation": "leaky_relu", "dropout": 0.5, "batch_norm": True}),
        (LENET, {}),
        (LENET, {"activation": "gelu", "batch_norm": True, "padding": "same"}),
    ],
    ids=str,
)
def test_a_step_allocates_nothing_after_the_first(
    hidden: Sequence[int | str], settings: dict[str, Any], optimizer: Optimizer
) -> None:
    """Memory is used again; the smallest array of a batch would be 64 KB, if NumPy's own buffers are kept small."""
    network = Network(feedforward(hidden, **settings))
    network.initialize(np.random.default_rng(8))
    images, labels = random_batch(128)
    loss, optimizer = CrossEntropy(), copy.deepcopy(optimizer)

    def step() -> None:
        _, dlogits = loss(network.forward(images, training=True), labels)
        network.backward(dlogits)
        optimizer.step(network.parameters, network.gradients, 0.01)

    elements = np.setbufsize(512)
    try:
        step()
        tracemalloc.start()
        step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        np.setbufsize(elements)
    assert peak < 49_152


def test_parameters_are_views_of_one_vector() -> None:
    """Writing the vector is writing the layers."""
    network = Network(feedforward([8]))
    network.parameters[:] = np.arange(network.parameters.size)
    named = network.named_parameters()
    assert {name: view.shape for name, view in named.items()} == {
        "2.weight": (784, 8),
        "2.bias": (8,),
        "4.weight": (8, 10),
        "4.bias": (10,),
    }
    np.testing.assert_array_equal(np.concatenate([view.ravel() for view in named.values()]), network.parameters)


def test_architecture_rebuilds_the_network() -> None:
    """From its own description comes a network that computes the same."""
    network = Network(feedforward([8, 6], "leaky_relu"))
    network.initialize(np.random.default_rng(9))
    twin = Network.from_architecture(network.architecture())
    twin.parameters[:] = network.parameters
    images, _ = random_batch(4)
    np.testing.assert_array_equal(twin.predict(images), network.predict(images))
    assert twin.summary() == "784-8-6-10"


@pytest.mark.parametrize(
    ("architecture", "message"),
    [([{"type": "Teleport"}], "unknown type, 'Teleport'"), ([{"type": "ReLU", "warp": 9}], "settings that do not fit")],
)
def test_unknown_architecture_is_refused(architecture: list[dict[str, object]], message: str) -> None:
    """What no layer understands is named."""
    with pytest.raises(ValueError, match=message):
        Network.from_architecture(architecture)


@pytest.mark.parametrize("hidden", [[16], ["5x5x4", "pool", "3x3x8", "avgpool", 16]], ids=str)
def test_batch_sizes_may_change(hidden: list[int | str]) -> None:
    """One image and a batch of them are read alike, whatever came before."""
    network = Network(feedforward(hidden))
    network.initialize(np.random.default_rng(10))
    images, _ = random_batch(9)
    together = network.predict(images)
    alone = np.concatenate([network.predict(images[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_lenet_is_what_its_words_say() -> None:
    """5 × 5 × 32, pool, 5 × 5 × 64, pool, 128, 10: every size from the textbook, and its number of parameters."""
    network = Network(feedforward(LENET))
    assert network.summary() == "28×28-5×5×32-pool-5×5×64-pool-128-10"
    shapes = {name: view.shape for name, view in network.named_parameters().items()}
    assert list(shapes.values()) == [(5, 5, 1, 32), (32,), (5, 5, 32, 64), (64,), (1024, 128), (128,), (128, 10), (10,)]
    assert network.plan.n_parameters == network.parameters.size == 832 + 51_264 + 131_200 + 1_290
    convolutions = 24 * 24 * 25 * 32 + 8 * 8 * 25 * 32 * 64
    assert network.plan.n_products == convolutions + 1024 * 128 + 128 * 10


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_may_follow_the_pool(activation: str) -> None:
    """Where it does, the network computes what the one with the textbook's order does."""
    layers = feedforward(("5x5x3", "pool", 4), activation, alpha=0.2)
    kinds = [type(layer).__name__ for layer in layers]
    network = Network(layers, dtype=np.float64)
    network.initialize(np.random.default_rng(11))
    images, _ = random_batch(3)
    place = kinds.index("MaxPool2d")
    swapped = activation != "gelu"
    assert isinstance(layers[place + 1 if swapped else place - 1], ACTIVATIONS[activation])
    layers[place : place + 2] = reversed(layers[place : place + 2]) if swapped else layers[place : place + 2]
    expected, parameters = network.predict(images), network.parameters
    textbook = Network(layers, dtype=np.float64)
    textbook.parameters[:] = parameters
    np.testing.assert_allclose(textbook.predict(images), expected, atol=1e-12)


def test_batch_norm_comes_before_each_activation() -> None:
    """After the linear part, whose output it centres."""
    kinds = [type(layer).__name__ for layer in feedforward(("3x3x2", 4), dropout=0.1, batch_norm=True, padding="same")]
    assert kinds == [
        "Rescale", "AddChannel", "Conv2d", "BatchNorm", "ReLU",
        "Flatten", "Linear", "BatchNorm", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip


def test_dropout_may_follow_a_pool() -> None:
    """Where the words say so, at the rate of the dense layers, each place with draws of its own; at 0, nowhere."""
    words = ("3x3x2", "pool", "dropout", "3x3x2", 4)
    layers = feedforward(words, dropout=0.1)
    kinds = [type(layer).__name__ for layer in layers]
    assert kinds == [
        "Rescale", "AddChannel", "Conv2d", "MaxPool2d", "ReLU", "Dropout", "Conv2d", "ReLU",
        "Flatten", "Linear", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip
    first, second = (layer for layer in layers if isinstance(layer, Dropout))
    assert first.rate == second.rate == 0.1
    assert first is not second
    assert "Dropout" not in [type(layer).__name__ for layer in feedforward(words)]


def test_padding_keeps_the_size() -> None:
    """With the word ``same``, only pools make images smaller."""
    network = Network(feedforward(("3x3x2", "5x5x3", "pool"), padding="same"))
    assert network.named_parameters()["8.weight"].shape == (14 * 14 * 3, 10)


@pytest.mark.parametrize(
    ("hidden", "settings", "message"),
    [
        ((64, "pool"), {}, "'pool' comes after a dense layer"),
        (("5x5",), {}, "'5x5' is no layer"),
        (("5x3x8",), {}, "'5x3x8' is no layer"),
        (("pool0",), {}, "'pool0' is no layer"),
        (("conv",), {}, r"'conv' is no layer; there are 128 \(units\)"),
        (("4x4x8",), {"padding": "same"}, "kernel of even size"),
        (("5x5x9999",), {}, "takes 1 to 4096 as its channels"),
        (("pool", "pool", "pool", "5x5x3"), {}, "does not fit into an image of 3 × 3"),
    ],
)
def test_words_that_are_no_network_are_refused(
    hidden: tuple[int | str, ...], settings: dict[str, Any], message: str
) -> None:
    """And the word is named, or what does not fit."""
    with pytest.raises(ValueError, match=message):
        Network(feedforward(hidden, **settings))


def test_weights_are_told_from_biases() -> None:
    """What penalties pull at are the numbers that multiply, of dense layers and of convolutions."""
    network = Network(feedforward(("5x5x3", 4), batch_norm=True))
    network.parameters[:] = 0
    for where in network.weights():
        network.parameters[where] = 1
    assert {name: (view == 1).all() for name, view in network.named_parameters().items() if view.any()} == {
        "2.weight": True, "6.weight": True, "9.weight": True,
    }  # fmt: skip


@pytest.mark.parametrize("optimizer", [SGD(0.9), RMSProp(), Adam(), AdamW()], ids=lambda one: type(one).__name__)
def test_no_optimizer_moves_what_batch_norm_observed(optimizer: Optimizer) -> None:
    """Its averages are those of what it saw, and not a bit more, after any number of steps."""
    network = Network(feedforward([6, 5], batch_norm=True))
    network.initialize(np.random.default_rng(12))
    loss, optimizer = CrossEntropy(), copy.deepcopy(optimizer)
    if isinstance(optimizer, AdamW):
        optimizer.decayed = network.weights()
    averages = [view for name, view in network.named_parameters().items() if name.endswith(("mean", "variance"))]
    for step in range(5):
        images, labels = random_batch(20, step)
        _, dlogits = loss(network.forward(images, training=True), labels)
        observed = [average.copy() for average in averages]
        network.backward(dlogits)
        optimizer.step(network.parameters, network.gradients, 0.01)
        for average, seen in zip(averages, observed, strict=True):
            np.testing.assert_array_equal(average, seen)
