"""A look at what augmentation does to digits, and how far each of its distortions may go."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QDialog,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.augmentation.augment import Augmenter
from digitpad.datasets.dataset import one_of_each
from digitpad.errors import DataError
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.basics import SPACE, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import link
from digitpad.gui.widgets.qt_images import inked
from digitpad.gui.widgets.theme import Theme
from digitpad.training.recipe import AugmentationSettings

N_COPIES = 8
FRAME_MS = 30
_CELL_PX = 42
_GAP_PX = 4


@dataclass(frozen=True)
class _Amount:
    """How one amount of an augmentation is shown: its slider goes from 0 to ``usual_most`` in steps."""

    key: str
    text: str
    unit: str
    usual_most: float
    step: float
    tip: str


_AMOUNTS = (
    _Amount("rotate_deg", "Rotate", "°", 45, 1, "Turned by up to this, either way. 8 to 15 ° is usual."),
    _Amount("shift_px", "Shift", " px", 6, 0.25, "Moved by up to so many of 28 pixels, each way. 1 to 2 is usual."),
    _Amount("scale", "Scale", "", 0.5, 0.01, "Larger or smaller by up to this share. 0.08 to 0.15 is usual."),
    _Amount("shear", "Slant", "", 1, 0.05, "Slanted by up to so many columns a row. 0.1 to 0.25 is usual."),
    _Amount("elastic_px", "Bend", " px", 3, 0.1, "Bent as hands do; pixels move by about this. 0.5 to 1 is usual."),
    _Amount("thickness_px", "Stroke", " px", 2, 0.1, "Strokes wider or narrower by up to this. 0.5 to 1 is usual."),
    _Amount("noise", "Noise", "", 0.5, 0.01, "Grey noise of up to this share of black. 0 to 0.1 is usual."),
    _Amount("erase_px", "Erase", " px", 14, 1, "A square of up to this side is left out. 0 to 8 is usual."),
)


class AugmentationDialog(QDialog):
    """Real digits, each as it is and as training may see it, beside the amounts, which change them at once."""

    edited = Signal(dict)  # the amounts, by their names in a recipe

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("augmentation_dialog")
        self.setWindowTitle("Augmentation")
        self.seed = 1
        self.amounts = dataclasses.asdict(AugmentationSettings())
        self._before = self.amounts
        self._showing = False
        self._grid = DigitGrid(theme)
        self._sliders: dict[str, QSlider] = {}
        self._numbers: dict[str, _Number] = {}
        self._build()
        self._drawing = Throttle(self._draw, FRAME_MS, self)

    def begin(self, amounts: dict[str, float]) -> None:
        """Show these, which are also what Reset comes back to."""
        self._before = amounts
        self._show(amounts)
        self._sliders["rotate_deg"].setFocus()

    def draw_again(self) -> None:
        """Draw other random numbers."""
        self.seed += 1
        self._drawing.request()

    def reset(self) -> None:
        """Take the amounts back to what they were."""
        self._show(self._before)
        self.edited.emit(self.amounts)

    def set_editable(self, editable: bool) -> None:
        """Amounts rest while training runs."""
        self._panel.setEnabled(editable)

    def _show(self, amounts: dict[str, float]) -> None:
        self._showing = True
        for key, amount in amounts.items():
            self._numbers[key].setValue(amount)
            self._slide(key, amount)
        self._showing = False
        self._take(amounts)

    def _slide(self, key: str, amount: float) -> None:
        spec = next(spec for spec in _AMOUNTS if spec.key == key)
        self._sliders[key].setValue(round(amount / spec.step))

    def _take(self, amounts: dict[str, float]) -> None:
        self.amounts = amounts
        self._reset.setEnabled(amounts != self._before)
        self._drawing.request()

    def _slid(self, spec: _Amount, position: int) -> None:
        if not self._showing:
            self._change(spec.key, round(position * spec.step, 6))

    def _typed(self, spec: _Amount, amount: float) -> None:
        if not self._showing and round(amount, 6) != round(self.amounts[spec.key], 6):
            self._change(spec.key, round(amount, 6))

    def _change(self, key: str, amount: float) -> None:
        self._showing = True
        if self._numbers[key].value() != amount:
            self._numbers[key].setValue(amount)
        self._slide(key, amount)
        self._showing = False
        self._take({**self.amounts, key: amount})
        self.edited.emit(self.amounts)

    def _draw(self) -> None:
        try:
            digits = one_of_each()
        except DataError as error:
            self._grid.tell(f"The built-in digits cannot be shown: {error}")
            return
        copies = np.repeat(digits, N_COPIES, axis=0)
        augmented = Augmenter(AugmentationSettings(**self.amounts))(copies, np.random.default_rng(self.seed))
        self._grid.set_images(np.concatenate([digits[:, None], augmented.reshape(-1, N_COPIES, 28, 28)], axis=1))

    # Layout.

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        row.setSpacing(5 * SPACE)
        row.addWidget(self._build_digits())
        right = QVBoxLayout()
        right.setSpacing(3 * SPACE)
        self._panel = self._build_amounts()
        right.addWidget(self._panel, 1)
        close = named(QPushButton("&Close"), "close_button")
        close.setToolTip("Keep these amounts for the training (Esc)")
        close.setAutoDefault(False)
        close.clicked.connect(self.close)
        right.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        row.addLayout(right)
        self.setFixedSize(self.sizeHint())

    def _build_digits(self) -> QWidget:
        frame = make_card("digits_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(2 * SPACE)
        top = QHBoxLayout()
        top.setSpacing(0)
        first = make_label("As it is", "heading")
        first.setFixedWidth(DigitGrid.copies_left)
        again = link("Draw &again", "draw_again_button", "Draw other random amounts, up to these (Alt+A)")
        again.clicked.connect(self.draw_again)
        top.addWidget(first)
        top.addWidget(make_label("As training may see it", "heading"))
        top.addStretch(1)
        top.addWidget(again)
        column.addLayout(top)
        column.addWidget(self._grid)
        return frame

    def _build_amounts(self) -> QWidget:
        frame = make_card("amounts_card")
        frame.setFixedWidth(330)
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(2 * SPACE)
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * SPACE)
        grid.setVerticalSpacing(2 * SPACE)
        grid.setColumnStretch(1, 1)
        self._reset = link("&Reset", "reset_button", "Back to the amounts as they were (Alt+R)")
        self._reset.clicked.connect(self.reset)
        grid.addWidget(make_label("At most", "heading"), 0, 0, 1, 2)
        for row, spec in enumerate(_AMOUNTS, 1):
            self._add(grid, row, spec)
            grid.setRowStretch(row, 1)
        grid.addWidget(self._reset, 0, 2, Qt.AlignmentFlag.AlignRight)
        hint = make_label("Each digit draws amounts of its own, up to these, each time it is seen.", "caption")
        hint.setWordWrap(True)
        column.addLayout(grid, 1)
        column.addWidget(hint)
        return frame

    def _add(self, grid: QGridLayout, row: int, spec: _Amount) -> None:
        slider = named(_Slider(spec), f"{spec.key}_slider")
        number = named(_Number(spec), f"{spec.key}_number")
        slider.valueChanged.connect(lambda position: self._slid(spec, position))
        number.valueChanged.connect(lambda amount: self._typed(spec, amount))
        name = make_label(spec.text, "soft")
        name.setBuddy(slider)
        name.setToolTip(spec.tip)
        for column, widget in enumerate((name, slider, number)):
            grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignVCenter)
        self._sliders[spec.key], self._numbers[spec.key] = slider, number


class _Slider(QSlider):
    """An amount from 0 to what is usual at most."""

    def __init__(self, spec: _Amount) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, round(spec.usual_most / spec.step))
        self.setPageStep(max(1, self.maximum() // 10))
        self.setAccessibleName(spec.text)
        self.setToolTip(spec.tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # Overrides of Qt's.

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class _Number(QDoubleSpinBox):
    """The same amount as a number, of all that a recipe allows; the style sheet takes its buttons away.

    Without buttons by its own setting, Qt's style sheets leave its text a width of 1 px.
    """

    def __init__(self, spec: _Amount) -> None:
        super().__init__()
        rule = next(field.metadata for field in dataclasses.fields(AugmentationSettings) if field.name == spec.key)
        self.setLocale(QLocale.c())  # a point, as everywhere else in the window
        self.setDecimals(6)
        self.setRange(rule["low"], rule["high"])
        self.setSingleStep(spec.step)
        self.setSuffix(spec.unit)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedWidth(76)
        self.setAccessibleName(f"{spec.text}, as a number")
        self.setToolTip(f"{spec.tip} At most {rule['high']:g}{spec.unit}.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # Overrides of Qt's.

    def textFromValue(self, value: float) -> str:
        return f"{value:.6f}".rstrip("0").rstrip(".")

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Take a comma for a point, as the form does; by itself it would part thousands, and 1,5 be 15."""
        return super().validate(text.replace(",", "."), position)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(text.replace(",", "."))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class DigitGrid(QWidget):
    """A row for each digit: as it is, and after a gap its copies."""

    copies_left = _CELL_PX + 5 * SPACE

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.images: NDArray[np.uint8] = np.zeros((10, 1 + N_COPIES, 28, 28), np.uint8)
        self._pictures: list[list[QImage]] = []
        self._problem = ""
        self.setObjectName("digit_grid")
        self.setAccessibleName("Ten digits, each as it is and as training may see it")
        pitch = _CELL_PX + _GAP_PX
        self.setFixedSize(QSize(self.copies_left + N_COPIES * pitch - _GAP_PX, 10 * pitch - _GAP_PX))
        theme.changed.connect(self._repaint)

    def set_images(self, images: NDArray[np.uint8]) -> None:
        """Show digits of shape (10, 1 + N_COPIES, 28, 28)."""
        self.images = images
        self._problem = ""
        self._repaint()

    def tell(self, problem: str) -> None:
        """Say why there is nothing to be seen."""
        self._problem = problem
        self.update()

    def _repaint(self) -> None:
        paper, ink = QColor(self._theme.tokens.pad), QColor(self._theme.tokens.ink)
        self._pictures = [[inked(image, paper, ink) for image in row] for row in self.images]
        self.update()

    # Overrides of Qt's.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._problem:
            painter.setPen(QColor(self._theme.tokens.bad))
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), wrapped, self._problem)
            painter.end()
            return
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        pitch = _CELL_PX + _GAP_PX
        for i, row in enumerate(self._pictures):
            for j, picture in enumerate(row):
                left = self.copies_left + (j - 1) * pitch if j else 0
                cell = QRectF(left, i * pitch, _CELL_PX, _CELL_PX)
                corners = QPainterPath()
                corners.addRoundedRect(cell.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
                painter.save()
                painter.setClipPath(corners)
                painter.drawImage(cell, picture)
                painter.restore()
                painter.strokePath(corners, QPen(QColor(self._theme.tokens.hairline), 1))
        painter.end()
