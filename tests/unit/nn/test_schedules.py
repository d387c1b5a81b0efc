import math

import pytest

from digitpad.nn.schedules import Constant, Cosine, Exponential, InverseTime, OneCycle, Schedule, StepDecay, WarmUp


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Constant(), {0: 1, 5: 1, 10: 1}),
        (StepDecay(every=4, factor=0.1), {0: 1, 3.9: 1, 4: 0.1, 8: 0.01}),
        (InverseTime(decay=0.5), {0: 1, 2: 1 / 2, 10: 1 / 6}),
        (Exponential(decay=0.5), {0: 1, 2: math.exp(-1), 10: math.exp(-5)}),
        (Cosine(), {0: 1, 2.5: 0.5 + math.sqrt(1 / 8), 5: 0.5, 10: 0, 11: 0}),
        (OneCycle(), {0: 1 / 25, 1.5: 0.52, 3: 1, 6.5: 0.50005, 10: 1e-4, 11: 1e-4}),
        (WarmUp(2, Constant()), {0: 0, 1: 0.5, 2: 1, 10: 1}),
        (WarmUp(5, Cosine()), {0: 0, 2.5: 0.5 * (0.5 + math.sqrt(1 / 8)), 10: 0}),
    ],
)
def test_factor_by_hand(schedule: Schedule, factors: dict[float, float]) -> None:
    """Each schedule returns the factors of its formula for some epochs out of ten."""
    assert {epoch: schedule(epoch, 10) for epoch in factors} == pytest.approx(factors)
