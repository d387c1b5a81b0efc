import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.help.curve_pictures import CURVES
from digitpad.gui.help.digit_pictures import DIGIT_PICTURES, Subject
from digitpad.gui.help.help_window import HelpWindow
from digitpad.gui.help.pictures import picture_image
from digitpad.gui.help.term_card import TermCard, nearest_button
from digitpad.gui.pages import PAGES
from digitpad.gui.runs.runs_window import RunsWindow
from digitpad.gui.shell.window import Window
from digitpad.gui.train.settings_fields import FIELDS
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.basics import Tile
from digitpad.gui.widgets.setting_labels import SETTING_TERMS
from digitpad.gui.widgets.term_button import SIDE_PX, TermButton
from digitpad.plotting.palette import DARK, LIGHT
from digitpad.teaching.help_library import HelpLibrary
from digitpad.weights.native_format import Weights
from tests.unit.gui.hand import TRAIN, draw, find, placed


def buttons(window: QWidget, term: str) -> list[TermButton]:
    return [button for button in window.findChildren(TermButton) if button.term == term]


def test_every_term_on_the_tabs_is_explained(window: Window) -> None:
    """Each setting, each heading of the form, and each label or tile that is a term of the help has its ⓘ.

    An ⓘ measures 24 pixels and more, is in the order of Tab, and has a name that is a question.
    """
    draw(window.page(DrawTab).pad, placed(3, 100, 100, 250))
    for index in range(len(PAGES)):
        window.show_page(index)
    form = window.page(TrainTab).form
    for fields in FIELDS.values():
        for field in fields:
            (button,) = form.rows[field.key].name.findChildren(TermButton)
            assert button.term == SETTING_TERMS[field.key]
    headings = [label for label in form.findChildren(QLabel) if label.property("role") == "heading"]
    assert [label.text() for label in headings if not label.findChildren(TermButton)] == []

    terms = {label: term.name for term in HelpLibrary().terms for label in term.labels}
    known = {button.term for button in window.findChildren(TermButton)}
    roles = ("heading", "strong", "soft", "caption")
    labels = {label.text() for label in window.findChildren(QLabel) if label.property("role") in roles}
    missing = {label for label in labels if label in terms and terms[label] not in known}
    assert missing == set()
    tiles = [tile._title.text() for tile in window.findChildren(Tile) if not tile.findChildren(TermButton)]
    assert tiles == []
    assert known <= {term.name for term in HelpLibrary().terms}
    for term in (
        "learning-rate",
        "confusion-matrix",
        "softmax",
        "calibration",
        "first-layer",
        "map",
        "robustness",
        "correction",
        "adaptation",
    ):
        assert buttons(window, term), term

    for button in window.findChildren(TermButton):
        assert min(button.width(), button.height()) >= SIDE_PX
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert button.accessibleName().startswith("What is ")


def test_a_card_opens_by_keyboard_and_leads_into_the_help(qtbot: QtBot, window: Window) -> None:
    """Space shows it, Escape closes it, Enter opens the page of the term."""
    window.show_page(TRAIN)
    (button,) = buttons(window, "dropout")
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        qtbot.keyClick(button, Qt.Key.Key_Space)
        card = find(window, TermCard)
        assert card.accessibleName() == "Dropout"
        assert "switches some units off" in card.accessibleDescription()
        with qtbot.waitSignal(card.destroyed):
            qtbot.keyClick(card, key)
    assert find(window, HelpWindow).page.name == "terms/dropout.md"


def test_a_card_stays_on_the_screen(qtbot: QtBot, window: Window) -> None:
    """Also that of a button at the lower right edge."""
    screen = window.screen().availableGeometry()
    window.move(screen.bottomRight() - QPoint(300, 200))
    (button,) = buttons(window, "probability")
    button.click()
    card = find(window, TermCard)
    assert screen.contains(QRect(card.pos(), card.size()))
    card.close()


def test_shift_f1_explains_the_field_with_the_focus(qtbot: QtBot, window: Window) -> None:
    """Its own ⓘ is the nearest."""
    window.show_page(TRAIN)
    form = window.page(TrainTab).form
    qtbot.wait(1)
    for key in ("network.dropout", "optimizer.learning_rate", "training.epochs"):
        form.rows[key].editor.setFocus()
        if QApplication.focusWidget() is form.rows[key].editor:
            button = nearest_button(window)
            assert button is not None
            assert button.term == SETTING_TERMS[key]


@pytest.mark.parametrize("dense", [False, True])
def test_every_picture_is_painted(window: Window, shipped: Weights, dense: bool) -> None:
    """In both themes, for a drawing and a network with and without convolutions; no two look alike."""
    from digitpad.gui.inspect.inspect_tab import SHIPPED_DENSE
    from digitpad.weights.native_format import load_weights

    draw(window.page(DrawTab).pad, placed(3, 100, 100, 250))
    subject = Subject.of(window.session.drawing, load_weights(SHIPPED_DENSE) if dense else shipped)
    seen = set()
    for name in (*CURVES, *DIGIT_PICTURES):
        image = picture_image(name, subject, DARK if dense else LIGHT, 1.0)
        seen.add(bytes(image.constBits()))
    assert len(seen) == len(CURVES) + len(DIGIT_PICTURES)


def test_every_term_has_a_picture_that_exists() -> None:
    """The name in its header is that of a picture."""
    assert {term.picture for term in HelpLibrary().terms} <= CURVES.keys() | DIGIT_PICTURES.keys()
    assert all(term.picture for term in HelpLibrary().terms)


def test_smoothing_is_explained_in_the_runs_window(window: Window) -> None:
    """Its card finds the session through the window's parent."""
    window.companions.show_runs()
    runs = find(window, RunsWindow)
    (button,) = buttons(runs, "smoothing")
    button.click()
    card = find(runs, TermCard)
    assert card.accessibleName() == "Smoothing"
    card.close()
    runs.close()
