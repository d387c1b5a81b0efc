"""Adapted networks that were kept: use one, roll back to the network before it, or delete it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from digitpad.errors import DigitpadError
from digitpad.gui.my_digits.wording import drawings_of
from digitpad.gui.session import Lifetime, Session
from digitpad.gui.tasks.task import Policy, TaskRunner
from digitpad.gui.widgets.basics import SPACE, make_label, named
from digitpad.gui.widgets.dialogs import confirm
from digitpad.gui.widgets.table_items import prepare_table, set_headings
from digitpad.gui.widgets.text_size import follow_text_size, scaled
from digitpad.number_format import format_percent
from digitpad.training.adaptation.versions import AdaptedVersion, list_versions

MAX_LISTED = 50
_HEADINGS = ("Kept", "My digits", "MNIST")


class VersionsTable(QWidget):
    """Versions, the newest first, with the accuracies before and after."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._versions: list[AdaptedVersion] = []
        self._tasks = TaskRunner("versions", Policy.LATEST, self)
        self.table = named(prepare_table(QTableWidget(0, len(_HEADINGS)), "Kept networks"), "versions_table")
        self._use = named(QPushButton("Use"), "use_version")
        self._roll_back = named(QPushButton("Roll back"), "roll_back")
        self._delete = named(QPushButton("Delete"), "delete_version")
        self._empty = make_label("Networks that you keep are listed here.", "soft", "no_versions")
        self._build()
        session.network_changed.connect(self.show_versions)
        self.show_versions()

    def show_versions(self) -> None:
        """List the versions in the user's folder, which takes a thread some milliseconds each."""
        self._tasks.start(_read_versions, finished=self._fill)
        self._enable()

    @property
    def chosen(self) -> AdaptedVersion | None:
        """The selected version."""
        row = self.table.currentRow()
        return self._versions[row] if 0 <= row < len(self._versions) else None

    def use(self) -> None:
        """Read with the selected network."""
        if (version := self.chosen) is not None:
            self._try("This network can't be used", lambda: self._session.use_network(version.load(), version.path))

    def roll_back(self) -> None:
        """Read with the network from before the selected adaptation."""
        if (version := self.chosen) is None:
            return

        def use() -> None:
            weights, path = version.roll_back()
            self._session.use_network(weights, path)
            self._session.say(f"Rolled back to {weights.name}", Lifetime.NETWORK)

        self._try("Can't roll back", use)

    def delete(self) -> None:
        """Delete the selected version, after a question."""
        version = self.chosen
        question = "It can't be brought back. Your drawings stay."
        if version is not None and confirm(self, "Delete this adapted network?", question, "Delete", "Keep it"):
            self._try("The network was not deleted", version.delete)
            self.show_versions()

    def _try(self, title: str, act: Callable[[], object]) -> None:
        try:
            act()
        except DigitpadError as error:
            self._session.raise_error(title, error)

    def _fill(self, versions: list[tuple[AdaptedVersion, Mapping[str, Any]]]) -> None:
        chosen = self.chosen
        self._versions = [version for version, _ in versions]
        self.table.setRowCount(len(versions))
        in_use = self._session.network_path
        for row, (version, facts) in enumerate(versions):
            is_used = in_use is not None and in_use == version.path
            before, after = facts.get("before", {}), facts.get("after", {})
            texts = (
                f"{'● ' * is_used}{_day(version.id)}",
                _pair(before, after, "own_accuracy", 0),
                _accuracy(after, 2),
            )
            n = facts.get("n_drawings")
            drawings = f" to {drawings_of(n)}" if isinstance(n, int) else ""
            tip = (
                f"{facts.get('from', 'Unknown network')} adapted{drawings}{', in use' * is_used}.\n"
                f"My held-out digits {_pair(before, after, 'own_accuracy', 1)}, "
                f"MNIST test set {_pair(before, after, 'mnist_accuracy', 2)}"
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(tip)
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                else:
                    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{_day(version.id)}{', in use' * is_used}")
                self.table.setItem(row, column, item)
        if versions:
            self.table.setCurrentCell(self._versions.index(chosen) if chosen in self._versions else 0, 0)
        self.table.setVisible(bool(versions))
        self._empty.setVisible(not versions)
        self._enable()

    def _enable(self) -> None:
        version = self.chosen
        for button in (self._use, self._roll_back, self._delete):
            button.setVisible(bool(self._versions))
        self._use.setEnabled(version is not None and version.path != self._session.network_path)

    def _build(self) -> None:
        table = self.table
        set_headings(table, _HEADINGS)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        follow_text_size(table, lambda: table.verticalHeader().setDefaultSectionSize(scaled(26)))
        table.itemSelectionChanged.connect(self._enable)
        self._empty.setWordWrap(True)
        self._use.clicked.connect(self.use)
        self._use.setToolTip("Read with this network in all tabs")
        self._roll_back.clicked.connect(self.roll_back)
        self._roll_back.setToolTip("Read with the network from before this adaptation; this one stays in the list")
        self._delete.clicked.connect(self.delete)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * SPACE)
        column.addWidget(make_label("Kept networks", "heading"))
        column.addWidget(self._empty)
        column.addWidget(table, 1)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        for button in (self._use, self._roll_back, self._delete):
            button.setProperty("tight", True)
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(0)


def _read_versions() -> list[tuple[AdaptedVersion, Mapping[str, Any]]]:
    versions: list[tuple[AdaptedVersion, Mapping[str, Any]]] = []
    for version in list_versions()[:MAX_LISTED]:
        try:
            versions.append((version, version.facts()))
        except DigitpadError:
            versions.append((version, {"from": "a file that is damaged"}))
    return versions


def _pair(before: Any, after: Any, key: str, decimals: int) -> str:
    """Return an accuracy before and after, or –."""
    values = [facts.get(key) if isinstance(facts, Mapping) else None for facts in (before, after)]
    numbers = [value for value in values if isinstance(value, float | int)]
    if len(numbers) < 2:
        return "–"
    first, second = (format_percent(number, decimals) for number in numbers)
    return f"{first.rstrip('% ').rstrip()} → {second}"


def _accuracy(facts: Any, decimals: int) -> str:
    """Return the accuracy on the MNIST test set, or –."""
    value = facts.get("mnist_accuracy") if isinstance(facts, Mapping) else None
    return format_percent(value, decimals) if isinstance(value, float | int) else "–"


def _day(identifier: str) -> str:
    """Return the date and time with which the identifier of a version begins."""
    try:
        return f"{datetime.strptime(identifier[:17], '%Y-%m-%d-%H%M%S'):%Y-%m-%d %H:%M}"  # local time
    except ValueError:
        return identifier
