"""Colours of figures, shared by the window and files."""

import colorsys
from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """Colours of a figure's elements; by default those of the light theme, which files use."""

    card: str = "#ffffff"
    hairline: str = "#e3e6eb"
    text: str = "#1c2330"
    soft: str = "#667085"
    faint: str = "#98a2b3"
    accent: str = "#3b5bdb"
    second: str = "#e8590c"


DIGIT_COLOURS = (
    "#4c7ef3", "#f08c00", "#2f9e44", "#e03131", "#9c5fd6", "#a0694a", "#e64fa0", "#8a929e", "#a3a10c", "#15aabf",
)  # fmt: skip
"""Colour of each digit, distinguishable on light and dark backgrounds."""


def class_colours(n_classes: int) -> list[str]:
    """Return one colour per class; up to ten classes get the digit colours.

    With more classes, some colours are similar, but never those of successive classes.
    """
    if n_classes <= len(DIGIT_COLOURS):
        return list(DIGIT_COLOURS[:n_classes])
    colours = []
    for index in range(n_classes):
        hue = index * 0.618034 % 1  # golden-ratio steps keep successive hues far apart
        red, green, blue = colorsys.hls_to_rgb(hue, (0.42, 0.56, 0.49)[index % 3], 0.62)
        colours.append(f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}")
    return colours


LINE_COLOURS = (
    "#4c7ef3", "#f08c00", "#2f9e44", "#e03131", "#9c5fd6", "#15aabf", "#e64fa0", "#a0694a",
)  # fmt: skip
"""Colours of overlaid lines, distinguishable on light and dark backgrounds."""
