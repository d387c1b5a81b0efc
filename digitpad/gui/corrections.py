"""Corrections of wrong answers: labelled drawings in My digits, which change the answer for similar drawings."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from digitpad.class_names import DIGITS
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.datasets.own_digits.store import DigitStore
from digitpad.errors import DigitpadError
from digitpad.gui.tasks.task import Policy, TaskRunner
from digitpad.ink.drawing import Drawing
from digitpad.recognition.memory import CorrectionMemory
from digitpad.weights.native_format import Weights


class _Correction(QUndoCommand):
    """Undo step of a correction, in My digits and in the memory."""

    def __init__(self, corrections: "Corrections", digit: OwnDigit) -> None:
        super().__init__("Correction")
        self._corrections, self._digit, self._change = corrections, digit, ""

    def redo(self) -> None:
        self._change = self._corrections.add(self._digit)

    def undo(self) -> None:
        self._corrections.take_back(self._change)


class Corrections(QObject):
    """My digits, and the memory of them for the network in use.

    Both are opened in a thread, as reading many drawings takes a while; until then there is no memory.

    Parameters
    ----------
    undo_stack : QUndoStack
    parent : QObject
    """

    changed = Signal()  # `memory` changed
    failed = Signal(str, object)  # title, DigitpadError

    def __init__(self, undo_stack: QUndoStack, parent: QObject) -> None:
        super().__init__(parent)
        self._undo_stack = undo_stack
        self._tasks = TaskRunner("corrections", Policy.LATEST, self)
        self._store: DigitStore | None = None
        self._weights: Weights | None = None
        self.memory: CorrectionMemory | None = None

    @property
    def store(self) -> DigitStore:
        """My digits."""
        if self._store is None:
            self._store = DigitStore()
        return self._store

    def follow(self, weights: Weights) -> None:
        """Build the memory of My digits for this network."""
        self._weights, self.memory = weights, None
        if weights.class_names == DIGITS:
            self._tasks.start(partial(_open, self._store, weights), finished=self._use)
        else:
            self.changed.emit()

    def correct(self, drawing: Drawing, label: int, read_as: int) -> None:
        """Add a labelled drawing to My digits, with an undo step; `NONE` means that it is not a digit."""
        self._undo_stack.push(_Correction(self, OwnDigit.from_drawing(drawing, label, read_as=read_as)))

    def add(self, digit: OwnDigit) -> str:
        """Add a drawing to My digits and to the memory; return the identifier of the change."""
        change = self._write(lambda: self.store.add([digit]))
        if self.memory is not None:  # otherwise it is being built, or the network does not read digits
            self.memory.add([digit])
            self.changed.emit()
        return change

    def take_back(self, change: str) -> None:
        """Undo a change."""

        def undo() -> str:
            self.store.undo_change(change)
            return change

        self._write(undo)
        if self._weights is not None:
            self.follow(self._weights)

    def _write(self, write: Callable[[], str]) -> str:
        try:
            return write()
        except DigitpadError as error:  # the change is in memory, and is written with the next one
            self.failed.emit("The correction was not saved yet", error)
            return ""

    def _use(self, opened: tuple[DigitStore, CorrectionMemory]) -> None:
        store, memory = opened
        if self._store is not None and self._store is not store and self._weights is not None:
            self.follow(self._weights)  # something was corrected while My digits were being opened
            return
        self._store, self.memory = store, memory
        self.changed.emit()


def _open(store: DigitStore | None, weights: Weights) -> tuple[DigitStore, CorrectionMemory]:
    store = store or DigitStore()
    return store, CorrectionMemory(weights, store.digits)
