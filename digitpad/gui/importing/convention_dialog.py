"""How other people's weights are meant: what was tried, what it reads, and what is to be taken."""

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
from digitpad.gui.widgets.basics import SPACE, closing_row, format_percent, make_label, named
from digitpad.gui.widgets.form_widgets import link
from digitpad.gui.widgets.table_items import prepare_table
from digitpad.importers.inference.best_convention import POOR, ImportResult
from digitpad.importers.inference.conventions import Candidate
from digitpad.weights.activation_names import NAMES

_COLUMNS = ("Reads", "Activation", "Pixels", "Images", "Besides")
_MOST_ROWS = 8


class ConventionDialog(QDialog):
    """A small table of candidates, of which the chosen one, or that of the last time, is marked.

    Parameters
    ----------
    understanding : Understanding
    chosen : Candidate
        What is marked at first.
    """

    classes_doubted = Signal()  # the outputs stand for something else

    def __init__(self, understanding: ImportResult, chosen: Candidate, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("convention_dialog")
        self.setWindowTitle("Other people's weights")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.understanding = understanding
        self._candidates = understanding.candidates
        table = named(QTableWidget(len(self._candidates), len(_COLUMNS)), "conventions")
        self._table = prepare_table(table, "Ways in which these weights can be meant")
        self._note = make_label("", "caption", "convention_note")
        self._fill()
        self._build(understanding)
        self._table.itemSelectionChanged.connect(self._show)
        self._table.selectRow(self._candidates.index(chosen))
        self._show()

    @property
    def candidate(self) -> Candidate:
        """The one that is marked."""
        return self._candidates[max(0, self._table.currentRow())]

    def _fill(self) -> None:
        for row, one in enumerate(self._candidates):
            convention = one.convention
            texts = (
                format_percent(one.accuracy) if self.understanding.yardstick.scores else "–",
                _spoken(convention.activation),
                convention.scaling,
                "transposed" if convention.transposed else "upright",
                convention.detail or "–",
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self._table.setItem(row, column, item)

    def _show(self) -> None:
        candidate, chosen = self.candidate, self.understanding.chosen
        if not self.understanding.yardstick.scores:
            text = "Nothing could be scored, as there is no data of these classes; what most people do is marked."
        elif max(one.accuracy for one in self._candidates) < POOR:
            text = "Little is read however they are taken: they may be hardly trained, or meant in another way."
        elif candidate is chosen:
            text = "The most usual of those that read within 1.5 points of the best."
        else:
            text = f"Your choice, kept for this file; proposed was {format_percent(chosen.accuracy)}."
        detail = candidate.convention.detail
        self._note.setText(f"{text}\nBesides: {detail}." if detail else text)

    def _build(self, understanding: ImportResult) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        structure = understanding.chosen.structure
        name = understanding.contents.path.name
        title = make_label(
            f"{name} holds {structure.sizes}, its matrices ({structure.orientation})", "strong", "convention_title"
        )
        title.setWordWrap(True)
        column.addWidget(title)
        measure = understanding.yardstick
        by = f"; that is found out by what it reads of {measure.said}" if measure.scores else ""
        found = make_label(f"It does not say how it is meant{by}.", "soft")
        found.setWordWrap(True)
        column.addWidget(found)
        outputs = QHBoxLayout()
        outputs.addWidget(
            make_label(f"Its outputs stand for {describe_names(measure.class_names)}.", "soft", "convention_classes")
        )
        doubt = link("Something else…", "convention_other_classes", "Say what the outputs stand for")
        doubt.clicked.connect(self._doubt)
        outputs.addWidget(doubt)
        outputs.addStretch(1)
        column.addLayout(outputs)
        column.addWidget(self._table)
        self._note.setWordWrap(True)
        self._note.setMinimumHeight(2 * self._note.fontMetrics().lineSpacing())  # so that rows of one keep their place
        self._note.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._note)
        self._build_table()
        use = named(QPushButton("Read with these"), "convention_use")
        use.setDefault(True)
        use.clicked.connect(self.accept)
        column.addLayout(closing_row(self, use, named(QPushButton("Cancel"), "convention_cancel")))
        self.setFixedWidth(680)

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


def _spoken(activation: str) -> str:
    kinds = {name: kind for kind, name in NAMES.items()} | {"leaky_relu": "Leaky ReLU"}
    words = (word.split(" ") for word in activation.split(", "))  # a slope may follow
    return ", ".join(" ".join([kinds.get(name, name), *slope]) for name, *slope in words)
