"""Dialog with a summary of a dataset: images per class, samples, and the mean image."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from digitpad.datasets.dataset import load
from digitpad.datasets.summary import N_SAMPLES, PARTS, DatasetSummary, summarize
from digitpad.gui.canvas.qt_images import inked
from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks, error_message, report
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, dialog_buttons, make_card, make_label, named
from digitpad.gui.widgets.text_size import scale_with_text, scaled
from digitpad.gui.widgets.theme import Theme, fixed_width_digits
from digitpad.number_format import format_count

_CELL_PX = 34
_PITCH_PX = 38
_NAME_PX = 108
_COUNTS_PX = 190
_MEAN_PX = _PITCH_PX + 16
_SAMPLES_PX = N_SAMPLES * _PITCH_PX + 16


class DataDialog(QDialog):
    """Dialog that loads and shows one dataset."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("data_dialog")
        self.setWindowTitle("Dataset")
        self.overview: DatasetSummary | None = None
        self._reading = TaskRunner("dataset summary", Policy.LATEST, self)
        self._title = ElidedLabel("strong", "data_title")
        self._about = make_label("", "soft", "data_about")
        self._notes = make_label("", "caption", "data_notes")
        self._mean = _Picture(theme)
        self._classes = ClassRows(theme)
        self._build()

    def show_set(self, source: str, name: str) -> None:
        """Load the dataset of that name or path, and show it."""
        self.overview = None
        self._title.set_text(name)
        self._about.setText("Reading…")
        self._notes.setText("")
        self._mean.set_image(None)
        self._classes.set_overview(None)
        self._reading.start(
            lambda: summarize(load(source, report)),
            progressed=self._show_progress,
            finished=self._show_summary,
            failed=self._show_error,
        )

    def shut_down(self) -> None:
        """Close, and wait for loading to end."""
        self.close()
        end_tasks(self)

    def _show_progress(self, n_read: int) -> None:
        self._about.setText(f"Reading… {format_count(n_read)} images")

    def _show_summary(self, summary: DatasetSummary) -> None:
        self.overview = summary
        training, validation, test = map(format_count, summary.sizes)
        self._title.set_text(summary.name)
        self._about.setText(
            f"{training} training, {validation} validation and {test} test images "
            f"in {len(summary.class_names)} classes. Format: {summary.format}."
        )
        self._notes.setText("\n".join(summary.notes))
        self._mean.set_image(summary)
        self._classes.set_overview(summary)

    def _show_error(self, error: Exception) -> None:
        self._about.setText("This dataset cannot be read.")
        self._notes.setText(error_message(error))

    # Layout.

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(4 * SPACE)
        top = make_card("data_summary_card")
        row = QHBoxLayout(top)
        row.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        row.setSpacing(4 * SPACE)
        row.addWidget(self._mean, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(SPACE)
        for line in (self._title, self._about, self._notes):
            words.addWidget(line)
        for line in (self._about, self._notes):
            line.setWordWrap(True)
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addStretch(1)
        row.addLayout(words, 1)
        scale_with_text(top, top.setFixedHeight, 136)  # three lines of notes
        column.addWidget(top)

        frame = make_card("data_classes_card")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(4 * SPACE, 3 * SPACE, 2 * SPACE, 3 * SPACE)
        inner.setSpacing(2 * SPACE)
        inner.addWidget(self._build_headings())
        scroll = named(QScrollArea(), "data_scroll")
        scroll.setAccessibleName("Classes")
        set_accessible_role(scroll, Role.Grouping)
        scroll.setWidget(self._classes)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.viewport().setAutoFillBackground(False)
        self._classes.setAutoFillBackground(False)
        scroll.setFixedSize(sum(_column_widths()) + 14, 10 * _PITCH_PX)
        inner.addWidget(scroll)
        column.addWidget(frame, 1)

        close = named(QPushButton("&Close"), "close_button")
        close.setToolTip("Back to the settings (Esc)")
        column.addWidget(dialog_buttons(self, close))
        self.setFixedSize(self.sizeHint())

    def _build_headings(self) -> QWidget:
        headings = QWidget()
        row = QHBoxLayout(headings)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        titles = ("Class", "Mean", "Training examples", "Training · validation · test")
        for text, width in zip(titles, _column_widths(), strict=True):
            heading = make_label(text, "heading")
            heading.setFixedWidth(width)
            row.addWidget(heading)
        row.addStretch(1)
        return headings

    # Qt overrides.

    def done(self, result: int) -> None:
        """Stop loading when the dialog closes."""
        self._reading.cancel()
        super().done(result)


def _column_widths() -> tuple[int, int, int, int]:
    """Return the widths of the class name, the mean image, the samples and the counts, in pixels."""
    return scaled(_NAME_PX), scaled(_MEAN_PX), _SAMPLES_PX, scaled(_COUNTS_PX)


class _Picture(QWidget):
    """View of the mean of all training images."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._found: DatasetSummary | None = None
        self.setFixedSize(QSize(78, 78))
        self.setAccessibleName("Mean training image")
        set_accessible_role(self, Role.Graphic)
        self.setToolTip("Mean training image")
        theme.changed.connect(self.update)

    def set_image(self, found: DatasetSummary | None) -> None:
        """Show the mean image of a dataset; None shows nothing."""
        self._found = found
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        picture = None if self._found is None else inked(self._found.mean, QColor(tokens.pad), QColor(tokens.ink))
        _paint_cell(painter, QRectF(self.rect()), picture, tokens.hairline)
        painter.end()


class ClassRows(QWidget):
    """View with a row for each class: its name, mean image, some samples, and counts."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._found: DatasetSummary | None = None
        self._pictures: list[list[QImage]] = []
        self.setObjectName("class_rows")
        self.setAccessibleName("Classes")
        set_accessible_role(self, Role.Chart)
        theme.changed.connect(self._repaint)

    def set_overview(self, found: DatasetSummary | None) -> None:
        """Show the classes of a dataset; None shows none."""
        self._found = found
        names = () if found is None else found.class_names
        counts_by_class = (
            []
            if found is None
            else [
                f"{name}: {', '.join(f'{format_count(n)} {part}' for n, part in zip(counts, PARTS, strict=True))}"
                for name, counts in zip(names, found.counts.T.tolist(), strict=True)
            ]
        )
        self.setAccessibleDescription("; ".join(counts_by_class))
        self.setMinimumHeight(len(names) * _PITCH_PX)
        self._repaint()

    def _repaint(self) -> None:
        paper, ink = QColor(self._theme.tokens.pad), QColor(self._theme.tokens.ink)
        self._pictures = []
        if self._found is not None:
            for mean, samples, n in zip(self._found.means, self._found.samples, self._found.counts[0], strict=True):
                self._pictures.append([inked(image, paper, ink) for image in (mean, *samples[:n])])
        self.update()

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        found, tokens = self._found, self._theme.tokens
        if found is None:
            return
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        bold, plain = fixed_width_digits(self.font()), fixed_width_digits(self.font())
        bold.setBold(True)
        most = max(1, int(found.counts.max()))
        name_px, mean_px, samples_px, counts_px = _column_widths()
        left = name_px + mean_px + samples_px
        first = max(0, event.rect().top() // _PITCH_PX)
        for place in range(first, min(len(found.class_names), event.rect().bottom() // _PITCH_PX + 1)):
            top = place * _PITCH_PX
            row = QRectF(0, top, name_px - 8, _CELL_PX)
            painter.setFont(bold)
            painter.setPen(QColor(tokens.text))
            name = painter.fontMetrics().elidedText(
                found.class_names[place], Qt.TextElideMode.ElideRight, int(row.width())
            )
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, name)
            for column, picture in enumerate(self._pictures[place]):
                x = name_px + (mean_px + (column - 1) * _PITCH_PX if column else 0)
                _paint_cell(painter, QRectF(x, top, _CELL_PX, _CELL_PX), picture, tokens.hairline)
            painter.setFont(plain)
            painter.setPen(QColor(tokens.soft))
            counts = found.counts[:, place].tolist()
            text = QRectF(left, top - 1, counts_px, _CELL_PX - 8)
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, " · ".join(map(format_count, counts)))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.ground))
            painter.drawRoundedRect(QRectF(left, top + _CELL_PX - 9, counts_px, 5), 2.5, 2.5)
            painter.setBrush(QColor(tokens.accent))
            length = counts_px * counts[0] / most
            painter.drawRoundedRect(QRectF(left, top + _CELL_PX - 9, max(length, 2.0), 5), 2.5, 2.5)
        painter.end()


def _paint_cell(painter: QPainter, cell: QRectF, picture: QImage | None, hairline: str) -> None:
    """Paint an image with round corners, or only its frame if there is no image."""
    corners = QPainterPath()
    corners.addRoundedRect(cell.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
    if picture is not None:
        painter.save()
        painter.setClipPath(corners)
        painter.drawImage(cell, picture)
        painter.restore()
    painter.strokePath(corners, QPen(QColor(hairline), 1))
