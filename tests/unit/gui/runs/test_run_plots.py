from typing import Any

import numpy as np
import pytest
from matplotlib.backend_bases import MouseButton, MouseEvent
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from digitpad.gui.runs.run_plots import RunPlots
from digitpad.gui.widgets.theme import Mode, Theme
from digitpad.runs.run import Run
from digitpad.runs.run_comparison import CurveAxis, RunLines, RunTrace
from digitpad.runs.run_log import RunLog
from tests.unit.training.made_runs import made_run

COLOURS = ("#4c7ef3", "#f08c00", "#2f9e44")


@pytest.fixture
def plots(qtbot: QtBot, theme: Theme) -> RunPlots:
    plots = RunPlots(theme)
    qtbot.addWidget(plots)
    plots.resize(600, 400)
    plots.show()
    drawn(qtbot, plots)
    return plots


def drawn(qtbot: QtBot, plots: RunPlots) -> None:
    qtbot.waitUntil(lambda: plots.is_drawn)


def fill(plots: RunPlots, *runs: Run, axis: CurveAxis = CurveAxis.STEP, until: float = 12) -> None:
    lines = [RunLines.of(RunTrace.of(run), axis, 2) for run in runs]
    plots.set_lines(lines, COLOURS[: len(lines)], axis, until)


def mouse(plots: RunPlots, name: str, x: float, y: float, **more: Any) -> None:
    """Send a Matplotlib mouse event at a position in the loss axes, in shares of their size."""
    x_px, y_px = plots.losses.transAxes.transform((x, y))
    plots.callbacks.process(name, MouseEvent(name, plots, x_px, y_px, **more))


def x_limits(plots: RunPlots) -> tuple[float, float]:
    left, right = plots.losses.get_xlim()
    assert plots.accuracies.get_xlim() == (left, right)
    return left, right


def test_lines_are_painted_in_their_colours(qtbot: QtBot, plots: RunPlots, theme: Theme) -> None:
    """Lines have their colours in both themes; without runs there is a hint."""
    (hint,) = plots.figure.texts
    assert hint.get_text().startswith("Select runs")
    plots.draw()
    words, axes = hint.get_window_extent(), plots.losses.get_window_extent()
    assert axes.y0 < words.y0 < words.y1 < axes.y1, "the hint overlaps the titles"
    fill(plots, made_run(), made_run(n_epochs=2))
    for mode in (Mode.DARK, Mode.LIGHT):
        theme.set_mode(mode)
        drawn(qtbot, plots)
        image = plots.grab().toImage()
        colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
        assert {*COLOURS[:2], theme.tokens.card} <= colours
        assert COLOURS[2] not in colours
    assert not plots.figure.texts


def test_new_data_are_blitted(qtbot: QtBot, plots: RunPlots) -> None:
    """New data are blitted; only another axis needs a full draw."""
    run = made_run()
    fill(plots, run)
    drawn(qtbot, plots)
    fill(plots, run)
    assert plots.is_drawn
    fill(plots, run, axis=CurveAxis.TIME, until=3.25)
    assert not plots.is_drawn


def test_raw_and_smoothed_losses_are_drawn(plots: RunPlots) -> None:
    """The raw losses are fainter than the smoothed curve."""
    fill(plots, made_run())
    (raw, raw_curve), (smooth, smooth_curve), *_ = plots.curves
    assert (raw.get_alpha() or 1) < 0.5
    assert smooth.get_alpha() is None
    np.testing.assert_array_equal(raw.get_ydata(), raw_curve.y)
    np.testing.assert_array_equal(smooth.get_ydata(), smooth_curve.y)


@pytest.mark.parametrize("logarithmic", [True, False])
def test_loss_is_on_either_scale(qtbot: QtBot, plots: RunPlots, logarithmic: bool) -> None:
    """The loss axis has valid limits on both scales."""
    fill(plots, made_run())
    plots.set_logarithmic(not logarithmic)
    plots.set_logarithmic(logarithmic)
    drawn(qtbot, plots)
    assert plots.losses.get_yscale() == ("log" if logarithmic else "linear")
    low, high = plots.losses.get_ylim()
    assert (low > 0) == logarithmic
    assert high >= 1


def test_wheel_zooms_at_the_pointer_and_a_double_click_shows_all(qtbot: QtBot, plots: RunPlots) -> None:
    """The wheel zooms around the pointer; with Ctrl it zooms only the height of that plot."""
    fill(plots, made_run())
    heights = plots.losses.get_ylim(), plots.accuracies.get_ylim()
    with qtbot.waitSignal(plots.zoom_changed, check_params_cb=lambda zoomed: zoomed):
        mouse(plots, "scroll_event", 0.25, 0.5, step=1)
    left, right = x_limits(plots)
    assert (left + 0.25 * (right - left), right - left) == pytest.approx((3, 12 / 1.25), abs=0.05)
    assert (plots.losses.get_ylim(), plots.accuracies.get_ylim()) == heights
    mouse(plots, "scroll_event", 0.25, 0.5, step=1, modifiers=frozenset({"ctrl"}))
    low, high = plots.losses.get_ylim()
    assert np.log(high / low) == pytest.approx(np.log(heights[0][1] / heights[0][0]) / 1.25)
    assert plots.accuracies.get_ylim() == heights[1]
    with qtbot.waitSignal(plots.zoom_changed, check_params_cb=lambda zoomed: not zoomed):
        mouse(plots, "button_press_event", 0.5, 0.5, button=MouseButton.LEFT, dblclick=True)
    assert x_limits(plots) == (0, 12)
    assert plots.losses.get_ylim() == heights[0]


def test_dragging_pans_the_plots(plots: RunPlots) -> None:
    """Dragging pans the plots, and new data keep the visible range."""
    run = made_run()
    fill(plots, run)
    mouse(plots, "button_press_event", 0.5, 0.5, button=MouseButton.LEFT)
    mouse(plots, "motion_notify_event", 0.25, 0.5)
    assert x_limits(plots) == pytest.approx((3, 15), abs=0.05)
    mouse(plots, "button_release_event", 0.25, 0.5, button=MouseButton.LEFT)
    mouse(plots, "motion_notify_event", 0.75, 0.5)
    fill(plots, run, until=16)
    assert x_limits(plots) == pytest.approx((3, 15), abs=0.05)
    fill(plots, run, axis=CurveAxis.EPOCH, until=3)
    assert x_limits(plots) == (0, 3)


def test_zoom_limits_stay_finite(plots: RunPlots) -> None:
    """Repeated zooming keeps finite limits; without lines there is no zoom."""
    plots.zoom(2)
    assert not plots.zoomed
    fill(plots, made_run())
    for factor in (10.0, 0.1):
        for _ in range(400):
            plots.zoom(factor)
            plots.zoom(factor, height=plots.losses)
        limits = (*x_limits(plots), *plots.losses.get_ylim())
        assert np.isfinite(limits).all()
        plots.draw()
        plots.show_all()


def test_values_are_read_at_the_pointer(qtbot: QtBot, plots: RunPlots) -> None:
    """Values are read at the pointer, and final values once it leaves."""
    fill(plots, made_run())
    places: list[float | None] = []
    plots.place_changed.connect(places.append)
    mouse(plots, "motion_notify_event", 0.5, 0.5)
    mouse(plots, "figure_leave_event", 0.5, 0.5)
    assert places == [pytest.approx(6, abs=0.05), None]


def test_position_line_moves_without_a_redraw(qtbot: QtBot, plots: RunPlots, monkeypatch: pytest.MonkeyPatch) -> None:
    """The position line moves without a redraw of the curves."""
    fill(plots, made_run())
    drawn(qtbot, plots)
    before = np.asarray(plots.buffer_rgba()).copy()
    with monkeypatch.context() as patch:
        patch.setattr(plots, "_draw_lines", None)
        plots.set_place(6)
        assert not np.array_equal(np.asarray(plots.buffer_rgba()), before)
        plots.set_place(None)
    np.testing.assert_array_equal(np.asarray(plots.buffer_rgba()), before)


def test_tooltip_of_a_mark_shows_the_change(qtbot: QtBot, plots: RunPlots) -> None:
    """The tooltip of a mark has the step and the changed settings."""
    run = made_run()
    log = RunLog(run.log_path)
    log.add("change", step=6, settings={"optimizer.learning_rate": 0.5})
    log.close()
    fill(plots, run)
    drawn(qtbot, plots)
    ((line, (mark,)),) = plots.marks
    assert np.asarray(line.get_xdata()).tolist() == [6]
    at = plots.losses.transAxes.inverted().transform(plots.losses.transData.transform((mark.x, mark.y)))
    mouse(plots, "motion_notify_event", *at)
    assert QToolTip.text() == "step 6: optimizer.learning_rate=0.5"
    mouse(plots, "motion_notify_event", 0.9, 0.9)
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_plots_can_be_used_by_keyboard(qtbot: QtBot, plots: RunPlots) -> None:
    """Keys zoom, pan, read values and reset."""
    fill(plots, made_run())
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(plots, Qt.Key.Key_Plus)
    assert x_limits(plots) == pytest.approx((1.2, 10.8))
    qtbot.keyClick(plots, Qt.Key.Key_Right, shift)
    assert x_limits(plots) == pytest.approx((2.16, 11.76))
    low = plots.losses.get_ylim()[0]
    qtbot.keyClick(plots, Qt.Key.Key_Up, shift)
    assert plots.losses.get_ylim()[0] > low
    qtbot.keyClick(plots, Qt.Key.Key_Minus)
    qtbot.keyClick(plots, Qt.Key.Key_Home)
    assert x_limits(plots) == (0, 12)
    qtbot.keyClick(plots, Qt.Key.Key_Left)
    assert plots.place == pytest.approx(6 - 12 / 50)
    qtbot.keyClick(plots, Qt.Key.Key_Right)
    assert plots.place == pytest.approx(6)
    qtbot.keyClick(plots, Qt.Key.Key_End)
    assert plots.place is None
