"""The Export button of the Evaluate tab: tables as CSV, figures as PNG or SVG."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from digitpad.errors import DigitpadError, reason
from digitpad.evaluation.csv_tables import class_table, robustness_table
from digitpad.evaluation.robustness import Robustness
from digitpad.gui.evaluate.evaluation_task import EvaluationResult
from digitpad.gui.session import Session
from digitpad.gui.tasks.task import Policy, TaskRunner, as_digitpad_error
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.system.atomic_write import write_atomically

if TYPE_CHECKING:
    from digitpad.plotting.evaluation_plots import Draw

FIGURE_NAMES = {
    "reliability": "Reliability diagram",
    "threshold": "Accuracy against “not sure”",
    "robustness": "Robustness",
    "confusion": "Confusion matrix",
    "map": "Map",
}
TABLE_NAMES = {
    "classes": "Classes",
    "confusion": "Confusion matrix",
    "digits": "Predictions",
    "robustness": "Robustness",
}


class ExportButton(QPushButton):
    """Button with a menu of the tables and figures of the last evaluation; it saves the chosen one as a task."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__("Export", parent)
        self.setObjectName("export_button")
        self.setToolTip("Tables as CSV, figures as PNG or SVG")
        self._session = session
        self._files = FileDialogs(session.preferences, parent)
        self._saving = TaskRunner("exports", Policy.QUEUE, self)
        self._result: EvaluationResult | None = None
        self._robustness: tuple[Robustness, ...] = ()
        menu = QMenu(self)
        menu.aboutToShow.connect(lambda: self._fill(menu))
        self._fill(menu)
        self.setMenu(menu)

    def set_result(self, result: EvaluationResult, robustness: tuple[Robustness, ...]) -> None:
        """Set what is exported."""
        self._result, self._robustness = result, robustness

    def table(self, name: str) -> Callable[[], bytes]:
        """Return a function that makes the content of a CSV file."""
        assert self._result is not None
        first, robustness = self._result.assessments[0], self._robustness
        return lambda: (robustness_table(robustness[0]) if name == "robustness" else class_table(first, name)).encode()

    def figure(self, name: str, kind: str) -> Callable[[], bytes]:
        """Return a function that makes the content of a PNG or SVG file."""
        assert self._result is not None
        draw, title = drawer(self._result, self._robustness, name), self._result.name

        def content() -> bytes:
            from digitpad.plotting.figure_files import evaluation_figure

            return evaluation_figure(draw(), title, kind)

        return content

    def write(self, content: Callable[[], bytes], path: Path) -> None:
        """Make the content of a file and write it, as a task."""

        def work() -> None:
            try:
                write_atomically(path, content())
            except OSError as error:
                raise DigitpadError(f"{path.name} cannot be written ({reason(error)})") from error

        self._saving.start(
            work,
            key=str(path),
            finished=lambda: self._session.say(f"Saved {path.name}"),
            failed=lambda error: self._session.raise_error("The file was not saved", as_digitpad_error(error)),
        )

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        for names, suffix, ask in (
            (TABLE_NAMES, "CSV", self._ask_table),
            (FIGURE_NAMES, "PNG or SVG", self._ask_figure),
        ):
            for name, title in names.items():
                action = menu.addAction(f"{title} as {suffix}…")
                action.setEnabled(name != "robustness" or bool(self._robustness))
                action.triggered.connect(partial(ask, name))
            menu.addSeparator()

    def _ask_table(self, name: str, _checked: bool = False) -> None:
        title = f"Save {TABLE_NAMES[name].lower()} as a table"
        if (path := self._files.to_save(title, "Table (*.csv)", "csv", f"{name}.csv")) is not None:
            self.write(self.table(name), path)

    def _ask_figure(self, name: str, _checked: bool = False) -> None:
        title = f"Save {FIGURE_NAMES[name].lower()} as an image"
        if (path := self._files.to_save(title, "Images (*.png *.svg)", "png", f"{name}.png")) is not None:
            self.write(self.figure(name, "svg" if path.suffix.lower() == ".svg" else "png"), path)


def drawer(result: EvaluationResult, robustness: tuple[Robustness, ...], name: str) -> "Callable[[], Draw]":
    """Return a function that imports the plotting code and returns the function that draws a figure."""

    def make() -> "Draw":
        from digitpad.plotting.evaluation_plots import diagram

        return diagram(name, result.assessments, robustness)

    return make
