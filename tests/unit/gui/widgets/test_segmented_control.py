from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from digitpad.gui.widgets.segmented_control import SegmentedControl


def test_selection_by_mouse_and_keys(qtbot: QtBot) -> None:
    """Each selection emits one signal, Tab focuses the selected button, and the arrow keys move the selection."""
    segments = SegmentedControl(("One", "Two", "Three"), "numbers", "Numbers")
    qtbot.addWidget(segments)
    segments.show()
    qtbot.waitExposed(segments)
    chosen: list[int] = []
    segments.chosen.connect(chosen.append)
    segments.choose(1)
    segments.choose(1)
    assert (segments.current, chosen) == (1, [1])
    by_tab = [bool(segments.button(place).focusPolicy() & Qt.FocusPolicy.TabFocus) for place in range(3)]
    assert by_tab == [False, True, False]
    with qtbot.waitActive(segments):
        segments.activateWindow()
    segments.button(1).setFocus()
    qtbot.keyClick(segments.button(1), Qt.Key.Key_Right)
    assert (segments.current, chosen) == (2, [1, 2])
