"""Hand-drawn digits as paths and as images, and Hypothesis strategies for paths."""

from collections.abc import Sequence

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX, distance_to_path
from digitpad.nn.arrays import Floats

SOME = settings(max_examples=60, deadline=None, derandomize=True)


def _circle(x: float, y: float, rx: float, ry: float) -> Floats:
    angles = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + rx * np.sin(angles), y - ry * np.cos(angles)], axis=1)


DIGITS: dict[int, list[Floats]] = {
    0: [_circle(240, 240, 100, 150)],
    2: [
        np.array(
            [[130, 160], [160, 110], [230, 90], [300, 120], [310, 190], [250, 270], [180, 330], [140, 370], [330, 370]],
            float,
        )
    ],
    4: [np.array([[260, 80], [150, 260], [340, 260]], float), np.array([[270, 180], [262, 400]], float)],
    7: [np.array([[140, 100], [340, 105], [230, 390]], float)],
}
"""Paths in canvas pixels, by digit."""


def picture(paths: Sequence[Floats], width_px: float = 24, side: int = CANVAS_PX) -> Floats:
    """Return ink of 0..1 on ``side`` × ``side`` pixels, drawn with a pen of ``width_px`` canvas pixels."""
    pixel = CANVAS_PX / side
    y, x = np.indices((side, side)).reshape(2, -1)
    centres = (np.stack([x, y], axis=1) + 0.5) * pixel
    distance = np.min([distance_to_path(centres, path) for path in paths], axis=0)
    ink: Floats = np.clip((width_px / 2 - distance) / pixel + 0.5, 0, 1).reshape(side, side)
    return ink


def pixels(ink: Floats) -> NDArray[np.uint8]:
    return np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8)


def network_input(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the network input for an image."""
    return Drawing.from_pixels(image).rasterize().astype(np.int64)


def difference(first: NDArray[np.integer], second: NDArray[np.integer]) -> float:
    """Return the mean absolute difference in grey levels (of 255) over the pixels with ink in either image."""
    first, second = first.astype(int), second.astype(int)
    return float(np.abs(first - second)[(first > 0) | (second > 0)].mean())


def _paths(points: list[list[tuple[int, int]]]) -> list[Floats]:
    return [np.array(path, float) for path in points]


def _extent(path: Floats) -> float:
    return float(np.ptp(path, axis=0).max())


def _are_a_digit(paths: list[Floats]) -> bool:
    """Return whether the drawing is large, and each stroke is much larger than a speck."""
    extent = _extent(np.concatenate(paths))
    return extent > 40 and all(_extent(path) > 0.2 * extent for path in paths)


POINTS = st.tuples(st.integers(0, CANVAS_PX), st.integers(0, CANVAS_PX))
PATHS = st.lists(st.lists(POINTS, min_size=2, max_size=12), min_size=1, max_size=3).map(_paths).filter(_are_a_digit)


def line(*points: tuple[int, int]) -> Floats:
    return np.array(points, float)


SEVEN_WITH_BAR = [line((140, 100), (340, 105), (230, 390)), line((200, 250), (330, 245))]
ONE_WITH_FLAG = [line((150, 200), (240, 90), (240, 390))]
TWO_WITH_FOOT = [
    line((150, 150), (180, 110), (240, 95), (300, 120), (305, 180), (260, 260), (150, 380)),
    line((150, 380), (330, 380)),
]
FOUR_CLOSED = [line((270, 90), (140, 280), (350, 280)), line((270, 90), (270, 400))]
ANGLES = np.linspace(1.1, 6.4, 40)
OPEN_ZERO = [np.stack([240 + 100 * np.sin(ANGLES), 240 - 150 * np.cos(ANGLES)], axis=1)]
