"""My digits in the window: labelled drawings, their changes with undo, and the memory that corrects answers by them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from digitpad.errors import DigitpadError
from digitpad.gui.tasks.task import Policy, TaskRunner
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.datasets.own_digits.records import OwnDigit
    from digitpad.datasets.own_digits.store import DigitStore
    from digitpad.recognition.memory import CorrectionMemory

_REFRESH_MS = 150  # other windows append several lines at a time


class _Edit(QUndoCommand):
    """A change of My digits. ``added`` are the drawings that it adds, if it does nothing else."""

    def __init__(
        self,
        corrections: "Corrections",
        text: str,
        change: Callable[["DigitStore"], object],
        added: Sequence["OwnDigit"],
    ) -> None:
        super().__init__(text)
        self._corrections, self._change, self._added, self._id = corrections, change, tuple(added), ""

    def redo(self) -> None:
        if self._id:
            self._corrections.apply(lambda store: store.redo_change(self._id))
        else:
            self._id = self._corrections.apply(self._change, self._added)

    def undo(self) -> None:
        self._corrections.apply(lambda store: store.undo_change(self._id))


class Corrections(QObject):
    """My digits, and the memory of them for the network in use.

    Both are opened in a thread, as reading many drawings takes a while; until then there is no memory. Changes by other
    windows are taken over.

    Attributes
    ----------
    memory : CorrectionMemory or None
        None while it is being made.
    edits : QUndoStack
        Changes in the My digits tab; corrections in the Draw tab have their place among the strokes.
    """

    changed = Signal()  # `memory` changed
    digits_changed = Signal()  # `digits` changed, in this window or in another one, or could be written at last
    failed = Signal(str, object)  # title, DigitpadError

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner("corrections", Policy.LATEST, self)
        self._store: DigitStore | None = None
        self._weights: Weights | None = None
        self._is_on = True
        self._watcher = QFileSystemWatcher(self)
        self._looking = QTimer(self, singleShot=True, interval=_REFRESH_MS)
        self._looking.timeout.connect(self.refresh)
        for signal in (self._watcher.fileChanged, self._watcher.directoryChanged):
            signal.connect(self._look_soon, Qt.ConnectionType.QueuedConnection)
        self.memory: CorrectionMemory | None = None
        self.edits = QUndoStack(self)

    @property
    def store(self) -> "DigitStore":
        """My digits."""
        if self._store is None:
            from digitpad.datasets.own_digits.store import DigitStore

            self._store = DigitStore()
            self._watch()
        return self._store

    @property
    def is_open(self) -> bool:
        """Whether the drawings have been read."""
        return self._store is not None

    @property
    def digits(self) -> "tuple[OwnDigit, ...]":
        """All labelled drawings, in the order in which they were added; none until they have been read."""
        return () if self._store is None else self._store.digits

    # The memory.

    def follow(self, weights: Weights) -> None:
        """Build the memory of My digits for this network."""
        self._weights, self.memory = weights, None
        # The store belongs to the GUI thread once it is open; the thread gets the drawings alone.
        digits = None if self._store is None else self._store.digits
        self._tasks.start(partial(_open, self._store, digits, weights), finished=self._use, failed=self._fail)

    @property
    def is_on(self) -> bool:
        """Whether the memory may change answers."""
        return self._is_on

    def set_on(self, on: bool) -> None:
        """Let the memory change answers, or not."""
        self._is_on = on
        if self.memory is not None:
            self.memory.is_on = on
        self.changed.emit()

    def clear_memory(self) -> None:
        """Let none of the present drawings change an answer any more, which can be undone; all are kept."""
        self.edit("Clear memory", lambda store: store.clear_memory())

    # Changes.

    def edit(
        self,
        text: str,
        change: Callable[["DigitStore"], object],
        added: Sequence["OwnDigit"] = (),
        stack: QUndoStack | None = None,
    ) -> None:
        """Change My digits, so that Undo takes it back.

        Parameters
        ----------
        text : str
            Name of the change.
        change : callable
            Makes one change in the store.
        added : sequence of OwnDigit, optional
            The drawings that it adds, if it does nothing else; the memory learns them at once.
        stack : QUndoStack, optional
            By default `edits`.
        """
        (self.edits if stack is None else stack).push(_Edit(self, text, change, added))

    def add(self, digits: Sequence["OwnDigit"], text: str, stack: QUndoStack | None = None) -> None:
        """Add drawings."""
        self.edit(text, lambda store: store.add(digits), digits, stack)

    def apply(self, change: Callable[["DigitStore"], object], added: Sequence["OwnDigit"] = ()) -> str:
        """Change the store without undo; return the identifier of the change."""
        store = self.store
        had_unsaved = store.has_unsaved
        try:
            change(store)
        except DigitpadError as error:  # the change is in the store's memory, and is written with the next one
            if not had_unsaved:
                self.failed.emit("Your digits were not saved yet", error)
        identifier = store.last_change
        if added and self.memory is not None:
            self.memory.add(added)
            self.changed.emit()
        elif self._weights is not None:
            self.follow(self._weights)
        self._watch()
        self.digits_changed.emit()
        return identifier

    @property
    def has_unsaved(self) -> bool:
        """Whether there are changes that could not be written yet."""
        return self._store is not None and self._store.has_unsaved

    def save_again(self) -> str:
        """Write changes that could not be written before; return why they still cannot be, or an empty text."""
        if self._store is None or not self._store.has_unsaved:
            return ""
        try:
            self._store.flush()
        except DigitpadError as error:
            return str(error)
        self._watch()
        self.digits_changed.emit()
        return ""

    def refresh(self) -> None:
        """Take over what other windows changed."""
        if self._store is None:
            return
        try:
            is_new = self._store.refresh()
        except DigitpadError as error:
            self.failed.emit("My digits can't be read", error)
            return
        self._watch()
        if is_new:
            if self._weights is not None:
                self.follow(self._weights)
            self.digits_changed.emit()

    def _look_soon(self) -> None:
        self._looking.start()

    def _watch(self) -> None:
        """Watch the file of the drawings, or the folder while there is no file."""
        assert self._store is not None
        path = self._store.path
        watched = {*self._watcher.files(), *self._watcher.directories()}
        place = path if path.exists() else path.parent
        if str(place) not in watched and place.exists():
            self._watcher.addPath(str(place))

    def _use(self, opened: "tuple[DigitStore, CorrectionMemory]") -> None:
        store, memory = opened
        if self._store is not None and self._store is not store and self._weights is not None:
            self.follow(self._weights)  # something was labelled while My digits were being opened
            return
        is_new = self._store is None
        self._store, self.memory = store, memory
        memory.is_on = self._is_on
        self.changed.emit()
        if is_new:
            self._watch()
            self.digits_changed.emit()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, DigitpadError):
            self.failed.emit("My digits can't be read", error)


def _open(
    store: "DigitStore | None", digits: "tuple[OwnDigit, ...] | None", weights: Weights
) -> "tuple[DigitStore, CorrectionMemory]":
    from digitpad.datasets.own_digits.store import DigitStore
    from digitpad.recognition.memory import CorrectionMemory

    store = DigitStore() if store is None else store
    return store, CorrectionMemory(weights, store.digits if digits is None else digits)
