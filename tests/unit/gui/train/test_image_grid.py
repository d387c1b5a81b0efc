import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from digitpad.gui.train.image_grid import GAP, ImageGrid
from digitpad.gui.widgets.theme import Mode, Theme


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme(qapp)
    theme.set_mode(Mode.LIGHT)
    return theme


def test_images_fill_the_grid(qtbot: QtBot, theme: Theme) -> None:
    """Twelve images in a wide grid are painted in two rows, in order."""
    grid = ImageGrid(theme, "grid", "Digits")
    qtbot.addWidget(grid)
    grid.resize(6 * 50 - GAP, 2 * 50 - GAP)
    images = np.zeros((12, 4, 4), np.uint8)
    images[7] = 255
    grid.set_images(images)
    picture = grid.grab().toImage()
    assert picture.pixelColor(50 + 20, 50 + 20) == QColor(255, 255, 255)
    assert picture.pixelColor(20, 20) == QColor(0, 0, 0)
    assert grid.n_images == 12


def test_signed_images_have_two_colours(qtbot: QtBot, theme: Theme) -> None:
    """Signed images show white and black in two colours, and grey in the background colour."""
    grid = ImageGrid(theme, "grid", "Weights", signed=True)
    qtbot.addWidget(grid)
    grid.resize(3 * 100 - GAP, 100 - GAP)
    grid.set_images(np.stack([np.full((5, 5), level, np.uint8) for level in (0, 128, 255)]))
    picture = grid.grab().toImage()
    expected = (theme.tokens.second, theme.tokens.ground, theme.tokens.accent)
    assert [picture.pixelColor(x, 48) for x in (48, 148, 248)] == [QColor(name) for name in expected]


def test_empty_grid_is_painted(qtbot: QtBot, theme: Theme) -> None:
    """An empty grid is painted without an error."""
    grid = ImageGrid(theme, "grid", "Digits")
    qtbot.addWidget(grid)
    assert not grid.grab().toImage().isNull()
