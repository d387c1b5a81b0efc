from collections.abc import Callable

import numpy as np
import pytest

from digitpad.nn.arrays import Floats
from digitpad.nn.optimizers import EMA, SGD, Adam, AdamW, Optimizer, RMSProp

OPTIMIZERS: dict[str, tuple[Callable[[], Optimizer], float]] = {
    "sgd": (SGD, 1e-3),
    "momentum": (lambda: SGD(momentum=0.9), 1e-4),
    "nesterov": (lambda: SGD(momentum=0.9, nesterov=True), 1e-4),
    "rmsprop": (RMSProp, 1e-3),
    "adam": (Adam, 1e-2),
    "adamw": (lambda: AdamW(weight_decay=1e-4), 1e-2),
}


def rosenbrock_gradient(w: Floats) -> Floats:
    """Return the gradient of (1 - x)² + 100 (y - x²)², a curved valley with its minimum at (1, 1)."""
    x, y = w
    return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_finds_the_bottom_of_a_parabola(name: str) -> None:
    """Each optimizer finds the minimum of Σ w² at 0."""
    make, _ = OPTIMIZERS[name]
    optimizer, w = make(), np.array([3.0, -2.0])
    for _ in range(2000):
        optimizer.step(w, 2 * w, 0.02 if name != "rmsprop" else 0.002)
    np.testing.assert_allclose(w, 0, atol=2e-3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_finds_the_bottom_of_rosenbrock_valley(name: str) -> None:
    """Each optimizer finds the minimum at (1, 1) with a suitable learning rate."""
    make, learning_rate = OPTIMIZERS[name]
    optimizer, w = make(), np.array([-1.0, 1.0])
    for _ in range(30_000):
        optimizer.step(w, rosenbrock_gradient(w), learning_rate)
    np.testing.assert_allclose(w, 1, atol=1e-2)


def test_momentum_by_hand() -> None:
    """With gradients of 1 and momentum 0.5, v is 1, then 1.5, and w is -0.1, then -0.25."""
    optimizer, w = SGD(momentum=0.5), np.zeros(1)
    optimizer.step(w, np.ones(1), 0.1)
    np.testing.assert_allclose(w, -0.1)
    optimizer.step(w, np.ones(1), 0.1)
    np.testing.assert_allclose(w, -0.25)


def test_nesterov_by_hand() -> None:
    """With gradients of 1 and momentum 0.5, v is 1, then 1.5, and the steps are 1.5, then 1.75 learning rates."""
    optimizer, w = SGD(momentum=0.5, nesterov=True), np.zeros(1)
    optimizer.step(w, np.ones(1), 0.1)
    np.testing.assert_allclose(w, -0.15)
    optimizer.step(w, np.ones(1), 0.1)
    np.testing.assert_allclose(w, -0.325)


def test_rmsprop_by_hand() -> None:
    """With the gradients 2 and -1, s is 0.4, then 0.46."""
    optimizer, w = RMSProp(), np.zeros(1)
    optimizer.step(w, np.array([2.0]), 0.1)
    np.testing.assert_allclose(w, -0.1 * 2 / np.sqrt(0.4))
    optimizer.step(w, np.array([-1.0]), 0.1)
    np.testing.assert_allclose(w, -0.1 * 2 / np.sqrt(0.4) + 0.1 / np.sqrt(0.46))


def test_adam_by_hand() -> None:
    """Two steps equal the algorithm of the paper."""
    optimizer, w = Adam(), np.zeros(1)
    m = s = expected = 0.0
    for t, g in enumerate([2.0, -1.0], start=1):
        optimizer.step(w, np.array([g]), 0.1)
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        expected -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(w, expected, rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_carries_over(name: str) -> None:
    """An optimizer that receives the state of another continues exactly as the other."""
    make, rate = OPTIMIZERS[name]
    rng = np.random.default_rng(3)
    first, w = make(), rng.normal(size=5).astype(np.float32)
    first.step(w, w.copy(), rate)
    second, v = make(), w.copy()
    second.state = {key: array.copy() for key, array in first.state.items()}
    for _ in range(3):
        first.step(w, w.copy(), rate)
        second.step(v, v.copy(), rate)
    np.testing.assert_array_equal(w, v)


def test_adamw_by_hand() -> None:
    """Decayed weights shrink by learning rate times decay before Adam's step, and other parameters do not."""
    optimizer, w = AdamW(weight_decay=0.5, decayed=[slice(0, 1)]), np.array([2.0, 2.0])
    optimizer.step(w, np.array([3.0, 3.0]), 0.1)  # Adam's first step equals the learning rate for any gradient
    np.testing.assert_allclose(w, [2 * 0.95 - 0.1, 2 - 0.1], rtol=1e-7)


def test_average_by_hand() -> None:
    """For 1, 4 and then many 4s, the average starts at 1, warms up with a decay of 3 / 12, and ends at 4."""
    averaged = EMA(0.9)
    averaged.update(np.array([1.0]))
    np.testing.assert_allclose(averaged.average, [1])
    averaged.update(np.array([4.0]))
    np.testing.assert_allclose(averaged.average, [1 + 0.75 * 3])
    for _ in range(200):
        averaged.update(np.array([4.0]))
    np.testing.assert_allclose(averaged.average, [4])


def test_average_uses_its_decay_after_the_warm_up() -> None:
    """After the warm-up, new parameters have a weight of 1 - decay."""
    averaged = EMA(0.9)
    for _ in range(100):
        averaged.update(np.zeros(2))
    averaged.update(np.array([1.0, 2.0]))
    np.testing.assert_allclose(averaged.average, [0.1, 0.2])


def test_nesterov_with_negligible_momentum_is_gradient_descent() -> None:
    """A momentum that float32 rounds to 0 gives plain gradient descent."""
    w = np.ones(2, np.float32)
    SGD(1e-50, nesterov=True).step(w, np.ones(2, np.float32), 0.1)
    np.testing.assert_allclose(w, 0.9)
