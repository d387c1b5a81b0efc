import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitpad.cli import main
from digitpad.datasets.dataset import Digits
from digitpad.weights.weights import load_weights
from tests.datasets.set_files import write_images

NAMES = [f"class {place:02d}" for place in range(12)]
TRAIN = ["train", "--recipe", "quick", "--set", "network.hidden=[32]", "--set", "training.epochs=12"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve classes, each a square at a place of its own."""
    images = np.zeros((480, 28, 28), np.uint8)
    labels = np.arange(480, dtype=np.uint8) % 12
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 4)
        image[4 + 7 * row :, 2 + 6 * column :][:6, :5] = 255
    noise = np.random.default_rng(0).integers(0, 60, images.shape, np.uint8)
    return write_images(tmp_path_factory.mktemp("squares"), Digits(np.maximum(images, noise), labels), NAMES)


@pytest.fixture(scope="module")
def weights(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that tell the squares apart."""
    path = tmp_path_factory.mktemp("weights") / "squares.npz"
    settings = ["--set", "optimizer.learning_rate=0.01", "--set", "training.batch_size=32"]
    assert main([*TRAIN, *settings, "--data", str(data), "--out", str(path)]) == 0
    return path


def test_twelve_classes_are_learnt_by_their_names(weights: Path) -> None:
    """The names of the folders are those of the outputs."""
    loaded = load_weights(weights)
    assert loaded.class_names == tuple(NAMES)
    assert loaded.network().summary() == "784-32-12"
    assert loaded.test_accuracy is not None
    assert loaded.test_accuracy > 0.8


def test_evaluate_names_the_classes(capsys: pytest.CaptureFixture[str], weights: Path, data: Path) -> None:
    """And what is scored are images, not digits."""
    assert main(["evaluate", str(weights), "--data", str(data), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert [one["class"] for one in scores["classes"]] == NAMES
    assert len(scores["confusion"]) == 12
    assert scores["accuracy"] > 0.8
    assert main(["evaluate", str(weights), "--data", str(data)]) == 0
    assert "test images of" in capsys.readouterr().out


def test_weights_are_not_scored_on_what_they_do_not_know(capsys: pytest.CaptureFixture[str], weights: Path) -> None:
    """The squares' weights know no digits."""
    assert main(["evaluate", str(weights)]) == 1
    err = capsys.readouterr().err
    assert "MNIST: has the classes 0 to 9; expected those of the network, class 00, class 01" in err


def test_predict_tells_the_class(capsys: pytest.CaptureFixture[str], weights: Path, tmp_path: Path) -> None:
    """By its place and by its name."""
    image = np.zeros((28, 28), np.uint8)
    image[4:10, 2:7] = 255
    Image.fromarray(image).save(tmp_path / "square.png")
    assert main(["predict", "--weights", str(weights), "--json", str(tmp_path / "square.png")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["class"] == NAMES[answer["digit"]]
    assert len(answer["probabilities"]) == 12


def test_pen_digits_are_not_mixed_with_squares(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    """It is told by the setting's name."""
    out = str(tmp_path / "x.npz")
    assert main([*TRAIN, "--set", "data.pen_digits=100", "--data", str(data), "--out", out]) == 1
    assert "data.pen_digits: can be made besides digits alone" in capsys.readouterr().err
