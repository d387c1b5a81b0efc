"""About dialog: version, licences, and the details for a bug report."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from digitpad import __version__
from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import SPACE, make_label, named
from digitpad.gui.widgets.text_size import scale_with_text
from digitpad.system import blas_threads, user_folders
from digitpad.system.versions import version_text

_LICENCES = (
    'Licence: <a href="https://opensource.org/license/mit">MIT</a>. MNIST: Yann LeCun and Corinna Cortes, '
    '<a href="https://creativecommons.org/licenses/by-sa/3.0/">CC BY-SA 3.0</a>.'
)


class AboutDialog(QDialog):
    """Dialog with the versions in use, and a button that copies them."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("about")
        self.setWindowTitle("About digitpad")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        count = blas_threads.thread_count()
        self.details = (
            f"digitpad {__version__}\n{version_text()}, {count} thread{'s' * (count > 1)}\n"
            f"Network in use: {session.weights.name}\nRuns: {user_folders.runs_path()}"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addWidget(make_label(f"digitpad {__version__}", "strong", "about_title"))
        licences = named(QLabel(_LICENCES), "about_licences")
        licences.setOpenExternalLinks(True)
        details = make_label(self.details, "caption", "about_details")
        details.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        about = make_label("Draw a digit and see how a neural network, written in NumPy, reads it.", "soft")
        for label in (about, licences, details):
            label.setWordWrap(True)
            column.addWidget(label)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = named(QPushButton("&Copy details"), "copy_details")
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.details))
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        scale_with_text(self, self.setMinimumWidth, 520)
