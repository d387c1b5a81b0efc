"""Strokes (pen paths), and the JSON Lines file that stores them, with one drawing per line.

A line is ``{"label": 7, "strokes": [[[x, y], …], …]}``. The label is optional; that of a number is a string, ``"42"``,
with a line break between lines. y grows downwards. The window writes canvas pixels; files from other programs may use
any unit.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.errors import InkError
from digitpad.nn.arrays import Floats
from digitpad.system.atomic_write import write_atomically

CANVAS_PX = 480
"""Side of the square canvas of strokes, independent of its size on screen."""

MAX_LINE_BYTES = 4 * 2**20
MAX_FILE_BYTES = 256 * 2**20
MAX_LABEL = 1000  # characters


@dataclass(frozen=True, eq=False)
class Stroke:
    """Path of the pen from pen down to pen up.

    Attributes
    ----------
    points : ndarray of shape (n_points, 2)
        x and y in canvas pixels; at least one point.
    width_px : float
        Displayed pen width; it does not affect the network input.
    pressures : ndarray of shape (n_points,), optional
        Pen pressures 0..1, from pens that report them; they change the displayed width.
    """

    points: Floats
    width_px: float = 24.0
    pressures: Floats | None = None


@dataclass(frozen=True, eq=False)
class LabelledStrokes:
    """Line of a strokes file: the points of each stroke, the label if known, and the line number."""

    paths: list[Floats]
    label: int | str | None = None
    line: int = 1


def read_strokes(path: Path) -> Iterator[LabelledStrokes]:
    """Yield the drawings in a strokes file, in order.

    Raises
    ------
    InkError
        If the file cannot be read, or if a line is not a valid drawing; the message contains the line number.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InkError(path, f"is too large; the limit is {MAX_FILE_BYTES // 2**20} MB")
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise InkError(path, f"line {number} is longer than {MAX_LINE_BYTES} bytes")
                if not line.isspace():
                    yield _parse(path, number, line)
    except OSError as error:
        raise InkError(path, f"cannot be read ({error.strerror})") from error


def write_strokes(path: Path, drawings: Iterable[LabelledStrokes]) -> None:
    """Write a strokes file atomically.

    Raises
    ------
    InkError
        If the file cannot be written; an existing file is then unchanged.
    """
    lines = []
    for drawing in drawings:
        strokes = [[[round(float(x), 2), round(float(y), 2)] for x, y in points] for points in drawing.paths]
        label = {} if drawing.label is None else {"label": drawing.label}
        lines.append(json.dumps({**label, "strokes": strokes}) + "\n")
    try:
        write_atomically(path, "".join(lines).encode())
    except OSError as error:
        raise InkError(path, f"cannot be written ({error.strerror or error})") from error


def erase(strokes: Sequence[Stroke], path: Floats, radius_px: float) -> tuple[Stroke, ...]:
    """Return the strokes after erasing; each stroke is cut where the disc of the eraser covers its path.

    Parameters
    ----------
    strokes : sequence of Stroke
    path : ndarray of shape (n_points, 2)
        Path of the eraser's centre, in canvas pixels.
    radius_px : float
    """
    remaining: list[Stroke] = []
    for stroke in strokes:
        points, pressures = _resample(stroke, step_px=max(0.5, radius_px / 8))
        covered = distance_to_path(points, path) < radius_px
        if not covered.any():
            remaining.append(stroke)
            continue
        cuts = np.flatnonzero(np.diff(covered)) + 1
        for begin, end in zip([0, *cuts], [*cuts, len(points)], strict=True):
            if not covered[begin]:
                part = None if pressures is None else pressures[begin:end]
                remaining.append(Stroke(points[begin:end], stroke.width_px, part))
    return tuple(remaining)


def distance_to_path(points: Floats, path: Floats) -> Floats:
    """Return the distance of each point, shape (n, 2), from the nearest segment of a path; shape (n,)."""
    distance = np.hypot(*(points - path[0]).T)
    for start, end in zip(path[:-1], path[1:], strict=True):
        step = end - start
        along = np.clip((points - start) @ step / max(float(step @ step), 1e-12), 0, 1)
        np.minimum(distance, np.hypot(*(points - start - along[:, None] * step).T), out=distance)
    return distance


def _resample(stroke: Stroke, step_px: float) -> tuple[Floats, Floats | None]:
    """Return points along the stroke, at most ``step_px`` apart and including its own points, with their pressures."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(stroke.points, axis=0).T))])
    at = np.union1d(along, np.linspace(0, along[-1], int(along[-1] / step_px) + 2))
    points = np.stack([np.interp(at, along, coordinate) for coordinate in stroke.points.T], axis=1)
    return points, None if stroke.pressures is None else np.interp(at, along, stroke.pressures)


def _parse(path: Path, number: int, line: bytes) -> LabelledStrokes:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InkError(path, f"line {number} is not JSON ({error})") from error
    strokes = values.get("strokes") if isinstance(values, dict) else None
    if not isinstance(strokes, list):
        raise InkError(path, f"line {number} has no list 'strokes'")
    label = values.get("label")
    if label is not None and not _is_label(label):
        raise InkError(path, f"line {number} has the label {str(label)[:40]!r}; expected 0 to 9, or digits in quotes")
    try:
        return LabelledStrokes(parse_paths(strokes), label, number)
    except ValueError as error:
        raise InkError(path, f"line {number} {error}") from error


def parse_paths(strokes: Any) -> list[Floats]:
    """Return the points of each stroke that has any, from the value of ``strokes`` in a line.

    Raises
    ------
    ValueError
        If it is not a list of strokes; the message continues a sentence about the line.
    """
    if not isinstance(strokes, list):
        raise ValueError("has no list 'strokes'")  # noqa: TRY004  # a wrong value in a file
    if not all(isinstance(stroke, list) and all(map(_is_point, stroke)) for stroke in strokes):
        raise ValueError("has a stroke that is not a list of points [x, y]")
    return [np.array(stroke, float).reshape(-1, 2) for stroke in strokes if stroke]


def _is_label(value: Any) -> bool:
    """Return whether a value is a digit, or a text of digits; "?" stands for ink that is not a digit."""
    if type(value) is int:
        return 0 <= value <= 9
    return isinstance(value, str) and 0 < len(value) <= MAX_LABEL and set(value) <= set("0123456789?\n")


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(number) in (int, float) and abs(number) < 1e9 and math.isfinite(number) for number in value)
    )
