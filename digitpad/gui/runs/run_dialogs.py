"""What is asked before something is done with runs: how long to train on, at which rate, and whether to delete."""

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
    """For how many more epochs a run shall train."""
    done = entry.summary.epoch
    dialog = QInputDialog(parent)
    dialog.setObjectName("train_on")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Train on")
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setLabelText(f"‘{entry.name}’ has trained {done} epoch{'s' * (done != 1)}. How many more?")
    dialog.setIntRange(1, MAX_EPOCHS)
    dialog.setIntValue(10)
    dialog.setOkButtonText("Train on")
    dialog.intValueSelected.connect(train_on)
    dialog.open()


def ask_rate(parent: QWidget, entry: RunEntry, recipe: Recipe, go_on: Callable[[dict[str, Any]], object]) -> None:
    """With what setting a run whose loss ran away shall go on; a third of its learning rate is proposed."""
    rate = recipe.optimizer.learning_rate
    question = f"‘{entry.name}’ ran away at a learning rate of {rate:g}. It goes on from its last good checkpoint at:"
    dialog = _RateQuestion(question, recipe, parent)
    dialog.setTextValue(f"{rate / 3:.1g}")
    dialog.textValueSelected.connect(lambda text: go_on(_at_rate(text)))
    dialog.open()


def ask_to_delete(parent: QWidget, entries: Sequence[RunEntry], delete: Callable[[], object]) -> None:
    """Whether these runs shall be moved to the trash."""
    what = f"‘{entries[0].name}’" if len(entries) == 1 else f"{len(entries)} runs"
    text = "Log, checkpoints and weights go with it. From the trash it can be put back."
    box = question_box(parent, "deleting", f"Move {what} to the trash?", text)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    agreed = box.addButton("Move to trash", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(agreed)
    box.setEscapeButton(box.addButton("Keep", QMessageBox.ButtonRole.RejectRole))
    box.accepted.connect(delete)
    box.open()


class _RateQuestion(QInputDialog):
    """At which rate to go on; it stays open, with what was typed, until that can be one."""

    def __init__(self, question: str, recipe: Recipe, parent: QWidget) -> None:
        super().__init__(parent)
        self._question = question
        self._recipe = recipe
        self.setObjectName("lower_rate")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Go on at a lower rate")
        self.setLabelText(question)
        self.setOkButtonText("Go on")

    # Overrides of Qt's.

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
