import string
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.cli import main
from digitpad.datasets.dataset import mnist
from digitpad.errors import WeightsError
from digitpad.importers.open_file import open_weights
from digitpad.nn.layers import (
    ELU,
    GELU,
    LAYERS,
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Binarize,
    Branches,
    Clip,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Reshape,
    Sigmoid,
    Softplus,
    Swish,
    Tanh,
    UnitNorm,
    ZeroPad2d,
)
from digitpad.nn.network import Network
from digitpad.weights.exports import FORMATS, export
from digitpad.weights.native_format import Weights, load_weights
from tests.unit.importers.strangers import numbered, save_npz, train, train_images

EVERY_LAYER: list[list[Layer]] = [
    [
        *(Rescale(), AddChannel(), Conv2d(3, 5, 2), BatchNorm(), ReLU(), MaxPool2d(), Conv2d(4, 3), LeakyReLU(0.1)),
        *(AvgPool2d(), Swish(), Flatten(), Dropout(0.2), Linear(9), GELU(), Linear(8), Tanh(), Linear(10)),
    ],
    [Rescale(1 / 100, -0.5), Flatten(), Linear(7), BatchNorm(), Sigmoid(), Linear(9), ELU(), Linear(10)],
    [Rescale(), Binarize(0.4), Flatten(), Linear(7), ReLU(), BatchNorm(), Linear(10)],
    [
        *(Rescale(), UnitNorm(), AddChannel(), ZeroPad2d(0, 1, 1, 0), Conv2d(4, 3, 1, stride=2), Clip(-1, 2)),
        *(MaxPool2d(3, 2, 1, 1), Branches([[ReLU(), Conv2d(4, 3, 1), BatchNorm()], []]), ReLU()),
        *(AvgPool2d(2, 2, 0, 1), Branches([[Conv2d(2, 1)], [MaxPool2d(3, 1, 1, 1)]], "concatenate")),
        *(Branches([[GlobalAvgPool2d()], [GlobalMaxPool2d()]]), Rescale(2, 0.5), Linear(12), ELU(1.6)),
        *(Reshape([2, 3, 2]), Conv2d(3, 2), Flatten(), Softplus(), Linear(10)),
    ],
    [Rescale(), UnitNorm("rows"), UnitNorm("image"), Reshape([784]), Linear(5), Branches([[Linear(10)], [Linear(10)]])],
]


NAMES = ["images", "dense", "binarised", "branches", "normalised"]


def test_every_layer_type_is_tested() -> None:
    """The tested networks contain every layer type, including any new one."""
    layers = [layer for layers in EVERY_LAYER for layer in layers]
    nested = [inner for layer in layers if isinstance(layer, Branches) for branch in layer.branches for inner in branch]
    assert {type(layer).__name__ for layer in [*layers, *nested]} == set(LAYERS)


def weights_of(layers: Sequence[Layer]) -> Weights:
    network = Network(layers)
    rng = np.random.default_rng(1)
    network.initialize(rng)
    network.parameters += rng.normal(scale=0.1, size=network.parameters.shape).astype(np.float32)
    return Weights("every.npz", network.architecture(), network.parameters)


def digits() -> NDArray[np.uint8]:
    return mnist().validation.images[:20]


@pytest.mark.parametrize("layers", EVERY_LAYER, ids=NAMES)
def test_exported_python_file_runs_without_digitpad(layers: list[Layer], tmp_path: Path) -> None:
    """An exported Python file predicts the same probabilities with NumPy and without digitpad."""
    weights = weights_of(layers)
    export(weights, tmp_path / "reader.py")
    np.save(tmp_path / "images.npy", digits())
    code = (
        "import sys, numpy as np, reader; images = np.load('images.npy'); read = reader.predict(images); "
        "assert np.allclose(reader.predict(images[3]), read[3], atol=1e-5); np.save('read.npy', read); "
        "assert not [name for name in sys.modules if name.startswith('digitpad')]"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": "."}, check=True)
    expected = weights.network().predict(digits())
    np.testing.assert_allclose(np.load(tmp_path / "read.npy"), expected, atol=1e-5)


def test_python_export_works_without_source_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export works in a bundle that has data files but no source files."""
    read_text = Path.read_text

    def without_sources(path: Path, *arguments: Any, **options: Any) -> str:
        if path.suffix == ".py":
            raise FileNotFoundError(path)
        return read_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", without_sources)
    export(weights_of(EVERY_LAYER[1]), tmp_path / "reader.py")
    monkeypatch.undo()
    compile((tmp_path / "reader.py").read_text(), "reader.py", "exec")


@pytest.mark.parametrize("layers", EVERY_LAYER, ids=NAMES)
def test_onnx_export_gives_the_same_outputs(layers: list[Layer], tmp_path: Path) -> None:
    """An exported ONNX model gives the same outputs in the reference evaluator of the onnx package."""
    pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    weights = weights_of(layers)
    export(weights, tmp_path / "model.onnx")
    logits, probabilities = ReferenceEvaluator(str(tmp_path / "model.onnx")).run(
        None, {"image": digits().astype(np.float32)}
    )
    network = weights.network()
    np.testing.assert_allclose(np.asarray(logits), network.forward(digits()), atol=1e-4)
    np.testing.assert_allclose(np.asarray(probabilities), network.predict(digits()), atol=1e-5)


@pytest.mark.parametrize("layers", EVERY_LAYER, ids=NAMES)
def test_every_layer_survives_a_round_trip(layers: list[Layer], tmp_path: Path) -> None:
    """A file in digitpad's own format gives the same outputs, and the same file when it is saved again."""
    weights = weights_of(layers)
    weights.save(tmp_path / "a.npz")
    again = load_weights(tmp_path / "a.npz")
    np.testing.assert_array_equal(again.network().predict(digits()), weights.network().predict(digits()))
    assert again.network().twin().architecture() == weights.architecture


@pytest.mark.parametrize(
    ("layers", "problem"),
    [
        ([Conv2d(2, 3, stride=2), Flatten(), Linear(10)], "a convolution's stride"),
        ([Conv2d(2, 3), MaxPool2d(3, 2), Flatten(), Linear(10)], "overlapping"),
        ([Conv2d(2, 3), GlobalAvgPool2d(), Linear(10)], "GlobalAvgPool2d"),
        ([Branches([[Conv2d(1, 3, 1)], []]), Flatten(), Linear(10)], "Branches"),
    ],
)
def test_layers_that_plain_arrays_cannot_express_are_refused(layers: list[Layer], problem: str, tmp_path: Path) -> None:
    """An export to plain arrays names the layer that they cannot express."""
    with pytest.raises(WeightsError, match=problem):
        export(weights_of([Rescale(), AddChannel(), *layers]), tmp_path / "a.json")


def test_missing_onnx_package_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the onnx package, the error contains the command that installs it."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "digitpad.weights.onnx_export", raising=False)
    with pytest.raises(WeightsError, match=r"pip install 'digitpad\[onnx\]'"):
        export(weights_of(EVERY_LAYER[1]), tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.pkl", "a.json", "a.safetensors", "tables"])
def test_plain_arrays_can_be_imported_again(name: str, tmp_path: Path) -> None:
    """Exported plain arrays can be imported again and give the same outputs."""
    trained = train([784, 12, 10], "tanh", "(x/255 - 0.1307)/0.3081")
    weights = open_weights(save_npz(tmp_path / "theirs.npz", numbered(trained, "W{}", "b{}", out_in=True)))
    export(weights, tmp_path / name, plain=True)
    again = open_weights(tmp_path / name)
    assert again.about["convention"]["scaling"] == "x/255"
    assert again.about["convention"]["activation"] == "tanh"
    np.testing.assert_allclose(again.network().predict(digits()), weights.network().predict(digits()), atol=1e-4)


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.pkl", "a.json", "a.safetensors", "tables"])
def test_class_names_are_exported(name: str, tmp_path: Path) -> None:
    """Class names survive an export in every format."""
    names = tuple(string.ascii_uppercase)
    network = weights_of([Rescale(), Flatten(), Linear(7), Sigmoid(), Linear(26)])
    export(replace(network, class_names=names), tmp_path / name, plain=True)
    again = open_weights(tmp_path / name)
    assert again.class_names == names
    if name == "tables":  # tables do not store the activation
        again = open_weights(tmp_path / name, activation="sigmoid")
    assert again.about["convention"]["activation"] == "sigmoid"
    np.testing.assert_allclose(again.network().predict(digits()), network.network().predict(digits()), atol=1e-4)


def test_python_export_has_the_class_names(tmp_path: Path) -> None:
    """An exported Python file has the class names, and its docstring does not mention ten digits."""
    names = ("T-shirt/top", "l'été", "∞")
    weights = replace(weights_of([Rescale(), Flatten(), Linear(3)]), class_names=names)
    export(weights, tmp_path / "reader.py")
    code = (
        "import numpy as np, reader; assert reader.predict(np.zeros((28, 28))).shape == (3,); "
        f"assert reader.CLASSES == {names!a}; assert 'ten' not in reader.__doc__.split()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": "."}, check=True)


def test_exported_convolutions_can_be_imported(tmp_path: Path) -> None:
    """Convolutions exported as plain arrays are imported with the same padding, pooling and outputs."""
    parts = [(Conv2d(3, 3), 1), (Conv2d(4, 3), 2), (Conv2d(5, 3, 1), 2)]
    layers: list[Layer] = []
    for conv, pool in parts:
        layers += [conv, BatchNorm(), *[MaxPool2d(pool)] * (pool > 1), ReLU()]
    network = train_images([*layers, Flatten(), Linear(20), ReLU(), Linear(10)], steps=100)
    export(Weights("a", network.architecture(), network.parameters), tmp_path / "a.npz", plain=True)
    again = open_weights(tmp_path / "a.npz")
    np.testing.assert_allclose(again.network().predict(digits()), network.predict(digits()), atol=1e-3)


@pytest.mark.parametrize(
    ("layers", "name", "message"),
    [
        (EVERY_LAYER[2], "a.json", "pixels are binarised"),
        ([Rescale(), Flatten(), Linear(7), ReLU(), BatchNorm(), Linear(10)], "a.pkl", "this batch normalisation"),
        ([Rescale(1, 1), AddChannel(), Conv2d(2, 3, 1), Flatten(), Linear(10)], "a.safetensors", "this pixel scaling"),
        ([Rescale(), AddChannel(), Conv2d(2, 3), Flatten(), Linear(10)], "tables", "cannot hold convolutions"),
        (EVERY_LAYER[1], "a.h5", r"unknown file type; use \.npz"),
        (EVERY_LAYER[1], "nowhere/a.json", "cannot be written"),
    ],
)
def test_network_that_a_format_cannot_express_is_refused(
    layers: list[Layer], name: str, message: str, tmp_path: Path
) -> None:
    """A network that a format cannot express is rejected, and no file remains."""
    with pytest.raises(WeightsError, match=message):
        export(weights_of(layers), tmp_path / name, plain=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix not in ("", ".onnx")])
def test_full_disk_keeps_the_old_file(suffix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A failed write leaves the existing file unchanged."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("digitpad.system.atomic_write.os.fsync", full)
    with pytest.raises(WeightsError, match="No space left on device"):
        export(weights_of(EVERY_LAYER[1]), path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_convert_and_evaluate_from_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``convert`` imports and exports files, and replaces existing files only with ``--force``."""
    theirs = save_npz(tmp_path / "theirs.npz", numbered(train([784, 12, 10]), "W{}", "b{}"))
    ours = tmp_path / "ours.npz"
    assert main(["convert", str(theirs), str(ours)]) == 0
    assert "with relu and x/255, accuracy" in capsys.readouterr().out
    assert load_weights(ours).about["source"] == "theirs.npz"
    assert main(["convert", str(theirs), str(ours)]) == 1
    assert "--force" in capsys.readouterr().err
    assert main(["convert", str(ours), str(tmp_path / "out.json"), "--json"]) == 0
    assert '"activation": "relu"' in capsys.readouterr().out
    assert main(["evaluate", str(theirs), "--json", "--activation", "tanh", "--scaling", "0-255"]) == 0
    output = capsys.readouterr().out
    assert '"activation": "tanh", "scaling": "0..255", "orientation": "in, out", "transposed": false' in output
    assert main(["evaluate", str(theirs), "--scaling", "nonsense"]) == 1
