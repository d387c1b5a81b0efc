"""Dialog for import options: the tested options, their accuracy, and the choice."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from digitpad.class_names import describe_names
from digitpad.gui.widgets.basics import SPACE, dialog_buttons, link, make_label, named
from digitpad.gui.widgets.table_items import prepare_table
from digitpad.gui.widgets.text_size import scale_with_text
from digitpad.importers.inference.best_convention import POOR, ImportResult
from digitpad.importers.inference.conventions import Candidate
from digitpad.number_format import format_percent
from digitpad.weights.activation_names import NAMES

_COLUMNS = ("Accuracy", "Activation", "Pixels", "Images", "Details")
_MOST_ROWS = 8


class ConventionDialog(QDialog):
    """A table of candidates; the proposed one, or the last choice, is selected.

    Parameters
    ----------
    result : ImportResult
    chosen : Candidate
        Selected at first.
    """

    classes_doubted = Signal()  # the outputs have other classes

    def __init__(self, result: ImportResult, chosen: Candidate, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("convention_dialog")
        self.setWindowTitle("Import network")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._imported = result
        self._candidates = result.candidates
        table = named(QTableWidget(len(self._candidates), len(_COLUMNS)), "conventions")
        self._table = prepare_table(table, "Import options")
        self._note = make_label("", "caption", "convention_note")
        self._fill()
        self._build(result)
        self._table.itemSelectionChanged.connect(self._show)
        self._table.selectRow(self._candidates.index(chosen))
        self._show()

    @property
    def candidate(self) -> Candidate:
        """The selected candidate."""
        return self._candidates[max(0, self._table.currentRow())]

    def _fill(self) -> None:
        for row, candidate in enumerate(self._candidates):
            convention = candidate.convention
            texts = (
                format_percent(candidate.accuracy) if self._imported.probe_set.scores else "–",
                _display_name(convention.activation),
                convention.scaling,
                "transposed" if convention.transposed else "upright",
                convention.detail or "–",
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self._table.setItem(row, column, item)

    def _show(self) -> None:
        candidate, chosen = self.candidate, self._imported.chosen
        if not self._imported.probe_set.scores:
            text = "Nothing could be tested, as there is no data of these classes. The most common option is selected."
        elif max(other.accuracy for other in self._candidates) < POOR:
            text = "No option reads well; the network may be untrained."
        elif candidate is chosen:
            text = "The most common setting within 1.5 points of the best."
        else:
            text = (
                f"Your choice, remembered for this file. The proposed option reads {format_percent(chosen.accuracy)}."
            )
        detail = candidate.convention.detail
        self._note.setText(f"{text}\nDetails: {detail}." if detail else text)

    def _build(self, result: ImportResult) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        structure = result.chosen.structure
        name = result.tensor_tree.path.name
        title = make_label(
            f"{name}: {structure.sizes} network, matrices stored {_stored(structure.orientation)}",
            "strong",
            "convention_title",
        )
        title.setWordWrap(True)
        column.addWidget(title)
        measure = result.probe_set
        tested = f", so each option was tested on {measure.description}" if measure.scores else ""
        source = "The file states its activation" if result.stated_activation else "The file doesn't say how to use it"
        about = make_label(f"{source}{tested}.", "soft")
        about.setWordWrap(True)
        column.addWidget(about)
        outputs = QHBoxLayout()
        outputs.addWidget(
            make_label(f"Classes of its outputs: {describe_names(measure.class_names)}.", "soft", "convention_classes")
        )
        doubt = link("Change…", "convention_other_classes", "Choose the classes of the outputs")
        doubt.clicked.connect(self._doubt)
        outputs.addWidget(doubt)
        outputs.addStretch(1)
        column.addLayout(outputs)
        column.addWidget(self._table)
        self._note.setWordWrap(True)
        self._note.setMinimumHeight(2 * self._note.fontMetrics().lineSpacing())  # so that nothing moves
        self._note.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._note)
        self._build_table()
        use = named(QPushButton("Use this network"), "convention_use")
        use.setDefault(True)
        use.clicked.connect(self.accept)
        column.addWidget(dialog_buttons(self, named(QPushButton("Cancel"), "convention_cancel"), use))
        scale_with_text(self, self.setFixedWidth, 680)

    def _doubt(self) -> None:
        self.reject()
        self.classes_doubted.emit()

    def _build_table(self) -> None:
        table = self._table
        table.setHorizontalHeaderLabels(list(_COLUMNS))
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.doubleClicked.connect(self.accept)
        header = table.horizontalHeader()
        for place in range(len(_COLUMNS)):
            header.setSectionResizeMode(place, QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        table.verticalHeader().setDefaultSectionSize(28)
        rows = min(_MOST_ROWS, table.rowCount())
        table.setFixedHeight(28 * rows + 32)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)


def _display_name(activation: str) -> str:
    kinds = {name: kind for kind, name in NAMES.items()} | {"leaky_relu": "Leaky ReLU"}
    words = (word.split(" ") for word in activation.split(", "))  # the slope of a leaky ReLU may follow
    return ", ".join(" ".join([kinds.get(name, name), *slope]) for name, *slope in words)


def _stored(orientation: str) -> str:
    """Write "(in, out)" as "input × output"."""
    sides = {"in": "input", "out": "output"}
    return " × ".join(sides.get(side, side) for side in orientation.strip("()").split(", "))
