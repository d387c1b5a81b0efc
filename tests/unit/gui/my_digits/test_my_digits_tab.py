"""The page of My digits: counts, accuracies, changes with undo, other windows and full disks."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from digitpad.datasets.own_digits.dataset import OWN, OWN_BY_WRITER, TITLES
from digitpad.datasets.own_digits.store import DigitStore
from digitpad.errors import InkError
from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.my_digits.my_digits_tab import MyDigitsTab
from digitpad.gui.shell.window import Window
from tests.unit.gui.hand import EVALUATE, MY_DIGITS, find
from tests.unit.gui.my_digits.own_drawings import drawing


@pytest.fixture
def tab(qtbot: QtBot, window: Window) -> MyDigitsTab:
    """The tab, shown, without any drawing."""
    window.show_page(MY_DIGITS)
    tab = window.page(MyDigitsTab)
    qtbot.waitUntil(lambda: window.session.corrections.is_open)
    return tab


@pytest.fixture
def filled(qtbot: QtBot, window: Window, tab: MyDigitsTab) -> MyDigitsTab:
    """The tab with four drawings: Ada's two are read correctly, and one of Bo's two is misread."""
    drawings = [drawing(7, writer="Ada"), drawing(0, writer="Ada"), drawing(3, 7, "Bo"), drawing(2, writer="Bo")]
    window.session.corrections.add(drawings, "Import")
    wait_for_scores(qtbot, tab)
    return tab


def wait_for_scores(qtbot: QtBot, tab: MyDigitsTab) -> None:
    qtbot.waitUntil(lambda: "read correctly" in find(tab, QLabel, "my_digits_summary").accessibleName())


def labels(tab: MyDigitsTab) -> list[int]:
    return [digit.label for digit in tab.drawings.shown]


def test_without_drawings_it_says_how_to_begin(tab: MyDigitsTab) -> None:
    """The empty page leads to writing."""
    button = find(tab, QPushButton, "start_writing")
    assert button.isVisible()
    button.click()
    assert find(tab, QWidget, "write_pad").isVisible()


def test_drawings_are_counted_and_scored(filled: MyDigitsTab) -> None:
    """By digit and by writer, the hardest writer first, with the accuracy of the network in use."""
    summary = find(filled, QLabel, "my_digits_summary").accessibleName()
    assert "4 drawings by 2 writers" in summary
    assert "3 of 4 read correctly (75\N{NO-BREAK SPACE}%)" in summary
    view = filled.drawings
    assert labels(filled) == [0, 2, 3, 7]
    writers = [(group.name, group.n, group.score and group.score.n_right) for group in view.writers_table.groups]
    assert writers == [("All", 4, 3), ("Bo", 2, 1), ("Ada", 2, 2)]
    by_digit = {group.name: group.n for group in view.digits_table.groups}
    assert (by_digit["7"], by_digit["1"], by_digit["All"]) == (1, 0, 4)
    index = view.grid.drawings_model.index(2)
    assert index.data().startswith("3, misread as 7, by Bo, written on ")


def test_tables_filter_the_grid(filled: MyDigitsTab) -> None:
    """A writer, a digit, and whether it was misread."""
    view = filled.drawings
    view.writers_table.choose("Bo")
    assert labels(filled) == [2, 3]
    view.show_choice.setCurrentIndex(1)
    assert labels(filled) == [3]
    view.writers_table.choose("Ada")
    assert labels(filled) == []
    view.show_choice.setCurrentIndex(0)
    view.digits_table.choose(7)
    assert labels(filled) == [7]


def test_relabel_delete_and_undo(qtbot: QtBot, window: Window, filled: MyDigitsTab) -> None:
    """The selected drawings change in the file, and Undo brings all back."""
    grid = filled.drawings.grid
    before = DigitStore().digits
    grid.select({digit.id for digit in filled.drawings.shown[:2]})
    qtbot.keyClick(grid, Qt.Key.Key_8)
    assert labels(filled) == [3, 7, 8, 8]
    assert sorted(digit.label for digit in DigitStore().digits) == [3, 7, 8, 8]
    assert len(grid.selected) == 2
    qtbot.keyClick(grid, Qt.Key.Key_Delete)
    assert labels(filled) == [3, 7]
    grid.select({filled.drawings.shown[0].id})
    filled.drawings.rename("Carla")
    assert [digit.writer for digit in DigitStore().digits] == ["Ada", "Carla"]
    for expected in ([3, 7], [3, 7, 8, 8], [0, 2, 3, 7]):
        find(filled, QPushButton, "own_digits_undo").click()
        assert labels(filled) == expected
    after = DigitStore().digits
    assert [(digit.id, digit.label, digit.writer) for digit in after] == [
        (digit.id, digit.label, digit.writer) for digit in before
    ]
    find(filled, QPushButton, "own_digits_redo").click()
    assert labels(filled) == [3, 7, 8, 8]


def test_other_window_shows_up(qtbot: QtBot, window: Window, filled: MyDigitsTab) -> None:
    """What another window adds or deletes is shown without asking for it, and the memory knows it."""
    other = DigitStore()
    other.add([drawing(4, writer="Carla")])
    qtbot.waitUntil(lambda: labels(filled) == [0, 2, 3, 4, 7])
    other.delete([other.digits[0].id])
    qtbot.waitUntil(lambda: labels(filled) == [0, 2, 3, 4])


def test_full_disk_loses_nothing(
    qtbot: QtBot, window: Window, filled: MyDigitsTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that cannot be written is shown with a warning, asked about at closing, and written later."""
    errors: list[str] = []
    window.session.error_raised.disconnect()
    window.session.error_raised.connect(lambda title, error: errors.append(f"{title}: {error}"))

    def fail(store: DigitStore) -> None:
        raise InkError(store.path, "cannot be written (No space left on device)")

    grid = filled.drawings.grid
    with monkeypatch.context() as patch:
        patch.setattr(DigitStore, "_write", fail)
        for row in (0, 0):
            grid.select({filled.drawings.shown[row].id})
            filled.drawings.delete()
        assert labels(filled) == [3, 7]
        assert find(filled, QWidget, "unsaved_card").isVisible()
        assert len(errors) == 1
        assert "No space left" in errors[0]
        assert "No space left" in window.finish_work()
        assert len(DigitStore().digits) == 4
    find(filled, QPushButton, "save_again").click()
    assert not find(filled, QWidget, "unsaved_card").isVisible()
    assert len(DigitStore().digits) == 2
    assert window.finish_work() == ""
    find(filled, QPushButton, "own_digits_undo").click()
    assert labels(filled) == [2, 3, 7]


def test_memory_is_switched_off_and_cleared(qtbot: QtBot, window: Window, filled: MyDigitsTab) -> None:
    """Off is kept after a restart; cleared drawings stay, and change no answer until that is undone."""
    corrections = window.session.corrections
    qtbot.waitUntil(lambda: corrections.memory is not None)
    filled.drawings.memory.click()
    assert corrections.memory is not None
    assert not corrections.memory.is_on
    assert not window.session.preferences.uses_memory
    filled.drawings.memory.click()
    find(filled, QPushButton, "clear_memory").click()
    qtbot.waitUntil(lambda: corrections.memory is not None and corrections.memory.n_corrections == 0)
    assert len(labels(filled)) == 4
    corrections.edits.undo()
    qtbot.waitUntil(lambda: corrections.memory is not None and corrections.memory.n_corrections == 1)


def test_drawings_are_a_dataset_to_choose(qtbot: QtBot, window: Window, filled: MyDigitsTab) -> None:
    """Once there are some; split by writer once there are three writers."""
    window.show_page(EVALUATE)
    choice = window.page(EvaluateTab).data_choice
    assert choice.findText(TITLES[OWN]) >= 0
    assert choice.findData(OWN_BY_WRITER) < 0
    window.session.corrections.add([drawing(4, writer="Carla")], "Import")
    assert choice.itemText(choice.findData(OWN_BY_WRITER)) == TITLES[OWN_BY_WRITER]


def test_files_of_the_user_are_untouched(tab: MyDigitsTab, tmp_path: Path) -> None:
    """Showing the tab creates no file."""
    assert not DigitStore().path.exists()
