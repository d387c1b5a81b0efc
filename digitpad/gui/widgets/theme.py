"""Light and dark themes: style sheet, and the switch between them."""

from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from digitpad.gui.widgets.text_size import SIZES, scaled, set_text_size
from digitpad.plotting.palette import DARK, LIGHT, Palette


class Mode(StrEnum):
    """Choices in View › Theme."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """Colours and text size in use; by default, they follow the system."""

    changed = Signal()  # `tokens` or the text size changed

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._system_font = application.font()
        self.mode = Mode.SYSTEM
        self.tokens = LIGHT
        self.text_size = 100
        application.setStyle("Fusion")
        set_text_size(application, self._system_font, self.text_size)
        application.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    def set_mode(self, mode: Mode) -> None:
        """Follow the system, or use the light or the dark theme."""
        self.mode = mode
        scheme = {Mode.LIGHT: Qt.ColorScheme.Light, Mode.DARK: Qt.ColorScheme.Dark}
        # Native dialogs follow this; where it has no effect (bare X11, offscreen), our palette still applies.
        self._application.styleHints().setColorScheme(scheme.get(mode, Qt.ColorScheme.Unknown))
        self._apply()

    def set_text_size(self, percent: int) -> None:
        """Make text ``percent`` of the size of the system's font, limited to `SIZES`."""
        self.text_size = min(max(percent, SIZES[0]), SIZES[-1])
        set_text_size(self._application, self._system_font, self.text_size)
        self._apply()

    def _apply(self) -> None:
        dark = self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        if self.mode is not Mode.SYSTEM:
            dark = self.mode is Mode.DARK
        self.tokens = DARK if dark else LIGHT
        sheet = _style_sheet(self.tokens)
        if self._application.styleSheet() == sheet:  # setting it again would restyle every widget, about 90 ms
            return
        self._application.setPalette(_palette(self.tokens))
        self._application.setStyleSheet(sheet)
        self.changed.emit()


def fixed_width_digits(font: QFont) -> QFont:
    """Give a font digits of equal width, so that a changing number does not move; return the font."""
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(tokens: Palette) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for roles, colour in (
        ((role.Window,), tokens.ground),
        ((role.Base, role.ToolTipBase), tokens.card),
        ((role.AlternateBase, role.Button), tokens.card),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), tokens.text),
        ((role.PlaceholderText,), tokens.soft),
        ((role.Highlight, role.Accent, role.Link), tokens.accent),
        ((role.HighlightedText,), tokens.on_accent),
        ((role.Mid, role.Midlight, role.Dark), tokens.hairline),
    ):
        for color_role in roles:
            palette.setColor(color_role, QColor(colour))
    for color_role in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, color_role, QColor(tokens.faint))
    return palette


def _style_sheet(t: Palette) -> str:
    return f"""
* {{ font-size: {scaled(13)}px; }}
QMainWindow, QDialog, QMessageBox {{ background: {t.ground}; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QMenuBar {{ background: {t.card}; color: {t.soft}; border-bottom: 1px solid {t.hairline}; padding: 3px 6px; }}
QMenuBar::item {{ padding: 4px 8px; border-radius: 5px; background: transparent; }}
QMenuBar::item:selected {{ background: {t.accent_ground}; color: {t.text}; }}
QMenu {{ background: {t.card}; color: {t.text}; border: 1px solid {t.hairline}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 24px; border-radius: 5px; }}
QMenu::item:selected {{ background: {t.accent_ground}; color: {t.text}; }}
QMenu::item:disabled {{ color: {t.faint}; }}
QMenu::separator {{ height: 1px; background: {t.hairline}; margin: 4px 8px; }}
QToolTip {{ background: {t.card}; color: {t.text}; border: 1px solid {t.hairline}; padding: 4px; }}
#tabs {{ background: {t.card}; border-bottom: 1px solid {t.hairline}; }}
QTabBar {{ background: transparent; qproperty-drawBase: 0; outline: none; }}
QTabBar::tab {{ color: {t.soft}; background: transparent; padding: 14px 16px 12px 16px; margin: 4px 3px 0 0;
    border: none; border-bottom: 2px solid transparent; font-weight: 500; }}
QTabBar::tab:selected {{ color: {t.accent}; border-bottom-color: {t.accent}; font-weight: 600; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::tab:focus {{ background: {t.accent_ground}; border-top-left-radius: 7px; border-top-right-radius: 7px; }}
#status {{ background: {t.card}; border-top: 1px solid {t.hairline}; }}
#status QLabel {{ color: {t.soft}; font-size: {scaled(12)}px; }}
QFrame[card="true"] {{ background: {t.card}; border: 1px solid {t.hairline}; border-radius: 10px; }}
QLabel {{ color: {t.text}; background: transparent; }}
QLabel[role="heading"] {{ color: {t.soft}; font-size: {scaled(12)}px; font-weight: 600; }}
QLabel[role="soft"] {{ color: {t.soft}; }}
QLabel[role="caption"] {{ color: {t.soft}; font-size: {scaled(12)}px; }}
QLabel[role="error"] {{ color: {t.bad}; font-size: {scaled(11)}px; }}
QLabel[role="figure"] {{ font-size: {scaled(20)}px; font-weight: 600; }}
QLabel[role="answer"] {{ font-weight: 700; }}
QLabel[role="no answer"] {{ color: {t.soft}; font-weight: 300; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QPushButton {{ background: {t.card}; color: {t.text}; border: 1px solid {t.border}; border-radius: 7px;
    padding: 6px 14px; font-weight: 500; min-height: {scaled(18)}px; outline: none; }}
QPushButton:hover {{ border-color: {t.text}; }}
QPushButton:pressed {{ background: {t.accent_ground}; }}
QPushButton:disabled {{ color: {t.faint}; }}
QPushButton:focus {{ border: 1px solid {t.accent}; }}
QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent};
    font-weight: 600; }}
QPushButton[kind="primary"]:focus {{ border: 2px solid {t.text}; padding: 5px 13px; }}
QPushButton[kind="primary"]:disabled {{ background: {t.hairline}; border-color: {t.hairline}; color: {t.soft}; }}
QPushButton[tight="true"] {{ padding: 6px 10px; }}
QPushButton[kind="left"] {{ border-top-right-radius: 0; border-bottom-right-radius: 0; border-right: none; }}
QPushButton[kind="right"] {{ border-top-left-radius: 0; border-bottom-left-radius: 0; }}
QPushButton[kind="middle"] {{ border-radius: 0; border-right: none; }}
QPushButton[kind="middle"]:focus {{ border: 1px solid {t.accent}; }}
QPushButton::menu-indicator {{ width: 0; }}
#digit_list, #class_table {{ background: transparent; border: 1px solid transparent; border-radius: 6px; outline: none;
    font-size: {scaled(12)}px; }}
#digit_list:focus, #class_table:focus {{ border-color: {t.accent}; }}
#class_table {{ selection-background-color: {t.accent_ground}; selection-color: {t.text}; }}
#class_table QHeaderView::section {{ background: transparent; color: {t.soft}; border: none; font-size: {scaled(12)}px;
    padding: 0 4px; }}
#class_table QHeaderView {{ background: transparent; }}
QPushButton[kind="link"] {{ background: transparent; color: {t.accent}; border: 1px solid transparent;
    border-radius: 5px; padding: 2px 4px; min-height: {scaled(18)}px; font-size: {scaled(12)}px; }}
QPushButton[kind="link"]:hover {{ background: {t.accent_ground}; }}
QPushButton[kind="link"]:focus {{ border-color: {t.accent}; }}
QPushButton[kind="link"]:disabled {{ color: {t.soft}; }}
QPushButton[kind="disclosure"], QPushButton[kind="disclosure"]:checked {{ background: transparent; color: {t.soft};
    border: 1px solid transparent; border-radius: 9px; padding: 6px 12px 6px 34px; font-size: {scaled(12)}px;
    font-weight: 600;
    text-align: left; }}
QPushButton[kind="disclosure"][wrong="true"], QPushButton[kind="disclosure"][wrong="true"]:checked {{ color: {t.bad}; }}
QPushButton[kind="disclosure"]:hover {{ color: {t.text}; }}
QPushButton[kind="disclosure"]:focus, QPushButton[kind="disclosure"]:checked:focus {{ border-color: {t.accent}; }}
QPushButton:checked {{ background: {t.accent_ground}; color: {t.accent}; font-weight: 600; }}
QPushButton:checked:focus, QPushButton[kind="left"]:focus {{ border: 1px solid {t.accent}; }}
QLineEdit, QComboBox, QAbstractSpinBox {{ background: {t.ground}; color: {t.text}; border: 1px solid {t.border};
    border-radius: 6px; padding: 3px 9px; min-height: {scaled(20)}px; selection-background-color: {t.accent};
    selection-color: {t.on_accent}; font-size: {scaled(12)}px; }}
QLineEdit, QAbstractSpinBox {{ padding: 3px 7px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 1px; border: none; }}
QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow {{ width: 0; height: 0; }}
QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0 11px 0 7px; min-height: 0; }}
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{ border: 1px solid {t.accent}; }}
QLineEdit[wrong="true"] {{ border: 1px solid {t.bad}; }}
#settings QLineEdit, #settings QComboBox {{ min-height: {scaled(18)}px; }}
#settings QCheckBox {{ min-height: {scaled(26)}px; font-size: {scaled(12)}px; }}
#settings_line {{ background: {t.hairline}; }}
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {t.soft}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox QAbstractItemView {{ background: {t.card}; color: {t.text}; border: 1px solid {t.hairline};
    selection-background-color: {t.accent_ground}; selection-color: {t.text}; outline: none; }}
QProgressBar {{ background: {t.hairline}; border: none; border-radius: 2px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 2px; }}
QSlider {{ min-height: {scaled(24)}px; }}
QSlider::groove:horizontal {{ background: {t.hairline}; height: 4px; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {t.card}; border: 2px solid {t.accent}; width: 15px; height: 15px;
    margin: -7px 0; border-radius: 9px; }}
QSlider::handle:horizontal:disabled {{ border-color: {t.faint}; }}
QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
QTableView[calm="true"] {{ background: {t.card}; color: {t.text}; border: 1px solid transparent; border-radius: 6px;
    outline: none; selection-background-color: {t.accent_ground}; selection-color: {t.text};
    font-size: {scaled(12)}px; }}
QTableView[calm="true"]:focus {{ border: 1px solid {t.accent}; }}
QTableView[calm="true"]::item {{ padding: 0 3px; border: none; }}
QTableView[calm="true"] QHeaderView {{ background: transparent; }}
QTableView[calm="true"] QHeaderView::section {{ background: transparent; color: {t.soft}; border: none;
    border-bottom: 1px solid {t.hairline}; padding: 5px 6px; font-size: {scaled(12)}px; font-weight: 600; }}
QHeaderView::up-arrow, QHeaderView::down-arrow {{ subcontrol-position: top center; width: 9px; height: 9px; }}
QTableView[calm="true"] QLineEdit {{ padding: 0 4px; min-height: 0; border-radius: 3px; }}
QTableView[calm="true"]::corner {{ background: transparent; border: none; }}
QCheckBox, QRadioButton {{ min-height: {scaled(24)}px; }}
QSplitter::handle {{ background: transparent; }}
QScrollArea, #settings {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar::handle:vertical {{ background: {t.hairline}; border-radius: 3px; min-height: {scaled(24)}px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
QScrollBar::handle:horizontal {{ background: {t.hairline}; border-radius: 3px; min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
"""
