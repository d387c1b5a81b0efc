"""Browser of evaluated images: filtered and sorted tiles, and details of the selected image."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from digitpad.class_names import DIGITS
from digitpad.evaluation.assessment import Assessment
from digitpad.gui.canvas.pixel_view import PixelView
from digitpad.gui.canvas.probability_bars import ProbabilityBars
from digitpad.gui.evaluate.image_atlas import ImageAtlas
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.gui.widgets.theme import Theme, fixed_width_digits
from digitpad.nn.arrays import Ints
from digitpad.number_format import format_count, format_percent
from digitpad.recognition.recognizer import Prediction

_TILE = QSize(68, 84)
_MAX_WIDTH_PX = 116  # of a tile; longer names are elided
_LINE_PX = 16
_MAX_CHOICE_PX = 130
_DIGIT_PX = 56

ALL, MISTAKES, NOT_SURE, DIFFERENT = "all", "mistakes", "not sure", "different"
_LEAST_SURE, _MOST_SURE, _IN_ORDER = "least sure", "most sure", "in order"

_Index = QModelIndex | QPersistentModelIndex


class DigitModel(QAbstractListModel):
    """List model of some images of an assessment, in a given order.

    Attributes
    ----------
    tile : QSize
        Size of a tile, depending on the names. With long names, the prediction has its own line.
    """

    def __init__(self) -> None:
        super().__init__()
        self.assessment: Assessment | None = None
        self.atlas: ImageAtlas | None = None
        self.places: Ints = np.zeros(0, int)
        self.labels: list[int] = []
        self.predicted: list[int] = []
        self.sure: list[bool] = []
        self.names: Sequence[str] = DIGITS
        self.tile = _TILE

    def set_assessment(self, made: Assessment, sheet: ImageAtlas, metrics: QFontMetrics) -> None:
        """Set the assessment; `set_places` selects its images."""
        self.beginResetModel()
        self.names = made.class_names
        longest = max(map(metrics.horizontalAdvance, self.names))
        width = min(max(_TILE.width(), metrics.horizontalAdvance("→  ?") + longest + 8), _MAX_WIDTH_PX)
        fits_one_line = metrics.horizontalAdvance(" →  ?") + 2 * longest <= _TILE.width()
        self.tile = _TILE if fits_one_line else QSize(width, _TILE.height() + _LINE_PX)
        self.assessment, self.atlas = made, sheet
        self.places = np.zeros(0, int)
        self.labels, self.predicted = made.digits.labels.tolist(), made.predicted.tolist()
        self.sure = made.is_sure.tolist()
        self.endResetModel()

    @property
    def has_two_lines(self) -> bool:
        """Whether the prediction has its own line below the true class."""
        return self.tile.height() > _TILE.height()

    def set_places(self, places: Ints) -> None:
        """Show the images at these indices of the assessment."""
        self.beginResetModel()
        self.places = places
        self.endResetModel()

    # Qt overrides.

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.places)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.assessment is None or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        place = int(self.places[index.row()])
        sure = "" if self.sure[place] else ", not sure"
        confidence = format_percent(float(self.assessment.confidences[place]))
        true_class, read_as = self.names[self.labels[place]], self.names[self.predicted[place]]
        return f"{true_class} read as {read_as}, {confidence}{sure}"


class _DigitDelegate(QStyledItemDelegate):
    """Painter of tiles: the image, below it the true class, and for a mistake the predicted class."""

    def __init__(self, theme: Theme, model: DigitModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._model = theme, model
        self._restyle()
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        tokens = self._theme.tokens
        self._text, self._bad, self._accent = (QColor(c) for c in (tokens.soft, tokens.bad, tokens.accent))
        self._ground = QColor(tokens.accent_ground)

    # Qt overrides.

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return self._model.tile

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model = self._model
        if model.atlas is None:
            return
        place = int(model.places[index.row()])
        rect = option.rect
        x, y, width = rect.x(), rect.y(), model.tile.width()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._accent, 2))
            painter.setBrush(self._ground)
            painter.drawRoundedRect(QRectF(x + 1, y + 1, width - 2, model.tile.height() - 2), 7, 7)
        model.atlas.paint(painter, QRectF(x + (width - _DIGIT_PX) / 2, y + 6, _DIGIT_PX, _DIGIT_PX), place)
        label, read_as = model.labels[place], model.predicted[place]
        right, unsure = label == read_as, "" if model.sure[place] else " ?"
        lines = [model.names[label]] if right else [model.names[label], f"→ {model.names[read_as]}"]
        lines[-1] += unsure
        painter.setPen(self._text if right else self._bad)
        if model.has_two_lines:
            metrics = painter.fontMetrics()
            lines = [metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, width - 4) for text in lines]
        else:
            lines = [" ".join(lines)]
        for line, text in enumerate(lines):
            room = QRectF(x, y + _DIGIT_PX + 7 + line * _LINE_PX, width, 18)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)


class DigitBrowser(QWidget):
    """Widget with filters, tiles, and the selected image with its probabilities."""

    put_requested = Signal(int)  # index of the image to put on the pad

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._assessment: Assessment | None = None
        self._other: Assessment | None = None
        self.model = DigitModel()
        self.view = named(QListView(), "digit_list")
        self.filter_choice = self._choice(
            "show", "Show", [("All", ALL), ("Mistakes", MISTAKES), ("Not sure", NOT_SURE)]
        )
        self._is = self._choice("is_digit", "True class", [])
        self._read_as = self._choice("read_as", "Predicted", [])
        self._names: Sequence[str] = ()
        self.order_choice = self._choice(
            "order",
            "Order",
            [("Least sure first", _LEAST_SURE), ("Most sure first", _MOST_SURE), ("Dataset order", _IN_ORDER)],
        )
        self._count = ElidedLabel("soft", "digit_count")
        self._pixels = PixelView(theme, 112)
        self._pixels.setObjectName("chosen_digit")
        self._what = make_label("", "strong", "chosen_what")
        self._where = make_label("", "soft", "chosen_where")
        self._other_answer = make_label("", "soft", "chosen_other")
        self.bars = ProbabilityBars(theme)
        self._put = named(QPushButton("Open in Draw tab"), "put_on_pad")
        self._set_names(DIGITS)
        self._build(theme)

    def set_assessment(self, made: Assessment, other: Assessment | None, sheet: ImageAtlas) -> None:
        """Show the images of an assessment; with ``other``, also the predictions of a second network."""
        self._assessment, self._other = made, other
        self._set_names(made.class_names)
        self.model.set_assessment(made, sheet, self.view.fontMetrics())
        self.view.setGridSize(self.model.tile)
        place = self.filter_choice.findData(DIFFERENT)
        if other is not None and place < 0:
            self.filter_choice.addItem("Read differently", DIFFERENT)
        elif other is None and place >= 0:
            if self.filter_choice.currentIndex() == place:
                self.filter_choice.setCurrentIndex(0)
            self.filter_choice.removeItem(place)
        self._filter()

    def show_cell(self, true_class: int, read_as: int) -> None:
        """Show the images of a cell of the confusion matrix; -1 stands for any class."""
        self._set(ALL, true_class, read_as)

    def show_mistakes(self) -> None:
        """Show all mistakes."""
        self._set(MISTAKES, -1, -1)

    def show_digit(self, place: int) -> None:
        """Select an image by its index; if the filters hide it, reset them."""
        if place not in self.model.places:
            self._set(ALL, -1, -1)
        rows = np.flatnonzero(self.model.places == place)
        if len(rows):
            index = self.model.index(int(rows[0]))
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    @property
    def chosen(self) -> int | None:
        """Index of the selected image."""
        index = self.view.currentIndex()
        return int(self.model.places[index.row()]) if index.isValid() else None

    def _set_names(self, names: Sequence[str]) -> None:
        """Set the class names of the filters; unchanged names keep the current selection."""
        self.bars.set_classes(names)
        if tuple(names) == tuple(self._names):
            return
        self._names = names
        for choice in (self._is, self._read_as):
            choice.blockSignals(True)
            choice.clear()
            for place, name in enumerate(["any", *names], start=-1):
                choice.addItem(name, place)
            choice.blockSignals(False)

    def _set(self, show: str, label: int, read_as: int) -> None:
        for choice, value in ((self.filter_choice, show), (self._is, label), (self._read_as, read_as)):
            choice.blockSignals(True)
            choice.setCurrentIndex(choice.findData(value))
            choice.blockSignals(False)
        self._filter()

    def _filter(self) -> None:
        made = self._assessment
        if made is None:
            return
        labels = made.digits.labels
        kept = np.ones(len(labels), bool)
        match self.filter_choice.currentData():
            case "mistakes":
                kept = ~made.right
            case "not sure":
                kept = ~made.is_sure
            case "different" if self._other is not None:
                kept = _predicted_names(made) != _predicted_names(self._other)
        if (label := self._is.currentData()) >= 0:
            kept = kept & (labels == label)
        if (read_as := self._read_as.currentData()) >= 0:
            kept = kept & (made.predicted == read_as)
        places = np.flatnonzero(kept)
        order = self.order_choice.currentData()
        if order != _IN_ORDER:
            confidences = made.confidences[places]
            places = places[np.argsort(confidences if order == _LEAST_SURE else -confidences, kind="stable")]
        self.model.set_places(places)
        self._count.set_text(f"{format_count(len(places))} / {format_count(len(labels))}")
        if len(places):
            self.view.setCurrentIndex(self.model.index(0))
        self._choose()

    def _choose(self) -> None:
        made, place = self._assessment, self.chosen
        self._put.setEnabled(place is not None)
        if made is None or place is None:
            self._pixels.set_prediction(None)
            self.bars.set_probabilities(None)
            self._what.setText("No images match")
            for text in (self._where, self._other_answer):
                text.setText("")
            return
        names, digit, sure = made.class_names, self.model.predicted[place], self.model.sure[place]
        true_class, read_as = names[self.model.labels[place]], names[digit]
        probabilities = tuple(made.probabilities[place].tolist())
        prediction = Prediction(digit, probabilities, sure, made.digits.images[place], 0.0, names)
        self._pixels.set_prediction(prediction)
        self.bars.set_probabilities(probabilities, sure=sure)
        guess = f", could be {read_as}" * bool(prediction.likely)
        self._what.setText(f"{true_class}, read as {read_as}" if sure else f"{true_class}, not sure{guess}")
        self._where.setText(f"Image {format_count(place + 1)} of\nthe {made.part_images}")
        other = self._other
        self._other_answer.setText("" if other is None else f"Other network: {_predicted_names(other)[place]}")

    def _request_put(self) -> None:
        if self.chosen is not None:
            self.put_requested.emit(self.chosen)

    # Layout.

    def _choice(self, name: str, accessible: str, items: list[tuple[str, Any]]) -> Choice:
        choice = named(Choice(), name)
        choice.setAccessibleName(accessible)
        for text, value in items:
            choice.addItem(text, value)
        choice.edited.connect(self._filter)
        return choice

    def _build(self, theme: Theme) -> None:
        view = self.view
        for choice in (self._is, self._read_as):
            choice.setMaximumWidth(_MAX_CHOICE_PX)
        view.setModel(self.model)
        view.setItemDelegate(_DigitDelegate(theme, self.model, view))
        view.setFlow(QListView.Flow.LeftToRight)
        view.setWrapping(True)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setUniformItemSizes(True)
        view.setGridSize(_TILE)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setAccessibleName("Images")
        view.setFont(fixed_width_digits(view.font()))
        view.selectionModel().currentChanged.connect(lambda *_: self._choose())
        view.activated.connect(lambda _: self._request_put())
        self._put.setToolTip("Open the image in the Draw tab and draw on it (Enter)")
        self._put.clicked.connect(self._request_put)

        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * SPACE)
        frame = make_card("digits_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, SPACE, SPACE)
        column.setSpacing(2 * SPACE)
        filters = QHBoxLayout()
        filters.setSpacing(2 * SPACE)
        for text, choice in (
            ("", self.filter_choice),
            ("True", self._is),
            ("Predicted", self._read_as),
            ("", self.order_choice),
        ):
            if text:
                filters.addSpacing(SPACE)
                filters.addWidget(make_label(text, "soft"))
            filters.addWidget(choice)
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        filters.addWidget(self._count, 1)
        filters.addSpacing(2 * SPACE)
        column.addLayout(filters)
        column.addWidget(view, 1)
        row.addWidget(frame, 1)
        row.addWidget(self._build_detail())

    def _build_detail(self) -> QWidget:
        frame = make_card("chosen_card")
        frame.setFixedWidth(276)
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        top = QHBoxLayout()
        top.setSpacing(3 * SPACE)
        top.addWidget(self._pixels)
        words = QVBoxLayout()
        words.setSpacing(SPACE)
        for text in (self._what, self._where, self._other_answer):
            text.setWordWrap(True)
            words.addWidget(text)
        words.addStretch(1)
        top.addLayout(words, 1)
        column.addLayout(top)
        column.addWidget(self.bars, 1)
        column.addWidget(self._put)
        return frame


def _predicted_names(made: Assessment) -> NDArray[np.str_]:
    """Return the predictions as class names, because another network may have other classes or another order."""
    return np.array(made.class_names)[made.predicted]
