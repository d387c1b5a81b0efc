"""The Import and Export menus of the My digits tab."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from digitpad.class_names import DIGITS
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.datasets.own_digits.transfer import export_csv, export_images, export_strokes
from digitpad.gui.my_digits.import_dialog import ImportDialog
from digitpad.gui.my_digits.sheet_dialog import SheetDialog
from digitpad.gui.my_digits.wording import drawings_of
from digitpad.gui.session import Session
from digitpad.gui.tasks.task import Policy, TaskRunner, as_digitpad_error
from digitpad.gui.widgets.basics import named
from digitpad.gui.widgets.file_dialogs import DRAWING_SUFFIXES, STROKES, FileDialogs
from digitpad.gui.widgets.menu_utils import add_action
from digitpad.weights.native_format import SHIPPED, load_weights

_PHOTOS = f"Images ({' '.join(f'*{suffix}' for suffix in DRAWING_SUFFIXES if suffix != '.jsonl')})"
_CSV = "CSV table (*.csv)"


class TransferMenus(QObject):
    """Brings drawings into My digits, and writes those that are shown to files.

    Parameters
    ----------
    session : Session
    shown : callable
        Returns the drawings to export.
    parent : QWidget
        The tab.
    """

    def __init__(self, session: Session, shown: Callable[[], Sequence[OwnDigit]], parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._shown, self._parent = session, shown, parent
        self._files = FileDialogs(session.preferences, parent)
        self._tasks = TaskRunner("export", Policy.QUEUE, parent)
        self.import_button = named(QPushButton("Import"), "import_button")
        self.export_button = named(QPushButton("Export"), "export_button")
        menu = QMenu(self.import_button)
        add_action(menu, "&Strokes files…", self._ask_strokes)
        add_action(menu, "&Folder of images by digit…", self._ask_folder)
        add_action(menu, "&Photos of a sheet…", self._ask_photos)
        self.import_button.setMenu(menu)
        self.import_button.setToolTip("Add drawings from files; you check them first")
        menu = QMenu(self.export_button)
        add_action(menu, "&Strokes…", self._save_strokes)
        add_action(menu, "&Images by digit…", self._save_images)
        add_action(menu, "&CSV of pixels…", self._save_csv)
        self.export_button.setMenu(menu)
        self.export_button.setToolTip("Write the drawings that are shown to files")

    # Import.

    def import_files(self, paths: Sequence[Path]) -> ImportDialog:
        """Show the drawings in strokes files or folders of images, and add those that the user confirms."""
        known = {digit.id for digit in self._session.corrections.digits}
        dialog = ImportDialog(self._session.theme, paths, known, self._parent.window())
        dialog.chosen.connect(self._add)
        dialog.open()
        return dialog

    def import_photos(self, paths: Sequence[Path]) -> SheetDialog:
        """Show the digits in photos, and add those that the user confirms."""
        weights = self._session.weights
        if weights.class_names != DIGITS:
            weights = load_weights(SHIPPED)  # only a network for digits can cut a number up
        dialog = SheetDialog(self._session.theme, weights, paths, self._parent.window())
        dialog.chosen.connect(self._add)
        dialog.open()
        return dialog

    def _add(self, drawings: list[OwnDigit]) -> None:
        self._session.corrections.add(drawings, "Import")
        self._session.say(f"Added {drawings_of(len(drawings))} to My digits")

    def _ask_strokes(self) -> None:
        self._ask_files("Import strokes", f"{STROKES};;All files (*)", self.import_files)

    def _ask_photos(self) -> None:
        self._ask_files("Import photos of a sheet", _PHOTOS, self.import_photos)

    def _ask_files(self, title: str, kinds: str, use: Callable[[Sequence[Path]], object]) -> None:
        preferences = self._session.preferences
        names, _ = QFileDialog.getOpenFileNames(self._parent, title, str(preferences.folder), kinds)
        if names:
            preferences.folder = Path(names[0]).parent
            use([Path(name) for name in names])

    def _ask_folder(self) -> None:
        folder = str(self._session.preferences.folder)
        name = QFileDialog.getExistingDirectory(self._parent, "Folder with a folder of images for each digit", folder)
        if name:
            self.import_files([Path(name)])

    # Export.

    def _save_strokes(self) -> None:
        path = self._files.to_save("Export strokes", STROKES, "jsonl", "my-digits.jsonl")
        if path is not None:
            self._export(path, export_strokes)

    def _save_csv(self) -> None:
        path = self._files.to_save("Export as CSV", _CSV, "csv", "my-digits.csv")
        if path is not None:
            self._export(path, export_csv)

    def _save_images(self) -> None:
        folder = str(self._session.preferences.folder)
        name = QFileDialog.getExistingDirectory(self._parent, "Export images into a folder", folder)
        if name:
            self._export(Path(name) / "my-digits", export_images)

    def _export(self, path: Path, write: Callable[[Sequence[OwnDigit], Path], Any]) -> None:
        """Write the drawings that are shown, in a thread."""
        drawings = tuple(self._shown())

        def work() -> int:
            n = write(drawings, path)
            return n if isinstance(n, int) else len(drawings)

        self._session.say(f"Writing {path.name}…")
        self._tasks.start(
            work,
            finished=partial(self._say_exported, path),
            failed=lambda error: self._session.raise_error("The drawings were not exported", as_digitpad_error(error)),
        )

    def _say_exported(self, path: Path, n: int) -> None:
        self._session.say(f"Exported {drawings_of(n)} to {path.name}")
