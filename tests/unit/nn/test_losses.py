import numpy as np
import pytest

from digitpad.nn.arrays import Scratch
from digitpad.nn.losses import NONE, CrossEntropy, add_penalty_gradients, clip_by_norm, clip_by_value, softmax
from tests.unit.nn.gradients import numerical_gradient


def test_softmax_by_hand() -> None:
    """The logits log 1 and log 3 give the probabilities 1/4 and 3/4."""
    np.testing.assert_allclose(softmax(np.log([[1.0, 3.0]])), [[0.25, 0.75]])


def test_softmax_survives_large_logits() -> None:
    """Large logits do not overflow, because only differences matter."""
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0, -1000.0]])), [[0.5, 0.5, 0]])


def test_cross_entropy_by_hand() -> None:
    """The loss is the mean of -log 0.25 and -log 0.75."""
    logits = np.log([[1.0, 3.0], [1.0, 3.0]])
    loss, _ = CrossEntropy()(logits, np.array([0, 1]))
    np.testing.assert_allclose(loss, -(np.log(0.25) + np.log(0.75)) / 2)


def test_cross_entropy_gradient_agrees_with_central_differences() -> None:
    """The gradient (softmax - one_hot) / n equals the numerical gradient."""
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(4, 10))
    labels = np.array([3, 0, 9, 3])
    _, gradient = CrossEntropy()(logits, labels)
    measured = numerical_gradient(lambda: CrossEntropy()(logits, labels)[0], logits)
    np.testing.assert_allclose(gradient, measured, atol=1e-9)


def test_cross_entropy_stays_finite_when_a_likelihood_underflows() -> None:
    """The loss of a probability that underflows is large but finite."""
    loss, gradient = CrossEntropy()(np.array([[0, 1000]], np.float32), np.array([0]))
    assert loss == 1000
    assert np.isfinite(gradient).all()


def test_label_smoothing_by_hand() -> None:
    """With two classes, a label smoothing of 0.2 gives the targets 0.9 and 0.1."""
    loss, gradient = CrossEntropy(0.2)(np.log([[1.0, 3.0]]), np.array([1]))
    np.testing.assert_allclose(loss, -(0.1 * np.log(0.25) + 0.9 * np.log(0.75)))
    np.testing.assert_allclose(gradient, [[0.25 - 0.1, 0.75 - 0.9]])


def test_label_smoothing_gradient_agrees_with_central_differences() -> None:
    """The gradient (softmax - target) / n equals the numerical gradient."""
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(4, 10))
    labels = np.array([3, 0, 9, 3])
    _, gradient = CrossEntropy(0.1)(logits, labels)
    measured = numerical_gradient(lambda: CrossEntropy(0.1)(logits, labels)[0], logits)
    np.testing.assert_allclose(gradient, measured, atol=1e-9)


@pytest.mark.parametrize("share", [-0.1, 1, float("nan")])
def test_invalid_label_smoothing_is_refused(share: float) -> None:
    """A label smoothing outside 0 to below 1 raises a ValueError."""
    with pytest.raises(ValueError, match="0 to below 1"):
        CrossEntropy(share)


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0), (0, 0.7), (0.3, 0.7)])
def test_penalty_gradients_agree_with_central_differences(l1: float, l2: float) -> None:
    """The gradient of l1 Σ|w| + l2 / 2 Σ w² is added for the weights only."""
    rng = np.random.default_rng(4)
    parameters = rng.choice([-1, 1], 9) * rng.uniform(0.1, 1, 9)
    where = [slice(0, 3), slice(5, 8)]

    def penalty() -> float:
        return sum(float(l1 * np.abs(parameters[s]).sum() + l2 / 2 * (parameters[s] ** 2).sum()) for s in where)

    gradients = np.ones(9)
    add_penalty_gradients(gradients, parameters, where, l1, l2, Scratch(np.float64))
    np.testing.assert_allclose(gradients, 1 + numerical_gradient(penalty, parameters), atol=1e-9)


def test_clipping_by_norm_keeps_the_direction() -> None:
    """The gradient (3, 4) with norm 5 becomes (0.6, 0.8) at a limit of 1, and is unchanged at a limit of 6."""
    gradients = np.array([3.0, 4.0])
    assert clip_by_norm(gradients, 6) == 5
    np.testing.assert_array_equal(gradients, [3, 4])
    assert clip_by_norm(gradients, 1) == 5
    np.testing.assert_allclose(gradients, [0.6, 0.8])


def test_clipping_by_value_limits_each_value() -> None:
    """Values beyond the limit are set to the limit, with their sign."""
    gradients = np.array([3.0, -4.0, 0.5])
    clip_by_value(gradients, 1)
    np.testing.assert_array_equal(gradients, [1, -1, 0.5])


def test_sample_of_no_class_has_a_uniform_target() -> None:
    """The target of a sample of no class is uniform, also with label smoothing."""
    logits = np.log([[1.0, 3.0], [1.0, 3.0]])
    loss, gradient = CrossEntropy()(logits, np.array([NONE, 1], np.uint8))
    np.testing.assert_allclose(loss, (-(np.log(0.25) + np.log(0.75)) / 2 - np.log(0.75)) / 2)
    np.testing.assert_allclose(gradient, [[(0.25 - 0.5) / 2, (0.75 - 0.5) / 2], [0.25 / 2, (0.75 - 1) / 2]])
    assert CrossEntropy(0.3)(logits[:1], np.array([NONE]))[0] == CrossEntropy()(logits[:1], np.array([NONE]))[0]


@pytest.mark.parametrize("label", [10, 254])
def test_unknown_label_is_refused(label: int) -> None:
    """A label that is neither a class nor NONE raises an IndexError."""
    with pytest.raises(IndexError):
        CrossEntropy()(np.zeros((1, 10)), np.array([label], np.uint8))


def test_clipping_by_norm_survives_huge_gradients() -> None:
    """Gradients whose squares overflow float32 are clipped correctly."""
    gradients = np.array([3e30, 4e30], np.float32)
    with np.errstate(over="ignore"):
        assert clip_by_norm(gradients, 1) == pytest.approx(5e30)
    np.testing.assert_allclose(gradients, [0.6, 0.8], rtol=1e-6)
