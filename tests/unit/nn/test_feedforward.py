from typing import Any

import numpy as np
import pytest

from digitpad.nn.feedforward import ACTIVATIONS, feedforward
from digitpad.nn.layers import Dropout
from digitpad.nn.network import Network
from tests.unit.nn.batches import LENET, random_batch


def test_lenet_description_gives_the_expected_network() -> None:
    """The LeNet description gives the expected shapes, number of parameters and number of products."""
    network = Network(feedforward(LENET))
    assert network.summary() == "28×28-5×5×32-pool-5×5×64-pool-128-10"
    shapes = {name: view.shape for name, view in network.named_parameters().items()}
    assert list(shapes.values()) == [(5, 5, 1, 32), (32,), (5, 5, 32, 64), (64,), (1024, 128), (128,), (128, 10), (10,)]
    assert network.plan.n_parameters == network.parameters.size == 832 + 51_264 + 131_200 + 1_290
    convolutions = 24 * 24 * 25 * 32 + 8 * 8 * 25 * 32 * 64
    assert network.plan.n_products == convolutions + 1024 * 128 + 128 * 10


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_may_follow_the_pool(activation: str) -> None:
    """An activation after the pooling gives the same result as the usual order."""
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
    """Batch normalisation is between each linear or convolutional layer and its activation."""
    kinds = [type(layer).__name__ for layer in feedforward(("3x3x2", 4), dropout=0.1, batch_norm=True, padding="same")]
    assert kinds == [
        "Rescale", "AddChannel", "Conv2d", "BatchNorm", "ReLU",
        "Flatten", "Linear", "BatchNorm", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip


def test_dropout_may_follow_a_pool() -> None:
    """Each ``dropout`` word adds a separate layer with the rate of the dense layers; at rate 0 it adds none."""
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
    """With the padding ``same``, only pooling makes images smaller."""
    network = Network(feedforward(("3x3x2", "5x5x3", "pool"), padding="same"))
    assert network.named_parameters()["8.weight"].shape == (14 * 14 * 3, 10)


@pytest.mark.parametrize(
    ("hidden", "settings", "message"),
    [
        ((64, "pool"), {}, "'pool' cannot follow a dense layer"),
        ((64, "dropout"), {}, "'dropout' cannot follow a dense layer; set the dropout rate instead"),
        (("5x5",), {}, "unknown layer '5x5'"),
        (("5x3x8",), {}, "unknown layer '5x3x8'"),
        (("pool0",), {}, "unknown layer 'pool0'"),
        (("conv",), {}, r"unknown layer 'conv'; use 128 \(units\)"),
        (("4x4x8",), {"padding": "same"}, "even kernel size"),
        (("5x5x9999",), {}, "takes 1 to 4096 as its channels"),
        (("pool", "pool", "pool", "5x5x3"), {}, "does not fit into an image of 3 × 3"),
    ],
)
def test_invalid_descriptions_are_refused(
    hidden: tuple[int | str, ...], settings: dict[str, Any], message: str
) -> None:
    """An invalid description raises a ValueError that names the problem."""
    with pytest.raises(ValueError, match=message):
        Network(feedforward(hidden, **settings))
