"""Under which name settings are to be kept."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from digitpad.gui.widgets.basics import SPACE, closing_row, make_label, named

MAX_NAME = 60


class RecipeDialog(QDialog):
    """Asks for a name and a description, and says before Replace is pressed that it would replace something.

    Parameters
    ----------
    name, description : str
        What stands in the fields at first.
    is_taken : callable
        Whether a recipe of that name is kept already.
    hint : callable
        What else is to be said of a name.

    Attributes
    ----------
    replaces : bool
        Whether the user was told that there is one of this name.
    """

    def __init__(
        self,
        name: str,
        description: str,
        is_taken: Callable[[str], bool],
        hint: Callable[[str], str],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("recipe_dialog")
        self.setWindowTitle("Save as recipe")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._is_taken = is_taken
        self._hint = hint
        self.replaces = False
        self._name = named(QLineEdit(name), "recipe_name")
        self._description = named(QLineEdit(description), "recipe_description")
        self._note = make_label("", "caption", "recipe_note")
        self._save = named(QPushButton("Save"), "recipe_save")
        self._build()
        self._name.textChanged.connect(self._show)
        self._name.selectAll()
        self._show()

    @property
    def name(self) -> str:
        """What the recipe is to be called."""
        return self._name.text().strip()

    @property
    def description(self) -> str:
        """What it is."""
        return self._description.text().strip()

    def _show(self) -> None:
        self.replaces = bool(self.name) and self._is_taken(self.name)
        self._save.setText("Replace" if self.replaces else "Save")
        self._save.setEnabled(bool(self.name))
        replaced = "There is a recipe of yours of this name; it would be replaced."
        self._note.setText(replaced if self.replaces else self._hint(self.name))

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * SPACE)
        grid.setVerticalSpacing(2 * SPACE)
        self._name.setMaxLength(MAX_NAME)
        for row, (text, field, tip) in enumerate(
            (
                ("Name", self._name, "What the recipe is called among the presets, and its file"),
                ("Description", self._description, "What it is good for, if you like"),
            )
        ):
            name = make_label(text, "soft")
            name.setBuddy(field)
            field.setAccessibleName(text)
            field.setToolTip(tip)
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
        self._description.setPlaceholderText("optional")
        grid.addWidget(self._note, 2, 1)
        column.addLayout(grid)
        self._save.setDefault(True)
        self._save.clicked.connect(self.accept)
        column.addLayout(closing_row(self, self._save, named(QPushButton("Cancel"), "recipe_cancel")))
        self.setFixedWidth(440)
