import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QSlider,
    QTableView,
)
from pytestqt.qtbot import QtBot

from digitpad.gui.runs.run_plots import RunPlots
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.form_widgets import Check, WordChoice
from digitpad.runs.run_comparison import CurveAxis, smoothed
from tests.unit.gui.hand import find
from tests.unit.gui.shown_runs import open_runs
from tests.unit.training.made_runs import made_run


def test_selected_runs_share_the_axes(qtbot: QtBot, window: Window) -> None:
    """Each selected run keeps its colour, and the table shows the settings that differ."""
    one, two, three = made_run("one"), made_run("two", loss__l2=0.5), made_run("three")
    runs = open_runs(qtbot, window, one, two)
    colours = dict(runs.curves.colours)
    assert len(set(colours.values())) == 2
    table = find(runs, QTableView, "comparison_table").model()
    assert [table.headerData(column, Qt.Orientation.Horizontal) for column in (1, 2)] == ["two", "one"]
    differing = [[table.index(row, column).data() for column in range(3)] for row in range(4, table.rowCount())]
    assert len(differing) == 1
    assert differing[0][1:] == ["0.5", "0.0"]
    runs.runs.choose(one.id, three.id)
    qtbot.waitUntil(lambda: {line.id for line in runs.curves.lines} == {one.id, three.id})
    assert runs.curves.colours[one.id] == colours[one.id]
    assert len(set(runs.curves.colours.values())) == 2
    assert len(find(runs, RunPlots, "run_plots").curves) == 10


def test_axis_scale_and_smoothing_can_be_changed(qtbot: QtBot, window: Window) -> None:
    """The curves follow the axis, the scale and the smoothing."""
    run = made_run()
    runs = open_runs(qtbot, window, run)
    plots = find(runs, RunPlots, "run_plots")
    find(runs, WordChoice, "runs_axis").set_value("time")
    qtbot.waitUntil(lambda: plots.axis is CurveAxis.TIME)
    assert plots.losses.get_xlim() == (0, 3.25)
    find(runs, Check, "runs_logarithmic").click()
    assert plots.losses.get_yscale() == "linear"
    slider = find(runs, QSlider, "runs_smoothing")
    with qtbot.waitSignal(runs.curves.shown):
        slider.setValue(slider.minimum())
    assert find(runs, QLabel, "runs_span").text() == "none"
    assert runs.curves.lines[0].smooth.y.tolist() == pytest.approx(runs.curves.lines[0].raw.y.tolist())
    with qtbot.waitSignal(runs.curves.shown):
        slider.setValue(3)
    assert find(runs, QLabel, "runs_span").text() == "5 steps"
    assert runs.curves.lines[0].smooth.y.tolist() == smoothed(runs.curves.lines[0].raw.y, 5).tolist()


def test_button_resets_the_zoom(qtbot: QtBot, window: Window) -> None:
    """A button resets the zoom; it is disabled without zoom."""
    runs = open_runs(qtbot, window, made_run())
    plots, button = find(runs, RunPlots, "run_plots"), find(runs, QPushButton, "runs_whole")
    assert not button.isEnabled()
    plots.zoom(2)
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not plots.zoomed
    assert not button.isEnabled()
