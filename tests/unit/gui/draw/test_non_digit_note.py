"""Tests of the note for networks that were trained only on digits."""

from dataclasses import replace

from PySide6.QtWidgets import QPushButton, QWidget

from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from tests.unit.gui.geometry import assert_inside_parents
from tests.unit.gui.hand import TRAIN, find


def test_a_network_for_digits_alone_says_so(window: Window) -> None:
    """The note is absent for the built-in network, and visible for one whose recipe has no non-digits."""
    note = find(window.page(DrawTab), QWidget, "non_digit_note")
    assert note.isHidden()
    weights = window.session.weights
    recipe = weights.about["recipe"]
    without = {**recipe, "data": {**recipe["data"], "non_digits": 0}}
    for about in ({**weights.about, "recipe": without}, {}):
        window.session.use_network(replace(weights, about=about), None)
        assert note.isVisible()
        assert_inside_parents(note)
    window.networks.use_built_in()
    assert note.isHidden()


def test_it_proposes_a_training_with_non_digits(window: Window) -> None:
    """The link of the note fills the Train tab with the settings of the network, and with non-digits."""
    window.session.use_network(replace(window.session.weights, about={}), None)
    find(window, QPushButton, "train_non_digits").click()
    assert window.page_index == TRAIN
    recipe = window.page(TrainTab).form.recipe()
    assert recipe is not None
    assert recipe.data.non_digits == 15_000
