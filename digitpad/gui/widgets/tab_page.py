"""Base class of the tabs."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from digitpad.gui.tasks.task import end_tasks


class TabPage(QWidget):
    """Tab of the window, built when it is first shown."""

    def finish_work(self) -> str:
        """End long work and save its result before the window closes; return a description of what would be lost."""
        return ""

    def saved_state(self) -> dict[str, Any]:
        """Return plain values that restore the choices on this tab at the next start."""
        return {}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `saved_state` returned; ignore values that no longer fit."""

    def present(self, presented: bool) -> None:
        """Show only what a class shall see, or all; called when the presentation begins or ends."""

    # Qt overrides.

    def hasHeightForWidth(self) -> bool:
        """Return False: lines that wrap do not make a page scroll; only its minimum size does."""
        return False

    # Closing.

    def shut_down(self) -> None:
        """End all tasks when the window closes."""
        end_tasks(self)
