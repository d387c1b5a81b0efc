import numpy as np
import pytest

from digitpad.inspection.trace import Tracer
from digitpad.nn import layers
from digitpad.nn.layers import Conv2d, Linear
from tests.unit.inspection.networks import LAYERS, image, weights


def test_every_layer_type_is_tested() -> None:
    """The tested networks contain every layer type, including any new one."""
    tested = (layer for create in LAYERS.values() for layer in create())
    assert {type(layer).__name__ for layer in tested} == set(layers.LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_trace_ends_in_the_network_s_outputs(name: str) -> None:
    """A trace ends in the network's own outputs, stays valid after another trace, and has the blocks' shapes."""
    tracer = Tracer(weights(name))
    pixels = image()
    trace = tracer.trace(pixels)
    expected = tracer.network.forward(pixels[None])[0].copy()
    tracer.trace(image(5))
    np.testing.assert_array_equal(trace.logits, expected)
    np.testing.assert_array_equal(trace.probabilities, tracer.network.predict(pixels[None])[0])
    for block in tracer.blocks:
        assert trace.of(block).shape == block.shape
    assert len(tracer.blocks) == 1 + sum(isinstance(layer, Linear | Conv2d) for layer in tracer.network.layers)


def test_block_names() -> None:
    """Blocks are named Input and Output, with convolutions and dense layers numbered separately."""
    names = [block.name for block in Tracer(weights("convolutional")).blocks]
    assert names == ["Input", "Convolution 1", "Convolution 2", "Dense 1", "Output"]


def test_feature_maps_equal_a_direct_convolution() -> None:
    """Each element of a feature map is the sum over its window, in row and column order."""
    tracer = Tracer(weights("padded"))
    pixels = image()
    maps = tracer.trace(pixels).outputs[2]
    kernel, bias = (tracer.network.layers[2].parameters[name] for name in ("weight", "bias"))
    padded = np.pad(pixels / 255, 1)
    for channel, row, column in ((0, 0, 0), (1, 3, 20), (2, 27, 27)):
        expected = (padded[row : row + 3, column : column + 3] * kernel[:, :, 0, channel]).sum() + bias[channel]
        np.testing.assert_allclose(maps[channel, row, column], expected, rtol=1e-5)


def test_input_block_is_the_image() -> None:
    """The input block shows the pixels scaled to 0..1, in one channel."""
    tracer = Tracer(weights("dense"))
    pixels = image()
    np.testing.assert_allclose(tracer.trace(pixels).of(tracer.blocks[0]), pixels[None] / 255, rtol=1e-6)


def test_overflow_gives_equal_probabilities() -> None:
    """Weights that overflow give equal probabilities."""
    wild = weights("dense")
    wild.parameters[:] = 3e38
    np.testing.assert_allclose(Tracer(wild).trace(image()).probabilities, 0.1, rtol=1e-6)
