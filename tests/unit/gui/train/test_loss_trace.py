import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitpad.gui.train.loss_trace import MAX_BUCKETS, LossTrace


@given(n=st.integers(1, 20_000), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_merged_points_keep_the_extremes(n: int, seed: int) -> None:
    """The curve keeps the extreme losses of all steps, for any number of steps."""
    losses = np.random.default_rng(seed).random(n)
    trace = LossTrace(10)
    for part in np.array_split(losses, 7):
        trace.extend(part.tolist())
    steps, values = trace.points()
    assert len(trace) == n
    assert len(steps) == len(values) <= 2 * MAX_BUCKETS
    assert (np.diff(steps) >= 0).all()
    assert steps[-1] <= n
    assert (values.min(), values.max()) == (losses.min(), losses.max())
    assert trace.recent_mean == pytest.approx(losses[-10:].mean())


def test_few_steps_are_not_merged() -> None:
    """Few steps are not merged."""
    trace = LossTrace()
    trace.extend([3.0, 1.0, 2.0])
    _, values = trace.points()
    np.testing.assert_array_equal(values, [3, 3, 1, 1, 2, 2])
