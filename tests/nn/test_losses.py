import numpy as np

from digitpad.nn.losses import CrossEntropy, softmax
from tests.nn.gradients import numerical_gradient


def test_softmax_by_hand() -> None:
    """Logits log 1, log 3 share a whole as 1 to 3."""
    np.testing.assert_allclose(softmax(np.log([[1.0, 3.0]])), [[0.25, 0.75]])


def test_softmax_survives_large_logits() -> None:
    """A thousand does not overflow, for only differences count."""
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0, -1000.0]])), [[0.5, 0.5, 0]])


def test_cross_entropy_by_hand() -> None:
    """The mean of -log 0.25 and -log 0.75."""
    logits = np.log([[1.0, 3.0], [1.0, 3.0]])
    loss, _ = CrossEntropy()(logits, np.array([0, 1]))
    np.testing.assert_allclose(loss, -(np.log(0.25) + np.log(0.75)) / 2)


def test_cross_entropy_gradient_agrees_with_central_differences() -> None:
    """(softmax - one_hot) / n is the slope that is measured."""
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(4, 10))
    labels = np.array([3, 0, 9, 3])
    _, gradient = CrossEntropy()(logits, labels)
    measured = numerical_gradient(lambda: CrossEntropy()(logits, labels)[0], logits)
    np.testing.assert_allclose(gradient, measured, atol=1e-9)


def test_cross_entropy_stays_finite_when_a_likelihood_underflows() -> None:
    """A hopeless prediction costs much, and not infinitely much."""
    loss, gradient = CrossEntropy()(np.array([[0, 1000]], np.float32), np.array([0]))
    assert 80 < loss < 100
    assert np.isfinite(gradient).all()
