import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.stated_activation import StatedActivation, stated_activation, stated_activations
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


def test_activations_may_differ_between_layers(deep: Trained, tmp_path: Path) -> None:
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
def test_class_names_decide_the_activation(cls: type, activation: str, tmp_path: Path) -> None:
    """If several activations are equally accurate, the class names in the pickle decide."""
    trained = train([784, 16, 10], activation)
    layers: list[Any] = [Dense(trained.weights[0], trained.biases[0]), cls()]
    layers.append(Dense(trained.weights[1], trained.biases[1]))
    result = infer_import(save_pickle(tmp_path / "a.pkl", Model(layers=layers)))
    assert result.chosen.convention.activation == activation


def test_every_activation_has_a_name() -> None:
    """Every activation layer has a name that is recognised in a file, except two that must be stated explicitly."""
    kinds = {kind for kind, cls in LAYERS.items() if cls.__module__ == activations.__name__}
    assert set(NAMES) == kinds - {"Clip", "Softplus"}
    for name in NAMES.values():
        assert stated_activations(TensorTree(Path("a.pkl"), "a pickle", words=[("", name)])) == [name]


def mlp_of_scikit_learn(t: Trained, activation: str) -> bytes:
    """Return a pickle of the class name and attributes of scikit-learn's MLPClassifier, without scikit-learn."""
    attributes = {"activation": activation, "coefs_": t.weights, "intercepts_": t.biases, "out_activation_": "softmax"}
    state = pickle.dumps(attributes, 2)[2:-1]
    return b"\x80\x02csklearn.neural_network._multilayer_perceptron\nMLPClassifier\n)\x81" + state + b"b."


@pytest.mark.parametrize(("stated", "activation"), [("relu", "relu"), ("logistic", "sigmoid"), ("identity", "none")])
def test_stated_activation_outranks_the_scores(stated: str, activation: str, deep: Trained, tmp_path: Path) -> None:
    """The stated activation is used, even if the network is more accurate with another one."""
    path = tmp_path / "a.pkl"
    path.write_bytes(mlp_of_scikit_learn(deep, stated))
    result = infer_import(path)
    assert result.chosen.convention.activation == result.stated_activation == activation


def test_implausible_statement_is_ignored(deep: Trained, tmp_path: Path) -> None:
    """A stated activation is ignored if the network recognises no digits with it."""
    tree = {**numbered(deep, "W{}", "b{}"), "W1": deep.weights[0] * 40, "activation": "sigmoid"}
    result = infer_import(save_pickle(tmp_path / "a.pkl", tree))
    assert (result.chosen.convention.activation, result.stated_activation) == ("relu", None)


@pytest.mark.parametrize(
    ("words", "n_hidden", "stated"),
    [
        ([("layers.0.activation", "relu"), ("layers.1.activation", "tanh"), ("layers.2.activation", "softmax")], 2,
         StatedActivation("relu, tanh", is_certain=False)),
        ([("layers.0.activation", "ReLU"), ("layers.1.activation", "relu"), ("layers.2.activation", "linear")], 2,
         StatedActivation("relu", is_certain=False)),
        ([("header", "784 128 10 sigmoid softmax")], 1, StatedActivation("sigmoid", is_certain=False)),
        ([("net.act", "torch.nn.modules.activation.ReLU")], 2, StatedActivation("relu", is_certain=False)),
        ([("net.out", "torch.nn.modules.activation.Sigmoid")], 2, None),
        ([("note", "trained with relu")], 1, None),
        ([("activation", "relu")], 0, None),
    ],
)  # fmt: skip
def test_statements_and_hints_differ(
    words: list[tuple[str, str]], n_hidden: int, stated: StatedActivation | None
) -> None:
    """Attributes, headers and class names of layers state an activation; other texts do not."""
    assert stated_activation(TensorTree(Path("a"), "a pickle", words=words), n_hidden) == stated
