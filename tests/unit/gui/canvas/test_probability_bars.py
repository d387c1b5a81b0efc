from pytestqt.qtbot import QtBot

from digitpad.gui.canvas.probability_bars import ProbabilityBars
from digitpad.gui.widgets.theme import Theme


def test_bars_animate_to_the_new_probabilities(qtbot: QtBot, theme: Theme) -> None:
    """Bars animate to the new probabilities, and the accessible description lists them."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.show()
    probabilities = (0.5, 0.25, 0.25, *[0.0] * 7)
    bars.set_probabilities(probabilities)
    qtbot.waitUntil(lambda: bars.drawn == probabilities)
    assert bars.accessibleDescription().startswith("0: 50.0\N{NO-BREAK SPACE}%, 1: 25.0\N{NO-BREAK SPACE}%")


def test_animation_starts_at_the_current_lengths(qtbot: QtBot, theme: Theme) -> None:
    """A new prediction during an animation continues from the current lengths."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.show()
    bars.set_probabilities((1.0, *[0.0] * 9))
    qtbot.waitUntil(lambda: bars.drawn[0] > 0.1)
    shown = bars.drawn
    bars.set_probabilities((0.0, 1.0, *[0.0] * 8))
    assert bars.drawn == shown
    qtbot.waitUntil(lambda: bars.drawn[1] == 1.0)


def test_nan_does_not_affect_later_probabilities(qtbot: QtBot, theme: Theme) -> None:
    """NaN probabilities do not affect the next probabilities."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.set_probabilities((float("nan"),) * 10)
    bars.show()
    probabilities = (0.5, 0.5, *[0.0] * 8)
    bars.set_probabilities(probabilities)
    qtbot.waitUntil(lambda: bars.drawn == probabilities)


def test_unsure_prediction_highlights_no_bar(qtbot: QtBot, theme: Theme) -> None:
    """An unsure prediction keeps its probabilities, but no bar is highlighted."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.resize(400, 250)
    bars.set_probabilities((*[0.0] * 9, 1.0), sure=False)
    image = bars.grab().toImage()
    assert image.pixelColor(200, 237).name() == theme.tokens.faint
    assert bars.accessibleDescription().endswith("9: 100.0\N{NO-BREAK SPACE}%")


def test_largest_bar_has_the_accent_colour(qtbot: QtBot, theme: Theme) -> None:
    """Only the largest bar is painted in the accent colour."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.resize(400, 250)
    bars.set_probabilities((*[0.0] * 9, 1.0))
    image = bars.grab().toImage()
    assert image.pixelColor(200, 237).name() == theme.tokens.accent
    assert image.pixelColor(200, 12).name() == theme.tokens.ground


def test_up_to_ten_classes_keep_their_order(qtbot: QtBot, theme: Theme) -> None:
    """Up to ten classes keep their order, and the accessible description contains their names."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.set_classes(["cat", "dog", "a name that is longer than there is room for"])
    bars.set_probabilities((0.2, 0.7, 0.1))
    assert bars.rows == [0, 1, 2]
    assert bars.accessibleDescription().startswith("cat: 20.0\N{NO-BREAK SPACE}%, dog: 70.0\N{NO-BREAK SPACE}%, a name")
    bars.resize(300, 250)
    assert not bars.grab().isNull()


def test_most_probable_of_many_classes_are_shown(qtbot: QtBot, theme: Theme) -> None:
    """Of more than ten classes, the ten most probable are shown in descending order."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.resize(400, 250)
    bars.set_classes([chr(65 + place) for place in range(26)])
    assert bars.rows == []
    bars.set_probabilities([0.0] * 20 + [0.1, 0.9, *[0.0] * 4])
    assert bars.rows[:3] == [21, 20, 0]
    assert len(bars.rows) == 10
    assert bars.accessibleDescription().startswith(
        "V: 90.0\N{NO-BREAK SPACE}%, U: 10.0\N{NO-BREAK SPACE}%, A: 0.0\N{NO-BREAK SPACE}%"
    )
    image = bars.grab().toImage()
    assert image.pixelColor(200, 12).name() == theme.tokens.accent


def test_other_classes_reset_the_bars(qtbot: QtBot, theme: Theme) -> None:
    """Other classes reset the bars, and the same classes keep them."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.set_probabilities((1.0, *[0.0] * 9))
    bars.set_classes(tuple("0123456789"))
    assert bars.drawn[0] == 1.0
    bars.set_classes(["cat", "dog"])
    assert bars.drawn == (0.0, 0.0)
    bars.set_probabilities((0.5, 0.5))
    assert bars.drawn == (0.5, 0.5)
