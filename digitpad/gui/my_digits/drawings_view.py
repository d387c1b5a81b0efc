"""All labelled drawings by digit and by writer, with the accuracy of the network in use; relabel, delete and undo."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QMenu, QPushButton, QVBoxLayout, QWidget

from digitpad.datasets.own_digits.records import MAX_TEXT, OwnDigit
from digitpad.datasets.own_digits.store import DigitStore
from digitpad.evaluation.own_digit_scores import OwnDigitScores
from digitpad.gui.my_digits.drawing_grid import DrawingGrid
from digitpad.gui.my_digits.group_table import Group, GroupTable
from digitpad.gui.my_digits.wording import NO_WRITER, count_of, describe, drawings_of, label_name
from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, link, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Check, Choice
from digitpad.gui.widgets.menu_utils import add_action
from digitpad.gui.widgets.term_button import TermButton
from digitpad.gui.widgets.text_size import follow_text_size, scale_with_text
from digitpad.nn.losses import NONE

LABELS = (*range(10), NONE)

_ALL, _MISREAD, _READ_RIGHT = "all", "misread", "right"
_SIDE_PX = 240


class DrawingsView(QWidget):
    """Tables of digits and writers, which filter the grid of drawings, and what can be done with those selected."""

    shown_changed = Signal()  # other drawings are shown

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._corrections = session.corrections
        self._scores: OwnDigitScores | None = None
        self._is_stale = True
        self.digits_table = GroupTable("Digit", "own_digits_table")
        self.writers_table = GroupTable("Writer", "own_writers_table")
        self.grid = DrawingGrid(session.theme)
        self.show_choice = named(Choice(), "own_digits_show")
        self._order_choice = named(Choice(), "own_digits_order")
        self._count = ElidedLabel("soft", "own_digits_count")
        self._selected = ElidedLabel("caption", "own_digits_selected")
        self._relabel = named(QPushButton("Relabel"), "relabel_button")
        self._rename = named(QPushButton("Writer…"), "rename_button")
        self._delete = named(QPushButton("Delete"), "delete_button")
        self._undo = named(QPushButton("Undo"), "own_digits_undo")
        self._redo = named(QPushButton("Redo"), "own_digits_redo")
        self.memory = named(Check("Use corrections"), "use_memory")
        self._forget = link("Clear…", "clear_memory", "")
        self._build()
        self._connect()

    # Showing.

    @property
    def shown(self) -> tuple[OwnDigit, ...]:
        """Drawings that the filters leave, in the order of the grid."""
        if self._is_stale:
            self.show_digits()
        return self.grid.drawings_model.drawings

    def _follow_digits(self) -> None:
        """Show the drawings as they are now, or once the view is shown."""
        self._is_stale = True
        if self.isVisible():
            self.show_digits()

    def show_digits(self) -> None:
        """Show the drawings as they are now."""
        self._is_stale = False
        digits, scores = self._corrections.digits, self._scores
        by_digit = {} if scores is None else {score.name: score for score in scores.by_digit}
        by_writer = {} if scores is None else {score.name: score for score in scores.by_writer}
        labels = [digit.label for digit in digits]
        total = None if scores is None else scores.total
        groups = [Group(None, "All", len(digits), total)]
        groups += [Group(label, label_name(label), labels.count(label), by_digit.get(str(label))) for label in LABELS]
        self.digits_table.set_groups(groups)
        counts: dict[str, int] = {}
        for digit in digits:
            counts[digit.writer] = counts.get(digit.writer, 0) + 1
        names = [*filter(counts.get, by_writer), *sorted(counts.keys() - by_writer.keys())]  # the hardest first
        writers = [Group(None, "All", len(digits), total)]
        writers += [Group(name, name or NO_WRITER, counts[name], by_writer.get(name)) for name in names]
        self.writers_table.set_groups(writers)
        self._filter()
        stack = self._corrections.edits
        self._undo.setEnabled(stack.canUndo())
        self._redo.setEnabled(stack.canRedo())
        self._undo.setToolTip(f"Undo: {stack.undoText()} (Ctrl+Z)" if stack.canUndo() else "Nothing to undo (Ctrl+Z)")
        self._redo.setToolTip(f"Redo: {stack.redoText()}" if stack.canRedo() else "Nothing to redo")
        self._forget.setEnabled(any(not digit.is_forgotten for digit in digits))

    def set_scores(self, scores: OwnDigitScores | None) -> None:
        """Show the answers of the network in use; None while they are unknown."""
        self._scores = scores
        self._follow_digits()

    def _filter(self) -> None:
        """Show the drawings of the chosen digit and writer."""
        read_as = {} if self._scores is None else self._scores.read_as
        digit, writer, show = self.digits_table.key, self.writers_table.key, self.show_choice.currentData()
        digits = [
            each
            for each in self._corrections.digits
            if (digit is None or each.label == digit) and (writer is None or each.writer == writer)
        ]
        if show != _ALL:
            digits = [each for each in digits if each.id in read_as]
            digits = [each for each in digits if (read_as[each.id] == str(each.label)) == (show == _READ_RIGHT)]
        if self._order_choice.currentData() == "digit":
            digits.sort(key=lambda each: each.label)
        else:
            digits.reverse()
        self.grid.drawings_model.read_as = read_as
        self.grid.set_drawings(digits)
        self._count.set_text(drawings_of(len(digits)))
        self._show_selected()
        self.shown_changed.emit()

    def _show_selected(self) -> None:
        selected = self.grid.selected
        for button in (self._relabel, self._rename, self._delete):
            button.setEnabled(bool(selected))
        if not selected:
            text = "Select drawings to relabel or delete them; Ctrl or Shift selects several."
        elif len(selected) == 1:
            text = describe(selected[0], self.grid.drawings_model.read_as.get(selected[0].id))
        else:
            text = f"{count_of(len(selected), 'drawing', 'drawings')} selected"
        self._selected.set_text(text)

    # Changes.

    def relabel(self, label: int) -> None:
        """Change the label of the selected drawings."""
        self._edit(
            f"Relabel as {label_name(label).lower()}",
            [digit for digit in self.grid.selected if digit.label != label],
            lambda store, ids: store.relabel(ids, label),
        )

    def delete(self) -> None:
        """Delete the selected drawings."""
        self._edit("Delete", self.grid.selected, lambda store, ids: store.delete(ids))

    def rename(self, writer: str) -> None:
        """Change the writer of the selected drawings."""
        writer = writer.strip()[:MAX_TEXT]
        digits = [digit for digit in self.grid.selected if digit.writer != writer]
        self._edit("Change writer", digits, lambda store, ids: store.rename_writer(ids, writer))

    def _edit(
        self, text: str, digits: Sequence[OwnDigit], change: Callable[[DigitStore, Sequence[str]], object]
    ) -> None:
        if digits:
            ids = [digit.id for digit in digits]
            self._corrections.edit(text, lambda store: change(store, ids))
            self._session.say(f"{text}: {drawings_of(len(ids))}. Undo takes it back.")

    def _ask_writer(self) -> None:
        names = [group.name for group in self.writers_table.groups[1:] if group.key]
        first = self.grid.selected[0].writer
        names = list(dict.fromkeys([first, *names, ""]))
        name, accepted = QInputDialog.getItem(self, "Writer", "Name or number of the writer:", names, 0, True)
        if accepted:
            self.rename(name)

    def _put_on_pad(self) -> None:
        """Open the selected drawing in the Draw tab."""
        if (selected := self.grid.selected) and selected[0].image.any():
            self._session.show_page("Draw")
            self._session.put_drawing(selected[0].drawing, "Open")

    def _ask_forget(self) -> None:
        self._corrections.clear_memory()
        self._session.say("No drawing changes an answer any more; all are kept. Undo takes it back.")

    def _show_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        relabel = menu.addMenu("&Relabel")
        self._fill_labels(relabel)
        add_action(menu, "&Writer…", self._ask_writer)
        add_action(menu, "&Open in Draw tab", self._put_on_pad)
        menu.addSeparator()
        add_action(menu, "&Delete", self.delete)
        for action in menu.actions():
            action.setEnabled(bool(self.grid.selected))
        menu.popup(self.grid.viewport().mapToGlobal(position))

    def _fill_labels(self, menu: QMenu) -> None:
        for label in LABELS:
            add_action(menu, "Not a digit (&X)" if label == NONE else f"&{label}", partial(self.relabel, label))

    # Layout.

    def _connect(self) -> None:
        corrections, grid = self._corrections, self.grid
        corrections.digits_changed.connect(self._follow_digits)
        for table in (self.digits_table, self.writers_table):
            table.chosen.connect(self._filter)
        for choice in (self.show_choice, self._order_choice):
            choice.edited.connect(self._filter)
        grid.selection_changed.connect(self._show_selected)
        grid.relabel_requested.connect(self.relabel)
        grid.delete_requested.connect(self.delete)
        grid.activated.connect(lambda _: self._put_on_pad())
        grid.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        grid.customContextMenuRequested.connect(self._show_menu)
        self._rename.clicked.connect(self._ask_writer)
        self._delete.clicked.connect(self.delete)
        self._undo.clicked.connect(corrections.edits.undo)
        self._redo.clicked.connect(corrections.edits.redo)
        self.memory.setChecked(corrections.is_on)
        self.memory.edited.connect(lambda: self._session.set_uses_memory(self.memory.isChecked()))
        corrections.changed.connect(lambda: self.memory.setChecked(corrections.is_on))
        self._forget.clicked.connect(self._ask_forget)
        standard = QKeySequence.StandardKey
        for key, act in ((standard.Undo, corrections.edits.undo), (standard.Redo, corrections.edits.redo)):
            action = QAction(self)
            action.setShortcuts(key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(act)
            self.addAction(action)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * SPACE)
        row.addWidget(self._build_groups())
        row.addWidget(self._build_drawings(), 1)

    def _build_groups(self) -> QWidget:
        frame = make_card("own_groups_card")
        scale_with_text(frame, frame.setFixedWidth, _SIDE_PX)
        column = QVBoxLayout(frame)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self.digits_table, 13)
        column.addWidget(self.writers_table, 5)
        self.show_digits()  # so that the table has its rows
        follow_text_size(self, lambda: self.digits_table.setMaximumHeight(self.digits_table.sizeHint().height()))
        foot = QHBoxLayout()
        foot.setContentsMargins(SPACE, 0, 0, 0)
        self.memory.setToolTip(
            "A drawing that is like a misread one of My digits is read as you labelled that one.\n"
            "Off: the network alone reads."
        )
        self._forget.setToolTip("Let none of the present drawings change an answer; all drawings are kept")
        self._forget.setAccessibleName("Clear the memory of corrections")
        foot.addWidget(self.memory)
        foot.addWidget(TermButton("correction"))
        foot.addStretch(1)
        foot.addWidget(self._forget)
        column.addLayout(foot)
        return frame

    def _build_drawings(self) -> QWidget:
        for text, value in (("All", _ALL), ("Misread", _MISREAD), ("Read correctly", _READ_RIGHT)):
            self.show_choice.addItem(text, value)
        for text, value in (("By digit", "digit"), ("Latest first", "latest")):
            self._order_choice.addItem(text, value)
        self.show_choice.setAccessibleName("Show")
        self._order_choice.setAccessibleName("Order")
        frame = make_card("own_drawings_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        top = QHBoxLayout()
        top.setSpacing(2 * SPACE)
        for text, choice in (("Show", self.show_choice), ("Order", self._order_choice)):
            top.addWidget(make_label(text, "soft"))
            top.addWidget(choice)
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self._count, 1)
        column.addLayout(top)
        column.addWidget(self.grid, 1)
        column.addWidget(self._selected)
        menu = QMenu(self._relabel)
        self._fill_labels(menu)
        self._relabel.setMenu(menu)
        self._relabel.setToolTip("Change the label of the selected drawings (0 to 9, X for not a digit)")
        self._rename.setToolTip("Change the writer of the selected drawings")
        self._delete.setToolTip("Delete the selected drawings (Delete); Undo brings them back")
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * SPACE)
        for button in (self._relabel, self._rename, self._delete):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self._undo, self._redo):
            buttons.addWidget(button)
        column.addLayout(buttons)
        return frame

    # Qt overrides.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.show_digits()
