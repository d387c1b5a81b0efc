"""The window: menus, tabs, and the weights in use."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QMimeData, QSettings, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeySequence,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from digitpad import __version__, blas, folders
from digitpad.errors import DigitpadError, FileError
from digitpad.gui.draw_tab import DrawTab
from digitpad.gui.file_dialogs import DRAWING_SUFFIXES, DRAWINGS, PNG, SAVED_WEIGHTS, STROKES, WEIGHTS, FileDialogs
from digitpad.gui.later import Later
from digitpad.gui.pictures import picture_of, save_picture, to_rgba
from digitpad.gui.resume_offer import ResumeOffer
from digitpad.gui.theme import Mode, Theme
from digitpad.gui.widgets import ElidedLabel, label, named, percent
from digitpad.gui.worker import Worker
from digitpad.ink.drawing import Drawing
from digitpad.ink.image import is_image, read_image
from digitpad.ink.strokes import CANVAS_PX, LabelledStrokes, Stroke, read_strokes, write_strokes
from digitpad.nn.arrays import Floats
from digitpad.recognizer import Recognizer
from digitpad.weights.exports import export
from digitpad.weights.weights import SHIPPED, Weights, is_own, load_weights

if TYPE_CHECKING:
    from digitpad.gui.data_set_choice import DataSetChoice
    from digitpad.gui.evaluate_tab import EvaluateTab, Export
    from digitpad.gui.foreign_weights import ForeignWeights
    from digitpad.gui.inside.tab import InsideTab
    from digitpad.gui.runs_window import RunsWindow
    from digitpad.gui.train_tab import TrainTab
    from digitpad.gui.training_thread import Outcome
    from digitpad.training.recipe import Recipe
    from digitpad.training.run import Run

DRAW, TRAIN, EVALUATE, INSIDE = range(4)
_TABS = ("Draw", "Train", "Evaluate", "Inside")
_LATER = ("train_tab", "evaluate_tab", "inside.tab", "foreign_weights", "runs_window")
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
        self._train_tab = Later(self._make_train_tab)
        self._evaluate_tab = Later(self._make_evaluate_tab)
        self._inside_tab = Later(self._make_inside_tab)
        self._runs_window = Later(self._make_runs_window)
        self._foreign = Later(self._make_foreign)
        self._data_choices: list[DataSetChoice] = []
        self._tabs = named(QTabBar(), "tab_bar")
        self._pages = QStackedWidget()
        self._status = ElidedLabel("caption", "weights_in_use")
        self._hint = ElidedLabel("caption", "message")
        self.resume_offer = ResumeOffer(settings)
        self.files = FileDialogs(settings, self)
        self._importing = Worker("imports", self)
        self._painted = False
        self._build()
        self._build_menus()
        self._connect()
        self._show_weights()
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
    def inside_tab(self) -> "InsideTab":
        """Where a network is looked into."""
        return self._inside_tab()

    @property
    def runs_window(self) -> "RunsWindow":
        """Where runs are compared."""
        return self._runs_window()

    @property
    def foreign(self) -> "ForeignWeights":
        """The way of other people's weights into the window."""
        return self._foreign()

    @property
    def training(self) -> bool:
        """Whether a training would be lost if the window closed now."""
        return self._train_tab.made is not None and self._train_tab.made.busy

    def _make_train_tab(self) -> "TrainTab":
        from digitpad.gui.train_tab import TrainTab
        from digitpad.training.recipes import all_recipes

        recipes = all_recipes()
        tab = TrainTab(self._theme, recipes, self._pages)
        tab.message.connect(self._say)
        tab.use_requested.connect(self._use_outcome)
        tab.save_requested.connect(lambda outcome: self.save_weights(outcome.weights))
        tab.failed.connect(self._tell_problem)
        tab.state_changed.connect(lambda _: self._training_changed())
        tab.form.show_more(self._settings.value("more_settings") == "true")
        tab.form.more_toggled.connect(lambda more: self._settings.setValue("more_settings", str(more).lower()))
        tab.pin(self.draw_tab.read_now())
        self._share_data(tab.form.data_choice)
        self._pages.addWidget(tab)
        if recipes.problems:
            files = "; ".join(f"{problem.path.name} {problem.problem}" for problem in recipes.problems)
            self._say(f"Not among your recipes: {files}")
        return tab

    def _make_evaluate_tab(self) -> "EvaluateTab":
        from digitpad.gui.evaluate_tab import EvaluateTab

        tab = EvaluateTab(self._theme, self.weights, self._pages)
        tab.message.connect(self._say)
        tab.failed.connect(lambda title, why: self._tell_problem(title, DigitpadError(why)))
        tab.put_requested.connect(self._put_digit)
        tab.export_requested.connect(self._save_export)
        for path in self.recent():
            tab.offer_weights(Path(path))
        tab.pin(self.draw_tab.read_now())
        self._share_data(tab.data_choice)
        tab.data_choice.follow(self.weights)
        self._pages.addWidget(tab)
        return tab

    def _make_inside_tab(self) -> "InsideTab":
        from digitpad.gui.inside.tab import InsideTab

        tab = InsideTab(self._theme, self.draw_tab.pad, self.weights)
        tab.use_requested.connect(self._use_edited)
        tab.save_requested.connect(self.save_weights)
        tab.failed.connect(lambda error: self._tell_problem("This network cannot be looked into", error))
        self._share_data(tab.data_choice)
        tab.data_choice.follow(self.weights)
        self._pages.addWidget(tab)
        return tab

    def _share_data(self, choice: "DataSetChoice") -> None:
        """Offer on one tab what was opened on another, and the other way round."""
        for other in self._data_choices:
            choice.opened.connect(other.offer)
            other.opened.connect(choice.offer)
            for source in other.sources():
                choice.offer(source)
        self._data_choices.append(choice)

    def _make_foreign(self) -> "ForeignWeights":
        from digitpad.gui.foreign_weights import ForeignWeights

        foreign = ForeignWeights(self._settings, self)
        foreign.message.connect(self._say)
        foreign.opened.connect(self._use_foreign)
        foreign.failed.connect(lambda error: self._tell_problem("These weights cannot be used", error))
        return foreign

    def _make_runs_window(self) -> "RunsWindow":
        from digitpad.gui.runs_window import RunsWindow

        window = RunsWindow(self._theme, self._settings, self)
        window.go_on_requested.connect(self.go_on)
        window.use_requested.connect(self._use_weights_of_run)
        window.save_requested.connect(self.save_weights)
        window.duplicate_requested.connect(self._duplicate)
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
        self._show_weights()

    def open_weights(self, path: Path) -> None:
        """Load weights from a file; where that fails, tell why, and keep those in use.

        Our own are used at once; how others are meant is found out first, and asked. What turns out to be a data set is
        offered as that.
        """
        if not is_own(path):
            from digitpad.datasets.readers import is_data_set

            if is_data_set(path):
                self._offer_data(path)
            else:
                self.foreign.open(path)
            return
        try:
            weights = load_weights(path)
        except FileError as error:
            self._tell_problem("These weights cannot be used", error)
            return
        self.use_weights(weights)
        self._remember(path)
        self._say(f"Reading with {path.name}")

    def _use_foreign(self, weights: Weights, path: Path) -> None:
        self.use_weights(weights)
        self._remember(path)

    def save_weights(self, weights: Weights) -> None:
        """Save weights to a file of the user's choice."""
        path = self.files.to_save("Save weights as", SAVED_WEIGHTS, "npz", weights.name)
        if path is not None and self._try("The weights were not saved", lambda: export(weights, path)):
            if path.suffix == ".npz":
                self._remember(path)
            self._say(f"Saved {path.name}")

    # Drawings.

    def open_drawing(self, path: Path) -> None:
        """Put an image, or the first drawing of a strokes file, on the pad."""
        try:
            drawing = first_drawing(path) if path.suffix.lower() == ".jsonl" else Drawing.from_pixels(read_image(path))
        except FileError as error:
            self._tell_problem("This cannot be put on the pad", error)
            return
        self._put(drawing, "Open", f"no ink was found in {path.name}")

    def open_any(self, path: Path) -> None:
        """Whatever the file is: weights are used, ink comes on the pad, and data is trained on or evaluated with."""
        if path.suffix.lower() in DRAWING_SUFFIXES or is_image(path):
            self.open_drawing(path)
        else:
            self.open_weights(path)

    def _offer_data(self, path: Path) -> None:
        box = QMessageBox(QMessageBox.Icon.Question, "digitpad", f"{path.name} is a data set", parent=self)
        box.setObjectName("data_offer")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText("A network can be trained on it, and weights can be evaluated with it.")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        train = box.addButton("Train on it", QMessageBox.ButtonRole.AcceptRole)
        train.setEnabled(not self.training)
        train.clicked.connect(lambda: self._train_on(path))
        box.addButton("Evaluate with it", QMessageBox.ButtonRole.AcceptRole).clicked.connect(
            lambda: self._evaluate_with(path)
        )
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(train)
        box.open()

    def _train_on(self, path: Path) -> None:
        self.show_tab(TRAIN)
        self.train_tab.form.use_data(str(path.resolve()))

    def _evaluate_with(self, path: Path) -> None:
        self.show_tab(EVALUATE)
        self.evaluate_tab.data_choice.set_value(str(path.resolve()))
        self._say(f"{path.name} is the data to evaluate with")

    def copy(self) -> None:
        """Put a picture of the drawing on the clipboard."""
        QGuiApplication.clipboard().setImage(picture_of(self.draw_tab.pad.drawing))

    def paste(self) -> None:
        """Take an image, or a file that was copied, from the clipboard."""
        if not self._take(QGuiApplication.clipboard().mimeData(), "Paste"):
            self._say("The clipboard holds no image")

    def _take(self, mime: QMimeData, text: str) -> bool:
        """Use what was pasted or dropped; whether there was something to use."""
        files = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if files:
            self.open_any(files[0])
        elif mime.hasImage():
            image = mime.imageData()
            if not isinstance(image, QImage) or image.isNull():
                return False
            if max(image.width(), image.height()) > MAX_PASTED_PX:
                keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
                image = image.scaled(MAX_PASTED_PX, MAX_PASTED_PX, keep, smooth)
            self._put(Drawing.from_pixels(to_rgba(image)), text, "no ink was found in the image")
        else:
            return False
        return True

    def _put(self, drawing: Drawing, text: str, nothing: str) -> None:
        if drawing.is_empty:
            self._say(f"The pad is as it was: {nothing}")
            return
        self.show_tab(DRAW)
        self.draw_tab.pad.replace(drawing, text)

    # Asking and telling.

    def _try(self, title: str, action: Callable[[], object]) -> bool:
        try:
            action()
        except DigitpadError as error:
            self._tell_problem(title, error)
            return False
        return True

    def _tell_problem(self, title: str, error: DigitpadError) -> None:
        """What happened, to which file, and what stays as it was; the cause unfolds."""
        problem = f"{error.path.name} {error.problem}" if isinstance(error, FileError) else str(error)
        box = QMessageBox(QMessageBox.Icon.Warning, "digitpad", title, QMessageBox.StandardButton.Ok, self)
        box.setObjectName("problem")
        box.setInformativeText(f"{problem}\n\nThe weights in use and the pad are as they were.")
        box.setTextFormat(Qt.TextFormat.PlainText)
        if isinstance(error, FileError):
            box.setDetailedText(str(error.path))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _say(self, text: str) -> None:
        self._hint.set_text(text)

    def _show_weights(self) -> None:
        accuracy = self.weights.test_accuracy
        whose = f"the {self.weights.data_name}" if self.weights.data_name else "its"
        known = "" if accuracy is None else f" · {percent(accuracy)} on {whose} test set"
        scored = self.weights.about.get("convention_accuracy")  # of other people's, which say nothing of themselves
        if accuracy is None and isinstance(scored, float):
            known = f" · {percent(scored)} of {self.weights.about.get('convention_scored', 'validation digits')}"
        self._status.set_text(f"{self.weights.name}{known}")

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
        self._say(f"Reading with {path.name}")

    def _duplicate(self, recipe: "Recipe") -> None:
        if not self.training:
            self._come_forward(TRAIN)
            self.train_tab.form.set_recipe(recipe)
            self._say(f"The settings of {recipe.name}")

    def _come_forward(self, tab: int) -> None:
        self.show_tab(tab)
        self.raise_()
        self.activateWindow()

    def _make_room(self, offered: object) -> None:
        """While a run is offered, messages have less room, for the weights in use are to be read whole."""
        self._status_row.setStretchFactor(self._hint, 3 if offered is None else 1)

    def _training_changed(self) -> None:
        self._use_action.setEnabled(self.train_tab.outcome is not None)
        if self.training:
            self.resume_offer.withdraw()
        if self._runs_window.made is not None:
            self._runs_window.made.set_training(self.training)

    # What the tabs ask for.

    def _use_outcome(self, outcome: "Outcome") -> None:
        self.use_weights(outcome.weights)
        if outcome.path is not None:
            self._remember(outcome.path)
        self.show_tab(DRAW)
        self._say("The Draw tab reads with what you have just trained")

    def _use_edited(self, weights: Weights) -> None:
        self.use_weights(weights)
        self.show_tab(DRAW)
        self._say("The Draw tab reads with the edited weights")

    def _save_picture(self) -> None:
        path = self.files.to_save("Save the drawing as an image", PNG, "png", "digit.png")
        if path is not None:
            self._try("The image was not saved", lambda: save_picture(self.draw_tab.pad.drawing, path))

    def _save_strokes(self) -> None:
        drawing = self.draw_tab.pad.drawing
        path = self.files.to_save("Save the strokes", STROKES, "jsonl", "digit.jsonl")
        if path is not None:
            line = LabelledStrokes([stroke.points for stroke in drawing.strokes])
            self._try("The strokes were not saved", lambda: write_strokes(path, [line]))

    def _put_digit(self, pixels: NDArray[np.uint8]) -> None:
        self._put(Drawing.from_sample(pixels), "Put an image", "this image has no ink")

    def _save_export(self, export: "Export") -> None:
        path = self.files.to_save(export.title, export.kinds, export.suffix, export.name)
        if path is not None:
            export.write(path)

    def _evaluate(self) -> None:
        self.show_tab(EVALUATE)
        self.evaluate_tab.evaluate_or_stop()

    def show_tab(self, index: int) -> None:
        """Show the tab at that place."""
        self._tabs.setCurrentIndex(index)

    def _tab_changed(self, index: int) -> None:
        self._pages.setCurrentWidget(self._tab(index))
        self._pad_actions.setEnabled(index == DRAW)  # elsewhere, their keys belong to the field that is edited

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
        has_ink = not self.draw_tab.pad.is_empty
        for action in (self._copy_action, self._save_picture_action):
            action.setEnabled(has_ink)
        self._save_strokes_action.setEnabled(self.draw_tab.pad.has_strokes)
        if self._hint.text():
            self._say("")

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
        for name in _TABS:
            place = self._tabs.addTab(name)
            self._tabs.setTabToolTip(place, f"{name} (Ctrl+{place + 1})")
        self._pages.addWidget(self.draw_tab)
        row.addWidget(self._tabs)
        row.addStretch(1)
        column.addWidget(bar)
        column.addWidget(self._pages, 1)
        status = named(QWidget(), "status")
        status.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        status.setFixedHeight(29)
        row = self._status_row = QHBoxLayout(status)
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(24)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._status, 3)
        row.addWidget(self.resume_offer)
        row.addWidget(self._hint, 3)
        row.addWidget(label(f"{blas.threads()} BLAS thread{'s' * (blas.threads() > 1)} · float32", "caption"))
        column.addWidget(status)
        self.setCentralWidget(central)

    def _connect(self) -> None:
        self._tabs.currentChanged.connect(self._tab_changed)
        pad = self.draw_tab.pad
        pad.drawing_changed.connect(self._drawing_changed)
        # A training run follows the digit on the pad from stroke to stroke.
        pad.settled.connect(self._pin)
        self.draw_tab.seen.explains_toggled.connect(lambda why: self._settings.setValue("why", str(why).lower()))
        self.resume_offer.looked.connect(self._make_room)
        self.resume_offer.resume_requested.connect(lambda run: self.go_on(run, {}))
        self._drawing_changed()

    def _action(
        self,
        menu: QMenu,
        text: str,
        slot: Callable[[], object],
        key: QKeySequence | QKeySequence.StandardKey | str | None = None,
    ) -> QAction:
        action = menu.addAction(text)
        if key is not None:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _checked=False: slot())
        return action

    def _build_menus(self) -> None:
        pad, standard = self.draw_tab.pad, QKeySequence.StandardKey
        bar = self.menuBar()
        file = bar.addMenu("&File")
        self._action(file, "&Load weights…", self._ask_weights, "Ctrl+L")
        self._recent_menu = file.addMenu("&Recent weights")
        self._recent_menu.setToolTipsVisible(True)
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        self._action(file, "Save &weights as…", lambda: self.save_weights(self.weights), "Ctrl+Shift+S")
        file.addSeparator()
        self._action(file, "&Open image or strokes…", self._ask_drawing, standard.Open)
        self._save_picture_action = self._action(file, "Save &image…", self._save_picture, standard.Save)
        self._save_strokes_action = self._action(file, "Save &strokes…", self._save_strokes, "Ctrl+Alt+S")
        file.addSeparator()
        self._action(file, "&Quit", self.close, standard.Quit)

        edit = bar.addMenu("&Edit")
        self._pad_actions = QActionGroup(self)
        self._pad_actions.setExclusionPolicy(QActionGroup.ExclusionPolicy.None_)
        for action, key in (
            (pad.undo_stack.createUndoAction(self, "Undo"), standard.Undo),
            (pad.undo_stack.createRedoAction(self, "Redo"), standard.Redo),
        ):
            action.setShortcuts(key)
            edit.addAction(action)
            self._pad_actions.addAction(action)
        edit.addSeparator()
        self._copy_action = self._action(edit, "&Copy", self.copy, standard.Copy)
        self._action(edit, "&Paste", self.paste, standard.Paste)
        edit.addSeparator()
        self._pad_actions.addAction(self._action(edit, "C&lear", pad.clear, "Ctrl+Backspace"))

        view = bar.addMenu("&View")
        for place, name in enumerate(_TABS):
            self._action(view, f"&{name}", partial(self.show_tab, place), f"Ctrl+{place + 1}")
        view.addSeparator()
        theme = view.addMenu("T&heme")
        group = QActionGroup(self)
        self._theme_actions = {}
        for mode, name in ((Mode.SYSTEM, "As the &system"), (Mode.LIGHT, "&Light"), (Mode.DARK, "&Dark")):
            action = self._action(theme, name, partial(self._set_theme, mode))
            action.setCheckable(True)
            group.addAction(action)
            self._theme_actions[mode] = action

        model = bar.addMenu("&Model")
        self._action(model, "T&rain, pause or go on", self._train_or_pause, "Ctrl+T")
        self._action(model, "&Stop training", lambda: self.train_tab.stop(), "Ctrl+.")
        self._action(model, "&Find a learning rate…", self._find_rate, "Ctrl+Shift+F")
        self._action(model, "&Evaluate, or stop evaluating", self._evaluate, "Ctrl+E")
        self._action(model, "Save settings as re&cipe…", self._save_settings)
        model.addSeparator()
        self._action(model, "Use the s&hipped weights", lambda: self.use_weights(load_weights(SHIPPED)))
        self._use_action = self._action(model, "Use what was &trained", self._use_trained, "Ctrl+U")
        self._use_action.setEnabled(False)
        meant = self._action(model, "How these weights are &meant…", lambda: self.foreign.ask_again())
        model.aboutToShow.connect(
            lambda: meant.setEnabled(self._foreign.made is not None and self._foreign.made.can_ask_again)
        )
        model.addSeparator()
        self._action(model, "&Runs…", self.show_runs, "Ctrl+R")
        self._action(model, "&Open the folder of runs", partial(self._open_folder, "runs"))
        self._action(model, "Open the folder of your r&ecipes", partial(self._open_folder, "recipes"))

        help_menu = bar.addMenu("&Help")
        self._action(help_menu, "&Keys", self._show_keys, standard.HelpContents)
        self._action(help_menu, "&About digitpad", self._show_about)

    def _ask_weights(self) -> None:
        if (path := self.files.to_open("Load weights", WEIGHTS)) is not None:
            self.open_weights(path)

    def _ask_drawing(self) -> None:
        if (path := self.files.to_open("Open an image or strokes", DRAWINGS)) is not None:
            self.open_drawing(path)

    def _train_or_pause(self) -> None:
        self.show_tab(TRAIN)
        self.train_tab.train_or_pause()

    def _find_rate(self) -> None:
        self.show_tab(TRAIN)
        self.train_tab.find_rate()

    def _save_settings(self) -> None:
        self.show_tab(TRAIN)
        self.train_tab.save_settings()

    def _use_trained(self) -> None:
        if self.train_tab.outcome is not None:
            self._use_outcome(self.train_tab.outcome)

    def _open_folder(self, name: str) -> None:
        self._try(
            f"There is no folder of {name}",
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folders.made(folders.user_data() / name)))),
        )

    def _show_keys(self) -> None:
        tabs = ", ".join(f"Ctrl+{place + 1} {self._tabs.tabText(place)}" for place in range(self._tabs.count()))
        self._inform(
            "Keys",
            "On the pad: the arrow keys move a pen, Shift makes small steps, Space puts it down and lifts it, "
            "Esc takes the stroke back.\n\n"
            "P pen, E eraser, W why, Ctrl+Z undo, Ctrl+Backspace clear, Ctrl+C and Ctrl+V copy and paste.\n\n"
            "Inside, on the layers: the arrow keys move from unit to unit, with Shift within a map; Space switches a "
            "unit off, Esc lets go. U, S, N, E choose the panel, A and F the picture.\n\n"
            f"{tabs}, Ctrl+T train and pause, Ctrl+. stop, Ctrl+U use what was trained, Ctrl+E evaluate, "
            "R another sample, Ctrl+R runs, Ctrl+L load weights, Ctrl+O open an image or strokes.",
        )

    def _show_about(self) -> None:
        self._try("The folder of your runs cannot be used", folders.user_data)
        self._inform(
            f"digitpad {__version__}",
            "Draw a digit and see what a neural network written in NumPy makes of it.\n\n"
            f"Weights in use: {self.weights.name}. What you train is kept in {folders.user_data_path() / 'runs'}.\n\n"
            "MIT licence. MNIST: Yann LeCun and Corinna Cortes, CC BY-SA 3.0.",
        )

    def _inform(self, title: str, text: str) -> None:
        box = QMessageBox(QMessageBox.Icon.NoIcon, "digitpad", title, QMessageBox.StandardButton.Ok, self)
        box.setInformativeText(text)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

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

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        for name in self.recent():
            path = Path(name)
            action = self._action(self._recent_menu, path.name, partial(self.open_weights, path))
            action.setToolTip(name)
            action.setEnabled(path.exists())
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction("None yet").setEnabled(False)

    def _set_theme(self, mode: Mode) -> None:
        self._theme.set_mode(mode)
        self._settings.setValue("theme", mode.value)

    def _restore(self) -> None:
        chosen = str(self._settings.value("theme", Mode.SYSTEM.value))
        mode = Mode(chosen) if chosen in list(Mode) else Mode.SYSTEM
        self._theme.set_mode(mode)
        self._theme_actions[mode].setChecked(True)
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
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self._take(event.mimeData(), "Drop"):
            event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask while training runs; then stop it and keep what it has learnt."""
        if self.training and not self._agrees_to_stop():
            event.ignore()
            return
        problem = self.end_training()
        if problem and not self._agrees_to_lose(problem):
            event.ignore()
            return
        self.end_threads()
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.sync()
        event.accept()

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
        return self._asks("Training is still running.", question, "Pause and close", "Keep training")

    def _agrees_to_lose(self, problem: str) -> bool:
        question = f"{problem}\n\nClose all the same, and lose what was learnt?"
        return self._asks("The weights could not be saved.", question, "Close and lose them", "Stay")

    def _asks(self, title: str, question: str, yes: str, no: str) -> bool:
        box = QMessageBox(QMessageBox.Icon.Question, "digitpad", title, parent=self)
        box.setObjectName("closing")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(question)
        agreed = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(no, QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(agreed)
        box.exec()
        return box.clickedButton() is agreed


def first_drawing(path: Path) -> Drawing:
    """The first drawing of a strokes file, made to fit the pad where its points lie elsewhere.

    Raises
    ------
    FileError
        If it cannot be read or holds no strokes.
    """
    line = next(read_strokes(path), None)
    if line is None or not line.paths:
        raise FileError(path, "holds no strokes")
    return Drawing(tuple(Stroke(points) for points in fit_to_canvas(line.paths)))


def fit_to_canvas(paths: list[Floats]) -> list[Floats]:
    """The paths as they are if they lie on the canvas, else scaled and moved into its middle."""
    low = min(path.min() for path in paths)
    high = max(path.max() for path in paths)
    if low >= 0 and high <= CANVAS_PX:
        return paths
    lows = [min(path[:, axis].min() for path in paths) for axis in (0, 1)]
    highs = [max(path[:, axis].max() for path in paths) for axis in (0, 1)]
    extent = max(high - low for low, high in zip(lows, highs, strict=True)) or 1.0
    scale = 0.7 * CANVAS_PX / extent
    middle = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    return [(path - middle) * scale + CANVAS_PX / 2 for path in paths]
