"""The Train tab: settings on the left, on the right how training goes, and what is done by its buttons."""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from digitpad.errors import DigitpadError, FileError
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.train.lr_finder_dialog import LearningRateDialog
from digitpad.gui.train.recipe_dialog import RecipeDialog
from digitpad.gui.train.settings_form import SettingsForm
from digitpad.gui.train.training_dashboard import TrainingDashboard, describe_change
from digitpad.gui.train.training_task import TrainingOutcome, TrainingReport, TrainingStart, TrainingThread
from digitpad.gui.widgets.basics import SPACE, format_count, format_percent, named
from digitpad.gui.widgets.dialogs import confirm
from digitpad.gui.widgets.theme import Theme
from digitpad.recognition.recognizer import Prediction
from digitpad.runs.run import Run
from digitpad.training.events import EpochDone, SettingChange
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import Recipes, all_recipes, is_kept, save_recipe
from digitpad.training.setting_values import flattened
from digitpad.training.time_estimate import estimate_seconds
from digitpad.training.trainer import CHANGEABLE
from digitpad.weights.native_format import Weights

DRAW_INTERVAL_MS = 100
CHANGE_AFTER_MS = 700
PLAN_INTERVAL_MS = 150  # an estimate and a full draw take longer than a key should


class TrainingState(Enum):
    """Where a training is."""

    IDLE = auto()
    RUNNING = auto()
    PAUSED = auto()
    STOPPING = auto()
    DONE = auto()


class TrainTab(QWidget):
    """Choose settings, train, watch, and use what was learnt."""

    use_requested = Signal(object)  # Outcome: the Draw tab shall read with it
    save_requested = Signal(object)  # Outcome: to a file of the user's choice
    state_changed = Signal(object)  # State
    message = Signal(str)  # for the status line
    failed = Signal(str, object)  # what came to nothing, and why, a DigitpadError

    def __init__(self, theme: Theme, recipes: Recipes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("train_tab")
        self._theme = theme
        self._state = TrainingState.IDLE
        self._thread: TrainingThread | None = None
        self._pinned: NDArray[np.uint8] | None = None
        self.outcome: TrainingOutcome | None = None
        self._running: Recipe | None = None  # what trains now, with its changes
        self.form = SettingsForm(theme, recipes, self)
        self.board = TrainingDashboard(theme, self)
        self.board.use_requested.connect(lambda: self.use_requested.emit(self.outcome))
        self.board.failed.connect(self.failed)
        self._build()
        # Curves are drawn on a clock of their own, whatever the rate of batches, and not while nothing moves.
        self._drawing = QTimer(self, interval=DRAW_INTERVAL_MS)
        self._drawing.timeout.connect(self._draw)
        self._planning = Throttle(self._settings_changed, PLAN_INTERVAL_MS, self)
        self.form.changed.connect(self._planning.request)
        # A number is taken over once it has been typed, not figure by figure.
        self._changing = QTimer(self, singleShot=True, interval=CHANGE_AFTER_MS)
        self._changing.timeout.connect(self._change_running)
        self.form.changed.connect(self._changing.start)
        self.form.save_requested.connect(self.save_settings)
        self._set_state(TrainingState.IDLE)
        QTimer.singleShot(0, self, self._settings_changed)  # with an estimate, which the tab shall not wait for

    @property
    def state(self) -> TrainingState:
        """Where the training is."""
        return self._state

    @property
    def busy(self) -> bool:
        """Whether a training would be lost if the window closed now."""
        return self._state in (TrainingState.RUNNING, TrainingState.PAUSED, TrainingState.STOPPING)

    def pin(self, prediction: Prediction | None) -> None:
        """The digit on the pad, which the network in training reads as it learns; None for an empty pad."""
        self._pinned = None if prediction is None else prediction.image
        self.board.pin(prediction)
        if self._thread is not None:
            self._thread.pin(self._pinned)

    @property
    def unsaved(self) -> bool:
        """Whether what was trained last is nowhere but here, as the user's folder could not be written."""
        return self.outcome is not None and self.outcome.path is None

    def saved(self, weights: Weights, path: Path) -> None:
        """These weights are in that file from now on."""
        if self.outcome is not None and self.outcome.path is None and self.outcome.weights is weights:
            self.outcome = replace(self.outcome, path=path)

    def train(self) -> None:
        """Begin a training by the form's settings, if they can be."""
        recipe = self.form.recipe()
        if recipe is None:
            self.form.focus_first_problem()
        elif not self.unsaved or self._agrees_to_lose():
            self._begin(TrainingThread(recipe, self))

    def _agrees_to_lose(self) -> bool:
        question = "Train all the same, and lose it?"
        return confirm(self, "What was trained last is not saved.", question, "Train and lose it", "Keep it")

    def go_on(self, run: Run, settings: Mapping[str, Any] | None = None) -> None:
        """Go on with a run from its last checkpoint, with these settings changed, by their dotted keys."""
        assert not self.busy
        if self.unsaved and not self._agrees_to_lose():
            return
        self.form.set_recipe(run.recipe)
        self._begin(TrainingThread(run.recipe, self, resumed=run, settings=settings))

    def find_rate(self) -> None:
        """Try all learning rates by the form's settings, and suggest one."""
        recipe = self.form.recipe()
        if recipe is None:
            self.form.focus_first_problem()
        elif not self.busy:
            dialog = LearningRateDialog(self._theme, recipe, self)
            dialog.chosen.connect(lambda rate: self.form.set_recipe(_at_rate(recipe, rate)))
            dialog.open()

    def save_settings(self) -> None:
        """Ask under which name the form's settings are to be kept as a recipe, and keep them."""
        recipe = self.form.recipe()
        if recipe is None:
            self.form.focus_first_problem()
            self.message.emit("Not saved: a setting is wrong")
            return
        shipped, own, preset = self.form.recipes.shipped, self.form.recipes.own, self.form.preset
        dialog = RecipeDialog(
            preset if preset in own else f"my {preset or 'recipe'}",
            recipe.description,
            lambda name: name in own or is_kept(name),
            lambda name: "It comes before the shipped recipe of this name." if name in shipped else "",
            self,
        )
        dialog.accepted.connect(
            lambda: self._keep(replace(recipe, name=dialog.name, description=dialog.description), dialog.replaces)
        )
        dialog.open()

    def _keep(self, recipe: Recipe, replaces: bool) -> None:
        try:
            path = save_recipe(recipe, replace=replaces)
        except FileError as error:
            self.failed.emit("The recipe was not saved", error)
            return
        self.form.set_recipes(all_recipes())
        if self.form.recipe() is not None and not self.busy:
            self.form.set_recipe(recipe)
        self.message.emit(f"Saved {path.name} among your recipes")

    def end_threads(self) -> None:
        """End all that is under way but training, and close what is open beside it, as Qt would not."""
        self.board.shut_down()
        for dialog in self.findChildren(LearningRateDialog):
            dialog.reject()
        self.form.close_preview()

    def _begin(self, thread: TrainingThread) -> None:
        recipe = thread.recipe
        self._running = None  # until it says what it begins with
        self._changing.stop()
        thread.preparing.connect(self._on_preparing)
        thread.started.connect(self._on_started)
        thread.reported.connect(self._on_reported)
        thread.epoch_done.connect(self._on_epoch_done)
        thread.changed.connect(self._on_changed)
        thread.refused.connect(self._on_refused)
        thread.finished.connect(self._on_finished)
        thread.failed.connect(self._on_failed)
        thread.not_saved.connect(self._on_not_saved)
        self._thread = thread
        if (widget := self.focusWidget()) is not None and self.form.isAncestorOf(widget):
            self._main.setFocus()  # fields rest from now on, and Qt would go on to the next thing beside them
        self.outcome = None
        self.board.clear(recipe.training.epochs)
        thread.pin(self._pinned)
        self._set_state(TrainingState.RUNNING)
        self.message.emit(f"Training {recipe.name}…")
        thread.start()

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        assert self._thread is not None
        if self._state is TrainingState.RUNNING:
            self._thread.pause()
            self._set_state(TrainingState.PAUSED)
            self._draw()
            self.board.set_left("Paused")
        else:
            self._thread.resume()
            self._set_state(TrainingState.RUNNING)

    def stop(self) -> None:
        """End the training where it is; what it has learnt is scored and kept."""
        if self._thread is not None and self._state in (TrainingState.RUNNING, TrainingState.PAUSED):
            self._set_state(TrainingState.STOPPING)
            self._thread.stop()

    def shut_down(self, seconds: float = 30.0) -> str:
        """Stop, keep the best weights so far, and wait for the thread's end; why they could not be kept, if so."""
        thread = self._thread
        if thread is None:
            return ""
        thread.stop(testing=False)
        problem = thread.save_problem if thread.wait(seconds) else "the training does not end"
        if not problem:  # else what it still has to say is heard, so that its outcome can be saved elsewhere
            self._thread = None
            QCoreApplication.sendPostedEvents(self)  # what it said last, lest another training be taken for it
            self._set_state(TrainingState.IDLE)
        return problem

    # What the training's thread reports.

    def _on_preparing(self, made: int, total: int) -> None:
        self.board.prepared(made, total)
        self.message.emit(f"Making {format_count(made)} of {format_count(total)} drawings to train on…")

    def _on_started(self, start: TrainingStart) -> None:
        self._running = start.recipe
        self._fill_form(start.recipe)
        self.board.begun(start)
        self.message.emit(f"Training {start.name}…")

    def _on_reported(self, report: TrainingReport) -> None:
        self.board.reported(report)

    def _on_epoch_done(self, epoch: EpochDone) -> None:
        self.board.scored(epoch)

    def _on_changed(self, change: SettingChange, recipe: Recipe) -> None:
        if self._running is not None and recipe.training.epochs != self._running.training.epochs:
            self.board.set_plan(recipe.training.epochs)
        self._running = recipe
        if not self._changing.isActive():  # else the user has gone on writing
            self._fill_form(recipe)
        self.board.changed(change)
        self.message.emit(f"From step {format_count(change.step + 1)} on: {describe_change(change)}")

    def _fill_form(self, recipe: Recipe) -> None:
        """Show what trains, which is no change of the user's."""
        if self.form.recipe() != recipe:
            self.form.set_recipe(recipe)
            self._changing.stop()

    def _on_refused(self, why: str) -> None:
        self.message.emit(f"Not changed: {why}")

    def _change_running(self) -> None:
        """Go on with what was changed in the form, as far as that can change in a training."""
        recipe = self.form.recipe()
        if self._thread is None or self._running is None or recipe is None or not self.busy:
            return
        now, wanted = (flattened(one.to_dict()) for one in (self._running, recipe))
        settings = {key: wanted[key] for key in CHANGEABLE if wanted[key] != now[key]}
        if settings:
            self._thread.change(settings)

    def _on_finished(self, outcome: TrainingOutcome | None) -> None:
        if self._thread is None:
            return
        self._draw()
        self._join()
        self.outcome = outcome
        self._set_state(TrainingState.DONE if outcome is not None else TrainingState.IDLE)
        if outcome is None:
            self.message.emit("Stopped before anything was learnt.")
            self._settings_changed()
            return
        if outcome.result is not None:
            self.board.set_left(format_percent(outcome.result.test.accuracy, 2), "Test accuracy")
        where = f" Kept as {outcome.path.name}." if outcome.path is not None else " It is not saved yet."
        if outcome.problem:
            self.message.emit(f"Training ended early.{where}")
            on = " Model › Runs… goes on with it at a lower rate." if outcome.path is not None else ""
            self._tell_failed(f"{outcome.problem}. The best weights of before can be used.{on}")
        else:
            self.message.emit(f"Training done.{where}")

    def _on_failed(self, why: str) -> None:
        if self._thread is None:
            return
        self._draw()
        self._join()
        self._set_state(TrainingState.IDLE)
        self.board.set_left("–")
        self.message.emit("Training ended early")
        self._settings_changed()
        self._tell_failed(why)

    def _on_not_saved(self, why: str) -> None:
        self.failed.emit("What is learnt cannot be kept; training goes on", DigitpadError(why))

    def _tell_failed(self, why: str) -> None:
        self.failed.emit("Training could not go on", DigitpadError(why))

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.wait(10)
            self._thread.deleteLater()
            self._thread = None

    # Showing.

    def _settings_changed(self) -> None:
        """Show the axes that training will fill, and what it will do and take."""
        if self.busy or not self.board.is_empty:
            return
        recipe = self.form.recipe()
        if recipe is not None:
            self.board.set_plan(recipe.training.epochs, describe(recipe))

    def _draw(self) -> None:
        self.board.draw(counts_down=self._state is TrainingState.RUNNING)

    def _set_state(self, state: TrainingState) -> None:
        self._state = state
        running = state in (TrainingState.RUNNING, TrainingState.PAUSED)
        self._main.setText({TrainingState.RUNNING: "Pause", TrainingState.PAUSED: "Go on"}.get(state, "Train"))
        self._main.setEnabled(state is not TrainingState.STOPPING)
        self._stop.setEnabled(running)
        self._save.setEnabled(self.outcome is not None)
        self.board.set_usable(self.outcome is not None)
        self.form.set_editable(not self.busy, besides=CHANGEABLE if running else ())
        if state in (TrainingState.RUNNING, TrainingState.STOPPING):
            self._drawing.start()
        else:
            self._drawing.stop()
        self.state_changed.emit(state)

    def train_or_pause(self) -> None:
        """Train; while it trains, pause, and go on."""
        if self._state in (TrainingState.RUNNING, TrainingState.PAUSED):
            self.toggle_pause()
        elif not self.busy:  # while it stops, there is nothing to begin yet
            self.train()

    # Layout.

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        row.setSpacing(5 * SPACE)
        left = QVBoxLayout()
        left.setSpacing(3 * SPACE)
        self.form.setFixedWidth(290)
        left.addWidget(self.form, 1)
        left.addLayout(self._build_buttons())
        row.addLayout(left)
        row.addWidget(self.board, 1)

    def _build_buttons(self) -> QHBoxLayout:
        self._main = named(QPushButton("Train"), "train_button")
        self._main.setProperty("kind", "primary")
        self._main.setToolTip("Train with these settings; then pause and go on (Ctrl+T)")
        self._main.clicked.connect(self.train_or_pause)
        self._stop = named(QPushButton("Stop"), "stop_button")
        self._stop.setToolTip("End now; what was learnt is scored and kept (Ctrl+.)")
        self._stop.clicked.connect(self.stop)
        self._save = named(QPushButton("Save as…"), "save_button")
        self._save.setToolTip("Save the trained weights to a file of your choice")
        self._save.clicked.connect(lambda: self.save_requested.emit(self.outcome))
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * SPACE)
        buttons.addWidget(self._main, 1)
        buttons.addWidget(self._stop)
        buttons.addWidget(self._save)
        return buttons


def _at_rate(recipe: Recipe, rate: float) -> Recipe:
    return recipe.with_values({"optimizer.learning_rate": rate})


def describe(recipe: Recipe) -> str:
    """What pressing Train will do, and about how long it takes on this machine."""
    epochs = recipe.training.epochs
    return (
        f"Train runs {epochs} epoch{'s' * (epochs > 1)} of {recipe.summary},\n"
        f"about {_rounded(estimate_seconds(recipe))} with the built-in digits. You can pause and stop at any time."
    )


def _rounded(seconds: float) -> str:
    if seconds < 100:
        return f"{max(1, round(seconds))} s" if seconds < 10 else f"{round(seconds / 5) * 5} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
