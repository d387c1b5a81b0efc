"""Labels, cards, tiles and number formats shared by the tabs."""

from math import ceil
from typing import TypeVar

from PySide6.QtCore import QObject, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QFontMetricsF,
    QIcon,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from digitpad.gui.widgets.term_button import TermButton
from digitpad.gui.widgets.text_size import BODY_PX, follow_text_size, scale_with_text, scaled
from digitpad.gui.widgets.theme import fixed_width_digits
from digitpad.number_format import format_percent

SPACE = 4  # pixels; all distances are multiples of it


_W = TypeVar("_W", bound=QObject)


def named(thing: _W, name: str) -> _W:
    """Set the object name, which style sheets, tests and assistive tools use, and return the object."""
    thing.setObjectName(name)
    return thing


def link(text: str, name: str, tip: str) -> QPushButton:
    """Create a button that looks like a link, for actions that are rarely used."""
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setProperty("kind", "link")
    button.setMinimumHeight(24)  # the smallest target that is easy to hit
    button.setAutoDefault(False)
    return button


def make_card(name: str, parent: QWidget | None = None) -> QFrame:
    """Create a card: a framed panel on the window background."""
    frame = QFrame(parent)
    frame.setObjectName(name)
    frame.setProperty("card", True)
    return frame


def make_label(text: str, role: str, name: str = "") -> QLabel:
    """Create a label in a role of the style sheet: heading, soft, caption, figure, answer, no answer, strong, error."""
    widget = QLabel(text)
    widget.setProperty("role", role)
    widget.setObjectName(name)
    widget.setTextFormat(Qt.TextFormat.PlainText)
    widget.setFont(fixed_width_digits(widget.font()))
    return widget


def keep_width(button: QPushButton, *, tight: bool = False) -> None:
    """Make a checkable button wide enough for bold text, which it has when checked; ``tight`` reduces the padding."""
    button.setProperty("tight", tight)
    button.ensurePolished()
    padding, border = 10 if tight else 14, 1

    def apply() -> None:
        bold = button.font()
        bold.setPixelSize(scaled(BODY_PX))
        bold.setBold(True)
        button.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(button.text()) + 2 * (padding + border))

    follow_text_size(button, apply)


def set_role(widget: QLabel, role: str) -> None:
    """Change the style sheet role of a label."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def set_kind(button: QPushButton, kind: str) -> None:
    """Change the style sheet kind of a button, such as primary; empty for a plain button."""
    if button.property("kind") != kind:
        button.setProperty("kind", kind)
        button.style().unpolish(button)
        button.style().polish(button)


def dialog_buttons(dialog: QDialog, closes: QPushButton, does: QPushButton | None = None) -> QDialogButtonBox:
    """Return the last row of a dialog, in the order of the platform: the button that closes it, and the primary one."""
    box = QDialogButtonBox()
    closes.setAutoDefault(False)
    closes.clicked.connect(dialog.reject)
    box.addButton(closes, QDialogButtonBox.ButtonRole.RejectRole)
    if does is not None:
        does.setProperty("kind", "primary")
        box.addButton(does, QDialogButtonBox.ButtonRole.AcceptRole)
    return box


class Tabs(QTabBar):
    """Tab bar that reserves the width of the bold title for each tab, so that no tab moves on selection.

    A tab with long work shows its progress as a thin bar at its lower edge.
    """

    def __init__(self) -> None:
        super().__init__()
        self._progress: dict[int, float] = {}

    def set_progress(self, index: int, share: float | None) -> None:
        """Show how much of the work of a tab is done, 0 to 1; None if there is no work."""
        if share is None:
            self._progress.pop(index, None)
        else:
            self._progress[index] = min(max(share, 0.0), 1.0)
        title = self.tabText(index).replace("&", "")
        self.setAccessibleTabName(index, title if share is None else f"{title}, {format_percent(share, 0)} done")
        self.update()

    def progress(self, index: int) -> float | None:
        """Return the progress that a tab shows, or None."""
        return self._progress.get(index)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        for index, share in self._progress.items():
            tab = self.tabRect(index)
            bar = QRectF(tab.left(), tab.bottom() - 2, tab.width() - 3, 3)
            painter.fillRect(bar, self.palette().color(QPalette.ColorRole.Mid))
            bar.setWidth(bar.width() * share)
            painter.fillRect(bar, self.palette().color(QPalette.ColorRole.Highlight))
        painter.end()

    def tabSizeHint(self, index: int) -> QSize:
        size = super().tabSizeHint(index)
        if index != self.currentIndex():
            plain, bold = QFont(self.font()), QFont(self.font())
            plain.setWeight(QFont.Weight.Medium)
            bold.setWeight(QFont.Weight.DemiBold)
            mnemonic, text = Qt.TextFlag.TextShowMnemonic, self.tabText(index)
            plain_width, bold_width = (QFontMetrics(font).size(mnemonic, text).width() for font in (plain, bold))
            size.setWidth(size.width() + bold_width - plain_width)
        return size


class FittedLabel(QLabel):
    """Label whose text is as large as fits into it, up to ``size_px``; long text wraps between words."""

    def __init__(self, name: str, size_px: int) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._size_px = size_px

    def set_size(self, size_px: int) -> None:
        """Set the largest size of the text."""
        self._size_px = size_px
        self.update()

    def drawn_font(self) -> QFont:
        """Return the font in which the text is drawn."""
        font = fixed_width_digits(QFont(self.font()))
        for size_px in range(self._size_px, 8, -1):
            font.setPixelSize(size_px)
            metrics = QFontMetricsF(font)
            words = max(map(metrics.horizontalAdvance, self.text().split()), default=0.0)
            area = QRectF(self.contentsRect())
            box = metrics.boundingRect(area, int(self.alignment()) | Qt.TextFlag.TextWordWrap, self.text())
            if words <= area.width() and box.height() <= area.height() * 1.25:
                break
        return font

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)

    def sizeHint(self) -> QSize:
        return QSize(self._size_px, self._size_px)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.drawn_font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        flags = int(self.alignment()) | Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextDontClip
        painter.drawText(self.contentsRect(), flags, self.text())
        painter.end()


class ElidedLabel(QLabel):
    """Single-line label that elides long text with …, so that a long file name does not widen the window."""

    def __init__(self, role: str, name: str) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._full = ""

    def set_text(self, text: str) -> None:
        """Show ``text``; if it does not fit, the tooltip shows all of it."""
        if text != self._full:
            self._full = text
            self.setAccessibleName(text)
            self.updateGeometry()
            self._elide()

    def _elide(self) -> None:
        elided = QFontMetrics(self.font()).elidedText(self._full, Qt.TextElideMode.ElideMiddle, self.width())
        self.setText(elided)
        self.setToolTip(self._full if elided != self._full else "")

    def sizeHint(self) -> QSize:
        """Return the size of the full text, even if it is elided."""
        full_width = QFontMetricsF(self.font()).horizontalAdvance(self._full)
        return QSize(ceil(full_width), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()


class _Figure(QLabel):
    """Large number that shrinks instead of being cut off."""

    def __init__(self, name: str) -> None:
        super().__init__("–")
        self.setProperty("role", "figure")
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(fixed_width_digits(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    # Qt overrides.

    def minimumSizeHint(self) -> QSize:
        """Return room for numbers of usual length; longer ones shrink."""
        hint, metrics = super().minimumSizeHint(), self.fontMetrics()
        return QSize(min(hint.width(), metrics.horizontalAdvance("99.99\N{NO-BREAK SPACE}%") + 2), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        width = self.fontMetrics().horizontalAdvance(self.text())
        if width <= self.width():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        share = self.width() / width
        painter.translate(0, self.height() * (1 - share) / 2)
        painter.scale(share, share)
        painter.drawText(QRectF(0, 0, width, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.end()


class Tile(QFrame):
    """Card with a title, a value and, if it has them, a line of details; ``term`` explains it."""

    def __init__(self, title: str, name: str, *, has_details: bool = False, term: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("card", True)
        self._title = make_label(title, "caption")
        self._value = _Figure(f"{name}_value")
        self._details = ElidedLabel("caption", f"{name}_more")
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 9, 2 * SPACE, 9)
        column.setSpacing(1)
        column.addWidget(self._title)
        column.addWidget(self._value)
        if has_details:
            column.addWidget(self._details)
        self._button = TermButton(term, self) if term else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._button is not None:  # in the corner beside the number, where it takes no room from the title
            self._button.move(self.width() - self._button.width() - 3, self.height() - self._button.height() - 3)

    def set_value(self, text: str, title: str = "", details: str = "") -> None:
        """Show a value; ``title`` replaces the title."""
        self._title.setText(title or self._title.text())
        self._value.setText(text)
        self._details.set_text(details)
        self.setAccessibleName(", ".join(part for part in (f"{self._title.text()}: {text}", details) if part))

    @property
    def value(self) -> str:
        """Text of the value."""
        return self._value.text()


def dot_icon(colour: str) -> QIcon:
    """Return an icon of a dot in a colour; the colour stays the same in a selected row."""
    icon = QIcon()
    for ratio in (1, 2):
        picture = QPixmap(12 * ratio, 12 * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawEllipse(1, 1, 10, 10)
        painter.end()
        icon.addPixmap(picture, QIcon.Mode.Normal)
        icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon


def status_row(widget: QWidget) -> QHBoxLayout:
    """Style a widget as a status bar, and return the layout for its contents."""
    named(widget, "status").setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    scale_with_text(widget, widget.setFixedHeight, 29)
    row = QHBoxLayout(widget)
    row.setContentsMargins(14, 0, 14, 0)
    return row


def bring_to_front(window: QWidget) -> None:
    """Show a window or dialog, above all others and active."""
    window.show()
    window.raise_()
    window.activateWindow()
