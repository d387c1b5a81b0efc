import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitpad.cli import main
from digitpad.datasets.dataset import Digits
from digitpad.weights.native_format import load_weights
from tests.unit.datasets.set_files import write_images

NAMES = [f"class {place:02d}" for place in range(12)]
TRAIN = ["train", "--recipe", "quick", "--set", "network.hidden=[32]", "--set", "training.epochs=12"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset of 12 classes, each a square at its own position."""
    images = np.zeros((480, 28, 28), np.uint8)
    labels = np.arange(480, dtype=np.uint8) % 12
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 4)
        image[4 + 7 * row :, 2 + 6 * column :][:6, :5] = 255
    noise = np.random.default_rng(0).integers(0, 60, images.shape, np.uint8)
    return write_images(tmp_path_factory.mktemp("squares"), Digits(np.maximum(images, noise), labels), NAMES)


@pytest.fixture(scope="module")
def weights(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a network trained on the squares."""
    path = tmp_path_factory.mktemp("weights") / "squares.npz"
    settings = ["--set", "optimizer.learning_rate=0.01", "--set", "training.batch_size=32"]
    assert main([*TRAIN, *settings, "--data", str(data), "--out", str(path)]) == 0
    return path


def test_twelve_class_names_come_from_the_folders(weights: Path) -> None:
    """The names of the folders become the class names of the network."""
    loaded = load_weights(weights)
    assert loaded.class_names == tuple(NAMES)
    assert loaded.network().summary() == "784-32-12"
    assert loaded.test_accuracy is not None
    assert loaded.test_accuracy > 0.8


def test_evaluate_names_the_classes(capsys: pytest.CaptureFixture[str], weights: Path, data: Path) -> None:
    """Scores have class names, and the text says images instead of digits."""
    assert main(["evaluate", str(weights), "--data", str(data), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert [row["class"] for row in scores["classes"]] == NAMES
    assert len(scores["confusion"]) == 12
    assert scores["accuracy"] > 0.8
    assert main(["evaluate", str(weights), "--data", str(data)]) == 0
    assert "test images of" in capsys.readouterr().out


def test_network_is_not_scored_on_unknown_classes(capsys: pytest.CaptureFixture[str], weights: Path) -> None:
    """A network for squares cannot be evaluated on digits."""
    assert main(["evaluate", str(weights)]) == 1
    err = capsys.readouterr().err
    assert "MNIST: has the classes 0 to 9" in err
    assert "squares.npz knows none" in err
    assert "class 00, class 01" in err


def test_predict_prints_the_class(capsys: pytest.CaptureFixture[str], weights: Path, tmp_path: Path) -> None:
    """The prediction has the index and the name of the class."""
    image = np.zeros((28, 28), np.uint8)
    image[4:10, 2:7] = 255
    Image.fromarray(image).save(tmp_path / "square.png")
    assert main(["predict", "--weights", str(weights), "--json", str(tmp_path / "square.png")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["class"] == NAMES[answer["digit"]]
    assert len(answer["probabilities"]) == 12


def test_pen_digits_are_not_mixed_with_squares(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    """The error names the setting."""
    out = str(tmp_path / "x.npz")
    assert main([*TRAIN, "--set", "data.pen_digits=100", "--data", str(data), "--out", out]) == 1
    assert "data.pen_digits: can only be added to a dataset of digits" in capsys.readouterr().err


def without_class_names(weights: Path, folder: Path) -> Path:
    """Save the weights as plain arrays, without class names."""
    arrays: list[Any] = list(load_weights(weights).network().named_parameters().values())
    np.savez(folder / "theirs.npz", **dict(zip(["W1", "b1", "W2", "b2"], arrays, strict=True)))
    return folder / "theirs.npz"


def test_imported_weights_get_class_names(
    capsys: pytest.CaptureFixture[str], weights: Path, data: Path, tmp_path: Path
) -> None:
    """Class names come from a list, or from a dataset that is then used for testing; without them there is an error."""
    theirs, ours = without_class_names(weights, tmp_path), tmp_path / "ours.npz"
    assert main(["convert", str(theirs), str(ours)]) == 1
    assert (
        "has 12 outputs (W2 (32 × 12)); expected 10, one per digit, or class names, for example --classes A-Z"
        in capsys.readouterr().err
    )
    assert main(["convert", str(theirs), str(ours), "--classes", "A-K"]) == 1
    assert "has 12 outputs (W2 (32 × 12)), but there are 11 class names\n" in capsys.readouterr().err
    assert main(["convert", str(theirs), str(ours), "--classes", "squares"]) == 1
    assert "--classes 'squares' is not a list of 2 to 62 different names" in capsys.readouterr().err
    assert main(["convert", str(theirs), str(ours), "--classes", "A-L"]) == 0
    assert "with relu and x/255, accuracy not tested" in capsys.readouterr().out
    assert load_weights(ours).class_names == tuple("ABCDEFGHIJKL")
    assert main(["convert", str(theirs), str(ours), "--force", "--classes", str(data)]) == 0
    assert f"with relu and x/255, accuracy 100.0% on 72 validation images of {data.name}" in capsys.readouterr().out
    assert load_weights(ours).class_names == tuple(NAMES)


def test_accuracy_of_zero_is_reported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An accuracy of 0 is reported: this network predicts the eleventh class for every digit."""
    path = tmp_path / "none.npz"
    weight = np.random.default_rng(0).normal(size=(784, 11)) * 1e-9
    np.savez(path, W1=weight, b1=np.arange(11) == 10)
    assert main(["convert", str(path), str(tmp_path / "ours.npz"), "--classes", "0-9, none"]) == 0
    assert "accuracy 0.0% on 1,000 validation images of MNIST" in capsys.readouterr().out


def test_dataset_provides_missing_class_names(
    capsys: pytest.CaptureFixture[str], weights: Path, data: Path, tmp_path: Path
) -> None:
    """Imported weights without class names take those of the dataset."""
    theirs = without_class_names(weights, tmp_path)
    assert main(["evaluate", str(theirs), "--data", str(data), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["accuracy"] > 0.8
    assert scores["convention"]["scaling"] == "x/255"
