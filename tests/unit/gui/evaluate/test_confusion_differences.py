from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QLabel, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.evaluate.class_differences import confusion_in_order_of, format_difference, format_signed
from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.shell.window import Window
from digitpad.weights.native_format import SHIPPED
from tests.unit.gui.evaluate.test_evaluate_tab import evaluate, folder, poor, tab
from tests.unit.gui.geometry import assert_inside_parents
from tests.unit.gui.hand import find

__all__ = ["folder", "poor", "tab"]  # fixtures


def test_comparison_shows_differences(qtbot: QtBot, tab: EvaluateTab, poor: Path) -> None:
    """With two networks, table and matrix show differences per class; with one, its own scores again."""
    tab.weights_choice.choose_file(poor)
    tab.other_choice.choose_file(SHIPPED)
    evaluate(qtbot, tab)
    assert tab.outcome is not None
    first, other = tab.outcome.assessments
    table, matrix = find(tab, QTableWidget, "class_table"), tab.overview.confusion
    np.testing.assert_array_equal(matrix.shown, first.confusion - other.confusion)
    for row in range(10):
        item = table.item(row, 4)
        assert item is not None
        assert item.text() == format_difference(first.classes[row].recall - other.classes[row].recall)
    assert find(tab, QLabel, "confusion_heading").accessibleName() == "Confusion matrix: poor.npz minus digits.npz"
    assert "by the other network" in matrix.accessibleDescription()
    matrix.grab()
    tab.other_choice.setCurrentIndex(0)
    evaluate(qtbot, tab)
    assert tab.outcome is not None
    np.testing.assert_array_equal(matrix.shown, tab.outcome.assessments[0].confusion)
    header = table.horizontalHeaderItem(4)
    assert header is not None
    assert header.text() == "95\N{NO-BREAK SPACE}% interval"
    # Classes in another order are matched by name.
    names = first.class_names[::-1]
    turned = replace(other, weights=replace(other.weights, class_names=names), confusion=other.confusion[::-1, ::-1])
    np.testing.assert_array_equal(confusion_in_order_of(first, turned), other.confusion)


def test_differences_have_signs() -> None:
    """Differences show a sign in addition to the colour."""
    assert [format_difference(value) for value in (0.0021, -0.0021, 0.0, float("nan"))] == [
        "+0.21",
        "\N{MINUS SIGN}0.21",
        "0.00",
        "–",
    ]
    assert [format_signed(count) for count in (2, -3)] == ["+2", "\N{MINUS SIGN}3"]


def test_controls_fit_in_one_row_and_have_names(window: Window, tab: EvaluateTab) -> None:
    """All choices and their buttons are in one row, none is cut off, and every list has an accessible name."""
    window.resize(window.minimumSize())
    QApplication.processEvents()
    buttons = [find(tab, QPushButton, name) for name in ("evaluate_button", "export_button")]
    row = [tab.weights_choice, tab.other_choice, tab.data_choice, tab.part_choice, *buttons]
    for widget in row:
        assert_inside_parents(widget)
    assert len({widget.geometry().center().y() // 4 for widget in row}) == 1
    for box in [*tab.findChildren(QComboBox), *tab.findChildren(QAbstractItemView)]:
        is_popup = not box.objectName()  # the list of a combo box
        assert is_popup or box.accessibleName(), box.objectName()
