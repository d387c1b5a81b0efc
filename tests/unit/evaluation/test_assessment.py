import dataclasses
import math

import numpy as np
import pytest

from digitpad.datasets.dataset import Dataset, Digits, mnist
from digitpad.errors import DigitpadError
from digitpad.evaluation.assessment import Assessment, assess, assessment_from, rejection_curve
from digitpad.evaluation.csv_tables import TABLES, class_table
from digitpad.evaluation.metrics import evaluate, run_to_end
from digitpad.evaluation.parallel_predictor import Inference, ParallelPredictor, features_of
from digitpad.nn.feedforward import feedforward
from digitpad.nn.layers import AddChannel, AvgPool2d, Conv2d, Flatten, Linear, Rescale
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights


def weights_of(network: Network, **about: float) -> Weights:
    network.initialize(np.random.default_rng(1))
    return Weights("some.npz", network.architecture(), network.parameters, about)


def few_digits(n: int) -> Dataset:
    data = mnist()
    return Dataset("few", data.training[:n], data.validation[:n], data.test[:n], "")


def sample() -> Assessment:
    """Return an assessment of 500 random predictions, two thirds of them correct."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 10, 500)
    logits = rng.normal(size=(500, 10)).astype(np.float32)
    logits[np.arange(500), labels] += 2
    digits = Digits(np.zeros((500, 28, 28), np.uint8), labels.astype(np.uint8))
    weights = weights_of(Network(feedforward([])), sure_above=0.5)
    return assessment_from(weights, "random", "test", digits, Inference(logits, logits))


def test_metrics_equal_those_of_scikit_learn() -> None:
    """All metrics equal those of scikit-learn 1.9 for the same 500 predictions."""
    result = sample()
    assert result.scores.accuracy == 0.674
    assert result.scores.loss == pytest.approx(1.140889681708748, rel=1e-6)
    golden = {
        "precision": [0.571429, 0.66, 0.675676, 0.723404, 0.634615, 0.730769, 0.709091, 0.642857, 0.722222, 0.66129],
        "recall": [0.608696, 0.647059, 0.609756, 0.693878, 0.673469, 0.716981, 0.735849, 0.642857, 0.639344, 0.745455],
        "f1": [0.589474, 0.653465, 0.641026, 0.708333, 0.653465, 0.72381, 0.722222, 0.642857, 0.678261, 0.700855],
        "n": [46, 51, 41, 49, 49, 53, 53, 42, 61, 55],
    }
    for name, values in golden.items():
        assert [getattr(row, name) for row in result.classes] == pytest.approx(values, abs=1e-6)
    assert result.confusion.tolist() == [
        [28, 1, 2, 2, 1, 2, 2, 1, 3, 4],
        [3, 33, 4, 1, 2, 1, 1, 1, 1, 4],
        [2, 1, 25, 3, 2, 0, 2, 5, 0, 1],
        [4, 1, 1, 34, 1, 2, 3, 1, 1, 1],
        [4, 2, 1, 1, 33, 2, 2, 1, 2, 1],
        [1, 2, 0, 1, 2, 38, 3, 1, 1, 4],
        [1, 2, 2, 0, 0, 2, 39, 2, 3, 2],
        [2, 3, 0, 2, 3, 1, 1, 27, 1, 2],
        [1, 4, 1, 3, 5, 2, 2, 2, 39, 2],
        [3, 1, 1, 0, 3, 2, 0, 1, 3, 41],
    ]


def test_mistakes_are_sorted_by_confidence() -> None:
    """All wrong predictions are listed, the most confident first."""
    result = sample()
    assert set(result.mistakes.tolist()) == set(np.flatnonzero(~result.right).tolist())
    assert (np.diff(result.confidences[result.mistakes]) <= 0).all()


def test_rejection_curve_equals_separate_thresholds() -> None:
    """The rejection curve equals the accuracy and the share computed separately for each threshold."""
    result = sample()
    curve = result.rejection_curve
    for threshold, accuracy, not_sure in zip(curve.thresholds, curve.accuracy, curve.not_sure, strict=True):
        sure = result.confidences >= threshold
        assert not_sure == pytest.approx(1 - sure.mean())
        if sure.any():
            assert accuracy == pytest.approx(result.right[sure].mean())
        else:
            assert math.isnan(accuracy)
    assert curve.not_sure_at_threshold == (result.confidences < 0.5).mean() == 1 - result.is_sure.mean()
    assert curve.accuracy_at_threshold == result.right[result.confidences >= 0.5].mean()


def test_rejection_curve_ends_without_a_sure_prediction() -> None:
    """A threshold above every confidence makes no prediction sure."""
    curve = rejection_curve(np.array([0.2, 0.6], np.float32), np.array([False, True]), 0.4, 3)
    np.testing.assert_array_equal(curve.accuracy, [0.5, 1, np.nan])
    np.testing.assert_array_equal(curve.not_sure, [0, 0.5, 1])
    assert (curve.accuracy_at_threshold, curve.not_sure_at_threshold) == (1, 0.5)


def test_missing_class_has_no_scores() -> None:
    """The scores of a missing class are NaN, and empty cells in the table."""
    logits = np.eye(10, dtype=np.float32)[[0, 0, 1]]
    digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([0, 1, 1], np.uint8))
    result = assessment_from(weights_of(Network(feedforward([]))), "", "test", digits, Inference(logits, logits))
    assert (result.classes[0].precision, result.classes[0].recall) == (0.5, 1)
    assert math.isnan(result.classes[5].recall)
    assert math.isnan(result.classes[5].precision)
    assert class_table(result, "classes").splitlines()[6] == "5,0,,,,,"


@pytest.mark.parametrize("hidden", [[16], [], ["5x5x4", "pool", 12]], ids=str)
def test_number_of_threads_does_not_change_the_results(hidden: list[int | str]) -> None:
    """Any number of threads gives bit-identical results, close to those of a single-batch evaluation."""
    weights, dataset = weights_of(Network(feedforward(hidden))), few_digits(300)
    one, three = (run_to_end(assess(weights, dataset, "test", n)) for n in (1, 3))
    np.testing.assert_array_equal(one.logits, three.logits)
    np.testing.assert_array_equal(one.features, three.features)
    expected = evaluate(weights.network(), dataset.test)
    assert one.scores.accuracy == expected.accuracy
    assert one.scores.loss == pytest.approx(expected.loss, rel=1e-5)
    assert one.scores == three.scores


def test_requested_part_is_evaluated() -> None:
    """The requested part of the dataset is evaluated."""
    weights, dataset = weights_of(Network(feedforward([16]))), few_digits(50)
    result = run_to_end(assess(weights, dataset, "validation"))
    assert result.digits is dataset.validation
    assert result.part == "validation"


def test_features_are_the_last_hidden_layers() -> None:
    """Features times the weights of the last layer, plus its biases, are the logits."""
    weights, dataset = weights_of(Network(feedforward([16, 8]))), few_digits(100)
    result = run_to_end(assess(weights, dataset, "test"))
    named = weights.network().named_parameters()
    assert result.features.shape == (100, 8)
    np.testing.assert_allclose(result.features @ named["6.weight"] + named["6.bias"], result.logits, atol=1e-4)
    np.testing.assert_allclose(features_of(weights.network(), dataset.test.images[:5]), result.features[:5], rtol=1e-4)


def test_without_a_dense_layer_the_logits_are_the_features() -> None:
    """For a network without dense layers, the logits are the features."""
    network = Network([Rescale(), AddChannel(), Conv2d(10, 5), AvgPool2d(24), Flatten()])
    result = run_to_end(assess(weights_of(network), few_digits(70), "test", 2))
    np.testing.assert_array_equal(result.features, result.logits)


def test_stored_features_of_a_wide_layer_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a wide layer, only the first features are stored, but all digits are evaluated."""
    monkeypatch.setattr("digitpad.evaluation.parallel_predictor.MAX_FEATURE_NUMBERS", 100 * 16)
    weights, dataset = weights_of(Network(feedforward([16]))), few_digits(150)
    result = run_to_end(assess(weights, dataset, "test", 2))
    assert result.features.shape == (100, 16)
    named = weights.network().named_parameters()
    np.testing.assert_allclose(result.features @ named["4.weight"] + named["4.bias"], result.logits[:100], atol=1e-4)


def test_evaluation_can_be_stopped_between_chunks() -> None:
    """Closing the generator between chunks stops the evaluation."""
    work = assess(weights_of(Network(feedforward([16]))), few_digits(300), "test", 2)
    first = next(work)
    assert 0 < first.done < first.total == 300
    work.close()


def test_progress_ends_at_the_last_digit() -> None:
    """Progress increases after each chunk and ends at the number of digits."""
    with ParallelPredictor(weights_of(Network(feedforward([16]))), 2) as predictor:
        done = [progress.done for progress in predictor.read(mnist().test.images[:200])]
    assert done == [64, 128, 192, 200]


def test_infinite_logits_are_reported() -> None:
    """Logits that are not finite raise an error."""
    weights = weights_of(Network(feedforward([16])))
    parameters = np.full_like(weights.parameters, np.float32(3e38))
    with pytest.raises(DigitpadError, match="not finite"):
        run_to_end(assess(dataclasses.replace(weights, parameters=parameters), few_digits(20), "test"))


def test_tables_hold_every_row() -> None:
    """Tables have one row per class, or one row per digit with its ten probabilities."""
    result = sample()
    rows = {name: [line.split(",") for line in class_table(result, name).splitlines()] for name in TABLES}
    assert [len(rows[name]) for name in TABLES] == [11, 11, 501]
    assert [int(cell) for cell in rows["confusion"][3][1:]] == result.confusion[2].tolist()
    index, label, predicted, sure, *probabilities = rows["digits"][1]
    assert (index, int(label), int(predicted)) == ("0", result.digits.labels[0], result.predicted[0])
    assert (sure == "yes") == bool(result.is_sure[0])
    assert [float(p) for p in probabilities] == pytest.approx(result.probabilities[0].tolist(), abs=1e-6)


def test_features_of_softmax_regression_are_pixels() -> None:
    """The features of softmax regression are the scaled pixels."""
    network = Network([Rescale(), Flatten(), Linear(10, "he_normal")])
    result = run_to_end(assess(weights_of(network), few_digits(10), "test"))
    np.testing.assert_allclose(result.features, few_digits(10).test.images.reshape(10, -1) / np.float32(255), rtol=1e-6)
