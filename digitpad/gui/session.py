"""The state that tabs share: the network in use, the drawing, opened datasets, training, and the status message.

A tab reads the session and follows its signals. Each part of the state changes in one method, which emits one signal.
"""

# Longer than 400 lines: all that tabs share is in one place, with a short method for each change.

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QUndoStack

from digitpad.errors import DigitpadError
from digitpad.gui.corrections import Corrections
from digitpad.gui.preferences import Preferences
from digitpad.gui.tasks.lazy import Lazy
from digitpad.gui.widgets.theme import Mode, Theme
from digitpad.ink.drawing import Drawing
from digitpad.nn.losses import NONE
from digitpad.runs.network_names import is_of_run, network_name
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.recognition.number_reader import NumberReader
    from digitpad.recognition.reading import Reading
    from digitpad.recognition.recognizer import Prediction
    from digitpad.runs.run import Run
    from digitpad.training.recipe import Recipe

UNDO_LIMIT = 500


class TrainingState(Enum):
    """Progress of the training in the window."""

    IDLE = auto()
    RUNNING = auto()
    PAUSED = auto()
    STOPPING = auto()
    DONE = auto()

    @property
    def is_busy(self) -> bool:
        """Whether training progress would be lost if the window closed now."""
        return self in (TrainingState.RUNNING, TrainingState.PAUSED, TrainingState.STOPPING)


class Lifetime(Enum):
    """Event that ends a status message, besides the next message and a new drawing."""

    NETWORK = auto()  # another network is in use
    TRAINING = auto()  # the training changes its state
    EVENT = auto()  # nothing else


class Session(QObject):
    """State that the window and its tabs share.

    Attributes
    ----------
    theme : Theme
    preferences : Preferences
    corrections : Corrections
        My digits, and the memory of them.
    undo_stack : QUndoStack
        Changes of the drawing.
    trained : Weights or None
        Best weights of the last training in this window.
    trained_path : Path or None
        Their file; None while they are saved nowhere.
    network_path : Path or None
        File of the network in use; None for the built-in network, or while it is saved nowhere.
    """

    network_changed = Signal(object)  # Weights
    network_file_used = Signal(object)  # Path of a network that was opened or saved
    network_saved = Signal(object, object)  # Weights, Path
    runs_changed = Signal()  # runs were renamed or moved to the trash, and with them the names of their networks
    drawing_changed = Signal()  # while a stroke is drawn, at every move
    drawing_settled = Signal()  # a stroke has ended, or something was undone, cleared or pasted
    reading_changed = Signal()  # the prediction for the same drawing changed, or another digit of it was selected
    drawing_replaced = Signal(object, str)  # Drawing to show on the pad, and the name of the change for Undo
    dataset_opened = Signal(str)  # name or path
    training_changed = Signal(object)  # TrainingState
    training_progressed = Signal(object)  # share of the steps that are done, 0 to 1; None if nothing is in training
    evaluating_changed = Signal(bool)
    message_changed = Signal(str)
    finger_drawing_changed = Signal(bool)
    wide_pad_changed = Signal(bool)

    # Requests, which a tab or the window carries out.
    page_requested = Signal(str)  # title of a page
    error_raised = Signal(str, object)  # title, DigitpadError
    help_requested = Signal(str)  # name of a help page
    lesson_requested = Signal(object)  # Path of a lesson
    save_requested = Signal(object)  # Weights, to a file of the user's choice
    resume_requested = Signal(object, object)  # Run, and the settings to change
    recipe_requested = Signal(object)  # Recipe to fill the form of the Train tab
    training_data_requested = Signal(str)  # dataset to train on
    evaluation_data_requested = Signal(str)  # dataset to evaluate on
    pad_menu_requested = Signal(object)  # QPoint on the screen

    def __init__(self, theme: Theme, weights: Weights, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.preferences = preferences
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(UNDO_LIMIT)
        self.trained: Weights | None = None
        self.trained_path: Path | None = None
        self._weights = weights
        self.network_path: Path | None = None
        self._reader = self._make_reader(weights)
        self.corrections = Corrections(self)
        self.corrections.set_on(preferences.uses_memory)
        self.corrections.changed.connect(self._remember)
        self.corrections.digits_changed.connect(self._offer_own_digits)
        self.corrections.failed.connect(self.error_raised)
        self._drawing = Lazy(Drawing)
        self._reading: tuple[Drawing, NumberReader, bool, Reading | None] | None = None
        self._selected = 0
        self._kept: tuple[Drawing | None, dict[int, str]] = (None, {})  # drawing, and its items in My digits
        self._datasets: list[str] = []
        self._training = TrainingState.IDLE
        self._training_share: float | None = None
        self._evaluating = False
        self._message, self._lifetime = "", Lifetime.EVENT

    def set_theme(self, mode: Mode) -> None:
        """Set the theme, and save it for the next start."""
        self.theme.set_mode(mode)
        self.preferences.theme = mode

    def set_text_size(self, percent: int) -> None:
        """Set the text size, and save it for the next start."""
        self.theme.set_text_size(percent)
        self.preferences.text_size = self.theme.text_size

    def set_finger_drawing(self, draws: bool) -> None:
        """Set whether fingers draw on a touch screen, and save it for the next start."""
        self.preferences.draws_with_fingers = draws
        self.finger_drawing_changed.emit(draws)

    def set_wide_pad(self, wide: bool) -> None:
        """Make the pad wide, for long numbers, or square, and save it for the next start."""
        self.preferences.has_wide_pad = wide
        self.wide_pad_changed.emit(wide)

    # The network in use.

    @property
    def weights(self) -> Weights:
        """The network in use."""
        return self._weights

    def use_network(self, weights: Weights, path: Path | None = None) -> None:
        """Use this network; ``path`` is its file, if it has one.

        The network of a run is named after the run.
        """
        weights = _named_after_run(weights, path)
        self._weights, self.network_path = weights, path
        self._reader = self._make_reader(weights)
        if self._lifetime is Lifetime.NETWORK:
            self.say("")
        self.corrections.follow(weights)  # first, so that nothing is read with the memory of another network
        self.network_changed.emit(weights)
        if path is not None:
            self.add_network_file(path)

    def follow_runs(self) -> None:
        """Update the names of runs, after some were renamed or moved to the trash."""
        self._weights = _named_after_run(self._weights, self.network_path)
        self.runs_changed.emit()

    def network_files(self) -> list[Path]:
        """Return the network files used last that still exist, the latest first."""
        return [path for path in map(Path, self.preferences.recent_networks) if path.exists()]

    def add_network_file(self, path: Path) -> None:
        """Announce a network file, so that every list of networks has it."""
        self.preferences.add_recent_network(path)
        self.network_file_used.emit(path.resolve())

    def mark_saved(self, weights: Weights, path: Path) -> None:
        """Record that weights were saved to a file."""
        if weights is self.trained and self.trained_path is None:
            self.trained_path = path
        if weights is self._weights:
            self.network_path = path
        self.network_saved.emit(weights, path)
        if path.suffix == ".npz":
            self.add_network_file(path)

    def _make_reader(self, weights: Weights) -> "Lazy[NumberReader]":
        """Return the reader of a network; the first ink imports it, so that the window opens sooner."""

        def make() -> "NumberReader":
            from digitpad.recognition.number_reader import NumberReader

            return NumberReader(weights, self.corrections.memory)

        return Lazy(make)

    # The drawing.

    @property
    def drawing(self) -> Drawing:
        """The drawing on the pad, including the unfinished stroke."""
        return self._drawing()

    def set_drawing(self, make: Callable[[], Drawing]) -> None:
        """Set the drawing after a change on the pad; it is made when first read, because a pen moves more often."""
        self._drawing = Lazy(make)
        self.say("")
        self.drawing_changed.emit()

    def settle_drawing(self) -> None:
        """Announce that a stroke on the pad has ended."""
        self.drawing_settled.emit()

    def put_drawing(self, drawing: Drawing, change: str) -> None:
        """Show another drawing on the pad; ``change`` is its name for Undo."""
        self.drawing_replaced.emit(drawing, change)

    @property
    def reading(self) -> "Reading | None":
        """The digits that the network in use reads in the drawing; None for an empty pad."""
        known, drawing, single = self._reading, self.drawing, self.preferences.reads_single_digit
        if known is None or known[0] is not drawing or known[1] is not self._reader() or known[2] != single:
            reading = self._reader().read(drawing, single=single)
            known = self._reading = drawing, self._reader(), single, reading
            if reading is None or len(reading.items) == 1:
                self._selected = 0
        return known[3]

    @property
    def selected(self) -> int:
        """Index of the item of `reading` that all tabs show; 0 unless there are several."""
        reading = self.reading
        return 0 if reading is None else min(self._selected, len(reading.items) - 1)

    def correct(self, label: int) -> None:
        """Correct the selected item: add it to My digits, and read similar drawings with this label."""
        if self.prediction is not None:
            self._keep(label, is_correction=True)
            name = "not a digit" if label == NONE else f"a {label}"
            self.say(f"Added to My digits as {name}; similar drawings will be read the same way")

    def confirm(self) -> None:
        """Keep the selected item in My digits as the digit that was read."""
        if (prediction := self.prediction) is not None:
            self._keep(prediction.digit, is_correction=False)
            self.say(f"Added to My digits as a {prediction.digit}")

    def _keep(self, label: int, *, is_correction: bool) -> None:
        """Add the selected item to My digits; one that is there already gets the new label."""
        from digitpad.datasets.own_digits.records import CONFIRMATION, CORRECTION, OwnDigit

        prediction, corrections = self.prediction, self.corrections
        assert prediction is not None
        if self.kept_label is not None:
            identifier = self._kept[1][self.selected]
            corrections.edit("Correction", lambda store: store.relabel([identifier], label), stack=self.undo_stack)
            return
        correction = prediction.correction
        read_as = prediction.digit if correction is None else correction.network_digit
        source = CORRECTION if is_correction else CONFIRMATION
        digit = OwnDigit.from_drawing(self.selected_drawing, label, source=source, read_as=read_as)
        kept = self._kept[1] if self._kept[0] is self.drawing else {}
        self._kept = (self.drawing, {**kept, self.selected: digit.id})
        corrections.add([digit], "Correction", self.undo_stack)

    @property
    def kept_label(self) -> int | None:
        """Label with which the selected item was kept in My digits since it was drawn, or None."""
        drawing, kept = self._kept
        if drawing is not self.drawing or self.selected not in kept:
            return None
        identifier = kept[self.selected]
        return next((digit.label for digit in self.corrections.digits if digit.id == identifier), None)

    def set_uses_memory(self, uses: bool) -> None:
        """Let corrections change the answers for similar drawings, or not, from now on and after a restart."""
        self.preferences.uses_memory = uses
        self.corrections.set_on(uses)

    def _remember(self) -> None:
        if self._reader.value is not None:
            self._reader.value.recognizer.memory = self.corrections.memory
        self._reading = None
        self.reading_changed.emit()

    def select(self, index: int) -> None:
        """Show another item of the reading."""
        self._selected = index
        self.reading_changed.emit()

    def set_single_digit(self, single: bool) -> None:
        """Set whether every drawing is read as one digit, instead of as a number, and save it for the next start."""
        self.preferences.reads_single_digit = single
        self.reading_changed.emit()

    @property
    def prediction(self) -> "Prediction | None":
        """The prediction for the selected item of `reading`; None for an empty pad."""
        reading = self.reading
        if reading is None:
            return None
        item = reading.items[self.selected]
        return item.prediction if item.prediction.sure == item.sure else replace(item.prediction, sure=item.sure)

    @property
    def selected_drawing(self) -> Drawing:
        """The part of the drawing that `prediction` is for."""
        reading, drawing = self.reading, self.drawing
        if reading is None or len(reading.items) == 1:
            return drawing
        item = reading.items[self.selected]
        if drawing.image is not None and drawing.image.any():
            return drawing.part(*item.box)
        return Drawing(tuple(drawing.strokes[place] for place in item.wholes))

    def clear_drawing(self) -> None:
        """Empty the pad, which can be undone."""
        self.put_drawing(Drawing(), "Clear")

    # Datasets.

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names and paths of the datasets opened so far."""
        return tuple(self._datasets)

    def open_dataset(self, source: str) -> None:
        """Announce a dataset, so that every list of datasets has it."""
        if source not in self._datasets:
            self._datasets.append(source)
            self.dataset_opened.emit(source)

    def _offer_own_digits(self) -> None:
        """Offer My digits as datasets, once there are some."""
        from digitpad.datasets.own_digits.dataset import (
            MIN_WRITERS,
            OWN,
            OWN_BY_WRITER,
            WITH_MNIST,
            WITH_MNIST_BY_WRITER,
        )

        digits = self.corrections.digits
        sources = [OWN, WITH_MNIST] if any(digit.is_digit for digit in digits) else []
        if len({digit.writer for digit in digits}) >= MIN_WRITERS:
            sources += [OWN_BY_WRITER, WITH_MNIST_BY_WRITER]
        for source in sources:
            self.open_dataset(source)

    # Training and evaluation.

    @property
    def training(self) -> TrainingState:
        """Progress of the training in the window."""
        return self._training

    @property
    def has_unsaved_training(self) -> bool:
        """Whether the trained weights are not saved to a file."""
        return self.trained is not None and self.trained_path is None

    def set_training(self, state: TrainingState) -> None:
        """Set the training state of the window."""
        self._training = state
        if self._lifetime is Lifetime.TRAINING:
            self.say("")
        self.training_changed.emit(state)

    @property
    def training_share(self) -> float | None:
        """Share of the steps of the training that are done, 0 to 1; None if nothing is in training."""
        return self._training_share

    def set_training_share(self, share: float | None) -> None:
        """Set the progress of training."""
        if share != self._training_share:
            self._training_share = share
            self.training_progressed.emit(share)

    def set_trained(self, weights: Weights | None, path: Path | None) -> None:
        """Set the result of training; None drops it."""
        self.trained, self.trained_path = weights, path

    @property
    def evaluating(self) -> bool:
        """Whether an evaluation is running."""
        return self._evaluating

    def set_evaluating(self, evaluating: bool) -> None:
        """Set whether an evaluation is running."""
        if evaluating != self._evaluating:
            self._evaluating = evaluating
            self.evaluating_changed.emit(evaluating)

    # Messages.

    @property
    def message(self) -> str:
        """The status message."""
        return self._message

    def say(self, text: str, lifetime: Lifetime = Lifetime.EVENT) -> None:
        """Show a status message."""
        self._lifetime = lifetime
        if text != self._message:
            self._message = text
            self.message_changed.emit(text)

    def raise_error(self, title: str, error: DigitpadError) -> None:
        """Show an error in a dialog."""
        self.error_raised.emit(title, error)

    # Requests to other tabs.

    def show_page(self, title: str) -> None:
        """Show a page."""
        self.page_requested.emit(title)

    def resume(self, run: "Run", settings: Mapping[str, Any]) -> None:
        """Resume a run in the Train tab with these settings changed, unless training is in progress."""
        if not self._training.is_busy:
            self.show_page("Train")
            self.resume_requested.emit(run, settings)

    def use_recipe(self, recipe: "Recipe") -> None:
        """Show a recipe in the Train tab, unless training is in progress."""
        if not self._training.is_busy:
            self.show_page("Train")
            self.recipe_requested.emit(recipe)

    def show_pad_menu(self, place: QPoint) -> None:
        """Show the commands for the drawing at a place on the screen."""
        self.pad_menu_requested.emit(place)

    def train_on(self, source: str) -> None:
        """Choose a dataset in the Train tab."""
        self.show_page("Train")
        self.training_data_requested.emit(source)

    def evaluate_on(self, source: str) -> None:
        """Choose a dataset in the Evaluate tab."""
        self.show_page("Evaluate")
        self.evaluation_data_requested.emit(source)


def _named_after_run(weights: Weights, path: Path | None) -> Weights:
    """Return a network with the name of the run that its file belongs to, if there is one."""
    if path is None or not is_of_run(path) or weights.name == network_name(path):
        return weights
    return replace(weights, name=network_name(path))
