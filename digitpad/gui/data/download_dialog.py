"""Other data sets, to be downloaded when the user asks for it."""

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.download.fetch import TIMEOUT_SECONDS, downloaded, sets_folder
from digitpad.datasets.download.sources import SOURCES, DatasetSource
from digitpad.gui.data.download_task import DownloadThread
from digitpad.gui.widgets.basics import SPACE, make_card, make_label, named

_MB = 1e6


class DownloadDialog(QDialog):
    """The sets that there are, each with a button that fetches it, or uses it when it is there."""

    chosen = Signal(str)  # the folder of the set to use
    fetched = Signal()  # there are more sets than before

    def __init__(self, parent: QWidget, sources: Mapping[str, DatasetSource] = SOURCES) -> None:
        super().__init__(parent)
        self.setObjectName("download_dialog")
        self.setWindowTitle("Download data sets")
        self._sources = sources
        self._thread: DownloadThread | None = None
        self._buttons: dict[str, QPushButton] = {}
        self._progress = named(QProgressBar(), "download_progress")
        self._said = make_label("", "caption", "download_said")
        self._stop = named(QPushButton("&Stop"), "download_stop")
        self._build()
        self._show()

    def shut_down(self) -> None:
        """Close, and wait for the end of a download; what was fetched is kept."""
        self.close()
        if self._thread is not None:
            self._thread.stop()
            self._thread.wait(2 * TIMEOUT_SECONDS)
            self._thread = None

    def _pressed(self, name: str) -> None:
        source = self._sources[name]
        if (sets_folder() / name).is_dir():
            folder = sets_folder() / name
            path = next((path for path in downloaded().values() if folder in (path, path.parent)), folder)
            self.chosen.emit(str(path))
            self.close()
            return
        thread = DownloadThread(source)
        thread.progressed.connect(self._on_progressed)
        thread.finished.connect(self._on_finished)
        thread.stopped.connect(self._on_stopped)
        thread.failed.connect(self._on_failed)
        self._thread = thread
        self._said.setText(f"Asking for {source.title}…")
        self._progress.setRange(0, 1000)
        self._progress.setValue(0)
        self._show()
        thread.start()

    def _show(self) -> None:
        """Show what can be pressed now."""
        busy = self._thread is not None
        for name, button in self._buttons.items():
            here = (sets_folder() / name).is_dir()
            button.setText("Use" if here else "Download")
            button.setEnabled(not busy)
            button.setAccessibleName(f"{button.text()} {self._sources[name].title}")
        self._stop.setEnabled(busy)
        self._progress.setVisible(busy)

    # What the thread reports.

    def _on_progressed(self, done: int, total: int) -> None:
        if self._thread is not None:
            self._progress.setValue(round(1000 * done / total))
            title = self._thread.source.title
            self._said.setText(f"{title}: {done / _MB:.1f} of {total / _MB:.1f} MB")

    def _on_finished(self) -> None:
        if self._thread is not None:
            title = self._thread.source.title
            self._end(f"{title} is there, checked by its SHA-256. Press Use to train on it.")
            self.fetched.emit()

    def _on_stopped(self) -> None:
        self._end("Stopped. What was fetched is kept, and gone on with the next time.")

    def _on_failed(self, why: str) -> None:
        self._end(why)

    def _end(self, text: str) -> None:
        if self._thread is not None:
            self._thread.wait(TIMEOUT_SECONDS)  # its last word was said
            self._thread = None
        self._said.setText(text)
        self._show()

    # Layout.

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(4 * SPACE)
        frame = make_card("sets_card")
        grid = QGridLayout(frame)
        grid.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        grid.setHorizontalSpacing(4 * SPACE)
        grid.setVerticalSpacing(4 * SPACE)
        grid.setColumnStretch(0, 1)
        for row, source in enumerate(self._sources.values()):
            words = QVBoxLayout()
            words.setSpacing(2)
            words.addWidget(make_label(source.title, "strong"))
            words.addWidget(make_label(source.about, "soft"))
            words.addWidget(make_label(f"{source.size / _MB:.0f} MB · {source.terms}", "caption"))
            grid.addLayout(words, row, 0)
            button = named(QPushButton("Download"), f"download_{source.name}")
            button.setAutoDefault(False)
            button.setMinimumWidth(100)
            host = source.files[0].urls[0].split("/")[2]
            button.setToolTip(f"From {host}, or a mirror, into {sets_folder()}")
            button.clicked.connect(partial(self._pressed, source.name))
            self._buttons[source.name] = button
            grid.addWidget(button, row, 1, Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(frame)
        column.addLayout(self._build_foot())
        self._said.setText("Nothing is fetched until you press Download. Each file is checked by its SHA-256.")
        self.setFixedSize(self.sizeHint().expandedTo(self.minimumSizeHint()))

    def _build_foot(self) -> QVBoxLayout:
        foot = QVBoxLayout()
        foot.setSpacing(2 * SPACE)
        self._progress.setFixedHeight(4)
        self._progress.setTextVisible(False)
        policy = self._progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._progress.setSizePolicy(policy)
        foot.addWidget(self._progress)
        self._fit(self._said)
        foot.addWidget(self._said)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addStretch(1)
        self._stop.setAutoDefault(False)
        self._stop.setToolTip("Stop the download; what was fetched is kept (Alt+S)")
        self._stop.clicked.connect(lambda: self._thread.stop() if self._thread is not None else None)
        close = named(QPushButton("&Close"), "close_button")
        close.setToolTip("Back to the settings; a download goes on (Esc)")
        close.setAutoDefault(False)
        close.clicked.connect(self.close)
        row.addWidget(self._stop)
        row.addWidget(close)
        foot.addLayout(row)
        return foot

    def _fit(self, said: QLabel) -> None:
        """Room for three lines, so that nothing moves when there is more to say."""
        said.setWordWrap(True)
        said.setAlignment(Qt.AlignmentFlag.AlignTop)
        said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        said.setFixedHeight(5 * said.fontMetrics().lineSpacing())
