"""The window: menus, tabs, and the weights in use."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QMimeData, QSettings, QSize, Qt, QUrl
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
)
from PySide6.QtWidgets import (
    QFileDialog,
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
from digitpad.datasets.readers import is_data_set
from digitpad.errors import DigitpadError, FileError
from digitpad.gui.data_set_choice import DataSetChoice
from digitpad.gui.draw_tab import DrawTab
from digitpad.gui.evaluate_tab import EvaluateTab, Export
from digitpad.gui.foreign_weights import FILTER as ANY_WEIGHTS_FILTER
from digitpad.gui.foreign_weights import ForeignWeights
from digitpad.gui.inside.tab import InsideTab
from digitpad.gui.pictures import picture_of, save_picture, to_rgba
from digitpad.gui.rate_dialog import RateDialog
from digitpad.gui.recipe_dialog import RecipeDialog
from digitpad.gui.resume_offer import ResumeOffer
from digitpad.gui.runs_window import RunsWindow
from digitpad.gui.theme import Mode, Theme
from digitpad.gui.train_tab import TrainTab
from digitpad.gui.training_thread import Outcome
from digitpad.gui.widgets import ElidedLabel, label, named, percent
from digitpad.ink.drawing import Drawing
from digitpad.ink.image import is_image, read_image
from digitpad.ink.strokes import CANVAS_PX, LabelledStrokes, Stroke, read_strokes, write_strokes
from digitpad.nn.arrays import Floats
from digitpad.opening import is_own
from digitpad.recognizer import Recognizer
from digitpad.training.recipe import Recipe
from digitpad.training.recipes import Recipes, all_recipes, is_kept, save_recipe
from digitpad.training.run import Run
from digitpad.weights.exports import export
from digitpad.weights.weights import SHIPPED, Weights, load_weights

MAX_RECENT = 8
MAX_PASTED_PX = 480  # a side; more than the pad keeps, and a photograph's pixels would take gigabytes
WEIGHTS_FILTER = (
    "digitpad weights (*.npz);;safetensors (*.safetensors);;ONNX (*.onnx);;Python, with NumPy alone (*.py);;"
    "JSON (*.json);;Pickle (*.pkl)"
)
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
INK_FILTER = f"Images and strokes ({' '.join(f'*{suffix}' for suffix in IMAGE_SUFFIXES)} *.jsonl)"
STROKES_FILTER = "Strokes (*.jsonl)"
PNG_FILTER = "PNG image (*.png)"


class Window(QMainWindow):
    """Draw, Train and Evaluate, and the weights that the Draw tab reads with."""

    def __init__(self, theme: Theme, weights: Weights, recipes: Recipes, settings: QSettings) -> None:
        super().__init__()
        self._theme = theme
        self._settings = settings
        self.weights = weights
        self.setWindowTitle("digitpad")
        self.setObjectName("window")
        self.setAcceptDrops(True)
        self.setMinimumSize(QSize(960, 640))
        self.draw_tab = DrawTab(theme, Recognizer(weights))
        self.train_tab = TrainTab(theme, recipes)
        self.evaluate_tab = EvaluateTab(theme, weights)
        self.inside_tab = InsideTab(theme, self.draw_tab.pad, weights)
        self.foreign = ForeignWeights(settings, self)
        self._tabs = named(QTabBar(), "tab_bar")
        self._pages = QStackedWidget()
        self._status = ElidedLabel("caption", "weights_in_use")
        self._hint = ElidedLabel("caption", "message")
        self.resume_offer = ResumeOffer(settings, self)
        self.runs_window: RunsWindow | None = None  # made when it is first wanted
        self._build()
        self._build_menus()
        self._connect()
        self._show_weights()
        self._restore()
        self._tell_of_broken(recipes.problems)
        self.draw_tab.pad.setFocus()

    # Weights.

    def use_weights(self, weights: Weights) -> None:
        """Read with these from now on."""
        self.foreign.forget()
        self.weights = weights
        self.draw_tab.set_recognizer(Recognizer(weights))
        self.evaluate_tab.set_weights(weights)
        self.inside_tab.set_weights(weights)
        self._show_weights()

    def open_weights(self, path: Path) -> None:
        """Load weights from a file; where that fails, tell why, and keep those in use.

        Our own are used at once; how others are meant is found out first, and asked. What turns out to be a data set is
        offered as that.
        """
        if is_data_set(path):
            self._offer_data(path)
            return
        if not is_own(path):
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
        path = self._ask_where("Save weights as", WEIGHTS_FILTER, "npz", weights.name)
        if path is not None and self._try("The weights were not saved", lambda: export(weights, path)):
            if path.suffix == ".npz":
                self._remember(path)
            self._say(f"Saved {path.name}")

    # Recipes.

    def save_settings(self) -> None:
        """Ask under which name the form's settings are to be kept as a recipe, and keep them."""
        form = self.train_tab.form
        recipe = form.recipe()
        if recipe is None:
            self.show_tab(1)
            form.focus_first_problem()
            self._say("Not saved: a setting is wrong")
            return
        shipped, own, preset = form.recipes.shipped, form.recipes.own, form.preset
        dialog = RecipeDialog(
            preset if preset in own else f"my {preset or 'recipe'}",
            recipe.description,
            lambda name: name in own or is_kept(name),
            lambda name: "It comes before the shipped recipe of this name." if name in shipped else "",
            self,
        )
        dialog.accepted.connect(
            lambda: self._keep(
                dataclasses.replace(recipe, name=dialog.name, description=dialog.description), dialog.replaces
            )
        )
        dialog.open()

    def _keep(self, recipe: Recipe, replace: bool) -> None:
        def keep() -> None:
            path = save_recipe(recipe, replace=replace)
            form = self.train_tab.form
            form.set_recipes(all_recipes())
            if form.recipe() is not None and not self.train_tab.busy:
                form.set_recipe(recipe)
            self._say(f"Saved {path.name} among your recipes")

        self._try("The recipe was not saved", keep)

    def _tell_of_broken(self, problems: list[FileError]) -> None:
        if problems:
            files = "; ".join(f"{problem.path.name} {problem.problem}" for problem in problems)
            self._say(f"Not among your recipes: {files}")

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
        if path.suffix.lower() in (*IMAGE_SUFFIXES, ".jsonl") or is_image(path):
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
        train.setEnabled(not self.train_tab.busy)
        train.clicked.connect(lambda: self._train_on(path))
        box.addButton("Evaluate with it", QMessageBox.ButtonRole.AcceptRole).clicked.connect(
            lambda: self._evaluate_with(path)
        )
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(train)
        box.open()

    def _train_on(self, path: Path) -> None:
        self.show_tab(1)
        self.train_tab.form.use_data(str(path.resolve()))

    def _evaluate_with(self, path: Path) -> None:
        self.show_tab(2)
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
        self.show_tab(0)
        self.draw_tab.pad.replace(drawing, text)

    # Asking and telling.

    def _ask_where(self, title: str, kinds: str, suffix: str, name: str) -> Path | None:
        """A file to write, whose replacement the dialog has asked about; None where the user thought better of it."""
        dialog = QFileDialog(self, title, str(self._last_folder() / name), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(kind.rpartition("*.")[2].rstrip(")")))
        dialog.selectFile(name)
        if not dialog.exec():
            return None
        path = Path(dialog.selectedFiles()[0])
        self._settings.setValue("folder", str(path.parent))
        return path

    def _ask_which(self, title: str, kinds: str) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self, title, str(self._last_folder()), kinds)
        if not name:
            return None
        self._settings.setValue("folder", str(Path(name).parent))
        return Path(name)

    def _last_folder(self) -> Path:
        name = str(self._settings.value("folder", ""))
        return Path(name) if name and Path(name).is_dir() else Path.home()

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
        if self.runs_window is None:
            self.runs_window = RunsWindow(self._theme, self._settings, self)
            self.runs_window.go_on_requested.connect(self.go_on)
            self.runs_window.use_requested.connect(self._use_weights_of_run)
            self.runs_window.save_requested.connect(self.save_weights)
            self.runs_window.duplicate_requested.connect(self._duplicate)
        self.runs_window.set_training(self.train_tab.busy)
        self.runs_window.show()
        self.runs_window.raise_()
        self.runs_window.activateWindow()

    def go_on(self, run: Run, settings: Mapping[str, Any]) -> None:
        """Go on with a run in the Train tab, with these settings changed, unless something is in training."""
        if not self.train_tab.busy:
            self._come_forward(1)
            self.train_tab.go_on(run, settings)

    def end_reading(self) -> None:
        """Wait for the end of the threads that look at runs; nothing looks at them any more."""
        self.resume_offer.shut_down()
        if self.runs_window is not None:
            self.runs_window.shut_down()

    def _use_weights_of_run(self, weights: Weights, path: Path) -> None:
        self.use_weights(weights)
        self._remember(path)
        self._come_forward(0)
        self._say(f"Reading with {path.name}")

    def _duplicate(self, recipe: Recipe) -> None:
        if not self.train_tab.busy:
            self._come_forward(1)
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
        if self.train_tab.busy:
            self.resume_offer.withdraw()
        if self.runs_window is not None:
            self.runs_window.set_training(self.train_tab.busy)

    # What the tabs ask for.

    def _use_outcome(self, outcome: Outcome) -> None:
        self.use_weights(outcome.weights)
        if outcome.path is not None:
            self._remember(outcome.path)
        self.show_tab(0)
        self._say("The Draw tab reads with what you have just trained")

    def _use_edited(self, weights: Weights) -> None:
        self.use_weights(weights)
        self.show_tab(0)
        self._say("The Draw tab reads with the edited weights")

    def _save_picture(self) -> None:
        path = self._ask_where("Save the drawing as an image", PNG_FILTER, "png", "digit.png")
        if path is not None:
            self._try("The image was not saved", lambda: save_picture(self.draw_tab.pad.drawing, path))

    def _save_strokes(self) -> None:
        drawing = self.draw_tab.pad.drawing
        path = self._ask_where("Save the strokes", STROKES_FILTER, "jsonl", "digit.jsonl")
        if path is not None:
            line = LabelledStrokes([stroke.points for stroke in drawing.strokes])
            self._try("The strokes were not saved", lambda: write_strokes(path, [line]))

    def _put_digit(self, pixels: NDArray[np.uint8]) -> None:
        self._put(Drawing.from_sample(pixels), "Put an image", "this image has no ink")

    def _save_export(self, export: Export) -> None:
        path = self._ask_where(export.title, export.kinds, export.suffix, export.name)
        if path is not None:
            export.write(path)

    def _evaluate(self) -> None:
        self.show_tab(2)
        self.evaluate_tab.evaluate_or_stop()

    def show_tab(self, index: int) -> None:
        """Show the tab at that place."""
        self._tabs.setCurrentIndex(index)

    def _tab_changed(self, index: int) -> None:
        self._pages.setCurrentIndex(index)
        self._pad_actions.setEnabled(index == 0)  # elsewhere, their keys belong to the field that is edited

    def _pin(self) -> None:
        prediction = self.draw_tab.read_now()
        self.train_tab.pin(prediction)
        self.evaluate_tab.pin(prediction)

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
        for name, page in (
            ("Draw", self.draw_tab),
            ("Train", self.train_tab),
            ("Evaluate", self.evaluate_tab),
            ("Inside", self.inside_tab),
        ):
            place = self._tabs.addTab(name)
            self._tabs.setTabToolTip(place, f"{name} (Ctrl+{place + 1})")
            self._pages.addWidget(page)
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
        self.train_tab.use_requested.connect(self._use_outcome)
        form = self.train_tab.form
        form.save_requested.connect(self.save_settings)
        form.more_toggled.connect(lambda more: self._settings.setValue("more_settings", str(more).lower()))
        self.train_tab.save_requested.connect(lambda outcome: self.save_weights(outcome.weights))
        self.train_tab.message.connect(self._say)
        self.foreign.message.connect(self._say)
        self.foreign.opened.connect(self._use_foreign)
        self.foreign.failed.connect(lambda error: self._tell_problem("These weights cannot be used", error))
        self.train_tab.failed.connect(lambda why: self._tell_problem("Training could not go on", DigitpadError(why)))
        self.train_tab.not_saved.connect(
            lambda why: self._tell_problem("What is learnt cannot be kept; training goes on", DigitpadError(why))
        )
        evaluate = self.evaluate_tab
        evaluate.message.connect(self._say)
        evaluate.failed.connect(lambda title, why: self._tell_problem(title, DigitpadError(why)))
        evaluate.put_requested.connect(self._put_digit)
        evaluate.export_requested.connect(self._save_export)
        choices = self.findChildren(DataSetChoice)
        for choice in choices:  # what is opened on one tab is offered on all
            for other in choices:
                choice.opened.connect(other.offer)
        self.train_tab.state_changed.connect(self._training_changed)
        self.resume_offer.looked.connect(self._make_room)
        self.resume_offer.resume_requested.connect(lambda run: self.go_on(run, {}))
        self.inside_tab.use_requested.connect(self._use_edited)
        self.inside_tab.save_requested.connect(self.save_weights)
        self.inside_tab.failed.connect(lambda error: self._tell_problem("This network cannot be looked into", error))
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
        for place, name in enumerate(("&Draw", "&Train", "&Evaluate", "&Inside")):
            self._action(view, name, partial(self.show_tab, place), f"Ctrl+{place + 1}")
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
        self._action(model, "&Stop training", self.train_tab.stop, "Ctrl+.")
        self._action(model, "&Find a learning rate…", self._find_rate, "Ctrl+Shift+F")
        self._action(model, "&Evaluate, or stop evaluating", self._evaluate, "Ctrl+E")
        self._action(model, "Save settings as re&cipe…", self.save_settings)
        model.addSeparator()
        self._action(model, "Use the s&hipped weights", lambda: self.use_weights(load_weights(SHIPPED)))
        self._use_action = self._action(model, "Use what was &trained", self._use_trained, "Ctrl+U")
        self._use_action.setEnabled(False)
        self.train_tab.state_changed.connect(lambda _: self._use_action.setEnabled(self.train_tab.outcome is not None))
        meant = self._action(model, "How these weights are &meant…", self.foreign.ask_again)
        model.aboutToShow.connect(lambda: meant.setEnabled(self.foreign.can_ask_again))
        model.addSeparator()
        self._action(model, "&Runs…", self.show_runs, "Ctrl+R")
        self._action(model, "&Open the folder of runs", partial(self._open_folder, "runs"))
        self._action(model, "Open the folder of your r&ecipes", partial(self._open_folder, "recipes"))

        help_menu = bar.addMenu("&Help")
        self._action(help_menu, "&Keys", self._show_keys, standard.HelpContents)
        self._action(help_menu, "&About digitpad", self._show_about)

    def _ask_weights(self) -> None:
        if (path := self._ask_which("Load weights", ANY_WEIGHTS_FILTER)) is not None:
            self.open_weights(path)

    def _ask_drawing(self) -> None:
        if (path := self._ask_which("Open an image or strokes", INK_FILTER)) is not None:
            self.open_drawing(path)

    def _train_or_pause(self) -> None:
        self.show_tab(1)
        self.train_tab.train_or_pause()

    def _find_rate(self) -> None:
        self.show_tab(1)
        self.train_tab.find_rate()

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
        self.evaluate_tab.offer_weights(path.resolve())

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
        self.train_tab.form.show_more(self._settings.value("more_settings") == "true")
        self.draw_tab.seen.set_explains(self._settings.value("why") == "true")
        geometry = self._settings.value("geometry")
        if not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)):
            self.resize(1120, 800)

    # Overrides of Qt's.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self._take(event.mimeData(), "Drop"):
            event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask while training runs; then stop it and keep what it has learnt."""
        if self.train_tab.busy and not self._agrees_to_stop():
            event.ignore()
            return
        problem = self.train_tab.shut_down()
        if problem and not self._agrees_to_lose(problem):
            event.ignore()
            return
        self.end_threads()
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.sync()
        event.accept()

    def end_threads(self) -> None:
        """End all that is under way but training."""
        self.evaluate_tab.shut_down()
        self.end_reading()
        self.inside_tab.shut_down()
        self.foreign.shut_down()
        for dialog in self.findChildren(RateDialog):
            dialog.reject()
        self.train_tab.form.close_preview()  # Qt leaves it open, and the program with it

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
