"""Tests of files with arrays of plausible shapes that are not networks."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.errors import WeightsError
from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.layout.tensor_names import named_arrays
from digitpad.importers.open_file import open_weights
from digitpad.importers.read_file import read_tensor_tree
from tests.unit.importers.strangers import Trained, numbered, save_npz, save_pickle

_SHAPES = [(64, 784), (64,), (10, 64), (10,)]


def random(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)


def images(n: int) -> Any:
    return mnist().training.images[:n].reshape(n, 784)


def table_of_data(folder: Path) -> Path:
    np.savetxt(folder / "data.csv", np.c_[mnist().training.labels[:10], images(10)], "%d", ",")
    return folder / "data.csv"


def optimizer(folder: Path) -> Path:
    state = {i: {"exp_avg": random(s), "exp_avg_sq": random(s) ** 2} for i, s in enumerate(_SHAPES)}
    return save_pickle(folder / "a.pkl", {"state": state, "param_groups": [{"lr": 0.01, "params": [0, 1, 2, 3]}]})


def adam(folder: Path) -> Path:
    """Write the state of Adam, whose second moments are 0 for pixels that are always black."""
    moments = random((64, 784)) ** 2 * (np.arange(784) > 300)
    state = {i: {"step": np.ones(()), "exp_avg": random((64, 784)), "exp_avg_sq": moments} for i in range(2)}
    return save_pickle(folder / "a.pkl", {"state": state, "param_groups": [{"lr": 0.01, "params": [0, 1]}]})


def means() -> Any:
    digits = mnist().training
    return np.stack([digits.images[digits.labels == digit].mean(0).ravel() / 255 for digit in range(10)])


def naive_bayes(folder: Path) -> Path:
    """Write a pickle of scikit-learn's class name and attributes, without scikit-learn."""
    content = b"csklearn.naive_bayes\nGaussianNB\n)\x81}(X\x06\0\0\0theta_" + pickle.dumps(random((10, 784)), 2)[2:-1]
    (folder / "a.pkl").write_bytes(b"\x80\x02" + content + b"X\x04\0\0\0var_" + b"Nub.")
    return folder / "a.pkl"


FILES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a table of data": (table_of_data, "is a dataset"),
    "standardised data": (
        lambda p: save_npz(p / "a.npz", {"a": (images(10) / 255 - 0.1307) / 0.3081}),
        "is a dataset",
    ),
    "an optimizer's state": (optimizer, "is an optimizer's state"),
    "Adam's state": (adam, "is an optimizer's state"),
    "gradients": (
        lambda p: save_npz(p / "a.npz", {"dW1": random((784, 32)), "db1": random((32,)), "dW2": random((32, 10))}),
        "holds gradients",
    ),
    "naive Bayes": (naive_bayes, "is a GaussianNB, which has no layers"),
    "class means": (lambda p: save_npz(p / "a.npz", {"class_means": random((10, 784))}), "holds class means"),
    "cluster centres": (lambda p: save_npz(p / "a.npz", {"centroids": random((10, 784))}), "holds class means"),
    "means of images": (lambda p: save_npz(p / "a.npz", {"means": means()}), "holds class means"),
    "means without a name": (lambda p: save_npz(p / "a.npz", {"a": means()}), "holds class means"),
    "principal components": (
        lambda p: save_npz(p / "a.npz", {"components": random((10, 784))}),
        "holds principal comp",
    ),
    "embeddings": (lambda p: save_npz(p / "a.npz", {"embeddings": random((784, 10))}), "holds embeddings"),
    "activations": (
        lambda p: save_npz(p / "a.npz", {"h": np.maximum(random((784, 10)), 0)}),
        "holds only numbers of 0",
    ),
    "one-hot labels": (lambda p: save_npz(p / "a.npz", {"y": np.eye(10)[np.arange(784) % 10]}), "one-hot labels"),
    "Git LFS pointer": (
        lambda p: _written(p / "model.h5", b"version https://git-lfs.example/spec/v1\noid sha256:4d7a\nsize 9\n"),
        "Git LFS pointer",
    ),
    "web page": (lambda p: _written(p / "model.h5", b"<!DOCTYPE html>\n<html>404</html>"), "web page"),
    "TensorFlow Lite": (lambda p: _written(p / "a.tflite", b"\x1c\0\0\0TFL3" + bytes(100)), "TensorFlow Lite"),
}


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", FILES)
def test_error_names_the_kind_of_other_files(name: str, tmp_path: Path) -> None:
    """The error says what the file contains."""
    make, message = FILES[name]
    with pytest.raises(WeightsError, match=message):
        open_weights(make(tmp_path))


def test_optimizer_state_of_a_checkpoint_is_ignored(deep: Trained, tmp_path: Path) -> None:
    """In a checkpoint with weights and optimizer moments, the weights are used."""
    parameters = numbered(deep, "layers.{}.weight", "layers.{}.bias", out_in=True)
    moments = {i: {"momentum_buffer": array * 0.01} for i, array in enumerate(parameters.values())}
    tree = {"optimizer": {"state": moments, "param_groups": [{"lr": 0.1}]}, "model": parameters}
    structure = find_structures(read_tensor_tree(save_pickle(tmp_path / "a.pkl", tree)), 10)[0]
    np.testing.assert_array_equal(structure.denses[0].weight, deep.weights[0])


@pytest.mark.parametrize("name", ["per_class", "counts", "classes", "threshold"])
def test_vector_is_a_bias_only_by_name_or_position(name: str, deep: Trained, tmp_path: Path) -> None:
    """A vector with the size of a layer is used as a bias only if its name or position indicates that."""
    arrays = {f"W{i}": weight for i, weight in enumerate(deep.weights)} | {"n": np.ones(3), name: np.linspace(1, 2, 10)}
    structure = find_structures(read_tensor_tree(save_npz(tmp_path / "a.npz", arrays)), 10)[0]
    assert not structure.has_biases


def test_the_last_outputs_of_layers_are_not_weights() -> None:
    """A pickled layer keeps its last batch of outputs, which also has the layer's number of units."""
    arrays = {"layers.0.weights": np.ones((784, 10)), "layers.0.output": np.ones((64, 10)), "output": np.ones((10, 10))}
    assert [item.is_noise for item in named_arrays(arrays)] == [False, True, False]
