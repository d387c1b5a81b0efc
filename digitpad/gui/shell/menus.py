"""The menu bar: every command and its shortcut."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QMenu

from digitpad.errors import DigitpadError
from digitpad.gui.pages import Command
from digitpad.gui.widgets.basics import named
from digitpad.gui.widgets.menu_utils import add_action
from digitpad.gui.widgets.theme import Mode
from digitpad.runs.network_names import network_name
from digitpad.system import user_folders

if TYPE_CHECKING:
    from digitpad.gui.shell.window import Window

TEXT_STEP = 10  # percent


class Menus(QObject):
    """Menu bar of a window; it enables the commands that are possible at the moment."""

    def __init__(self, window: "Window") -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._pad_menu = named(QMenu(window), "pad_menu")
        self._pad_actions = QActionGroup(self)
        self._pad_actions.setExclusionPolicy(QActionGroup.ExclusionPolicy.None_)
        self._commands: list[tuple[QAction, Command]] = []
        self._theme_actions: dict[Mode, QAction] = {}
        self._build_file()
        self._build_edit()
        self._build_view()
        self._build_model()
        self._build_help()
        for signal in (self._session.training_changed, self._session.evaluating_changed):
            signal.connect(self._update_commands)
        self._session.drawing_settled.connect(self._update_drawing)
        self._session.pad_menu_requested.connect(self._pad_menu.popup)
        self._session.theme.changed.connect(self._follow_theme)
        self._update_commands()
        self._update_drawing()

    def show_page(self, index: int) -> None:
        """Enable the shortcuts of the pad only on the Draw tab, because text fields use the same keys."""
        self._pad_actions.setEnabled(index == 0)

    def _update_drawing(self) -> None:
        drawing = self._session.drawing
        for action in (self._copy_action, self._save_picture_action):
            action.setEnabled(not drawing.is_empty)
        self._save_strokes_action.setEnabled(bool(drawing.strokes))

    def _update_commands(self) -> None:
        self._use_action.setEnabled(self._session.trained is not None)
        for action, command in self._commands:
            action.setText(command.text(self._session))

    # Building.

    def _menu(self, text: str) -> QMenu:
        return self._window.menuBar().addMenu(text)

    def _build_file(self) -> None:
        window, standard, file = self._window, QKeySequence.StandardKey, self._menu("&File")
        networks, clipboard = window.networks, window.clipboard
        add_action(file, "Open &network…", networks.ask_and_open, "Ctrl+L")
        self._recent_menu = file.addMenu("&Recent networks")
        self._recent_menu.setToolTipsVisible(True)
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        add_action(file, "Save net&work as…", lambda: networks.save(self._session.weights), "Ctrl+Shift+S")
        file.addSeparator()
        self._open_action = add_action(file, "&Open image or strokes…", clipboard.ask_and_open, standard.Open)
        self._crop_action = add_action(file, "C&rop picture…", clipboard.pictures.crop)
        self._crop_action.setEnabled(False)
        clipboard.pictures.opened.connect(lambda: self._crop_action.setEnabled(True))
        self._save_picture_action = add_action(file, "Save &image…", clipboard.save_picture, standard.Save)
        self._save_strokes_action = add_action(file, "Save &strokes…", clipboard.save_strokes, "Ctrl+Alt+S")
        file.addSeparator()
        add_action(file, "&Quit", window.close, standard.Quit)

    def _build_edit(self) -> None:
        window, standard, edit = self._window, QKeySequence.StandardKey, self._menu("&Edit")
        stack = self._session.undo_stack
        for action, key in (
            (stack.createUndoAction(window, "Undo"), standard.Undo),
            (stack.createRedoAction(window, "Redo"), standard.Redo),
        ):
            action.setShortcuts(key)
            edit.addAction(action)
            self._pad_actions.addAction(action)
        edit.addSeparator()
        self._copy_action = add_action(edit, "&Copy", window.clipboard.copy, standard.Copy)
        add_action(edit, "&Paste", window.clipboard.paste, standard.Paste)
        edit.addSeparator()
        self._pad_actions.addAction(add_action(edit, "C&lear", self._session.clear_drawing, "Ctrl+Backspace"))
        self._pad_menu.addActions(edit.actions())
        self._pad_menu.addSeparator()
        self._pad_menu.addActions(
            [self._open_action, self._crop_action, self._save_picture_action, self._save_strokes_action]
        )
        edit.addSeparator()
        settings = add_action(edit, "Pre&ferences…", window.show_preferences, standard.Preferences)
        settings.setMenuRole(QAction.MenuRole.PreferencesRole)
        if settings.shortcut().isEmpty():  # only some platforms have one
            settings.setShortcut("Ctrl+,")

    def _build_view(self) -> None:
        window, view = self._window, self._menu("&View")
        for index, page in enumerate(window.pages):
            add_action(view, f"&{page.title}", partial(window.show_page, index), f"Ctrl+{index + 1}")
        view.addSeparator()
        theme = view.addMenu("T&heme")
        group = QActionGroup(self)
        for mode, text in ((Mode.SYSTEM, "Follow &system"), (Mode.LIGHT, "&Light"), (Mode.DARK, "&Dark")):
            action = add_action(theme, text, partial(self._session.set_theme, mode))
            action.setCheckable(True)
            action.setChecked(mode is self._session.preferences.theme)
            group.addAction(action)
            self._theme_actions[mode] = action
        standard, sizes = QKeySequence.StandardKey, view.addMenu("Te&xt size")
        resize, theme_in_use = self._session.set_text_size, self._session.theme
        add_action(sizes, "&Larger", lambda: resize(theme_in_use.text_size + TEXT_STEP), standard.ZoomIn)
        add_action(sizes, "&Smaller", lambda: resize(theme_in_use.text_size - TEXT_STEP), standard.ZoomOut)
        add_action(sizes, "&Normal", lambda: resize(100), "Ctrl+0")
        view.addSeparator()
        single = add_action(view, "S&ingle digit", lambda: self._session.set_single_digit(single.isChecked()))
        single.setCheckable(True)
        single.setChecked(self._session.preferences.reads_single_digit)
        wide = add_action(view, "&Wide pad", lambda: self._session.set_wide_pad(wide.isChecked()))
        wide.setCheckable(True)
        wide.setChecked(self._session.preferences.has_wide_pad)
        add_action(view, "H&istory", window.companions.toggle_history, "Ctrl+H")
        add_action(view, "C&ompare with…", window.companions.toggle_comparison, "Ctrl+Shift+C")
        view.addSeparator()
        add_action(view, "&Present", window.companions.toggle_presentation, "F5")
        full = add_action(view, "&Full screen", self._toggle_full_screen, standard.FullScreen)
        full.setShortcuts([QKeySequence("F11"), *full.shortcuts()])

    def _toggle_full_screen(self) -> None:
        window = self._window
        if window.isFullScreen():
            window.showNormal()
        else:
            window.showFullScreen()

    def _follow_theme(self) -> None:
        self._theme_actions[self._session.theme.mode].setChecked(True)

    def _build_model(self) -> None:
        window, networks, model = self._window, self._window.networks, self._menu("&Model")
        for index, page in enumerate(window.pages):
            for command in page.commands:
                run = partial(self._run_command, index, command.method)
                action = add_action(model, command.text(self._session), run, command.shortcut or None)
                self._commands.append((action, command))
        model.addSeparator()
        add_action(model, "Use the &built-in network", networks.use_built_in)
        self._use_action = add_action(model, "Use the &trained network", networks.use_trained, "Ctrl+U")
        options = add_action(model, "&Import options…", lambda: networks.importer.ask_again())
        model.aboutToShow.connect(lambda: options.setEnabled(networks.has_import_options))
        model.addSeparator()
        add_action(model, "R&uns…", window.companions.show_runs, "Ctrl+R")
        add_action(model, "&Open runs folder", partial(self._open_folder, "runs"))
        add_action(model, "Open reci&pes folder", partial(self._open_folder, "recipes"))

    def _build_help(self) -> None:
        help_menu = self._menu("&Help")
        add_action(
            help_menu, "Help &contents", self._window.companions.show_help, QKeySequence.StandardKey.HelpContents
        )
        add_action(
            help_menu, "&What is this?", self._window.companions.explain_focus, QKeySequence.StandardKey.WhatsThis
        )
        self._lessons_menu = help_menu.addMenu("&Lessons")
        self._lessons_menu.aboutToShow.connect(self._fill_lessons)
        add_action(help_menu, "&First steps", self._window.companions.start_tour)
        add_action(help_menu, "&Keyboard shortcuts", lambda: self._window.companions.show_help("keyboard.md"))
        help_menu.addSeparator()
        add_action(help_menu, "&About digitpad", self._show_about)

    # Commands.

    def _run_command(self, index: int, method: str) -> None:
        """Show a page, and run one of its commands."""
        getattr(self._window.show_page(index), method)()

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        for path in self._session.network_files():
            action = add_action(self._recent_menu, network_name(path), partial(self._window.networks.open, path))
            action.setToolTip(str(path))
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction("None yet").setEnabled(False)

    def _open_folder(self, name: str) -> None:
        try:
            folder = user_folders.ensure_folder(user_folders.user_data() / name)
        except DigitpadError as error:
            self._session.raise_error(f"The {name} folder can't be opened", error)
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _fill_lessons(self) -> None:
        """List the lessons; they are read when the menu is first opened."""
        from digitpad.teaching.lesson import lesson_files, load_lesson

        self._lessons_menu.clear()
        for path in lesson_files():
            try:
                lesson = load_lesson(path)
            except DigitpadError as error:
                action = add_action(self._lessons_menu, path.name, partial(self._window.companions.start_lesson, path))
                action.setToolTip(str(error))
                continue
            minutes = f" · {lesson.minutes} min" if lesson.minutes else ""
            text = f"{lesson.title}{minutes}".replace("&", "&&")
            add_action(self._lessons_menu, text, partial(self._window.companions.start_lesson, path))
        self._lessons_menu.addSeparator()
        add_action(self._lessons_menu, "&Write your own…", partial(self._window.companions.show_help, "lessons.md"))

    def _show_about(self) -> None:
        try:
            user_folders.user_data()
        except DigitpadError as error:
            self._session.raise_error("The folder for your runs can't be used", error)
        from digitpad.gui.shell.about_dialog import AboutDialog

        AboutDialog(self._session, self._window).show()
