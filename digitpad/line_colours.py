"""Colours of lines that are drawn over each other, in the window and into files alike."""

LINE_COLOURS = (
    "#4c7ef3", "#f08c00", "#2f9e44", "#e03131", "#9c5fd6", "#15aabf", "#e64fa0", "#a0694a",
)  # fmt: skip
"""To be told apart on light and on dark ground."""
