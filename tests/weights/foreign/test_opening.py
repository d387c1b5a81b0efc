from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.errors import RecipeError, WeightsError
from digitpad.nn.layers import AvgPool2d, BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU
from digitpad.opening import convention_of, open_weights, understand_file
from digitpad.weights.weights import SHIPPED, Weights
from tests.weights.foreign.strangers import (
    MEAN_OF_ALL,
    STD_OF_ALL,
    Dense,
    LeakyReLU,
    Matrix,
    Model,
    Sigmoid,
    Trained,
    listed,
    numbered,
    pixels,
    save_json,
    save_npy_each,
    save_npz,
    save_pickle,
    save_safetensors,
    save_tables,
    small_lenet,
    train,
    train_images,
)

GOOD = 0.8


def pairs(t: Trained) -> list[Matrix]:
    return [array for pair in zip(t.weights, t.biases, strict=True) for array in pair]


def columns(t: Trained) -> list[Matrix]:
    return [b[:, None] for b in t.biases]


def turned(t: Trained) -> list[Matrix]:
    return [w.T for w in t.weights]


def folded(t: Trained, *, last: bool = False) -> list[Matrix]:
    return [np.vstack([w, b] if last else [b, w]) for w, b in zip(t.weights, t.biases, strict=True)]


def with_moments(t: Trained) -> dict[str, Any]:
    own = numbered(t, "W{}", "b{}", out_in=True, column=True)
    moments = {f"{kind}{name}": array * 0.01 for name, array in own.items() for kind in ("d", "m", "v", "sd")}
    return {**moments, **own, "layer_sizes": np.array([784, 24, 24, 10]), "costs": np.linspace(2, 1, 24)}


def nnfs_like(t: Trained) -> Model:
    """Layers that keep what they last saw, and their optimizer's moments."""
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
    """Whatever the container, the names, the shapes of biases and the orientation, it reads as its author meant."""
    understood = understand_file(FILES[name](tmp_path, deep))
    assert understood.chosen.structure.sizes == "784-24-24-10"
    convention = understood.chosen.convention
    assert (convention.activation, convention.scaling, convention.transposed) == ("relu", "x/255", False)
    assert understood.chosen.accuracy > GOOD
    for dense, weight, bias in zip(understood.chosen.structure.denses, deep.weights, deep.biases, strict=True):
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
def test_what_a_file_does_not_say_is_found_out(activation: str, scaling: str, tmp_path: Path) -> None:
    """Activation and scaling come from how well digits are read."""
    trained = train([784, 16, 10], activation, scaling)
    convention = understand_file(save_npz(tmp_path / "a.npz", numbered(trained, "W{}", "b{}"))).chosen.convention
    assert (convention.activation, convention.scaling, convention.transposed) == (activation, scaling, False)


@pytest.mark.parametrize(
    ("activation", "scaling"),
    [("leaky_relu", "x/255"), ("swish", "x/255"), ("elu", "x/255"), ("relu", "binarised")],
)
def test_what_reads_alike_is_taken_for_the_usual(activation: str, scaling: str, tmp_path: Path) -> None:
    """Of conventions that read within 1.5 points of the best, the one that most people use is taken."""
    trained = train([784, 16, 10], activation, scaling)
    understood = understand_file(save_npz(tmp_path / "a.npz", numbered(trained, "W{}", "b{}")))
    best = max(one.accuracy for one in understood.candidates)
    assert understood.chosen.accuracy >= best - 0.015
    told = understand_file(understood.contents.path, activation, scaling)
    assert (told.chosen.convention.activation, told.chosen.convention.scaling) == (activation, scaling)


def test_transposed_images_are_noticed(tmp_path: Path) -> None:
    """A network trained on images with rows and columns exchanged reads ours all the same."""
    trained = train([784, 16, 10], transposed=True)
    understood = understand_file(save_npz(tmp_path / "a.npz", numbered(trained, "W{}", "b{}")))
    assert understood.chosen.convention.transposed
    assert understood.chosen.accuracy > GOOD


def octaves(t: Trained) -> list[Matrix]:
    """Thetas for images whose columns come first, with the bias in a first column, and the tenth output for 0."""
    first = t.weights[0].reshape(28, 28, -1).swapaxes(0, 1).reshape(t.weights[0].shape)
    last = [*t.weights[1:-1], np.roll(t.weights[-1], -1, 1)]
    biases = [*t.biases[:-1], np.roll(t.biases[-1], -1)]
    return [np.vstack([b, w]).T for w, b in zip([first, *last], biases, strict=True)]


@pytest.mark.parametrize("form", ["matrices", "by rows", "by columns"])
def test_thetas_of_octave_are_opened(form: str, shallow: Trained, tmp_path: Path) -> None:
    """Columns first, 10 for 0, and sigmoids, also unrolled into one vector in either order."""
    thetas = octaves(shallow)
    if form == "matrices":
        path = save_npz(tmp_path / "a.npz", {"Theta1": thetas[0], "Theta2": thetas[1]})
    else:
        order: Any = {"by rows": "C", "by columns": "F"}[form]
        path = save_npz(tmp_path / "a.npz", {"nn_params": np.concatenate([theta.ravel(order) for theta in thetas])})
    understood = understand_file(path)
    convention = understood.chosen.convention
    assert (convention.activation, convention.transposed) == ("sigmoid", True)
    assert "1 to 9, then 0" in convention.detail
    best = understand_file(save_npz(tmp_path / "b.npz", numbered(shallow, "W{}", "b{}"))).chosen.accuracy
    assert understood.chosen.accuracy == pytest.approx(best, abs=0.002)


def test_images_without_their_border(tmp_path: Path) -> None:
    """A network for 20 × 20 pixels, as MNIST's digits are in their box, sees the middle of ours."""
    t = train([784, 16, 10])
    middle = np.zeros((28, 28), bool)
    middle[4:24, 4:24] = True
    inside = Trained([t.weights[0][middle.ravel()], t.weights[1]], t.biases)
    understood = understand_file(save_npz(tmp_path / "a.npz", numbered(inside, "W{}", "b{}")))
    assert understood.chosen.convention.detail == "20 × 20 pixels in the middle"
    weights = understood.weights()
    images = understood.yardstick.images[:20] * middle.astype(np.uint8)
    expected = np.maximum(images.reshape(-1, 784) / 255 @ t.weights[0] + t.biases[0], 0) @ t.weights[1] + t.biases[1]
    np.testing.assert_allclose(weights.network().forward(images), expected, atol=1e-3)


def test_activations_that_differ_from_layer_to_layer(deep: Trained, tmp_path: Path) -> None:
    """ReLU, then tanh, reads too well with ReLU alone to be noticed by its score; it is tried all the same."""
    moved = Trained(deep.weights, [deep.biases[0], deep.biases[1] - 1, deep.biases[2]])
    hidden = [np.maximum(pixels(2000) / 255 @ moved.weights[0] + moved.biases[0], 0)]
    hidden.append(np.tanh(hidden[0] @ moved.weights[1] + moved.biases[1]))
    labels = np.eye(10)[mnist().training.labels[:2000]]
    inputs = np.column_stack([hidden[1], np.ones(2000)])
    last = np.linalg.lstsq(inputs, labels, rcond=None)[0]  # what fits these two layers' outputs
    mixed = Trained([*moved.weights[:2], last[:-1]], [*moved.biases[:2], last[-1]])
    understood = understand_file(save_npz(tmp_path / "a.npz", numbered(mixed, "W{}", "b{}")))
    assert understood.chosen.convention.activation == "relu, tanh"
    assert understood.chosen.accuracy > 0.75


def test_outputs_that_begin_with_one_are_noticed(deep: Trained, tmp_path: Path) -> None:
    """Where the last output means 0, as in MATLAB, digits are named right all the same."""
    moved = Trained(
        [*deep.weights[:2], np.roll(deep.weights[2], -1, 1)], [*deep.biases[:2], np.roll(deep.biases[2], -1)]
    )
    understood = understand_file(save_npz(tmp_path / "a.npz", numbered(moved, "W{}", "b{}")))
    assert understood.chosen.accuracy > GOOD
    assert "1 to 9, then 0" in understood.chosen.convention.detail


@pytest.mark.parametrize(
    ("scaling", "beside"),
    [
        ("standardised", {"mean": MEAN_OF_ALL, "std": STD_OF_ALL}),
        ("standardised per pixel", {"X_mean": "each", "X_std": "each"}),
    ],
)
def test_means_saved_beside_are_used(scaling: str, beside: dict[str, Any], tmp_path: Path) -> None:
    """A mean and a spread in the file are what its pixels were standardised with."""
    trained = train([784, 16, 10], "sigmoid", scaling)
    each = {"X_mean": pixels().mean(0), "X_std": pixels().std(0)}
    arrays = {name: each.get(name, value) for name, value in beside.items()}
    understood = understand_file(save_npz(tmp_path / "a.npz", {**numbered(trained, "W{}", "b{}"), **arrays}))
    assert understood.chosen.convention.scaling == scaling
    assert understood.chosen.convention.activation == "sigmoid"
    assert understood.chosen.accuracy > GOOD


@pytest.mark.parametrize(("cls", "activation"), [(Sigmoid, "sigmoid"), (LeakyReLU, "leaky_relu")])
def test_the_name_of_a_class_tells_the_activation(cls: type, activation: str, tmp_path: Path) -> None:
    """Where several activations read alike, a pickle's own words decide."""
    trained = train([784, 16, 10], activation)
    layers: list[Any] = [Dense(trained.weights[0], trained.biases[0]), cls()]
    layers.append(Dense(trained.weights[1], trained.biases[1]))
    understood = understand_file(save_pickle(tmp_path / "a.pkl", Model(layers=layers)))
    assert understood.chosen.convention.activation == activation


def test_equal_biases_that_numpy_stacked_come_apart(shallow: Trained, tmp_path: Path) -> None:
    """Ten hidden units and ten outputs make one array of both biases."""
    arrays = {"weights": listed(turned(shallow)), "biases": np.array(columns(shallow))}
    understood = understand_file(save_npz(tmp_path / "a.npz", arrays))
    assert understood.chosen.structure.sizes == "784-10-10"
    assert understood.chosen.convention.activation == "sigmoid"
    np.testing.assert_allclose(understood.chosen.structure.denses[1].bias, shallow.biases[1])


def conv_layouts(p: list[Matrix]) -> dict[str, dict[str, Matrix]]:
    """One small LeNet, its kernels, biases and first matrix as each framework has them."""
    k1, c1, k2, c2, w3, b3, w4, b4 = p
    by_channel = w3.reshape(5, 5, 6, 20).transpose(2, 0, 1, 3).reshape(150, 20)
    oihw = [k.transpose(3, 2, 0, 1) for k in (k1, k2)]
    ohwi = [k.transpose(3, 0, 1, 2) for k in (k1, k2)]
    return {
        "HWIO": {f"arr_{i}": a for i, a in enumerate(p)},
        "OIHW": {
            "conv1.weight": oihw[0],
            "conv1.bias": c1,
            "conv2.weight": oihw[1],
            "conv2.bias": c2,
            "fc1.weight": by_channel.T,
            "fc1.bias": b3,
            "fc2.weight": w4.T,
            "fc2.bias": b4,
        },
        "OHWI": {
            "f1": ohwi[0],
            "f2": ohwi[1],
            "w3": w3.T,
            "w4": w4.T,
            **{f"b{i}": b[:, None] for i, b in enumerate((c1, c2, b3, b4), 1)},
        },
    }


def test_convolutions_of_every_layout_are_opened(tmp_path: Path) -> None:
    """Which axis is which, where pools are and in which order images are flattened is found out."""
    network = train_images(small_lenet(), steps=120)
    parameters = [array.astype(np.float64) for array in network.named_parameters().values()]
    for layout, arrays in conv_layouts(parameters).items():
        understood = understand_file(save_npz(tmp_path / f"{layout}.npz", arrays))
        assert understood.chosen.convention.orientation.startswith(layout)
        opened = understood.weights().network()
        images = understood.yardstick.images[:20]
        np.testing.assert_allclose(opened.predict(images), network.predict(images), atol=1e-4)


def test_convolution_without_channels_or_activation(tmp_path: Path) -> None:
    """Filters of three dimensions, one pool, and softmax right behind them."""
    network = train_images([Conv2d(4, 3), MaxPool2d(), Flatten(), Linear(10)], steps=60)
    k, c, w, b = network.named_parameters().values()
    path = save_npz(tmp_path / "a.npz", {"filters": k[:, :, 0].transpose(2, 0, 1), "weights": w, "biases": b, "c": c})
    understood = understand_file(path)
    assert understood.chosen.structure.sizes == "28×28-3×3×4-pool-10"
    best = max(one.accuracy for one in understood.candidates)
    assert understood.chosen.accuracy >= best - 0.015


def test_a_pool_over_the_whole_image(tmp_path: Path) -> None:
    """Each channel's mean is all that the matrix behind it sees."""
    network = train_images([Conv2d(8, 7), ReLU(), AvgPool2d(22), Flatten(), Linear(10)], steps=300)
    k, c, w, b = network.named_parameters().values()
    path = save_npz(tmp_path / "a.npz", {"k": k.transpose(3, 2, 0, 1), "c": c, "w": w, "b": b})
    understood = understand_file(path, "relu", "x/255")  # it reads too little for them to be told
    assert understood.chosen.convention.detail == "pool 22; flattened by channel; mean pools"
    images = understood.yardstick.images[:20]
    np.testing.assert_allclose(understood.weights().network().predict(images), network.predict(images), atol=1e-4)


def test_batch_normalisation_is_found_by_name_and_by_place(tmp_path: Path) -> None:
    """PyTorch's names, and Keras' nameless list, alike."""
    layers = [
        Conv2d(4, 3, 1),
        BatchNorm(),
        ReLU(),
        MaxPool2d(4),
        Flatten(),
        Linear(20),
        BatchNorm(),
        ReLU(),
        Linear(10),
    ]
    network = train_images(layers, steps=40)
    arrays = [array.astype(np.float64) for array in network.named_parameters().values()]
    norm = ("weight", "bias", "running_mean", "running_var")
    names = ["conv1.weight", "conv1.bias", *(f"bn1.{part}" for part in norm)]
    names += ["fc1.weight", "fc1.bias", *(f"bn2.{part}" for part in norm), "fc2.weight", "fc2.bias"]
    named = dict(zip(names, arrays, strict=True))
    named["conv1.weight"] = named["conv1.weight"].transpose(3, 2, 0, 1)
    named["fc1.weight"] = named["fc1.weight"].reshape(7, 7, 4, 20).transpose(3, 2, 0, 1).reshape(20, -1)
    named["fc2.weight"] = named["fc2.weight"].T
    for path in (
        save_npz(tmp_path / "torch.npz", dict(sorted(named.items()))),
        save_npz(tmp_path / "keras.npz", {f"arr_{i}": a for i, a in enumerate(arrays)}),
    ):
        understood = understand_file(path)
        images = understood.yardstick.images[:20]
        np.testing.assert_allclose(understood.weights().network().predict(images), network.predict(images), atol=1e-3)


def test_weights_know_where_they_come_from(deep: Trained, tmp_path: Path) -> None:
    """What was found out is kept with the weights, with the scores that speak for it, also in a file of our own."""
    weights = open_weights(save_npz(tmp_path / "theirs.npz", numbered(deep, "W{}", "b{}")))
    assert weights.about["source"] == "theirs.npz"
    assert weights.about["convention"]["activation"] == "relu"
    assert len(weights.about["candidates"]) >= 3
    weights.save(tmp_path / "ours.npz")
    again = open_weights(tmp_path / "ours.npz")
    np.testing.assert_array_equal(again.parameters, weights.parameters)
    assert convention_of(again) == weights.about["convention"]


def test_our_own_file_is_opened_as_it_is() -> None:
    """Nothing about it is guessed, and its convention is read from its layers."""
    weights: Weights = open_weights(SHIPPED)
    assert convention_of(weights)["scaling"] == "x/255"
    with pytest.raises(WeightsError, match="says itself how it is meant"):
        open_weights(SHIPPED, activation="tanh")


def test_a_poor_network_is_opened_all_the_same(tmp_path: Path) -> None:
    """Untrained weights are weights; their score says what they are worth."""
    rng = np.random.default_rng(1)
    path = save_npz(tmp_path / "a.npz", {"W1": rng.normal(size=(784, 12)), "W2": rng.normal(size=(12, 10))})
    understood = understand_file(path)
    assert understood.chosen.accuracy < 0.5
    assert understood.weights().network().summary() == "784-12-10"


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


@pytest.mark.parametrize(("activation", "scaling"), [("softplus", None), (None, "x/3")])
def test_unknown_names_are_refused(
    activation: str | None, scaling: str | None, shallow: Trained, tmp_path: Path
) -> None:
    """What cannot be overruled with is told with what can."""
    path = save_npz(tmp_path / "a.npz", numbered(shallow, "W{}", "b{}"))
    with pytest.raises(RecipeError, match=r"relu|x/255"):
        open_weights(path, activation, scaling)
