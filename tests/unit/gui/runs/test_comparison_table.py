import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from digitpad.gui.runs.comparison_table import ComparisonModel
from digitpad.runs.run import Run
from digitpad.runs.run_comparison import CurveAxis, RunLines, RunTrace, differences
from tests.unit.training.made_runs import made_run

COLOURS = ("#ff0000", "#00ff00")


def fill(model: ComparisonModel, *runs: Run, axis: CurveAxis = CurveAxis.STEP) -> None:
    traces = [RunTrace.of(run) for run in runs]
    lines = [RunLines.of(trace, axis, 1) for trace in traces]
    model.set_runs(lines, COLOURS[: len(lines)], differences(traces), axis)


def rows(model: ComparisonModel) -> list[list[str]]:
    return [
        [model.index(row, column).data() for column in range(model.columnCount())] for row in range(model.rowCount())
    ]


def heading(model: ComparisonModel, column: int, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> object:
    return model.headerData(column, Qt.Orientation.Horizontal, role)


@pytest.fixture
def model(qtmodeltester: ModelTester) -> ComparisonModel:
    model = ComparisonModel()
    qtmodeltester.check(model)
    return model


def test_each_run_has_a_column(model: ComparisonModel) -> None:
    """The table shows final values first, and settings by the labels of the form."""
    one, other = made_run("one"), made_run("other", n_epochs=1, optimizer__learning_rate=0.5)
    fill(model, one, other)
    assert [heading(model, column) for column in range(3)] == ["Final values", "one", "other"]
    assert heading(model, 1, Qt.ItemDataRole.ToolTipRole) == one.id
    assert rows(model) == [
        ["Training loss", "0.0005", "0.1250"],
        ["Validation loss", "0.2250", "0.6000"],
        ["Training accuracy", "88.50\N{NO-BREAK SPACE}%", "51.00\N{NO-BREAK SPACE}%"],
        ["Validation accuracy", "87.50\N{NO-BREAK SPACE}%", "50.00\N{NO-BREAK SPACE}%"],
        ["Learning rate", str(one.recipe.optimizer.learning_rate), "0.5"],
    ]
    assert model.index(4, 0).data(Qt.ItemDataRole.ToolTipRole) == "optimizer.learning_rate"


@pytest.mark.parametrize(
    ("axis", "x", "place"),
    [(CurveAxis.STEP, 6.2, "At step 6"), (CurveAxis.EPOCH, 1.55, "At epoch 1.55"), (CurveAxis.TIME, 1.7, "At 0:02")],
)
def test_values_are_those_at_the_position(model: ComparisonModel, axis: CurveAxis, x: float, place: str) -> None:
    """Values are the last known at the position, on any axis."""
    fill(model, made_run(), axis=axis)
    model.set_place(x)
    assert heading(model, 0) == place
    assert [texts[1] for texts in rows(model)[:2]] == ["0.0312", "0.6000"]


def test_unknown_values_are_dashes(model: ComparisonModel) -> None:
    """A dash stands for a value that is not known yet."""
    fill(model, made_run(n_epochs=0))
    assert rows(model)[0] == ["Training loss", "–"]


def test_new_position_does_not_reset_the_model(qtbot: QtBot, model: ComparisonModel) -> None:
    """A new position or new data of the same runs do not reset the model."""
    run = made_run()
    fill(model, run)
    with qtbot.assertNotEmitted(model.modelReset):
        model.set_place(3)
        fill(model, run)
    with qtbot.waitSignal(model.modelReset):
        fill(model, run, made_run())
    fill(model)
    assert (model.rowCount(), model.columnCount()) == (0, 0)
