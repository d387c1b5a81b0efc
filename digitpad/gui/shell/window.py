"""The window: its tabs, what they hand to each other, and the weights in use."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad.errors import DigitpadError, FileError
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.shell.clipboard import PadClipboard
from digitpad.gui.shell.menus import DRAW, EVALUATE, INSIDE, TABS, TRAIN, Menus
from digitpad.gui.shell.resume_banner import ResumeBanner
from digitpad.gui.shell.status_bar import StatusBar
from digitpad.gui.tasks.lazy import Lazy
from digitpad.gui.tasks.worker import Worker
from digitpad.gui.widgets.basics import Tabs, named
from digitpad.gui.widgets.dialogs import confirm, offer_data, show_error
from digitpad.gui.widgets.file_dialogs import DRAWING_SUFFIXES, SAVED_WEIGHTS, FileDialogs, check_openable
from digitpad.gui.widgets.theme import Mode, Theme
from digitpad.ink.drawing import Drawing
from digitpad.ink.image import is_image
from digitpad.recognition.recognizer import Recognizer
from digitpad.weights.exports import export
from digitpad.weights.native_format import Weights, is_own, load_weights

if TYPE_CHECKING:
    from digitpad.gui.data.dataset_choice import DatasetChoice
    from digitpad.gui.evaluate.evaluate_tab import EvaluateTab, Export
    from digitpad.gui.importing.network_import import NetworkImport
    from digitpad.gui.inspect.inspect_tab import InspectTab
    from digitpad.gui.runs.runs_window import RunsWindow
    from digitpad.gui.train.train_tab import TrainTab
    from digitpad.gui.train.training_task import TrainingOutcome
    from digitpad.runs.run import Run
    from digitpad.training.recipe import Recipe

_LATER = (
    "train.train_tab",
    "evaluate.evaluate_tab",
    "inspect.inspect_tab",
    "importing.network_import",
    "runs.runs_window",
)
"""Modules of what is not needed at the start, the likeliest first."""
MAX_RECENT = 8
MAX_PASTED_PX = 480  # a side; more than the pad keeps, and a photograph's pixels would take gigabytes


class Window(QMainWindow):
    """Draw, Train, Evaluate and Inside, and the weights that the Draw tab reads with.

    The Draw tab is what it opens with; all else is imported and built when it is first shown or asked for, as the start
    would take twice as long with it.
    """

    def __init__(self, theme: Theme, weights: Weights, settings: QSettings) -> None:
        super().__init__()
        self._theme = theme
        self._settings = settings
        self.weights = weights
        self.setWindowTitle("digitpad")
        self.setObjectName("window")
        self.setAcceptDrops(True)
        self.setMinimumSize(QSize(960, 640))
        self.draw_tab = DrawTab(theme, Recognizer(weights))
        self._train_tab = Lazy(self._make_train_tab)
        self._evaluate_tab = Lazy(self._make_evaluate_tab)
        self._inside_tab = Lazy(self._make_inside_tab)
        self._runs_window = Lazy(self._make_runs_window)
        self._foreign = Lazy(self._make_foreign)
        self._data_choices: list[DatasetChoice] = []
        self._tabs = named(Tabs(), "tab_bar")
        self._pages = QStackedWidget()
        self._status = StatusBar(settings)
        self.files = FileDialogs(settings, self)
        self.drawings = PadClipboard(self)
        self._importing = Worker("imports", self)
        self._painted = False
        self._build()
        self._menus = Menus(self)
        self._connect()
        self._status.show_weights(weights)
        self._restore()
        self.draw_tab.pad.setFocus()

    # What is made when it is first wanted.

    @property
    def train_tab(self) -> "TrainTab":
        """Where networks are trained."""
        return self._train_tab()

    @property
    def evaluate_tab(self) -> "EvaluateTab":
        """Where weights are scored."""
        return self._evaluate_tab()

    @property
    def inside_tab(self) -> "InspectTab":
        """Where a network is looked into."""
        return self._inside_tab()

    @property
    def runs_window(self) -> "RunsWindow":
        """Where runs are compared."""
        return self._runs_window()

    @property
    def foreign(self) -> "NetworkImport":
        """The way of other people's weights into the window."""
        return self._foreign()

    @property
    def resume_offer(self) -> ResumeBanner:
        """The offer to go on with a run."""
        return self._status.offer

    @property
    def can_ask_what_is_meant(self) -> bool:
        """Whether the weights in use are other people's, so that how they are meant can be chosen anew."""
        return self._foreign.made is not None and self._foreign.made.can_ask_again

    @property
    def training(self) -> bool:
        """Whether a training would be lost if the window closed now."""
        return self._train_tab.made is not None and self._train_tab.made.busy

    def _make_train_tab(self) -> "TrainTab":
        from digitpad.gui.train.train_tab import TrainTab
        from digitpad.training.recipe_library import all_recipes

        tab = TrainTab(self._theme, all_recipes(), self._pages)
        tab.message.connect(self.say)
        tab.use_requested.connect(self._use_outcome)
        tab.save_requested.connect(lambda outcome: self.save_weights(outcome.weights))
        tab.failed.connect(self.show_error)
        tab.state_changed.connect(lambda _: self._training_changed())
        tab.form.show_more(self._settings.value("more_settings") == "true")
        tab.form.more_toggled.connect(lambda more: self._settings.setValue("more_settings", str(more).lower()))
        tab.pin(self.draw_tab.read_now())
        self._share_data(tab.form.data_choice)
        self._pages.addWidget(tab)
        return tab

    def _make_evaluate_tab(self) -> "EvaluateTab":
        from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
        from digitpad.gui.importing.import_preferences import ImportPreferences

        tab = EvaluateTab(self._theme, self.weights, ImportPreferences(self._settings).weights, self._pages)
        tab.message.connect(self.say)
        tab.failed.connect(lambda title, why: self.show_error(title, DigitpadError(why)))
        tab.put_requested.connect(
            lambda pixels: self.drawings.put(Drawing.from_sample(pixels), "Put an image", "this image has no ink")
        )
        tab.export_requested.connect(self._save_export)
        for path in self.recent():
            tab.offer_weights(Path(path))
        tab.pin(self.draw_tab.read_now())
        self._share_data(tab.data_choice)
        tab.data_choice.follow(self.weights)
        self._pages.addWidget(tab)
        return tab

    def _make_inside_tab(self) -> "InspectTab":
        from digitpad.gui.inspect.inspect_tab import InspectTab

        tab = InspectTab(self._theme, self.draw_tab.pad, self.weights)
        tab.use_requested.connect(self._use_edited)
        tab.save_requested.connect(self.save_weights)
        tab.failed.connect(lambda error: self.show_error("This network cannot be looked into", error))
        self._share_data(tab.data_choice)
        tab.data_choice.follow(self.weights)
        self._pages.addWidget(tab)
        return tab

    def _share_data(self, choice: "DatasetChoice") -> None:
        """Offer on one tab what was opened on another, and the other way round."""
        for other in self._data_choices:
            choice.opened.connect(other.offer)
            other.opened.connect(choice.offer)
            for source in other.sources():
                choice.offer(source)
        self._data_choices.append(choice)

    def _make_foreign(self) -> "NetworkImport":
        from digitpad.gui.importing.network_import import NetworkImport

        foreign = NetworkImport(self._settings, self)
        foreign.message.connect(self.say)
        foreign.opened.connect(self._use_foreign)
        foreign.is_data.connect(self._offer_data)
        foreign.failed.connect(lambda error: self.show_error("These weights cannot be used", error))
        return foreign

    def _make_runs_window(self) -> "RunsWindow":
        from digitpad.gui.runs.runs_window import RunsWindow

        window = RunsWindow(self._theme, self._settings, self)
        window.menu.go_on_requested.connect(self.go_on)
        window.menu.use_requested.connect(self._use_weights_of_run)
        window.menu.save_requested.connect(self.save_weights)
        window.menu.duplicate_requested.connect(self._duplicate)
        return window

    # Weights.

    def use_weights(self, weights: Weights) -> None:
        """Read with these from now on."""
        if self._foreign.made is not None:
            self._foreign.made.forget()
        self.weights = weights
        self.draw_tab.set_recognizer(Recognizer(weights))
        for tab in (self._evaluate_tab.made, self._inside_tab.made):
            if tab is not None:
                tab.set_weights(weights)
        self._status.show_weights(weights)

    def open_weights(self, path: Path) -> None:
        """Load weights from a file; where that fails, tell why, and keep those in use.

        Our own are used at once; how others are meant is found out first, and asked. What turns out to be a data set is
        offered as that.
        """
        if not self.try_to("These weights cannot be used", lambda: check_openable(path)):
            return
        if not is_own(path):
            self.foreign.open(path)
            return
        try:
            weights = load_weights(path)
        except FileError as error:
            self.show_error("These weights cannot be used", error)
            return
        self.use_weights(weights)
        self._remember(path)
        self.say(f"Reading with {path.name}")

    def _use_foreign(self, weights: Weights, path: Path) -> None:
        self.use_weights(weights)
        self._remember(path)

    def save_weights(self, weights: Weights) -> None:
        """Save weights to a file of the user's choice."""
        path = self.files.to_save("Save weights as", SAVED_WEIGHTS, "npz", weights.name)
        if path is not None and self.try_to("The weights were not saved", lambda: export(weights, path)):
            if path.suffix == ".npz":
                self._remember(path)
                if self._train_tab.made is not None:
                    self._train_tab.made.saved(weights, path)
            self.say(f"Saved {path.name}")

    # Drawings.

    def open_any(self, path: Path) -> None:
        """Whatever the file is: weights are used, ink comes on the pad, and data is trained on or evaluated with."""
        if path.suffix.lower() in DRAWING_SUFFIXES or is_image(path):
            self.drawings.open(path)
        else:
            self.open_weights(path)

    def _offer_data(self, path: Path) -> None:
        train = None if self.training else lambda: self._train_on(path)
        offer_data(self, path, train, lambda: self._evaluate_with(path))

    def _train_on(self, path: Path) -> None:
        self.show_tab(TRAIN)
        self.train_tab.form.use_data(str(path.resolve()))

    def _evaluate_with(self, path: Path) -> None:
        self.show_tab(EVALUATE)
        self.evaluate_tab.data_choice.open_set(str(path.resolve()))
        self.say(f"{path.name} is the data to evaluate with")

    # Asking and telling.

    def try_to(self, title: str, action: Callable[[], object]) -> bool:
        """Do it; where that fails, tell why under this title. Whether it was done."""
        try:
            action()
        except DigitpadError as error:
            self.show_error(title, error)
            return False
        return True

    def show_error(self, title: str, error: DigitpadError) -> None:
        """Tell why something could not be done."""
        show_error(self, title, error, "The weights in use and the pad are as they were.")

    def say(self, text: str) -> None:
        """Tell of what was done, in the line at the foot."""
        self._status.say(text)

    # Runs.

    def show_runs(self) -> None:
        """Show the window of runs, beside this one."""
        self.runs_window.set_training(self.training)
        self.runs_window.show()
        self.runs_window.raise_()
        self.runs_window.activateWindow()

    def go_on(self, run: "Run", settings: Mapping[str, Any]) -> None:
        """Go on with a run in the Train tab, with these settings changed, unless something is in training."""
        if not self.training:
            self._come_forward(TRAIN)
            self.train_tab.go_on(run, settings)

    def end_reading(self) -> None:
        """Wait for the end of the threads that look at runs; nothing looks at them any more."""
        self.resume_offer.shut_down()
        if self._runs_window.made is not None:
            self._runs_window.made.shut_down()

    def _use_weights_of_run(self, weights: Weights, path: Path) -> None:
        self.use_weights(weights)
        self._remember(path)
        self._come_forward(DRAW)
        self.say(f"Reading with {path.name}")

    def _duplicate(self, recipe: "Recipe") -> None:
        if not self.training:
            self._come_forward(TRAIN)
            self.train_tab.form.set_recipe(recipe)
            self.say(f"The settings of {recipe.name}")

    def _come_forward(self, tab: int) -> None:
        self.show_tab(tab)
        self.raise_()
        self.activateWindow()

    def _training_changed(self) -> None:
        self._menus.set_trained(self.train_tab.outcome is not None)
        if self.training:
            self.resume_offer.withdraw()
        if self._runs_window.made is not None:
            self._runs_window.made.set_training(self.training)

    # What the tabs ask for.

    def use_trained(self) -> None:
        """Read with what was trained last, if something was."""
        if self._train_tab.made is not None and self._train_tab.made.outcome is not None:
            self._use_outcome(self._train_tab.made.outcome)

    def _use_outcome(self, outcome: "TrainingOutcome") -> None:
        self.use_weights(outcome.weights)
        if outcome.path is not None:
            self._remember(outcome.path)
        self.show_tab(DRAW)
        self.say("The Draw tab reads with what you have just trained")

    def _use_edited(self, weights: Weights) -> None:
        self.use_weights(weights)
        self.show_tab(DRAW)
        self.say("The Draw tab reads with the edited weights")

    def _save_export(self, export: "Export") -> None:
        path = self.files.to_save(export.title, export.kinds, export.suffix, export.name)
        if path is not None:
            export.write(path)

    def show_tab(self, index: int) -> None:
        """Show the tab at that place."""
        self._tabs.setCurrentIndex(index)

    def _tab_changed(self, index: int) -> None:
        self._pages.setCurrentWidget(self._tab(index))
        self._menus.set_tab(index)

    def _tab(self, index: int) -> QWidget:
        if index == TRAIN:
            return self.train_tab
        if index == EVALUATE:
            return self.evaluate_tab
        return self.inside_tab if index == INSIDE else self.draw_tab

    def _pin(self) -> None:
        prediction = self.draw_tab.read_now()
        for tab in (self._train_tab.made, self._evaluate_tab.made):
            if tab is not None:
                tab.pin(prediction)

    def _drawing_changed(self) -> None:
        pad = self.draw_tab.pad
        self._menus.set_pad(has_ink=not pad.is_empty, has_strokes=pad.has_strokes)
        self.say("")

    # Building.

    def _build(self) -> None:
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        bar = named(QWidget(), "tabs")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 0, 20, 0)
        self._tabs.setExpanding(False)
        self._tabs.setUsesScrollButtons(False)
        self._tabs.setAccessibleName("Tabs")
        for name in TABS:
            place = self._tabs.addTab(name)
            self._tabs.setTabToolTip(place, f"{name} (Ctrl+{place + 1})")
        self._pages.addWidget(self.draw_tab)
        row.addWidget(self._tabs)
        row.addStretch(1)
        column.addWidget(bar)
        column.addWidget(self._pages, 1)
        column.addWidget(self._status)
        self.setCentralWidget(central)

    def _connect(self) -> None:
        self._tabs.currentChanged.connect(self._tab_changed)
        pad = self.draw_tab.pad
        pad.drawing_changed.connect(self._drawing_changed)
        # A training run follows the digit on the pad from stroke to stroke.
        pad.settled.connect(self._pin)
        self.draw_tab.seen.explains_toggled.connect(lambda why: self._settings.setValue("why", str(why).lower()))
        self.resume_offer.resume_requested.connect(lambda run: self.go_on(run, {}))
        self._drawing_changed()

    # What is remembered between sessions.

    def _remember(self, path: Path) -> None:
        kept = [str(path.resolve()), *(one for one in self.recent() if one != str(path.resolve()))]
        self._settings.setValue("recent_weights", kept[:MAX_RECENT])
        if self._evaluate_tab.made is not None:
            self._evaluate_tab.made.offer_weights(path.resolve())

    def recent(self) -> list[str]:
        """Weights files last used, the latest first."""
        value = self._settings.value("recent_weights", [])
        # A list of one comes back from the file as its element.
        kept = value if isinstance(value, list) else [value]
        return [one for one in kept if isinstance(one, str)]

    def set_theme(self, mode: Mode) -> None:
        """Show light or dark colours from now on, and the next time."""
        self._theme.set_mode(mode)
        self._settings.setValue("theme", mode.value)

    def _restore(self) -> None:
        chosen = str(self._settings.value("theme", Mode.SYSTEM.value))
        mode = Mode(chosen) if chosen in list(Mode) else Mode.SYSTEM
        self._theme.set_mode(mode)
        self._menus.set_mode(mode)
        self.draw_tab.seen.set_explains(self._settings.value("why") == "true")
        geometry = self._settings.value("geometry")
        if not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)):
            self.resize(1120, 800)

    def _import_later(self) -> None:
        """Have ready what the other tabs are made of, so that they are there at once when they are clicked."""
        # In a thread, for the pen: of what takes 100 ms and more, it waits for a millisecond at a time.
        self._importing.do(
            "import",
            lambda: [import_module(f"digitpad.gui.{name}") for name in _LATER],
            lambda _: self.resume_offer.look(),
            lambda _: None,  # what cannot be imported tells why when it is wanted
        )

    # Overrides of Qt's.

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self._import_later)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.drawings.can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self.drawings.take(event.mimeData(), "Drop"):
            event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask while training runs; then stop it and keep what it has learnt."""
        if self.training and not self._agrees_to_stop():
            event.ignore()
            return
        problem = self.end_training() or self._unsaved()
        if problem and not self._agrees_to_lose(problem):
            event.ignore()
            return
        self.end_threads()
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.sync()
        event.accept()

    def _unsaved(self) -> str:
        """What would be lost though it was trained to its end, if so."""
        unsaved = self._train_tab.made is not None and self._train_tab.made.unsaved
        return "What was trained last could not be kept in your folder, and has not been saved elsewhere." * unsaved

    def end_training(self) -> str:
        """Pause a training, so that it can go on another time; why what was learnt could not be kept, if so."""
        return "" if self._train_tab.made is None else self._train_tab.made.shut_down()

    def end_threads(self) -> None:
        """End all that is under way but training."""
        self._importing.close()
        for part in (self._evaluate_tab.made, self._inside_tab.made, self._foreign.made):
            if part is not None:
                part.shut_down()
        if self._train_tab.made is not None:
            self._train_tab.made.end_threads()
        self.end_reading()

    def _agrees_to_stop(self) -> bool:
        question = "Pause it and close? It can go on from where it is when you are back."
        return confirm(self, "Training is still running.", question, "Pause and close", "Keep training")

    def _agrees_to_lose(self, problem: str) -> bool:
        question = f"{problem}\n\nClose all the same, and lose what was learnt?"
        return confirm(self, "The weights could not be saved.", question, "Close and lose them", "Stay")
