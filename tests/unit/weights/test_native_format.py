import errno
import json
import math
import os
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from digitpad import __version__
from digitpad.datasets.dataset import mnist
from digitpad.errors import WeightsError
from digitpad.evaluation.metrics import evaluate
from digitpad.nn.feedforward import feedforward
from digitpad.nn.layers import Flatten, Layer, Linear, Rescale
from digitpad.nn.network import Network
from digitpad.system import blas_threads
from digitpad.training.recipe import Recipe
from digitpad.weights.native_format import MAX_HEADER_BYTES, SHIPPED, VERSION, Weights, is_own, load_weights, provenance
from tests.unit.datasets.memory import peak_mebibytes
from tests.unit.weights.npz_files import (
    METHODS,
    crowded,
    hostile_files,
    json_header,
    members,
    npy,
    npy_claiming,
    pickled_array,
    small_weights,
    zeros_bomb,
    zipped,
)

EPOCH = {
    "epoch": 1234,
    "step": 482_494,
    "training": {"accuracy": 0.98765, "loss": 0.012345678901234567, "n": 10_000},
    "validation": {"accuracy": 0.98765, "loss": 0.012345678901234567, "n": 10_000},
    "is_best": False,
}


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_saving_and_loading_is_exact(tmp_path: Path, activation: str) -> None:
    """Saving and loading keeps the architecture, all parameters and the facts about the training."""
    network = Network(feedforward([7, 5], activation))
    network.initialize(np.random.default_rng(3))
    about = {"test_accuracy": 0.875, "data": {"name": "MNIST", "sha256": "ab"}, "history": [EPOCH], "note": "é ∞ 七"}
    saved = Weights("x", network.architecture(), network.parameters.copy(), about)
    saved.save(tmp_path / "x.npz")
    loaded = load_weights(tmp_path / "x.npz")
    assert loaded.architecture == saved.architecture
    assert loaded.parameters.dtype == np.float32
    assert loaded.parameters.tobytes() == saved.parameters.tobytes()
    assert loaded.about == about
    assert loaded.name == "x.npz"
    images = mnist().validation.images[:20]
    np.testing.assert_array_equal(loaded.network().predict(images), network.predict(images))


def test_extreme_floats_are_preserved(tmp_path: Path) -> None:
    """Extreme floats and negative zero are preserved."""
    weights = small_weights()
    odd = np.array([3.4028235e38, 1.1754944e-38, 1e-45, -0.0, -1e-45, 1 / 3], np.float32)
    weights.parameters[:6] = odd
    weights.save(tmp_path / "x.npz")
    assert load_weights(tmp_path / "x.npz").parameters.tobytes() == weights.parameters.tobytes()


def test_numpy_can_read_the_file(tmp_path: Path) -> None:
    """NumPy alone can read the arrays by name and the JSON header, without pickle."""
    weights = small_weights()
    weights.save(tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == ["2.bias", "2.weight", "4.bias", "4.weight", "header"]
        assert arrays["2.weight"].shape == (784, 3)
        header = json.loads(arrays["header"].tobytes())
    assert (header["format"], header["version"]) == ("digitpad weights", VERSION)
    assert header["architecture"] == weights.architecture


def test_a_long_history_can_be_loaded_again(tmp_path: Path) -> None:
    """A file with the history of 10,000 epochs, a recipe's maximum, can be loaded."""
    weights = small_weights()
    long = Weights(weights.name, weights.architecture, weights.parameters, {"history": [EPOCH] * 10_000})
    long.save(tmp_path / "x.npz")
    assert load_weights(tmp_path / "x.npz").parameters.tobytes() == weights.parameters.tobytes()


def test_network_copies_the_weights() -> None:
    """Changing the parameters of a network does not change the weights that it was created from."""
    weights = small_weights()
    before = weights.parameters.copy()
    weights.network().parameters.fill(0)
    np.testing.assert_array_equal(weights.parameters, before)


def full(*_: Any, **__: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A failed save keeps the old file, names the reason, and leaves no other file."""
    path = tmp_path / "x.npz"
    small_weights(seed=1).save(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, step, full)
    with pytest.raises(WeightsError, match=r"x.npz: cannot be written \(No space left on device\)"):
        small_weights(seed=2).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["nowhere/x.npz", ""])
def test_unwritable_path_is_reported(tmp_path: Path, name: str) -> None:
    """Saving to a missing folder or over a folder is rejected."""
    with pytest.raises(WeightsError, match="cannot be written") as caught:
        small_weights().save(tmp_path / name)
    assert caught.value.path == tmp_path / name


def layers_with(place: int, **settings: Any) -> list[dict[str, Any]]:
    layers = small_weights().architecture
    layers[place] = layers[place] | settings
    return layers


def linear(units: int) -> dict[str, Any]:
    return {"type": "Linear", "units": units}


FLAT = {"type": "Flatten"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"w2": npy(np.zeros((784, 4), "f4"))},
            r"'2.weight' has the shape \(784, 4\); the architecture needs \(784, 3",
        ),
        ({"b4": npy(np.zeros((10, 1), "f4"))}, r"'4.bias' has the shape \(10, 1\); the architecture needs \(10,\)"),
        ({"b2": None}, "lacks the array '2.bias', which its architecture needs"),
        ({"header": None}, "has no array 'header', so it is not a weights file that digitpad saved"),
        ({"momentum": npy(np.zeros(3, "f4"))}, "holds an array 'momentum', which its architecture does not use"),
        ({"b2": npy(np.zeros(3))}, "'2.bias' holds float64; expected float32"),
        ({"b2": npy(np.zeros(3, "u1"))}, "'2.bias' holds uint8; expected float32"),
        ({"b2": npy(np.array([0, math.nan, 0], "f4"))}, "'2.bias' holds infinite or NaN values"),
        ({"b4": npy(np.full(10, -math.inf, "f4"))}, "'4.bias' holds infinite or NaN values"),
        ({"w2": npy_claiming("784, 3", bytes(100))}, "needs 9408 bytes, but there are only 100"),
        ({"w2": npy_claiming("1000000000, 3")}, "claims the shape"),
        ({"w2": pickled_array()}, "is not a plain array of numbers"),
        ({"header": pickled_array()}, "is not a plain array of numbers"),
        ({"header": npy(np.zeros(5, "f4"))}, "its header is not an array of at most 8 MiB of bytes"),
        ({"header": npy(np.zeros((2, 2), "u1"))}, "its header is not an array of at most 8 MiB of bytes"),
        ({"header": npy(np.zeros(3, "u1"))}, "its header is not JSON"),
        ({"header": npy(np.frombuffer(b"[" * MAX_HEADER_BYTES, "u1"))}, "its header is not JSON"),
        ({"header": npy(np.frombuffer(b"\xff{}", "u1"))}, "its header is not JSON"),
        ({"header": npy(np.frombuffer(b"[1]", "u1"))}, "its header lacks the format name 'digitpad weights'"),
        ({"header": json_header(format="other weights")}, "its header lacks the format name 'digitpad weights'"),
        (
            {"header": json_header(version=VERSION + 1)},
            f"has format version {VERSION + 1}; this version of digitpad reads",
        ),
        ({"header": json_header(version=0)}, "has format version 0"),
        ({"header": json_header(version=True)}, "has format version True"),
        ({"header": json_header(version="1")}, "has format version '1'"),
        ({"header": json_header(architecture={})}, "has no list 'architecture'"),
        ({"header": json_header(about=[])}, "no object 'about'"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_inconsistent_file_is_refused(tmp_path: Path, changes: dict[str, bytes | None], message: str) -> None:
    """The error names the file, the array, and both the found and the expected content."""
    path = tmp_path / "x.npz"
    path.write_bytes(zipped(members(**changes)))
    with pytest.raises(WeightsError, match=message) as caught:
        load_weights(path)
    assert caught.value.path == path
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ([], "has 28 × 28 outputs and no class names; without names, 10 are needed"),
        ([FLAT], "has 784 outputs and no class names"),
        ([FLAT, linear(9)], "has 9 outputs and no class names"),
        ([FLAT, linear(10**9), linear(10)], "Linear takes 1 to 65536 units, not 1000000000"),
        ([FLAT, linear(65_536), linear(65_536), linear(10)], "parameters are too many; the limit is"),
        ([FLAT, linear(0)], "not 0"),
        ([FLAT, linear(-1)], "not -1"),
        ([FLAT, {"type": "Linear", "units": 10.0}], "not 10.0"),
        ([FLAT, {"type": "Linear", "units": True}], "not True"),
        ([FLAT, {"type": "Linear"}], "invalid settings"),
        ([linear(10)], "put Flatten before it"),
        ([FLAT, {"type": "Teleport"}], "unknown type 'Teleport'"),
        ([FLAT, {"units": 10}], "unknown type None"),
        ([FLAT, {"type": ["Linear"], "units": 10}], "describes an invalid network"),
        ([FLAT, {**linear(10), "initializer": "zeros"}], "unknown initializer"),
        ([{"type": "ReLU", "slope": 2}], "invalid settings"),
        ([{"type": "ReLU", "two\nlines": 2}], "invalid settings"),
        ([{"type": "two\nlines"}], "unknown type"),
        ([{"type": "Rescale", "scale": "1"}], "invalid settings"),
        ([{"type": "Rescale", "scale": 10**400}], "describes an invalid network"),
        ([{"type": "Rescale", "offset": math.nan}], "finite numbers"),
        ([{"type": "LeakyReLU", "alpha": 1}], "alpha of 0 to below 1, not 1"),
        ([{"type": "LeakyReLU", "alpha": math.nan}], "not nan"),
        (["Flatten"], "describes an invalid network"),
        ([None], "describes an invalid network"),
        ([[]], "unknown type"),
        ([FLAT] * 101, "has 101 layers; the limit is 100"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_invalid_architecture_is_refused(tmp_path: Path, architecture: list[Any], message: str) -> None:
    """An invalid architecture is rejected with a one-line error."""
    path = tmp_path / "x.npz"
    path.write_bytes(zipped(members(header=json_header(architecture=architecture))))
    with pytest.raises(WeightsError, match=message) as caught:
        load_weights(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", METHODS[:2])
def test_files_of_other_programs_are_read(tmp_path: Path, method: int) -> None:
    """Compressed, Fortran-ordered and big-endian arrays load as the same parameters."""
    weights = small_weights()
    named = weights.network().named_parameters()
    content = members(w2=npy(np.asfortranarray(named["2.weight"])), b2=npy(named["2.bias"].astype(">f4")))
    (tmp_path / "x.npz").write_bytes(zipped(content, method))
    np.testing.assert_array_equal(load_weights(tmp_path / "x.npz").parameters, weights.parameters)


@pytest.mark.parametrize(
    ("about", "accuracy", "data"),
    [
        ({"test_accuracy": 0.5, "data": {"name": "MNIST"}}, 0.5, "MNIST"),
        ({}, None, ""),
        ({"test_accuracy": "0.9", "data": "MNIST"}, None, ""),
        ({"test_accuracy": 98.5, "data": {"name": 7}}, None, ""),
        ({"test_accuracy": math.nan, "data": {}}, None, ""),
        ({"test_accuracy": None, "data": {"name": "x" * 1000}}, None, "x" * 80),
    ],
)
def test_statements_of_a_file_are_checked(about: dict[str, Any], accuracy: float | None, data: str) -> None:
    """An invalid accuracy or dataset name counts as unknown."""
    weights = Weights("x", small_weights().architecture, small_weights().parameters, about)
    assert weights.test_accuracy == accuracy
    assert weights.data_name == data


def test_provenance_has_versions_and_date() -> None:
    """The provenance has the program versions, the number of BLAS threads and the date."""
    notes = provenance()
    assert notes["digitpad"] == __version__
    assert notes["numpy"] == np.__version__
    assert notes["blas_threads"] == blas_threads.thread_count()
    assert notes["date"][:2] == "20"
    json.dumps(notes)


def load_or_refuse(path: Path) -> Weights | str:
    """Return the weights or the error message."""
    try:
        return load_weights(path)
    except WeightsError as error:
        return str(error)


def test_500_hostile_weights_files(tmp_path: Path) -> None:
    """Each malicious file either loads as a valid network or is rejected with a one-line error."""
    path = tmp_path / "hostile.npz"
    loaded = 0
    for content in hostile_files(500, seed=2):
        path.write_bytes(content)
        result = load_or_refuse(path)
        if isinstance(result, str):
            assert result.startswith(f"{path}: ")
            assert "\n" not in result
        else:
            assert result.network().plan.output_shape == (10,)
            assert np.isfinite(result.parameters).all()
            loaded += 1
    assert 0 < loaded < 250


LOAD_ALL = """
import sys
from pathlib import Path
from digitpad.errors import WeightsError
from digitpad.weights.native_format import load_weights
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        load_weights(path)
    except WeightsError:
        continue
    if "bomb" in path.name:
        raise SystemExit(f"{path} was loaded")
"""

BOMBS: dict[str, Callable[[], bytes]] = {
    "deflated, small stated size": lambda: zeros_bomb(npy_claiming("784, 3"), 512),
    "deflated, stated size of the whole budget": lambda: zeros_bomb(npy_claiming("16000000,"), 512),
    "large layers": lambda: zipped(
        members(header=json_header(architecture=[FLAT, *[linear(3800)] * 5, linear(10)])), METHODS[1]
    ),
    "many members": lambda: crowded(700_000),
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc and sets RLIMIT_AS")
@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_take_little_memory(tmp_path: Path, bomb: str) -> None:
    """Rejecting an oversized file takes less than 256 MiB, including Python and NumPy."""
    (tmp_path / "bomb.npz").write_bytes(BOMBS[bomb]())
    assert peak_mebibytes(LOAD_ALL, tmp_path) < 256


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc and sets RLIMIT_AS")
def test_hostile_files_take_little_memory(tmp_path: Path) -> None:
    """Loading 500 malicious files in sequence stays below 256 MiB."""
    for number, content in enumerate(hostile_files(500, seed=3)):
        (tmp_path / f"{number}.npz").write_bytes(content)
    assert peak_mebibytes(LOAD_ALL, tmp_path) < 256


def test_built_in_network_has_its_provenance() -> None:
    """The built-in network's file has its recipe, its dataset with a checksum, and its test accuracy."""
    weights = load_weights(SHIPPED)
    recipe = weights.about["recipe"]
    assert recipe["name"] == "digits"
    assert Recipe.from_dict(recipe).summary == weights.network().summary()
    assert weights.about["data"] == {"name": "MNIST", "sha256": mnist().sha256}
    assert weights.data_name == "MNIST"
    assert weights.test_accuracy is not None
    assert weights.about["test_n"] == 10_000


def test_built_in_network_has_its_stated_accuracy() -> None:
    """The built-in network has a test accuracy of at least 98.5 %, and its stored scores are correct."""
    weights = load_weights(SHIPPED)
    scores = evaluate(weights.network(), mnist().test)
    assert scores.accuracy >= 0.985
    assert scores.accuracy == pytest.approx(weights.about["test_accuracy"], abs=1e-3)
    assert scores.loss == pytest.approx(weights.about["test_loss"], abs=1e-3)


def test_network_with_few_parameters_but_huge_layers_is_refused(tmp_path: Path) -> None:
    """A small file with layers that alternate between 1 and 65,536 units is rejected, as it needs gigabytes to run."""
    layers: list[Layer] = [Rescale(), Flatten()]
    for _ in range(16):
        layers += [Linear(1), Linear(65_536)]
    network = Network([*layers, Linear(1), Linear(10)])
    path = tmp_path / "wide.npz"
    Weights("wide", network.architecture(), network.parameters).save(path)
    with pytest.raises(WeightsError, match="activations per image"):
        load_weights(path)


LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def letters_header(**changes: Any) -> bytes:
    """Return the header of a network for letters, with three hidden units."""
    architecture = Network(feedforward([3], n_classes=26)).architecture()
    return json_header(**{"architecture": architecture, "classes": list(LETTERS), **changes})


def test_class_names_survive_a_round_trip(tmp_path: Path) -> None:
    """Class names are saved and loaded; a network for digits stores none."""
    network = Network(feedforward([3], n_classes=26))
    Weights("x", network.architecture(), network.parameters, {}, LETTERS).save(tmp_path / "x.npz")
    assert load_weights(tmp_path / "x.npz").class_names == LETTERS
    small_weights().save(tmp_path / "digits.npz")
    assert load_weights(tmp_path / "digits.npz").class_names == tuple("0123456789")
    assert b"classes" not in (tmp_path / "digits.npz").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": list(LETTERS[:25])}, "has 26 outputs but 25 class names"),
        ({"classes": [*LETTERS[:25], "A"]}, "not a list of 2 to 62 different names"),
        ({"classes": [*LETTERS[:25], ""]}, "not a list of 2 to 62 different names"),
        ({"classes": [*LETTERS[:25], "A\nB"]}, "not a list of 2 to 62 different names"),
        ({"classes": [*LETTERS[:25], "A" * 41]}, "not a list of 2 to 62 different names"),
        ({"classes": [*LETTERS[:25], 7]}, "not a list of 2 to 62 different names"),
        ({"classes": "".join(LETTERS)}, "not a list of 2 to 62 different names"),
        ({"classes": None}, "not a list of 2 to 62 different names"),
    ],
    ids=["too few", "twice", "empty", "two lines", "long", "number", "text", "null"],
)
def test_invalid_class_names_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    """Invalid class names, or a number of names that differs from the number of outputs, are rejected."""
    (tmp_path / "x.npz").write_bytes(zipped(members(header=letters_header(**changes))))
    with pytest.raises(WeightsError, match=message):
        load_weights(tmp_path / "x.npz")


def test_native_files_are_recognised_by_their_first_bytes(tmp_path: Path) -> None:
    """Only the first bytes of a file are read, because an archive may have a million entries."""
    assert is_own(SHIPPED)
    path = tmp_path / "many.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30_000):
            archive.writestr(str(number), b"")
    tracemalloc.start()
    assert not is_own(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6
    np.savez(tmp_path / "plain.npz", W1=np.zeros((784, 10)))
    assert not is_own(tmp_path / "plain.npz")
    assert not is_own(tmp_path)
    assert not is_own(tmp_path / "missing.npz")
