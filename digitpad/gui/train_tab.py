"""The Train tab: settings on the left, and on the right how training goes, with curves that grow as it does."""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad.classes import DIGITS
from digitpad.errors import DigitpadError, FileError
from digitpad.gui.image_grid import ImageGrid
from digitpad.gui.loss_trace import LossTrace
from digitpad.gui.moments import Moment, Moments, Scrubber
from digitpad.gui.rate_dialog import RateDialog
from digitpad.gui.recipe_dialog import RecipeDialog
from digitpad.gui.seen import PixelView
from digitpad.gui.segments import Segments
from digitpad.gui.settings_form import SettingsForm
from digitpad.gui.theme import Theme
from digitpad.gui.throttle import Throttle
from digitpad.gui.training_thread import Outcome, Report, Start, TrainingThread
from digitpad.gui.widgets import SPACE, ElidedLabel, Tile, card, label, named, percent
from digitpad.gui.worker import Worker
from digitpad.recognizer import Prediction
from digitpad.training.comparison import clock
from digitpad.training.estimate import estimate_seconds
from digitpad.training.hints import hints
from digitpad.training.loop import CHANGEABLE, Change, EpochDone
from digitpad.training.ranges import flattened
from digitpad.training.recipe import Recipe
from digitpad.training.recipes import Recipes, all_recipes, is_kept, save_recipe
from digitpad.training.run import Run

if TYPE_CHECKING:
    from digitpad.gui.plots import Curves, Series

DRAW_INTERVAL_MS = 100
CHANGE_AFTER_MS = 700
PLAN_INTERVAL_MS = 150  # an estimate and a full draw take longer than a key should


class State(Enum):
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
        self._state = State.IDLE
        self._thread: TrainingThread | None = None
        self._pinned: Prediction | None = None
        self.outcome: Outcome | None = None
        self._losses = LossTrace()
        self._moments = Moments()
        self._running: Recipe | None = None  # what trains now, with its changes
        self._changes: list[Change] = []
        self._epochs: list[EpochDone] = []
        self._steps_per_epoch = 1
        self._latest: Report | None = None
        self._class_names = DIGITS
        self._loss_curves: Curves | None = None
        self._accuracy_curves: Curves | None = None
        self._importing = Worker("plots", self)
        self.form = SettingsForm(theme, recipes, self)
        self._tiles = {
            name: Tile(title, f"tile_{name}")
            for name, title in (
                ("epoch", "Epoch"),
                ("loss", "Training loss"),
                ("accuracy", "Validation accuracy"),
                ("speed", "Images / second"),
                ("left", "Time left"),
            )
        }
        self._progress = named(QProgressBar(textVisible=False), "training_progress")
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
        self._set_state(State.IDLE)

    @property
    def state(self) -> State:
        """Where the training is."""
        return self._state

    @property
    def busy(self) -> bool:
        """Whether a training would be lost if the window closed now."""
        return self._state in (State.RUNNING, State.PAUSED, State.STOPPING)

    def pin(self, prediction: Prediction | None) -> None:
        """The digit on the pad, which the network in training reads as it learns; None for an empty pad."""
        self._pinned = prediction
        self._moments.forget_answers()
        self._seen.set_prediction(prediction)
        self._scrubber.set_moments(self._moments)
        self._pinned_answer.setText("")
        self._pinned_text.setText(
            "Draw a digit to watch it being read here." if prediction is None else "Your digit, as training goes"
        )
        if self._thread is not None:
            self._thread.pin(None if prediction is None else prediction.image)

    def train(self) -> None:
        """Begin a training by the form's settings, if they can be."""
        recipe = self.form.recipe()
        if recipe is None:
            self.form.focus_first_problem()
            return
        self._begin(TrainingThread(recipe, self))

    def go_on(self, run: Run, settings: Mapping[str, Any] | None = None) -> None:
        """Go on with a run from its last checkpoint, with these settings changed, by their dotted keys."""
        assert not self.busy
        self.form.set_recipe(run.recipe)
        self._begin(TrainingThread(run.recipe, self, resumed=run, settings=settings))

    def find_rate(self) -> None:
        """Try all learning rates by the form's settings, and suggest one."""
        recipe = self.form.recipe()
        if recipe is None:
            self.form.focus_first_problem()
        elif not self.busy:
            dialog = RateDialog(self._theme, recipe, self)
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
        self._importing.close()
        for dialog in self.findChildren(RateDialog):
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
        self._clear_figures(recipe)
        self._plan(recipe.training.epochs)
        self.pin(self._pinned)
        self._set_state(State.RUNNING)
        self.message.emit(f"Training {recipe.name}…")
        thread.start()

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        assert self._thread is not None
        if self._state is State.RUNNING:
            self._thread.pause()
            self._set_state(State.PAUSED)
            self._draw()
            self._tiles["left"].set_value("Paused")
        else:
            self._thread.resume()
            self._set_state(State.RUNNING)

    def stop(self) -> None:
        """End the training where it is; what it has learnt is scored and kept."""
        if self._thread is not None and self._state in (State.RUNNING, State.PAUSED):
            self._set_state(State.STOPPING)
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
            self._set_state(State.IDLE)
        return problem

    # What the training's thread reports.

    def _on_preparing(self, made: int, total: int) -> None:
        self._progress.setRange(0, total)
        self._progress.setValue(made)
        self.message.emit(f"Making {made:,} of {total:,} drawings to train on…")

    def _on_started(self, start: Start) -> None:
        epochs = start.recipe.training.epochs
        self._running = start.recipe
        self._fill_form(start.recipe)
        self._changes = list(start.history.changes)
        self._steps_per_epoch = start.steps_per_epoch
        self._losses = LossTrace(start.steps_per_epoch)
        self._losses.extend(start.history.losses)
        self._epochs = list(start.history.epochs)
        self._plan(epochs)
        self._progress.setRange(0, start.steps_per_epoch * epochs)
        self._progress.setValue(len(self._losses))
        self.message.emit(f"Training {start.name}…")

    def _on_reported(self, report: Report) -> None:
        self._losses.extend(report.losses)
        self._latest = report
        is_pinned = self._pinned is not None and report.pinned is self._pinned.image
        self._moments.add(Moment(report.step, report.answer if is_pinned else None, report.seen.weights))
        self._class_names = report.class_names

    def _on_epoch_done(self, epoch: EpochDone) -> None:
        self._epochs.append(epoch)

    def _on_changed(self, change: Change, recipe: Recipe) -> None:
        if self._running is not None and recipe.training.epochs != self._running.training.epochs:
            self._plan(recipe.training.epochs)
            self._progress.setMaximum(self._steps_per_epoch * recipe.training.epochs)
        self._running = recipe
        if not self._changing.isActive():  # else the user has gone on writing
            self._fill_form(recipe)
        self._changes.append(change)
        self._draw_changes()
        self.message.emit(f"From step {change.step + 1:,} on: {in_words(change)}")

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

    def _on_finished(self, outcome: Outcome | None) -> None:
        if self._thread is None:
            return
        self._draw()
        self._join()
        self.outcome = outcome
        self._set_state(State.DONE if outcome is not None else State.IDLE)
        if outcome is None:
            self.message.emit("Stopped before anything was learnt.")
            self._settings_changed()
            return
        if outcome.result is not None:
            self._tiles["left"].set_value(percent(outcome.result.test.accuracy, 2), "Test accuracy")
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
        self._set_state(State.IDLE)
        self._tiles["left"].set_value("–")
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
        if self.busy or self._epochs:
            return
        recipe = self.form.recipe()
        if recipe is not None:
            self._plan(recipe.training.epochs, describe(recipe))

    def _plan(self, epochs: int, hint: str = "") -> None:
        if self._loss_curves is not None and self._accuracy_curves is not None:
            self._loss_curves.set_plan(epochs, hint)
            self._accuracy_curves.set_plan(epochs)

    def _clear_figures(self, recipe: Recipe) -> None:
        self.outcome = None
        self._losses = LossTrace()
        self._epochs.clear()
        self._moments = Moments()
        self._changes.clear()
        self._latest = None
        self._progress.setValue(0)
        for tile in self._tiles.values():
            tile.set_value("–")
        self._tiles["left"].set_value("–", "Time left")
        self._tiles["epoch"].set_value(f"0 / {recipe.training.epochs}")

    def _draw(self) -> None:
        """Show the latest figures; called ten times a second while training."""
        report = self._latest
        if report is not None:
            epochs = report.n_steps // self._steps_per_epoch
            epoch = min(epochs, -(-report.step // self._steps_per_epoch))
            self._tiles["epoch"].set_value(f"{epoch} / {epochs}")
            self._tiles["loss"].set_value(f"{self._losses.recent_mean:.4f}")
            self._tiles["speed"].set_value(f"{report.images_per_second:,.0f}".replace(",", "\N{THIN SPACE}"))
            if self._state is State.RUNNING and report.seconds_left is not None:
                self._tiles["left"].set_value(clock(report.seconds_left))
            self._progress.setValue(report.step)
        self._draw_hint()
        if self._epochs:
            self._tiles["accuracy"].set_value(percent(self._epochs[-1].validation.accuracy, 2))
        self._scrubber.set_moments(self._moments)
        self._draw_moment()
        self._draw_curves()

    def _draw_moment(self) -> None:
        """What there is to see now, or at the moment that was gone back to."""
        moment = self._scrubber.moment
        if moment is not None and moment.answer is not None:
            digit = int(np.argmax(moment.answer))
            text = f"{self._class_names[digit]} · {percent(moment.answer[digit])}"
            metrics, room_px = self._pinned_answer.fontMetrics(), self._pinned_answer.width()
            self._pinned_answer.setText(metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room_px))
        if moment is not None:
            self._weights_grid.set_images(moment.weights)
        if self._latest is not None:
            self._batch_grid.set_images(self._latest.seen.batch)
        if self._pinned is not None:
            at = (
                f"Your digit at step {moment.step:,}"
                if self._scrubber.is_back and moment
                else "Your digit, as training goes"
            )
            self._pinned_text.setText(at)

    def _draw_curves(self) -> None:
        if self._loss_curves is None or self._accuracy_curves is None or not self._epochs or not self.isVisible():
            return
        from digitpad.gui.plots import Series

        self._draw_changes()
        x = np.array([epoch.step for epoch in self._epochs]) / self._steps_per_epoch
        steps, losses = self._losses.points()
        raw = Series(steps / self._steps_per_epoch, losses)

        def series(part: str, score: str) -> "Series":
            return Series(x, np.array([getattr(getattr(epoch, part), score) for epoch in self._epochs]))

        self._loss_curves.set_series(raw, series("training", "loss"), series("validation", "loss"))
        best = max(epoch.validation.accuracy for epoch in self._epochs)
        self._accuracy_curves.set_series(
            None, series("training", "accuracy"), series("validation", "accuracy"), best if len(x) > 1 else None
        )

    def _draw_changes(self) -> None:
        if self._loss_curves is not None:
            self._loss_curves.set_marks(
                [(change.step / self._steps_per_epoch, in_words(change)) for change in self._changes]
            )

    def _draw_hint(self) -> None:
        dead = 0.0 if self._latest is None else self._latest.dead
        found = hints(self._losses.points()[1], self._epochs, dead, len(self._class_names))
        self._hint.set_text(found[0] if found else "")

    def _set_state(self, state: State) -> None:
        self._state = state
        running = state in (State.RUNNING, State.PAUSED)
        self._main.setText({State.RUNNING: "Pause", State.PAUSED: "Go on"}.get(state, "Train"))
        self._main.setEnabled(state is not State.STOPPING)
        self._stop.setEnabled(running)
        self._save.setEnabled(self.outcome is not None)
        self._use.setVisible(self.outcome is not None)
        self.form.set_editable(not self.busy, besides=CHANGEABLE if running else ())
        if state in (State.RUNNING, State.STOPPING):
            self._drawing.start()
        else:
            self._drawing.stop()
        self.state_changed.emit(state)

    def train_or_pause(self) -> None:
        """Train; while it trains, pause, and go on."""
        if self._state in (State.RUNNING, State.PAUSED):
            self.toggle_pause()
        elif not self.busy:  # while it stops, there is nothing to begin yet
            self.train()

    def _import_plots(self) -> None:
        """Import matplotlib when a plot is first shown, and no earlier; in a thread, for it takes a while."""
        self._importing.do(
            "plots",
            partial(import_module, "digitpad.gui.plots"),
            self._add_curves,
            partial(self.failed.emit, "There can be no curves"),
        )

    def _add_curves(self, plots: Any) -> None:
        """Put the axes into their cards, and in them what there is to be seen by now."""
        if self._loss_curves is not None:
            return
        self._loss_curves = plots.Curves(self._theme, "loss_curves", logarithmic=True)
        self._accuracy_curves = plots.Curves(self._theme, "accuracy_curves", logarithmic=False)
        self._loss_room.addWidget(self._loss_curves, 1)
        self._accuracy_room.addWidget(self._accuracy_curves, 1)
        if self._running is not None:
            self._plan(self._running.training.epochs)
        self._settings_changed()
        self._draw_curves()

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
        right = QVBoxLayout()
        right.setSpacing(3 * SPACE + 2)
        tiles = QHBoxLayout()
        tiles.setSpacing(3 * SPACE)
        for tile in self._tiles.values():
            tile.setFixedHeight(66)
            tiles.addWidget(tile, 1)
        right.addLayout(tiles)
        self._progress.setFixedHeight(5)
        self._progress.setAccessibleName("Training progress")
        right.addWidget(self._progress)
        right.addWidget(self._build_loss(), 1)
        right.addWidget(self._build_views(), 1)
        right.addWidget(self._build_pinned())
        row.addLayout(right, 1)

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

    def _plot_card(self, name: str, heading: QWidget) -> tuple[QFrame, QVBoxLayout, QWidget]:
        """A card with a heading and, to be shown or not, what the colours mean; and where its content goes."""
        frame = card(name)
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        keys = QWidget()
        row = QHBoxLayout(keys)
        row.setContentsMargins(0, 0, 0, 0)
        for words, colour in (("training", "accent"), ("validation", "second")):
            row.addWidget(_Key(self._theme, words, colour))
        top = QHBoxLayout()
        top.addWidget(heading)
        top.addStretch(1)
        top.addWidget(keys)
        column.addLayout(top)
        return frame, column, keys

    def _build_loss(self) -> QWidget:
        heading = QWidget()
        row = QHBoxLayout(heading)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * SPACE)
        row.addWidget(label("Loss", "heading"))
        self._hint = ElidedLabel("caption", "training_hint")
        row.addWidget(self._hint, 1)
        heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        frame, column, _ = self._plot_card("loss_card", heading)
        room, self._loss_room = _room()
        column.addWidget(room, 1)
        return frame

    def _build_views(self) -> QWidget:
        """The card below the loss: accuracy, or a look at the first layer, or at what the network is shown."""
        self._views = Segments(("Accuracy", "First layer", "Batch"), "views", "What is shown below the loss")
        frame, column, keys = self._plot_card("accuracy_card", self._views)
        accuracy, self._accuracy_room = _room()
        self._weights_grid = ImageGrid(self._theme, "weights_grid", "Weights of the first layer", signed=True)
        self._batch_grid = ImageGrid(self._theme, "batch_grid", "Digits as the network saw them last")
        self._pages = QStackedWidget()
        for page in (accuracy, self._weights_grid, self._batch_grid):
            self._pages.addWidget(page)
        self._views.chosen.connect(self._pages.setCurrentIndex)
        self._views.chosen.connect(lambda place: keys.setVisible(place == 0))
        column.addWidget(self._pages, 1)
        return frame

    def _build_pinned(self) -> QWidget:
        frame = card("pinned_card")
        frame.setFixedHeight(66)
        row = QHBoxLayout(frame)
        row.setContentsMargins(4 * SPACE, 2 * SPACE, 4 * SPACE, 2 * SPACE)
        row.setSpacing(4 * SPACE)
        self._seen = PixelView(self._theme, 44)
        self._seen.setObjectName("pinned_seen")
        self._pinned_text = label("", "soft")
        self._scrubber = Scrubber(self._theme)
        self._scrubber.moved.connect(self._draw_moment)
        self._pinned_answer = label("", "strong", "pinned_answer")
        self._pinned_answer.setFixedWidth(86)
        self._use = named(QPushButton("Use it"), "use_button")
        self._use.setProperty("kind", "primary")
        self._use.setToolTip("The Draw tab reads with these weights from now on (Ctrl+U)")
        self._use.clicked.connect(lambda: self.use_requested.emit(self.outcome))
        row.addWidget(self._seen)
        row.addWidget(self._pinned_text)
        self._pinned_text.setFixedWidth(
            self._pinned_text.fontMetrics().horizontalAdvance("Your digit at step 1,000,000")
        )
        self._pinned_text.setWordWrap(True)
        row.addWidget(self._scrubber, 1)
        row.addWidget(self._pinned_answer)
        row.addWidget(self._use)
        self.pin(None)
        return frame

    # Overrides of Qt's.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._loss_curves is None:
            QTimer.singleShot(0, self, self._import_plots)  # once the tab has been painted
        self._draw_curves()


class _Key(QWidget):
    """A line's colour and name."""

    def __init__(self, theme: Theme, words: str, colour: str) -> None:
        super().__init__()
        self._theme, self._words, self._colour = theme, words, colour
        self.setFixedSize(self.fontMetrics().horizontalAdvance(words) + 34, 18)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(getattr(self._theme.tokens, self._colour)), 2))
        painter.drawLine(QPointF(4, 9), QPointF(18, 9))
        painter.setPen(QColor(self._theme.tokens.soft))
        painter.drawText(self.rect().adjusted(24, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._words)
        painter.end()


def _room() -> tuple[QWidget, QVBoxLayout]:
    """A place that curves are put into once they can be drawn; nothing else moves then."""
    room = QWidget()
    layout = QVBoxLayout(room)
    layout.setContentsMargins(0, 0, 0, 0)
    return room, layout


def _at_rate(recipe: Recipe, rate: float) -> Recipe:
    return recipe.with_values({"optimizer.learning_rate": rate})


def in_words(change: Change) -> str:
    """What changed, as in ``learning rate 0.01, rotate 5``."""
    return ", ".join(
        f"{key.partition('.')[2].removesuffix('_deg').removesuffix('_px').replace('_', ' ')} {value:g}"
        for key, value in change.settings.items()
    )


def describe(recipe: Recipe) -> str:
    """What pressing Train will do, and about how long it takes on this machine."""
    return (
        f"Train runs {recipe.training.epochs} epochs of {recipe.summary},\n"
        f"about {_rounded(estimate_seconds(recipe))} with the built-in digits. You can pause and stop at any time."
    )


def _rounded(seconds: float) -> str:
    if seconds < 100:
        return f"{max(1, round(seconds))} s" if seconds < 10 else f"{round(seconds / 5) * 5} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
