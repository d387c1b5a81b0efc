"""Import of photos of sheets: the digits that were found, row by row, with labels to check before they are added."""

from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.own_digits.records import MAX_TEXT, OwnDigit
from digitpad.errors import DigitpadError
from digitpad.gui.canvas.qt_images import inked
from digitpad.gui.my_digits.wording import drawings_of
from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks, error_message
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, dialog_buttons, make_label, named
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme
from digitpad.ink.image import read_image
from digitpad.nn.losses import NONE
from digitpad.recognition.number_reader import NumberReader
from digitpad.recognition.sheet import LEFT_OUT, SheetRow, drawings_of_row, read_sheet, row_labels
from digitpad.weights.native_format import Weights

AS_READ, FROM_0, FROM_1, TYPED = "read", "from 0", "from 1", "typed"
_CELL_PX, _LABEL_PX = 40, 18
_HELP = (
    "Check the label under each drawing. Type one digit for a whole row, or one for each drawing; "
    "- leaves a drawing out, x means not a digit. A click on a drawing leaves it out, too."
)


class RowStrip(QWidget):
    """The drawings of a row with their labels below; a click leaves one out."""

    toggled = Signal(int)

    def __init__(self, theme: Theme, row: SheetRow) -> None:
        super().__init__()
        self._theme, self._row = theme, row
        self._labels: list[int | None] | None = None
        self._pictures: list[QImage] = []
        set_accessible_role(self, Role.Graphic)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._pictures.clear)

    def set_labels(self, labels: list[int | None] | None) -> None:
        """Show the labels; None if they do not fit."""
        self._labels = labels
        texts = "as they are" if labels is None else ", ".join(_symbol(label) for label in labels)
        self.setAccessibleName(f"{drawings_of(len(self._row.images))}: {texts}")
        self.update()

    @property
    def _columns(self) -> int:
        return max(1, self.width() // scaled(_CELL_PX))

    def _cell(self, place: int) -> QRectF:
        side, label = scaled(_CELL_PX), scaled(_LABEL_PX)
        line, column = divmod(place, self._columns)
        return QRectF(column * side, line * (side + label), side, side + label)

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(scaled(_CELL_PX) * min(10, len(self._row.images)), self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(_CELL_PX) * 5, scaled(_CELL_PX + _LABEL_PX))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        columns = max(1, width // scaled(_CELL_PX))
        return -(-len(self._row.images) // columns) * (scaled(_CELL_PX) + scaled(_LABEL_PX))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for place in range(len(self._row.images)):
            if self._cell(place).contains(event.position()):
                self.toggled.emit(place)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        if not self._pictures:
            self._pictures = [inked(image, QColor(tokens.pad), QColor(tokens.ink)) for image in self._row.images]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        side = scaled(_CELL_PX)
        for place, picture in enumerate(self._pictures):
            cell = self._cell(place)
            image = QRectF(cell.left() + 1, cell.top() + 1, side - 4, side - 4)
            label = None if self._labels is None else self._labels[place]
            painter.setOpacity(0.35 if label is None and self._labels is not None else 1)
            painter.drawImage(image, picture)
            painter.setOpacity(1)
            painter.setPen(QPen(QColor(tokens.hairline if label is not None else tokens.bad), 1))
            painter.drawRect(image)
            painter.setPen(QColor(tokens.text if label is not None else tokens.bad))
            text = "?" if self._labels is None else _symbol(label)
            below = QRectF(cell.left(), image.bottom(), side - 2, scaled(_LABEL_PX))
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()


class SheetDialog(QDialog):
    """Reads photos in a thread, shows their rows, and emits the drawings that the user confirmed."""

    chosen = Signal(object)  # list of OwnDigit

    def __init__(self, theme: Theme, weights: Weights, paths: Sequence[Path], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("sheet_dialog")
        self.setWindowTitle("Import photos of a sheet – digitpad")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._tasks = TaskRunner("sheets", Policy.LATEST, self)
        self._rows: list[SheetRow] = []
        self.fields: list[QLineEdit] = []
        self._strips: list[RowStrip] = []
        self.writer = named(QLineEdit(), "sheet_writer")
        self.labels_choice = named(Choice(), "sheet_labels")
        self._message = make_label("Looking for digits…", "soft", "sheet_message")
        self._count = ElidedLabel("strong", "sheet_count")
        self._add = named(QPushButton("Add"), "add_drawings")
        self._grid = QGridLayout()
        self._build()
        self._show_count()
        self._tasks.start(
            partial(_read_all, weights, list(paths)),
            progressed=self._message.setText,
            finished=self._show_rows,
            failed=self._fail,
        )

    @property
    def drawings(self) -> list[OwnDigit]:
        """The labelled drawings; those of rows whose labels do not fit are missing."""
        result = []
        for row, field in zip(self._rows, self.fields, strict=True):
            try:
                result += drawings_of_row(row, field.text(), self.writer.text().strip())
            except ValueError:
                continue
        return result

    def done(self, result: int) -> None:
        """Close, and end the reading."""
        end_tasks(self)
        super().done(result)

    def accept(self) -> None:
        """Add the drawings."""
        self.chosen.emit(self.drawings)
        super().accept()

    def _fail(self, error: Exception) -> None:
        self._message.setText(error_message(error))

    def _show_rows(self, result: tuple[list[tuple[str, SheetRow]], list[str]]) -> None:
        rows, problems = result
        self._rows = [row for _, row in rows]
        for place, (name, row) in enumerate(rows):
            strip, field = RowStrip(self._theme, row), QLineEdit()
            strip.setObjectName(f"strip_{place}")
            field.setObjectName(f"row_{place}")
            field.setAccessibleName(f"Labels of {name}")
            field.setToolTip(f"{name}: one label for the row, or one for each of its {len(row.images)} drawings")
            field.textChanged.connect(partial(self._follow, place))
            field.textEdited.connect(lambda _: self._set_typed())
            strip.toggled.connect(partial(self._toggle, place))
            self._strips.append(strip)
            self.fields.append(field)
            self._grid.addWidget(make_label(name, "caption"), place, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(strip, place, 1)
            self._grid.addWidget(field, place, 2, Qt.AlignmentFlag.AlignTop)
        self._grid.setRowStretch(len(rows), 1)
        self._message.setText("\n".join([*problems, _HELP if rows else "No digits were found."]))
        self._fill()
        if self.fields:
            self.fields[0].setFocus()

    def _fill(self) -> None:
        """Fill in the labels as chosen."""
        choice = self.labels_choice.currentData()
        for place, (row, field) in enumerate(zip(self._rows, self.fields, strict=True)):
            if choice == AS_READ:
                field.setText(row.read.replace("?", LEFT_OUT))
            elif choice in (FROM_0, FROM_1):
                field.setText(str((place + (choice == FROM_1)) % 10))
            self._follow(place)

    def _set_typed(self) -> None:
        """Note that the labels are no longer as they were filled in."""
        self.labels_choice.blockSignals(True)
        self.labels_choice.setCurrentIndex(self.labels_choice.findData(TYPED))
        self.labels_choice.blockSignals(False)

    def _toggle(self, place: int, column: int) -> None:
        """Leave a drawing out, or take it in again with the label that was read."""
        row, field = self._rows[place], self.fields[place]
        try:
            labels = row_labels(field.text(), len(row.images))
        except ValueError:
            return
        symbols = [_symbol(label) for label in labels]
        read = row.read[column]
        symbols[column] = LEFT_OUT if labels[column] is not None else read if read.isdigit() else "x"
        field.setText("".join(symbols))
        self._set_typed()

    def _follow(self, place: int, _text: str = "") -> None:
        """Show the labels of a row, or what is wrong with them."""
        row, field = self._rows[place], self.fields[place]
        problem = ""
        try:
            labels: list[int | None] | None = row_labels(field.text(), len(row.images))
        except ValueError as error:
            labels, problem = None, str(error)
        self._strips[place].set_labels(labels)
        if bool(field.property("wrong")) != bool(problem):
            field.setProperty("wrong", bool(problem))
            field.style().unpolish(field)
            field.style().polish(field)
        self._show_count(problem)

    def _show_count(self, problem: str = "") -> None:
        is_wrong = any(field.property("wrong") for field in self.fields)
        n = len(self.drawings)
        n_left_out = sum(len(row.images) for row in self._rows) - n
        left_out = f", {n_left_out} left out" if n_left_out else ""
        wrong = problem or ("Some labels do not fit" if is_wrong else "")
        self._count.set_text(wrong or (f"{drawings_of(n)}{left_out}" if self._rows else ""))
        self._add.setText(f"Add {drawings_of(n)}" if n else "Add")
        self._add.setEnabled(bool(n) and not is_wrong)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 4 * SPACE, 5 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        top = QHBoxLayout()
        top.setSpacing(2 * SPACE)
        for value, text in (
            (AS_READ, "As the network reads them"),
            (FROM_0, "Row by row 0, 1, 2, …"),
            (FROM_1, "Row by row 1, 2, 3, …"),
            (TYPED, "As typed"),
        ):
            self.labels_choice.addItem(text, value)
        self.labels_choice.setAccessibleName("Labels")
        self.labels_choice.edited.connect(self._fill)
        self.writer.setPlaceholderText("Name or number")
        self.writer.setMaxLength(MAX_TEXT)
        self.writer.setAccessibleName("Writer of the sheet")
        for text, widget, share in (("Labels", self.labels_choice, 0), ("Writer", self.writer, 1)):
            label = make_label(text, "soft")
            label.setBuddy(widget)
            top.addWidget(label)
            top.addWidget(widget, share)
        column.addLayout(top)
        self._message.setWordWrap(True)
        column.addWidget(self._message)
        area, inner = named(QScrollArea(), "sheet_scroll"), QWidget()
        inner.setAutoFillBackground(False)
        inner.setLayout(self._grid)
        self._grid.setContentsMargins(0, 0, SPACE, 0)
        self._grid.setHorizontalSpacing(3 * SPACE)
        self._grid.setVerticalSpacing(2 * SPACE)
        self._grid.setColumnStretch(1, 3)
        self._grid.setColumnStretch(2, 1)
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the field that has the focus
        area.viewport().setAutoFillBackground(False)
        column.addWidget(area, 1)
        foot = QHBoxLayout()
        foot.addWidget(self._count, 1)
        foot.addWidget(dialog_buttons(self, named(QPushButton("Cancel"), "cancel_button"), self._add))
        self._add.clicked.connect(self.accept)
        column.addLayout(foot)
        self.resize(scaled(780), scaled(560))


def _symbol(label: int | None) -> str:
    return LEFT_OUT if label is None else "x" if label == NONE else str(label)


def _read_all(
    weights: Weights, paths: Sequence[Path]
) -> Generator[str, None, tuple[list[tuple[str, SheetRow]], list[str]]]:
    """Read photos one by one; yield what is being read, and return the named rows and the problems."""
    reader = NumberReader(weights)
    rows: list[tuple[str, SheetRow]] = []
    problems = []
    for number, path in enumerate(paths, 1):
        yield f"Looking for digits in {path.name}…"
        try:
            found = read_sheet(reader, read_image(path))
        except DigitpadError as error:
            problems.append(str(error))
            continue
        if not found:
            problems.append(f"No digits were found in {path.name}.")
        photo = f"Photo {number}, row" if len(paths) > 1 else "Row"
        rows += [(f"{photo} {place}", row) for place, row in enumerate(found, 1)]
    return rows, problems
