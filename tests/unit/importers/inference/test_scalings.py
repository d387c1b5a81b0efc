from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.importers.inference.scalings import STRANGE, StoredScaler, common_scalings, input_layers, normalised
from digitpad.importers.open_file import infer_import
from digitpad.nn.network import Network
from tests.unit.importers.strangers import MEAN_OF_ALL, STD_OF_ALL, numbered, pixels, save_npz, train

GOOD = 0.8


@pytest.mark.parametrize(
    ("scaling", "beside"),
    [
        ("standardised", {"mean": MEAN_OF_ALL, "std": STD_OF_ALL}),
        ("standardised per pixel", {"X_mean": "each", "X_std": "each"}),
    ],
)
def test_stored_mean_and_deviation_are_used(scaling: str, beside: dict[str, Any], tmp_path: Path) -> None:
    """A mean and a standard deviation in the file are used to standardise pixels."""
    trained = train([784, 16, 10], "sigmoid", scaling)
    each = {"X_mean": pixels().mean(0), "X_std": pixels().std(0)}
    arrays = {name: each.get(name, value) for name, value in beside.items()}
    result = infer_import(save_npz(tmp_path / "a.npz", {**numbered(trained, "W{}", "b{}"), **arrays}))
    assert result.chosen.convention.scaling == scaling
    assert result.chosen.convention.activation == "sigmoid"
    assert result.chosen.accuracy > GOOD


@pytest.mark.parametrize(
    ("written", "name"),
    [("X / 255", "x/255"), ("raw", "0..255"), ("-1..1", "x/127.5 - 1"), ("standardized", "standardised")],
)
def test_scaling_names_may_vary(written: str, name: str) -> None:
    """A scaling is recognised by British or American spelling, with or without spaces, or by its range."""
    assert normalised(written) == name


@pytest.mark.parametrize("name", [name for name, _ in [*common_scalings([]), *STRANGE]])
def test_every_scaling_is_accepted_by_name(name: str) -> None:
    """Every scaling that the search tries is also accepted by name, and gives finite factors."""
    assert normalised(name) == name
    layers, factor, offset = input_layers(name, [], StoredScaler(np.full(784, 33.0), np.zeros(784)))
    assert layers
    assert np.isfinite(factor * np.ones(784)).all()
    assert np.isfinite(offset * np.ones(784)).all()


def test_columns_are_normalised_as_keras_does() -> None:
    """The scaling of `keras.utils.normalize(axis=1)` divides each column by its norm, and has two names."""
    assert normalised("normalize(axis=1)") == normalised("Unit columns") == "unit columns"
    layers, factor, offset = input_layers("unit columns", [], StoredScaler(np.zeros(784), np.ones(784)))
    network = Network(layers)
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, :2, 3] = 30, 40
    scaled = network.forward(image)
    np.testing.assert_allclose(scaled[0, :2, 3], [0.6, 0.8], rtol=1e-6)
    assert scaled.sum() == pytest.approx(1.4)
    assert (factor, offset) == (1.0, 0.0)
