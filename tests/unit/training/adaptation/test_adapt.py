from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.class_names import default_names, parse_names
from digitpad.datasets.dataset import mnist
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.errors import DigitpadError
from digitpad.evaluation.metrics import run_to_end
from digitpad.nn.feedforward import feedforward
from digitpad.nn.losses import NONE
from digitpad.nn.network import Network
from digitpad.training.adaptation.adapt import References, adapt, held_out, read_references
from digitpad.training.adaptation.records import AdaptationProgress, AdaptationSettings
from digitpad.training.adaptation.split_network import SplitNetwork
from digitpad.weights.native_format import SHIPPED, Weights, load_weights
from tests.unit.ink.drawings import DIGITS, ONE_WITH_FLAG

QUICK = AdaptationSettings(n_steps=60, n_mnist=2000, n_pen=200, n_validation=2000, max_drop=0.003)


@pytest.fixture(scope="module")
def dense() -> Weights:
    return load_weights(SHIPPED.with_name("dense.npz"))


@pytest.fixture(scope="module")
def references(dense: Weights) -> References:
    return run_to_end(read_references(dense, 1, QUICK))


def odd_digits() -> list[OwnDigit]:
    """Return six slanted 1s with a long flag, which the dense network reads as 7, and six common 4s."""
    shapes = [(1, ONE_WITH_FLAG, -25), (4, DIGITS[4], 0)]
    return [
        OwnDigit(label, tuple(path @ turn(degrees + step) for path in paths))
        for label, paths, degrees in shapes
        for step in range(6)
    ]


def turn(degrees: float) -> NDArray[np.float64]:
    """Return the matrix that turns points in rows."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])


def test_network_learns_the_users_digits_and_keeps_mnist(dense: Weights, references: References) -> None:
    """After the adaptation, held-out digits of an unusual style are read, and the MNIST accuracy hardly changes."""
    drawings = odd_digits()
    result = run_to_end(adapt(dense, drawings, 1, QUICK, references))
    assert result.before.n_own == result.after.n_own == 4
    assert result.before.own_accuracy == 0.5
    assert result.after.own_accuracy == 1
    assert result.before.mnist_accuracy == pytest.approx(dense.test_accuracy, abs=1e-3)
    assert result.after.mnist_accuracy > result.before.mnist_accuracy - 0.005
    assert [drawing.id for drawing in result.now_read] == [drawing.id for drawing in drawings[:6]]
    assert result.no_longer_read == ()
    answers = result.weights.network().forward(np.stack([drawing.image for drawing in drawings])).argmax(axis=1)
    assert answers.tolist() == [1] * 6 + [4] * 6
    assert result.weights.test_accuracy == result.after.mnist_accuracy
    assert result.weights.about["adapted"]["n_drawings"] == 12
    np.testing.assert_array_equal(result.base.parameters, load_weights(SHIPPED.with_name("dense.npz")).parameters)


def test_progress_increases_to_one(dense: Weights, references: References) -> None:
    """The progress increases to 1, and training reports its loss and both accuracies."""
    records: list[AdaptationProgress] = list(adapt(dense, odd_digits(), 1, replace(QUICK, n_steps=50), references))
    shares = [record.share for record in records]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(record.done <= record.total for record in records)
    losses = [record.loss for record in records if record.loss is not None]
    assert losses[-1] < losses[0]
    (tested, final) = (record for record in records if record.mnist_accuracy is not None)
    assert tested.own_accuracy is not None
    assert final.own_accuracy is None


def test_same_drawings_give_the_same_network(dense: Weights, references: References) -> None:
    """The same drawings give an identical network."""
    first, second = (run_to_end(adapt(dense, odd_digits()[:3], 1, QUICK, references)) for _ in range(2))
    np.testing.assert_array_equal(first.weights.parameters, second.weights.parameters)


def test_only_dense_layers_change() -> None:
    """Convolutional layers do not change."""
    network = Network(feedforward(["3x3x2", "pool", "pool", 8], batch_norm=True))
    network.initialize(np.random.default_rng(1))
    weights = Weights("small", network.architecture(), network.parameters)
    settings = AdaptationSettings(n_steps=10, n_mnist=200, n_pen=100, n_validation=100, max_drop=1)
    result = run_to_end(adapt(weights, odd_digits(), 2, settings))
    before, after = network.named_parameters(), result.weights.network().named_parameters()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    first_dense = min(
        int(name.split(".")[0]) for name, value in before.items() if name.endswith("weight") and value.ndim == 2
    )
    assert changed
    assert all(int(name.split(".")[0]) >= first_dense for name in changed)


def test_drawings_of_no_digit_are_not_held_out(dense: Weights, references: References) -> None:
    """A drawing that is not a digit is trained towards equal probabilities."""
    scribble = OwnDigit(NONE, tuple(DIGITS[7]))
    result = run_to_end(adapt(dense, [scribble], 1, replace(QUICK, max_drop=1), references))
    assert result.after.own_accuracy is None
    assert result.after.n_own == 0
    before, after = (each.network().predict(scribble.image[None]).max() for each in (result.base, result.weights))
    assert after < before


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1, 1, 1, 2, 2, 1, 1], [0, 1, 0, 0, 1, 0, 1]),
        ([1, 2, 3], [0, 1, 0]),
        ([1], [0]),
        ([NONE, NONE], [0, 0]),
        ([NONE, 4, 4], [0, 0, 1]),
    ],
    ids=str,
)
def test_second_and_fifth_of_each_digit_are_held_out(labels: list[int], expected: list[int]) -> None:
    """The second, fifth, … drawing of each digit is held out, or of all drawings if no digit has two."""
    assert held_out(labels).astype(int).tolist() == expected


def test_invalid_adaptations_are_refused(dense: Weights, references: References) -> None:
    """A network for letters, an empty list of drawings, and references of another network are refused."""
    network = Network(feedforward([8], n_classes=26))
    letters = Weights("letters", network.architecture(), network.parameters, {}, parse_names(default_names(26)))
    with pytest.raises(DigitpadError, match="letters does not read the digits"):
        next(adapt(letters, odd_digits()))
    with pytest.raises(DigitpadError, match="no labelled drawings"):
        next(adapt(dense, [OwnDigit(3)]))
    with pytest.raises(ValueError, match="another network"):
        next(adapt(load_weights(SHIPPED), odd_digits(), references=references))


@pytest.mark.parametrize("hidden", [[], [16], ["3x3x2", "pool", 8], ["3x3x9", 8], ["3x3x2", "pool"]], ids=str)
def test_split_network_computes_the_same(hidden: list[Any]) -> None:
    """Trunk and head together give the network's logits, also if the first dense layer is too wide to train."""
    network = Network(feedforward(hidden, batch_norm=bool(hidden)))
    network.initialize(np.random.default_rng(1))
    images = mnist().test.images[:300]
    with SplitNetwork(Weights("any", network.architecture(), network.parameters), 2) as split:
        features = np.empty((300, *split.width), np.float32)
        assert list(split.features(images, features))[-1] == 300
        expected = np.concatenate([network.forward(images[at : at + 50]).copy() for at in range(0, 300, 50)])
        np.testing.assert_allclose(split.logits(features), expected, atol=1e-4)
        assert split.is_right(features, expected.argmax(axis=1).astype(np.uint8)).mean() > 0.99
