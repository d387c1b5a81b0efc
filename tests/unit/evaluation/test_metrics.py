from pathlib import Path

import numpy as np
import pytest

from digitpad.class_names import DIGITS
from digitpad.datasets.dataset import load_path, mnist
from digitpad.errors import DataError
from digitpad.evaluation.metrics import EvaluationProgress, align_labels, evaluate, evaluate_in_chunks, interval
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights
from tests.unit.datasets.idx_files import random_digits
from tests.unit.datasets.set_files import write_images

CHUNK = 200


def some_network() -> Network:
    network = Network(feedforward([8]))
    network.initialize(np.random.default_rng(1))
    return network


@pytest.mark.parametrize("n", [1, CHUNK - 1, CHUNK, 2 * CHUNK + 134])
def test_scores_by_hand(n: int) -> None:
    """Accuracy and loss equal a float64 computation on all digits at once, regardless of the chunks."""
    network, digits = some_network(), mnist().validation[:n]
    named = {name: array.astype(float) for name, array in network.named_parameters().items()}
    hidden = np.maximum(digits.images.reshape(n, -1) / 255 @ named["2.weight"] + named["2.bias"], 0)
    logits = hidden @ named["4.weight"] + named["4.bias"]
    likelihoods = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scores = evaluate(network, digits)
    assert scores.n == n
    assert scores.accuracy == np.mean(logits.argmax(axis=1) == digits.labels)
    assert scores.loss == pytest.approx(-np.log(likelihoods[np.arange(n), digits.labels]).mean(), rel=1e-5)


def test_evaluation_yields_between_chunks() -> None:
    """Progress is yielded after each chunk."""
    total = 2 * CHUNK + 134
    records = list(evaluate_in_chunks(some_network(), mnist().validation[:total]))
    assert records == [EvaluationProgress(done, total) for done in (CHUNK, 2 * CHUNK, total)]


def test_evaluation_changes_no_parameter() -> None:
    """Evaluation leaves all parameters unchanged."""
    network = some_network()
    before = network.parameters.copy()
    evaluate(network, mnist().validation[:1000])
    np.testing.assert_array_equal(network.parameters, before)


def test_interval_by_hand() -> None:
    """The interval matches published values for 9 of 10, and stays within 0 and 1."""
    assert interval(0.9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert interval(1.0, 10_000) == pytest.approx((0.99962, 1.0), abs=1e-5)
    assert interval(0.0, 5)[0] == pytest.approx(0)


def test_labels_follow_the_network_s_classes(tmp_path: Path) -> None:
    """Labels are mapped to the network's class order; a class that the network lacks raises an error."""
    names = ["dog", "cat"] * 5
    dataset = load_path(write_images(tmp_path / "pets", random_digits(60), names))
    assert dataset.class_names == ("cat", "dog")

    def weights(*names: str) -> Weights:
        network = Network(feedforward([], n_classes=len(names)))
        return Weights("mine.npz", network.architecture(), network.parameters, {}, names)

    assert align_labels(dataset, weights("cat", "dog")) is dataset
    result = align_labels(dataset, weights("bird", "dog", "cat"))
    np.testing.assert_array_equal(result.test.labels, np.where(dataset.test.labels == 0, 2, 1))
    np.testing.assert_array_equal(result.training.labels, np.where(dataset.training.labels == 0, 2, 1))
    with pytest.raises(
        DataError, match=r"pets: has the classes cat, dog, but mine.npz knows none of them; its classes are 0 to 9"
    ):
        align_labels(dataset, weights(*DIGITS))
    with pytest.raises(
        DataError, match=r"knows all except dog; its classes are cat, bird. Choose a dataset with these classes, or"
    ):
        align_labels(dataset, weights("cat", "bird"))
