from pytestqt.qtbot import QtBot

from digitpad.gui.bars import ProbabilityBars
from digitpad.gui.theme import Theme


def test_bars_end_at_what_they_are_told(qtbot: QtBot, theme: Theme) -> None:
    """They ease there, and say it to those who cannot see them."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.show()
    probabilities = (0.5, 0.25, 0.25, *[0.0] * 7)
    bars.set_probabilities(probabilities)
    qtbot.waitUntil(lambda: bars._shown == probabilities)
    assert bars.accessibleDescription().startswith("0: 50.0%, 1: 25.0%")


def test_a_new_answer_begins_where_the_bars_are(qtbot: QtBot, theme: Theme) -> None:
    """In mid-move, nothing jumps."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.show()
    bars.set_probabilities((1.0, *[0.0] * 9))
    qtbot.waitUntil(lambda: bars._shown[0] > 0.1)
    shown = bars._shown
    bars.set_probabilities((0.0, 1.0, *[0.0] * 8))
    assert bars._shown == shown
    qtbot.waitUntil(lambda: bars._shown[1] == 1.0)


def test_what_is_no_number_does_not_stay(qtbot: QtBot, theme: Theme) -> None:
    """The next probabilities are shown as if it had never been."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.set_probabilities((float("nan"),) * 10)
    bars.show()
    probabilities = (0.5, 0.5, *[0.0] * 8)
    bars.set_probabilities(probabilities)
    qtbot.waitUntil(lambda: bars._shown == probabilities)


def test_no_bar_is_the_answer_where_it_is_not_sure(qtbot: QtBot, theme: Theme) -> None:
    """They tell the truth all the same, the longest as quietly as the others."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.resize(400, 250)
    bars.set_probabilities((*[0.0] * 9, 1.0), sure=False)
    image = bars.grab().toImage()
    assert image.pixelColor(200, 237).name() == theme.tokens.faint
    assert bars.accessibleDescription().endswith("9: 100.0%")


def test_the_best_bar_is_painted_in_the_accent(qtbot: QtBot, theme: Theme) -> None:
    """And all others are not."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.resize(400, 250)
    bars.set_probabilities((*[0.0] * 9, 1.0))
    image = bars.grab().toImage()
    assert image.pixelColor(200, 237).name() == theme.tokens.accent
    assert image.pixelColor(200, 12).name() == theme.tokens.ground
