"""The learning-rate finder: a range test that suggests a learning rate."""

import math
from collections.abc import Generator

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks, error_message, report
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE, dialog_buttons, make_label, named
from digitpad.gui.widgets.theme import Theme
from digitpad.number_format import format_count
from digitpad.training.lr_finder import HIGHEST, LOWEST, RangeTestResult, range_test
from digitpad.training.recipe import Recipe
from digitpad.training.training_data import load_training_data, n_drawings


class LearningRateDialog(QDialog):
    """Runs the test as soon as it is shown, on a network of its own that is not kept."""

    chosen = Signal(float)  # the learning rate to train with

    def __init__(self, theme: Theme, recipe: Recipe, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("rate_dialog")
        self.setWindowTitle("Find a learning rate")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._recipe = recipe
        self._curve = _Curve(theme)
        self._message = make_label("", "strong", "rate_suggestion")
        self._use = named(QPushButton("Use it"), "use_rate")
        self._build()
        self._tasks = TaskRunner("learning-rate finder", Policy.LATEST, self)
        self._tasks.start(
            self._work,
            progressed=self._show_progress,
            finished=self._show_result,
            failed=lambda error: self._message.setText(error_message(error)),
        )

    def _work(self) -> Generator[RangeTestResult, None, RangeTestResult]:
        """In the task's thread."""
        result = None
        for result in range_test(self._recipe, load_training_data(self._recipe, self._report_drawings)):
            yield result
        assert result is not None
        return result

    def _report_drawings(self, n: int) -> None:
        """In the task's thread: generating the drawings to train on may take minutes."""
        report(n if n % 100 == 0 else None)

    def _show_progress(self, progress: RangeTestResult | int) -> None:
        if isinstance(progress, RangeTestResult):
            self._message.setText(f"Testing learning rates: step {len(progress.rates)} of {progress.n_planned}…")
            self._curve.show_rates(progress, None)
        elif total := n_drawings(self._recipe):  # 0 while a dataset is read
            done = f"{format_count(progress)} of {format_count(total)}"
            self._message.setText(f"Generating {done} training drawings…")

    def _show_result(self, result: RangeTestResult) -> None:
        rate = result.suggestion
        self._curve.show_rates(result, rate)
        self._use.setEnabled(rate is not None)
        if rate is None:
            self._message.setText("The loss fell at no learning rate; check the other settings first.")
        else:
            self._use.setText(f"Use {rate:g}")
            self._message.setText(
                f"The loss fell fastest at {rate:g}; "
                f"the current learning rate is {self._recipe.optimizer.learning_rate:g}."
            )
        self._use.clicked.connect(lambda: self._choose(rate))
        self._use.setFocus()

    def _choose(self, rate: float | None) -> None:
        if rate is not None:
            self.chosen.emit(rate)
        self.accept()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        about = make_label(
            "A short training in which the learning rate rises at each step. A good learning rate is where the loss "
            "falls fastest. Where the loss rises, the rate is too high.",
            "soft",
        )
        about.setWordWrap(True)
        column.addWidget(about)
        column.addWidget(self._curve, 1)
        self._message.setText("Testing learning rates…")
        self._message.setWordWrap(True)
        column.addWidget(self._message)
        self._use.setEnabled(False)
        column.addWidget(dialog_buttons(self, named(QPushButton("Close"), "close_rates"), self._use))
        self.resize(520, 380)

    # Overrides of Qt's.

    def done(self, result: int) -> None:
        end_tasks(self)
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        end_tasks(self)
        super().closeEvent(event)


class _Curve(QWidget):
    """The smoothed loss over the rate's logarithm, and the suggested rate."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tried: RangeTestResult | None = None
        self._rate: float | None = None
        self.setObjectName("rate_curve")
        self.setAccessibleName("Loss by learning rate")
        set_accessible_role(self, Role.Chart)
        self.setMinimumHeight(160)
        theme.changed.connect(self.update)

    def show_rates(self, tried: RangeTestResult | None, rate: float | None) -> None:
        """Show the rates tested so far, and mark one of them."""
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
