import pytest

from digitpad.plotting.palette import DARK, LIGHT, Palette, blend, class_colours, contrast, readable_on

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def test_contrast_equals_that_of_wcag() -> None:
    """WCAG 2.1 gives 21 for black on white, and 4.48 for the grey #777777."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.005)


@THEMES
def test_text_is_readable(theme: Palette) -> None:
    """Text has a contrast of at least 4.5 with each of its backgrounds."""
    for text, grounds in (
        ("text", ("ground", "card", "accent_ground", "hairline")),
        ("soft", ("ground", "card", "accent_ground", "hairline")),
        ("accent", ("ground", "card", "accent_ground")),
        ("good", ("ground", "card")),
        ("bad", ("ground", "card")),
        ("on_accent", ("accent",)),
        ("ink", ("pad",)),
    ):
        for ground in grounds:
            ratio = contrast(getattr(theme, text), getattr(theme, ground))
            assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"


@THEMES
def test_borders_and_curves_are_visible(theme: Palette) -> None:
    """Field borders and curves have a contrast of at least 3."""
    for mark in ("border", "second", "accent"):
        for ground in ("ground", "card"):
            ratio = contrast(getattr(theme, mark), getattr(theme, ground))
            assert ratio >= 3, f"{mark} on {ground}: {ratio:.2f}"


@THEMES
@pytest.mark.parametrize("alpha", [0.12, 0.3, 0.5, 0.7])
def test_counts_of_mistakes_are_readable(theme: Palette, alpha: float) -> None:
    """A text colour is readable on every shade of a confusion-matrix cell."""
    ground = blend(theme.card, theme.second, alpha)
    assert contrast(readable_on(ground), ground) >= 4.5


def test_every_class_has_a_colour() -> None:
    """Ten classes have the colours of the digits; of more classes, each has its own colour."""
    assert len(set(class_colours(10))) == 10
    assert len(set(class_colours(62))) == 62
