import copy
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from digitpad.nn.arrays import Floats
from digitpad.nn.feedforward import ACTIVATIONS, feedforward
from digitpad.nn.layers import LAYERS, BatchNorm, Dropout, Flatten, Linear, Rescale
from digitpad.nn.losses import CrossEntropy
from digitpad.nn.network import Network
from digitpad.nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSProp
from tests.unit.nn.batches import LENET, random_batch
from tests.unit.nn.gradients import numerical_gradient


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "settings", [{"dropout": 0.3}, {"batch_norm": True}, {"dropout": 0.3, "batch_norm": True}], ids=str
)
def test_gradients_in_training(activation: str, settings: dict[str, Any]) -> None:
    """Training gradients are correct, so no layer overwrites what the previous layer needs."""
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
    sample = slice(network.parameters.size - 120, network.parameters.size)
    np.testing.assert_allclose(
        gradients[sample], numerical_gradient(lambda: losses()[0], network.parameters[sample]), atol=1e-7
    )


@pytest.mark.parametrize("first", ["Sigmoid", "Tanh", "LeakyReLU", "GELU", "ReLU"])
@pytest.mark.parametrize("second", ["Sigmoid", "Tanh", "LeakyReLU", "GELU", "ReLU"])
def test_gradients_through_two_activations_in_a_row(first: str, second: str) -> None:
    """Two consecutive activations, as an imported file may have them, have correct gradients."""
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
    """The gradient of each parameter equals the numerical gradient."""
    network = Network(feedforward(hidden, activation), dtype=np.float64)
    network.initialize(np.random.default_rng(5))
    images, labels = random_batch(3)
    loss = CrossEntropy()
    _, dlogits = loss(network.forward(images, training=True), labels)
    network.backward(dlogits)
    sample = np.r_[0:40, network.parameters.size - 80 : network.parameters.size]
    measured = numerical_gradient(lambda: loss(network.forward(images), labels)[0], network.parameters)
    np.testing.assert_allclose(network.gradients[sample], measured[sample], atol=1e-7)


@pytest.mark.parametrize(
    ("hidden", "settings"),
    [
        ((4, 3), {"activation": "tanh", "dropout": 0.5}),
        (("9x9x2", "pool4", "3x3x2", "avgpool", 4), {"activation": "gelu", "batch_norm": True, "padding": "same"}),
    ],
    ids=str,
)
def test_gradients_reach_the_pixels(hidden: tuple[int | str, ...], settings: dict[str, Any]) -> None:
    """The gradient of each pixel is correct, and the gradients of parameters do not change."""
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
    """A network can memorise twenty samples."""
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
    """Randomness comes only from the given generator."""
    first, second = Network(feedforward([8])), Network(feedforward([8]))
    first.initialize(np.random.default_rng(7))
    second.initialize(np.random.default_rng(7))
    np.testing.assert_array_equal(first.parameters, second.parameters)


@pytest.mark.parametrize(
    "optimizer", [SGD(momentum=0.9), Adam(), AdamW(), RMSProp()], ids=lambda optimizer: type(optimizer).__name__
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
    """Later steps reuse memory: the smallest array of a batch would take 64 KB, with NumPy's buffers kept small."""
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
    """Writing to the parameter vector changes the parameters of the layers."""
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
    """A network that is rebuilt from its architecture computes the same outputs."""
    network = Network(feedforward([8, 6], "leaky_relu"))
    network.initialize(np.random.default_rng(9))
    twin = Network.from_architecture(network.architecture())
    twin.parameters[:] = network.parameters
    images, _ = random_batch(4)
    np.testing.assert_array_equal(twin.predict(images), network.predict(images))
    assert twin.summary() == "784-8-6-10"


@pytest.mark.parametrize(
    ("architecture", "message"),
    [([{"type": "Teleport"}], "unknown type 'Teleport'"), ([{"type": "ReLU", "warp": 9}], "has invalid settings")],
)
def test_unknown_architecture_is_refused(architecture: list[dict[str, object]], message: str) -> None:
    """An unknown type or setting raises a ValueError that names it."""
    with pytest.raises(ValueError, match=message):
        Network.from_architecture(architecture)


@pytest.mark.parametrize("hidden", [[16], ["5x5x4", "pool", "3x3x8", "avgpool", 16]], ids=str)
def test_batch_sizes_may_change(hidden: list[int | str]) -> None:
    """Predictions do not depend on the batch size or on earlier batches."""
    network = Network(feedforward(hidden))
    network.initialize(np.random.default_rng(10))
    images, _ = random_batch(9)
    together = network.predict(images)
    alone = np.concatenate([network.predict(images[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_weights_exclude_biases() -> None:
    """`weights` contains the weights of dense and convolutional layers, but no biases or normalisation parameters."""
    network = Network(feedforward(("5x5x3", 4), batch_norm=True))
    network.parameters[:] = 0
    for where in network.weights():
        network.parameters[where] = 1
    assert {name: (view == 1).all() for name, view in network.named_parameters().items() if view.any()} == {
        "2.weight": True, "6.weight": True, "9.weight": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    "optimizer", [SGD(0.9), RMSProp(), Adam(), AdamW()], ids=lambda optimizer: type(optimizer).__name__
)
def test_optimizers_do_not_change_running_averages(optimizer: Optimizer) -> None:
    """Optimizer steps never change the running averages of batch normalisation."""
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
        for average, expected in zip(averages, observed, strict=True):
            np.testing.assert_array_equal(average, expected)


@pytest.mark.parametrize("hidden", [(16, 8), ("3x3x4", "pool", "5x5x6", 12)])
def test_folded_network_has_the_same_outputs(hidden: tuple[int | str, ...]) -> None:
    """Normalisation can be part of the layer before it: the outputs are those of the network, outside training."""
    network = Network(feedforward(hidden, batch_norm=True))
    rng = np.random.default_rng(5)
    network.initialize(rng)
    network.parameters += rng.uniform(0, 0.3, network.parameters.shape).astype(np.float32)
    images, _ = random_batch(6)
    folded = network.folded()
    assert not folded.is_normalized
    assert network.is_normalized
    expected = network.forward(images).copy()
    np.testing.assert_allclose(folded.forward(images), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    network.parameters.fill(0)  # the copy is independent
    assert folded.forward(images).any()


def test_folding_keeps_networks_without_normalisation() -> None:
    """Without normalisation, and with normalisation of the pixels, nothing can be folded."""
    for layers in (feedforward((16,)), [Rescale(), Flatten(), BatchNorm(), Linear(10)]):
        network = Network(layers)
        network.initialize(np.random.default_rng(6))
        images, _ = random_batch(4)
        assert [type(layer) for layer in network.folded().layers] == [type(layer) for layer in network.layers]
        assert network.folded().forward(images).tobytes() == network.forward(images).tobytes()
