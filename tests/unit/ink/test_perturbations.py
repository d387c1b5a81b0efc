import numpy as np

from digitpad.ink.perturbations import MAX_CHANGE, small_changes
from digitpad.nn.arrays import Floats
from tests.unit.ink.drawings import DIGITS, ONE_WITH_FLAG, OPEN_ZERO, SEVEN_WITH_BAR, TWO_WITH_FOOT, line


def words(paths: list[Floats]) -> set[str]:
    return {change.words for change in small_changes(paths)}


def test_changed_parts_have_names() -> None:
    """Changed parts are named by their shape and position."""
    assert {"without the bar", "with a shorter bar at the top"} <= words(SEVEN_WITH_BAR)
    assert "with the first stroke slightly shorter at the bottom" in words(SEVEN_WITH_BAR)
    assert "with a slightly shorter flag" in words(ONE_WITH_FLAG)
    assert "with the stroke much shorter at the bottom" in words(ONE_WITH_FLAG)
    assert {"without the foot", "with the foot shorter at the bottom right"} <= words(TWO_WITH_FOOT)
    assert "with the gap at the top right closed" in words(OPEN_ZERO)
    assert {"with the stroke starting later", "with the stroke ending sooner"} <= words(DIGITS[0])


def test_slanted_drawing_is_straightened() -> None:
    """A slanted drawing is straightened by half and completely, and an upright drawing is not changed."""
    leaning = [line((300, 100), (200, 400))]
    upright = [change for change in small_changes(leaning) if change.part == "slant"]
    assert [change.words for change in upright] == ["with less slant", "without the slant"]
    assert np.ptp(upright[1].paths[0][:, 0]) < 1
    assert not [change for change in small_changes([line((200, 100), (200, 400))]) if change.part == "slant"]


def test_changes_are_small() -> None:
    """Each change is at most MAX_CHANGE of the ink, and the original paths do not change."""
    for paths in (SEVEN_WITH_BAR, ONE_WITH_FLAG, TWO_WITH_FOOT, OPEN_ZERO):
        originals = [path.copy() for path in paths]
        for change in small_changes(paths):
            assert 0 < change.size <= MAX_CHANGE
            assert all(len(path) for path in change.paths)
        for path, original in zip(paths, originals, strict=True):
            np.testing.assert_array_equal(path, original)
