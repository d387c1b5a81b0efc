"""What is to be said of the unit or the pixel that is pointed at."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from digitpad.class_names import DIGITS, noun
from digitpad.gui.inspect.layers_view import Connections, Selection
from digitpad.gui.inspect.numeric_table import NumericTable, TableLine
from digitpad.gui.inspect.tile_grid import colour_table, largest_of, picture
from digitpad.gui.widgets.basics import SPACE, format_count, make_label, named
from digitpad.gui.widgets.theme import Theme
from digitpad.inspection.arithmetic import Arithmetic, format_value, outgoing_terms, work_out
from digitpad.inspection.pixel_ablation import PixelContribution, pixel_contribution
from digitpad.inspection.trace import ActivationTrace, Block, Tracer
from digitpad.nn.arrays import Floats

COLUMNS = (0.74, 1.0)
MAX_CLASSES = 12  # of which it is told what a pixel does to them
HOW_TO = (
    "Point at a unit, a map or a pixel.",
    "",
    "Click to keep it; or Tab here, then the arrow",
    "keys, and Shift with them within a map.",
    "Esc lets go.",
)


class _Product(QWidget):
    """What is seen, times weights, is what it brings: three small pictures of what a map is read with."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._parts: tuple[Floats, Floats, Floats] | None = None
        self._names = ("", "", "")
        self._colours = colour_table(theme.tokens)
        self.setFixedHeight(100)
        theme.changed.connect(self._recolour)

    def set_parts(self, parts: tuple[Floats, Floats, Floats] | None, what: str = "") -> None:
        """Show arrays of one shape, (height, width): what is seen of ``what``, the weights, and their products."""
        self._parts = parts
        self._names = (what, "Weights", "Products")
        self.setAccessibleName(f"{what}, weights and products")
        self.update()

    def _recolour(self) -> None:
        self._colours = colour_table(self._theme.tokens)
        self.update()

    # Overrides of Qt's.

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._parts is None:
            return
        painter = QPainter(self)
        tokens = self._theme.tokens
        side = min((self.width() - 2 * 24) / 3, self.height() - 20.0)
        font = self.font()
        for place, (values, name) in enumerate(zip(self._parts, self._names, strict=True)):
            height, width = values.shape
            box = QRectF(place * (side + 24), 0, side, side)
            scale = side / max(height, width)
            used = QRectF(0, 0, width * scale, height * scale)
            used.moveCenter(box.center())
            painter.drawImage(used, picture(values, largest_of(values), self._colours))
            font.setPixelSize(11)
            painter.setFont(font)
            painter.setPen(QColor(tokens.soft))
            painter.drawText(QRectF(box.left(), side + 2, side, 16), Qt.AlignmentFlag.AlignHCenter, name)
            if place:
                font.setPixelSize(15)
                painter.setFont(font)
                sign = QRectF(box.left() - 24, 0, 24, side)
                painter.drawText(sign, Qt.AlignmentFlag.AlignCenter, " ×="[place])
        painter.end()


class UnitPanel(QWidget):
    """The arithmetic of one number, and of a pixel what it does to each class."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._title = make_label("", "strong", "unit_title")
        self._about = make_label("", "caption", "unit_about")
        self._product = named(_Product(theme), "unit_product")
        self._names: Sequence[str] = DIGITS
        self.sheet = NumericTable(theme, "unit_sheet")
        self.sheet.setAccessibleName("Arithmetic")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self._title)
        column.addWidget(self._about)
        column.addSpacing(SPACE)
        column.addWidget(self._product)
        column.addWidget(self.sheet, 1)

    def set_classes(self, class_names: Sequence[str]) -> None:
        """Call the outputs these."""
        self._names = class_names

    @property
    def said(self) -> str:
        """In words, what is chosen."""
        return f"{self._title.text()}. {self._about.text()}"

    def show_nothing(self) -> None:
        """Say what to do."""
        self._title.setText("Nothing pointed at")
        self._about.setText("Every number here can be followed.")
        self._product.hide()
        self.sheet.set_lines([TableLine((one,), soft=True) for one in HOW_TO])

    def show_unit(self, tracer: Tracer, trace: ActivationTrace | None, chosen: Selection, factor: float) -> Connections:
        """Tell of what is chosen; what is joined to it."""
        block = tracer.blocks[chosen.block]
        if chosen.block == 0:
            return self._show_pixel(tracer, trace, block, chosen)
        what = f"{'map' if block.has_maps else 'unit'} {chosen.unit}"
        if block is tracer.blocks[-1]:
            what = f"{noun(self._names)} {self._names[chosen.unit]}"
        self._title.setText(f"{block.name} · {what}")
        edited = "" if factor == 1 else " · off" if factor == 0 else f" · × {factor:g}"
        if trace is None:
            self._about.setText(f"Draw on the pad to see what it says{edited}")
            self._product.hide()
            self.sheet.set_lines([])
            return Connections()
        position = (chosen.unit, chosen.row, chosen.column)[: len(block.shape)]
        at = f"row {chosen.row}, column {chosen.column} · " if block.has_maps else ""
        self._about.setText(f"{at}{format_value(float(trace.of(block)[position]))}{edited}")
        worked = work_out(tracer, trace, chosen.block, position)
        before = tracer.blocks[chosen.block - 1]
        self._show_product(worked, before)
        self._show_arithmetic(worked, before, chosen.block == 1)
        brought = worked.by_unit(before.n_units) if chosen.block > 1 else np.empty(0)
        last = chosen.block == len(tracer.blocks) - 1
        after = np.empty(0) if last else outgoing_terms(tracer, trace, chosen.block, chosen.unit)
        return Connections(brought, after, _window(worked) if chosen.block == 1 and before.has_maps else None)

    def _show_arithmetic(self, worked: Arithmetic, before: Block, of_input: bool) -> None:
        lines = [TableLine(("Hears × weight", "", "= product"), soft=True)]
        end = [
            TableLine(("Bias", "", format_value(worked.bias))),
            TableLine(("Sum", "", format_value(worked.sum)), strong=True, ruled=True),
        ]
        for step in worked.steps:
            end.append(TableLine((step.name, "", format_value(step.value)), strong=True, ruled=True))
            end.append(TableLine((step.formula,), soft=True))
        n = len(worked.products)
        n_shown = min(n, max(1, self.sheet.n_fit - len(lines) - len(end) - 1))
        order = worked.by_size()
        products = worked.products
        for term in order[:n_shown].tolist():
            what = _name(worked.sources[term].tolist(), before, of_input)
            hears, weight = (format_value(float(values[term])) for values in (worked.inputs, worked.weights))
            lines.append(TableLine((what, f"{hears} × {weight}", format_value(float(products[term])))))
        if n > n_shown:
            rest = float(products[order[n_shown:]].sum())
            lines.append(TableLine((f"{format_count(n - n_shown)} others", "", format_value(rest)), soft=True))
        self.sheet.set_lines([*lines, *end], COLUMNS)

    def _show_product(self, worked: Arithmetic, before: Block) -> None:
        """Of the map before that brings most, what is seen, the weights and the products."""
        self._product.setVisible(before.has_maps)
        if not before.has_maps:
            return
        strongest = int(np.abs(worked.by_unit(before.n_units)).argmax())
        of_it = worked.sources[:, 0] == strongest
        rows, columns = worked.sources[of_it, 1], worked.sources[of_it, 2]
        if not len(rows):
            self._product.set_parts(None)
            return
        parts = []
        for values in (worked.inputs, worked.weights, worked.products):
            square = np.zeros((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1))
            square[rows - rows.min(), columns - columns.min()] = values[of_it]
            parts.append(square)
        seen, weights, products = parts
        what = "Sees" if before.n_units == 1 else f"Sees map {strongest}"
        self._product.set_parts((seen, weights, products), what)

    def _show_pixel(
        self, tracer: Tracer, trace: ActivationTrace | None, block: Block, chosen: Selection
    ) -> Connections:
        self._product.hide()
        if not block.has_maps or block.shape[1:] != tracer.network.input_shape:
            self._title.setText(f"Input · {chosen.unit}")
            self._about.setText("Not a pixel of the drawing")
            self.sheet.set_lines([])
            return Connections()
        self._title.setText(f"Pixel · row {chosen.row}, column {chosen.column}")
        if trace is None:
            self._about.setText("Draw on the pad to see what it does")
            self.sheet.set_lines([])
            return Connections()
        self._show_contribution(pixel_contribution(tracer.network, trace.image, chosen.row, chosen.column))
        return Connections(window=(chosen.row, chosen.column) * 2)

    def _show_contribution(self, says: PixelContribution) -> None:
        if says.ink:
            self._about.setText(f"Ink {says.ink} of 255. What it adds to each logit:")
        else:
            self._about.setText("No ink. What full ink would add to each logit:")
        largest = largest_of(says.logits) or 1.0
        places = np.argsort(-np.abs(says.logits), kind="stable")
        shown = np.sort(places) if len(places) <= MAX_CLASSES else places[: MAX_CLASSES - 1]
        values = [(self._names[place], float(says.logits[place])) for place in shown.tolist()]
        lines = [
            TableLine((name, "", f"{'+' if value > 0 else ''}{format_value(value)}"), bar=value / largest)
            for name, value in values
        ]
        if len(shown) < len(places):
            lines.append(TableLine((f"Less to the {len(places) - len(shown)} others",), soft=True))
        why = (
            "",
            "Asked by taking the ink away and reading",
            "again: what the network does, not what it",
            "would do if it were linear.",
        )
        self.sheet.set_lines([*lines, *(TableLine((one,), soft=True) for one in why)], COLUMNS)


def _name(source: list[int], before: Block, of_input: bool) -> str:
    if not before.has_maps:
        return f"unit {source[0]}"
    unit, row, column = source
    return f"pixel {row}, {column}" if of_input else f"map {unit} at {row}, {column}"


def _window(worked: Arithmetic) -> tuple[int, int, int, int] | None:
    if not len(worked.sources):
        return None
    _, (top, left), (bottom, right) = None, worked.sources[:, 1:].min(axis=0), worked.sources[:, 1:].max(axis=0)
    return int(top), int(left), int(bottom), int(right)
