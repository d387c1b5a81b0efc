"""Finding out in a thread of its own how other people's weights are meant; the window goes on meanwhile."""

import threading
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from digitpad.datasets.dataset import load
from digitpad.datasets.readers.open_dataset import is_data_set
from digitpad.errors import DigitpadError, OutputsError, WeightsError
from digitpad.gui.importing.classes_dialog import OutputClasses
from digitpad.importers.open_file import fingerprint, infer_import


class OpeningThread(QObject):
    """One file, from its path to what is understood of it; what its outputs stand for may be known.

    Without that, it may turn out to be a data set.
    """

    understood = Signal(object, str)  # Understanding, and the file's fingerprint
    unnamed = Signal(object, str)  # OutputsError, and the file's fingerprint
    is_data = Signal()
    failed = Signal(object)  # DigitpadError

    def __init__(self, path: Path, classes: OutputClasses | None, parent: QObject) -> None:
        super().__init__(parent)
        self.path = path
        self.classes = classes
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="opening", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon, with no signal any more, and wait for it."""
        self._stopping = True
        self.blockSignals(True)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            if self.classes is None and is_data_set(self.path, lambda _n_read: self._between()):
                self.is_data.emit()
                return
            classes = self.classes or OutputClasses()
            data = load(classes.data, lambda _n_read: self._between()) if classes.data else None
            understanding = infer_import(self.path, class_names=classes.names or None, data=data, tell=self._between)
            self.understood.emit(understanding, fingerprint(self.path))
        except _StoppedError:
            return
        except OutputsError as error:
            self.unnamed.emit(error, fingerprint(self.path))
        except DigitpadError as error:
            self.failed.emit(error)
        except MemoryError:
            self.failed.emit(WeightsError(self.path, "takes more memory than there is"))
        except Exception as error:  # it would vanish with the thread: the window must hear of it
            self.failed.emit(WeightsError(self.path, f"cannot be opened ({type(error).__name__}: {error})"))
            raise

    def _between(self) -> None:
        if self._stopping:
            raise _StoppedError


class _StoppedError(Exception):
    """Nobody waits any more."""
