import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QMessageBox, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import mnist
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.session import TrainingState
from digitpad.gui.shell.window import Window
from digitpad.gui.train.image_grid import ImageGrid
from digitpad.gui.train.train_tab import CHANGE_AFTER_MS, TrainTab
from digitpad.gui.train.training_task import SettingsChanged, TrainingReport, TrainingStart
from digitpad.gui.widgets.basics import Tabs, Tile
from digitpad.runs.run import Run, RunStatus, all_runs
from digitpad.runs.run_comparison import format_duration
from digitpad.system import blas_threads
from digitpad.training.events import EpochDone
from digitpad.training.recipe_library import Recipes
from digitpad.training.snapshots import TrainingSnapshot
from digitpad.training.trainer import Trainer
from digitpad.weights.native_format import load_weights
from tests.unit.gui.geometry import assert_text_fits
from tests.unit.gui.hand import DRAW, TRAIN, draw, find, placed, reading

TRAINING_MS = 60_000

SEEN = TrainingSnapshot(np.zeros((1, 28, 28), np.uint8), np.zeros((1, 28, 28), np.uint8))


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    """Return a folder of four IDX files with a few built-in digits."""
    folder = tmp_path / "small"
    folder.mkdir()
    data = mnist()
    for part, digits in (("train", data.training[:3000]), ("t10k", data.test[:500])):
        for content, array in (("images-idx3", digits.images), ("labels-idx1", digits.labels)):
            header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
            (folder / f"{part}-{content}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes(), 1))
    return folder


@pytest.fixture
def training_window(window: Window, recipes: Recipes, small_set: Path) -> Window:
    """Return the window on its Train tab, with settings for 8 short epochs."""
    window.show_page(TRAIN)
    settings = {"training.epochs": 8, "network.hidden": [64], "data.set": str(small_set)}
    window.page(TrainTab).form.set_recipe(recipes.shipped["quick"].with_values(settings))
    return window


def click(qtbot: QtBot, window: Window, name: str) -> None:
    qtbot.mouseClick(find(window, QPushButton, name), Qt.MouseButton.LeftButton)


def wait_for(qtbot: QtBot, window: Window, state: TrainingState) -> None:
    qtbot.waitUntil(lambda: window.page(TrainTab).state is state, timeout=TRAINING_MS)


def event_of(qtbot: QtBot, tab: TrainTab, kind: type) -> Any:
    """Return a context manager that waits for an event of a training run."""
    return qtbot.waitSignal(tab.progressed, timeout=TRAINING_MS, check_params_cb=lambda event: isinstance(event, kind))


@contextmanager
def no_event_of(qtbot: QtBot, tab: TrainTab, kind: type, wait_ms: int) -> Iterator[None]:
    """Fail if an event of a training run comes within this time."""
    events: list[object] = []
    tab.progressed.connect(events.append)
    yield
    QTest.qWait(wait_ms)
    assert not [event for event in events if isinstance(event, kind)]


def test_trained_network_can_be_used(qtbot: QtBot, training_window: Window) -> None:
    """Training ends with its results shown, and the Draw tab can use the trained network."""
    window = training_window
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 250))
    click(qtbot, window, "train_button")
    assert window.page(TrainTab).state is TrainingState.RUNNING
    wait_for(qtbot, window, TrainingState.DONE)
    outcome = window.page(TrainTab).outcome
    assert outcome is not None
    assert outcome.result is not None
    assert outcome.result.epochs == 8
    assert outcome.result.test.accuracy > 0.8
    assert find(window, Tile, "tile_epoch").value == "8 / 8"
    assert find(window, Tile, "tile_left").value == f"{100 * outcome.result.test.accuracy:.2f}\N{NO-BREAK SPACE}%"
    assert find(window, QLabel, "pinned_answer").text().startswith("7 · ")
    click(qtbot, window, "use_button")
    assert window.session.weights is outcome.weights
    assert reading(window).digit == 7


def test_each_run_is_saved_to_its_own_file(qtbot: QtBot, training_window: Window) -> None:
    """Each run is saved to its own file without a dialog."""
    paths = []
    for _ in range(2):
        training_window.page(TrainTab).train()
        wait_for(qtbot, training_window, TrainingState.DONE)
        outcome = training_window.page(TrainTab).outcome
        assert outcome is not None
        assert outcome.path is not None
        paths.append(outcome.path)
    assert paths[0] != paths[1]
    one, other = (load_weights(path) for path in paths)
    np.testing.assert_array_equal(one.parameters, other.parameters)
    assert one.test_accuracy is not None


def test_events_come_in_order(qtbot: QtBot, training_window: Window) -> None:
    """Events come in order, and every step is reported once."""
    tab = training_window.page(TrainTab)
    seen: list[str] = []
    steps: list[int] = []
    tab.train()

    def note(event: object) -> None:
        match event:
            case TrainingStart():
                seen.append("started")
            case TrainingReport(first_step=first, losses=losses):
                steps.extend(range(first, first + len(losses)))
            case EpochDone(epoch=epoch):
                seen.append(f"epoch {epoch}")

    tab.progressed.connect(note)
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert seen == ["started", *(f"epoch {n}" for n in range(9))]
    assert steps == list(range(1, 8 * 20 + 1))


def test_training_can_be_paused_and_resumed(qtbot: QtBot, training_window: Window) -> None:
    """Pause stops all events, and Resume completes all epochs."""
    tab = training_window.page(TrainTab)
    form = tab.form
    form.set_recipe(form.base_recipe.with_values({"training.epochs": 60}))
    tab.train()
    with event_of(qtbot, tab, EpochDone):
        pass
    click(qtbot, training_window, "train_button")
    wait_for(qtbot, training_window, TrainingState.PAUSED)
    qtbot.waitUntil(lambda: all_runs()[0].summary().status is RunStatus.PAUSED)
    assert training_window.session.message == "Paused own"
    assert find(training_window, Tile, "tile_left").value == "Paused"
    QApplication.processEvents()  # the last events before the pause
    with qtbot.assertNotEmitted(tab.progressed, wait=300):
        QApplication.processEvents()
    click(qtbot, training_window, "train_button")
    wait_for(qtbot, training_window, TrainingState.RUNNING)
    assert training_window.session.message == "Training own…"
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert tab.outcome is not None
    assert tab.outcome.result is not None
    assert tab.outcome.result.epochs == 60


def test_closing_question_states_that_training_is_paused(
    qtbot: QtBot, training_window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question before closing says whether training runs or is paused."""
    asked: list[str] = []

    def refuse(_parent: object, title: str, *_: str) -> bool:
        asked.append(title)
        return False

    monkeypatch.setattr("digitpad.gui.shell.window.confirm", refuse)
    tab = long_training(qtbot, training_window)
    training_window.close()
    tab.toggle_pause()
    training_window.close()
    assert asked == ["Training is still running.", "Training is paused."]


def test_stopped_run_can_be_used(qtbot: QtBot, training_window: Window) -> None:
    """A stopped run is evaluated and can be used."""
    tab = training_window.page(TrainTab)
    tab.form.set_recipe(tab.form.base_recipe.with_values({"training.epochs": 5000}))
    tab.train()
    with event_of(qtbot, tab, TrainingReport):
        pass
    click(qtbot, training_window, "stop_button")
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert tab.outcome is not None
    assert tab.outcome.result is not None
    assert tab.outcome.result.test.n == 500
    assert find(training_window, QPushButton, "use_button").isVisible()


def test_stop_while_paused(qtbot: QtBot, training_window: Window) -> None:
    """A paused run can be stopped."""
    tab = training_window.page(TrainTab)
    tab.form.set_recipe(tab.form.base_recipe.with_values({"training.epochs": 5000}))
    tab.train()
    with event_of(qtbot, tab, TrainingReport):
        pass
    tab.toggle_pause()
    tab.stop()
    wait_for(qtbot, training_window, TrainingState.DONE)


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("hidden", "128, 0", "Enter 1 to 4,096"),
        ("hidden", "many", "Unknown layer"),
        ("hidden", "-5", "Enter 1 to 4,096"),
        ("batch_size", "1000000000", "Enter 1 to 10,000"),
        ("learning_rate", "-1", "Enter more than 0"),
        ("learning_rate", "nan", "Enter more than 0"),
        ("learning_rate", "", "is not a number"),
        ("epochs", "0", "Enter 1 to"),
        ("seed", "-3", "Enter 0 to"),
    ],
)
def test_invalid_setting_is_reported_at_its_field(
    qtbot: QtBot, training_window: Window, field: str, text: str, problem: str
) -> None:
    """The error appears while typing, and training does not start."""
    edit = find(training_window, QLineEdit, field)
    edit.clear()
    edit.insert(text)
    edit.textEdited.emit(text)
    assert problem in find(training_window, QLabel, f"{field}_error").text()
    click(qtbot, training_window, "train_button")
    assert training_window.page(TrainTab).state is TrainingState.IDLE
    assert "training" not in [thread.name for thread in threading.enumerate()]


def test_editing_a_recipe_selects_custom(training_window: Window) -> None:
    """An edit of a recipe changes the choice to Custom."""
    form = training_window.page(TrainTab).form
    preset = find(training_window, QComboBox, "preset")
    preset.setCurrentIndex(preset.findData("momentum-dropout"))
    recipe = form.recipe()
    assert recipe is not None
    assert recipe.network.hidden == (256, 128)
    assert recipe.name == "momentum-dropout"
    edit = find(training_window, QLineEdit, "hidden")
    edit.setText("20")
    edit.textEdited.emit("20")
    assert preset.currentText() == "Custom"


def test_form_keeps_built_in_recipes_unchanged(training_window: Window, recipes: Recipes) -> None:
    """Every built-in recipe goes through the form unchanged."""
    for recipe in recipes.shipped.values():
        training_window.page(TrainTab).form.set_recipe(recipe)
        result = training_window.page(TrainTab).form.recipe()
        assert result is not None
        assert result.with_values({"description": recipe.description}) == recipe


def test_folder_without_data_is_reported(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """The error names the folder, and the tab returns to idle."""
    window.show_page(TRAIN)
    (tmp_path / "empty").mkdir()
    form = window.page(TrainTab).form
    form.set_recipe(form.base_recipe.with_values({"data.set": str(tmp_path / "empty")}))
    with qtbot.waitSignal(window.session.error_raised, timeout=TRAINING_MS) as blocker:
        window.page(TrainTab).train()
    assert "empty" in str(blocker.args[1])
    assert window.page(TrainTab).state is TrainingState.IDLE
    find(window, QMessageBox, "problem").close()


def test_unsuitable_dataset_is_refused_and_keeps_the_last_result(
    qtbot: QtBot, training_window: Window, tmp_path: Path
) -> None:
    """An unsuitable CSV is refused at its field when it is selected; a run that can't start keeps the last result."""
    tab = training_window.page(TrainTab)
    tab.train()
    wait_for(qtbot, training_window, TrainingState.DONE)
    outcome, epochs = tab.outcome, find(training_window, Tile, "tile_epoch").value
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("1,2,3\n" * 50)
    good = tab.form.data_choice.value()
    tab.form.data_choice.open_set(str(wrong))
    tab.train()  # before the check can end
    if tab.busy:
        with qtbot.waitSignal(training_window.session.error_raised):
            pass
        find(training_window, QMessageBox, "problem").close()
    error = find(training_window, QLabel, "data_set_error")
    tab.form.data_choice.activated.emit(tab.form.data_choice.currentIndex())
    qtbot.waitUntil(lambda: "wrong.csv" in error.text())

    def fits() -> bool:
        assert_text_fits(error)
        return True

    qtbot.waitUntil(fits)  # after the form is laid out again
    click(qtbot, training_window, "train_button")
    assert tab.state is TrainingState.DONE
    assert tab.outcome is outcome
    assert training_window.session.trained is not None
    assert find(training_window, Tile, "tile_epoch").value == epochs
    assert find(training_window, QPushButton, "use_button").isVisible()
    assert not tab.board.is_empty
    tab.form.data_choice.open_set(good)
    assert tab.form.recipe() is not None


def test_hint_describes_the_planned_training(qtbot: QtBot, window: Window) -> None:
    """A hint in the empty axes describes the planned training."""
    window.show_page(TRAIN)
    tab = window.page(TrainTab)
    qtbot.waitUntil(lambda: tab.board.loss_curves is not None)
    assert tab.board.loss_curves is not None
    assert "Train runs 8 epochs of 784-512-128-10" in tab.board.loss_curves.hint
    tab.form.set_recipe(tab.form.base_recipe.with_values({"training.epochs": 1}))
    assert "Train runs 1 epoch of" in tab.board.loss_curves.hint


def test_curves_created_later_show_all_epochs(qtbot: QtBot, training_window: Window) -> None:
    """Curves that are created after training has started show all epochs of it."""
    tab = training_window.page(TrainTab)
    assert tab.board.loss_curves is None
    tab.train()
    wait_for(qtbot, training_window, TrainingState.DONE)
    qtbot.waitUntil(lambda: tab.board.loss_curves is not None)
    assert tab.board.loss_curves is not None
    assert tab.board.loss_curves.n_epochs == 8
    assert len(tab.board.loss_curves.lines["validation"].get_xdata()) == 9


def test_plan_follows_the_typed_values(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan follows the last typed value, without an update for every key."""
    tab = window.page(TrainTab)
    window.show_page(TRAIN)
    qtbot.waitUntil(lambda: tab.board.loss_curves is not None and "Train runs" in tab.board.loss_curves.hint)
    plans: list[int] = []
    monkeypatch.setattr(tab.board, "set_plan", lambda epochs, _hint="": plans.append(epochs))
    edit = find(tab.form, QLineEdit, "epochs")
    for epochs in range(1, 31):
        edit.setText(str(epochs))
        edit.textEdited.emit(edit.text())
    qtbot.waitUntil(lambda: plans[-1:] == [30])
    assert len(plans) < 30


def test_full_disk_does_not_end_training(
    qtbot: QtBot, training_window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk gives an error, and the result can still be used."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("digitpad.weights.native_format.write_atomically", full)
    with qtbot.waitSignal(
        training_window.session.error_raised,
        timeout=TRAINING_MS,
        check_params_cb=lambda what, why: "cannot be saved" in what and "No space left" in str(why),
    ):
        training_window.page(TrainTab).train()
    find(training_window, QMessageBox, "problem").close()
    wait_for(qtbot, training_window, TrainingState.DONE)
    outcome = training_window.page(TrainTab).outcome
    assert outcome is not None
    assert outcome.path is None


def test_format_duration() -> None:
    """Times have minutes and seconds, and hours if there are any."""
    assert [format_duration(9), format_duration(61.4), format_duration(3725)] == ["0:09", "1:01", "1:02:05"]


def test_diverged_run_keeps_its_best_epoch(
    qtbot: QtBot, training_window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A diverged run keeps its best epoch, and an error names the step."""
    learn = Trainer._learn

    def learn_for_a_while(trainer: Trainer, images: NDArray[np.uint8], labels: NDArray[np.uint8], rate: float) -> float:
        return np.nan if trainer.step == 50 else learn(trainer, images, labels, rate)

    monkeypatch.setattr(Trainer, "_learn", learn_for_a_while)
    with qtbot.waitSignal(training_window.session.error_raised, timeout=TRAINING_MS) as blocker:
        training_window.page(TrainTab).train()
    find(training_window, QMessageBox, "problem").close()
    assert "at step 50" in str(blocker.args[1])
    outcome = training_window.page(TrainTab).outcome
    assert outcome is not None
    assert outcome.path is not None
    assert load_weights(outcome.path).about["epoch"] == 2


def test_key_starts_pauses_and_resumes(qtbot: QtBot, training_window: Window) -> None:
    """Ctrl+T starts, pauses and resumes training."""
    tab = training_window.page(TrainTab)
    tab.form.set_recipe(tab.form.base_recipe.with_values({"training.epochs": 5000}))
    for state in (TrainingState.RUNNING, TrainingState.PAUSED, TrainingState.RUNNING):
        qtbot.keyClick(training_window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
        wait_for(qtbot, training_window, state)
    with event_of(qtbot, tab, TrainingReport):
        pass
    qtbot.keyClick(training_window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    tab.train_or_pause()
    assert len(all_runs()) == 1, "a second training began while the first one was stopping"
    wait_for(qtbot, training_window, TrainingState.DONE)


def test_starting_from_a_field_focuses_pause(qtbot: QtBot, training_window: Window) -> None:
    """Starting from a field, which becomes disabled, moves the focus to the Pause button."""
    find(training_window, QLineEdit, "epochs").setFocus()
    qtbot.keyClick(training_window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert find(training_window, QPushButton, "train_button").hasFocus()
    wait_for(qtbot, training_window, TrainingState.DONE)


def test_late_prediction_of_a_cleared_digit_is_not_shown(qtbot: QtBot, training_window: Window) -> None:
    """A late report for the previous digit is not shown for the empty pad."""
    tab = training_window.page(TrainTab)
    draw(training_window.page(DrawTab).pad, placed(7, 100, 100, 250))
    assert tab.board.pinned is not None
    late = TrainingReport(1, (0.5,), 100, 1.0, 1.0, tab.board.pinned.image, (0.1,) * 10, SEEN, 0.0)
    training_window.page(DrawTab).pad.clear()
    tab.board.reported(late)
    tab.board.draw_moment()
    assert find(training_window, QLabel, "pinned_answer").text() == ""


def test_wheel_does_not_change_a_choice(training_window: Window) -> None:
    """The wheel does not change a choice without the focus."""
    box = find(training_window, QComboBox, "activation")
    box.clearFocus()
    before = box.currentText()
    at = QPointF(5, 5)
    event = QWheelEvent(
        at, box.mapToGlobal(at), QPoint(0, -120), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, event)
    assert box.currentText() == before


def preparing(qtbot: QtBot, window: Window) -> None:
    """Start a training run with far more drawings to generate than there is time for."""
    form = window.page(TrainTab).form
    recipe = form.recipe()
    assert recipe is not None
    form.set_recipe(recipe.with_values({"data.pen_digits": 500_000, "data.non_digits": 10}))
    window.page(TrainTab).train()
    bar = find(window, QProgressBar, "training_progress")
    qtbot.waitUntil(lambda: bar.value() > 0 and bar.maximum() == 550_010, timeout=10_000)


def test_generation_of_drawings_can_be_stopped(qtbot: QtBot, training_window: Window) -> None:
    """Stop ends the generation of drawings at once and returns to idle."""
    preparing(qtbot, training_window)
    tab = training_window.page(TrainTab)
    tab.stop()
    qtbot.waitUntil(lambda: tab.state is TrainingState.IDLE, timeout=5_000)
    assert tab.outcome is None


def test_closing_ends_the_generation_of_drawings(qtbot: QtBot, training_window: Window) -> None:
    """Closing ends the generation of drawings at once."""
    preparing(qtbot, training_window)
    assert training_window.page(TrainTab).finish_work() == ""
    assert training_window.page(TrainTab).state is TrainingState.IDLE


def test_generation_of_drawings_can_be_paused(qtbot: QtBot, training_window: Window) -> None:
    """The generation of drawings can be paused."""
    preparing(qtbot, training_window)
    tab = training_window.page(TrainTab)
    tab.toggle_pause()
    assert tab.state is TrainingState.PAUSED
    tab.stop()
    qtbot.waitUntil(lambda: tab.state is TrainingState.IDLE, timeout=5_000)


def set_field(window: Window, name: str, text: str) -> None:
    """Enter text in a field as typing does."""
    field = find(window, QLineEdit, name)
    field.clear()
    field.insert(text)
    field.textEdited.emit(text)


def long_training(qtbot: QtBot, window: Window, **settings: object) -> TrainTab:
    """Start a long training run and wait for its first steps."""
    tab = window.page(TrainTab)
    values = {"training.epochs": 5000} | {key.replace("__", "."): value for key, value in settings.items()}
    tab.form.set_recipe(tab.form.base_recipe.with_values(values))
    tab.train()
    qtbot.waitUntil(lambda: tab.board.n_steps > 0, timeout=TRAINING_MS)
    return tab


def test_settings_can_change_during_training(qtbot: QtBot, training_window: Window) -> None:
    """A new learning rate applies from the next step and is marked in the curves; fixed settings are disabled."""
    tab = long_training(qtbot, training_window)
    assert not find(training_window, QLineEdit, "hidden").isEnabled()
    assert not find(training_window, QLineEdit, "dropout").isEnabled()
    assert find(training_window, QLineEdit, "learning_rate").isEnabled()
    with event_of(qtbot, tab, SettingsChanged) as blocker:
        set_field(training_window, "learning_rate", "0.004")
    change, recipe = blocker.args[0].change, blocker.args[0].recipe
    assert change.settings == {"optimizer.learning_rate": 0.004}
    assert recipe.optimizer.learning_rate == 0.004
    with event_of(qtbot, tab, SettingsChanged):
        set_field(training_window, "epochs", "6000")
    assert find(training_window, QProgressBar, "training_progress").maximum() == 6000 * 20
    assert [list(item.settings) for item in tab.board.changes] == [
        ["optimizer.learning_rate"],
        ["training.epochs"],
    ]
    qtbot.waitUntil(lambda: tab.board.loss_curves is not None)
    assert tab.board.loss_curves is not None
    assert [text for _, text in tab.board.loss_curves.marks] == ["learning rate 0.004", "epochs 6000"]
    tab.stop()
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert tab.outcome is not None
    assert [change["settings"] for change in tab.outcome.weights.about["changes"]] == [
        {"optimizer.learning_rate": 0.004},
        {"training.epochs": 6000},
    ]


def test_epochs_can_be_lowered_during_training(qtbot: QtBot, training_window: Window) -> None:
    """Lowering the epochs below the current one ends training with it, and all figures are consistent."""
    tab = long_training(qtbot, training_window)
    qtbot.waitUntil(lambda: tab.board.n_steps > 5 * 20, timeout=TRAINING_MS)
    reports: list[TrainingReport] = []
    tab.progressed.connect(lambda event: reports.append(event) if isinstance(event, TrainingReport) else None)
    with event_of(qtbot, tab, SettingsChanged) as blocker:
        set_field(training_window, "epochs", "2")
    epochs = blocker.args[0].recipe.training.epochs
    assert epochs >= 6
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert tab.outcome is not None
    assert tab.outcome.result is not None
    assert tab.outcome.result.epochs == epochs
    assert find(training_window, QLineEdit, "epochs").text() == str(epochs)
    assert find(training_window, Tile, "tile_epoch").value == f"{epochs} / {epochs}"
    assert all(report.seconds_left is None or report.seconds_left >= 0 for report in reports)
    qtbot.waitUntil(lambda: tab.board.loss_curves is not None)
    assert tab.board.loss_curves is not None
    assert tab.board.loss_curves.n_epochs == epochs
    best = tab.outcome.result.best_epoch
    for name in ("tile_accuracy", "tile_left"):
        assert f"epoch {best}:" in find(training_window, Tile, name).accessibleName()


def test_dropout_can_change_during_training(qtbot: QtBot, training_window: Window) -> None:
    """Dropout can change during training if the network has dropout."""
    tab = long_training(qtbot, training_window, network__dropout=0.2)
    with event_of(qtbot, tab, SettingsChanged) as blocker:
        set_field(training_window, "dropout", "0.1")
    assert blocker.args[0].change.settings == {"network.dropout": 0.1}
    tab.stop()
    wait_for(qtbot, training_window, TrainingState.DONE)


def test_closing_pauses_the_run(qtbot: QtBot, training_window: Window) -> None:
    """A run closed within an epoch can be resumed to its end, with its earlier curves."""
    tab = long_training(qtbot, training_window)
    assert tab.finish_work() == ""
    (run,) = all_runs()
    summary = run.summary()
    assert summary.status is RunStatus.PAUSED
    before = len(run.history().losses)
    assert before == summary.step
    tab.resume(run, {"training.epochs": summary.epoch + 2})
    with event_of(qtbot, tab, EpochDone):
        pass
    assert tab.board.n_steps >= before
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert tab.outcome is not None
    assert tab.outcome.path == run.weights_path
    assert run.summary().status is RunStatus.FINISHED
    assert [epoch.epoch for epoch in run.history().epochs] == list(range(summary.epoch + 3))


def test_run_trained_by_another_window_is_refused(qtbot: QtBot, training_window: Window) -> None:
    """An error says that the run is in training, and the tab returns to idle."""
    tab = long_training(qtbot, training_window)
    tab.finish_work()
    (run,) = all_runs()
    run.lock()
    with qtbot.waitSignal(training_window.session.error_raised, timeout=TRAINING_MS) as blocker:
        tab.resume(Run.open(run.folder))
    find(training_window, QMessageBox, "problem").close()
    assert "already in training" in str(blocker.args[1])
    assert tab.state is TrainingState.IDLE
    run.unlock()


def test_first_layer_and_batch_are_shown(qtbot: QtBot, training_window: Window) -> None:
    """The tab shows the batch and the first layer, and an earlier first layer at an earlier point."""
    tab = long_training(qtbot, training_window)
    for _ in range(3):
        with event_of(qtbot, tab, TrainingReport):
            pass
    tab.redraw()
    assert find(training_window, ImageGrid, "batch_grid").n_images == 24
    grid = find(training_window, ImageGrid, "weights_grid")
    assert grid.n_images == 24
    tab.board.scrubber.go_to(0)
    assert grid.images is tab.board.history.kept[0].weights
    tab.board.scrubber.go_to(None)
    assert grid.images is tab.board.history.kept[-1].weights
    assert not np.array_equal(tab.board.history.kept[0].weights, tab.board.history.kept[-1].weights)
    tab.finish_work()


def test_hint_names_the_problem(qtbot: QtBot, training_window: Window) -> None:
    """A hint names a learning rate that is too low."""
    tab = long_training(qtbot, training_window, optimizer__method="sgd", optimizer__learning_rate=1e-7)
    hint = find(training_window, QLabel, "training_hint")
    qtbot.waitUntil(lambda: "too low" in hint.text(), timeout=TRAINING_MS)
    tab.finish_work()
    training_window.resize(960, 640)
    QApplication.processEvents()
    assert_text_fits(hint)


def test_resumed_run_keeps_its_changed_settings(qtbot: QtBot, training_window: Window) -> None:
    """The form shows the settings of the resumed run, and old values are not applied as changes."""
    tab = long_training(qtbot, training_window)
    with event_of(qtbot, tab, SettingsChanged):
        set_field(training_window, "learning_rate", "0.0123")
    assert tab.finish_work() == ""
    (run,) = all_runs()
    tab.resume(run, {"training.epochs": 7000})
    with event_of(qtbot, tab, SettingsChanged):
        pass
    with no_event_of(qtbot, tab, SettingsChanged, CHANGE_AFTER_MS + 500):
        pass
    fields = [find(training_window, QLineEdit, name).text() for name in ("learning_rate", "epochs")]
    assert fields == ["0.0123", "7000"]
    assert tab.running is not None
    assert (tab.running.optimizer.learning_rate, tab.running.training.epochs) == (0.0123, 7000)
    tab.finish_work()


def test_resumed_run_keeps_its_number_of_threads(
    qtbot: QtBot, training_window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resumed run uses its original number of BLAS threads, for identical results, and then restores the number."""
    tab = long_training(qtbot, training_window)
    tab.finish_work()
    (run,) = all_runs()
    before = blas_threads.thread_count()
    about = {**run.about, "blas_threads": before + 1}
    asked: list[int] = []
    set_threads = blas_threads.set_threads

    def noted(count: int) -> None:
        asked.append(count)
        set_threads(count)

    monkeypatch.setattr(blas_threads, "set_threads", noted)
    tab.resume(Run(run.folder, about, run.recipe))
    with event_of(qtbot, tab, EpochDone):
        pass
    tab.finish_work()
    assert asked == [before + 1, before]
    assert blas_threads.thread_count() == before


def test_progress_is_visible_on_every_tab(qtbot: QtBot, training_window: Window) -> None:
    """The tab of a training run shows its progress until it has ended."""
    tab, bar = long_training(qtbot, training_window, training__epochs=40), find(training_window, Tabs, "tab_bar")
    qtbot.waitUntil(lambda: bar.progress(TRAIN) is not None)
    training_window.show_page(DRAW)
    qtbot.waitUntil(lambda: (bar.progress(TRAIN) or 0) > 0.1)
    assert "% done" in bar.accessibleTabName(TRAIN)
    bar.grab()
    tab.stop()
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert bar.progress(TRAIN) is None
    assert bar.accessibleTabName(TRAIN) == "Train"


def test_primary_button_depends_on_the_state(qtbot: QtBot, training_window: Window) -> None:
    """The primary button is Train, and after training the button that uses the network."""
    tab = training_window.page(TrainTab)

    def primary() -> list[str]:
        buttons = tab.findChildren(QPushButton)
        return [
            button.objectName() for button in buttons if button.property("kind") == "primary" and button.isVisible()
        ]

    assert primary() == ["train_button"]
    tab.train()
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert primary() == ["use_button"]


def test_tab_order(qtbot: QtBot, training_window: Window) -> None:
    """Tab goes through the settings, Train, the charts and Save as; charts have accessible names and values."""
    tab = training_window.page(TrainTab)
    qtbot.waitUntil(lambda: tab.board.loss_curves is not None)
    tab.train()
    wait_for(qtbot, training_window, TrainingState.DONE)
    assert find(training_window, QLabel, "loss_heading").text() == "Loss · own"
    find(training_window, QPushButton, "more_settings").setFocus()
    visited = []
    while (widget := QApplication.focusWidget()) is not None and widget.objectName() != "save_button":
        visited.append(widget.objectName())
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    names = ["loss_curves", "views_accuracy", "accuracy_curves", "scrubber", "use_button"]
    assert visited == ["more_settings", "train_button", *names]
    curves = tab.board.loss_curves
    assert curves is not None
    assert curves.accessibleName() == "Loss by epoch"
    assert curves.accessibleDescription().startswith("Epoch 8: training 0.")


def test_figures_are_not_cut_off(qtbot: QtBot, training_window: Window) -> None:
    """All titles and figures of the tiles are readable at the smallest window size."""
    training_window.resize(training_window.minimumSize())
    tab = training_window.page(TrainTab)
    tab.train()
    wait_for(qtbot, training_window, TrainingState.DONE)

    def all_fit() -> None:
        for tile in tab.findChildren(Tile):
            for label in tile.findChildren(QLabel):
                if label.text():
                    assert_text_fits(label)

    qtbot.waitUntil(all_fit)  # once the layout has made room for the last figures
