import numpy as np
import pytest

from digitpad.importers.onnx.model_file import OnnxNode
from digitpad.importers.onnx.node_builders import BUILDERS
from digitpad.importers.onnx.tensor_flow import Flow
from digitpad.nn.layers import Conv2d

CHANNELS = 3


def convolution(*, channels_last: bool) -> Flow:
    """Return the flow after a convolution, in PyTorch's or TensorFlow's order of axes."""
    parameters = {"weight": np.zeros((5, 5, 1, CHANNELS)), "bias": np.zeros(CHANNELS)}
    flow = Flow.of_image((1, 28, 28)).after_images(Conv2d(CHANNELS, 5), parameters)
    return flow.moved(flow.places.transpose(1, 2, 0)) if channels_last else flow


@pytest.mark.parametrize("channels_last", [False, True])
def test_bias_of_a_convolution_in_a_node_of_its_own(channels_last: bool) -> None:
    """Keras 3 exports the bias as an addition after exchanging the axes."""
    bias = np.array([1.0, 2.0, 3.0])
    constant = bias if channels_last else bias.reshape(1, CHANNELS, 1, 1)
    flow = convolution(channels_last=channels_last)
    added = BUILDERS["Add"](flow, OnnxNode("Add", "/Add", ("x", "b"), ("y",), {}), [None, constant])
    assert len(added.steps) == len(flow.steps)
    np.testing.assert_array_equal(added.steps[-1].parameters["bias"], bias)
    np.testing.assert_array_equal(added.places, flow.places)


def test_scale_of_channels() -> None:
    """A factor for each channel becomes a normalisation."""
    flow = convolution(channels_last=True)
    scaled = BUILDERS["Mul"](flow, OnnxNode("Mul", "/Mul", ("x", "b"), ("y",), {}), [None, np.array([1.0, 2.0, 3.0])])
    np.testing.assert_array_equal(scaled.steps[-1].parameters["scale"], [1, 2, 3])


@pytest.mark.parametrize("shape", [(CHANNELS,), (24, 24), (1, CHANNELS, 24, 24), (7,)])
def test_constant_that_differs_between_pixels_is_refused(shape: tuple[int, ...]) -> None:
    """A constant with another shape than one number per channel is an error."""
    constant = np.arange(np.prod(shape), dtype=float).reshape(shape)
    node = OnnxNode("Add", "/Add", ("x", "b"), ("y",), {})
    with pytest.raises(ValueError, match="one number per channel"):
        BUILDERS["Add"](convolution(channels_last=False), node, [None, constant])
