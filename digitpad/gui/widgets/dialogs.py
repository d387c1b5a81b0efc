"""What the user is told and asked in a box of its own."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from digitpad.errors import DigitpadError, FileError


def show_error(parent: QWidget, title: str, error: DigitpadError, after: str = "") -> None:
    """What happened, to which file, and ``after`` it what stays as it was; where the file lies unfolds."""
    problem = f"{error.path.name} {error.problem}" if isinstance(error, FileError) else str(error)
    box = QMessageBox(QMessageBox.Icon.Warning, "digitpad", title, QMessageBox.StandardButton.Ok, parent)
    box.setObjectName("problem")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(f"{problem}\n\n{after}".strip())
    if isinstance(error, FileError):
        box.setDetailedText(str(error.path))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def show_information(parent: QWidget, title: str, text: str) -> None:
    """Something to read, that is in nobody's way."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "digitpad", title, QMessageBox.StandardButton.Ok, parent)
    box.setInformativeText(text)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def confirm(parent: QWidget, title: str, question: str, yes: str, no: str) -> bool:
    """Whether the user agrees; waits for the answer."""
    box = question_box(parent, "question", title, question)
    agreed = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(agreed)
    box.exec()
    box.deleteLater()
    return box.clickedButton() is agreed


def offer_dataset(parent: QWidget, path: Path, train: Callable[[], None] | None, evaluate: Callable[[], None]) -> None:
    """Have the user say what a data set is for; ``train`` is None while nothing can be trained on it."""
    text = "A network can be trained on it, and weights can be evaluated with it."
    box = question_box(parent, "data_offer", f"{path.name} is a data set", text)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    to_train = box.addButton("Train on it", QMessageBox.ButtonRole.AcceptRole)
    to_evaluate = box.addButton("Evaluate with it", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    to_evaluate.clicked.connect(evaluate)
    if train is None:
        to_train.setEnabled(False)
        box.setDefaultButton(to_evaluate)
    else:
        to_train.clicked.connect(train)
        box.setDefaultButton(to_train)
    box.open()


def question_box(parent: QWidget, name: str, title: str, text: str) -> QMessageBox:
    """A question of that object name, without answers as yet, whose words are shown as they are."""
    box = QMessageBox(QMessageBox.Icon.Question, "digitpad", title, parent=parent)
    box.setObjectName(name)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(text)
    return box
