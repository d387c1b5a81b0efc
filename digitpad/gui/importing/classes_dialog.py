"""Dialog for the class names of a network, if its file does not state them."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from digitpad.class_names import DIGITS, default_names, parse_names
from digitpad.gui.data.dataset_choice import NONE, DatasetChoice
from digitpad.gui.widgets.basics import SPACE, dialog_buttons, make_label, named
from digitpad.gui.widgets.text_size import scale_with_text


@dataclass(frozen=True)
class OutputClasses:
    """Classes of a network's outputs: their names, or the dataset that has them and scores the network."""

    names: tuple[str, ...] = ()
    data: str = NONE


class ClassesDialog(QDialog):
    """Dialog that asks for class names, or for a dataset that has them.

    Parameters
    ----------
    name : str
        Of the file.
    n_outputs : int
    """

    def __init__(self, name: str, n_outputs: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("classes_dialog")
        self.setWindowTitle("Import network")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._n = n_outputs
        self._names = named(QLineEdit(default_names(n_outputs)), "class_names")
        self._data = named(DatasetChoice("None"), "class_data")
        self._note = make_label("", "caption", "class_note")
        self._open = named(QPushButton("Open"), "class_open")
        self._build(name)
        self._names.textChanged.connect(self._show)
        self._data.currentIndexChanged.connect(self._show)
        self._names.selectAll()
        self._show()

    @property
    def classes(self) -> OutputClasses | None:
        """The classes that were chosen; None if the number of names differs from the number of outputs."""
        if self._data.value() != NONE:
            return OutputClasses(data=self._data.value())
        try:
            names = parse_names(self._names.text())
        except ValueError:
            return None
        return OutputClasses(names) if len(names) == self._n else None

    def _show(self) -> None:
        classes = self.classes
        self._names.setEnabled(self._data.value() == NONE)
        self._open.setEnabled(classes is not None)
        self._note.setText(self._describe(classes))

    def _describe(self, classes: OutputClasses | None) -> str:
        if classes is None:
            try:
                n = len(parse_names(self._names.text()))
            except ValueError:
                return f"Enter {self._n} different names, separated by commas; A-Z stands for all letters from A to Z."
            return f"{n} names; the network has {self._n} outputs."
        if classes.data != NONE:
            return "The outputs are the dataset's classes in order. Its images test how to use the network."
        if set(DIGITS) <= set(classes.names):
            return "The built-in digits test how to use the network."
        return "Without data of these classes nothing can be tested; the most common options are used."

    def _build(self, name: str) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        title = make_label(f"{name} has {self._n} outputs. Which classes do they stand for?", "strong", "class_title")
        title.setWordWrap(True)
        column.addWidget(title)
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * SPACE)
        grid.setVerticalSpacing(2 * SPACE)
        grid.setColumnStretch(1, 1)
        fields: tuple[tuple[str, QWidget, str], ...] = (
            ("Names", self._names, "Names in the order of the outputs, separated by commas; or A-Z"),
            ("Dataset", self._data, "A dataset of these classes, which names them and tests the network"),
        )
        for row, (text, field, tip) in enumerate(fields):
            about = make_label(text, "soft")
            about.setBuddy(field)
            field.setAccessibleName(text)
            field.setToolTip(tip)
            grid.addWidget(about, row, 0)
            grid.addWidget(field, row, 1)
        self._names.setPlaceholderText("A-Z, or cat, dog, …")
        column.addLayout(grid)
        self._note.setWordWrap(True)
        self._note.setMinimumHeight(2 * self._note.fontMetrics().lineSpacing())
        self._note.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._note)
        self._open.setDefault(True)
        self._open.clicked.connect(self.accept)
        column.addWidget(dialog_buttons(self, named(QPushButton("Cancel"), "class_cancel"), self._open))
        scale_with_text(self, self.setFixedWidth, 500)

    # Qt overrides.

    def done(self, result: int) -> None:
        """End a download when the dialog closes."""
        self._data.close_download()
        super().done(result)
