"""Dialogs for actions on runs: number of further epochs, lower learning rate, and confirmation of deletion."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QInputDialog, QMessageBox, QWidget

from digitpad.errors import RecipeError
from digitpad.gui.widgets.dialogs import question_box
from digitpad.runs.run_registry import RunEntry
from digitpad.training.recipe import Recipe
from digitpad.training.setting_values import toml_value

MAX_EPOCHS = 10_000


def ask_epochs(parent: QWidget, entry: RunEntry, train_on: Callable[[int], object]) -> None:
    """Ask how many more epochs a run should train, and call ``train_on`` with the number."""
    done = entry.summary.epoch
    dialog = QInputDialog(parent)
    dialog.setObjectName("train_on")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Train for more epochs")
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setLabelText(f"“{entry.name}” has trained for {done} epoch{'s' * (done != 1)}. How many more?")
    dialog.setIntRange(1, MAX_EPOCHS)
    dialog.setIntValue(10)
    dialog.setOkButtonText("Train")
    dialog.intValueSelected.connect(train_on)
    dialog.open()


def ask_rate(parent: QWidget, entry: RunEntry, recipe: Recipe, go_on: Callable[[dict[str, Any]], object]) -> None:
    """Ask for a lower learning rate for a run that diverged, and call ``go_on`` with the setting.

    A third of its learning rate is proposed.
    """
    rate = recipe.optimizer.learning_rate
    question = f"“{entry.name}” diverged at a learning rate of {rate:g}. Resume from its last good checkpoint at:"
    dialog = _RateQuestion(question, recipe, parent)
    dialog.setTextValue(f"{rate / 3:.1g}")
    dialog.textValueSelected.connect(lambda text: go_on(_at_rate(text)))
    dialog.open()


def ask_to_delete(parent: QWidget, entries: Sequence[RunEntry], delete: Callable[[], object]) -> None:
    """Ask whether to move these runs to the trash, and call ``delete`` if so."""
    subject = f"“{entries[0].name}”" if len(entries) == 1 else f"{len(entries)} runs"
    text = "This includes logs, checkpoints and weights. You can restore them from the trash."
    box = question_box(parent, "deleting", f"Move {subject} to the trash?", text)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.addButton("Move to trash", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.accepted.connect(delete)
    box.open()


class _RateQuestion(QInputDialog):
    """Dialog for a learning rate; it stays open with the typed text until the rate is valid."""

    def __init__(self, question: str, recipe: Recipe, parent: QWidget) -> None:
        super().__init__(parent)
        self._question = question
        self._recipe = recipe
        self.setObjectName("lower_rate")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Resume at a lower learning rate")
        self.setLabelText(question)
        self.setOkButtonText("Resume")

    # Qt overrides.

    def done(self, result: int) -> None:
        if result == QDialog.DialogCode.Accepted:
            try:
                self._recipe.with_values(_at_rate(self.textValue()))
            except RecipeError as error:
                self.setLabelText(f"{self._question}\n\nThe learning rate {error.problem}")
                return
        super().done(result)


def _at_rate(text: str) -> dict[str, Any]:
    return {"optimizer.learning_rate": toml_value(text)}
