from pathlib import Path

import numpy as np
import pytest

from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.layout.tensor_names import named_arrays, words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("conv2d_1/kernel:0", ["conv", "1", "kernel", "0"]),
        ("batchNorm2d.weight", ["batch", "norm", "weight"]),
        ("max_pooling2d", ["max", "pooling"]),
        ("Conv2D", ["conv"]),
        ("d2", ["d", "2"]),
    ],
)
def test_dimensions_are_no_words(name: str, words: list[str]) -> None:
    """The d of conv2d is not taken for a gradient."""
    assert words_of(name) == words
    assert named_arrays({name: np.zeros(3)})[0].is_noise == (name == "d2")


def test_named_convolutions_are_used() -> None:
    """LeNet-5 of Keras without a configuration is convolutional, although its matrices alone fit 20 × 20 pixels."""
    shapes = {
        "conv2d/kernel": (5, 5, 1, 6),
        "conv2d/bias": (6,),
        "conv2d_1/kernel": (5, 5, 6, 16),
        "conv2d_1/bias": (16,),
        "dense/kernel": (400, 120),
        "dense/bias": (120,),
        "dense_1/kernel": (120, 84),
        "dense_1/bias": (84,),
        "dense_2/kernel": (84, 10),
        "dense_2/bias": (10,),
    }
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    structures = find_structures(TensorTree(Path("lenet.h5"), "Keras weights", arrays=arrays), 10)
    assert [len(structure.convs) for structure in structures[:3]] == [2, 2, 2]
    assert "padding 2 pool 2, pool 2" in structures[0].detail
