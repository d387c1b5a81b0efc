from pathlib import Path

import numpy as np
import pytest

from digitpad.errors import OutputsError
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.layout.stated_network import StatedNetwork, Step
from digitpad.nn.layers import Conv2d, Reshape


def with_output(channels: int) -> TensorTree:
    """Return a file that states one convolution over the whole image."""
    layer = Conv2d(channels, 28)
    parameters = {name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes((28, 28, 1)).items()}
    steps = Step(Reshape([28, 28, 1])), Step(layer, parameters)
    return TensorTree(Path("gap.onnx"), "an ONNX file", stated=[StatedNetwork(steps)])


def test_one_pixel_per_class_is_an_output() -> None:
    """An output of 1 × 1 × 10, which a file did not flatten, is one of 10 classes."""
    (structure,) = find_structures(with_output(10), 10)
    assert structure.stated is not None
    assert structure.stated.plan().output_shape == (10,)


def test_other_numbers_of_classes_are_named() -> None:
    """The error tells how many there are."""
    with pytest.raises(OutputsError, match="has 7 outputs"):
        find_structures(with_output(7), 10)
