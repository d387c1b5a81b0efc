"""Colours of diagrams and lines, which are drawn in the window and into files alike."""

import colorsys
from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """What a diagram is drawn in; by default the window's light theme, as files have it."""

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
"""One for each digit, to be told apart on light and on dark ground."""


def class_colours(n_classes: int) -> list[str]:
    """One for each class: up to ten as digits have them; of more some look alike, but never neighbours."""
    if n_classes <= len(DIGIT_COLOURS):
        return list(DIGIT_COLOURS[:n_classes])
    colours = []
    for place in range(n_classes):
        hue = place * 0.618034 % 1  # by the golden section, successive ones are far apart
        red, green, blue = colorsys.hls_to_rgb(hue, (0.42, 0.56, 0.49)[place % 3], 0.62)
        colours.append(f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}")
    return colours


LINE_COLOURS = (
    "#4c7ef3", "#f08c00", "#2f9e44", "#e03131", "#9c5fd6", "#15aabf", "#e64fa0", "#a0694a",
)  # fmt: skip
"""Of lines that are drawn over each other, to be told apart on light and on dark ground."""
