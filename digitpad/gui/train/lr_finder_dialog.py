"""The learning-rate range test: all rates tried in one short training, and one suggested."""

import math
from collections.abc import Generator

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from digitpad.gui.tasks.latest_work import LatestWork
from digitpad.gui.widgets.basics import SPACE, closing_row, format_count, make_label, named
from digitpad.gui.widgets.theme import Theme
from digitpad.training.lr_finder import HIGHEST, LOWEST, RangeTestResult, range_test
from digitpad.training.recipe import Recipe
from digitpad.training.training_data import dataset_of, n_drawings


class LearningRateDialog(QDialog):
    """Tries the rates as soon as it is shown; it trains a network of its own, and keeps nothing."""

    chosen = Signal(float)  # the rate that the user wants to train at

    _made = Signal(int)  # in the thread: drawings to train on, so far

    def __init__(self, theme: Theme, recipe: Recipe, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("rate_dialog")
        self.setWindowTitle("Find a learning rate")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._recipe = recipe
        self._left = False
        self._curve = _Curve(theme)
        self._said = make_label("", "strong", "rate_suggestion")
        self._use = named(QPushButton("Use it"), "use_rate")
        self._build()
        self._made.connect(self._show_made)
        self._work = LatestWork("rates", self)
        self._work.progressed.connect(self._show_progress)
        self._work.finished.connect(self._done)
        self._work.failed.connect(self._said.setText)
        self._work.start(self._try)

    def _try(self) -> Generator[RangeTestResult, None, RangeTestResult]:
        """In a thread."""
        tried = None
        for tried in range_test(self._recipe, dataset_of(self._recipe, self._tell_made)):
            yield tried
        assert tried is not None
        return tried

    def _tell_made(self, n: int) -> None:
        """In the thread, now and then while there is nothing yet to train on, which may take minutes."""
        if self._left:
            raise _LeftError
        if n % 100 == 0:
            self._made.emit(n)

    def _show_made(self, n: int) -> None:
        if total := n_drawings(self._recipe):  # 0 while a data set is read
            self._said.setText(f"Making {format_count(n)} of {format_count(total)} drawings to train on…")

    def _show_progress(self, tried: RangeTestResult) -> None:
        self._said.setText(f"Trying rates: step {len(tried.rates)} of {tried.n_planned}…")
        self._curve.show_rates(tried, None)

    def _done(self, tried: RangeTestResult) -> None:
        rate = tried.suggestion
        self._curve.show_rates(tried, rate)
        self._use.setEnabled(rate is not None)
        if rate is None:
            self._said.setText("At no rate did the loss fall; look at the other settings first.")
        else:
            self._use.setText(f"Use {rate:g}")
            self._said.setText(
                f"The loss fell most steeply at {rate:g}; it is {self._recipe.optimizer.learning_rate:g} now."
            )
        self._use.clicked.connect(lambda: self._choose(rate))
        self._use.setFocus()

    def _choose(self, rate: float | None) -> None:
        if rate is not None:
            self.chosen.emit(rate)
        self.accept()

    def _leave(self) -> None:
        self._left = True
        self._work.shut_down()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        about = make_label(
            "A short training, in which the learning rate rises at each step. Where the loss falls most steeply is a "
            "good rate to begin with; where it rises, the rate is too high.",
            "soft",
        )
        about.setWordWrap(True)
        column.addWidget(about)
        column.addWidget(self._curve, 1)
        self._said.setText("Trying rates…")
        self._said.setWordWrap(True)
        column.addWidget(self._said)
        self._use.setEnabled(False)
        column.addLayout(closing_row(self, self._use, named(QPushButton("Close"), "close_rates")))
        self.resize(520, 380)

    # Overrides of Qt's.

    def done(self, result: int) -> None:
        self._leave()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._leave()
        super().closeEvent(event)


class _LeftError(Exception):
    """Nobody waits any more."""


class _Curve(QWidget):
    """The smoothed loss over the rate's logarithm, and the suggested rate."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tried: RangeTestResult | None = None
        self._rate: float | None = None
        self.setObjectName("rate_curve")
        self.setAccessibleName("Loss by learning rate")
        self.setMinimumHeight(160)
        theme.changed.connect(self.update)

    def show_rates(self, tried: RangeTestResult | None, rate: float | None) -> None:
        """Show what was tried so far, and mark a rate."""
        self._tried, self._rate = tried, rate
        if tried is not None:
            self.setAccessibleDescription(f"lowest loss {tried.losses.min():.2f}")
        self.update()

    # Overrides of Qt's.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        room = QRectF(self.rect()).adjusted(34, 6, -10, -22)
        low, high = math.log10(LOWEST), math.log10(HIGHEST)
        top = 3.0 if self._tried is None else max(3.0, min(10.0, 1.05 * float(self._tried.losses.max())))

        def at(rate: float, loss: float) -> QPointF:
            share = (math.log10(rate) - low) / (high - low)
            return QPointF(room.left() + share * room.width(), room.bottom() - min(loss, top) / top * room.height())

        for level in range(int(top) + 1):
            y = at(LOWEST, level).y()
            painter.setPen(QPen(QColor(tokens.hairline), 1))
            painter.drawLine(QPointF(room.left(), y), QPointF(room.right(), y))
            painter.setPen(QColor(tokens.soft))
            painter.drawText(
                QRectF(0, y - 8, 28, 16), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{level}"
            )
        for power in range(round(low), round(high) + 1):
            x = at(10.0**power, 0).x()
            painter.drawText(
                QRectF(x - 30, room.bottom() + 4, 60, 16), Qt.AlignmentFlag.AlignCenter, f"{10.0**power:g}"
            )
        if self._tried is not None:
            points = [
                at(float(rate), float(loss)) for rate, loss in zip(self._tried.rates, self._tried.losses, strict=True)
            ]
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawPolyline(QPolygonF(points))
            if self._rate is not None:
                loss = float(np.interp(self._rate, self._tried.rates, self._tried.losses))
                painter.setBrush(QColor(tokens.accent))
                painter.drawEllipse(at(self._rate, loss), 5, 5)
        painter.end()
