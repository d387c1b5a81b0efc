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
    """Answers to 500 made-up digits, two thirds of them right."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 10, 500)
    logits = rng.normal(size=(500, 10)).astype(np.float32)
    logits[np.arange(500), labels] += 2
    digits = Digits(np.zeros((500, 28, 28), np.uint8), labels.astype(np.uint8))
    weights = weights_of(Network(feedforward([])), confidence_threshold=0.5)
    return assessment_from(weights, "made up", "test", digits, Inference(logits, logits))


def test_figures_are_those_of_scikit_learn() -> None:
    """What its ``metrics`` 1.9 computed of the same 500 answers."""
    made = sample()
    assert made.scores.accuracy == 0.674
    assert made.scores.loss == pytest.approx(1.140889681708748, rel=1e-6)
    golden = {
        "precision": [0.571429, 0.66, 0.675676, 0.723404, 0.634615, 0.730769, 0.709091, 0.642857, 0.722222, 0.66129],
        "recall": [0.608696, 0.647059, 0.609756, 0.693878, 0.673469, 0.716981, 0.735849, 0.642857, 0.639344, 0.745455],
        "f1": [0.589474, 0.653465, 0.641026, 0.708333, 0.653465, 0.72381, 0.722222, 0.642857, 0.678261, 0.700855],
        "n": [46, 51, 41, 49, 49, 53, 53, 42, 61, 55],
    }
    for name, values in golden.items():
        assert [getattr(one, name) for one in made.classes] == pytest.approx(values, abs=1e-6)
    assert made.confusion.tolist() == [
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


def test_mistakes_come_most_confident_first() -> None:
    """All of them, and nothing else."""
    made = sample()
    assert set(made.mistakes.tolist()) == set(np.flatnonzero(~made.right).tolist())
    assert (np.diff(made.confidences[made.mistakes]) <= 0).all()


def test_sure_curve_is_what_each_bound_gives() -> None:
    """Counted one bound at a time; at 0 all answers are sure, and above the largest none."""
    made = sample()
    curve = made.rejection_curve
    for threshold, accuracy, not_sure in zip(curve.thresholds, curve.accuracy, curve.not_sure, strict=True):
        sure = made.confidences >= threshold
        assert not_sure == pytest.approx(1 - sure.mean())
        if sure.any():
            assert accuracy == pytest.approx(made.right[sure].mean())
        else:
            assert math.isnan(accuracy)
    assert curve.not_sure_at_threshold == (made.confidences < 0.5).mean() == 1 - made.is_sure.mean()
    assert curve.accuracy_at_threshold == made.right[made.confidences >= 0.5].mean()


def test_sure_curve_ends_where_no_answer_is_sure() -> None:
    """A bound above every confidence gives every digit up."""
    curve = rejection_curve(np.array([0.2, 0.6], np.float32), np.array([False, True]), 0.4, 3)
    np.testing.assert_array_equal(curve.accuracy, [0.5, 1, np.nan])
    np.testing.assert_array_equal(curve.not_sure, [0, 0.5, 1])
    assert (curve.accuracy_at_threshold, curve.not_sure_at_threshold) == (1, 0.5)


def test_a_class_that_is_not_there_has_no_figures() -> None:
    """NaN, and an empty cell in the table, rather than a 0 that looks like a bad network."""
    logits = np.eye(10, dtype=np.float32)[[0, 0, 1]]
    digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([0, 1, 1], np.uint8))
    made = assessment_from(weights_of(Network(feedforward([]))), "", "test", digits, Inference(logits, logits))
    assert (made.classes[0].precision, made.classes[0].recall) == (0.5, 1)
    assert math.isnan(made.classes[5].recall)
    assert math.isnan(made.classes[5].precision)
    assert class_table(made, "classes").splitlines()[6] == "5,0,,,,,"


@pytest.mark.parametrize("hidden", [[16], [], ["5x5x4", "pool", 12]], ids=str)
def test_any_number_of_threads_reads_the_same(hidden: list[int | str]) -> None:
    """To the last bit, and as an evaluation in one go to a few."""
    weights, dataset = weights_of(Network(feedforward(hidden))), few_digits(300)
    one, three = (run_to_end(assess(weights, dataset, "test", n)) for n in (1, 3))
    np.testing.assert_array_equal(one.logits, three.logits)
    np.testing.assert_array_equal(one.features, three.features)
    alone = evaluate(weights.network(), dataset.test)
    assert one.scores.accuracy == alone.accuracy
    assert one.scores.loss == pytest.approx(alone.loss, rel=1e-5)
    assert one.scores == three.scores


def test_the_part_that_is_asked_for_is_read() -> None:
    """Validation digits are others than the test's."""
    weights, dataset = weights_of(Network(feedforward([16]))), few_digits(50)
    made = run_to_end(assess(weights, dataset, "validation"))
    assert made.digits is dataset.validation
    assert made.part == "validation"


def test_features_are_the_last_hidden_layers() -> None:
    """Times the last layer's weights, plus its biases, they are the logits."""
    weights, dataset = weights_of(Network(feedforward([16, 8]))), few_digits(100)
    made = run_to_end(assess(weights, dataset, "test"))
    named = weights.network().named_parameters()
    assert made.features.shape == (100, 8)
    np.testing.assert_allclose(made.features @ named["6.weight"] + named["6.bias"], made.logits, atol=1e-4)
    np.testing.assert_allclose(features_of(weights.network(), dataset.test.images[:5]), made.features[:5], rtol=1e-4)


def test_without_a_dense_layer_the_logits_are_the_features() -> None:
    """A network of convolutions alone has no last hidden layer of units."""
    network = Network([Rescale(), AddChannel(), Conv2d(10, 5), AvgPool2d(24), Flatten()])
    made = run_to_end(assess(weights_of(network), few_digits(70), "test", 2))
    np.testing.assert_array_equal(made.features, made.logits)


def test_of_a_wide_layer_fewer_digits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has a bound; each digit is read all the same."""
    monkeypatch.setattr("digitpad.evaluation.parallel_predictor.MAX_FEATURE_NUMBERS", 100 * 16)
    weights, dataset = weights_of(Network(feedforward([16]))), few_digits(150)
    made = run_to_end(assess(weights, dataset, "test", 2))
    assert made.features.shape == (100, 16)
    named = weights.network().named_parameters()
    np.testing.assert_allclose(made.features @ named["4.weight"] + named["4.bias"], made.logits[:100], atol=1e-4)


def test_reading_can_be_stopped_between_chunks() -> None:
    """No thread goes on after it, and BLAS has its threads back."""
    work = assess(weights_of(Network(feedforward([16]))), few_digits(300), "test", 2)
    first = next(work)
    assert 0 < first.done < first.total == 300
    work.close()


def test_progress_ends_at_the_last_digit() -> None:
    """It grows, and comes to all of them."""
    with ParallelPredictor(weights_of(Network(feedforward([16]))), 2) as readers:
        done = [progress.done for progress in readers.read(mnist().test.images[:200])]
    assert done == [64, 128, 192, 200]


def test_numbers_that_are_not_finite_are_told() -> None:
    """Rather than figures made of them."""
    weights = weights_of(Network(feedforward([16])))
    parameters = np.full_like(weights.parameters, np.float32(3e38))
    with pytest.raises(DigitpadError, match="not finite"):
        run_to_end(assess(dataclasses.replace(weights, parameters=parameters), few_digits(20), "test"))


def test_tables_hold_every_row() -> None:
    """A row a class, and a row a digit with its ten probabilities."""
    made = sample()
    rows = {name: [line.split(",") for line in class_table(made, name).splitlines()] for name in TABLES}
    assert [len(rows[name]) for name in TABLES] == [11, 11, 501]
    assert [int(cell) for cell in rows["confusion"][3][1:]] == made.confusion[2].tolist()
    index, label, read_as, sure, *probabilities = rows["digits"][1]
    assert (index, int(label), int(read_as)) == ("0", made.digits.labels[0], made.predicted[0])
    assert (sure == "yes") == bool(made.is_sure[0])
    assert [float(p) for p in probabilities] == pytest.approx(made.probabilities[0].tolist(), abs=1e-6)


def test_linear_alone_reads_pixels() -> None:
    """The features of softmax regression are its input."""
    network = Network([Rescale(), Flatten(), Linear(10, "he_normal")])
    made = run_to_end(assess(weights_of(network), few_digits(10), "test"))
    np.testing.assert_allclose(made.features, few_digits(10).test.images.reshape(10, -1) / np.float32(255), rtol=1e-6)
