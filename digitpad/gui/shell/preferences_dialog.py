"""The Preferences dialog. Every change applies at once."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import SPACE, make_label, named
from digitpad.gui.widgets.file_dialogs import WEIGHTS, FileDialogs
from digitpad.gui.widgets.text_size import SIZES
from digitpad.gui.widgets.theme import Mode
from digitpad.number_format import PERCENT
from digitpad.system import user_folders

THEMES = {Mode.SYSTEM: "Follow the system", Mode.LIGHT: "Light", Mode.DARK: "Dark"}
_STEP = 10


class PreferencesDialog(QDialog):
    """Dialog for the theme, text size, restored session, finger drawing, and the folder of runs."""

    def __init__(self, session: Session, files: FileDialogs, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences")
        self._session = session
        self._files = files
        preferences = session.preferences
        self._theme = named(QComboBox(), "theme_choice")
        self._theme.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for mode, text in THEMES.items():
            self._theme.addItem(text, mode)
        self._text_size = named(QSlider(Qt.Orientation.Horizontal), "text_size")
        self._text_size.setRange(SIZES[0] // _STEP, SIZES[-1] // _STEP)
        self._text_size.setPageStep(1)
        self._size_label = make_label("", "soft", "text_size_label")
        self._restore = named(QCheckBox("Restore the last tab, network, recipe and dataset"), "restore_session")
        self._restore.setChecked(preferences.restores_session)
        self._fingers = named(QCheckBox("Draw with fingers on a touch screen"), "finger_drawing")
        self._fingers.setToolTip("Off: only pen and mouse draw. While a pen is near the screen, fingers never draw.")
        self._fingers.setChecked(preferences.draws_with_fingers)
        self._network = named(QLineEdit(preferences.startup_network), "startup_network")
        self._network.setPlaceholderText("The last one, or the built-in network")
        folder = user_folders.runs_path()
        is_usual = folder == user_folders.usual_runs_path()
        self._folder = named(QLineEdit("" if is_usual else str(folder)), "runs_folder")
        self._folder.setPlaceholderText(str(user_folders.usual_runs_path()))
        self._problem = make_label("", "error", "runs_folder_problem")
        self._problem.setWordWrap(True)
        self._build()
        self._show_theme()
        session.theme.changed.connect(self._show_theme)
        self._theme.activated.connect(lambda _: session.set_theme(Mode(self._theme.currentData())))
        self._text_size.valueChanged.connect(lambda steps: session.set_text_size(steps * _STEP))
        self._restore.toggled.connect(lambda on: setattr(preferences, "restores_session", on))
        self._fingers.toggled.connect(session.set_finger_drawing)
        self._network.editingFinished.connect(self._keep_network)
        self._folder.editingFinished.connect(self._keep_folder)

    def _show_theme(self) -> None:
        self._theme.setCurrentIndex(self._theme.findData(self._session.theme.mode))
        percent = self._session.theme.text_size
        self._size_label.setText(f"{percent}{PERCENT}")
        self._text_size.blockSignals(True)
        self._text_size.setValue(round(percent / _STEP))
        self._text_size.blockSignals(False)

    def _keep_network(self) -> None:
        self._session.preferences.startup_network = self._network.text().strip()

    def _ask_network(self) -> None:
        if (path := self._files.to_open("Choose the network to start with", WEIGHTS)) is not None:
            self._network.setText(str(path))
            self._keep_network()

    def _keep_folder(self) -> None:
        """Use another folder for runs, if it can be written."""
        text = self._folder.text().strip()
        self._problem.setText(user_folders.set_runs_path(Path(text) if text else None))

    def _ask_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder of runs", self._folder.text()):
            self._folder.setText(folder)
            self._keep_folder()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 4 * SPACE)
        column.setSpacing(4 * SPACE)
        form = QFormLayout()
        form.setHorizontalSpacing(4 * SPACE)
        form.setVerticalSpacing(3 * SPACE)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        size = QHBoxLayout()
        size.addWidget(self._text_size, 1)
        size.addWidget(self._size_label)
        network, folder = (
            self._with_button(self._network, self._ask_network),
            self._with_button(self._folder, self._ask_folder),
        )
        for text, widget, row in (
            ("&Theme", self._theme, self._theme),
            ("Text &size", self._text_size, size),
            ("At the &start", self._restore, self._restore),
            ("Start with &network", self._network, network),
            ("&Fingers", self._fingers, self._fingers),
            ("Folder of &runs", self._folder, folder),
        ):
            label = QLabel(text)
            label.setBuddy(widget)
            widget.setAccessibleName(text.replace("&", ""))
            form.addRow(label, row)
        column.addLayout(form)
        column.addWidget(self._problem)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * 90)

    def _with_button(self, field: QLineEdit, ask: object) -> QHBoxLayout:
        choose = named(QPushButton("Choose…"), f"choose_{field.objectName()}")
        choose.setAutoDefault(False)
        choose.clicked.connect(ask)
        row = QHBoxLayout()
        row.addWidget(field, 1)
        row.addWidget(choose)
        return row
