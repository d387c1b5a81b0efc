from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.evaluate.weights_choice import IN_USE
from digitpad.gui.runs.run_menu import to_trash
from digitpad.gui.shell.window import Window
from digitpad.runs.network_names import network_name
from digitpad.weights.native_format import SHIPPED
from tests.unit.gui.hand import EVALUATE, find
from tests.unit.gui.shown_runs import open_runs, trained


@pytest.fixture(autouse=True)
def own_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()


def texts(tab: EvaluateTab) -> list[str]:
    return [tab.weights_choice.itemText(index) for index in range(tab.weights_choice.count())]


def test_run_name_is_the_same_everywhere(qtbot: QtBot, window: Window) -> None:
    """Lists and status bar show the name of a run and follow its renaming; deleting the run removes its network."""
    run, other = trained(), trained()
    other.rename("other")
    window.show_page(EVALUATE)
    tab = window.page(EvaluateTab)
    window.networks.open(run.weights_path)
    window.networks.open(other.weights_path)
    assert window.session.weights.name == "other"
    assert texts(tab) == ["In use: other", f"Built-in: {SHIPPED.name}", run.name, "other", "Other file…"]
    runs = open_runs(qtbot, window, other)
    with qtbot.waitSignal(window.session.runs_changed):
        runs.runs.model.renamed.emit(runs.runs.chosen()[0], "mine")
    assert find(window, QLabel, "weights_in_use").accessibleName().startswith("mine")
    assert texts(tab) == ["In use: mine", f"Built-in: {SHIPPED.name}", run.name, "mine", "Other file…"]
    tab.weights_choice.choose_file(run.weights_path)
    to_trash(run)
    window.session.follow_runs()
    assert texts(tab) == ["In use: mine", f"Built-in: {SHIPPED.name}", "mine", "Other file…"]
    assert tab.weights_choice.value() == IN_USE
    assert window.session.network_files() == [other.weights_path.resolve()]


def test_runs_with_the_same_name_show_their_start(window: Window) -> None:
    """Two runs with the same name are listed with their start."""
    window.show_page(EVALUATE)
    tab = window.page(EvaluateTab)
    for run in (trained(), trained()):
        tab.weights_choice.choose_file(run.weights_path)
    *_, first, second, _ = texts(tab)
    name = network_name(run.weights_path)
    assert first.startswith(f"{name} · ")
    assert second == tab.weights_choice.chosen_name() == f"{name} · {run.started:%m-%d %H:%M}"


def test_other_files_are_listed_by_file_name(tmp_path: Path) -> None:
    """A file that belongs to no run, or to a damaged run, is listed by its file name."""
    assert network_name(tmp_path / "a.npz") == "a.npz"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{")
    assert network_name(tmp_path / "run" / "run.npz") == "run.npz"
