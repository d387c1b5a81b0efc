from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from digitpad.gui.shell.tooltips import MAX_WIDTH_PX, TooltipWrapper
from digitpad.gui.shell.window import Window

LONG = "A sentence that explains a setting and says which way to turn it. " * 4


def test_a_long_tooltip_wraps(qtbot: QtBot, window: Window, qapp: QApplication) -> None:
    """A tooltip is at most as wide as the limit, and a short one is as wide as its text."""
    wrapper = TooltipWrapper(qapp)
    try:
        for text, wraps in ((LONG, True), ("Clear the pad", False), (LONG * 2, True)):
            QToolTip.showText(QPoint(100, 100), text, window)
            (tip,) = (w for w in QApplication.topLevelWidgets() if w.inherits("QTipLabel") and w.isVisible())
            assert tip.width() <= MAX_WIDTH_PX
            assert (tip.height() > 3 * tip.fontMetrics().lineSpacing()) == wraps
    finally:
        qapp.removeEventFilter(wrapper)
        QToolTip.hideText()
