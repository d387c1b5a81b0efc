from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.inspect.inspect_tab import InspectTab
from digitpad.gui.inspect.layers_view import Selection
from digitpad.gui.lessons.lesson_panel import DONE, WAITING, LessonPanel
from digitpad.gui.lessons.lesson_stage import LessonStage, written
from digitpad.gui.session import TrainingState
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import Stroke
from digitpad.teaching.lesson import TOUR, Check, lesson_files, load_lesson
from tests.unit.gui.hand import DRAW, TRAIN, find, menu_action


def panel_of(window: Window) -> LessonPanel:
    panel = window.companions.lessons.panel
    assert panel is not None
    return panel


@pytest.fixture(scope="module")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty images, which train and evaluate at once."""
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("data") / "small.npz"
    images = rng.integers(0, 255, (60, 28, 28), dtype=np.uint8)
    labels = (np.arange(60) % 10).astype(np.uint8)
    np.savez(path, x_train=images, y_train=labels, x_test=images[:20], y_test=labels[:20])
    return path


def scribble() -> Drawing:
    """A drawing that is no digit."""
    t = np.linspace(0, 60, 400)
    return Drawing((Stroke(np.column_stack([140 + (30 + t) * np.cos(3 * t), 140 + (30 + t) * np.sin(1.7 * t)])),))


def train_quickly(qtbot: QtBot, window: Window, data: Path) -> None:
    """Train for a moment with the settings of the lesson, but on a few images."""
    tab = window.page(TrainTab)
    recipe = tab.form.recipe()
    assert recipe is not None
    small = {"data.set": str(data), "training.epochs": 1, "training.batch_size": 60, "network.hidden": [4]}
    tab.form.set_recipe(recipe.with_values(small))
    window.session.set_trained(None, None)
    tab.train()
    qtbot.waitUntil(lambda: window.session.training is TrainingState.DONE)


def do(qtbot: QtBot, window: Window, check: Check, data: Path) -> None:
    """Do what a step asks for, as a pupil would."""
    session = window.session
    match check.kind:
        case "drawn" | "read as":
            session.show_page("Draw")
            session.put_drawing(written(int(check.value or 7)), "Draw")
        case "cleared":
            session.clear_drawing()
        case "not sure":
            session.put_drawing(scribble(), "Draw")
        case "pressed":
            find(window, QAbstractButton, check.name).click()
        case "unit chosen":
            window.page(InspectTab).view.choose(Selection(1, 0))
        case "trained" | "runs":
            train_quickly(qtbot, window, data)
        case "in use":
            window.page(TrainTab).board.use_requested.emit()
        case "evaluated":
            tab = window.page(EvaluateTab)
            tab.data_choice.open_set(str(data))
            tab.evaluate_or_stop()
            qtbot.waitUntil(lambda: not tab.busy)
        case "corrected":
            session.correct(7)


@pytest.mark.parametrize("path", [*lesson_files(), TOUR], ids=lambda path: path.stem)
def test_every_lesson_runs_to_its_end(qtbot: QtBot, window: Window, path: Path, small_set: Path) -> None:
    """Each step is waited for, points at something on the screen, and is done when the pupil has done it."""
    window.companions.start_lesson(path)
    panel = panel_of(window)
    assert panel.page == 0
    for number, step in enumerate(panel.lesson.steps, start=1):
        panel.next.click()
        assert panel.page == number
        if step.points_at and step.points_at not in ("use_button", "robustness_button"):
            assert window.companions.lessons._pointer.target is not None, step.points_at
        assert step.check is not None
        if not window.companions.lessons._stage.is_done(step.check):
            assert not panel.is_done
            do(qtbot, window, step.check, small_set)
        window.companions.lessons.check()
        assert panel.is_done, step.title
    panel.next.click()
    if panel.lesson.question:
        panel.show_answer()
        assert panel.lesson.answer in panel._text.text()
        panel.next.click()
    assert window.companions.lessons.panel is None


def test_the_panel_waits_and_points(qtbot: QtBot, window: Window) -> None:
    """It says what it waits for; the outline is round the pad, and the mouse passes through it."""
    window.resize(1000, 700)
    window.companions.start_lesson(lesson_files()[0])
    panel = panel_of(window)
    panel.next.click()
    assert panel._state.text() == WAITING
    assert panel.next.text() == "Skip"
    outline, pad = find(window, QWidget, "pointer"), find(window, QWidget, "pad")
    assert outline.isVisible()
    assert (outline.geometry().center() - pad.mapTo(window, pad.rect().center())).manhattanLength() < 30
    inside = outline.geometry().topLeft() + QPoint(20, 20)
    assert window.childAt(inside) is not outline
    window.session.put_drawing(written(7), "Draw")
    qtbot.waitUntil(lambda: panel._state.text() == DONE)
    assert panel.next.text() == "Next"
    window.companions.lessons.leave()


def test_the_panel_stands_where_there_is_room(window: Window) -> None:
    """Beside the tabs in a wide window, below them in a narrow one; nothing is taken from the window."""
    window.resize(1600, 900)
    window.companions.start_lesson(TOUR)
    panel = panel_of(window)
    assert panel.height() > panel.width()
    window.resize(960, 640)
    assert panel.width() > panel.height()
    menu_action(window, "Train").trigger()
    assert window.page_index in (DRAW, TRAIN)


def test_a_broken_lesson_is_named(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """A file that was dropped: the error has its name and the line, and the lesson before goes on."""
    window.companions.start_lesson(TOUR)
    path = tmp_path / "mine.md"
    path.write_text("---\ntitle: Mine\n---\n## Step\ntab: Paint\n\nText.\n", encoding="utf-8")
    window.clipboard.open_any(path)
    box = find(window, QMessageBox, "problem")
    assert "mine.md line 5: tab: expected Draw" in box.informativeText()
    with qtbot.waitSignal(box.destroyed):
        box.close()
    assert panel_of(window).lesson.path == TOUR


def test_checks_that_no_built_in_lesson_uses(window: Window) -> None:
    """A setting, an accuracy, and a tab."""
    stage = LessonStage(window)
    window.session.use_recipe(window.page(TrainTab).form.base_recipe.with_values({"training.epochs": 3}))
    assert stage.is_done(Check("setting", "training.epochs", "3"))
    assert not stage.is_done(Check("setting", "training.epochs", "4"))
    assert not stage.is_done(Check("setting", "no.such", "4"))
    assert stage.is_done(Check("tab", "", "Train"))
    assert not stage.is_done(Check("tab", "", "Runs"))
    assert not stage.is_done(Check("trained to", "", "97"))
    assert load_lesson(TOUR).steps[3].check == Check("tab", "", "Inside")


def test_the_first_steps_are_shown_once(qtbot: QtBot, window: Window) -> None:
    """At the first start, after the window stands; never again, and not to people who used the window before."""
    window.companions.offer_tour()
    qtbot.waitUntil(lambda: window.companions.lessons.panel is not None)
    assert panel_of(window).lesson.path == TOUR
    assert not window.session.preferences.take_tour()
    window.session.preferences.set_flag("tour_shown", False)
    window.session.preferences.set_geometry("geometry", window.saveGeometry())
    assert not window.session.preferences.take_tour()
