"""The settings of a training, each checked as it is typed, with what is wrong told right under its field."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from digitpad.errors import RecipeError
from digitpad.gui.data.data_dialog import DataDialog
from digitpad.gui.data.dataset_choice import DatasetChoice
from digitpad.gui.train.augmentation_choice import AugmentationChoice, describe_amounts
from digitpad.gui.train.augmentation_dialog import AugmentationDialog
from digitpad.gui.train.settings_fields import FIELDS, Editor, Field
from digitpad.gui.widgets.basics import SPACE, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Choice, Disclosure, TextField, link
from digitpad.gui.widgets.theme import Theme
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import Recipes

OWN = "Own settings"
_LABELS_PX = 92
_PRESET_TIP = "A whole set of settings to begin with."


@dataclass(eq=False)
class _Row:
    """A field, what it is edited in, its name before it, and its error under it."""

    field: Field
    editor: Editor
    name: QLabel
    error: QLabel
    matters: bool = True  # beside the other values


class SettingsForm(QWidget):
    """A recipe, as a form.

    What it shows is the recipe: settings that the basic fields leave out are under More settings, whose button counts
    those that are not at their defaults. A setting without a meaning beside the others, as momentum for Adam, has no
    field, and stays as it was.
    """

    changed = Signal()  # some field was edited
    save_requested = Signal()  # its recipe shall be kept under a name
    more_toggled = Signal(bool)  # all settings are shown, or the basic ones

    def __init__(self, theme: Theme, recipes: Recipes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settings")
        self._theme = theme
        self.recipes = recipes
        self._presets = recipes.by_name
        self._rows: dict[str, _Row] = {}
        self._headings: dict[str, QLabel] = {}
        self._base = next(iter(self._presets.values()))
        self._defaults = Recipe().to_dict()
        self._preview: AugmentationDialog | None = None
        self._data: DataDialog | None = None
        self._editable = True
        self._writing = False
        self._build()
        self.set_recipes(recipes)
        self.set_recipe(self._base)

    @property
    def _augmentation(self) -> AugmentationChoice:
        editor = self._rows["augmentation"].editor
        assert isinstance(editor, AugmentationChoice)
        return editor

    @property
    def data_choice(self) -> DatasetChoice:
        """The field for the data set."""
        editor = self._rows["data.set"].editor
        assert isinstance(editor, DatasetChoice)
        return editor

    @property
    def keys(self) -> list[str]:
        """Of the settings whose fields are shown now."""
        return [key for key, row in self._rows.items() if not row.editor.isHidden()]

    @property
    def preset(self) -> str | None:
        """The name of the preset that it shows, or None where the settings are one's own."""
        name: str | None = self._preset.currentData()
        return name

    def recipe(self) -> Recipe | None:
        """The recipe that the fields make, or None while one of them is wrong; the errors are then shown."""
        values, problems = self._read()
        # Ranges to search may be of settings that are others now.
        bare = replace(self._base, search={})
        recipe = None
        while recipe is None:
            try:
                recipe = bare.with_values(values)
            except RecipeError as error:
                # The recipe tells one problem; the next one shows once that value is out of the way.
                key = self._key_of(error)
                problems.setdefault(key, error.problem)
                if key not in values:
                    break
                del values[key]
        self._show_rows(problems)
        return None if recipe is None or problems else self._named(recipe)

    def set_recipe(self, recipe: Recipe) -> None:
        """Fill the fields."""
        self._base = recipe
        self._writing = True
        values = recipe.to_dict()
        for key, row in self._rows.items():
            row.editor.set_value(_value(values, key))
        chosen = next((name for name, preset in self._presets.items() if preset == recipe), None)
        self._choose_preset(chosen)
        self._writing = False
        self.recipe()
        self._show_in_preview()
        self.changed.emit()

    def set_recipes(self, recipes: Recipes) -> None:
        """Offer these as presets: those that are shipped, and under a line the user's own; tell of what is none."""
        self.recipes = recipes
        self._presets = recipes.by_name
        writing, self._writing = self._writing, True
        chosen = self._preset.currentData()
        self._preset.clear()
        for part in (
            {name: recipe for name, recipe in recipes.shipped.items() if name not in recipes.own},
            recipes.own,
        ):
            if part and self._preset.count():
                self._preset.insertSeparator(self._preset.count())
            for name, recipe in part.items():
                self._preset.addItem(name, name)
                self._preset.setItemData(self._preset.count() - 1, recipe.description, Qt.ItemDataRole.ToolTipRole)
        self._preset.insertSeparator(self._preset.count())
        self._preset.addItem(OWN)
        self._choose_preset(chosen)
        self._writing = writing
        broken = [problem.path.name for problem in recipes.problems]
        what = broken[0] if len(broken) == 1 else f"{len(broken)} of your recipes"
        self._broken.setText(f"{what} cannot be used" if broken else "")
        self._broken.setToolTip("\n".join(f"{one.path.name} {one.problem}" for one in recipes.problems))

    def set_editable(self, editable: bool, besides: Sequence[str] = ()) -> None:
        """Fields rest while training runs; not those of the keys ``besides``, or of a group that has one of them."""
        self._editable = editable
        for key, row in self._rows.items():
            row.editor.setEnabled(editable or self._may_change(key, besides))
        self._preset.setEnabled(editable)
        if self._preview is not None:
            self._preview.set_editable(editable or self._may_change("augmentation", besides))

    def _may_change(self, key: str, besides: Sequence[str]) -> bool:
        if key == "network.dropout" and not self._base.network.dropout:
            return False  # no layer drops anything
        return any(one == key or one.startswith(f"{key}.") for one in besides)

    def show_more(self, more: bool) -> None:
        """Show all settings, or the basic ones."""
        self._more.setChecked(more)

    def focus_first_problem(self) -> None:
        """Go to the first field that is wrong."""
        for row in self._rows.values():
            if row.error.text():
                if row.field.more:
                    self.show_more(True)
                row.editor.setFocus()
                self._scroll.ensureWidgetVisible(row.editor)
                return

    # Between fields and recipes.

    def _read(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Values and problems by key, of those fields that matter."""
        values: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for key, row in self._rows.items():
            try:
                values[key] = row.editor.value()
            except RecipeError as error:
                problems[key] = error.problem
        for key, row in self._rows.items():
            matters = row.field.matters(values)
            row.matters = row.matters if matters is None else matters
            if not row.matters:
                values.pop(key, None)
                problems.pop(key, None)
        return values, problems

    def _key_of(self, error: RecipeError) -> str:
        """The field of the setting that an error is about."""
        return error.key if error.key in self._rows else error.key.partition(".")[0]

    def _named(self, recipe: Recipe) -> Recipe:
        """The recipe with the chosen preset's name, or as one's own, and with ranges to search where it can be."""
        preset = self._presets.get(self._preset.currentData())
        recipe = replace(
            recipe,
            name="own" if preset is None else preset.name,
            description="" if preset is None else preset.description,
        )
        try:
            return replace(recipe, search=self._base.search)
        except RecipeError:
            return recipe

    # What happens as fields change.

    def _edited(self) -> None:
        if self._writing:
            return
        recipe = self.recipe()
        self._writing = True
        # Of two that are the same but for their names, the one that was chosen.
        likely = sorted(self._presets, key=lambda name: name != self._base.name)
        matching = (name for name in likely if recipe is not None and _same(self._presets[name], recipe))
        self._choose_preset(next(matching, None))
        self._writing = False
        self._show_in_preview()
        self.changed.emit()

    def _preset_chosen(self) -> None:
        name = self._preset.currentData()
        if not self._writing and name in self._presets:
            self.set_recipe(self._presets[name])

    def _choose_preset(self, name: str | None) -> None:
        place = -1 if name is None else self._preset.findData(name)
        self._preset.setCurrentIndex(place if place >= 0 else self._preset.count() - 1)
        description = self._presets[name].description if name in self._presets else ""
        self._preset.setToolTip(f"{_PRESET_TIP}\n\n{description}".strip())

    def _show_rows(self, problems: dict[str, str]) -> None:
        """Show the fields that matter, those under More settings if asked for, with what is wrong with them."""
        more = self._more.isChecked()
        for heading, fields in FIELDS.items():
            rows = [self._rows[field.key] for field in fields]
            shown = [row for row in rows if row.matters and (more or not row.field.more)]
            self._headings[heading].setVisible(bool(shown))
            for row in rows:
                for widget in (row.name, row.editor, row.error):
                    widget.setVisible(row in shown)
                _show_problem(row, problems.get(row.field.key, ""))
        self._tell_of_more(problems)
        self._augmentation.setToolTip(
            f"{self._rows['augmentation'].field.tip}\n\nNow: {describe_amounts(self._augmentation.value())}."
        )

    def _tell_of_more(self, problems: dict[str, str]) -> None:
        """Say on its button how many settings under it are not as they would be by themselves."""
        under = [row for row in self._rows.values() if row.field.more and row.matters]
        n_wrong = sum(row.field.key in problems for row in under)
        n_changed = sum(_changed(row, self._defaults) for row in under if row.field.key not in problems)
        note = f" · {n_wrong} wrong" if n_wrong else f" · {n_changed} changed" if n_changed else ""
        self._more.setText(f"M&ore settings{note}")
        self._more.setAccessibleName(f"More settings{note}")
        _mark(self._more, wrong=n_wrong > 0)

    def _toggle_more(self, more: bool) -> None:
        self.recipe()
        self.more_toggled.emit(more)

    # The preview of augmentation.

    def _open_preview(self) -> None:
        if self._preview is None:
            self._preview = AugmentationDialog(self._theme, self)
            self._preview.edited.connect(self._amounts_edited)
            self._preview.set_editable(self._editable)
        self._preview.begin(self._augmentation.value())
        self._preview.show()
        self._preview.raise_()
        self._preview.activateWindow()

    def close_preview(self) -> None:
        """Close the preview of augmentation, the look at the data and a download, if they are open."""
        if self._preview is not None:
            self._preview.close()
        if self._data is not None:
            self._data.shut_down()
        self.data_choice.close_download()

    def _amounts_edited(self, amounts: dict[str, float]) -> None:
        self._writing = True
        self._augmentation.set_value(amounts)
        self._writing = False
        self._edited()

    def _show_in_preview(self) -> None:
        amounts = self._augmentation.value()
        if self._preview is not None and self._preview.isVisible() and self._preview.amounts != amounts:
            self._preview.begin(amounts)

    # A look at the data.

    def use_data(self, source: str) -> None:
        """Choose a data set, and show what is in it."""
        self.data_choice.open_set(source)
        self._open_data()

    def _open_data(self) -> None:
        if self._data is None:
            self._data = DataDialog(self._theme, self)
        self._data.show_set(self.data_choice.value(), self.data_choice.currentText())
        self._data.show()
        self._data.raise_()
        self._data.activateWindow()

    # Layout.

    def _build(self) -> None:
        # From the outside in: what is built first and put in its place last is styled anew at each step there.
        frame = make_card("settings_card", self)
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(1, 1, 1, 1)
        inner.setSpacing(0)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._scroll = QScrollArea()
        inner.addWidget(self._scroll, 1)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its fields take it
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.verticalScrollBar().rangeChanged.connect(lambda _, most: self._set_margins(scrolled=most > 0))
        content = named(QWidget(), "settings_content")
        self._scroll.setWidget(content)
        self._scroll.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)
        self._grid = QGridLayout(content)
        self._set_margins(scrolled=False)
        self._grid.setVerticalSpacing(0)
        self._grid.setHorizontalSpacing(2 * SPACE)
        self._grid.setColumnMinimumWidth(0, _LABELS_PX)
        self._grid.setColumnStretch(1, 1)
        self._build_recipe()
        for heading, fields in FIELDS.items():
            self._headings[heading] = self._add_heading(heading)
            if heading == "Data":
                self._add_beside_heading(_data_link(self._open_data))
            for field in fields:
                self._add_field(field)
        preview = link("&Preview…", "preview_button", "See how digits are changed, and decide by how much (Alt+P)")
        preview.clicked.connect(self._open_preview)
        self._grid.addWidget(preview, self._grid.rowCount() - 1, 1, Qt.AlignmentFlag.AlignRight)
        self._grid.setRowStretch(self._grid.rowCount(), 1)

        self._more = named(Disclosure("M&ore settings"), "more_settings")
        self._more.setToolTip("Show every setting of a recipe, or the basic ones (Alt+O)")
        self._more.toggled.connect(self._toggle_more)
        line = named(QFrame(), "settings_line")
        line.setFixedHeight(1)
        inner.addWidget(line)
        inner.addWidget(self._more)

    def _set_margins(self, *, scrolled: bool) -> None:
        """Leave at the right what the scroll bar does not take, so that fields keep their width."""
        bar_px = self._scroll.verticalScrollBar().sizeHint().width() if scrolled else 0
        self._grid.setContentsMargins(4 * SPACE, 3 * SPACE, max(0, 3 * SPACE - bar_px), 0)

    def _build_recipe(self) -> None:
        self._add_heading("Recipe")
        top = self._grid.rowCount() - 1
        self._preset = named(Choice(), "preset")
        self._preset.edited.connect(self._preset_chosen)
        _, self._broken = self._add("Preset", self._preset, _PRESET_TIP)
        save = link("Save as &recipe…", "save_recipe_button", "Keep these settings under a name of their own (Alt+R)")
        save.clicked.connect(self.save_requested)
        self._add_beside_heading(save, top)

    def _add_heading(self, text: str) -> QLabel:
        heading = make_label(text, "heading")
        heading.setFixedHeight(5 * SPACE)
        self._grid.addWidget(heading, self._grid.rowCount(), 0)
        return heading

    def _add_beside_heading(self, button: QPushButton, row: int | None = None) -> None:
        """A button at the right of a heading, by default the last one."""
        row = self._grid.rowCount() - 1 if row is None else row
        self._grid.addWidget(button, row, 1, Qt.AlignmentFlag.AlignRight)

    def _add_field(self, field: Field) -> None:
        editor = named(field.editor(), field.name)
        editor.edited.connect(self._edited)
        name, error = self._add(field.text, editor, field.tip)
        self._rows[field.key] = _Row(field, editor, name, error)

    def _add(self, text: str, widget: QWidget, tip: str) -> tuple[QLabel, QLabel]:
        """A field with its name before it, and room for an error under it, so that nothing moves when one appears."""
        name = make_label(text, "soft")
        name.setBuddy(widget)
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        widget.setAccessibleName(text)
        widget.setAccessibleDescription(tip)
        widget.setToolTip(tip)
        name.setToolTip(tip)
        error = make_label("", "error", f"{widget.objectName()}_error")
        error.setFixedHeight(13)
        error.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        error.setAlignment(Qt.AlignmentFlag.AlignRight)
        row = self._grid.rowCount()
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(widget, row, 1)
        self._grid.addWidget(error, row + 1, 0, 1, 2)
        return name, error


def _data_link(show: Callable[[], None]) -> QPushButton:
    button = link("Show &data…", "show_data_button", "See what is in the chosen data set (Alt+D)")
    button.clicked.connect(show)
    return button


def _show_problem(row: _Row, problem: str) -> None:
    row.error.setText(problem)
    row.error.setToolTip(problem)
    if isinstance(row.editor, TextField):
        row.editor.setToolTip(row.field.tip + row.editor.cut_off)
    _mark(row.editor, wrong=bool(problem))


def _mark(widget: QWidget, *, wrong: bool) -> None:
    if widget.property("wrong") != wrong:
        widget.setProperty("wrong", wrong)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def _changed(row: _Row, defaults: dict[str, Any]) -> bool:
    """Whether a field, whose value is no problem, says something else than the default."""
    value: Any = row.editor.value()
    return value != _value(defaults, row.field.key)


def _value(values: dict[str, Any], key: str) -> Any:
    """The value of a setting, or of a group of them, in a recipe's plain values."""
    group, _, name = key.partition(".")
    return values[group][name] if name else values[group]


def _same(one: Recipe, other: Recipe) -> bool:
    return one.to_dict() | {"name": "", "description": ""} == other.to_dict() | {"name": "", "description": ""}
