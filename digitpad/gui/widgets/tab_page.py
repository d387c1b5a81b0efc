"""Base class of the tabs."""

from PySide6.QtWidgets import QWidget

from digitpad.gui.tasks.task import end_tasks


class TabPage(QWidget):
    """Tab of the window, built when it is first shown."""

    def finish_work(self) -> str:
        """End long work and save its result before the window closes; return a description of what would be lost."""
        return ""

    def shut_down(self) -> None:
        """End all tasks when the window closes."""
        end_tasks(self)
