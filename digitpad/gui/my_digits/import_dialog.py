"""Import of strokes files and folders of images: what they hold, to check before it is added."""

from collections.abc import Collection, Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from digitpad.datasets.own_digits.records import MAX_TEXT, OwnDigit
from digitpad.datasets.own_digits.transfer import import_images, import_strokes
from digitpad.errors import DigitpadError
from digitpad.gui.my_digits.drawing_grid import DrawingGrid
from digitpad.gui.my_digits.wording import count_of, drawings_of
from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks, error_message, report
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, dialog_buttons, make_label, named
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme
from digitpad.number_format import format_count

MAX_IMPORTED = 10_000
"""Largest number of drawings of one import; more are a dataset rather than someone's own digits."""


class ImportDialog(QDialog):
    """Reads files in a thread, shows their drawings, and emits those that are new and were not left out.

    Parameters
    ----------
    theme : Theme
    paths : sequence of Path
        Strokes files, or folders with one folder of images for each digit.
    known : collection of str
        Identifiers of the drawings that are in My digits already.
    parent : QWidget
    """

    chosen = Signal(object)  # list of OwnDigit

    def __init__(self, theme: Theme, paths: Sequence[Path], known: Collection[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("import_dialog")
        self.setWindowTitle("Import drawings – digitpad")
        self._known = frozenset(known)
        self._drawings: list[OwnDigit] = []
        self._n_known = 0
        self._tasks = TaskRunner("import", Policy.LATEST, self)
        self.writer = named(QLineEdit(), "import_writer")
        self.grid = DrawingGrid(theme, "import_grid")
        self._message = make_label("Reading…", "soft", "import_message")
        self._count = ElidedLabel("strong", "import_count")
        self._add = named(QPushButton("Add"), "add_drawings")
        self._build()
        self._show()
        self._tasks.start(
            partial(_read_all, list(paths)),
            progressed=lambda n: self._message.setText(f"Reading… {drawings_of(n)}"),
            finished=self._show_drawings,
            failed=lambda error: self._message.setText(error_message(error)),
        )

    @property
    def drawings(self) -> list[OwnDigit]:
        """The drawings to add; the writer's name is given to those that have none."""
        writer = self.writer.text().strip()
        return [replace(digit, writer=digit.writer or writer) for digit in self._drawings]

    def done(self, result: int) -> None:
        """Close, and end the reading."""
        end_tasks(self)
        self.deleteLater()
        super().done(result)

    def accept(self) -> None:
        """Add the drawings."""
        self.chosen.emit(self.drawings)
        super().accept()

    def _show_drawings(self, read: tuple[list[OwnDigit], list[str]]) -> None:
        drawings, problems = read
        unique = {digit.id: digit for digit in drawings}
        self._drawings = sorted(
            (digit for digit in unique.values() if digit.id not in self._known), key=lambda digit: digit.label
        )
        self._n_known = len(unique) - len(self._drawings)
        if self._n_known:
            problems.append(f"{count_of(self._n_known, 'drawing is', 'drawings are')} in My digits already.")
        help_text = "A digit key relabels the selected drawings, X means not a digit, Delete leaves them out."
        self._message.setText("\n".join([*problems, *[help_text] * bool(self._drawings)]))
        self._show()

    def _relabel(self, label: int) -> None:
        ids = {digit.id for digit in self.grid.selected}
        self._drawings = [replace(digit, label=label) if digit.id in ids else digit for digit in self._drawings]
        self._show()

    def _leave_out(self) -> None:
        ids = {digit.id for digit in self.grid.selected}
        self._drawings = [digit for digit in self._drawings if digit.id not in ids]
        self._show()

    def _show(self) -> None:
        self.grid.set_drawings(self._drawings)
        n = len(self._drawings)
        counts = [
            f"{name}: {count}"
            for name, count in (
                (label if label < 10 else "✕", sum(digit.label == label for digit in self._drawings))
                for label in sorted({digit.label for digit in self._drawings})
            )
        ]
        self._count.set_text("   ".join(counts))
        self._add.setText(f"Add {drawings_of(n)}" if n else "Add")
        self._add.setEnabled(bool(n))

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 4 * SPACE, 5 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        line = QHBoxLayout()
        label = make_label("Writer of drawings without a name", "soft")
        label.setBuddy(self.writer)
        self.writer.setAccessibleName("Writer of drawings without a name")
        self.writer.setPlaceholderText("Name or number")
        self.writer.setMaxLength(MAX_TEXT)
        line.addWidget(label)
        line.addWidget(self.writer, 1)
        column.addLayout(line)
        self._message.setWordWrap(True)
        column.addWidget(self._message)
        self.grid.relabel_requested.connect(self._relabel)
        self.grid.delete_requested.connect(self._leave_out)
        column.addWidget(self.grid, 1)
        column.addWidget(self._count)
        column.addWidget(dialog_buttons(self, named(QPushButton("Cancel"), "cancel_button"), self._add))
        self._add.clicked.connect(self.accept)
        self.resize(scaled(700), scaled(520))


def _read_all(paths: Sequence[Path]) -> Generator[int, None, tuple[list[OwnDigit], list[str]]]:
    """Read strokes files and folders; yield the number of drawings so far, and return them and the problems."""
    drawings: list[OwnDigit] = []
    problems = []
    for path in paths:
        yield len(drawings)
        try:
            found = import_images(path, tell=lambda _: report()) if path.is_dir() else import_strokes(path)
        except DigitpadError as error:
            problems.append(str(error))
            continue
        drawings += found
        if len(drawings) > MAX_IMPORTED:
            problems.append(
                f"Only the first {format_count(MAX_IMPORTED)} of {format_count(len(drawings))} drawings are shown; "
                "open more than that as a dataset in the Train tab."
            )
            del drawings[MAX_IMPORTED:]
            break
    for number, digit in enumerate(drawings):
        _ = digit.image  # made here rather than while the grid is painted
        if number % 200 == 0:
            yield number
    return drawings, problems
