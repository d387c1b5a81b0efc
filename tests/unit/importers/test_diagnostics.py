from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.errors import WeightsError
from digitpad.importers.open_file import open_weights
from tests.unit.importers.strangers import Trained, numbered, pairs, save_npy_each, save_pickle


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"W1": np.ones((64, 784)), "b1": np.ones(64), "W2": np.ones((26, 64))},
            r"26 outputs \(W2 .*10 are needed, .* or class names",
        ),
        ({"W1": np.ones((128, 784)), "b1": np.ones(128)}, "not complete: W1 .* gives 128 numbers, and no matrix"),
        ({"W2": np.ones((32, 16)), "W3": np.ones((16, 10))}, "no matrix for the 784 pixels"),
        ({"Theta1": np.ones((25, 1025)), "Theta2": np.ones((10, 26))}, "images of 32 × 32 pixels"),
        ({"labels": np.arange(6000) % 10}, "6,000 whole numbers, as labels are"),
        ({"image": np.zeros((28, 28), np.uint8)}, "holds a picture"),
        (
            {"x_train": np.zeros((6000, 28, 28), np.uint8), "y_train": np.zeros(6000)},
            "is a data set .*not weights; data to train on comes as",
        ),
        (
            {"x_train": np.zeros((60000, 28, 28), np.float32)},
            r"is a data set \(x_train.*not weights; it can be trained",
        ),
        ({"arr_0": np.zeros((60000, 28, 28), np.uint8)}, r"is a data set \(arr_0 .*not weights; data to train on"),
        ({"arr_0": np.zeros((500, 784)), "arr_1": np.arange(500) % 10}, r"is a data set \(arr_0 .*not weights"),
        ({"W1": np.full((784, 10), np.nan)}, "not finite"),
        ({"name": np.array(["text"])}, "without arrays"),
        (
            {"k": np.ones((2000, 1, 3, 3)), "W": np.ones((2000, 16)), "V": np.ones((16, 10))},
            "computes more than 1,000,000 numbers for an image",
        ),
    ],
    ids=[
        "letters",
        "incomplete",
        "no first layer",
        "32 × 32",
        "labels",
        "picture",
        "data",
        "large data",
        "nameless data",
        "a little data",
        "NaN",
        "texts",
        "too much",
    ],
)
def test_what_is_no_network_is_refused_kindly(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    """The error says what was found, and what would fit."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, **arrays)
    with pytest.raises(WeightsError, match=message):
        open_weights(path)


def test_labels_beside_weights_are_not_taken_for_them(deep: Trained, tmp_path: Path) -> None:
    """A file that is dropped must be part of the network that is opened."""
    folder = save_npy_each(tmp_path / "each", {**numbered(deep, "W{}", "b{}"), "y_train": np.arange(500) % 10})
    with pytest.raises(WeightsError, match="as labels are"):
        open_weights(folder / "y_train.npy")


class RandomForestClassifier:
    """As in scikit-learn, for its name."""


def test_a_forest_is_named(deep: Trained, tmp_path: Path) -> None:
    """A classifier without layers is refused by its own name, whatever lies beside it."""
    save_pickle(tmp_path / "network.pkl", pairs(deep))
    with pytest.raises(WeightsError, match="is a RandomForestClassifier, which has no layers"):
        open_weights(save_pickle(tmp_path / "a.pkl", RandomForestClassifier()))
