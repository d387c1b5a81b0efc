"""Dialog to save settings as a recipe under a name."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from digitpad.gui.widgets.basics import SPACE, dialog_buttons, make_label, named

MAX_NAME = 60


class RecipeDialog(QDialog):
    """Dialog for the name and the description of a recipe; it warns if it would replace an existing recipe.

    Parameters
    ----------
    name, description : str
        Initial texts of the fields.
    is_taken : callable
        Function that returns whether a saved recipe has a name.
    hint : callable
        Function that returns a note on a name.

    Attributes
    ----------
    replaces : bool
        Whether the dialog warned that a recipe of this name exists.
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
        """Name of the recipe, without surrounding spaces."""
        return self._name.text().strip()

    @property
    def description(self) -> str:
        """Description of the recipe, without surrounding spaces."""
        return self._description.text().strip()

    def _show(self) -> None:
        self.replaces = bool(self.name) and self._is_taken(self.name)
        self._save.setText("Replace" if self.replaces else "Save")
        self._save.setEnabled(bool(self.name))
        warning = "You already have a recipe with this name; it will be replaced"
        self._note.setText(warning if self.replaces else self._hint(self.name))

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
                ("Name", self._name, "Name in the list of recipes, and of its file"),
                ("Description", self._description, "Optional: the purpose of the recipe"),
            )
        ):
            name = make_label(text, "soft")
            name.setBuddy(field)
            field.setAccessibleName(text)
            field.setToolTip(tip)
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
        self._description.setPlaceholderText("Optional")
        grid.addWidget(self._note, 2, 1)
        column.addLayout(grid)
        self._save.setDefault(True)
        self._save.clicked.connect(self.accept)
        column.addWidget(dialog_buttons(self, named(QPushButton("Cancel"), "recipe_cancel"), self._save))
        self.setFixedWidth(440)
