import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.errors import OutputsError, WeightsError
from digitpad.importers.open_file import infer_import, open_weights, probe_set
from digitpad.importers.read_file import read_tensor_tree
from digitpad.weights.native_format import load_weights

FOLDER = Path(__file__).parent / "files"
TRUTH: dict[str, dict[str, Any]] = json.loads((FOLDER / "files.json").read_text())


@pytest.mark.parametrize("name", TRUTH)
def test_accuracy_equals_that_of_keras(name: str, tmp_path: Path) -> None:
    """A Keras file scores within 0.5 points of its accuracy in Keras, with its stated scaling and activation."""
    truth = TRUTH[name]
    weights = open_weights(FOLDER / name)
    convention = weights.about["convention"]
    assert convention["scaling"] == truth["scaling"]
    assert convention["activation"] == truth["activation"]
    probe = probe_set()
    predicted = weights.network().predict(probe.images).argmax(axis=1)
    assert (predicted == probe.labels).mean() == pytest.approx(truth["accuracy"], abs=0.005)
    weights.save(tmp_path / "a.npz")
    again = load_weights(tmp_path / "a.npz").network()
    np.testing.assert_array_equal(again.predict(probe.images[:50]), weights.network().predict(probe.images[:50]))


def changed_keras(path: Path, change: Callable[[dict[str, Any]], object], name: str = "mlp.keras") -> Path:
    """Write a copy of a ``.keras`` file with a changed configuration."""
    with zipfile.ZipFile(FOLDER / name) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            if member == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            target.writestr(member, content)
    return path


def layer(config: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in config["config"]["layers"] if item["class_name"] == kind)
    return found


def insert(config: dict[str, Any], entry: Mapping[str, Any], at: int = 1) -> None:
    config["config"]["layers"].insert(at, entry)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: insert(c, {"class_name": "LSTM", "config": {"name": "lstm_1"}}), r"layer 'lstm_1' \(LSTM\) is not"),
        (lambda c: insert(c, {"class_name": "Lambda", "config": {"name": "tidy"}}), r"layer 'tidy' \(Lambda\) is not"),
        (lambda c: layer(c, "Dense")["config"].update(activation="maxout"), "'maxout'"),
        (lambda c: layer(c, "Dense")["config"].update(activation="softmax"), "softmax"),
        (lambda c: insert(c, {"class_name": "Dense", "config": {"name": "new"}}, 2), "'new'.*no weights"),
        (lambda c: layer(c, "InputLayer")["config"].update(batch_shape=[None, 100, 100]), "100 × 100"),
        (lambda c: layer(c, "InputLayer")["config"].update(batch_shape=[None, 784, 2]), "784 × 2"),
        (lambda c: c["config"].update(layers=[]), "no layers"),
        (lambda c: c["config"].update(layers=[{}] * 500), "more than 400"),
        (lambda c: c.update(config=5), "cannot be opened|outputs"),
        (lambda c: insert(c, {"class_name": "Reshape", "config": {"target_shape": [3, 5]}}), "reshapes"),
        (lambda c: insert(c, {"class_name": "BatchNormalization", "config": {"epsilon": "x"}}, 3), "no weights"),
        (lambda c: insert(c, {"class_name": "MaxPooling2D", "config": {}}, 3), "takes images"),
        (lambda c: insert(c, {"class_name": "LeakyReLU", "config": {"alpha": 4}}, 3), "alpha"),
    ],
)
def test_error_names_an_unsupported_layer(
    change: Callable[[dict[str, Any]], object], problem: str, tmp_path: Path
) -> None:
    """A configuration that cannot be built is refused; the message names the layer."""
    path = changed_keras(tmp_path / "a.keras", change)
    if "cannot be opened|" in problem:  # then only the weights are used
        open_weights(path)
        return
    with pytest.raises(WeightsError, match=problem):
        open_weights(path)


def test_other_outputs_require_class_names(tmp_path: Path) -> None:
    """For a network without ten outputs, the error states the number of outputs."""

    def drop_last(config: dict[str, Any]) -> None:
        del config["config"]["layers"][-1]

    with pytest.raises(OutputsError, match="16 outputs") as caught:
        open_weights(changed_keras(tmp_path / "a.keras", drop_last))
    assert caught.value.n_outputs == 16


def test_a_stated_activation_cannot_be_changed() -> None:
    """An activation other than the stated one is refused."""
    with pytest.raises(WeightsError, match="states its activation"):
        open_weights(FOLDER / "mlp.h5", activation="tanh")
    assert infer_import(FOLDER / "mlp.h5", activation="relu", scaling="x/255").chosen.convention.scaling == "x/255"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12345\n", "model.h5"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "cannot be opened"),
        (b"<!DOCTYPE html><html>Not found</html>", "model.h5"),
        (b"\x89HDF\r\n\x1a\n\x09", "version 9"),
    ],
)
def test_invalid_file_with_the_suffix_h5_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    """A pointer, a page or a damaged file with the suffix .h5 raises WeightsError."""
    path = tmp_path / "model.h5"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=problem):
        open_weights(path)


@pytest.mark.parametrize("name", ["nested.h5", "channels_first.keras", "residual_keras_2.h5"])
def test_damaged_files_raise_only_weights_error(name: str, tmp_path: Path) -> None:
    """Files with changed bytes or a changed configuration are read or raise WeightsError."""
    content = (FOLDER / name).read_bytes()
    rng = random.Random(2)
    path = tmp_path / name
    for _ in range(40):
        path.write_bytes(mutated(content, rng))
        try:
            read_tensor_tree(path)
        except WeightsError:
            continue


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return a file with some characters of its configuration or some bytes changed."""
    if content.startswith(b"PK"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w") as target:
            for member in source.namelist():
                target.writestr(member, mutated(source.read(member), rng))
        return buffer.getvalue()
    changed = bytearray(content)
    begin = content.find(b'{"class_name"') if rng.random() < 0.7 else 0
    end = len(changed) if begin <= 0 else min(len(changed), begin + 4000)
    for _ in range(rng.choice((1, 3, 9))):
        changed[rng.randrange(max(begin, 0), end)] = rng.choice(b'0123456789-.,:"[]{}naleu\x00\xff')
    return bytes(changed)
