"""The picture of a term, painted into a widget or an image."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from digitpad.gui.help.curve_pictures import CURVES
from digitpad.gui.help.digit_pictures import DIGIT_PICTURES, Subject
from digitpad.gui.help.picture_tools import Canvas
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme
from digitpad.plotting.palette import Palette

PICTURE_PX = (330, 132)
"""Width and height of a picture, for text of the normal size."""

_TEXT_PX, _MARGIN_PX = 11, 4


def paint_picture(painter: QPainter, area: QRectF, name: str, subject: Subject, tokens: Palette) -> None:
    """Paint the picture of a name."""
    canvas = Canvas(painter, area, tokens, scaled(_TEXT_PX))
    if name in CURVES:
        CURVES[name](canvas)
    else:
        DIGIT_PICTURES[name](canvas, subject)


def picture_image(name: str, subject: Subject, tokens: Palette, ratio: float = 2.0) -> QImage:
    """Return a picture as an image on the colour of the page."""
    width, height = map(scaled, PICTURE_PX)
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(tokens.card))
    painter = QPainter(image)
    painter.setFont(QFont(QApplication.font()))
    paint_picture(painter, QRectF(_MARGIN_PX, 0, width - 2 * _MARGIN_PX, height), name, subject, tokens)
    painter.end()
    return image


class PictureView(QWidget):
    """Shows the picture of a term."""

    def __init__(self, theme: Theme, name: str, subject: Subject) -> None:
        super().__init__()
        self._theme, self._name, self._subject = theme, name, subject
        self.setObjectName("term_picture")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedSize(self.sizeHint())

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(*map(scaled, PICTURE_PX))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect()).adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0)
        paint_picture(painter, area, self._name, self._subject, self._theme.tokens)
        painter.end()
