"""The menu bar: all that can be done, and by which key."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QActionGroup, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QMenu

from digitpad import __version__
from digitpad.gui.widgets.dialogs import show_information
from digitpad.gui.widgets.file_dialogs import DRAWINGS, WEIGHTS
from digitpad.gui.widgets.menu_utils import add_action
from digitpad.gui.widgets.theme import Mode
from digitpad.system import user_folders
from digitpad.weights.native_format import SHIPPED, load_weights

if TYPE_CHECKING:
    from digitpad.gui.shell.window import Window

DRAW, TRAIN, EVALUATE, INSIDE = range(4)
TABS = ("Draw", "Train", "Evaluate", "Inside")


class Menus(QObject):
    """Fills a window's menu bar, and says what can be done at the moment."""

    def __init__(self, window: "Window") -> None:
        super().__init__(window)
        self._window = window
        self._pad_actions = QActionGroup(self)
        self._pad_actions.setExclusionPolicy(QActionGroup.ExclusionPolicy.None_)
        self._build_file()
        self._build_edit()
        self._build_view()
        self._build_model()
        self._build_help()

    def set_tab(self, index: int) -> None:
        """Another tab shows; beside the Draw tab, the pad's keys belong to the field that is edited."""
        self._pad_actions.setEnabled(index == DRAW)

    def set_pad(self, *, has_ink: bool, has_strokes: bool) -> None:
        """What there is on the pad."""
        for action in (self._copy_action, self._save_picture_action):
            action.setEnabled(has_ink)
        self._save_strokes_action.setEnabled(has_strokes)

    def set_trained(self, trained: bool) -> None:
        """Whether there is something that was trained, and not thrown away."""
        self._use_action.setEnabled(trained)

    def set_mode(self, mode: Mode) -> None:
        """Which theme is chosen."""
        self._theme_actions[mode].setChecked(True)

    # Building.

    def _menu(self, text: str) -> QMenu:
        return self._window.menuBar().addMenu(text)

    def _build_file(self) -> None:
        window, standard, file = self._window, QKeySequence.StandardKey, self._menu("&File")
        add_action(file, "&Load weights…", self._ask_weights, "Ctrl+L")
        self._recent_menu = file.addMenu("&Recent weights")
        self._recent_menu.setToolTipsVisible(True)
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        add_action(file, "Save &weights as…", lambda: window.save_weights(window.weights), "Ctrl+Shift+S")
        file.addSeparator()
        add_action(file, "&Open image or strokes…", self._ask_drawing, standard.Open)
        self._save_picture_action = add_action(file, "Save &image…", window.drawings.save_picture, standard.Save)
        self._save_strokes_action = add_action(file, "Save &strokes…", window.drawings.save_strokes, "Ctrl+Alt+S")
        file.addSeparator()
        add_action(file, "&Quit", window.close, standard.Quit)

    def _build_edit(self) -> None:
        window, standard, edit = self._window, QKeySequence.StandardKey, self._menu("&Edit")
        pad = window.draw_tab.pad
        for action, key in (
            (pad.undo_stack.createUndoAction(window, "Undo"), standard.Undo),
            (pad.undo_stack.createRedoAction(window, "Redo"), standard.Redo),
        ):
            action.setShortcuts(key)
            edit.addAction(action)
            self._pad_actions.addAction(action)
        edit.addSeparator()
        self._copy_action = add_action(edit, "&Copy", window.drawings.copy, standard.Copy)
        add_action(edit, "&Paste", window.drawings.paste, standard.Paste)
        edit.addSeparator()
        self._pad_actions.addAction(add_action(edit, "C&lear", pad.clear, "Ctrl+Backspace"))

    def _build_view(self) -> None:
        window, view = self._window, self._menu("&View")
        for place, name in enumerate(TABS):
            add_action(view, f"&{name}", partial(window.show_tab, place), f"Ctrl+{place + 1}")
        view.addSeparator()
        theme = view.addMenu("T&heme")
        group = QActionGroup(self)
        self._theme_actions = {}
        for mode, name in ((Mode.SYSTEM, "As the &system"), (Mode.LIGHT, "&Light"), (Mode.DARK, "&Dark")):
            action = add_action(theme, name, partial(window.set_theme, mode))
            action.setCheckable(True)
            group.addAction(action)
            self._theme_actions[mode] = action

    def _build_model(self) -> None:
        window, model = self._window, self._menu("&Model")
        add_action(model, "T&rain, pause or go on", self._train_or_pause, "Ctrl+T")
        add_action(model, "&Stop training", lambda: window.train_tab.stop(), "Ctrl+.")
        add_action(model, "&Find a learning rate…", self._find_rate, "Ctrl+Shift+F")
        add_action(model, "&Evaluate, or stop evaluating", self._evaluate, "Ctrl+E")
        add_action(model, "Save settings as re&cipe…", self._save_settings)
        model.addSeparator()
        add_action(model, "Use the s&hipped weights", lambda: window.use_weights(load_weights(SHIPPED)))
        self._use_action = add_action(model, "Use what was &trained", window.use_trained, "Ctrl+U")
        self._use_action.setEnabled(False)
        meant = add_action(model, "How these weights are &meant…", lambda: window.foreign.ask_again())
        model.aboutToShow.connect(lambda: meant.setEnabled(window.can_ask_what_is_meant))
        model.addSeparator()
        add_action(model, "&Runs…", window.show_runs, "Ctrl+R")
        add_action(model, "&Open the folder of runs", partial(self._open_folder, "runs"))
        add_action(model, "Open the folder of your r&ecipes", partial(self._open_folder, "recipes"))

    def _build_help(self) -> None:
        help_menu = self._menu("&Help")
        add_action(help_menu, "&Keys", self._show_keys, QKeySequence.StandardKey.HelpContents)
        add_action(help_menu, "&About digitpad", self._show_about)

    # What is done on another tab is seen there.

    def _train_or_pause(self) -> None:
        self._window.show_tab(TRAIN)
        self._window.train_tab.train_or_pause()

    def _find_rate(self) -> None:
        self._window.show_tab(TRAIN)
        self._window.train_tab.find_rate()

    def _save_settings(self) -> None:
        self._window.show_tab(TRAIN)
        self._window.train_tab.save_settings()

    def _evaluate(self) -> None:
        self._window.show_tab(EVALUATE)
        self._window.evaluate_tab.evaluate_or_stop()

    # Files and folders.

    def _ask_weights(self) -> None:
        if (path := self._window.files.to_open("Load weights", WEIGHTS)) is not None:
            self._window.open_weights(path)

    def _ask_drawing(self) -> None:
        if (path := self._window.files.to_open("Open an image or strokes", DRAWINGS)) is not None:
            self._window.drawings.open(path)

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        for name in self._window.recent():
            path = Path(name)
            action = add_action(self._recent_menu, path.name, partial(self._window.open_weights, path))
            action.setToolTip(name)
            action.setEnabled(path.exists())
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction("None yet").setEnabled(False)

    def _open_folder(self, name: str) -> None:
        self._window.try_to(
            f"There is no folder of {name}",
            lambda: QDesktopServices.openUrl(
                QUrl.fromLocalFile(str(user_folders.ensure_folder(user_folders.user_data() / name)))
            ),
        )

    # Help.

    def _show_keys(self) -> None:
        tabs = ", ".join(f"Ctrl+{place + 1} {name}" for place, name in enumerate(TABS))
        show_information(
            self._window,
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
        self._window.try_to("The folder of your runs cannot be used", user_folders.user_data)
        show_information(
            self._window,
            f"digitpad {__version__}",
            "Draw a digit and see what a neural network written in NumPy makes of it.\n\n"
            f"Weights in use: {self._window.weights.name}. "
            f"What you train is kept in {user_folders.user_data_path() / 'runs'}.\n\n"
            "MIT licence. MNIST: Yann LeCun and Corinna Cortes, CC BY-SA 3.0.",
        )
