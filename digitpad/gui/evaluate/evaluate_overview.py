"""Overview of the results: metrics, scores per class, and the confusion matrix."""

import math
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from digitpad.class_names import DIGITS, noun
from digitpad.evaluation.assessment import Assessment
from digitpad.evaluation.significance import Comparison
from digitpad.gui.evaluate.class_differences import confusion_in_order_of, format_difference, scores_by_name
from digitpad.gui.evaluate.confusion_view import ConfusionView
from digitpad.gui.evaluate.evaluation_task import EvaluationResult
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, Tile, make_card, make_label, named
from digitpad.gui.widgets.term_button import TermButton, explain
from digitpad.gui.widgets.theme import Theme, fixed_width_digits
from digitpad.number_format import format_count, format_percent

_COLUMNS = ("Digit", "Count", "Precision", "Recall", "95\N{NO-BREAK SPACE}% interval", "F1")
_DIFFERENCE_COLUMNS = ("Digit", "Count", "Recall", "Other recall", "Difference", "F1 change")
_ROW_PX = 22  # height of a row if there are many classes, which are scrolled
_MANY_PX = 436  # minimum width of the table beside the wider matrix of many classes
_FIRST_PX = (52, 110)  # minimum and maximum width of the column of names


class ResultsSummary(QWidget):
    """Tiles, the comparison of two networks, the table of classes, and the confusion matrix."""

    cell_opened = Signal(int, int)  # true class, predicted class; -1 for any

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._tiles = {
            name: Tile(title, f"result_{name}", has_details=True, term=term)
            for name, title, term in (
                ("accuracy", "Accuracy", "accuracy"),
                ("mistakes", "Mistakes", "mistakes"),
                ("loss", "Loss", "loss"),
                ("calibration", "Calibration error", "calibration"),
                ("not_sure", "Not sure", "not-sure"),
            )
        }
        self._verdict_card = make_card("verdict_card")
        self._verdict = make_label("", "soft", "verdict")
        self._confusion_heading = ElidedLabel("heading", "confusion_heading")
        self.table = named(QTableWidget(0, len(_COLUMNS)), "class_table")
        self.confusion = ConfusionView(theme)
        self.confusion.opened.connect(self.cell_opened)
        self._build()

    def set_outcome(self, outcome: EvaluationResult) -> None:
        """Show the results of an evaluation."""
        first, *others = outcome.assessments
        for name, (value, more) in _tile_texts(first).items():
            if others:
                more = f"{others[0].weights.name}: {_tile_texts(others[0])[name][0]}"
            self._tiles[name].set_value(value, details=more)
        self._verdict_card.setVisible(outcome.comparison is not None)
        if outcome.comparison is not None:
            self._verdict.setText(verdict(outcome.comparison, first, others[0]))
        self._set_classes(first.class_names)
        self._set_headers(first, others)
        font = fixed_width_digits(self.table.font())
        for row, values in enumerate(_difference_rows(first, others[0]) if others else _class_rows(first)):
            for column, text in enumerate(values):
                item = QTableWidgetItem(text)
                item.setFont(font)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)
        other = confusion_in_order_of(first, others[0]) if others else None
        self.confusion.set_confusion(first.confusion, first.class_names, other)

    def _set_headers(self, first: Assessment, others: Sequence[Assessment]) -> None:
        """Name the columns and the matrix: scores of one network, or differences of two."""
        word = noun(first.class_names)
        if not others:
            self.table.setHorizontalHeaderLabels([word.title(), *_COLUMNS[1:]])
            self._confusion_heading.set_text(f"Confusion matrix (rows: true {word}, columns: predicted)")
            return
        name, other = first.weights.name, others[0].weights.name
        self.table.setHorizontalHeaderLabels([word.title(), *_DIFFERENCE_COLUMNS[1:]])
        for column, tip in enumerate(
            (f"Recall of {name}", f"Recall of {other}", f"Recall of {name} minus that of {other}, in points"), start=2
        ):
            header = self.table.horizontalHeaderItem(column)
            assert header is not None
            header.setToolTip(tip)
        self._confusion_heading.set_text(f"Confusion matrix: {name} minus {other}")

    def _set_classes(self, names: Sequence[str]) -> None:
        """Create a row for each class; many classes are scrolled and get a wider matrix, and few share the height."""
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
        table.setRowCount(0)  # otherwise rows keep their previous height
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
            tile.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            row.addWidget(tile, 1)
        column.addLayout(row)
        self._verdict.setWordWrap(True)
        line = QHBoxLayout(self._verdict_card)
        line.setContentsMargins(14, 2 * SPACE, 14, 2 * SPACE)
        line.addWidget(self._verdict, 1)
        line.addWidget(TermButton("significance"))
        self._verdict_card.hide()
        column.addWidget(self._verdict_card)
        row = self._row = QHBoxLayout()
        row.setSpacing(3 * SPACE)
        classes = _in_row(make_label("Classes", "heading"), *map(_explained, ("Precision", "Recall", "F1")))
        self._classes_card = self._make_section(classes, "classes_card", self.table)
        row.addWidget(self._classes_card, 1)
        confusion = _in_row(self._confusion_heading, TermButton("confusion-matrix"))
        row.addWidget(self._make_section(confusion, "confusion_card", self.confusion), 1)
        column.addLayout(row, 1)
        self._build_table()

    def _make_section(self, heading: QWidget, name: str, content: QWidget) -> QWidget:
        frame = make_card(name)
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(heading)
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
        header.setSectionResizeMode(4, QHeaderView.ResizeMode.ResizeToContents)  # the longest title
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        table.setTabKeyNavigation(False)
        table.setMinimumHeight(190)
        table.setToolTip("Press Enter to show the images of a class")
        table.activated.connect(self._open_row)


def _in_row(heading: QWidget, *widgets: QWidget) -> QWidget:
    """Return a row of a heading on the left, and small widgets on the right."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(heading, 1)
    for widget in widgets:
        row.addWidget(widget)
    return whole


def _explained(text: str) -> QWidget:
    """Return the name of a column with the ⓘ of its term."""
    label = make_label(text, "caption")
    explain(label, text.lower())
    return label


def _class_rows(made: Assessment) -> Iterator[Sequence[str]]:
    """Yield the texts of each class for `_COLUMNS`."""
    for name, scores in scores_by_name(made).items():
        low, high = scores.interval
        interval = "–" if math.isnan(low) else f"{100 * low:.1f}–{100 * high:.1f}"
        precision, recall, f1 = map(_format_share, (scores.precision, scores.recall, scores.f1))
        yield name, format_count(scores.n), precision, recall, interval, f1


def _difference_rows(made: Assessment, other: Assessment) -> Iterator[Sequence[str]]:
    """Yield the texts of each class for `_DIFFERENCE_COLUMNS`."""
    others = scores_by_name(other)
    for name, scores in scores_by_name(made).items():
        second = others.get(name)
        recall, f1 = (math.nan, math.nan) if second is None else (second.recall, second.f1)
        differences = format_difference(scores.recall - recall), format_difference(scores.f1 - f1)
        yield name, format_count(scores.n), _format_share(scores.recall), _format_share(recall), *differences


def _tile_texts(made: Assessment) -> dict[str, tuple[str, str]]:
    """Return the value and the details of each tile."""
    scores, (low, high), curve = made.scores, made.interval, made.rejection_curve
    accuracy_when_sure = (
        "" if math.isnan(curve.accuracy_at_threshold) else f"{format_percent(curve.accuracy_at_threshold, 2)} when sure"
    )
    return {
        "accuracy": (
            format_percent(scores.accuracy, 2),
            f"{100 * low:.2f}–{format_percent(high, 2)} (95\N{NO-BREAK SPACE}%)",
        ),
        "mistakes": (format_count(len(made.mistakes)), f"of {format_count(scores.n)} {made.images}"),
        "loss": (f"{scores.loss:.4f}", "mean cross-entropy"),
        "calibration": (format_percent(made.reliability.error, 2), "mean gap to accuracy"),
        "not_sure": (format_percent(curve.not_sure_at_threshold, 2), accuracy_when_sure),
    }


def verdict(comparison: Comparison, made: Assessment, other: Assessment) -> str:
    """Return a text that compares the accuracy of two networks and states whether the difference is significant."""
    first, second = made.weights.name, other.weights.name
    low, high = (100 * end for end in comparison.interval)
    accuracies = ", ".join(
        f"{assessment.weights.name} {format_percent(assessment.scores.accuracy, 2)} "
        f"({100 * assessment.interval[0]:.2f}–{format_percent(assessment.interval[1], 2)})"
        for assessment in (made, other)
    )
    better = first if comparison.difference >= 0 else second
    conclusion = (
        "The difference is not statistically significant"
        if comparison.could_be_chance
        else f"{better} is better; the difference is statistically significant"
    )
    return (
        f"{accuracies}. {conclusion} (McNemar, p = {comparison.p:.2g}). "
        f"{_images_are(comparison.only_first, made.images)} read right by {first} only, "
        f"{format_count(comparison.only_second)} by {second} only. "
        f"Difference: {100 * comparison.difference:+.2f} points "
        f"(95\N{NO-BREAK SPACE}% interval {low:+.2f} to {high:+.2f})."
    )


def _images_are(n: int, images: str) -> str:
    return f"1 {images.removesuffix('s')} is" if n == 1 else f"{format_count(n)} {images} are"


def _format_share(value: float) -> str:
    return "–" if math.isnan(value) else format_percent(value, 2)
