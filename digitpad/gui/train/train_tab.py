"""The Train tab: settings on the left, progress on the right."""

# Longer than 400 lines: it connects the form, the dashboard, the task and the saved runs.

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from digitpad.errors import DigitpadError, FileError, RecipeError
from digitpad.gui.session import Lifetime, Session, TrainingState
from digitpad.gui.tasks.task import Policy, TaskRunner, error_message
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.train.dataset_check import DatasetCheck
from digitpad.gui.train.lr_finder_dialog import LearningRateDialog
from digitpad.gui.train.recipe_dialog import RecipeDialog
from digitpad.gui.train.settings_form import SettingsForm
from digitpad.gui.train.training_dashboard import TrainingDashboard, describe_change
from digitpad.gui.train.training_task import (
    ChangeRefused,
    NotSaved,
    Preparing,
    SettingsChanged,
    TrainingControl,
    TrainingEvent,
    TrainingOutcome,
    TrainingReport,
    TrainingStart,
    train,
)
from digitpad.gui.widgets.basics import SPACE, named, set_kind
from digitpad.gui.widgets.dialogs import confirm
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.number_format import format_count
from digitpad.runs.network_names import is_of_run, network_name
from digitpad.runs.run import Run
from digitpad.training.events import EpochDone, SettingChange
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import all_recipes, recipe_file_exists, save_recipe
from digitpad.training.setting_values import flattened
from digitpad.training.time_estimate import estimate_seconds
from digitpad.training.trainer import CHANGEABLE
from digitpad.weights.native_format import Weights

DRAW_INTERVAL_MS = 100
CHANGE_AFTER_MS = 700
PLAN_INTERVAL_MS = 150  # an estimate and a full draw take longer than a keystroke may
STOP_SECONDS = 30.0


class TrainTab(TabPage):
    """Choose settings, train, watch, and use the trained network."""

    progressed = Signal(object)  # TrainingEvent, once the tab shows it

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("train_tab")
        self._session = session
        self._control: TrainingControl | None = None
        self._tasks = TaskRunner("training", Policy.LATEST, self)
        self.outcome: TrainingOutcome | None = None
        self.running: Recipe | None = None  # the recipe in training, with its changes
        self._run_name = ""
        self.form = SettingsForm(session.theme, all_recipes(), self)
        self.board = TrainingDashboard(session.theme, self)
        self._data_check = DatasetCheck(self)
        self._build()
        # Curves are drawn at a rate of their own, whatever the rate of batches, and not while nothing changes.
        self._drawing = QTimer(self, interval=DRAW_INTERVAL_MS)
        self._drawing.timeout.connect(self.redraw)
        self._planning = Throttle(self._settings_changed, PLAN_INTERVAL_MS, self)
        # A number takes effect once it has been typed, not digit by digit.
        self._changing = QTimer(self, singleShot=True, interval=CHANGE_AFTER_MS)
        self._changing.timeout.connect(self._change_running)
        self._connect()
        self._set_state(TrainingState.IDLE)
        self._pin()
        QTimer.singleShot(0, self, self._settings_changed)  # its estimate takes a while

    def _connect(self) -> None:
        session, form = self._session, self.form
        self.board.use_requested.connect(self._use)
        self.board.failed.connect(session.raise_error)
        self.board.curves_added.connect(self._set_tab_order)
        form.find_rate.clicked.connect(self.find_rate)
        session.runs_changed.connect(self._follow_runs)
        form.changed.connect(self._planning.request)
        form.changed.connect(self._changing.start)
        form.save_requested.connect(self.save_settings)
        form.show_more(session.preferences.more_settings)
        form.more_toggled.connect(self._keep_more)
        form.data_choice.share(session)
        form.data_choice.edited.connect(self._check_data)
        form.data_choice.activated.connect(
            self._check_data
        )  # also if it was chosen again, as the file may have changed
        self._data_check.checked.connect(form.set_data_problem)
        session.drawing_settled.connect(self._pin)
        session.reading_changed.connect(self._pin)
        session.network_saved.connect(self._saved)
        session.resume_requested.connect(self.resume)
        session.recipe_requested.connect(self._show_recipe)
        session.training_data_requested.connect(form.use_data)

    def _check_data(self) -> None:
        """Read the chosen dataset, so that one that does not fit is refused at once."""
        if not self.busy:
            self._data_check.check(self.form.data_choice.value())

    def _follow_runs(self) -> None:
        """Follow the new name of the run whose curves are shown."""
        if self.outcome is not None and self.outcome.path is not None and is_of_run(self.outcome.path):
            self.board.set_name(network_name(self.outcome.path))

    def _keep_more(self, more: bool) -> None:
        self._session.preferences.more_settings = more

    @property
    def state(self) -> TrainingState:
        """Progress of the training."""
        return self._session.training

    def saved_state(self) -> dict[str, Any]:
        """Return the recipe."""
        recipe = self.form.recipe()
        return {} if recipe is None else {"recipe": recipe.to_dict()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Show the recipe of the last session."""
        with contextlib.suppress(RecipeError):
            if isinstance(state.get("recipe"), dict):
                self.form.set_recipe(Recipe.from_dict(state["recipe"]))

    @property
    def busy(self) -> bool:
        """Whether a training would be lost if the window closed now."""
        return self.state.is_busy

    def _pin(self) -> None:
        """Have the network in training read the drawing as it learns."""
        prediction = self._session.prediction
        self.board.pin(prediction)
        if self._control is not None:
            self._control.pin(None if prediction is None else prediction.image)

    def _saved(self, weights: Weights, path: Path) -> None:
        if self.outcome is not None and self.outcome.path is None and self.outcome.weights is weights:
            self.outcome = replace(self.outcome, path=path)

    def _show_recipe(self, recipe: Recipe) -> None:
        self.form.set_recipe(recipe)
        self._session.say(f"Settings of {recipe.name}")

    def _use(self) -> None:
        if self.outcome is not None:
            self._session.use_network(self.outcome.weights, self.outcome.path)
            self._session.show_page("Draw")
            self._session.say("The Draw tab uses the trained network", Lifetime.NETWORK)

    def train(self) -> None:
        """Train by the form's settings, if they are valid."""
        recipe = self.form.recipe()
        if recipe is None:
            self.form.focus_first_problem()
            self._check_data()  # a file that could not be read may have changed
        elif self._may_replace_result():
            self._start(recipe, TrainingControl())

    def _may_replace_result(self) -> bool:
        """Ask whether an unsaved network may be lost, if there is one."""
        question = "Train anyway, and lose it?"
        return not self._session.has_unsaved_training or confirm(
            self, "The network trained last is not saved.", question, "Train and lose it", "Keep it"
        )

    def resume(self, run: Run, settings: Mapping[str, Any] | None = None) -> None:
        """Resume a run from its last checkpoint, with these settings changed, by their dotted keys."""
        assert not self.busy
        if self._may_replace_result():
            self.form.set_recipe(run.recipe)
            self._start(run.recipe, TrainingControl(settings), run)

    def find_rate(self) -> None:
        """Run the learning-rate finder with the form's settings."""
        recipe = self.form.recipe()
        if recipe is None:
            self.form.focus_first_problem()
        elif not self.busy:
            dialog = LearningRateDialog(self._session.theme, recipe, self)
            dialog.chosen.connect(lambda rate: self.form.set_recipe(_at_rate(recipe, rate)))
            dialog.open()

    def save_settings(self) -> None:
        """Ask for a name, and save the form's settings as a recipe."""
        recipe = self.form.recipe()
        if recipe is None:
            self.form.focus_first_problem()
            self._session.say("Not saved: a setting is wrong")
            return
        shipped, own, preset = self.form.recipes.shipped, self.form.recipes.own, self.form.recipe_name
        dialog = RecipeDialog(
            preset if preset in own else f"my {preset or 'recipe'}",
            recipe.description,
            lambda name: name in own or recipe_file_exists(name),
            lambda name: "It will replace the built-in recipe of this name in the list." if name in shipped else "",
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
            self._session.raise_error("The recipe was not saved", error)
            return
        self.form.set_recipes(all_recipes())
        if self.form.recipe() is not None and not self.busy:
            self.form.set_recipe(recipe)
        self._session.say(f"Saved {path.name} in your recipes folder")

    def _start(self, recipe: Recipe, control: TrainingControl, resumed: Run | None = None) -> None:
        self.running = None  # until the training has started
        self._changing.stop()
        if (widget := self.focusWidget()) is not None and self.form.isAncestorOf(widget):
            self._main.setFocus()  # Qt would move the focus from a disabled field to something else
        self._control = control
        self._pin()
        self._set_state(TrainingState.RUNNING)
        self._run_name = recipe.name if resumed is None else resumed.name
        self._session.say(f"Training {self._run_name}…", Lifetime.TRAINING)
        self._tasks.start(
            lambda: train(recipe, control, resumed),
            progressed=self._on_event,
            finished=self._on_finished,
            failed=self._on_failed,
        )

    def toggle_pause(self) -> None:
        """Pause or resume."""
        assert self._control is not None
        if self.state is TrainingState.RUNNING:
            self._control.pause()
            self._set_state(TrainingState.PAUSED)
            self._session.say(f"Paused {self._run_name}", Lifetime.TRAINING)
            self.redraw()
            self.board.set_left("Paused")
        else:
            self._control.resume()
            self._set_state(TrainingState.RUNNING)
            self._session.say(f"Training {self._run_name}…", Lifetime.TRAINING)

    def stop(self) -> None:
        """End the training now, score the best network on the test set, and keep it."""
        if self._control is not None and self.state in (TrainingState.RUNNING, TrainingState.PAUSED):
            self._set_state(TrainingState.STOPPING)
            self._session.say(f"Stopping {self._run_name}…", Lifetime.TRAINING)
            self._control.stop()

    def finish_work(self) -> str:
        """Stop the training and wait until its run is saved; return what would be lost if the window closed."""
        control = self._control
        if control is not None:
            control.stop(scores_test_set=False)
            ended = self._tasks.wait(STOP_SECONDS)
            problem = control.save_problem if ended else "the training does not end"
            if problem:  # its outcome is still delivered, so that it can be saved elsewhere
                return problem
            self._tasks.cancel()
            self._control = None
            self._set_state(TrainingState.IDLE)
        if self._session.has_unsaved_training:
            return "The network trained last could not be saved in your folder, and has not been saved elsewhere."
        return ""

    def shut_down(self) -> None:
        """End all tasks, and close the dialogs, which Qt would leave open."""
        for dialog in self.findChildren(LearningRateDialog):
            dialog.reject()
        self.form.close_preview()
        self._data_check.give_up()
        super().shut_down()

    def _on_event(self, event: TrainingEvent) -> None:
        if self._control is None:
            return
        match event:
            case Preparing(done, total):
                self.board.prepared(done, total)
                progress = f"{format_count(done)} of {format_count(total)}"
                if self.state is TrainingState.RUNNING:  # otherwise the status already says that it is paused
                    self._session.say(f"Generating {progress} training drawings…", Lifetime.TRAINING)
            case TrainingStart():
                self._forget_result(event.recipe.training.epochs)
                self.running = event.recipe
                self._fill_form(event.recipe)
                self.board.begun(event)
                self._run_name = event.name
                if self.state is TrainingState.RUNNING:
                    self._session.say(f"Training {event.name}…", Lifetime.TRAINING)
            case TrainingReport():
                self.board.reported(event)
            case EpochDone():
                self.board.scored(event)
            case SettingsChanged(change, recipe):
                self._on_changed(change, recipe)
            case ChangeRefused(reason):
                self._session.say(f"Not changed: {reason}")
            case NotSaved(reason):
                self._session.raise_error("The run cannot be saved; training continues", DigitpadError(reason))
        self.progressed.emit(event)

    def _forget_result(self, epochs: int) -> None:
        """Make room for the result of a training that has started; one that cannot start leaves the last result."""
        self.outcome = None
        self._session.set_trained(None, None)
        self.board.clear(epochs)
        self._set_state(self.state)

    def _end_without_result(self) -> None:
        """Return to the last result, if training did not start and there is one."""
        self._control = None
        self.board.end_preparing()
        self._set_state(TrainingState.IDLE if self.outcome is None else TrainingState.DONE)

    def _on_changed(self, change: SettingChange, recipe: Recipe) -> None:
        if self.running is not None and recipe.training.epochs != self.running.training.epochs:
            self.board.set_plan(recipe.training.epochs)
        self.running = recipe
        if not self._changing.isActive():  # else the user is still typing
            self._fill_form(recipe)
        self.board.changed(change)
        step = format_count(change.step + 1)
        self._session.say(f"Changed at step {step}: {describe_change(change)}")

    def _fill_form(self, recipe: Recipe) -> None:
        """Show the recipe in training, without taking it for a change by the user."""
        if self.form.recipe() != recipe:
            self.form.set_recipe(recipe)
            self._changing.stop()

    def _change_running(self) -> None:
        """Change the training to the form's settings, as far as they can change while it runs."""
        recipe = self.form.recipe()
        if self._control is None or self.running is None or recipe is None or not self.busy:
            return
        now, wanted = flattened(self.running.to_dict()), flattened(recipe.to_dict())
        settings = {key: wanted[key] for key in CHANGEABLE if wanted[key] != now[key]}
        if settings:
            self._control.change(settings)

    def _on_finished(self, outcome: TrainingOutcome | None) -> None:
        if self._control is None:
            return
        self.redraw()
        if outcome is None:
            self._end_without_result()
            self._session.say("Stopped before anything was learnt")
            self._settings_changed()
            return
        self._control = None
        self.outcome = outcome
        self._session.set_trained(outcome.weights, outcome.path)
        self._set_state(TrainingState.DONE)
        if outcome.result is not None:
            self.board.show_result(outcome.result)
        where = f"Saved in Model › Runs… as “{outcome.weights.name}”" if outcome.path is not None else "Not saved yet"
        if outcome.problem:
            self._session.say(f"Training ended early. {where}", Lifetime.TRAINING)
            advice = " Model › Runs… can resume it at a lower rate." if outcome.path is not None else ""
            self._show_failure(f"{outcome.problem}. You can use the best network so far.{advice}")
        else:
            self._session.say(f"Training finished. {where}", Lifetime.TRAINING)

    def _on_failed(self, error: Exception) -> None:
        if self._control is None:
            return
        self.redraw()
        self._end_without_result()
        if self.outcome is None:
            self.board.set_left("–")
        self._session.say("Training ended early", Lifetime.TRAINING)
        self._settings_changed()
        memory = "There is not enough memory for this network and batch size."
        self._show_failure(memory if isinstance(error, MemoryError) else error_message(error))

    def _show_failure(self, reason: str) -> None:
        self._session.raise_error("Training couldn't continue", DigitpadError(reason))

    # Showing.

    def _settings_changed(self) -> None:
        """Show empty axes for the planned epochs, with what training will do and how long it takes."""
        if self.busy or not self.board.is_empty:
            return
        recipe = self.form.recipe()
        if recipe is not None:
            self.board.set_plan(recipe.training.epochs, describe(recipe))

    def redraw(self) -> None:
        self.board.draw(counts_down=self.state is TrainingState.RUNNING)
        if self.busy:
            self._session.set_training_share(self.board.share)

    def _set_state(self, state: TrainingState) -> None:
        running = state in (TrainingState.RUNNING, TrainingState.PAUSED)
        self._main.setText({TrainingState.RUNNING: "Pause", TrainingState.PAUSED: "Resume"}.get(state, "Train"))
        self._main.setEnabled(state is not TrainingState.STOPPING)
        # The next step leads: to use what was trained, or else to train.
        set_kind(self._main, "" if state is TrainingState.DONE else "primary")
        self.form.find_rate.setEnabled(not state.is_busy)
        if not state.is_busy:
            self._session.set_training_share(None)
        self._stop.setEnabled(running)
        self._save.setEnabled(self.outcome is not None)
        self.board.set_usable(self.outcome is not None)
        self.form.set_editable(not state.is_busy, besides=CHANGEABLE if running else ())
        if state in (TrainingState.RUNNING, TrainingState.STOPPING):
            self._drawing.start()
        else:
            self._drawing.stop()
        self._session.set_training(state)

    def train_or_pause(self) -> None:
        """Train; during a training, pause or resume."""
        if self.state in (TrainingState.RUNNING, TrainingState.PAUSED):
            self.toggle_pause()
        elif not self.busy:  # a training that is stopping has yet to end
            self.train()

    def _save_network(self) -> None:
        if self.outcome is not None:
            self._session.save_requested.emit(self.outcome.weights)

    # Layout.

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        row.setSpacing(5 * SPACE)
        left = QVBoxLayout()
        left.setSpacing(3 * SPACE)
        left.addWidget(self.form, 1)
        left.addLayout(self._build_buttons())
        row.addLayout(left)
        row.addWidget(self.board, 1)
        self._set_tab_order()

    def _set_tab_order(self) -> None:
        """Let the focus go through the settings, Train and Stop, the charts, and Save as."""
        for first, second in pairwise([self.form.last_stop, self._main, self._stop, *self.board.charts, self._save]):
            self.setTabOrder(first, second)

    def _build_buttons(self) -> QHBoxLayout:
        self._main = named(QPushButton("Train"), "train_button")
        self._main.setToolTip("Train with these settings; during a training, pause and resume (Ctrl+T)")
        self._main.clicked.connect(self.train_or_pause)
        self._stop = named(QPushButton("Stop"), "stop_button")
        self._stop.setToolTip("End now, score the best network on the test set, and keep it (Ctrl+.)")
        self._stop.clicked.connect(self.stop)
        self._save = named(QPushButton("Save as…"), "save_button")
        self._save.setToolTip("Save the trained network to a file")
        self._save.clicked.connect(lambda: self._save_network())
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * SPACE)
        buttons.addWidget(self._main, 1)
        buttons.addWidget(self._stop)
        buttons.addWidget(self._save)
        return buttons


def _at_rate(recipe: Recipe, rate: float) -> Recipe:
    return recipe.with_values({"optimizer.learning_rate": rate})


def describe(recipe: Recipe) -> str:
    """Describe what Train will do, and about how long it takes on this machine."""
    epochs = recipe.training.epochs
    return (
        f"Train runs {epochs} epoch{'s' * (epochs > 1)} of {recipe.summary},\n"
        f"about {_rounded(estimate_seconds(recipe))} with the built-in digits. You can pause and stop at any time."
    )


def _rounded(seconds: float) -> str:
    if seconds < 100:
        return f"{max(1, round(seconds))} s" if seconds < 10 else f"{round(seconds / 5) * 5} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
