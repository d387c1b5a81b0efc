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
            r"26 outputs \(W2 .*expected 10, .* or class names",
        ),
        ({"W1": np.ones((128, 784)), "b1": np.ones(128)}, "not complete: W1 .* has 128 outputs, but no matrix"),
        ({"W2": np.ones((32, 16)), "W3": np.ones((16, 10))}, "no matrix for the 784 pixels"),
        ({"Theta1": np.ones((25, 1025)), "Theta2": np.ones((10, 26))}, "images of 32 × 32 pixels"),
        ({"labels": np.arange(6000) % 10}, "6,000 whole numbers, which are probably labels"),
        ({"image": np.zeros((28, 28), np.uint8)}, "holds an image"),
        (
            {"x_train": np.zeros((6000, 28, 28), np.uint8), "y_train": np.zeros(6000)},
            "is a dataset .*not weights; datasets must be",
        ),
        (
            {"x_train": np.zeros((60000, 28, 28), np.float32)},
            r"is a dataset \(x_train.*not weights; use it to train",
        ),
        ({"arr_0": np.zeros((60000, 28, 28), np.uint8)}, r"is a dataset \(arr_0 .*not weights; datasets must be"),
        ({"arr_0": np.zeros((500, 784)), "arr_1": np.arange(500) % 10}, r"is a dataset \(arr_0 .*not weights"),
        ({"W1": np.full((784, 10), np.nan)}, "not finite"),
        ({"name": np.array(["text"])}, "without arrays"),
        (
            {"k": np.ones((2000, 1, 3, 3)), "W": np.ones((2000, 16)), "V": np.ones((16, 10))},
            "computes more than 1,000,000 numbers per image",
        ),
    ],
    ids=[
        "letters",
        "incomplete",
        "no first layer",
        "32 × 32",
        "labels",
        "image",
        "dataset",
        "large dataset",
        "dataset without names",
        "small dataset",
        "NaN",
        "texts",
        "too much",
    ],
)
def test_error_says_what_the_file_contains(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    """The error says what the file contains, and what would be accepted."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, **arrays)
    with pytest.raises(WeightsError, match=message):
        open_weights(path)


def test_labels_beside_weights_are_refused(deep: Trained, tmp_path: Path) -> None:
    """A file of labels raises an error, even if weights lie beside it."""
    folder = save_npy_each(tmp_path / "each", {**numbered(deep, "W{}", "b{}"), "y_train": np.arange(500) % 10})
    with pytest.raises(WeightsError, match="which are probably labels"):
        open_weights(folder / "y_train.npy")


class RandomForestClassifier:
    """Class with the name of a scikit-learn classifier."""


def test_a_forest_is_named(deep: Trained, tmp_path: Path) -> None:
    """The error for a classifier without layers names its class, even if a network lies beside it."""
    save_pickle(tmp_path / "network.pkl", pairs(deep))
    with pytest.raises(WeightsError, match="is a RandomForestClassifier, which has no layers"):
        open_weights(save_pickle(tmp_path / "a.pkl", RandomForestClassifier()))
