"""The window of runs: a list of what was trained, the curves of those chosen, and what differs between them."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QByteArray,
    QEvent,
    QFile,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QSettings,
    Qt,
    QTimer,
    QUrl,
    Signal,
)
from PySide6.QtGui import QAction, QCloseEvent, QDesktopServices, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QMainWindow,
    QMenu,
    QMessageBox,
    QPushButton,
    QSlider,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from digitpad.colours import LINE_COLOURS
from digitpad.errors import DigitpadError, RecipeError, RunError
from digitpad.files import write_atomically
from digitpad.gui.comparison_table import ComparisonModel
from digitpad.gui.inputs import Check, WordChoice, link
from digitpad.gui.messages import tell_problem
from digitpad.gui.runs_table import RunsModel, SortedRuns
from digitpad.gui.theme import Theme
from digitpad.gui.widgets import SPACE, ElidedLabel, card, label, named
from digitpad.gui.worker import Worker
from digitpad.training.catalogue import Catalogue, Entry
from digitpad.training.comparison import Axis, Difference, Lines, differences, to_csv
from digitpad.training.ranges import toml_value
from digitpad.training.recipe import Recipe
from digitpad.training.run import Run, Status
from digitpad.weights.weights import load_weights

if TYPE_CHECKING:
    from digitpad.gui.run_plots import RunPlots

REFRESH_MS = 2000  # while something is in training
MAX_RUNS = len(LINE_COLOURS)
MAX_EPOCHS = 10_000
_SPANS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)  # of smoothing, in steps
_AXES = {Axis.STEP: "Over steps", Axis.EPOCH: "Over epochs", Axis.TIME: "Over time"}
_KINDS = {"png": "PNG image (*.png)", "svg": "SVG image (*.svg)", "csv": "CSV table (*.csv)"}
_FROM_HERE = (Status.PAUSED, Status.CUT_OFF, Status.STOPPED, Status.DIVERGED)


class RunsWindow(QMainWindow):
    """Stands beside the window, also while that trains.

    Folders and logs are read in a thread of its own, which `closeEvent` ends.
    """

    go_on_requested = Signal(object, object)  # Run, and the settings to change
    use_requested = Signal(object, object)  # Weights, and their path
    save_requested = Signal(object)  # Weights
    duplicate_requested = Signal(object)  # Recipe
    listed = Signal()  # the list is that of the disk
    shown = Signal()  # curves and differences are those of what is chosen

    def __init__(self, theme: Theme, settings: QSettings, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._theme = theme
        self._settings = settings
        self._training = False
        self._catalogue = Catalogue()
        self._worker = Worker("runs", self)
        self._colours: dict[str, str] = {}
        self._lines: Sequence[Lines] = ()
        self._plots: RunPlots | None = None
        self.model = RunsModel()
        self._sorted = SortedRuns(self.model)
        self._comparison = ComparisonModel()
        self.setObjectName("runs_window")
        self.setWindowTitle("Runs – digitpad")
        self.setMinimumSize(1000, 600)
        self._build()
        self._build_menus()
        self.model.renamed.connect(self._rename)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._enable()
        geometry = settings.value("runs_geometry")
        if not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)):
            self.resize(1120, 760)

    # What is chosen.

    def chosen(self) -> list[Entry]:
        """The runs that are selected, from the top; no more than can be told apart."""
        rows = sorted(self._table.selectionModel().selectedRows(), key=QModelIndex.row)
        return [self._sorted.entry(row) for row in rows][:MAX_RUNS]

    def choose(self, *ids: str) -> None:
        """Select these runs, and no others."""
        model, chosen = self._table.selectionModel(), QItemSelection()
        for row in range(self._sorted.rowCount()):
            index = self._sorted.index(row, 0)
            if self._sorted.entry(index).id in ids:
                chosen.select(index, index)
                model.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        model.select(chosen, flags)

    def set_training(self, training: bool) -> None:
        """Whether a training is under way in the window, beside which no other one can be gone on with."""
        self._training = training
        self._enable()
        if self.isVisible():
            self.refresh()

    # Looking.

    def refresh(self) -> None:
        """Look anew at what is on disk."""
        self._worker.do("list", self._catalogue.entries, self._on_listed, self._say_problem)

    def _on_listed(self, entries: list[Entry]) -> None:
        known = set(self.chosen())
        is_first = not self.model.entries
        self.model.set_entries(entries)
        if is_first and entries:
            self.choose(entries[0].id)
        self._empty.setVisible(not entries)
        self._table.setVisible(bool(entries))
        live = self._training or any(entry.summary.status is Status.RUNNING for entry in entries)
        if not live or not self.isVisible():
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()
        chosen = self.chosen()
        if set(chosen) != known or any(entry.summary.status is Status.RUNNING for entry in chosen):
            self._redraw()
        self._enable()
        self.listed.emit()

    def _selected(self) -> None:
        self._enable()
        self._redraw()

    def _redraw(self) -> None:
        """Have the curves of what is chosen made, and shown once they are."""
        entries, axis, span = self.chosen(), Axis(self._over.value()), _SPANS[self._smoothing.value()]
        ids = [entry.id for entry in entries]
        self._colours = {id_: colour for id_, colour in self._colours.items() if id_ in ids}
        for id_ in ids:  # a line keeps its colour while others come and go
            if id_ not in self._colours:
                self._colours[id_] = next(one for one in LINE_COLOURS if one not in self._colours.values())
        self.model.set_colours(self._colours)
        live = [entry.id for entry in entries if entry.summary.status is Status.RUNNING]

        def made() -> tuple[list[Lines], list[Difference], Axis, float]:
            traces = self._catalogue.traces(entries)
            lines = [Lines.of(trace, axis, span) for trace in traces]
            return lines, differences(traces), axis, max([_end(line, line.id in live) for line in lines], default=1.0)

        self._worker.do("lines", made, self._on_made, self._say_problem)

    def _on_made(self, made: tuple[list[Lines], list[Difference], Axis, float]) -> None:
        lines, differing, axis, until = made
        if {line.id for line in lines} != set(self._colours):
            return  # others are chosen by now, and theirs are being made
        colours = [self._colours[line.id] for line in lines]
        self._lines = lines
        n = self._comparison.columnCount()
        self._comparison.set_runs(lines, colours, differing, axis)
        if self._plots is not None:
            self._plots.set_lines(lines, colours, axis, until)
        if self._comparison.columnCount() != n:
            self._values.resizeColumnsToContents()
        self.shown.emit()

    # Doing.

    def _rename(self, entry: Entry, name: str) -> None:
        self._write(f"rename {entry.id}", lambda: entry.run.rename(name))

    def _edit_name(self) -> None:
        (entry,) = self.chosen()
        for row in range(self._sorted.rowCount()):
            index = self._sorted.index(row, 0)
            if self._sorted.entry(index).id == entry.id:
                self._table.setCurrentIndex(index)
                self._table.edit(index)

    def _go_on(self) -> None:
        """From the last checkpoint; where the loss had run away, at another rate, which is asked for."""
        (entry,) = self.chosen()
        if entry.summary.status is Status.DIVERGED:
            self._worker.do("go on", entry.run.latest_recipe, partial(self._ask_rate, entry), self._tell_problem)
        else:
            self.go_on_requested.emit(entry.run, {})

    def _ask_rate(self, entry: Entry, recipe: Recipe) -> None:
        rate = recipe.optimizer.learning_rate
        question = (
            f"‘{entry.name}’ ran away at a learning rate of {rate:g}. It goes on from its last good checkpoint at:"
        )
        dialog = _RateQuestion(question, recipe, self)
        dialog.setTextValue(f"{rate / 3:.1g}")
        dialog.textValueSelected.connect(lambda text: self.go_on_requested.emit(entry.run, _at_rate(text)))
        dialog.open()

    def _train_on(self) -> None:
        """Ask for how many more epochs, and train them."""
        (entry,) = self.chosen()
        done = entry.summary.epoch
        dialog = QInputDialog(self)
        dialog.setObjectName("train_on")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Train on")
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setLabelText(f"‘{entry.name}’ has trained {done} epochs. How many more?")
        dialog.setIntRange(1, MAX_EPOCHS)
        dialog.setIntValue(10)
        dialog.setOkButtonText("Train on")
        dialog.intValueSelected.connect(
            lambda more: self.go_on_requested.emit(entry.run, {"training.epochs": done + more, "training.patience": 0})
        )
        dialog.open()

    def _use(self) -> None:
        (entry,) = self.chosen()
        path = entry.run.weights_path
        self._worker.do(
            "use",
            lambda: load_weights(path),
            lambda weights: self.use_requested.emit(weights, path),
            self._tell_problem,
        )

    def _save_weights(self) -> None:
        (entry,) = self.chosen()
        path = entry.run.weights_path
        self._worker.do("save", lambda: load_weights(path), self.save_requested.emit, self._tell_problem)

    def _duplicate(self) -> None:
        (entry,) = self.chosen()
        self._worker.do("settings", entry.run.latest_recipe, self.duplicate_requested.emit, self._tell_problem)

    def _open_folder(self) -> None:
        for entry in self.chosen():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(entry.run.folder)))

    def _export(self) -> None:
        """Ask where to, and write what the curves show, or one run's log as a table."""
        entries = self.chosen()
        kinds = [kind for suffix, kind in _KINDS.items() if suffix != "csv" or len(entries) == 1]
        dialog = QFileDialog(self, "Export", str(Path.home()), ";;".join(kinds))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(kind[-4:-1]))
        dialog.selectFile(entries[0].name.replace("/", "-") if len(entries) == 1 else "runs")
        if dialog.exec():
            self.export(Path(dialog.selectedFiles()[0]))

    def export(self, path: Path) -> None:
        """Write what is chosen into a file, by how its name ends."""
        entries, axis, suffix = self.chosen(), Axis(self._over.value()), path.suffix.lower()[1:]
        span, logarithmic = _SPANS[self._smoothing.value()], self._logarithmic.value()
        colours = [self._colours[entry.id] for entry in entries]

        def content() -> bytes:
            traces = self._catalogue.traces(entries)
            if suffix == "csv" and len(traces) == 1:
                return to_csv(traces[0]).encode()
            if suffix not in ("png", "svg"):
                raise RunError(path, "runs are exported as .png or .svg, one run as .csv too")
            from digitpad.figures import runs_picture

            lines = [Lines.of(trace, axis, span) for trace in traces]
            return runs_picture(lines, axis, suffix, logarithmic=logarithmic, colours=colours)

        def write() -> None:
            try:
                write_atomically(path, content())
            except OSError as error:
                raise RunError(path, f"cannot be written ({error.strerror})") from error

        self._write("export", write, f"Saved {path.name}")

    def _ask_to_delete(self) -> None:
        entries = self.chosen()
        what = f"‘{entries[0].name}’" if len(entries) == 1 else f"{len(entries)} runs"
        box = QMessageBox(QMessageBox.Icon.Question, "digitpad", f"Move {what} to the trash?", parent=self)
        box.setObjectName("deleting")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText("Log, checkpoints and weights go with it. From the trash it can be put back.")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        agreed = box.addButton("Move to trash", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(agreed)
        box.setEscapeButton(box.addButton("Keep", QMessageBox.ButtonRole.RejectRole))
        box.accepted.connect(lambda: self._delete(entries))
        box.open()

    def _delete(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._write(f"delete {entry.id}", partial(to_trash, entry.run), f"‘{entry.name}’ is in the trash")

    def _write(self, key: str, work: Callable[[], object], done: str = "") -> None:
        """Have something written, tell of it, and look anew."""

        def told(_: object) -> None:
            if done:
                self._message.set_text(done)
            self.refresh()

        self._worker.do(key, work, told, self._tell_problem)

    def _say_problem(self, error: DigitpadError) -> None:
        self._message.set_text(str(error))

    def _tell_problem(self, error: DigitpadError) -> None:
        tell_problem(self, "That could not be done", error)

    # What can be done.

    def _enable(self) -> None:
        entries = self.chosen()
        one = entries[0] if len(entries) == 1 else None
        rests = one is not None and one.summary.status is not Status.RUNNING and not self._training
        has_weights = one is not None and one.summary.validation_accuracy is not None and one.summary.epoch > 0
        for action, enabled in (
            (self._rename_action, one is not None),
            (self._go_on_action, rests and one is not None and one.summary.status in _FROM_HERE),
            # A loss that ran away would do so again: that is gone on with at another rate.
            (self._train_on_action, rests and one is not None and one.summary.status is not Status.DIVERGED),
            (self._use_action, has_weights),
            (self._duplicate_action, one is not None and not self._training),
            (self._save_action, has_weights),
            (self._export_action, bool(entries)),
            (self._folder_action, bool(entries)),
            (self._delete_action, bool(entries) and all(e.summary.status is not Status.RUNNING for e in entries)),
        ):
            action.setEnabled(enabled)
        for button, action in self._buttons:
            button.setEnabled(action.isEnabled())
        n_selected = len(self._table.selectionModel().selectedRows())
        if n_selected > MAX_RUNS:
            self._message.set_text(f"The first {MAX_RUNS} of {n_selected} are shown")

    # Building.

    def _build(self) -> None:
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(4 * SPACE)
        splitter.addWidget(self._build_list())
        splitter.addWidget(self._build_curves())
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 4)
        splitter.setSizes([500, 580])
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        around = QVBoxLayout()
        around.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        around.addWidget(splitter)
        column.addLayout(around, 1)
        status = named(QWidget(), "status")
        status.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        status.setFixedHeight(29)
        row = QHBoxLayout(status)
        row.setContentsMargins(14, 0, 14, 0)
        self._message = ElidedLabel("caption", "runs_message")
        row.addWidget(self._message, 1)
        column.addWidget(status)
        self.setCentralWidget(central)

    def _build_list(self) -> QWidget:
        side = QWidget()
        side.setMinimumWidth(488)  # else there is no room for names
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * SPACE)
        frame = card("runs_card")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        self._table = _table("runs_table", "Runs")
        self._table.setModel(self._sorted)
        self._table.setSortingEnabled(True)
        self._table.sortByColumn(5, Qt.SortOrder.DescendingOrder)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self._table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._table.customContextMenuRequested.connect(self._show_context_menu)
        for place, width in enumerate((100, 58, 98, 72, 50, 92)):
            self._table.setColumnWidth(place, width)
        self._table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._table.selectionModel().selectionChanged.connect(lambda *_: self._selected())
        self._empty = label("No runs yet.\nEach training of the Train tab is listed here.", "soft", "no_runs")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.hide()
        inside.addWidget(self._table, 1)
        inside.addWidget(self._empty, 1)
        column.addWidget(frame, 1)
        self._button_row = QHBoxLayout()
        self._button_row.setSpacing(2 * SPACE)
        column.addLayout(self._button_row)
        return side

    def _build_curves(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * SPACE)
        column.addLayout(self._build_controls())
        vertical = QSplitter(Qt.Orientation.Vertical)
        vertical.setChildrenCollapsible(False)
        vertical.setHandleWidth(3 * SPACE)
        frame = card("curves_card")
        self._plot_place = QVBoxLayout(frame)
        self._plot_place.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        frame.setMinimumHeight(220)
        vertical.addWidget(frame)
        below = card("comparison_card")
        inside = QVBoxLayout(below)
        inside.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        self._values = _table("comparison_table", "Values and differing settings")
        self._values.setModel(self._comparison)
        self._values.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._values.horizontalHeader().setMaximumSectionSize(220)
        below.setMinimumHeight(120)
        inside.addWidget(self._values)
        vertical.addWidget(below)
        vertical.setStretchFactor(0, 3)
        vertical.setStretchFactor(1, 1)
        vertical.setSizes([430, 190])
        column.addWidget(vertical, 1)
        return side

    def _build_controls(self) -> QHBoxLayout:
        self._over = named(WordChoice({str(axis): words for axis, words in _AXES.items()}), "runs_axis")
        self._over.setAccessibleName("Curves over")
        self._over.setToolTip("What the curves are over")
        self._over.edited.connect(self._redraw)
        self._logarithmic = named(Check("Log"), "runs_logarithmic")
        self._logarithmic.setChecked(True)
        self._logarithmic.setToolTip("The loss on a logarithmic scale")
        self._logarithmic.edited.connect(self._set_logarithmic)
        self._smoothing = named(QSlider(Qt.Orientation.Horizontal), "runs_smoothing")
        self._smoothing.setRange(0, len(_SPANS) - 1)
        self._smoothing.setPageStep(3)
        self._smoothing.setValue(_SPANS.index(30))
        self._smoothing.setAccessibleName("Smoothing")
        self._smoothing.setToolTip("Average the training loss over about so many steps; single ones stay faint behind")
        self._smoothing.setMinimumWidth(70)
        self._smoothing.setMaximumWidth(180)
        self._smoothing.valueChanged.connect(self._smooth)
        self._span = label("", "caption", "runs_span")
        self._span.setFixedWidth(66)
        self._whole = link("Show all", "runs_whole", "Undo zooming and moving (Home, or a double click)")
        self._whole.setEnabled(False)
        self._whole.clicked.connect(self._show_all)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self._over)
        row.addWidget(self._logarithmic)
        row.addSpacing(SPACE)
        row.addWidget(label("Smoothing", "soft"))
        row.addWidget(self._smoothing, 1)
        row.addWidget(self._span)
        row.addStretch(1)
        row.addWidget(self._whole)
        self._smooth(self._smoothing.value())
        return row

    def _build_menus(self) -> None:
        bar = self.menuBar()
        self._run_menu = bar.addMenu("&Run")
        add = partial(self._action, self._run_menu)
        self._go_on_action = add("&Go on", self._go_on, "Ctrl+G")
        self._train_on_action = add("Train &on for more epochs…", self._train_on, "Ctrl+Shift+G")
        self._use_action = add("&Use in the Draw tab", self._use, "Ctrl+U")
        self._duplicate_action = add("Use its &settings in the Train tab", self._duplicate, "Ctrl+D")
        self._run_menu.addSeparator()
        self._rename_action = add("Re&name", self._edit_name, "F2")
        self._save_action = add("Save &weights as…", self._save_weights, "Ctrl+Shift+S")
        self._export_action = add("&Export as PNG, SVG or CSV…", self._export, "Ctrl+E")
        self._folder_action = add("Open its &folder", self._open_folder)
        self._run_menu.addSeparator()
        self._delete_action = add("Move to &trash…", self._ask_to_delete, QKeySequence.StandardKey.Delete)
        view = bar.addMenu("&View")
        for place, words in enumerate(_AXES.values()):
            self._action(view, words, partial(self._over.setCurrentIndex, place), f"Ctrl+{place + 1}")
        self._action(view, "&Logarithmic loss", self._logarithmic.click, "Ctrl+L")
        self._action(view, "&Show all", self._whole.click, "Ctrl+0")
        view.addSeparator()
        self._action(view, "&Refresh", self.refresh, QKeySequence.StandardKey.Refresh)
        self._action(view, "&Close", self.close, QKeySequence.StandardKey.Close)
        self._buttons = []
        for text, action, name in (
            ("Go on", self._go_on_action, "runs_go_on"),
            ("Use it", self._use_action, "runs_use"),
            ("Export…", self._export_action, "runs_export"),
        ):
            button = named(QPushButton(text), name)
            button.setToolTip(f"{action.text().replace('&', '')} ({action.shortcut().toString()})")
            button.clicked.connect(action.trigger)
            self._button_row.addWidget(button)
            self._buttons.append((button, action))
        self._button_row.addStretch(1)

    def _action(
        self, menu: QMenu, text: str, slot: Callable[[], object], key: QKeySequence.StandardKey | str | None = None
    ) -> QAction:
        action = menu.addAction(text)
        if key is not None:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _checked=False: slot())
        return action

    def _show_context_menu(self, at: QPoint) -> None:
        self._run_menu.popup(self._table.viewport().mapToGlobal(at))

    def _smooth(self, place: int) -> None:
        span = _SPANS[place]
        self._span.setText("none" if span == 1 else f"{span} steps")
        if self._lines:
            self._redraw()

    def _show_all(self) -> None:
        if self._plots is not None:
            self._plots.show_all()

    def _set_logarithmic(self) -> None:
        if self._plots is not None:
            self._plots.set_logarithmic(self._logarithmic.value())

    # Overrides of Qt's.

    def showEvent(self, event: QShowEvent) -> None:
        """Import matplotlib when the curves are first shown, and no earlier."""
        super().showEvent(event)
        if self._plots is None:
            from digitpad.gui.run_plots import RunPlots

            self._plots = RunPlots(self._theme)
            self._plots.place_changed.connect(self._comparison.set_place)
            self._plots.zoom_changed.connect(self._whole.setEnabled)
            self._plot_place.addWidget(self._plots)
            chain: list[QWidget] = [self._table, *(button for button, _ in self._buttons), self._over]
            chain += [self._logarithmic, self._smoothing, self._whole, self._plots, self._values]
            for one, other in pairwise(chain):
                QWidget.setTabOrder(one, other)
            self._table.setFocus()
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.refresh()  # another program may have trained meanwhile

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        self._settings.setValue("runs_geometry", self.saveGeometry())
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Close it for good, and wait for its thread's end."""
        self.close()
        self._worker.close()


class _RateQuestion(QInputDialog):
    """At which rate to go on; it stays open, with what was typed, until that can be one."""

    def __init__(self, question: str, recipe: Recipe, parent: QWidget) -> None:
        super().__init__(parent)
        self._question = question
        self._recipe = recipe
        self.setObjectName("lower_rate")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Go on at a lower rate")
        self.setLabelText(question)
        self.setOkButtonText("Go on")

    # Overrides of Qt's.

    def done(self, result: int) -> None:
        if result == QDialog.DialogCode.Accepted:
            try:
                self._recipe.with_values(_at_rate(self.textValue()))
            except RecipeError as error:
                self.setLabelText(f"{self._question}\n\nThe learning rate {error.problem}")
                return
        super().done(result)


def _at_rate(text: str) -> dict[str, Any]:
    return {"optimizer.learning_rate": toml_value(text)}


def to_trash(run: Run) -> None:
    """Move a run's folder to where the user can take it back from.

    Raises
    ------
    RunError
        If it is in training, or the system has no trash for it.
    """
    if run.is_in_training:
        raise RunError(run.folder, "is in training and stays")
    moved = QFile.moveToTrash(str(run.folder))
    if not (moved[0] if isinstance(moved, tuple) else moved):
        raise RunError(run.folder, "could not be moved to the trash; it stays where it is")


def _end(line: Lines, live: bool) -> float:
    """Where the axis has to end for a run: at its last point, or while it is in training where it is to end."""
    lasts = [curve.x[-1] for curve in (line.raw, *line.scores.values()) if curve.x.size]
    return float(max([1e-6, *lasts, *([line.planned] if live else [])]))


def _table(name: str, words: str) -> QTableView:
    table = named(QTableView(), name)
    table.setAccessibleName(words)
    table.setProperty("calm", True)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(26)
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return table
