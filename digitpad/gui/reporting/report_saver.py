"""Saving a report: as HTML, or as PDF by Qt."""

from collections.abc import Callable, Generator
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QObject
from PySide6.QtGui import QPageLayout, QPageSize, QPdfWriter, QTextDocument

from digitpad.errors import DigitpadError, FileError, reason
from digitpad.gui.session import Session
from digitpad.gui.tasks.task import Policy, TaskRunner, as_digitpad_error
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.system.atomic_write import write_atomically

REPORTS = "HTML report (*.html);;PDF report (*.pdf)"

_DPI, _MARGIN_MM = 120, 15


class ReportSaver(QObject):
    """Asks for a file, makes a report as a task, and writes it.

    Parameters
    ----------
    session : Session
    files : FileDialogs
    parent : QObject
    """

    def __init__(self, session: Session, files: FileDialogs, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._files = session, files
        self._making = TaskRunner("reports", Policy.QUEUE, self)

    @property
    def busy(self) -> bool:
        """Whether a report is being made."""
        return self._making.busy

    def ask_and_save(self, make: Callable[[], str], name: str) -> None:
        """Ask for a file, and save the report there; ``make`` returns its HTML, and is called in a thread."""
        path = self._files.to_save("Save report", REPORTS, "html", name)
        if path is not None:
            self.save(make, path)

    def save(self, make: Callable[[], str], path: Path) -> None:
        """Make a report and write it, as PDF if the file is called so."""

        def work() -> Generator[None, None, str]:
            yield None
            return make()

        self._session.say("Making the report\N{HORIZONTAL ELLIPSIS}")
        self._making.start(work, finished=lambda html: self._write(html, path), failed=self._fail)

    def _write(self, html: str, path: Path) -> None:
        try:
            write_atomically(path, pdf(html) if path.suffix.lower() == ".pdf" else html.encode())
        except OSError as error:
            self._fail(FileError(path, f"cannot be written ({reason(error)})"))
        except DigitpadError as error:
            self._fail(error)
        else:
            self._session.say(f"Saved {path.name} in {path.parent}")

    def _fail(self, error: Exception) -> None:
        self._session.say("")
        self._session.raise_error("The report was not saved", as_digitpad_error(error))


def pdf(html: str) -> bytes:
    """Return a PDF file of HTML, on pages of A4."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    writer.setPageMargins(margins, QPageLayout.Unit.Millimeter)
    writer.setResolution(_DPI)
    document = QTextDocument()
    document.setHtml(html)
    document.setPageSize(writer.pageLayout().paintRectPixels(_DPI).size().toSizeF())
    document.print_(writer)
    del writer  # ends the file
    return bytes(buffer.data().data())
