"""File types to open and save, and the dialogs to choose a file."""

import stat
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from digitpad.errors import FileError
from digitpad.gui.preferences import Preferences
from digitpad.system.file_names import safe_file_name

_WEIGHTS_SUFFIXES = (
    *("npz", "npy", "pkl", "pickle", "sav", "joblib", "pt", "pth", "json", "csv", "tsv", "txt", "dat", "safetensors"),
    *("h5", "hdf5", "keras", "mat", "gz", "bz2", "xz"),
)
WEIGHTS = f"Weights ({' '.join(f'*.{suffix}' for suffix in _WEIGHTS_SUFFIXES)});;All files (*)"
SAVED_WEIGHTS = (
    "digitpad weights (*.npz);;safetensors (*.safetensors);;ONNX (*.onnx);;Python with NumPy (*.py);;"
    "JSON (*.json);;Pickle (*.pkl)"
)
DRAWING_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".jsonl")
DRAWINGS = f"Images and strokes ({' '.join(f'*{suffix}' for suffix in DRAWING_SUFFIXES)})"
STROKES = "Strokes (*.jsonl)"
PNG = "PNG image (*.png)"


class FileDialogs:
    """File dialogs that start in the folder of the last chosen file."""

    def __init__(self, preferences: Preferences, parent: QWidget) -> None:
        self._preferences = preferences
        self._parent = parent

    def to_open(self, title: str, kinds: str) -> Path | None:
        """Ask for an existing file; return None if the user cancels."""
        name, _ = QFileDialog.getOpenFileName(self._parent, title, str(self._preferences.folder), kinds)
        return self._remember_folder(Path(name)) if name else None

    def to_save(self, title: str, kinds: str, suffix: str, name: str) -> Path | None:
        """Ask for a file to write, and confirm before replacing one; return None if the user cancels."""
        name = safe_file_name(name)
        dialog = QFileDialog(self._parent, title, str(self._preferences.folder / name), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(kind.rpartition("*.")[2].rstrip(")")))
        dialog.selectFile(name)
        return self._remember_folder(Path(dialog.selectedFiles()[0])) if dialog.exec() else None

    def _remember_folder(self, path: Path) -> Path:
        self._preferences.folder = path.parent
        return path


def check_openable(path: Path) -> None:
    """Check that a path is not a pipe or a device, because reading from one would block the window.

    A missing path is not checked.

    Raises
    ------
    FileError
        If the path is neither a file nor a folder.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # opening the file reports the error
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise FileError(path, "is neither a file nor a folder")
