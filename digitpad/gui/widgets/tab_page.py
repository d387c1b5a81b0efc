"""The base class of a tab."""

from PySide6.QtWidgets import QWidget

from digitpad.gui.tasks.task import end_tasks


class TabPage(QWidget):
    """A tab of the window: a widget that is built when it is first shown."""

    def finish_work(self) -> str:
        """Before the window closes: end long work and save its result; return what would be lost."""
        return ""

    def shut_down(self) -> None:
        """End all tasks; the window closes."""
        end_tasks(self)
