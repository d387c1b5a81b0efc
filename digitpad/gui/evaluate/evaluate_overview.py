"""The figures at a glance: tiles, each class, and what was taken for what."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from digitpad.class_names import DIGITS, noun
from digitpad.evaluation.assessment import Assessment
from digitpad.evaluation.significance import Comparison
from digitpad.gui.evaluate.confusion_view import ConfusionView
from digitpad.gui.evaluate.evaluation_task import EvaluationResult
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, format_count, format_percent, make_card, make_label, named
from digitpad.gui.widgets.theme import Theme, fixed_width_digits

_COLUMNS = ("Digit", "Count", "Precision", "Recall", "95 %", "F1")
_ROW_PX = 22  # of many classes, which are scrolled
_MANY_PX = 436  # what the table needs beside a matrix that is wider than it
_FIRST_PX = (52, 110)  # the column of names, from short to long ones


class ResultTile(QFrame):
    """A name, a figure, and a line that says more of it."""

    def __init__(self, title: str, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("card", True)
        self._title = title
        self._value = make_label("–", "figure", f"{name}_value")
        self._more = ElidedLabel("caption", f"{name}_more")
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 9, 8, 9)
        column.setSpacing(1)
        column.addWidget(make_label(title, "caption"))
        column.addWidget(self._value)
        column.addWidget(self._more)

    def set_value(self, value: str, more: str) -> None:
        """Show a figure."""
        self._value.setText(value)
        self._more.set_text(more)
        self.setAccessibleName(f"{self._title}: {value}, {more}")

    @property
    def value(self) -> str:
        """The figure shown."""
        return self._value.text()


class ResultsSummary(QWidget):
    """Tiles, a line that compares two sets of weights, the table of classes, and the confusion matrix."""

    cell_opened = Signal(int, int)  # class, read as; -1 for any

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._tiles = {
            name: ResultTile(title, f"result_{name}")
            for name, title in (
                ("accuracy", "Accuracy"),
                ("mistakes", "Mistakes"),
                ("loss", "Loss"),
                ("calibration", "Calibration error"),
                ("not_sure", "Not sure"),
            )
        }
        self._verdict_card = make_card("verdict_card")
        self._verdict = make_label("", "soft", "verdict")
        self.table = named(QTableWidget(0, len(_COLUMNS)), "class_table")
        self.confusion = ConfusionView(theme)
        self.confusion.opened.connect(self.cell_opened)
        self._build()

    def set_outcome(self, outcome: EvaluationResult) -> None:
        """Show these figures."""
        first, *others = outcome.made
        for name, (value, more) in _figures(first).items():
            if others:
                more = f"{others[0].weights.name}: {_figures(others[0])[name][0]}"
            self._tiles[name].set_value(value, more)
        self._verdict_card.setVisible(outcome.comparison is not None)
        if outcome.comparison is not None:
            self._verdict.setText(verdict(outcome.comparison, first, others[0]))
        self._set_classes(first.class_names)
        font = fixed_width_digits(self.table.font())
        for row, one in enumerate(first.classes):
            low, high = one.interval
            interval = "–" if math.isnan(low) else f"{100 * low:.1f}–{100 * high:.1f}"
            name = first.class_names[row]
            values = (name, format_count(one.n), _share(one.precision), _share(one.recall), interval, _share(one.f1))
            for column, text in enumerate(values):
                item = QTableWidgetItem(text)
                item.setFont(font)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)
        self.confusion.set_confusion(first.confusion, first.class_names)

    def _set_classes(self, names: Sequence[str]) -> None:
        """A row for each class: of few, they share the height; of many, they are scrolled, and the matrix is wider."""
        table, many = self.table, len(names) > len(DIGITS)
        self._row.setStretch(1, 2 if many else 1)
        self._classes_card.setMinimumWidth(_MANY_PX if many else 0)
        mode = QHeaderView.ResizeMode
        table.verticalHeader().setSectionResizeMode(mode.Fixed if many else mode.Stretch)
        table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        policy = Qt.ScrollBarPolicy
        table.setVerticalScrollBarPolicy(policy.ScrollBarAsNeeded if many else policy.ScrollBarAlwaysOff)
        longest = max(map(table.fontMetrics().horizontalAdvance, names)) + 12
        table.horizontalHeader().resizeSection(0, min(max(longest, _FIRST_PX[0]), _FIRST_PX[1]))
        table.setHorizontalHeaderLabels([noun(names).title(), *_COLUMNS[1:]])
        table.setRowCount(0)  # lest rows keep the height that they had
        table.setRowCount(len(names))

    def _open_row(self, index: QModelIndex) -> None:
        self.cell_opened.emit(index.row(), -1)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * SPACE)
        row = QHBoxLayout()
        row.setSpacing(3 * SPACE)
        for tile in self._tiles.values():
            tile.setFixedHeight(82)
            row.addWidget(tile, 1)
        column.addLayout(row)
        self._verdict.setWordWrap(True)
        line = QHBoxLayout(self._verdict_card)
        line.setContentsMargins(14, 2 * SPACE, 14, 2 * SPACE)
        line.addWidget(self._verdict)
        self._verdict_card.hide()
        column.addWidget(self._verdict_card)
        row = self._row = QHBoxLayout()
        row.setSpacing(3 * SPACE)
        self._classes_card = self._carded("Classes", "classes_card", self.table)
        row.addWidget(self._classes_card, 1)
        row.addWidget(self._carded("What was taken for what", "confusion_card", self.confusion), 1)
        column.addLayout(row, 1)
        self._build_table()

    def _carded(self, title: str, name: str, content: QWidget) -> QWidget:
        frame = make_card(name)
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(make_label(title, "heading"))
        column.addWidget(content, 1)
        return frame

    def _build_table(self) -> None:
        table = self.table
        table.setAccessibleName("Classes")
        table.setHorizontalHeaderLabels(_COLUMNS)
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.verticalHeader().setMinimumSectionSize(15)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in (0, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, 52)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        table.setTabKeyNavigation(False)
        table.setMinimumHeight(190)
        table.setToolTip("Enter shows what is of a row's class")
        table.activated.connect(self._open_row)


def _figures(made: Assessment) -> dict[str, tuple[str, str]]:
    """Each tile's figure, and what more there is to say of it."""
    scores, (low, high), curve = made.scores, made.interval, made.rejection_curve
    right_of_sure = (
        ""
        if math.isnan(curve.accuracy_at_threshold)
        else f"{format_percent(curve.accuracy_at_threshold, 2)} of others right"
    )
    return {
        "accuracy": (format_percent(scores.accuracy, 2), f"95 %: {100 * low:.2f}–{format_percent(high, 2)}"),
        "mistakes": (format_count(len(made.mistakes)), f"of {format_count(scores.n)} {made.images}"),
        "loss": (f"{scores.loss:.4f}", "mean cross-entropy"),
        "calibration": (format_percent(made.reliability.error, 2), "confidence against truth"),
        "not_sure": (format_percent(curve.not_sure_at_threshold, 2), right_of_sure),
    }


def verdict(comparison: Comparison, made: Assessment, other: Assessment) -> str:
    """The comparison in words."""
    first, second = made.weights.name, other.weights.name
    low, high = (100 * end for end in comparison.interval)
    known = ", ".join(
        f"{one.weights.name} {format_percent(one.scores.accuracy, 2)} "
        f"({100 * one.interval[0]:.2f}–{format_percent(one.interval[1], 2)})"
        for one in (made, other)
    )
    better = first if comparison.difference >= 0 else second
    found = "This could be chance" if comparison.could_be_chance else f"{better} reads better, which is hardly chance"
    return (
        f"{known}. {found}: {_are(comparison.only_first, made.images)} read right by {first} alone, "
        f"{format_count(comparison.only_second)} by {second} alone. "
        f"Difference {100 * comparison.difference:+.2f} points ({low:+.2f} to {high:+.2f}), "
        f"McNemar's test p = {comparison.p:.2g}."
    )


def _are(n: int, images: str) -> str:
    return f"1 {images.removesuffix('s')} is" if n == 1 else f"{format_count(n)} {images} are"


def _share(value: float) -> str:
    return "–" if math.isnan(value) else format_percent(value, 2)
