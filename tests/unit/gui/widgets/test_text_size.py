import pytest
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from digitpad.gui.widgets.text_size import BODY_PX, scaled, set_text_size


@pytest.mark.parametrize(
    ("system_px", "percent", "expected_px"), [(26, 100, 26), (26, 150, 39), (9, 100, BODY_PX), (13, 200, 26)]
)
def test_text_is_as_large_as_the_system_says(
    qapp: QApplication, system_px: int, percent: int, expected_px: int
) -> None:
    """Text and sizes follow the size of the system's font times the chosen percentage, and are never tiny."""
    before = qapp.font()
    font = QFont(before)
    font.setPixelSize(system_px)
    try:
        set_text_size(qapp, font, percent)
        assert qapp.font().pixelSize() == expected_px
        assert scaled(10 * BODY_PX) == 10 * expected_px
    finally:
        qapp.setFont(before)
