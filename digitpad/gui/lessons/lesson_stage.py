"""The window as the stage of a lesson: setting up a step, and checking that it was done."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractButton, QComboBox, QWidget

from digitpad.gui.session import TrainingState
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX, Stroke
from digitpad.teaching.lesson import Check, Step, recipe_of
from digitpad.training.setting_values import flattened, toml_value

if TYPE_CHECKING:
    from digitpad.gui.shell.window import Window

_SEED = 11
_SHARE = 0.6  # of the pad, for a digit that a lesson puts there


class LessonStage(QObject):
    """Sets up steps in the window, and knows what was done since.

    Parameters
    ----------
    window : Window
    """

    def __init__(self, window: "Window") -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._trainings = self._trainings_before = 0
        self._evaluations = self._evaluations_before = 0
        self._corrections_before = 0
        self._pressed: set[str] = set()
        self._watched: QAbstractButton | None = None
        self._session.training_changed.connect(self._training_changed)
        self._session.evaluating_changed.connect(self._evaluating_changed)

    def _training_changed(self, state: TrainingState) -> None:
        if state is TrainingState.DONE:
            self._trainings += 1

    def _evaluating_changed(self, evaluating: bool) -> None:
        if not evaluating:
            self._evaluations += 1

    # Setting up.

    def begin(self) -> None:
        """Count from now on, for a lesson that begins."""
        self._trainings = self._evaluations = 0

    def set_up(self, step: Step) -> None:
        """Bring the window to where a step starts, and count from now on."""
        session = self._session
        recipe = recipe_of(step)
        if recipe is not None:
            session.use_recipe(recipe)
        if step.tab == "Runs":
            self._window.companions.show_runs()
        elif step.tab:
            session.show_page(step.tab)
        if step.network == "built-in":
            self._window.networks.use_built_in()
        elif step.network == "trained":
            self._window.networks.use_trained()
        if step.digit is not None:
            session.put_drawing(written(step.digit), "Draw")
        for name, item in step.choices:
            self._choose(name, item)
        self._trainings_before, self._evaluations_before = self._trainings, self._evaluations
        self._corrections_before = self._n_corrections
        self._pressed.clear()
        if step.check is not None and step.check.kind == "pressed":
            self._watch(step.check.name)

    def _choose(self, name: str, item: str) -> None:
        for widget in self._find(name):
            if isinstance(widget, QComboBox):
                widget.setCurrentIndex(max(0, widget.findText(item)))
            elif isinstance(widget, QAbstractButton) and (not widget.isCheckable() or not widget.isChecked()):
                widget.click()

    def _watch(self, name: str) -> None:
        for button in self._find(name):
            if isinstance(button, QAbstractButton):
                button.clicked.connect(lambda: self._pressed.add(name))

    def _find(self, name: str) -> list[QWidget]:
        return self._window.findChildren(QWidget, name)

    @property
    def _n_corrections(self) -> int:
        stack = self._session.undo_stack
        return sum(stack.text(index) == "Correction" for index in range(stack.index()))

    # Checking.

    def is_done(self, check: Check) -> bool:
        """Return whether what a step waits for was done."""
        session, trained = self._session, self._session.trained
        ended = self._trainings > self._trainings_before
        match check.kind:
            case "drawn":
                return not session.drawing.is_empty
            case "cleared":
                return session.drawing.is_empty
            case "read as":
                reading = session.reading
                return reading is not None and reading.sure and reading.text == check.value
            case "not sure":
                prediction = session.prediction
                return prediction is not None and not prediction.sure
            case "tab":
                return self._tab == check.value or (check.value == "Runs" and self._is_shown("runs_window"))
            case "setting":
                return self._setting(check.name) == toml_value(check.value)
            case "trained":
                return ended
            case "trained to":
                accuracy = 0.0 if trained is None else trained.about.get("validation_accuracy", 0.0)
                return ended and 100 * accuracy >= float(check.value)
            case "runs":
                return self._trainings >= int(check.value)
            case "in use":
                return trained is not None and session.weights.parameters is trained.parameters
            case "evaluated":
                return self._evaluations > self._evaluations_before
            case "shown":
                return self._is_shown(check.name)
            case "pressed":
                return check.name in self._pressed or any(
                    isinstance(button, QAbstractButton) and button.isChecked() for button in self._find(check.name)
                )
            case "chosen":
                choices = [widget for widget in self._find(check.name) if isinstance(widget, QComboBox)]
                return any(choice.currentText() == check.value for choice in choices)
            case "unit chosen":
                return self._unit_is_chosen
            case "corrected":
                return self._n_corrections > self._corrections_before
        raise ValueError(check.kind)

    @property
    def _tab(self) -> str:
        return self._window.pages[self._window.page_index].title

    def _is_shown(self, name: str) -> bool:
        return any(widget.isVisible() for widget in self._find(name))

    def _setting(self, key: str) -> object:
        from digitpad.gui.train.train_tab import TrainTab

        recipe = self._window.page(TrainTab).form.recipe()
        value = None if recipe is None else flattened(recipe.to_dict()).get(key)
        return list(value) if isinstance(value, tuple) else value

    @property
    def _unit_is_chosen(self) -> bool:
        from digitpad.gui.inspect.inspect_tab import InspectTab

        return self._window.page(InspectTab).view.pinned is not None


def written(digit: int) -> Drawing:
    """Return a drawing of a digit, the same each time."""
    from digitpad.datasets.synthetic.pen import Writer, write

    rng = np.random.default_rng(_SEED)
    paths = write(digit, rng, Writer.random(rng))
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = _SHARE * CANVAS_PX / float((high - low).max())
    return Drawing(tuple(Stroke((path - (low + high) / 2) * scale + CANVAS_PX / 2) for path in paths))
