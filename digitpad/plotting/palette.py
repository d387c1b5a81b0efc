"""Colours of figures, shared by the window and files."""

import colorsys
from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Colours of a theme, by purpose.

    ``faint`` is for marks only, because its contrast is too low for text. ``border`` outlines fields and buttons.
    """

    ground: str
    card: str
    hairline: str
    border: str
    text: str
    soft: str
    faint: str
    accent: str
    accent_ground: str
    on_accent: str
    second: str
    good: str
    bad: str
    pad: str
    ink: str


LIGHT = Palette(
    ground="#f6f7f9",
    card="#ffffff",
    hairline="#e3e6eb",
    border="#868e9c",
    text="#1c2330",
    soft="#5a6475",
    faint="#98a2b3",
    accent="#3b5bdb",
    accent_ground="#dfe7ff",
    on_accent="#ffffff",
    second="#e8590c",
    good="#287a3a",
    bad="#c92a2a",
    pad="#ffffff",
    ink="#151a24",
)
"""Colours of the light theme, which files use too."""

DARK = Palette(
    ground="#14171d",
    card="#1c2028",
    hairline="#2c323d",
    border="#6f7887",
    text="#e8ebf0",
    soft="#a0a9b8",
    faint="#6b7484",
    accent="#7c9cff",
    accent_ground="#26314f",
    on_accent="#10131a",
    second="#ffa94d",
    good="#69db7c",
    bad="#ff8787",
    pad="#0f1116",
    ink="#f4f6fa",
)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21, as WCAG 2.1 defines it."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def blend(ground: str, colour: str, alpha: float) -> str:
    """Return a colour laid over a ground with opacity ``alpha``."""
    channels = (
        round((1 - alpha) * int(ground[place : place + 2], 16) + alpha * int(colour[place : place + 2], 16))
        for place in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def readable_on(ground: str) -> str:
    """Return black or white, whichever is more readable on a ground; its contrast is at least 4.58."""
    return max(("#000000", "#ffffff"), key=lambda colour: contrast(colour, ground))


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


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
