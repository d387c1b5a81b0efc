"""Start of the graphical application: check the system, then build and run the window."""

import ctypes
import gc
import os
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from digitpad.errors import DigitpadError, OutputsError

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from digitpad.gui.shell.window import Window
    from digitpad.weights.native_format import Weights

# The Debian package of each library that Qt's window plugin loads; other distributions use similar names.
_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}


def run(weights_path: Path | None) -> int:
    """Open the window, and return the exit status when it is closed.

    Raises
    ------
    DigitpadError
        If there is no display, a system library is missing, or the weights file cannot be opened; or at the end, if
        work could not be saved.
    """
    check_system()
    application, window = build(weights_path)
    _end_at_interrupt(application)
    window.show()
    window.companions.offer_tour()
    status = application.exec()
    problem = window.finish_work()
    window.shut_down()
    if problem:  # for example after Ctrl-C; closing the window has already asked
        raise DigitpadError(problem)
    return status


def _end_at_interrupt(application: "QApplication") -> None:
    """Make Ctrl-C, `kill` and a closed console end the program with status 130; training is stopped and saved."""
    from PySide6.QtCore import QTimer

    def end(*_: object) -> None:
        # By a timer, because `exit` does nothing before the event loop runs.
        QTimer.singleShot(0, application, lambda: application.exit(130))

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):  # no system has all of them
        if (number := getattr(signal, name, None)) is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    # Python handles signals only while it runs its own code; without a timer, Qt's event loop might run none for long.
    timer = QTimer(application)
    timer.timeout.connect(lambda: None)
    timer.start(200)


def build(weights_path: Path | None) -> "tuple[QApplication, Window]":
    """Build the application and its window, without showing it. Call `check_system` first.

    Raises
    ------
    DigitpadError
        If the weights file cannot be opened.
    """
    gc.disable()  # importing makes many objects and no garbage; `GuiThreadCollector` collects later
    from PySide6.QtCore import QSettings, Qt, QTimer
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from digitpad import assets
    from digitpad.gui.preferences import Preferences
    from digitpad.gui.session import Lifetime, Session
    from digitpad.gui.shell.file_open_events import FileOpenEvents
    from digitpad.gui.shell.tooltips import TooltipWrapper
    from digitpad.gui.shell.window import Window
    from digitpad.gui.tasks.garbage_collection import GuiThreadCollector
    from digitpad.gui.widgets.accessibility import install_accessible_roles
    from digitpad.gui.widgets.theme import Theme
    from digitpad.system import user_folders
    from digitpad.weights.native_format import SHIPPED, is_own, load_weights

    settings = QSettings(str(user_folders.user_data_path() / "settings.ini"), QSettings.Format.IniFormat)
    preferences = Preferences(settings)
    path, problem = weights_path or preferences.first_network or SHIPPED, None
    try:
        weights, unnamed = (load_weights(path), None) if is_own(path) else _open_foreign(path)
    except DigitpadError as error:
        if weights_path is not None:
            raise
        path, weights, unnamed, problem = SHIPPED, load_weights(SHIPPED), None, error
    sys.setswitchinterval(0.001)  # threads that run Python code yield to the window sooner
    application = QApplication(sys.argv[:1])
    GuiThreadCollector(application)
    install_accessible_roles()
    # Keep every point of a pen. Set after the application is created, because Qt's X11 plugin sets it as well.
    application.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, on=False)
    application.setApplicationName("digitpad")
    application.setDesktopFileName("digitpad")
    session = Session(Theme(application), weights, preferences)
    session.network_path = None if path == SHIPPED else path
    window = Window(session)
    if sys.platform == "darwin":  # no other system sends them, and a filter in Python costs time at every event
        FileOpenEvents(application, window.clipboard.open_any)
    gc.freeze()  # imported objects are never garbage; later collections skip them
    # Both can wait until the first paint; drawing the icon takes 10 ms.
    QTimer.singleShot(0, application, partial(TooltipWrapper, application))
    QTimer.singleShot(0, application, lambda: application.setWindowIcon(QIcon(str(assets.RESOURCES / "icon.svg"))))
    if unnamed is not None:
        window.networks.open(unnamed)
    if problem is not None:
        session.say(f"Reading with the built-in network: {problem}", Lifetime.NETWORK)
    return application, window


def _open_foreign(path: Path) -> "tuple[Weights, Path | None]":
    """Open a file of another program.

    Returns the weights and None. If the file does not name its classes, returns the built-in weights and the file's
    path, so that the window can ask for the names.
    """
    from digitpad.importers.open_file import open_weights  # slow to import
    from digitpad.weights.native_format import SHIPPED, load_weights

    try:
        return open_weights(path), None
    except OutputsError as error:
        return load_weights(SHIPPED), error.path


def check_system() -> None:
    """Check that Qt can start; otherwise Qt would abort the program without a helpful message.

    Raises
    ------
    DigitpadError
        If a display or a library is missing; the message names it and a command that helps.
    """
    try:
        import PySide6.QtWidgets
    except ImportError as error:
        raise DigitpadError(_missing_library(str(error))) from error
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if not sys.platform.startswith("linux") or (platform and not platform.startswith(("xcb", "wayland"))):
        return
    if not platform.startswith("xcb") and _wayland_answers():
        return
    if platform.startswith("wayland"):
        display = os.environ.get("WAYLAND_DISPLAY", "wayland-0")
        raise DigitpadError(f"cannot connect to the Wayland display {display!r}; set WAYLAND_DISPLAY to a running one")
    if not os.environ.get("DISPLAY"):
        raise DigitpadError(
            "there is no display: DISPLAY is not set, and no Wayland display answers; start digitpad from a desktop, "
            "or run: xvfb-run digitpad"
        )
    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    try:
        if plugin.exists():
            ctypes.CDLL(str(plugin))
        _connect_to_display()
    except OSError as error:
        raise DigitpadError(_missing_library(str(error))) from error


def _wayland_answers() -> bool:
    """Return whether the socket that WAYLAND_DISPLAY names accepts a connection; if it does not, Qt uses X11."""
    name = os.environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / name))
        except OSError:
            return False
    return True


def _connect_to_display() -> None:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if refused:
        display = os.environ["DISPLAY"]
        raise DigitpadError(f"cannot connect to the display {display!r}; set DISPLAY to a running one")


def _missing_library(message: str) -> str:
    library = message.split(":")[0].strip()
    package = _PACKAGES.get(library)
    if package is None:
        return f"Qt cannot start: {message}"
    return f"the system library {library} is missing; on Debian or Ubuntu: sudo apt install {package}"
