"""Form for the settings of a training run; each value is checked as it is typed, with its error under the field."""

# Longer than 400 lines: layout and validation of one form; the fields themselves are in `settings_fields`.

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
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
from digitpad.gui.train.settings_fields import FIELDS, HEADING_TERMS, Editor, Field
from digitpad.gui.widgets.basics import SPACE, bring_to_front, link, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Choice, Disclosure, TextField
from digitpad.gui.widgets.term_button import SIDE_PX, TermButton, explain
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme
from digitpad.number_format import format_percent
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import FIRST, Recipes
from digitpad.training.recipe_results import recipe_results

OWN = "Custom"
_RECIPE_TIP = "Recipe: a saved set of training settings."


@dataclass(eq=False)
class _Row:
    """A field with its input widget, its label and its error label."""

    field: Field
    editor: Editor
    name: QLabel
    error: QLabel
    matters: bool = True  # whether the setting has an effect with the other values


class SettingsForm(QWidget):
    """Form for a recipe.

    The basic fields come first, all other settings are under More settings, whose button counts those with values other
    than the defaults. A setting without effect, such as momentum for Adam, has no visible field and keeps its value.
    """

    changed = Signal()  # a field was edited
    save_requested = Signal()  # the recipe should be saved under a name
    more_toggled = Signal(bool)  # whether all settings are shown, or only the basic ones

    def __init__(self, theme: Theme, recipes: Recipes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settings")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._theme = theme
        self.recipes = recipes
        self._recipes_by_name = recipes.by_name
        self._results = recipe_results()
        self.rows: dict[str, _Row] = {}
        self._headings: dict[str, QLabel] = {}
        self.base_recipe = next(iter(self._quickest_first(self._recipes_by_name).values()))
        self._defaults = Recipe().to_dict()
        self._preview: AugmentationDialog | None = None
        self._data: DataDialog | None = None
        self._editable = True
        self._data_problem = ("", "")  # a dataset that cannot be read, and why
        self._writing = False
        self._build()
        self.set_recipes(recipes)
        self.set_recipe(self.base_recipe)

    @property
    def _augmentation(self) -> AugmentationChoice:
        editor = self.rows["augmentation"].editor
        assert isinstance(editor, AugmentationChoice)
        return editor

    @property
    def data_choice(self) -> DatasetChoice:
        """Field for the dataset."""
        editor = self.rows["data.set"].editor
        assert isinstance(editor, DatasetChoice)
        return editor

    @property
    def keys(self) -> list[str]:
        """Keys of the settings whose fields are visible."""
        return [key for key, row in self.rows.items() if not row.editor.isHidden()]

    @property
    def recipe_name(self) -> str | None:
        """Name of the recipe that is shown, or None if the settings are custom."""
        name: str | None = self._recipe_choice.currentData()
        return name

    @property
    def last_stop(self) -> QWidget:
        """Last widget in tab order."""
        return self._more

    def recipe(self) -> Recipe | None:
        """Return the recipe of the fields, or None if a value is invalid; errors are shown under the fields."""
        values, problems = self._read()
        # Search ranges may not fit the changed settings.
        bare = replace(self.base_recipe, search={})
        recipe = None
        while recipe is None:
            try:
                recipe = bare.with_values(values)
            except RecipeError as error:
                # The error names only the first problem; remove that value to find the next one.
                key = self._key_of(error)
                problems.setdefault(key, error.problem)
                if key not in values:
                    break
                del values[key]
        self._show_rows(problems)
        return None if recipe is None or problems else self._named(recipe)

    def set_recipe(self, recipe: Recipe) -> None:
        """Show a recipe in the fields."""
        self.base_recipe = recipe
        self._writing = True
        values = recipe.to_dict()
        for key, row in self.rows.items():
            row.editor.set_value(_value(values, key))
        chosen = next((name for name, listed in self._recipes_by_name.items() if listed == recipe), None)
        self._choose_recipe(chosen)
        self._writing = False
        self.recipe()
        self._show_in_preview()
        self.changed.emit()

    def set_recipes(self, recipes: Recipes) -> None:
        """List recipes: the built-in ones, then the user's after a separator; show which files can't be used."""
        self.recipes = recipes
        self._recipes_by_name = recipes.by_name
        writing, self._writing = self._writing, True
        chosen = self._recipe_choice.currentData()
        self._recipe_choice.clear()
        for part in (
            self._quickest_first({name: it for name, it in recipes.shipped.items() if name not in recipes.own}),
            recipes.own,
        ):
            if part and self._recipe_choice.count():
                self._recipe_choice.insertSeparator(self._recipe_choice.count())
            for name, recipe in part.items():
                self._recipe_choice.addItem(self._title(name, recipes), name)
                self._recipe_choice.setItemData(
                    self._recipe_choice.count() - 1, recipe.description, Qt.ItemDataRole.ToolTipRole
                )
        self._recipe_choice.insertSeparator(self._recipe_choice.count())
        self._recipe_choice.addItem(OWN)
        self._choose_recipe(chosen)
        self._writing = writing
        broken = [problem.path.name for problem in recipes.problems]
        subject = broken[0] if len(broken) == 1 else f"{len(broken)} of your recipes"
        self._broken.setText(f"{subject} can't be used" if broken else "")
        self._broken.setVisible(bool(broken))
        self._broken.setToolTip("\n".join(f"{problem.path.name} {problem.problem}" for problem in recipes.problems))

    def _quickest_first(self, recipes: Mapping[str, Recipe]) -> dict[str, Recipe]:
        """Return recipes in the order of their measured training time, after `FIRST`; those without one come last."""
        times = {name: result.seconds for name, result in self._results.items()}

        def place(name: str) -> tuple[bool, float]:
            return name != FIRST, times.get(name, math.inf)

        return {name: recipes[name] for name in sorted(recipes, key=place)}

    def _title(self, name: str, recipes: Recipes) -> str:
        """Return the text of a recipe in the list; a built-in one has its measured accuracy and training time."""
        result = self._results.get(name)
        if name in recipes.own or result is None:
            return name
        return f"{name[:1].upper()}{name[1:]} · {format_percent(result.test_accuracy)} · {_duration(result.seconds)}"

    def set_editable(self, editable: bool, besides: Sequence[str] = ()) -> None:
        """Enable or disable the fields; those of the keys ``besides``, or of a group with one of them, stay enabled."""
        self._editable = editable
        for key, row in self.rows.items():
            row.editor.setEnabled(editable or self._may_change(key, besides))
        self._recipe_choice.setEnabled(editable)
        if self._preview is not None:
            self._preview.set_editable(editable or self._may_change("augmentation", besides))

    def _may_change(self, key: str, besides: Sequence[str]) -> bool:
        if key == "network.dropout" and not self.base_recipe.network.dropout:
            return False  # the network has no dropout layers
        return any(other == key or other.startswith(f"{key}.") for other in besides)

    def set_data_problem(self, source: str, problem: str) -> None:
        """Refuse a dataset that cannot be read, and say why under its field; an empty problem accepts it again."""
        if problem or source == self._data_problem[0]:
            self._data_problem = source, problem
            self.recipe()

    def show_more(self, more: bool) -> None:
        """Show all settings, or only the basic ones."""
        self._more.setChecked(more)

    def focus_first_problem(self) -> None:
        """Focus the first field with an error and scroll to it."""
        for row in self.rows.values():
            if row.error.text():
                if row.field.more:
                    self.show_more(True)
                row.editor.setFocus()
                self._scroll.ensureWidgetVisible(row.editor)
                return

    # Between fields and recipes.

    def _read(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Return values and problems by key, for the fields that have an effect."""
        values: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for key, row in self.rows.items():
            try:
                values[key] = row.editor.value()
            except RecipeError as error:
                problems[key] = error.problem
        source, problem = self._data_problem
        if problem and values.get("data.set") == source:
            problems["data.set"] = problem
        for key, row in self.rows.items():
            matters = row.field.matters(values)
            row.matters = row.matters if matters is None else matters
            if not row.matters:
                values.pop(key, None)
                problems.pop(key, None)
        return values, problems

    def _key_of(self, error: RecipeError) -> str:
        """Return the key of the field for an error."""
        return error.key if error.key in self.rows else error.key.partition(".")[0]

    def _named(self, recipe: Recipe) -> Recipe:
        """Return the recipe named as the chosen one, or ``own``; keep the search ranges if they are valid."""
        chosen = self._recipes_by_name.get(self._recipe_choice.currentData())
        recipe = replace(
            recipe,
            name="own" if chosen is None else chosen.name,
            description="" if chosen is None else chosen.description,
        )
        try:
            return replace(recipe, search=self.base_recipe.search)
        except RecipeError:
            return recipe

    # Changes of fields.

    def _edited(self) -> None:
        if self._writing:
            return
        recipe = self.recipe()
        self._writing = True
        # If two recipes differ only in their names, prefer the one that was chosen.
        candidates = sorted(self._recipes_by_name, key=lambda name: name != self.base_recipe.name)
        matching = (name for name in candidates if recipe is not None and _same(self._recipes_by_name[name], recipe))
        self._choose_recipe(next(matching, None))
        self._writing = False
        self._show_in_preview()
        self.changed.emit()

    def _recipe_chosen(self) -> None:
        name = self._recipe_choice.currentData()
        if not self._writing and name in self._recipes_by_name:
            self.set_recipe(self._recipes_by_name[name])

    def _choose_recipe(self, name: str | None) -> None:
        place = -1 if name is None else self._recipe_choice.findData(name)
        self._recipe_choice.setCurrentIndex(place if place >= 0 else self._recipe_choice.count() - 1)
        description = self._recipes_by_name[name].description if name in self._recipes_by_name else ""
        title = self._recipe_choice.currentText()  # it may be elided
        self._recipe_choice.setToolTip("\n\n".join(filter(None, (_RECIPE_TIP, title, description))))

    def _show_rows(self, problems: dict[str, str]) -> None:
        """Show the fields that have an effect, including More settings if it is open, and their problems."""
        more = self._more.isChecked()
        for heading, fields in FIELDS.items():
            rows = [self.rows[field.key] for field in fields]
            visible = [row for row in rows if row.matters and (more or not row.field.more)]
            self._headings[heading].setVisible(bool(visible))
            for row in rows:
                for widget in (row.name, row.editor, row.error):
                    widget.setVisible(row in visible)
                _show_problem(row, problems.get(row.field.key, ""))
        self._count_more(problems)
        self._augmentation.setToolTip(
            f"{self.rows['augmentation'].field.tip}\n\nNow: {describe_amounts(self._augmentation.value())}."
        )

    def _count_more(self, problems: dict[str, str]) -> None:
        """Show on the More settings button how many settings have errors, or else differ from their defaults."""
        hidden = [row for row in self.rows.values() if row.field.more and row.matters]
        n_wrong = sum(row.field.key in problems for row in hidden)
        n_changed = sum(_changed(row, self._defaults) for row in hidden if row.field.key not in problems)
        note = f" · {n_wrong} invalid" if n_wrong else f" · {n_changed} changed" if n_changed else ""
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
        bring_to_front(self._preview)

    def close_preview(self) -> None:
        """Close the augmentation preview, the dataset dialog and the download dialog, if they are open."""
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

    # The dataset dialog.

    def use_data(self, source: str) -> None:
        """Choose a dataset and show its images."""
        self.data_choice.open_set(source)
        self._open_data()

    def _open_data(self) -> None:
        if self._data is None:
            self._data = DataDialog(self._theme, self)
        self._data.show_set(self.data_choice.value(), self.data_choice.currentText())
        bring_to_front(self._data)

    # Layout.

    def _build(self) -> None:
        # Build from the outside in: a widget that gets a new parent after it is built is styled once more each time.
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
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the fields take the focus
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.verticalScrollBar().rangeChanged.connect(lambda _, most: self._set_margins(scrolled=most > 0))
        content = named(QWidget(), "settings_content")
        self._scroll.setWidget(content)
        self._scroll.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)
        self._grid = QGridLayout(content)
        self._set_margins(scrolled=False)
        self._grid.setVerticalSpacing(0)
        self._grid.setHorizontalSpacing(SPACE)  # the ⓘ of a label has room round its sign
        self._grid.setColumnStretch(1, 1)
        self._build_recipe_choice()
        for heading, fields in FIELDS.items():
            self._headings[heading] = self._add_heading(heading)
            if heading == "Data":
                self._add_beside_heading(_data_link(self._open_data))
            for field in fields:
                self._add_field(field)
        preview = link("&Preview…", "preview_button", "Preview augmented digits and set the amounts (Alt+P)")
        preview.clicked.connect(self._open_preview)
        self._grid.addWidget(preview, self._grid.rowCount() - 1, 1, Qt.AlignmentFlag.AlignRight)
        self._grid.setRowStretch(self._grid.rowCount(), 1)

        self._more = named(Disclosure("M&ore settings"), "more_settings")
        self._more.setToolTip("Show all settings, or only the basic ones (Alt+O)")
        self._more.toggled.connect(self._toggle_more)
        line = named(QFrame(), "settings_line")
        line.setFixedHeight(1)
        inner.addWidget(line)
        inner.addWidget(self._more)
        for button in self.findChildren(TermButton, "term_recipe"):  # the form begins with its first field
            self.setTabOrder(self._recipe_choice, button)

    def _set_margins(self, *, scrolled: bool) -> None:
        """Set the right margin to the width that the scroll bar does not take, so that fields keep their width."""
        bar_px = self._scroll.verticalScrollBar().sizeHint().width() if scrolled else 0
        self._grid.setContentsMargins(4 * SPACE, SPACE, max(0, 3 * SPACE - bar_px), 0)

    def _build_recipe_choice(self) -> None:
        self._add_heading("Recipe")
        top = self._grid.rowCount() - 1
        self._recipe_choice = named(Choice(), "preset")
        self._recipe_choice.edited.connect(self._recipe_chosen)
        name, self._broken = self._add("Recipe", self._recipe_choice, _RECIPE_TIP)
        name.setParent(None)  # the heading names it, and its long texts need the whole width
        self._grid.addWidget(self._recipe_choice, top + 1, 0, 1, 2)
        save = link("Save as &recipe…", "save_recipe_button", "Save these settings under a name (Alt+R)")
        save.clicked.connect(self.save_requested)
        self._add_beside_heading(save, top)

    # Qt overrides.

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit_labels()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_labels()

    def _fit_labels(self) -> None:
        """Keep room for the longest label, so that fields keep their width when More settings are shown."""
        if self.rows:
            longest = max(self.fontMetrics().horizontalAdvance(row.field.text) for row in self.rows.values())
            self._grid.setColumnMinimumWidth(0, longest + scaled(SIDE_PX))

    def sizeHint(self) -> QSize:
        """Return a width that fits labels, fields and their links in the font of the window."""
        return QSize(37 * self.fontMetrics().horizontalAdvance("0"), super().sizeHint().height())

    def _add_heading(self, text: str) -> QLabel:
        heading = make_label(text, "heading")
        explain(heading, HEADING_TERMS[text])
        self._grid.addWidget(heading, self._grid.rowCount(), 0)
        return heading

    def _add_beside_heading(self, button: QPushButton, row: int | None = None) -> None:
        """Place a button on the right of a heading, by default the last one."""
        row = self._grid.rowCount() - 1 if row is None else row
        self._grid.addWidget(button, row, 1, Qt.AlignmentFlag.AlignRight)

    def _add_beside_field(self, editor: QWidget, button: QPushButton) -> None:
        """Place a button on the right of a field, which shares its cell with it."""
        row, column, *_ = cast(tuple[int, ...], self._grid.getItemPosition(self._grid.indexOf(editor)))
        pair = QHBoxLayout()
        pair.setSpacing(SPACE)
        pair.addWidget(editor, 1)
        pair.addWidget(button)
        self._grid.addLayout(pair, row, column)

    def _add_field(self, field: Field) -> None:
        editor = named(field.editor(), field.name)
        editor.edited.connect(self._edited)
        name, error = self._add(field.text, editor, field.tip)
        if field.key == "optimizer.learning_rate":
            tip = "Run a short test that suggests a learning rate (Ctrl+Shift+F)"
            self.find_rate = link("F&ind…", "find_rate_button", tip)
            self._add_beside_field(editor, self.find_rate)
        self.setTabOrder(editor, explain(name, field.term))  # the ⓘ comes after its field
        self.rows[field.key] = _Row(field, editor, name, error)

    def _add(self, text: str, widget: QWidget, tip: str) -> tuple[QLabel, QLabel]:
        """Add a field with its label, and under it a line of room for an error; a longer one gets the room it needs."""
        name = make_label(text, "soft")
        name.setBuddy(widget)
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        widget.setAccessibleName(text)
        widget.setAccessibleDescription(tip)
        widget.setToolTip(tip)
        name.setToolTip(tip)
        error = _ErrorLabel(f"{widget.objectName()}_error")
        row = self._grid.rowCount()
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(widget, row, 1)
        self._grid.addWidget(error, row + 1, 0, 1, 2)
        return name, error


class _ErrorLabel(QLabel):
    """Error under a field; it wraps, and an empty one keeps the height of a line, so that short errors move nothing."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setProperty("role", "error")
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    # Qt overrides.

    def heightForWidth(self, width: int) -> int:
        line, height = self.fontMetrics().height(), super().heightForWidth(width)
        return height + 1 if height > line else line  # else the last pixel of a second line is cut off

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.fontMetrics().height())


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _data_link(show: Callable[[], None]) -> QPushButton:
    button = link("Show &data…", "show_data_button", "Show the images of the chosen dataset (Alt+D)")
    button.clicked.connect(show)
    return button


def _show_problem(row: _Row, problem: str) -> None:
    message = _field_message(problem)
    row.error.setText(message)
    row.error.setToolTip(message)
    if isinstance(row.editor, TextField):
        row.editor.setToolTip(row.field.tip + row.editor.cut_off)
    _mark(row.editor, wrong=bool(problem))


def _field_message(problem: str) -> str:
    """Return a problem as text under a field: without the value, which the field shows, and with a capital letter."""
    value, _, advice = problem.partition("; enter ")
    text = f"enter {advice}" if advice and value.startswith("is ") else problem
    return text[:1].upper() + text[1:]


def _mark(widget: QWidget, *, wrong: bool) -> None:
    if widget.property("wrong") != wrong:
        widget.setProperty("wrong", wrong)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def _changed(row: _Row, defaults: dict[str, Any]) -> bool:
    """Return whether a field with a valid value differs from the default."""
    value: Any = row.editor.value()
    return value != _value(defaults, row.field.key)


def _value(values: dict[str, Any], key: str) -> Any:
    """Return the value of a setting, or of a group of settings, from the plain values of a recipe."""
    group, _, name = key.partition(".")
    return values[group][name] if name else values[group]


def _same(first: Recipe, second: Recipe) -> bool:
    return first.to_dict() | {"name": "", "description": ""} == second.to_dict() | {"name": "", "description": ""}
