"""The settings of a training, each checked as it is typed, with what is wrong told right under its field."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.dataset import BUILT_IN
from digitpad.errors import RecipeError
from digitpad.gui.widgets import SPACE, card, label, named
from digitpad.training.recipe import OPTIMIZERS, AugmentationPart, Recipe

OWN = "Own settings"
OTHER_FOLDER = "Folder of IDX files…"

AUGMENTATIONS = {
    "None": AugmentationPart(),
    "A little": AugmentationPart(rotate_deg=8, shift_px=1, scale=0.08, shear=0.1),
    "As hands vary": AugmentationPart(rotate_deg=12, shift_px=1.5, scale=0.12, shear=0.25),
}
_METHOD_WORDS = {
    "sgd": "SGD",
    "momentum": "SGD with momentum",
    "nesterov": "Nesterov momentum",
    "rmsprop": "RMSProp",
    "adam": "Adam",
}
_ACTIVATION_WORDS = {
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "gelu": "GELU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
}
_SCHEDULE_WORDS = {"constant": "Constant", "cosine": "Cosine"}


@dataclass(frozen=True)
class _Row:
    """A field of the form: the key it sets, its widget, where its error shows, and how to read and write it."""

    widget: QLineEdit | QComboBox
    error: QLabel
    read: Callable[[], Any]
    write: Callable[[Any], None]


class Choice(QComboBox):
    """A choice that the wheel changes only where it has the focus, and not on the way as the form is scrolled."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class SettingsForm(QWidget):
    """A recipe, as a form."""

    changed = Signal()  # some field was edited

    def __init__(self, presets: dict[str, Recipe], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settings")
        self._presets = presets
        self._rows: dict[str, _Row] = {}
        self._base = next(iter(presets.values()))
        self._augmentations = {name: asdict(part) for name, part in AUGMENTATIONS.items()}
        self._writing = False
        self._data_set = BUILT_IN
        self._build()
        self.set_recipe(self._base)

    def recipe(self) -> Recipe | None:
        """The recipe that the fields make, or None while one of them is wrong; the errors are then shown."""
        problems: dict[str, str] = {}
        values: dict[str, Any] = {}
        for key, row in self._rows.items():
            try:
                values[key] = row.read()
                # One at a time, so that each wrong field is told, and not just the first.
                self._with({key: values[key]})
            except RecipeError as error:
                problems[key] = error.problem
        for key, row in self._rows.items():
            self._show_problem(row, problems.get(key, ""))
        return None if problems else self._with({**values, "name": self._name()})

    def set_recipe(self, recipe: Recipe) -> None:
        """Fill the fields."""
        self._base = recipe
        self._writing = True
        values = recipe.to_dict()
        for key, row in self._rows.items():
            group, _, name = key.partition(".")
            row.write(values[group][name] if name else values[group])
        chosen = next((name for name, preset in self._presets.items() if preset == recipe), OWN)
        self._preset.setCurrentText(chosen)
        self._writing = False
        self.recipe()
        self.changed.emit()

    def set_editable(self, editable: bool) -> None:
        """Fields rest while training runs."""
        for row in self._rows.values():
            row.widget.setEnabled(editable)
        self._preset.setEnabled(editable)

    def focus_first_problem(self) -> None:
        """Go to the first field that is wrong."""
        for row in self._rows.values():
            if row.error.text():
                row.widget.setFocus()
                return

    def _with(self, values: dict[str, Any]) -> Recipe:
        return self._base.with_values(values)

    def _name(self) -> str:
        return self._preset.currentText() if self._preset.currentText() != OWN else "own"

    # What happens as fields change.

    def _edited(self) -> None:
        if self._writing:
            return
        recipe = self.recipe()
        self._writing = True
        matching = (name for name, preset in self._presets.items() if recipe is not None and _same(preset, recipe))
        self._preset.setCurrentText(next(matching, OWN))
        self._writing = False
        self.changed.emit()

    def _preset_chosen(self, name: str) -> None:
        if not self._writing and name in self._presets:
            self.set_recipe(self._presets[name])

    def _data_chosen(self, index: int) -> None:
        box = self._data
        if box.itemData(index) is None:
            folder = QFileDialog.getExistingDirectory(self, "Folder with four IDX files")
            box.setCurrentIndex(self._data_item(folder or self._data_set))
        self._data_set = str(box.currentData())

    def _write_data_set(self, source: str) -> None:
        self._data_set = source
        self._data.setCurrentIndex(self._data_item(source))

    def _data_item(self, source: str) -> int:
        """The place of a data set in its box, which is made if need be."""
        place = self._data.findData(source)
        if place < 0:
            place = self._data.count() - 1
            self._data.insertItem(place, Path(source).name or source, source)
            self._data.setItemData(place, source, Qt.ItemDataRole.ToolTipRole)
        return place

    def _choose_augmentation(self, box: QComboBox, part: dict[str, Any]) -> None:
        name = next((name for name, known in self._augmentations.items() if known == part), None)
        if name is None:
            name = "As in the recipe"
            self._augmentations[name] = part
            if box.findText(name) < 0:
                box.addItem(name)
        box.setCurrentText(name)

    # Layout.

    def _build(self) -> None:
        frame = card("settings_card")
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its fields take it
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = named(QWidget(), "settings_content")
        scroll.setWidget(content)
        scroll.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)
        self._grid = QGridLayout(content)
        self._grid.setContentsMargins(4 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        self._grid.setVerticalSpacing(0)
        self._grid.setHorizontalSpacing(2 * SPACE)
        self._grid.setColumnMinimumWidth(0, 100)
        self._grid.setColumnStretch(1, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(1, 1, 1, 1)
        inner.addWidget(scroll)

        self._heading("Recipe")
        self._preset = named(Choice(), "preset")
        self._preset.addItems([*self._presets, OWN])
        self._preset.currentTextChanged.connect(self._preset_chosen)
        self._add("Preset", self._preset, "A whole set of settings to begin with.")

        self._heading("Network")
        self._text(
            "network.hidden", "Hidden layers", "hidden",
            "Units of each hidden layer, as in 256, 128. More can learn more, and take longer. None is allowed.",
            _numbers, lambda units: ", ".join(map(str, units)),
        )  # fmt: skip
        self._choice("network.activation", "Activation", "activation", "What follows each layer.", _ACTIVATION_WORDS)
        self._text(
            "network.dropout",
            "Dropout",
            "dropout",
            "The share of each hidden layer that is switched off at random in each step, 0 to 0.95. "
            "More helps against overfitting, and learns more slowly.",
            _real,
            lambda number: f"{number:g}",
        )
        self._heading("Optimiser")
        self._choice(
            "optimizer.method", "Method", "method", "How gradients become steps. Adam is the least particular.",
            {name: _METHOD_WORDS[name] for name in OPTIMIZERS},
        )  # fmt: skip
        self._text(
            "optimizer.learning_rate", "Learning rate", "learning_rate",
            "The size of a step. Too high and the loss jumps or grows, too low and it hardly moves. "
            "0.001 suits Adam, 0.05 SGD.",
            _real, lambda number: f"{number:g}",
        )  # fmt: skip
        self._choice(
            "optimizer.schedule", "Schedule", "schedule",
            "How the rate changes: cosine goes down to 0 at the end, which mostly ends better.", _SCHEDULE_WORDS,
        )  # fmt: skip
        self._text(
            "training.batch_size", "Batch size", "batch_size",
            "Images for one step. Smaller steps more often, larger is faster an epoch.", _whole, str,
        )  # fmt: skip
        self._text("training.epochs", "Epochs", "epochs", "How often every image is seen.", _whole, str)
        self._text("training.seed", "Seed", "seed", "The same seed gives the same training.", _whole, str)
        self._heading("Data")
        self._data = named(Choice(), "data_set")
        self._data.addItem("MNIST (built in)", BUILT_IN)
        self._data.addItem(OTHER_FOLDER, None)
        self._data.activated.connect(self._data_chosen)
        self._data.currentIndexChanged.connect(self._edited)
        self._rows["data.set"] = _Row(
            self._data,
            self._add("Set", self._data, "The built-in MNIST, or a folder with four IDX files named as its are."),
            lambda: self._data.currentData() or BUILT_IN,
            self._write_data_set,
        )
        augmentation = self._box("augmentation", list(self._augmentations))
        self._rows["augmentation"] = _Row(
            augmentation,
            self._add(
                "Augment", augmentation, "Turn, move, scale and slant each digit a little, each time it is seen."
            ),
            lambda: self._augmentations[augmentation.currentText()],
            lambda part: self._choose_augmentation(augmentation, part),
        )
        self._grid.setRowStretch(self._grid.rowCount(), 1)

    def _heading(self, text: str) -> None:
        row = self._grid.rowCount()
        heading = label(text, "heading")
        heading.setFixedHeight(5 * SPACE)
        self._grid.addWidget(heading, row, 0, 1, 2)

    def _add(self, text: str, widget: QLineEdit | QComboBox, tip: str) -> QLabel:
        """A field with its name before it, and room for an error under it, so that nothing moves when one appears."""
        name = label(text, "soft")
        name.setBuddy(widget)
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        widget.setAccessibleName(text)
        widget.setToolTip(tip)
        name.setToolTip(tip)
        error = label("", "error", f"{widget.objectName()}_error")
        error.setFixedHeight(13)
        error.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        error.setAlignment(Qt.AlignmentFlag.AlignRight)
        row = self._grid.rowCount()
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(widget, row, 1)
        self._grid.addWidget(error, row + 1, 0, 1, 2)
        return error

    def _text(
        self,
        key: str,
        text: str,
        name: str,
        tip: str,
        parse: Callable[[str], Any],
        show: Callable[[Any], str],
    ) -> None:
        field = named(QLineEdit(), name)
        field.textEdited.connect(self._edited)
        error = self._add(text, field, tip)
        self._rows[key] = _Row(field, error, lambda: parse(field.text()), lambda value: field.setText(show(value)))

    def _choice(self, key: str, text: str, name: str, tip: str, words: dict[str, str]) -> None:
        box = self._box(name, [])
        for value, word in words.items():
            box.addItem(word, value)
        error = self._add(text, box, tip)
        self._rows[key] = _Row(
            box, error, box.currentData, lambda value: box.setCurrentIndex(max(0, box.findData(value)))
        )

    def _box(self, name: str, items: list[str]) -> QComboBox:
        box = named(Choice(), name)
        box.addItems(items)
        box.currentIndexChanged.connect(self._edited)
        return box

    def _show_problem(self, row: _Row, problem: str) -> None:
        row.error.setText(problem)
        row.error.setToolTip(problem)
        if row.widget.property("wrong") != bool(problem):
            row.widget.setProperty("wrong", bool(problem))
            row.widget.style().unpolish(row.widget)
            row.widget.style().polish(row.widget)


def _same(one: Recipe, other: Recipe) -> bool:
    return one.to_dict() | {"name": "", "description": ""} == other.to_dict() | {"name": "", "description": ""}


def _numbers(text: str) -> tuple[int, ...]:
    # Commas and spaces part them, and a dash between two figures does; one before a figure is a minus.
    return tuple(_whole(part) for part in re.split(r"[,\s]+|(?<=\d)-", text.strip()) if part)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise RecipeError("", f"{_shorten(text)} is not a whole number") from error


def _real(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise RecipeError("", f"{_shorten(text)} is not a number") from error


def _shorten(text: str) -> str:
    return f"“{text[:12]}…”" if len(text) > 12 else f"“{text}”"
