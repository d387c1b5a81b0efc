from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.errors import RecipeError, WeightsError
from digitpad.importers.open_file import convention_of, infer_import, open_weights
from digitpad.weights.native_format import SHIPPED, Weights
from tests.unit.importers.strangers import (
    Dense,
    Model,
    Trained,
    columns,
    folded,
    listed,
    numbered,
    pairs,
    save_json,
    save_npy_each,
    save_npz,
    save_pickle,
    save_safetensors,
    save_tables,
    train,
    turned,
)

GOOD = 0.8


def with_moments(t: Trained) -> dict[str, Any]:
    parameters = numbered(t, "W{}", "b{}", out_in=True, column=True)
    moments = {f"{kind}{name}": array * 0.01 for name, array in parameters.items() for kind in ("d", "m", "v", "sd")}
    return {**moments, **parameters, "layer_sizes": np.array([784, 24, 24, 10]), "costs": np.linspace(2, 1, 24)}


def nnfs_like(t: Trained) -> Model:
    """Return layers that store their last inputs and outputs and the optimizer's moments, as in NNFS."""
    rng = np.random.default_rng(1)
    layers = [
        Dense(
            w,
            b[None],
            inputs=rng.normal(size=(32, len(w))),
            output=rng.normal(size=(32, len(b))),
            dweights=w * 0,
            weight_momentums=w * 0.1,
            weight_cache=w * 2,
        )
        for w, b in zip(t.weights, t.biases, strict=True)
    ]
    return Model(layers=layers, X=rng.normal(size=(100, 784)), y=np.zeros((100, 10)))


FILES: dict[str, Callable[[Path, Trained], Path]] = {
    "W1, b1": lambda p, t: save_npz(p / "a.npz", numbered(t, "W{}", "b{}")),
    "(out, in) with columns": lambda p, t: save_npz(p / "a.npz", numbered(t, "w{}", "b{}", out_in=True, column=True)),
    "numbered among all layers": lambda p, t: save_npz(p / "a.npz", numbered(t, "W{}", "b{}", 0, 2)),
    "W_0": lambda p, t: save_npz(p / "a.npz", numbered(t, "W_{}", "b_{}", 0)),
    "weights_0": lambda p, t: save_npz(p / "a.npz", numbered(t, "weights_{}", "biases_{}", 0, out_in=True)),
    "weights1": lambda p, t: save_npz(p / "a.npz", numbered(t, "weights1{}", "biases1{}")),
    "fc1.weight": lambda p, t: save_npz(p / "a.npz", numbered(t, "fc{}.weight", "fc{}.bias", out_in=True)),
    "dense1_weights": lambda p, t: save_npz(p / "a.npz", numbered(t, "dense{}_weights", "dense{}_biases")),
    "words": lambda p, t: save_npz(
        p / "a.npz",
        {
            "bias_output": t.biases[2],
            "bias_hidden1": t.biases[0],
            "bias_hidden2": t.biases[1],
            "weights_hidden_output": t.weights[2],
            "weights_hidden_hidden": t.weights[1],
            "weights_input_hidden": t.weights[0],
        },
    ),
    "arr_0, pairs": lambda p, t: save_npz(p / "a.npz", {f"arr_{i}": a for i, a in enumerate(pairs(t))}),
    "arr_0, weights first": lambda p, t: save_npz(
        p / "a.npz", {f"arr_{i}": a for i, a in enumerate([*turned(t), *columns(t)])}
    ),
    "Theta": lambda p, t: save_npz(p / "a.npz", {f"Theta{i}": a.T for i, a in enumerate(folded(t), 1)}),
    "bias in a last row": lambda p, t: save_npz(p / "a.npz", {f"W{i}": a for i, a in enumerate(folded(t, last=True))}),
    "lists in an npz": lambda p, t: save_npz(p / "a.npz", {"weights": listed(turned(t)), "biases": listed(columns(t))}),
    "moments and costs": lambda p, t: save_npz(p / "a.npz", with_moments(t)),
    "a tuple": lambda p, t: save_pickle(p / "a.pkl", tuple(pairs(t)), 3),
    "a list of lists": lambda p, t: save_pickle(p / "a.pkl", [turned(t), columns(t)]),
    "nested pairs": lambda p, t: save_pickle(
        p / "a.pkl", [[w, b[None]] for w, b in zip(t.weights, t.biases, strict=True)], 5
    ),
    "a dict, protocol 0": lambda p, t: save_pickle(p / "a.pkl", numbered(t, "W{}", "b{}"), 0),
    "an object": lambda p, t: save_pickle(p / "a.sav", nnfs_like(t)),
    "plain lists": lambda p, t: save_pickle(p / "a.pkl", {"w": [w.tolist() for w in t.weights], "b": t.biases}),
    "float32": lambda p, t: save_pickle(p / "a.pkl", [a.astype(np.float32) for a in pairs(t)]),
    "JSON as Nielsen's": lambda p, t: save_json(
        p / "a.json",
        {
            "sizes": [784, 24, 24, 10],
            "weights": [w.tolist() for w in turned(t)],
            "biases": [b.tolist() for b in columns(t)],
            "cost": "CrossEntropyCost",
        },
    ),
    "JSON by layers": lambda p, t: save_json(
        p / "a.json",
        {"layers": [{"w": w.tolist(), "b": b.tolist()} for w, b in zip(t.weights, t.biases, strict=True)]},
    ),
    "JSON, flattened": lambda p, t: save_json(
        p / "a.json", {k: a.ravel().tolist() for k, a in numbered(t, "w{}", "b{}", out_in=True).items()}
    ),
    "tables": lambda p, t: save_tables(p / "tables", numbered(t, "W{}", "b{}", out_in=True, column=True)),
    "tables with blanks": lambda p, t: save_tables(p / "tables", numbered(t, "W{}", "b{}"), " "),
    "one npy each": lambda p, t: save_npy_each(p / "each", numbered(t, "W{}", "b{}")),
    "one npy of many": lambda p, t: save_npy_each(p / "each", numbered(t, "W{}", "b{}")) / "W2.npy",
    "weights.npy beside biases.npy": lambda p, t: (
        save_npy_each(p / "each", {"weights": listed(turned(t)), "biases": listed(columns(t))}) / "weights.npy"
    ),
    "a dict in an npy": lambda p, t: (
        save_npy_each(p / "each", {"model": np.array({"W": turned(t), "b": columns(t)}, object)}) / "model.npy"
    ),
    "one vector": lambda p, t: (
        save_npy_each(p / "each", {"params": np.concatenate([a.ravel() for a in pairs(t)])}) / "params.npy"
    ),
    "one vector of thetas": lambda p, t: (
        save_npy_each(p / "each", {"theta": np.concatenate([a.T.ravel() for a in folded(t)])}) / "theta.npy"
    ),
    "weights.pkl beside biases.pkl": lambda p, t: (
        save_pickle(p / "biases.pkl", t.biases).parent / save_pickle(p / "weights.pkl", t.weights).name
    ),
    "steps of a pipeline": lambda p, t: save_pickle(
        p / "a.pkl", Model(steps=[("scale", None), ("net", Model(coefs_=t.weights, intercepts_=t.biases))])
    ),
    "all that backpropagation needs": lambda p, t: save_pickle(
        p / "a.pkl",
        {
            "cache": {"A0": np.ones((784, 64)), "Z1": np.ones((24, 64)), "A1": np.ones((24, 64))},
            **numbered(t, "W{}", "b{}", out_in=True, column=True),
        },
    ),
    "by numbers": lambda p, t: save_pickle(
        p / "a.pkl", {i: (w, b, "relu") for i, (w, b) in enumerate(zip(t.weights, t.biases, strict=True))}
    ),
    "safetensors": lambda p, t: save_safetensors(
        p / "a.safetensors", numbered(t, "fc{}.weight", "fc{}.bias", out_in=True)
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_network_is_found_in_every_kind_of_file(name: str, deep: Trained, tmp_path: Path) -> None:
    """A network is opened correctly for any container, names, bias shapes and orientation."""
    result = infer_import(FILES[name](tmp_path, deep))
    assert result.chosen.structure.sizes == "784-24-24-10"
    convention = result.chosen.convention
    assert (convention.activation, convention.scaling, convention.transposed) == ("relu", "x/255", False)
    assert result.chosen.accuracy > GOOD
    for dense, weight, bias in zip(result.chosen.structure.denses, deep.weights, deep.biases, strict=True):
        np.testing.assert_allclose(dense.weight, weight, atol=1e-6)
        np.testing.assert_allclose(dense.bias, bias, atol=1e-6)


@pytest.mark.parametrize(
    ("activation", "scaling"),
    [
        ("relu", "x/255"),
        ("sigmoid", "x/255"),
        ("tanh", "x/255"),
        ("relu", "0..255"),
        ("sigmoid", "0..255"),
        ("tanh", "x/255 - 0.5"),
        ("relu", "(x/255 - 0.1307)/0.3081"),
        ("tanh", "standardised per pixel"),
        ("relu", "x - 33.3"),
    ],
)
def test_missing_convention_is_inferred(activation: str, scaling: str, tmp_path: Path) -> None:
    """The activation and the scaling are inferred from the accuracy on digits."""
    trained = train([784, 16, 10], activation, scaling)
    convention = infer_import(save_npz(tmp_path / "a.npz", numbered(trained, "W{}", "b{}"))).chosen.convention
    assert (convention.activation, convention.scaling, convention.transposed) == (activation, scaling, False)


@pytest.mark.parametrize(
    ("activation", "scaling"),
    [("leaky_relu", "x/255"), ("swish", "x/255"), ("elu", "x/255"), ("relu", "binarised")],
)
def test_most_common_convention_is_preferred(activation: str, scaling: str, tmp_path: Path) -> None:
    """The most common of the conventions within 1.5 percentage points of the best is chosen."""
    trained = train([784, 16, 10], activation, scaling)
    result = infer_import(save_npz(tmp_path / "a.npz", numbered(trained, "W{}", "b{}")))
    best = max(candidate.accuracy for candidate in result.candidates)
    assert result.chosen.accuracy >= best - 0.015
    given = infer_import(result.tensor_tree.path, activation, scaling)
    assert (given.chosen.convention.activation, given.chosen.convention.scaling) == (activation, scaling)


def test_transposed_images_are_detected(tmp_path: Path) -> None:
    """A network that was trained on transposed images is detected and recognises digits."""
    trained = train([784, 16, 10], transposed=True)
    result = infer_import(save_npz(tmp_path / "a.npz", numbered(trained, "W{}", "b{}")))
    assert result.chosen.convention.transposed
    assert result.chosen.accuracy > GOOD


def test_networks_for_images_without_border(tmp_path: Path) -> None:
    """A network for 20 × 20 pixels, the size of MNIST's digits, gets the middle of the 28 × 28 pixels."""
    t = train([784, 16, 10])
    middle = np.zeros((28, 28), bool)
    middle[4:24, 4:24] = True
    inside = Trained([t.weights[0][middle.ravel()], t.weights[1]], t.biases)
    result = infer_import(save_npz(tmp_path / "a.npz", numbered(inside, "W{}", "b{}")))
    assert result.chosen.convention.detail == "20 × 20 pixels in the middle"
    weights = result.weights()
    images = result.probe_set.images[:20] * middle.astype(np.uint8)
    expected = np.maximum(images.reshape(-1, 784) / 255 @ t.weights[0] + t.biases[0], 0) @ t.weights[1] + t.biases[1]
    np.testing.assert_allclose(weights.network().forward(images), expected, atol=1e-3)


def test_outputs_starting_with_one_are_detected(deep: Trained, tmp_path: Path) -> None:
    """A network whose last output is for 0, as in MATLAB, predicts the correct digits."""
    rotated = Trained(
        [*deep.weights[:2], np.roll(deep.weights[2], -1, 1)], [*deep.biases[:2], np.roll(deep.biases[2], -1)]
    )
    result = infer_import(save_npz(tmp_path / "a.npz", numbered(rotated, "W{}", "b{}")))
    assert result.chosen.accuracy > GOOD
    assert "1 to 9, then 0" in result.chosen.convention.detail


def test_convention_is_stored_with_the_weights(deep: Trained, tmp_path: Path) -> None:
    """The inferred convention and its scores are stored with the weights, and survive saving."""
    weights = open_weights(save_npz(tmp_path / "theirs.npz", numbered(deep, "W{}", "b{}")))
    assert weights.about["source"] == "theirs.npz"
    assert weights.about["convention"]["activation"] == "relu"
    assert len(weights.about["candidates"]) >= 3
    weights.save(tmp_path / "ours.npz")
    again = open_weights(tmp_path / "ours.npz")
    np.testing.assert_array_equal(again.parameters, weights.parameters)
    assert convention_of(again) == weights.about["convention"]


def test_convention_of_a_digitpad_file_is_not_inferred() -> None:
    """The convention of a digitpad file is read from its layers, not inferred."""
    weights: Weights = open_weights(SHIPPED)
    assert convention_of(weights)["scaling"] == "x/255"
    with pytest.raises(WeightsError, match="states its activation and scaling"):
        open_weights(SHIPPED, activation="tanh")


def test_inaccurate_network_is_opened(tmp_path: Path) -> None:
    """Untrained weights are opened, with a low accuracy."""
    rng = np.random.default_rng(1)
    path = save_npz(tmp_path / "a.npz", {"W1": rng.normal(size=(784, 12)), "W2": rng.normal(size=(12, 10))})
    result = infer_import(path)
    assert result.chosen.accuracy < 0.5
    assert result.weights().network().summary() == "784-12-10"


@pytest.mark.parametrize(("activation", "scaling"), [("softplus", None), (None, "x/3")])
def test_unknown_names_are_refused(
    activation: str | None, scaling: str | None, shallow: Trained, tmp_path: Path
) -> None:
    """The error for an unknown activation or scaling lists the known ones."""
    path = save_npz(tmp_path / "a.npz", numbered(shallow, "W{}", "b{}"))
    with pytest.raises(RecipeError, match=r"relu|x/255"):
        open_weights(path, activation, scaling)
