import errno
import json
import os
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitpad.errors import InkError
from digitpad.ink import strokes as strokes_module
from digitpad.ink.strokes import LabelledStrokes, Stroke, distance_to_path, erase, read_strokes, write_strokes
from digitpad.nn.arrays import Floats
from tests.unit.ink.drawings import PATHS, SOME

GOOD = '{"label": 7, "strokes": [[[1, 2], [3.5, 4]], [[5, 6]]]}'
LEVEL = np.array([[100.0, 100.0], [300.0, 100.0]])


def read(tmp_path: Path, text: str | bytes) -> list[LabelledStrokes]:
    path = tmp_path / "strokes.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_strokes(path))


def test_line_by_hand(tmp_path: Path) -> None:
    """A line contains a label and a list of points for each stroke."""
    (drawing,) = read(tmp_path, GOOD)
    assert drawing.label == 7
    assert [path.tolist() for path in drawing.paths] == [[[1, 2], [3.5, 4]], [[5, 6]]]


@settings(SOME, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PATHS, st.none() | st.integers(0, 9)), max_size=4))
def test_strokes_survive_a_round_trip(tmp_path: Path, drawings: list[tuple[list[Floats], int | None]]) -> None:
    """Labels and points are read back in order, rounded to a hundredth of a pixel."""
    path = tmp_path / "strokes.jsonl"
    write_strokes(path, (LabelledStrokes([points + 1 / 3 for points in paths], label) for paths, label in drawings))
    result = list(read_strokes(path))
    assert [drawing.label for drawing in result] == [label for _, label in drawings]
    for drawing, (paths, _) in zip(result, drawings, strict=True):
        for points, expected in zip(drawing.paths, paths, strict=True):
            np.testing.assert_allclose(points, expected + 1 / 3, atol=0.006)


def test_each_line_is_a_json_object(tmp_path: Path) -> None:
    """Each line is a JSON object, without the label key if there is no label."""
    path = tmp_path / "strokes.jsonl"
    write_strokes(path, [LabelledStrokes([LEVEL], 3), LabelledStrokes([])])
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"label": 3, "strokes": [[[100, 100], [300, 100]]]},
        {"strokes": []},
    ]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", []),
        ("\n \n", []),
        (f"{GOOD}\n\n{GOOD}\n", [7, 7]),
        (f"{GOOD}\r\n{GOOD}", [7, 7]),
        ('{"label": null, "strokes": []}', [None]),
        ('{"strokes": [], "writer": 12}', [None]),
        ('{"strokes": [[[0, 0]]], "label": 0}', [0]),
        ('{"strokes": [[[0, 0]]], "label": "42\\n7?"}', ["42\n7?"]),
    ],
)
def test_optional_parts_may_be_missing(tmp_path: Path, text: str, labels: list[int | str | None]) -> None:
    """Blank lines are skipped, labels and strokes are optional, and unknown keys are ignored."""
    assert [drawing.label for drawing in read(tmp_path, text)] == labels


def test_strokes_without_a_point_are_left_out(tmp_path: Path) -> None:
    """Strokes without points are dropped."""
    (drawing,) = read(tmp_path, '{"strokes": [[], [[1, 2]], []]}')
    assert [path.tolist() for path in drawing.paths] == [[[1, 2]]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("strokes", "is not JSON"),
        ('{"strokes": [[[1, 2]', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("7", "has no list 'strokes'"),
        ("[]", "has no list 'strokes'"),
        ("{}", "has no list 'strokes'"),
        ('{"strokes": {}}', "has no list 'strokes'"),
        ('{"strokes": null}', "has no list 'strokes'"),
        ('{"strokes": [], "label": 10}', "has the label '10'; expected 0 to 9, or digits in quotes"),
        ('{"strokes": [], "label": -1}', "has the label '-1'"),
        ('{"strokes": [], "label": 1.0}', "has the label '1.0'"),
        ('{"strokes": [], "label": true}', "has the label 'True'"),
        ('{"strokes": [], "label": "7a"}', "has the label '7a'"),
        ('{"strokes": [], "label": ""}', "has the label ''"),
        ('{"strokes": [], "label": "two\\nlines"}', "has the label"),
        ('{"strokes": [7]}', "has a stroke that is not a list of points"),
        ('{"strokes": [[1, 2]]}', "has a stroke that is not"),
        ('{"strokes": [[[1]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, 2, 3]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, "2"]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, null]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, true]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, NaN]]]}', "has a stroke that is not"),
        ('{"strokes": [[[Infinity, 1]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, -Infinity]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, 1e999]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, 1e10]]]}', "has a stroke that is not"),
        ('{"strokes": [[[1, 1' + "0" * 400 + "]]]}", "has a stroke that is not"),
        ('{"strokes": [[[1, 1' + "0" * 5000 + "]]]}", "is not JSON"),
        ('{"strokes": [{"x": 1, "y": 2}]}', "has a stroke that is not"),
        ('{"strokes": ["12"]}', "has a stroke that is not"),
    ],
    ids=lambda text: text[:40],
)
def test_malformed_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    """An invalid line raises an InkError with its number and problem, after the earlier lines were returned."""
    path = tmp_path / "strokes.jsonl"
    path.write_text(f"{GOOD}\n\n{line}\n{GOOD}\n")
    drawings = read_strokes(path)
    assert next(drawings).label == 7
    with pytest.raises(InkError, match=f"strokes.jsonl: line 3 {message}") as caught:
        next(drawings)
    assert caught.value.path == path
    assert "\n" not in str(caught.value)


def test_invalid_utf8_is_reported(tmp_path: Path) -> None:
    """A line that is not UTF-8 raises an InkError."""
    with pytest.raises(InkError, match="line 1 is not JSON"):
        read(tmp_path, b'{"strokes": "\xff\xfe"}')


def test_line_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line longer than the limit raises an InkError before it is loaded."""
    monkeypatch.setattr(strokes_module, "MAX_LINE_BYTES", 100)
    assert len(read(tmp_path, '{"strokes": [' + " " * 80 + "]}\n")) == 1
    with pytest.raises(InkError, match="line 2 is longer than 100 bytes"):
        read(tmp_path, GOOD + "\n" + '{"strokes": [' + " " * 100 + "]}")


def test_huge_file_is_not_read(tmp_path: Path) -> None:
    """A file larger than the limit raises an InkError."""
    path = tmp_path / "strokes.jsonl"
    with path.open("wb") as file:
        file.truncate(strokes_module.MAX_FILE_BYTES + 1)
    with pytest.raises(InkError, match="is too large; the limit is 256 MB"):
        next(read_strokes(path))


@pytest.mark.parametrize("name", ["nowhere.jsonl", ""])
def test_missing_file_or_folder_is_reported(tmp_path: Path, name: str) -> None:
    """Reading a missing file or a folder raises an InkError."""
    with pytest.raises(InkError, match="cannot be read"):
        next(read_strokes(tmp_path / name))


@pytest.mark.parametrize("name", ["nowhere/new.jsonl", ""])
def test_unwritable_path_is_reported(tmp_path: Path, name: str) -> None:
    """Writing into a missing folder or over a folder raises an InkError."""
    with pytest.raises(InkError, match="cannot be written"):
        write_strokes(tmp_path / name, [])
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If strokes cannot be written, the old file is unchanged."""

    def full(*_: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "strokes.jsonl"
    write_strokes(path, [LabelledStrokes([LEVEL], 3)])
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InkError, match=r"cannot be written \(No space left on device\)"):
        write_strokes(path, [])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_untouched_strokes_are_the_same_objects() -> None:
    """Strokes that the eraser does not touch are returned as the same objects."""
    strokes = (Stroke(LEVEL), Stroke(np.array([[50.0, 50.0]])))
    remaining = erase(strokes, np.array([[400.0, 400.0], [420.0, 300.0]]), 20)
    assert len(remaining) == 2
    assert all(after is before for after, before in zip(remaining, strokes, strict=True))


def test_erasing_the_middle_leaves_two_strokes() -> None:
    """A line is cut at the edges of the eraser's disc, and keeps its width."""
    remaining = erase([Stroke(LEVEL, width_px=30)], np.array([[200.0, 50.0], [200.0, 150.0]]), 20)
    assert [stroke.width_px for stroke in remaining] == [30, 30]
    first, second = (stroke.points for stroke in remaining)
    np.testing.assert_array_equal(first[0], [100, 100])
    np.testing.assert_allclose(first[-1], [180, 100], atol=2.6)
    np.testing.assert_allclose(second[0], [220, 100], atol=2.6)
    np.testing.assert_array_equal(second[-1], [300, 100])


def test_erasing_an_end_shortens_the_stroke() -> None:
    """Erasing the start of a line shortens it to the edge of the eraser."""
    (remaining,) = erase([Stroke(LEVEL)], np.array([[100.0, 100.0]]), 20)
    np.testing.assert_allclose(remaining.points[0], [120, 100], atol=2.6)
    np.testing.assert_array_equal(remaining.points[-1], [300, 100])


@pytest.mark.parametrize("points", [LEVEL, LEVEL[:1], np.repeat(LEVEL, 3, axis=0)], ids=["line", "dot", "resting"])
def test_covered_stroke_is_removed(points: Floats) -> None:
    """A stroke or dot that is completely covered is removed."""
    assert erase([Stroke(points)], LEVEL, 10) == ()


def test_erasing_keeps_the_order() -> None:
    """The parts of a stroke keep the position of the stroke in the order."""
    upper, lower = Stroke(LEVEL), Stroke(LEVEL + np.array([0, 100]))
    remaining = erase([upper, lower], np.array([[200.0, 100.0]]), 20)
    assert [stroke.points[0, 1] for stroke in remaining] == [100, 100, 200]
    assert remaining[2] is lower


def test_pressures_are_cut_alongside() -> None:
    """The remaining points keep their pressures."""
    stroke = Stroke(LEVEL, pressures=np.array([0.0, 1.0]))
    remaining = erase([stroke], np.array([[200.0, 100.0]]), 20)
    assert len(remaining) == 2
    for part in remaining:
        assert part.pressures is not None
        np.testing.assert_allclose(part.pressures, (part.points[:, 0] - 100) / 200)


@SOME
@given(PATHS, PATHS, st.floats(5, 60))
def test_no_point_is_left_under_the_eraser(paths: list[Floats], eraser: list[Floats], radius_px: float) -> None:
    """Every remaining point is outside the eraser's disc and on an original stroke."""
    remaining = erase([Stroke(path) for path in paths], eraser[0], radius_px)
    for stroke in remaining:
        assert distance_to_path(stroke.points, eraser[0]).min() >= radius_px
        assert np.min([distance_to_path(stroke.points, path) for path in paths], axis=0).max() < 1e-6


def test_distance_by_hand() -> None:
    """The distance is perpendicular next to a line, and to the end point beyond its ends."""
    points = np.array([[200.0, 130.0], [60.0, 70.0], [340.0, 100.0], [250.0, 100.0]])
    np.testing.assert_allclose(distance_to_path(points, LEVEL), [30, 50, 40, 0])
    np.testing.assert_allclose(distance_to_path(points[:1], LEVEL[:1]), [np.hypot(100, 30)])
