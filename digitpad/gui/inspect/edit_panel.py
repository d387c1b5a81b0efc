"""Panel to switch off or scale units and to prune or quantise weights; shows the effect on accuracy."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QUndoCommand, QUndoStack
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from digitpad.evaluation.metrics import interval
from digitpad.gui.inspect.layers_view import Selection
from digitpad.gui.widgets.basics import SPACE, make_label, named
from digitpad.gui.widgets.segmented_control import join_buttons
from digitpad.gui.widgets.term_button import explain
from digitpad.gui.widgets.text_size import scale_with_text
from digitpad.inspection.measure import MeasuredAccuracy, PartScore
from digitpad.inspection.trace import Block
from digitpad.inspection.weight_edits import BITS, MAX_FACTOR, MAX_PRUNED, WeightEdits
from digitpad.number_format import format_count, format_percent

MAX_LINES = 3
FACTOR_STEPS = 20  # slider steps from factor 0 to 1


class _Edit(QUndoCommand):
    """Undo step of an edit; all changes of one slider drag are merged into one step."""

    def __init__(self, panel: "EditPanel", text: str, key: tuple[object, ...], after: WeightEdits) -> None:
        super().__init__(text)
        self._panel, self._key = panel, key
        self._before, self._after = panel.edits, after

    def undo(self) -> None:
        self._panel._set(self._before)

    def redo(self) -> None:
        self._panel._set(self._after)

    def id(self) -> int:
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or other._key != self._key:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)
        return True


class EditPanel(QWidget):
    """Edits of the network on the Inside tab, with undo."""

    changed = Signal()  # `edits` changed
    save_requested = Signal()
    use_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.edits = WeightEdits()
        self.stack = QUndoStack(self)
        self._blocks: tuple[Block, ...] = ()
        self.chosen: Selection | None = None
        self._gesture = 0
        self._measured: MeasuredAccuracy | None = None
        self._title = make_label("", "strong", "edit_title")
        self._off = named(QPushButton("Switch off"), "switch_off")
        self._factor = named(QSlider(Qt.Orientation.Horizontal), "factor")
        self._factor_value = make_label("", "caption", "factor_value")
        self._pruned = named(QSlider(Qt.Orientation.Horizontal), "pruned")
        self._pruned_value = make_label("", "caption", "pruned_value")
        self._bits: dict[int | None, QPushButton] = {}
        self._edit_lines = make_label("", "caption", "edits")
        self._figures = {name: make_label("–", "figure", f"{name}_accuracy") for name in ("validation", "test")}
        self._intervals = {name: make_label("", "caption", f"{name}_interval") for name in ("validation", "test")}
        self._figures_box = QWidget()
        self._unedited = make_label("", "caption", "unedited")
        self._count = make_label("", "caption", "weights_left")
        self._save = named(QPushButton("Save as…"), "save_edited")
        self._use = named(QPushButton("Use in Draw tab"), "use_edited")
        self._build()
        self._refresh()

    def set_network(self, blocks: tuple[Block, ...], edits: WeightEdits) -> None:
        """Edit another network, starting from its last edits ``edits``; clear the undo history."""
        self._blocks, self.chosen = blocks, None
        self.stack.clear()
        self.edits = edits
        self._measured = None
        self._refresh()

    def set_count(self, n: int, n_left: int) -> None:
        """Show the number of weights ``n`` and the number ``n_left`` of those that are not 0."""
        self._count.setText(f"{format_count(n_left)} of {format_count(n)} weights are not 0")

    def set_chosen(self, chosen: Selection | None) -> None:
        """Select the unit that the buttons and the slider edit."""
        self.chosen = chosen
        self._refresh()

    def set_measured(self, measured: MeasuredAccuracy | None) -> None:
        """Show the accuracy measured so far; None shows a dash for each value."""
        self._measured = measured
        for name, figure in self._figures.items():
            part: PartScore | None = None if measured is None else getattr(measured, name)
            if part is None or not part.n_read:
                figure.setText("–")
                self._intervals[name].setText("")
                continue
            figure.setText(format_percent(part.accuracy, 2))
            low, high = interval(part.accuracy, part.n_read)
            progress = f"{format_count(part.n_read)} of {format_count(part.n)} evaluated"
            self._intervals[name].setText(f"{100 * low:.1f} to {format_percent(high)}" if part.is_whole else progress)

    def set_unedited(self, *accuracies: object) -> None:
        """Show the unedited accuracies on validation and test images; omit values that are not floats."""
        self._figures_box.show()
        text = " and ".join(format_percent(accuracy, 2) for accuracy in accuracies if isinstance(accuracy, float))
        self._unedited.setText(f"Unedited: {text}" if text else "")

    def set_not_measured(self, why: str) -> None:
        """Show why there is no accuracy, in its place."""
        self._figures_box.hide()
        self._unedited.setText(why)

    def toggle(self, chosen: Selection) -> None:
        """Switch a hidden unit off, or on again if it is off."""
        if self._is_hidden(chosen):
            factor = 1.0 if self.edits.factor(chosen.block, chosen.unit) == 0 else 0.0
            self._scale(chosen, factor, "Switch")

    # Editing.

    def _push(self, text: str, key: tuple[object, ...], after: WeightEdits) -> None:
        if after != self.edits:
            self.stack.push(_Edit(self, text, key, after))

    def _set(self, edits: WeightEdits) -> None:
        self.edits = edits
        self._refresh()
        self.changed.emit()

    def _scale(self, chosen: Selection, factor: float, text: str) -> None:
        self._push(text, (self._gesture, chosen.block, chosen.unit), self._with_factor(chosen, factor))

    def _with_factor(self, chosen: Selection, factor: float) -> WeightEdits:
        return self.edits.with_factor(chosen.block, chosen.unit, factor)

    def _begin_gesture(self) -> None:
        self._gesture += 1

    def _factor_moved(self, value: int) -> None:
        if self.chosen is not None and self._is_hidden(self.chosen):
            self._scale(self.chosen, value / FACTOR_STEPS, "Scale")

    def _pruned_moved(self, value: int) -> None:
        self._push("Prune", (self._gesture, "pruned"), replace(self.edits, pruned=value / 100))

    def _bits_chosen(self, bits: int | None) -> None:
        self._begin_gesture()
        self._push("Quantise", (self._gesture,), replace(self.edits, bits=bits))

    def _off_pressed(self) -> None:
        self._begin_gesture()
        if self.chosen is not None:
            self.toggle(self.chosen)

    def _reset_all(self) -> None:
        self._begin_gesture()
        self._push("Reset all", (self._gesture,), WeightEdits())

    def _is_hidden(self, chosen: Selection) -> bool:
        return 0 < chosen.block < len(self._blocks) - 1

    # Showing.

    def _refresh(self) -> None:
        chosen, edits = self.chosen, self.edits
        hidden = chosen is not None and self._is_hidden(chosen)
        factor = 1.0
        if chosen is not None and hidden:
            block = self._blocks[chosen.block]
            self._title.setText(f"{block.name} · {'map' if block.has_maps else 'unit'} {chosen.unit}")
            factor = edits.factor(chosen.block, chosen.unit)
        else:
            self._title.setText("Click a unit or a feature map to edit it")
        self._off.setText("Switch on" if factor == 0 else "Switch off")
        for widget in (self._off, self._factor):
            widget.setEnabled(hidden)
        self._factor_value.setText(f"× {factor:.2f}" if hidden else "")
        self._pruned_value.setText(format_percent(edits.pruned, 0))
        for slider, value in ((self._factor, factor * FACTOR_STEPS), (self._pruned, edits.pruned * 100)):
            slider.blockSignals(True)
            slider.setValue(round(value))
            slider.blockSignals(False)
        self._bits[edits.bits].setChecked(True)
        all_lines = edits.descriptions(self._blocks)
        n_more = len(all_lines) - MAX_LINES + 1
        lines = all_lines if len(all_lines) <= MAX_LINES else [*all_lines[: MAX_LINES - 1], f"and {n_more} more"]
        self._edit_lines.setText("\n".join(lines) or "No edits yet")
        self._edit_lines.setToolTip("\n".join(all_lines) if lines != all_lines else "")
        self._back.setEnabled(edits != WeightEdits())
        for button in (self._save, self._use):
            button.setEnabled(edits != WeightEdits())

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self._title)
        self._off.setToolTip("Set the output of this unit to 0 (Space in the layers view)")
        self._off.clicked.connect(self._off_pressed)
        self._factor.setRange(0, round(MAX_FACTOR * FACTOR_STEPS))
        self._factor.setAccessibleName("Factor of the unit")
        self._factor.setToolTip("Factor for the output of this unit")
        self._factor.valueChanged.connect(self._factor_moved)
        scale_with_text(self._factor_value, self._factor_value.setFixedWidth, 44)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self._off)
        row.addWidget(self._factor, 1)
        row.addWidget(self._factor_value)
        column.addLayout(row)
        column.addItem(_gap(2 * SPACE))
        prune = make_label("Prune the smallest weights", "strong")
        explain(prune, "pruning")
        column.addWidget(prune)
        self._pruned.setRange(0, round(MAX_PRUNED * 100))
        self._pruned.setAccessibleName("Share of pruned weights")
        self._pruned.setToolTip("Share of all weights that are set to 0, the smallest first")
        self._pruned.valueChanged.connect(self._pruned_moved)
        scale_with_text(self._pruned_value, self._pruned_value.setFixedWidth, 44)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self._pruned, 1)
        row.addWidget(self._pruned_value)
        column.addLayout(row)
        column.addItem(_gap(SPACE))
        for slider in (self._factor, self._pruned):
            slider.sliderPressed.connect(self._begin_gesture)
        for value in (self._factor_value, self._pruned_value):
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._build_bits(column)
        column.addItem(_gap(2 * SPACE))
        self._edit_lines.setFixedHeight(MAX_LINES * 16)
        self._edit_lines.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._edit_lines)
        column.addLayout(self._build_undo())
        column.addItem(_gap(4 * SPACE))
        self._build_figures(column)
        column.addItem(_gap(SPACE))
        self._unedited.setWordWrap(True)
        column.addWidget(self._unedited)
        column.addWidget(self._count)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        self._save.setToolTip("Save the edited network as a new file, which lists the edits")
        self._use.setToolTip("Use the edited network in the Draw tab")
        self._save.clicked.connect(self.save_requested)
        self._use.clicked.connect(self.use_requested)
        row.addWidget(self._save, 1)
        row.addWidget(self._use, 1)
        column.addLayout(row)

    def _build_bits(self, column: QVBoxLayout) -> None:
        row = QHBoxLayout()
        row.setSpacing(0)
        heading = make_label("Bits per weight", "strong")
        explain(heading, "quantisation")
        row.addWidget(heading)
        row.addStretch(1)
        choices: list[int | None] = [None, *BITS]
        for bits in choices:
            button = named(QPushButton(str(bits or 32)), f"bits_{bits or 32}")
            button.setToolTip(
                f"Round each weight to one of {2**bits - 1} evenly spaced values for its unit"
                if bits
                else "Not quantised"
            )
            button.clicked.connect(lambda _=False, bits=bits: self._bits_chosen(bits))
            self._bits[bits] = button
        join_buttons(list(self._bits.values()), row, self)
        column.addLayout(row)

    def _build_undo(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        standard = QKeySequence.StandardKey
        undo, redo = named(QPushButton("Undo"), "undo_edit"), named(QPushButton("Redo"), "redo_edit")
        self._back = named(QPushButton("Reset all"), "put_back")
        self._back.setToolTip("Remove all edits; this can be undone")
        for button, act, signal, key, tip in (
            (undo, self.stack.undo, self.stack.canUndoChanged, standard.Undo, "Undo the last edit"),
            (redo, self.stack.redo, self.stack.canRedoChanged, standard.Redo, "Redo the last undone edit"),
        ):
            button.setEnabled(False)
            button.clicked.connect(act)
            signal.connect(button.setEnabled)
            native = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
            button.setToolTip(f"{tip} ({native})")
        self._back.clicked.connect(self._reset_all)
        for button in (undo, redo, self._back):
            row.addWidget(button, 1)
        return row

    def _build_figures(self, column: QVBoxLayout) -> None:
        row = QHBoxLayout(self._figures_box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * SPACE)
        for name, title in (("validation", "Validation accuracy"), ("test", "Test accuracy")):
            part = QVBoxLayout()
            part.setSpacing(0)
            part.addWidget(make_label(title, "caption"))
            part.addWidget(self._figures[name])
            part.addWidget(self._intervals[name])
            row.addLayout(part, 1)
        column.addWidget(self._figures_box)


def _gap(height_px: int) -> QSpacerItem:
    """Return a gap between rows, which shrinks in a low window."""
    return QSpacerItem(0, height_px, QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Maximum)
