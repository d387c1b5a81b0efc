import numpy as np

from digitpad.ink.perturbations import MAX_CHANGE, small_changes
from digitpad.nn.arrays import Floats
from tests.unit.ink.drawings import DIGITS, ONE_WITH_FLAG, OPEN_ZERO, SEVEN_WITH_BAR, TWO_WITH_FOOT, line


def words(paths: list[Floats]) -> set[str]:
    return {change.words for change in small_changes(paths)}


def test_parts_have_names() -> None:
    """By what they look like and where they lie."""
    assert {"without the bar", "when the bar at the top is shorter"} <= words(SEVEN_WITH_BAR)
    assert "when the first stroke is a little shorter at the bottom" in words(SEVEN_WITH_BAR)
    assert "when the flag is a little shorter" in words(ONE_WITH_FLAG)
    assert "when the stroke is much shorter at the bottom" in words(ONE_WITH_FLAG)
    assert {"without the foot", "when the foot is shorter at the bottom right"} <= words(TWO_WITH_FOOT)
    assert "when the gap at the top right is closed" in words(OPEN_ZERO)
    assert {"when the stroke begins later", "when the stroke ends sooner"} <= words(DIGITS[0])


def test_what_leans_is_set_upright() -> None:
    """By half and wholly; and what stands upright is left alone."""
    leaning = [line((300, 100), (200, 400))]
    upright = [change for change in small_changes(leaning) if change.part == "slant"]
    assert [change.words for change in upright] == ["when it leans less", "when it stands upright"]
    assert np.ptp(upright[1].paths[0][:, 0]) < 1
    assert not [change for change in small_changes([line((200, 100), (200, 400))]) if change.part == "slant"]


def test_changes_are_small() -> None:
    """Nothing takes away or adds more than a part of the ink, and the drawing itself stays as it is."""
    for paths in (SEVEN_WITH_BAR, ONE_WITH_FLAG, TWO_WITH_FOOT, OPEN_ZERO):
        kept = [path.copy() for path in paths]
        for change in small_changes(paths):
            assert 0 < change.size <= MAX_CHANGE
            assert all(len(path) for path in change.paths)
        for path, before in zip(paths, kept, strict=True):
            np.testing.assert_array_equal(path, before)
