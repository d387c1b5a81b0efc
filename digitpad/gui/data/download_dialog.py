"""Dialog to download datasets."""

import time
from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.download.fetch import download, downloaded, sets_folder
from digitpad.datasets.download.sources import SOURCES, DatasetSource
from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks, error_message, report
from digitpad.gui.widgets.basics import SPACE, dialog_buttons, make_card, make_label, named
from digitpad.gui.widgets.text_size import scale_with_text

_MB = 1e6
_REPORT_SECONDS = 0.1


class DownloadDialog(QDialog):
    """Dialog that lists datasets, each with a button that downloads it or, once it is downloaded, selects it."""

    chosen = Signal(str)  # folder of the dataset to use
    fetched = Signal()  # a dataset was downloaded

    def __init__(self, parent: QWidget, sources: Mapping[str, DatasetSource] = SOURCES) -> None:
        super().__init__(parent)
        self.setObjectName("download_dialog")
        self.setWindowTitle("Download datasets")
        self._sources = sources
        self._downloads = TaskRunner("download", Policy.LATEST, self)
        self._downloading: DatasetSource | None = None
        self._buttons: dict[str, QPushButton] = {}
        self._progress = named(QProgressBar(), "download_progress")
        self._message = make_label("", "caption", "download_said")
        self._stop = named(QPushButton("&Stop"), "download_stop")
        self._build()
        self._show()

    def shut_down(self) -> None:
        """Close, and wait for the end of a download; the part that was downloaded is kept."""
        self.close()
        end_tasks(self)

    def _pressed(self, name: str) -> None:
        source = self._sources[name]
        if (sets_folder() / name).is_dir():
            folder = sets_folder() / name
            path = next((path for path in downloaded().values() if folder in (path, path.parent)), folder)
            self.chosen.emit(str(path))
            self.close()
            return
        self._downloading = source
        self._message.setText(f"Connecting to download {source.title}…")
        self._progress.setRange(0, 1000)
        self._progress.setValue(0)
        self._show()
        self._downloads.start(
            partial(_download, source),
            progressed=self._on_progressed,
            finished=self._on_finished,
            failed=lambda error: self._end(error_message(error)),
            cancelled=lambda: self._end("Stopped. The next download continues from here."),
        )

    def _show(self) -> None:
        """Enable the buttons that can be pressed now."""
        busy = self._downloading is not None
        for name, button in self._buttons.items():
            here = (sets_folder() / name).is_dir()
            button.setText("Use" if here else "Download")
            button.setEnabled(not busy)
            button.setAccessibleName(f"{button.text()} {self._sources[name].title}")
        self._stop.setEnabled(busy)
        self._progress.setVisible(busy)

    def _on_progressed(self, progress: tuple[int, int]) -> None:
        done, total = progress
        if self._downloading is not None:
            self._progress.setValue(round(1000 * done / total))
            self._message.setText(f"{self._downloading.title}: {done / _MB:.1f} of {total / _MB:.1f} MB")

    def _on_finished(self) -> None:
        if self._downloading is not None:
            title = self._downloading.title
            self._end(f"{title} is downloaded and its SHA-256 is correct. Press Use to train on it.")
            self.fetched.emit()

    def _end(self, text: str) -> None:
        self._downloading = None
        self._message.setText(text)
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
            scale_with_text(button, button.setMinimumWidth, 100)
            host = source.files[0].urls[0].split("/")[2]
            button.setToolTip(f"From {host}, or a mirror, into {sets_folder()}")
            button.clicked.connect(partial(self._pressed, source.name))
            self._buttons[source.name] = button
            grid.addWidget(button, row, 1, Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(frame)
        column.addLayout(self._build_foot())
        self._message.setText("Nothing is downloaded until you press Download. Each file is checked by its SHA-256.")
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
        self._fit(self._message)
        foot.addWidget(self._message)
        self._stop.setAutoDefault(False)
        self._stop.setToolTip("Stop the download and keep the part that was downloaded (Alt+S)")
        self._stop.clicked.connect(self._downloads.cancel)
        close = named(QPushButton("&Close"), "close_button")
        close.setToolTip("Back to the settings; a download continues (Esc)")
        buttons = dialog_buttons(self, close)
        buttons.addButton(self._stop, QDialogButtonBox.ButtonRole.ActionRole)
        foot.addWidget(buttons)
        return foot

    def _fit(self, message: QLabel) -> None:
        """Reserve room for three lines, so that nothing moves when the text grows."""
        message.setWordWrap(True)
        message.setAlignment(Qt.AlignmentFlag.AlignTop)
        message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        message.setFixedHeight(5 * message.fontMetrics().lineSpacing())


def _download(source: DatasetSource) -> None:
    """Download a dataset, reporting (bytes done, bytes in total) about ten times a second; a task's work."""
    reported = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal reported
        report()
        if time.monotonic() - reported >= _REPORT_SECONDS or done == total:
            reported = time.monotonic()
            report((done, total))

    download(source, progress)
