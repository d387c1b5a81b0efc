"""Tests of networks with one file per matrix."""

from pathlib import Path

import numpy as np
import pytest

from digitpad.errors import WeightsError
from digitpad.importers.open_file import infer_import
from digitpad.importers.sibling_files import network_of
from tests.unit.importers.strangers import Trained, train


@pytest.mark.parametrize(
    ("stem", "network"),
    [
        ("saved_wih", ("saved",)),
        ("weights_wih", ()),
        ("W1", ()),
        ("b2", ()),
        ("model1_w2", ("model", "1")),
        ("layer_1_weights", ()),
        ("weightsHiddenOutput", ()),
        ("net2", ("net",)),
        ("w1_letters", ("letters",)),
    ],
)
def test_network_name_is_part_of_the_file_name(stem: str, network: tuple[str, ...]) -> None:
    """The name of the network is the file name without the words for the layer."""
    assert network_of(stem) == network


@pytest.fixture(scope="module")
def two_networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a trained network and an untrained one of other shapes to a folder, one file per matrix."""
    folder = tmp_path_factory.mktemp("two")
    rng = np.random.default_rng(5)
    small = train([784, 20, 10], "sigmoid")
    for name, array in {"wih": small.weights[0].T, "who": small.weights[1].T}.items():
        np.savetxt(folder / f"saved_{name}.txt", array)
    for name, shape in {"wih": (20, 784), "whh": (20, 20), "who": (26, 20)}.items():
        np.savetxt(folder / f"weights_{name}.txt", rng.normal(0, 0.1, shape))
    return folder


@pytest.mark.parametrize("name", ["wih", "who"])
def test_only_files_of_the_same_network_are_combined(two_networks: Path, name: str) -> None:
    """Files of another network in the folder are not used."""
    result = infer_import(two_networks / f"saved_{name}.txt")
    assert result.chosen.structure.sizes == "784-20-10"
    assert result.chosen.accuracy > 0.75


def test_the_named_file_is_part_of_the_network(shallow: Trained, tmp_path: Path) -> None:
    """A file whose arrays do not belong to the network of the files beside it is refused."""
    for i, weight in enumerate(shallow.weights):
        np.savetxt(tmp_path / f"W{i}.txt", weight)
    np.savetxt(tmp_path / "bias_of_something.txt", np.linspace(0, 1, 7))
    np.savetxt(tmp_path / "hidden.txt", np.random.default_rng(1).normal(size=(33, 7)))
    with pytest.raises(WeightsError, match="no matrix for the 784 pixels"):
        infer_import(tmp_path / "hidden.txt")
