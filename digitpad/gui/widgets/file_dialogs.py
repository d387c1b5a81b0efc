"""Which files there are to open and to save, and the dialogs that ask for one."""

import stat
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from digitpad.errors import FileError
from digitpad.gui.preferences import Preferences

_WEIGHTS_SUFFIXES = (
    *("npz", "npy", "pkl", "pickle", "sav", "joblib", "pt", "pth", "json", "csv", "tsv", "txt", "dat", "safetensors"),
    *("mat", "gz", "bz2", "xz"),
)
WEIGHTS = f"Weights ({' '.join(f'*.{suffix}' for suffix in _WEIGHTS_SUFFIXES)});;All files (*)"
SAVED_WEIGHTS = (
    "digitpad weights (*.npz);;safetensors (*.safetensors);;ONNX (*.onnx);;Python, with NumPy alone (*.py);;"
    "JSON (*.json);;Pickle (*.pkl)"
)
DRAWING_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".jsonl")
DRAWINGS = f"Images and strokes ({' '.join(f'*{suffix}' for suffix in DRAWING_SUFFIXES)})"
STROKES = "Strokes (*.jsonl)"
PNG = "PNG image (*.png)"


class FileDialogs:
    """Asks for a file, beginning in the folder of the one before."""

    def __init__(self, preferences: Preferences, parent: QWidget) -> None:
        self._preferences = preferences
        self._parent = parent

    def to_open(self, title: str, kinds: str) -> Path | None:
        """A file that is there; None where the user thought better of it."""
        name, _ = QFileDialog.getOpenFileName(self._parent, title, str(self._preferences.folder), kinds)
        return self._remembered(Path(name)) if name else None

    def to_save(self, title: str, kinds: str, suffix: str, name: str) -> Path | None:
        """A file to write, whose replacement the dialog has asked about; None where the user thought better of it."""
        dialog = QFileDialog(self._parent, title, str(self._preferences.folder / name), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(kind.rpartition("*.")[2].rstrip(")")))
        dialog.selectFile(name)
        return self._remembered(Path(dialog.selectedFiles()[0])) if dialog.exec() else None

    def _remembered(self, path: Path) -> Path:
        self._preferences.folder = path.parent
        return path


def check_openable(path: Path) -> None:
    """Raise a `FileError` for a pipe or a device, from which the window would wait to read; not for what is missing."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # whoever opens it tells why it cannot be
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise FileError(path, "is neither a file nor a folder")
