from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.stated_activation import stated_activations
from digitpad.importers.open_file import infer_import
from digitpad.nn.layers import LAYERS, activations
from digitpad.weights.activation_names import NAMES
from tests.unit.importers.strangers import (
    Dense,
    LeakyReLU,
    Model,
    Sigmoid,
    Trained,
    numbered,
    pixels,
    save_npz,
    save_pickle,
    train,
)


def test_activations_that_differ_from_layer_to_layer(deep: Trained, tmp_path: Path) -> None:
    """ReLU followed by tanh is identified, although ReLU alone is almost as accurate."""
    shifted = Trained(deep.weights, [deep.biases[0], deep.biases[1] - 1, deep.biases[2]])
    hidden = [np.maximum(pixels(2000) / 255 @ shifted.weights[0] + shifted.biases[0], 0)]
    hidden.append(np.tanh(hidden[0] @ shifted.weights[1] + shifted.biases[1]))
    labels = np.eye(10)[mnist().training.labels[:2000]]
    inputs = np.column_stack([hidden[1], np.ones(2000)])
    last = np.linalg.lstsq(inputs, labels, rcond=None)[0]  # least-squares fit of the second layer's outputs
    mixed = Trained([*shifted.weights[:2], last[:-1]], [*shifted.biases[:2], last[-1]])
    result = infer_import(save_npz(tmp_path / "a.npz", numbered(mixed, "W{}", "b{}")))
    assert result.chosen.convention.activation == "relu, tanh"
    assert result.chosen.accuracy > 0.75


@pytest.mark.parametrize(("cls", "activation"), [(Sigmoid, "sigmoid"), (LeakyReLU, "leaky_relu")])
def test_the_name_of_a_class_tells_the_activation(cls: type, activation: str, tmp_path: Path) -> None:
    """If several activations are equally accurate, the class names in the pickle decide."""
    trained = train([784, 16, 10], activation)
    layers: list[Any] = [Dense(trained.weights[0], trained.biases[0]), cls()]
    layers.append(Dense(trained.weights[1], trained.biases[1]))
    result = infer_import(save_pickle(tmp_path / "a.pkl", Model(layers=layers)))
    assert result.chosen.convention.activation == activation


def test_every_activation_has_a_name() -> None:
    """Every activation layer has a name that is recognised in a file."""
    assert set(NAMES) == {kind for kind, cls in LAYERS.items() if cls.__module__ == activations.__name__}
    for name in NAMES.values():
        assert stated_activations(TensorTree(Path("a.pkl"), "a pickle", words=[("", name)])) == [name]
