import numpy as np
import pytest

from digitpad.nn.initializers import INITIALIZERS

VARIANCE = {
    "he_normal": 2 / 300,
    "he_uniform": 2 / 300,
    "glorot_normal": 2 / 500,
    "glorot_uniform": 2 / 500,
    "lecun_normal": 1 / 300,
    "lecun_uniform": 1 / 300,
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_variance_is_that_of_the_paper(name: str) -> None:
    """The variance is 2 / fan_in for He, 2 / (fan_in + fan_out) for Glorot and 1 / fan_in for LeCun; the mean is 0."""
    weight = np.empty((300, 200))
    INITIALIZERS[name](weight, 300, 200, np.random.default_rng(4))
    assert weight.var() == pytest.approx(VARIANCE[name], rel=0.03)
    assert abs(weight.mean()) < 0.002
