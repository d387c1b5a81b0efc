"""Preview of augmentation: augmented digits, and the largest amount of each distortion."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QValidator,
    QWheelEvent,
)
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
from digitpad.gui.canvas.qt_images import inked
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE, dialog_buttons, link, make_card, make_label, named
from digitpad.gui.widgets.theme import Theme
from digitpad.training.recipe import AugmentationSettings

N_COPIES = 8
FRAME_MS = 30
_CELL_PX = 42
_GAP_PX = 4


@dataclass(frozen=True)
class _Amount:
    """Row of an augmentation amount; its slider has a range from 0 to ``usual_most`` in steps of ``step``."""

    key: str
    text: str
    unit: str
    usual_most: float
    step: float
    tip: str


_AMOUNTS = (
    _Amount("rotate_deg", "Rotate", "°", 45, 1, "Largest rotation in either direction. 8° to 15° is usual."),
    _Amount("shift_px", "Shift", " px", 6, 0.25, "Largest shift in each direction, of 28 pixels. 1 to 2 is usual."),
    _Amount("scale", "Scale", "", 0.5, 0.01, "Largest change of the size, as a share. 0.08 to 0.15 is usual."),
    _Amount("shear", "Slant", "", 1, 0.05, "Largest slant in columns per row. 0.1 to 0.25 is usual."),
    _Amount("elastic_px", "Bend", " px", 3, 0.1, "Elastic distortion; typical shift of a pixel. 0.5 to 1 is usual."),
    _Amount("thickness_px", "Stroke", " px", 2, 0.1, "Largest change of the stroke width. 0.5 to 1 is usual."),
    _Amount("noise", "Noise", "", 0.5, 0.01, "Largest grey noise, as a share of black. 0 to 0.1 is usual."),
    _Amount("erase_px", "Erase", " px", 14, 1, "Largest side of the erased square. 0 to 8 is usual."),
)


class AugmentationDialog(QDialog):
    """Dialog with original and augmented digits and the amounts of augmentation, whose edits are shown at once."""

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
        self._drawing = Throttle(self.redraw, FRAME_MS, self)

    def begin(self, amounts: dict[str, float]) -> None:
        """Show amounts; Reset restores them."""
        self._before = amounts
        self._show(amounts)
        self._sliders["rotate_deg"].setFocus()

    def draw_again(self) -> None:
        """Augment the digits with new random numbers."""
        self.seed += 1
        self._drawing.request()

    def reset(self) -> None:
        """Restore the amounts that the dialog opened with."""
        self._show(self._before)
        self.edited.emit(self.amounts)

    def set_editable(self, editable: bool) -> None:
        """Enable or disable the amounts; they are disabled while training runs."""
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

    def redraw(self) -> None:
        """Draw the copies for the current seed and settings."""
        try:
            digits = one_of_each()
        except DataError as error:
            self._grid.tell(f"Can't show the built-in digits: {error}")
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
        close.setToolTip("Close and keep these amounts (Esc)")
        right.addWidget(dialog_buttons(self, close))
        row.addLayout(right)
        self.setFixedSize(self.sizeHint())

    def _build_digits(self) -> QWidget:
        frame = make_card("digits_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(2 * SPACE)
        top = QHBoxLayout()
        top.setSpacing(0)
        first = make_label("Original", "heading")
        first.setFixedWidth(self._grid.copies_left)
        again = link("Draw &again", "draw_again_button", "Draw new random amounts, up to these (Alt+A)")
        again.clicked.connect(self.draw_again)
        top.addWidget(first)
        top.addWidget(make_label("Augmented", "heading"))
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
        self._reset = link("&Reset", "reset_button", "Restore the initial amounts (Alt+R)")
        self._reset.clicked.connect(self.reset)
        grid.addWidget(make_label("Largest amounts", "heading"), 0, 0, 1, 2)
        for row, spec in enumerate(_AMOUNTS, 1):
            self._add(grid, row, spec)
            grid.setRowStretch(row, 1)
        grid.addWidget(self._reset, 0, 2, Qt.AlignmentFlag.AlignRight)
        hint = make_label("In every epoch, each digit gets new random amounts, up to these.", "caption")
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
    """Slider for an amount from 0 to the largest usual amount."""

    def __init__(self, spec: _Amount) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, round(spec.usual_most / spec.step))
        self.setPageStep(max(1, self.maximum() // 10))
        self.setAccessibleName(spec.text)
        self.setToolTip(spec.tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # Qt overrides.

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class _Number(QDoubleSpinBox):
    """Number field for an amount in the full range of a recipe; the style sheet hides its buttons.

    If the widget itself had no buttons, Qt's style sheets would leave its text a width of 1 px.
    """

    def __init__(self, spec: _Amount) -> None:
        super().__init__()
        rule = next(field.metadata for field in dataclasses.fields(AugmentationSettings) if field.name == spec.key)
        self.setLocale(QLocale.c())  # decimal point, as everywhere else in the window
        self.setDecimals(6)
        self.setRange(rule["low"], rule["high"])
        self.setSingleStep(spec.step)
        self.setSuffix(spec.unit)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedWidth(76)
        self.setAccessibleName(f"{spec.text}, as a number")
        self.setToolTip(f"{spec.tip} At most {rule['high']:g}{spec.unit}.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # Qt overrides.

    def textFromValue(self, value: float) -> str:
        return f"{value:.6f}".rstrip("0").rstrip(".")

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept a comma as a decimal point, as the form does; Qt would read it as a group separator, and 1,5 as 15."""
        return super().validate(text.replace(",", "."), position)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(text.replace(",", "."))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class DigitGrid(QWidget):
    """Grid with a row for each digit: the original, a gap, then augmented copies."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.images: NDArray[np.uint8] = np.zeros((10, 1 + N_COPIES, 28, 28), np.uint8)
        self._pictures: list[list[QImage]] = []
        self.problem = ""
        self.setObjectName("digit_grid")
        self.setAccessibleName("Ten digits, each original and augmented")
        set_accessible_role(self, Role.Graphic)
        heading_px = QFontMetrics(make_label("", "heading").font()).horizontalAdvance("Original")
        self.copies_left = max(_CELL_PX + 5 * SPACE, heading_px + 3 * SPACE)
        pitch = _CELL_PX + _GAP_PX
        self.setFixedSize(QSize(self.copies_left + N_COPIES * pitch - _GAP_PX, 10 * pitch - _GAP_PX))
        theme.changed.connect(self._repaint)

    def set_images(self, images: NDArray[np.uint8]) -> None:
        """Show digits of shape (10, 1 + N_COPIES, 28, 28)."""
        self.images = images
        self.problem = ""
        self._repaint()

    def tell(self, problem: str) -> None:
        """Show a problem in place of the digits."""
        self.problem = problem
        self.update()

    def _repaint(self) -> None:
        paper, ink = QColor(self._theme.tokens.pad), QColor(self._theme.tokens.ink)
        self._pictures = [[inked(image, paper, ink) for image in row] for row in self.images]
        self.update()

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.problem:
            painter.setPen(QColor(self._theme.tokens.bad))
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), wrapped, self.problem)
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
