import pytest

from digitpad.nn.schedules import constant, cosine


def test_constant_never_changes() -> None:
    """The factor is 1 from end to end."""
    assert [constant(progress) for progress in (0, 0.5, 1)] == [1, 1, 1]


def test_cosine_goes_from_one_to_zero() -> None:
    """Whole at the beginning, half in the middle, nothing at the end."""
    assert [cosine(progress) for progress in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
