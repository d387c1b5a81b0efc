"""Colours of diagrams and lines, which are drawn in the window and into files alike."""

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


CLASSES = (
    "#4c7ef3", "#f08c00", "#2f9e44", "#e03131", "#9c5fd6", "#a0694a", "#e64fa0", "#8a929e", "#a3a10c", "#15aabf",
)  # fmt: skip
"""One for each digit, to be told apart on light and on dark ground."""

LINE_COLOURS = (
    "#4c7ef3", "#f08c00", "#2f9e44", "#e03131", "#9c5fd6", "#15aabf", "#e64fa0", "#a0694a",
)  # fmt: skip
"""Of lines that are drawn over each other, to be told apart on light and on dark ground."""
