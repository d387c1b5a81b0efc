from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.open_file import infer_import
from digitpad.importers.read_file import read_tensor_tree
from tests.unit.importers.strangers import Matrix, Trained, columns, listed, numbered, save_npz, save_pickle, turned


def octaves(t: Trained) -> list[Matrix]:
    """Return matrices for column-major images, with the bias in the first column and the tenth output for 0."""
    first = t.weights[0].reshape(28, 28, -1).swapaxes(0, 1).reshape(t.weights[0].shape)
    last = [*t.weights[1:-1], np.roll(t.weights[-1], -1, 1)]
    biases = [*t.biases[:-1], np.roll(t.biases[-1], -1)]
    return [np.vstack([b, w]).T for w, b in zip([first, *last], biases, strict=True)]


@pytest.mark.parametrize("form", ["matrices", "by rows", "by columns"])
def test_thetas_of_octave_are_opened(form: str, shallow: Trained, tmp_path: Path) -> None:
    """Octave's matrices for column-major images are opened, also flattened to one vector in either order."""
    thetas = octaves(shallow)
    if form == "matrices":
        path = save_npz(tmp_path / "a.npz", {"Theta1": thetas[0], "Theta2": thetas[1]})
    else:
        order: Any = {"by rows": "C", "by columns": "F"}[form]
        path = save_npz(tmp_path / "a.npz", {"nn_params": np.concatenate([theta.ravel(order) for theta in thetas])})
    result = infer_import(path)
    convention = result.chosen.convention
    assert (convention.activation, convention.transposed) == ("sigmoid", True)
    assert "1 to 9, then 0" in convention.detail
    best = infer_import(save_npz(tmp_path / "b.npz", numbered(shallow, "W{}", "b{}"))).chosen.accuracy
    assert result.chosen.accuracy == pytest.approx(best, abs=0.002)


def test_stacked_biases_are_split(shallow: Trained, tmp_path: Path) -> None:
    """Biases of the same size that NumPy stacked in one array are split."""
    arrays = {"weights": listed(turned(shallow)), "biases": np.array(columns(shallow))}
    result = infer_import(save_npz(tmp_path / "a.npz", arrays))
    assert result.chosen.structure.sizes == "784-10-10"
    assert result.chosen.convention.activation == "sigmoid"
    np.testing.assert_allclose(result.chosen.structure.denses[1].bias, shallow.biases[1])


@pytest.mark.parametrize("first", [0, 1])
def test_one_vector_per_neuron_is_a_matrix(first: int, deep: Trained, tmp_path: Path) -> None:
    """Objects for neurons, each with its weights and its bias, are stacked to layers."""
    tree = {
        f"layer{i}": {f"neuron{j + first}": {"weights": w[:, j], "bias": float(b[j])} for j in range(len(b))}
        for i, (w, b) in enumerate(zip(deep.weights, deep.biases, strict=True))
    }
    structure = find_structures(read_tensor_tree(save_pickle(tmp_path / "a.pkl", tree)), 10)[0]
    for dense, weight, bias in zip(structure.denses, deep.weights, deep.biases, strict=True):
        np.testing.assert_array_equal(dense.weight, weight)
        np.testing.assert_array_equal(dense.bias, bias)
