"""Message boxes: errors, information and questions."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from digitpad.errors import DigitpadError, FileError


def show_error(parent: QWidget, title: str, error: DigitpadError, after: str = "") -> None:
    """Show an error, followed by the text ``after``; the details contain the path of the file."""
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
    """Show a text without blocking the window."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "digitpad", title, QMessageBox.StandardButton.Ok, parent)
    box.setInformativeText(text)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def confirm(parent: QWidget, title: str, question: str, yes: str, no: str) -> bool:
    """Ask a question, wait for the answer, and return whether the user agreed."""
    box = question_box(parent, "question", title, question)
    yes_button = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(yes_button)
    box.exec()
    box.deleteLater()
    return box.clickedButton() is yes_button


def offer_dataset(parent: QWidget, path: Path, train: Callable[[], None] | None, evaluate: Callable[[], None]) -> None:
    """Ask whether to train on a dataset or evaluate with it; ``train`` is None while training is not possible."""
    text = "You can train a network on it, or evaluate a network with it."
    box = question_box(parent, "data_offer", f"{path.name} is a dataset", text)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    train_button = box.addButton("Train on it", QMessageBox.ButtonRole.AcceptRole)
    evaluate_button = box.addButton("Evaluate with it", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    evaluate_button.clicked.connect(evaluate)
    if train is None:
        train_button.setEnabled(False)
        box.setDefaultButton(evaluate_button)
    else:
        train_button.clicked.connect(train)
        box.setDefaultButton(train_button)
    box.open()


def question_box(parent: QWidget, name: str, title: str, text: str) -> QMessageBox:
    """Create a question box without buttons, which shows its text as plain text; ``name`` is its object name."""
    box = QMessageBox(QMessageBox.Icon.Question, "digitpad", title, parent=parent)
    box.setObjectName(name)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(text)
    return box
