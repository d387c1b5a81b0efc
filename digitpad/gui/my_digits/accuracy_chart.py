"""Small live chart of one accuracy during an adaptation, painted without Matplotlib, whose import would take long."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme
from digitpad.number_format import format_percent

_RANGES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # heights of the axis


class AccuracyChart(QWidget):
    """Curve of an accuracy over the share of the work that is done, with its start as a dashed line."""

    def __init__(self, theme: Theme, title: str, colour: str, name: str) -> None:
        super().__init__()
        self._theme, self._title, self._colour = theme, title, colour
        self._points: list[tuple[float, float]] = []
        self._decimals = 1
        self._hint = "The accuracy during the adaptation appears here."
        self.setObjectName(name)
        self.setAccessibleName(title)
        set_accessible_role(self, Role.Chart)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    def clear(self, decimals: int = 1) -> None:
        """Forget the curve; the values of the next one have this number of decimals."""
        self._points, self._decimals = [], decimals
        self._describe()

    def add(self, share: float, accuracy: float) -> None:
        """Append a point: the share of the work, 0 to 1, and the accuracy."""
        self._points.append((share, accuracy))
        self._describe()

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The curve."""
        return tuple(self._points)

    def _describe(self) -> None:
        values = [accuracy for _, accuracy in self._points]
        text = ""
        if values:
            text = f"from {self._format(values[0])} to {self._format(values[-1])}"
        self.setAccessibleDescription(text)
        self.setToolTip(f"{self._title}: {text}" if text else "")
        self.update()

    def _format(self, accuracy: float) -> str:
        return format_percent(accuracy, self._decimals)

    def _limits(self) -> tuple[float, float]:
        """Return the lowest and highest accuracy of the axis."""
        values = [accuracy for _, accuracy in self._points] or [0.0, 1.0]
        low, high = min(values), max(values)
        height = next((size for size in _RANGES if size >= 1.4 * (high - low)), 1.0)
        middle = (low + high) / 2
        bottom = min(max(0.0, middle - height / 2), 1 - height)
        return bottom, bottom + height

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(scaled(240), scaled(110))

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(150), scaled(72))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens, metrics = self._theme.tokens, self.fontMetrics()
        painter.setPen(QColor(tokens.soft))
        line = metrics.height()
        painter.drawText(QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, self._title)
        low, high = self._limits()
        labels = [format_percent(value, self._decimals) for value in (high, low)]
        left = max(map(metrics.horizontalAdvance, labels)) + 8
        plot = QRectF(left, line + 10, max(10, self.width() - left - 4), max(10, self.height() - line - 16))
        if not self._points:
            painter.setPen(QPen(QColor(tokens.hairline), 1))
            painter.drawLine(QPointF(0, plot.bottom()), plot.bottomRight())
            painter.setPen(QColor(tokens.soft))
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, self._hint)
            painter.end()
            return
        for y, text in zip((plot.top(), plot.bottom()), labels, strict=True):
            painter.setPen(QColor(tokens.soft))
            box = QRectF(0, y - line / 2, left - 8, line)
            box.moveTop(min(max(box.top(), line), self.height() - line))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
            painter.setPen(QPen(QColor(tokens.hairline), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))

        def place(share: float, accuracy: float) -> QPointF:
            height = max(high - low, 1e-9)
            return QPointF(
                plot.left() + share * plot.width(), plot.bottom() - (accuracy - low) / height * plot.height()
            )

        start = place(0, self._points[0][1]).y()
        painter.setPen(QPen(QColor(tokens.faint), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(plot.left(), start), QPointF(plot.right(), start))
        colour = QColor(getattr(tokens, self._colour))
        painter.setPen(QPen(colour, 2))
        painter.drawPolyline(QPolygonF([place(*point) for point in self._points]))
        painter.setBrush(colour)
        end = place(*self._points[-1])
        painter.drawEllipse(end, 3, 3)
        text = self._format(self._points[-1][1])
        width = metrics.horizontalAdvance(text)
        painter.setPen(QColor(tokens.text))
        painter.drawText(QRectF(self.width() - width - 4, 0, width + 4, line), Qt.AlignmentFlag.AlignRight, text)
        painter.end()
