import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from digitpad.gui.train.training_plots import TrainingCurves
from digitpad.gui.widgets.theme import Mode, Theme
from digitpad.plotting.curve_points import Series, decimate


@given(n=st.integers(2, 20_000), seed=st.integers(0, 100))
@settings(max_examples=50, deadline=None)
def test_decimating_keeps_the_extremes_and_the_ends(n: int, seed: int) -> None:
    """Decimated points are few and in order, and keep the extremes and the last point."""
    y = np.random.default_rng(seed).normal(size=n)
    thinned = decimate(Series(np.arange(n, dtype=float), y), 100)
    assert len(thinned.x) <= max(101, min(n, 100))
    assert (np.diff(thinned.x) >= 0).all()
    assert thinned.x[-1] == n - 1
    assert (thinned.y.min(), thinned.y.max()) == (y.min(), y.max())
    np.testing.assert_array_equal(y[thinned.x.astype(int)], thinned.y)


@pytest.fixture
def curves(qtbot: QtBot, theme: Theme) -> TrainingCurves:
    curves = TrainingCurves(theme, "loss_curves", logarithmic=True)
    qtbot.addWidget(curves)
    curves.resize(500, 200)
    curves.set_plan(10, "a hint")
    curves.show()
    qtbot.waitUntil(lambda: curves.is_drawn)
    return curves


def some(*values: float) -> Series:
    return Series(np.arange(len(values), dtype=float), np.array(values))


def full_draws(curves: TrainingCurves) -> list[object]:
    draws: list[object] = []
    curves.mpl_connect("draw_event", draws.append)
    return draws


def test_unchanged_plan_is_not_redrawn(curves: TrainingCurves) -> None:
    """The same plan is drawn again only if there were curves."""
    curves.draw()
    curves.set_plan(10, "a hint")
    assert curves.is_drawn
    for epochs, hint in ((11, "a hint"), (11, "another"), (11, "")):
        curves.set_plan(epochs, hint)
        assert not curves.is_drawn
        curves.draw()
    curves.set_series(None, some(2.0, 1.0), some(2.0, 1.5))
    curves.set_plan(11, "")
    assert not curves.is_drawn
    assert not curves.lines["training"].get_xdata()


def test_new_points_within_the_axes_are_blitted(qtbot: QtBot, curves: TrainingCurves) -> None:
    """Only the first points, which replace the hint, need a full draw."""
    draws = full_draws(curves)
    curves.set_series(None, some(2.0, 1.0), some(2.0, 1.5))
    qtbot.waitUntil(lambda: len(draws) == 1)
    for _ in range(20):
        curves.set_series(None, some(2.0, 1.0, 0.9), some(2.0, 1.5, 1.2))
    qtbot.wait(50)
    assert len(draws) == 1


def test_loss_below_the_axes_extends_them(qtbot: QtBot, curves: TrainingCurves) -> None:
    """A loss below the axes lowers the limit by a decade."""
    curves.set_series(None, some(2.0, 1.0), some(2.0, 1.5))
    assert curves.axes.get_ylim()[0] == pytest.approx(0.1)
    curves.set_series(None, some(2.0, 0.03), some(2.0, 1.5))
    assert curves.axes.get_ylim()[0] == pytest.approx(0.01)


@pytest.mark.parametrize("size", [(500, 90), (1500, 500)])
def test_tick_labels_are_not_cut_off(qtbot: QtBot, curves: TrainingCurves, size: tuple[int, int]) -> None:
    """Tick labels are not cut off at any size, and margins do not grow with the figure."""
    curves.resize(*size)
    curves.draw()
    ticks = [*curves.axes.get_xticklabels(), *curves.axes.get_yticklabels()]
    boxes = [tick.get_window_extent() for tick in ticks if tick.get_text()]
    assert min(box.x0 for box in boxes) >= 0
    assert min(box.y0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= curves.figure.bbox.x1
    assert max(box.y1 for box in boxes) <= curves.figure.bbox.y1
    assert curves.axes.bbox.x0 <= 5.2 * curves.text_px * curves.device_pixel_ratio


def test_best_value_label_does_not_overlap_the_curves(curves: TrainingCurves) -> None:
    """The label of the best value does not overlap the end of the curves."""
    curves.set_plan(3)
    curves.set_series(None, some(0.5, 0.9, 0.97, 0.98), some(0.5, 0.9, 0.96, 0.97), best=0.97)
    curves.draw()
    assert curves.best_label.get_text() == "best so far 97.00\N{NO-BREAK SPACE}%"
    assert curves.best_label.get_window_extent().x1 < curves.axes.transData.transform((1, 0.9))[0]


def test_validation_curve_is_visible_in_both_themes(qtbot: QtBot, curves: TrainingCurves, theme: Theme) -> None:
    """The validation curve has its colour in both themes."""
    for mode in (Mode.LIGHT, Mode.DARK):
        theme.set_mode(mode)
        draws = full_draws(curves)
        curves.set_series(None, some(2.0, 2.0), some(*[1.0] * 11))
        curves.draw_idle()
        qtbot.waitUntil(lambda draws=draws: len(draws) > 0)  # type: ignore[misc]
        curves.set_series(None, some(2.0, 2.0), some(*[1.0] * 11))
        image = curves.grab().toImage()
        colours = {image.pixelColor(250, y).name() for y in range(image.height())}
        assert theme.tokens.second in colours
    theme.set_mode(Mode.SYSTEM)


def test_axis_contains_all_data(curves: TrainingCurves) -> None:
    """Epochs beyond the plan extend the axis."""
    curves.set_plan(2)
    curves.set_series(None, some(2.0, 0.5, 0.3, 0.2, 0.1), some(2.0, 0.6, 0.5, 0.4, 0.3))
    assert curves.axes.get_xlim() == (0, 4)
