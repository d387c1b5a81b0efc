"""Tests of geometries of convolutions: paddings, strides and pools."""

import numpy as np
import pytest

from digitpad.importers.layout.geometry import geometries, modules_between
from digitpad.importers.layout.tensor_names import named_arrays


@pytest.mark.parametrize(
    ("first", "bias", "second", "expected"),
    [
        ("net.0.weight", "net.0.bias", "net.3.weight", 2),  # such as ReLU and MaxPool2d
        ("net.0.weight", "net.0.bias", "net.2.weight", 1),
        ("net.0.weight", "net.1.bias", "net.3.weight", 1),  # 1 is a normalisation
        ("arr_0", "arr_1", "arr_2", None),
        ("conv1.weight", "conv1.bias", "conv2.weight", None),
    ],
)
def test_layers_without_parameters_are_counted(first: str, bias: str, second: str, expected: int | None) -> None:
    """Only the numbers of PyTorch's `Sequential` tell how many layers are between two convolutions."""
    kernel = np.ones((4, 4, 3, 3))
    found = {item.name: item for item in named_arrays({first: kernel, bias: np.ones(4), second: kernel})}
    assert modules_between(found[first], found[second], [found[bias]]) == expected


def test_a_repeated_stride_is_no_less_common_than_one() -> None:
    """Of three strided convolutions, only the first makes a geometry less common."""
    costs = {str(item): item.cost for item in geometries((3, 3, 3), (None, None, None), torch=True)}
    step = "padding 1 stride 2"
    assert costs[f"{step}, {step}, {step}"] == pytest.approx(costs[f"{step}, padding 1 pool 2, padding 1 pool 2"])
