"""Test of the About dialog."""

from PySide6.QtWidgets import QApplication, QPushButton

from digitpad import __version__
from digitpad.gui.shell.about_dialog import AboutDialog
from digitpad.gui.shell.window import Window
from tests.unit.gui.hand import find, menu_action


def test_the_details_can_be_copied(window: Window) -> None:
    """The details name digitpad, Python, Qt, NumPy and the BLAS with its threads; a button copies them."""
    menu_action(window, "About").trigger()
    dialog = find(window, AboutDialog)
    find(dialog, QPushButton, "copy_details").click()
    copied = QApplication.clipboard().text()
    for part in (f"digitpad {__version__}", "Python 3.", "Qt 6.", "NumPy 2", "BLAS", "thread", "digits.npz"):
        assert part in copied
    dialog.close()
