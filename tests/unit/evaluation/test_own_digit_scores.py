import pytest

from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.errors import DataError
from digitpad.evaluation.metrics import run_to_end
from digitpad.evaluation.own_digit_scores import GroupScore, score_own_digits
from digitpad.nn.losses import NONE
from digitpad.weights.native_format import SHIPPED, load_weights
from tests.unit.ink.drawings import DIGITS

DENSE = SHIPPED.with_name("dense.npz")


def test_scores_by_writer_and_digit() -> None:
    """Writers are sorted by difficulty and digits by value; non-digits are ignored."""
    labels = [("Ada", 0, 0), ("Ada", 7, 7), ("Bo", 2, 2), ("Bo", 3, 7), ("Bo", NONE, 4)]
    drawings = [OwnDigit(label, tuple(DIGITS[shape]), writer=writer) for writer, label, shape in labels]
    scores = run_to_end(score_own_digits(load_weights(DENSE), drawings))
    assert scores.by_writer == (GroupScore("Bo", 2, 1), GroupScore("Ada", 2, 2))
    assert scores.by_digit == (
        GroupScore("0", 1, 1), GroupScore("2", 1, 1), GroupScore("3", 1, 0), GroupScore("7", 1, 1)
    )  # fmt: skip
    assert scores.by_writer[0].accuracy == 0.5
    assert [scores.read_as.get(drawing.id) for drawing in drawings] == [0, 7, 2, 7, None]


def test_no_digits_have_no_scores() -> None:
    """Without a labelled digit, an error is raised."""
    with pytest.raises(DataError, match="no labelled digits yet"):
        run_to_end(score_own_digits(load_weights(DENSE), [OwnDigit(NONE, tuple(DIGITS[7]))]))
