import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor

from digitpad.gui.canvas.qt_images import to_rgba
from digitpad.gui.inspect.tile_grid import ZERO, TileGrid, colour_table, largest_of, picture
from digitpad.plotting.palette import DARK, LIGHT, Palette

ROOM = QRectF(10, 30, 66, 430)


@pytest.mark.parametrize("n", [1, 7, 32, 64, 512, 4096])
@pytest.mark.parametrize("side", [None, (10, 10)])
def test_tiles_are_found_by_position(n: int, side: tuple[int, int] | None) -> None:
    """Tiles lie within the view, and the position at the centre of a tile or cell finds it."""
    tiles = TileGrid(n, side, ROOM)
    assert 0 < tiles.n <= n
    assert tiles.n == n or n > 500
    assert ROOM.adjusted(-1, -1, 1, 1).contains(tiles.area)
    for unit in tiles.units():
        assert tiles.area.contains(tiles.rect(unit))
        if side is None:
            assert tiles.at(tiles.rect(unit).center()) == (unit, 0, 0)
        elif tiles.pitch > 6:
            assert tiles.at(tiles.place_rect(unit, 7, 2).center()) == (unit, 7, 2)
    assert tiles.at(QPointF(5, 5)) is None


def test_neighbours_are_the_adjacent_tiles() -> None:
    """Arrow keys find the adjacent tile and nothing beyond an edge."""
    tiles = TileGrid(7, (10, 10), QRectF(0, 0, 300, 300))
    assert tiles.n_columns == 3
    assert tiles.neighbour(1, Qt.Key.Key_Down) == 4
    assert tiles.neighbour(4, Qt.Key.Key_Left) == 3
    assert tiles.neighbour(3, Qt.Key.Key_Left) is None
    assert tiles.neighbour(5, Qt.Key.Key_Down) is None
    assert tiles.neighbour(2, Qt.Key.Key_Up) is None


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_colours_are_symmetric_around_zero(tokens: Palette) -> None:
    """0 has the background colour, the largest value the accent and its negative the second colour; NaN is accepted."""
    colours = colour_table(tokens)
    assert QColor(int(colours[ZERO])) == QColor(tokens.ground)
    values = np.array([[0, 2, -2, np.nan, np.inf, -np.inf]], np.float32)
    pixels = to_rgba(picture(values, 2.0, colours))[0, :, :3]
    for place, colour in (
        (0, tokens.ground),
        (1, tokens.accent),
        (2, tokens.second),
        (4, tokens.accent),
        (5, tokens.second),
    ):
        expected = QColor(colour)
        assert np.abs(pixels[place].astype(int) - (expected.red(), expected.green(), expected.blue())).max() <= 2


def test_largest_value_is_finite() -> None:
    """Infinity and NaN are ignored when the largest value is searched."""
    assert largest_of(np.array([1.0, -3.0])) == 3
    assert largest_of(np.array([1.0, -np.inf, np.nan])) == 1
    assert largest_of(np.zeros(0)) == 0
