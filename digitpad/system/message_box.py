"""Message box of the operating system, for errors before or without Qt."""

import ctypes
import sys

_ICON_ERROR = 0x10


def show_error(title: str, text: str) -> None:
    """Show an error on Windows; do nothing on other systems, where a launcher keeps the standard error."""
    if sys.platform == "win32":
        ctypes.windll.user32.MessageBoxW(None, text, title, _ICON_ERROR)
