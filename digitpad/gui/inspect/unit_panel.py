"""Panel with the arithmetic of the selected unit or the effect of the selected pixel."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from digitpad.class_names import DIGITS, noun
from digitpad.gui.inspect.layers_view import Connections, Selection
from digitpad.gui.inspect.numeric_table import NumericTable, TableLine
from digitpad.gui.inspect.tile_grid import colour_table, largest_of, picture
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE, make_label, named
from digitpad.gui.widgets.text_size import scale_with_text, scaled
from digitpad.gui.widgets.theme import Theme
from digitpad.inspection.arithmetic import Arithmetic, format_value, outgoing_terms, work_out
from digitpad.inspection.pixel_ablation import PixelContribution, pixel_contribution
from digitpad.inspection.trace import ActivationTrace, Block, Tracer
from digitpad.nn.arrays import Floats
from digitpad.number_format import format_count

COLUMNS = (0.74, 1.0)
MAX_CLASSES = 12  # maximum number of lines for the effect of a pixel on the classes
HOW_TO = (
    "Point at a unit, a feature map or a pixel.",
    "",
    "Click to keep it selected. Or press Tab, then",
    "the arrow keys; with Shift they move within",
    "a map. Esc clears the selection.",
)


class _ProductImages(QWidget):
    """Three small images of a convolution: input × weights = products."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._parts: tuple[Floats, Floats, Floats] | None = None
        self._names = ("", "", "")
        self._colours = colour_table(theme.tokens)
        self.setAccessibleName("Inputs, weights and products")
        set_accessible_role(self, Role.Graphic)
        scale_with_text(self, self.setFixedHeight, 100)
        theme.changed.connect(self._recolour)

    def set_parts(self, parts: tuple[Floats, Floats, Floats] | None, what: str = "") -> None:
        """Show the input named ``what``, the weights and their products, arrays of the same shape (height, width)."""
        self._parts = parts
        self._names = (what, "Weights", "Products")
        self.setAccessibleName(f"{what}, weights and products")
        self.update()

    def _recolour(self) -> None:
        self._colours = colour_table(self._theme.tokens)
        self.update()

    # Qt overrides.

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
            font.setPixelSize(scaled(11))
            painter.setFont(font)
            painter.setPen(QColor(tokens.soft))
            painter.drawText(QRectF(box.left(), side + 2, side, 16), Qt.AlignmentFlag.AlignHCenter, name)
            if place:
                font.setPixelSize(scaled(15))
                painter.setFont(font)
                sign = QRectF(box.left() - 24, 0, 24, side)
                painter.drawText(sign, Qt.AlignmentFlag.AlignCenter, " ×="[place])
        painter.end()


class UnitPanel(QWidget):
    """Panel with the arithmetic of one activation, or the effect of one pixel on each class."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._title = make_label("", "strong", "unit_title")
        self._about = make_label("", "caption", "unit_about")
        self._product = named(_ProductImages(theme), "unit_product")
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
        """Set the names of the output classes."""
        self._names = class_names

    @property
    def description(self) -> str:
        """Description of the selection in words."""
        return f"{self._title.text()}. {self._about.text()}"

    def show_nothing(self) -> None:
        """Show how to select a unit."""
        self._title.setText("Nothing selected")
        self._about.setText("You can trace every number here")
        self._product.hide()
        self.sheet.set_lines([TableLine((line,), soft=True) for line in HOW_TO])

    def show_unit(self, tracer: Tracer, trace: ActivationTrace | None, chosen: Selection, factor: float) -> Connections:
        """Show the selected unit or pixel; return its connections."""
        block = tracer.blocks[chosen.block]
        if chosen.block == 0:
            return self._show_pixel(tracer, trace, block, chosen)
        what = f"{'map' if block.has_maps else 'unit'} {chosen.unit}"
        if block is tracer.blocks[-1]:
            what = f"{noun(self._names)} {self._names[chosen.unit]}"
        self._title.setText(f"{block.name} · {what}")
        edited = "" if factor == 1 else " · off" if factor == 0 else f" · × {factor:g}"
        if trace is None:
            self._about.setText(f"Draw on the pad to see its activation{edited}")
            self._product.hide()
            self.sheet.set_lines([])
            return Connections()
        position = (chosen.unit, chosen.row, chosen.column)[: len(block.shape)]
        at = f"row {chosen.row}, column {chosen.column} · " if block.has_maps else ""
        self._about.setText(f"{at}{format_value(float(trace.of(block)[position]))}{edited}")
        arithmetic = work_out(tracer, trace, chosen.block, position)
        before = tracer.blocks[chosen.block - 1]
        self._show_product(arithmetic, before)
        self._show_arithmetic(arithmetic, before, chosen.block == 1)
        contributions = arithmetic.by_unit(before.n_units) if chosen.block > 1 else np.empty(0)
        last = chosen.block == len(tracer.blocks) - 1
        after = np.empty(0) if last else outgoing_terms(tracer, trace, chosen.block, chosen.unit)
        return Connections(contributions, after, _window(arithmetic) if chosen.block == 1 and before.has_maps else None)

    def _show_arithmetic(self, arithmetic: Arithmetic, before: Block, of_input: bool) -> None:
        lines = [TableLine(("Input × weight", "", "= product"), soft=True)]
        end = [
            TableLine(("Bias", "", format_value(arithmetic.bias))),
            TableLine(("Sum", "", format_value(arithmetic.sum)), strong=True, ruled=True),
        ]
        for step in arithmetic.steps:
            end.append(TableLine((step.name, "", format_value(step.value)), strong=True, ruled=True))
            end.append(TableLine((step.formula,), soft=True))
        n = len(arithmetic.products)
        n_shown = min(n, max(1, self.sheet.n_fit - len(lines) - len(end) - 1))
        order = arithmetic.by_size()
        products = arithmetic.products
        for term in order[:n_shown].tolist():
            what = _name(arithmetic.sources[term].tolist(), before, of_input)
            value, weight = (format_value(float(values[term])) for values in (arithmetic.inputs, arithmetic.weights))
            lines.append(TableLine((what, f"{value} × {weight}", format_value(float(products[term])))))
        if n > n_shown:
            rest = float(products[order[n_shown:]].sum())
            lines.append(TableLine((f"{format_count(n - n_shown)} others", "", format_value(rest)), soft=True))
        self.sheet.set_lines([*lines, *end], COLUMNS)

    def _show_product(self, arithmetic: Arithmetic, before: Block) -> None:
        """Show input, weights and products of the input map with the largest contribution."""
        self._product.setVisible(before.has_maps)
        if not before.has_maps:
            return
        strongest = int(np.abs(arithmetic.by_unit(before.n_units)).argmax())
        of_map = arithmetic.sources[:, 0] == strongest
        rows, columns = arithmetic.sources[of_map, 1], arithmetic.sources[of_map, 2]
        if not len(rows):
            self._product.set_parts(None)
            return
        parts = []
        for values in (arithmetic.inputs, arithmetic.weights, arithmetic.products):
            square = np.zeros((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1))
            square[rows - rows.min(), columns - columns.min()] = values[of_map]
            parts.append(square)
        inputs, weights, products = parts
        what = "Input" if before.n_units == 1 else f"Input map {strongest}"
        self._product.set_parts((inputs, weights, products), what)

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
            self._about.setText("Draw on the pad to see its effect")
            self.sheet.set_lines([])
            return Connections()
        self._show_contribution(pixel_contribution(tracer.network, trace.image, chosen.row, chosen.column))
        return Connections(window=(chosen.row, chosen.column) * 2)

    def _show_contribution(self, contribution: PixelContribution) -> None:
        if contribution.ink:
            self._about.setText(f"Ink {contribution.ink} of 255. It adds to each logit:")
        else:
            self._about.setText("No ink. Full ink would add to each logit:")
        largest = largest_of(contribution.logits) or 1.0
        places = np.argsort(-np.abs(contribution.logits), kind="stable")
        listed = np.sort(places) if len(places) <= MAX_CLASSES else places[: MAX_CLASSES - 1]
        values = [(self._names[place], float(contribution.logits[place])) for place in listed.tolist()]
        lines = [
            TableLine((name, "", f"{'+' if value > 0 else ''}{format_value(value)}"), bar=value / largest)
            for name, value in values
        ]
        if len(listed) < len(places):
            lines.append(TableLine((f"Smaller effect on the {len(places) - len(listed)} others",), soft=True))
        notes = (
            "",
            "Measured by changing the ink and reading",
            "again, so this is the exact effect, not a",
            "linear approximation.",
        )
        self.sheet.set_lines([*lines, *(TableLine((note,), soft=True) for note in notes)], COLUMNS)


def _name(source: list[int], before: Block, of_input: bool) -> str:
    if not before.has_maps:
        return f"unit {source[0]}"
    unit, row, column = source
    return f"pixel {row}, {column}" if of_input else f"map {unit} at {row}, {column}"


def _window(arithmetic: Arithmetic) -> tuple[int, int, int, int] | None:
    if not len(arithmetic.sources):
        return None
    _, (top, left), (bottom, right) = None, arithmetic.sources[:, 1:].min(axis=0), arithmetic.sources[:, 1:].max(axis=0)
    return int(top), int(left), int(bottom), int(right)
