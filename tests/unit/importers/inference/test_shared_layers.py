"""Tests of sharing the outputs of convolutions between networks."""

import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.importers.inference import shared_layers
from digitpad.importers.inference.shared_layers import SharedLayers
from digitpad.nn.arrays import Floats
from digitpad.nn.layers import AddChannel, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU, Rescale, Tanh
from digitpad.nn.network import Network

IMAGES = mnist().validation.images[:10]


def network(*middle: Layer, factor: float = 1 / 255) -> Network:
    """Return a network with these layers after its second convolution; equal layers have equal parameters."""
    result = Network([Rescale(factor), AddChannel(), Conv2d(4), ReLU(), Conv2d(6), *middle, Flatten(), Linear(10)])
    result.parameters[:] = np.random.default_rng(1).normal(0, 0.1, len(result.parameters))
    return result


@pytest.mark.parametrize("limit", [2**20, 300_000, 0], ids=["all are kept", "some are forgotten", "none is kept"])
def test_shared_outputs_change_no_result(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Networks that share none, some or all of their layers have the outputs that they have alone."""
    monkeypatch.setattr(shared_layers, "_MIN_PRODUCTS", 1)
    monkeypatch.setattr(shared_layers, "_MAX_BYTES", limit)
    networks = [network(ReLU(), MaxPool2d()), network(Tanh()), network(ReLU()), network(ReLU(), factor=1 / 128)]
    networks[2].parameters[0] += 1
    shared = SharedLayers()
    for item in [*networks, *networks]:
        np.testing.assert_array_equal(shared.forward(item, IMAGES), item.forward(IMAGES))
    np.testing.assert_array_equal(shared.forward(networks[0], IMAGES[:3]), networks[0].forward(IMAGES[:3]))


def test_a_shared_convolution_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two networks with the same convolutions runs neither of them."""
    monkeypatch.setattr(shared_layers, "_MIN_PRODUCTS", 1)
    calls: list[Conv2d] = []
    forward = Conv2d.forward

    def counted(layer: Conv2d, x: Floats, training: bool) -> Floats:
        calls.append(layer)
        return forward(layer, x, training)

    monkeypatch.setattr(Conv2d, "forward", counted)
    shared = SharedLayers()
    for item in (network(ReLU()), network(Tanh(), MaxPool2d())):
        shared.forward(item, IMAGES)
    assert len(calls) == 2
