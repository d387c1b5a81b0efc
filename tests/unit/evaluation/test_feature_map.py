import numpy as np
import pytest

from digitpad.evaluation.feature_map import feature_map


def features(n: int, n_units: int) -> np.ndarray:
    spread = np.array([3, 2, 1, 0.5, 0.2, 0.1] + [0.1] * (n_units - 6))
    return (np.random.default_rng(2).normal(size=(n, n_units)) * spread + 5).astype(np.float32)


@pytest.mark.parametrize("shape", [(60, 6), (20, 30)], ids=["tall", "wide"])
def test_axes_are_singular_vectors(shape: tuple[int, int]) -> None:
    """The axes are the first two singular vectors of the centred features, for tall and wide matrices."""
    values = features(*shape)
    u, s, vt = np.linalg.svd((values - values.mean(axis=0)).astype(float), full_matrices=False)
    result = feature_map(values)
    for axis in range(2):
        sign = np.sign(result.axes[axis] @ vt[axis])
        np.testing.assert_allclose(result.axes[axis] * sign, vt[axis], atol=1e-5)
        np.testing.assert_allclose(result.points[:, axis] * sign, u[:, axis] * s[axis], atol=1e-3)
    np.testing.assert_allclose(result.explained, (s**2 / (s**2).sum())[:2], rtol=1e-5)
    assert (result.axes[[0, 1], np.abs(result.axes).argmax(axis=1)] > 0).all()


def test_explained_variance_equals_that_of_scikit_learn() -> None:
    """The explained variance equals that of scikit-learn's ``PCA``."""
    values = (np.random.default_rng(7).normal(size=(40, 6)) * [3, 2, 1, 0.5, 0.2, 0.1]).astype(np.float32)
    assert feature_map(values).explained == pytest.approx((0.5878389408136405, 0.33250633703766524), rel=1e-6)


def test_placing_digits_again_gives_the_same_coordinates() -> None:
    """Placing digits of the map again gives the same coordinates."""
    values = features(60, 6)
    result = feature_map(values)
    np.testing.assert_allclose(result.place(values[7:9]), result.points[7:9], atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 6), (5, 1), (1, 1)], ids=str)
def test_map_of_one_digit_or_unit_is_finite(shape: tuple[int, int]) -> None:
    """A map of one digit or one unit is finite and has zeros along the missing axis."""
    result = feature_map(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))
    assert result.points.shape == (shape[0], 2)
    assert result.axes.shape == (2, shape[1])
    assert np.isfinite(result.points).all()
    np.testing.assert_allclose(result.points[:, 1], 0, atol=1e-6)


def test_map_of_zero_activations_is_the_origin() -> None:
    """If all activations are 0, all digits are at the origin."""
    result = feature_map(np.zeros((5, 8), np.float32))
    np.testing.assert_array_equal(result.points, np.zeros((5, 2)))
    assert result.explained == (0, 0)
