import json
import os
from pathlib import Path

import numpy as np
import pytest

from digitpad.errors import FileError
from digitpad.ink.drawing import IMAGE_SIDE, MAX_POINTS, Drawing, read_drawings
from digitpad.ink.raster import rasterize
from digitpad.ink.strokes import CANVAS_PX, Stroke
from tests.unit.ink.drawings import DIGITS, difference, picture, pixels

TWO = pixels(picture(DIGITS[2]))
ACROSS = Stroke(np.array([[140.0, 250.0], [340.0, 250.0]]), width_px=24)


def test_new_drawing_is_blank() -> None:
    """A new drawing, and a drawing with a blank image, is empty."""
    assert Drawing().is_empty
    assert not Drawing().rasterize().any()
    assert Drawing(image=np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)).is_empty


def test_strokes_are_rasterised_from_their_paths() -> None:
    """Without an image, the network input is rasterised from the paths."""
    drawing = Drawing().with_stroke(Stroke(DIGITS[4][0])).with_stroke(Stroke(DIGITS[4][1]))
    assert not drawing.is_empty
    np.testing.assert_array_equal(drawing.rasterize(), rasterize(DIGITS[4]))


def test_changes_return_new_drawings() -> None:
    """A change returns a new drawing and does not modify the previous one."""
    first = Drawing.from_pixels(TWO)
    assert first.image is not None
    before = first.image.copy()
    second = first.with_stroke(ACROSS)
    third = second.erased(np.array([[240.0, 240.0]]), 100)
    assert (len(first.strokes), len(second.strokes), len(third.strokes)) == (0, 1, 2)
    np.testing.assert_array_equal(first.image, before)
    assert second.image is not None
    np.testing.assert_array_equal(second.image, before)
    assert third.image is not None
    assert not np.array_equal(third.image, before)


@pytest.mark.parametrize(("height", "width"), [(300, 900), (900, 300), (10, 30)])
def test_image_is_centred_and_fills_the_pad(height: int, width: int) -> None:
    """A wide image fills the width, a tall image fills the height, and both are centred."""
    content = np.zeros((height, width), np.uint8)
    content[height // 4 : -(height // 4), width // 4 : -(width // 4)] = 255
    image = Drawing.from_pixels(content).image
    assert image is not None
    assert image.shape == (IMAGE_SIDE, IMAGE_SIDE)
    assert image.dtype == np.uint8
    for axis, side in ((1, height), (0, width)):
        inked = np.flatnonzero((image > 127).any(axis=axis))
        assert inked.mean() == pytest.approx((IMAGE_SIDE - 1) / 2, abs=8)
        assert len(inked) == pytest.approx(IMAGE_SIDE * side / max(height, width) / 2, abs=18)


def test_blank_image_is_empty() -> None:
    """A drawing of an image without ink is empty."""
    assert Drawing.from_pixels(np.full((50, 40), 200, np.uint8)).is_empty


def test_eraser_removes_ink_of_the_image() -> None:
    """The eraser removes the ink under its path, and no other ink."""
    drawing = Drawing.from_pixels(TWO)
    erased = drawing.erased(np.array([[0.0, 350.0], [480.0, 350.0]]), 60)
    assert drawing.image is not None
    assert erased.image is not None
    y = (np.arange(IMAGE_SIDE) + 0.5) * CANVAS_PX / IMAGE_SIDE
    under = np.abs(y - 350) < 58
    assert drawing.image[under].any()
    assert not erased.image[under].any()
    np.testing.assert_array_equal(erased.image[np.abs(y - 350) > 62], drawing.image[np.abs(y - 350) > 62])


def test_erasing_everything_gives_an_empty_drawing() -> None:
    """A drawing that is erased from corner to corner is empty."""
    erased = Drawing.from_pixels(TWO).with_stroke(ACROSS).erased(np.array([[0.0, 0.0], [480.0, 480.0]]), 480)
    assert erased.is_empty
    assert not erased.rasterize().any()


@pytest.mark.parametrize("place", [(-50.0, -50.0), (600.0, 200.0)])
def test_eraser_beside_the_pad_does_nothing(place: tuple[float, float]) -> None:
    """Erasing outside the pad changes nothing."""
    drawing = Drawing.from_pixels(TWO).with_stroke(ACROSS)
    erased = drawing.erased(np.array([place]), 20)
    np.testing.assert_array_equal(erased.rasterize(), drawing.rasterize())
    assert erased.strokes[0] is ACROSS


def test_strokes_over_an_image_are_part_of_it() -> None:
    """A stroke on an image gives nearly the same network input as an image that contains the stroke."""
    drawn = Drawing.from_pixels(TWO).with_stroke(ACROSS).rasterize()
    pictured = Drawing.from_pixels(pixels(picture([*DIGITS[2], ACROSS.points]))).rasterize()
    assert difference(drawn, pictured) < 8
    assert difference(drawn, Drawing.from_pixels(TWO).rasterize()) > 20


def test_dataset_image_is_the_network_input() -> None:
    """A dataset image is the network input pixel for pixel, and strokes or erasing change no other pixels."""
    image = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)
    drawing = Drawing.from_sample(image)
    np.testing.assert_array_equal(drawing.rasterize(), image)
    row = Stroke(np.array([[40.0, 120.0], [440.0, 120.0]]), 10)
    changed = drawing.with_stroke(row).rasterize() != image
    assert np.flatnonzero(changed.any(axis=1)).tolist() == [6, 7]
    erased = drawing.erased(row.points, 5)
    assert (erased.rasterize()[6:8, 3:25] <= image[6:8, 3:25]).all()
    np.testing.assert_array_equal(erased.rasterize()[9:], image[9:])
    assert erased.erased(np.array([[0.0, 0.0], [480.0, 480.0]]), 480).is_empty


def test_strokes_over_a_blank_image_are_strokes() -> None:
    """After all ink of an image is erased, strokes are rasterised from their paths."""
    wiped = Drawing.from_pixels(TWO).erased(np.array([[0.0, 0.0], [480.0, 480.0]]), 480)
    np.testing.assert_array_equal(wiped.with_stroke(ACROSS).rasterize(), rasterize([ACROSS.points]))


def test_image_and_strokes_give_similar_inputs() -> None:
    """A digit as strokes and the same digit as an image give similar network inputs."""
    for paths in DIGITS.values():
        drawn = Drawing(tuple(Stroke(path) for path in paths)).rasterize()
        opened = Drawing.from_pixels(pixels(picture(paths, width_px=50))).rasterize()
        assert difference(drawn, opened) < 60


@pytest.mark.parametrize(("n_strokes", "n_points", "n_shown"), [(150_000, 1, 1000), (60, 1000, 60), (1, 200_000, 1)])
def test_very_many_strokes_are_reduced(tmp_path: Path, n_strokes: int, n_points: int, n_shown: int) -> None:
    """Strokes that would freeze the pad are simplified or, beyond a limit, dropped, and a note says so."""
    along = np.linspace(10, 200, n_points)
    line = np.round(np.stack([along, along], axis=1), 2).tolist()
    path = tmp_path / "many.jsonl"
    path.write_text(json.dumps({"strokes": [line] * n_strokes}))
    ((_, drawing),), note = read_drawings(path, 1)
    assert len(drawing.strokes) == n_shown
    assert sum(len(stroke.points) for stroke in drawing.strokes) <= MAX_POINTS
    assert drawing.rasterize().any()
    assert note == (f"many.jsonl: shows the first 1,000 of {n_strokes:,} strokes" if n_strokes > 1000 else "")


def test_drawing_of_usual_size_is_loaded_unchanged(tmp_path: Path) -> None:
    """Points of a hand-drawn digit are kept, however close they are."""
    path = tmp_path / "one.jsonl"
    path.write_text('{"strokes": [[[10, 10], [10.1, 10.2], [10.3, 11]]]}')
    ((_, drawing),), note = read_drawings(path, 1)
    np.testing.assert_array_equal(drawing.strokes[0].points, [[10, 10], [10.1, 10.2], [10.3, 11]])
    assert note == ""


def test_strokes_beyond_the_canvas_are_kept_beside_an_image() -> None:
    """A stroke to the left of an image is painted as it is on the canvas, and the image keeps its place."""
    beside = Stroke(np.array([[-200.0, 100.0], [-200.0, 300.0]]))
    image, x, y = Drawing.from_pixels(TWO).with_stroke(beside).painted()
    px = CANVAS_PX / IMAGE_SIDE
    assert y == 0
    assert image[int(200 / px), int((-200 - x) / px)] == 255
    np.testing.assert_array_equal(image[:, round(-x / px) :], Drawing.from_pixels(TWO).image)
    assert image.shape[0] == IMAGE_SIDE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes as POSIX has them")
def test_pipe_is_not_read_as_drawings(tmp_path: Path) -> None:
    """A named pipe that is dropped on the window is refused, because reading it would block."""
    path = tmp_path / "x.jsonl"
    os.mkfifo(path)
    with pytest.raises(FileError, match="not a regular file"):
        read_drawings(path, 1)
