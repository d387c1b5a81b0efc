import shutil

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from digitpad.gui.runs.runs_table import COLUMNS, RunsModel, SortedRuns
from digitpad.runs.run import RunStatus
from digitpad.runs.run_registry import RunEntry, RunRegistry
from tests.unit.training.made_runs import made_run


@pytest.fixture
def model(qapp: QApplication, qtmodeltester: ModelTester) -> RunsModel:
    model = RunsModel()
    qtmodeltester.check(model)
    return model


def row(model: RunsModel | SortedRuns, place: int) -> list[str]:
    return [model.index(place, column).data() for column in range(len(COLUMNS))]


def test_runs_are_rows(model: RunsModel) -> None:
    """A row shows name, recipe, status, test accuracy, time and start; the tooltip has id and validation accuracy."""
    run = made_run("one", RunStatus.PAUSED, n_epochs=1)
    run.rename("mine")
    model.set_entries(RunRegistry().entries())
    assert row(model, 0) == [
        "mine",
        "one",
        "paused 1/3",
        "–",
        "0:01",
        f"{run.started:%m-%d %H:%M}",
    ]
    assert run.id in model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "Validation accuracy 50.00" in model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_only_changed_rows_are_signalled(qtbot: QtBot, model: RunsModel) -> None:
    """Only changed rows are signalled, so that the selection and an open editor are kept."""
    registry = RunRegistry()
    first, second, third = (made_run(name) for name in ("one", "two", "three"))
    model.set_entries(registry.entries())
    signals: list[tuple[str, int]] = []
    model.rowsInserted.connect(lambda _, first, last: signals.append(("inserted", first)))
    model.rowsRemoved.connect(lambda _, first, last: signals.append(("removed", first)))
    model.dataChanged.connect(lambda first, last, _: signals.append(("changed", first.row())))
    model.modelReset.connect(lambda: signals.append(("reset", 0)))
    model.set_entries(registry.entries())
    assert signals == []
    shutil.rmtree(second.folder)
    first.rename("other")
    made_run("four")
    model.set_entries(registry.entries())
    assert signals == [("removed", 1), ("inserted", 0), ("changed", 2)]
    assert [entry.name for entry in model.entries] == ["four", "three", "other"]
    assert third.id == model.entries[1].id


@pytest.mark.parametrize(
    ("column", "expected"),
    [(0, ["Beta", "alpha", "gamma"]), (3, ["Beta", "alpha", "gamma"]), (4, ["gamma", "alpha", "Beta"])],
)
def test_columns_are_sorted_by_value(column: int, expected: list[str]) -> None:
    """Names are sorted without case and numbers by value; unknown values come last."""
    made_run("gamma", RunStatus.PAUSED, n_epochs=0)
    made_run("alpha", n_epochs=1)
    made_run("Beta", n_epochs=2)
    entries = RunRegistry().entries()
    model = RunsModel()
    model.set_entries(entries)
    proxy = SortedRuns(model)
    descending = column == 3
    proxy.sort(column, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)
    expected = sorted(expected, key=str.casefold) if column == 0 else expected
    assert [proxy.entry(proxy.index(place, 0)).name for place in range(3)] == expected


def test_typed_name_is_signalled_but_not_shown(qtbot: QtBot, model: RunsModel) -> None:
    """A typed name is signalled but not shown yet; empty or unchanged names are ignored."""
    made_run("one")
    model.set_entries(RunRegistry().entries())
    asked: list[tuple[RunEntry, str]] = []
    model.renamed.connect(lambda entry, name: asked.append((entry, name)))
    index = model.index(0, 0)
    assert index.flags() & Qt.ItemFlag.ItemIsEditable
    assert not model.index(0, 1).flags() & Qt.ItemFlag.ItemIsEditable
    for name in ("", "  ", "one", " mine "):
        assert not model.setData(index, name)
    assert asked == [(model.entries[0], "mine")]
    assert index.data() == "one"
    assert model.rowCount(index) == model.columnCount(index) == 0
    assert model.rowCount(QModelIndex()) == 1
