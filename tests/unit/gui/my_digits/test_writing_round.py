import numpy as np
import pytest

from digitpad.gui.my_digits.writing_round import WritingRound, next_writer


def test_each_digit_is_asked_equally_often_and_never_twice_in_a_row() -> None:
    """The order is mixed: it differs from round to round."""
    for seed in range(20):
        prompts = WritingRound(5, np.random.default_rng(seed)).prompts
        assert sorted(prompts) == sorted([*range(10)] * 5)
        assert all(first != second for first, second in zip(prompts[:-1], prompts[1:], strict=True))
        assert prompts[:10] != prompts[10:20]


def test_skip_and_back() -> None:
    """Back returns the drawing that was kept there, once; a skipped digit has none."""
    round_ = WritingRound(1, np.random.default_rng(1))
    round_.keep("first")
    round_.skip()
    assert round_.prompt == round_.prompts[2]
    assert round_.following == round_.prompts[3:7]
    assert round_.back() == ""
    assert round_.back() == "first"
    assert round_.back() == ""
    assert (round_.place, round_.kept) == (0, {})
    for _ in range(12):
        round_.skip()
    assert round_.prompt is None
    assert round_.following == ()


@pytest.mark.parametrize(
    ("name", "following"), [("7", "8"), ("pupil 9", "pupil 10"), ("Ada", ""), ("", ""), ("3b", "")]
)
def test_numbered_writers_are_counted_up(name: str, following: str) -> None:
    """A writer's name that ends in a number is followed by the next one."""
    assert next_writer(name) == following
