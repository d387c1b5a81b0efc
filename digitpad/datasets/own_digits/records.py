"""Labelled drawings of the user, and the lines of JSON that store them.

A line with a drawing is a line of a strokes file with more keys::

    {"label": 7, "strokes": [[[x, y], …], …], "id": "…", "change": "…", "writer": "Ada", "source": "correction",
     "time": "2026-03-03T10:00:00+01:00", "read_as": 1}

``label`` is absent and ``non_digit`` is true if the drawing is not a digit. ``pixels`` holds the network input, as
base64 of 784 bytes, if it does not follow from the strokes. Lines that change drawings have no strokes, so that every
program that reads strokes files can read the store too; they name drawings in ``relabel``, ``rename``, ``delete``
or ``forget``, or a change in ``undo`` or ``redo``.
"""

import base64
import binascii
import functools
import json
import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import SIDE
from digitpad.ink.drawing import Drawing
from digitpad.ink.raster import rasterize
from digitpad.ink.strokes import parse_paths
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import NONE

MAX_TEXT = 200
"""Longest writer's name, in characters."""

CORRECTION, CONFIRMATION, WRITING, IMPORT = "correction", "confirmation", "writing", "import"
"""Sources of a drawing: the answer was wrong, the answer was right, written for My digits, imported from a file."""


def new_id() -> str:
    """Return a new identifier of a drawing or of a change."""
    return secrets.token_hex(6)


def now() -> str:
    """Return the current time in ISO 8601, with the time zone, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


@dataclass(frozen=True, eq=False)
class OwnDigit:
    """Labelled drawing.

    Attributes
    ----------
    label : int
        Digit 0 to 9, or `NONE` if the drawing is not a digit.
    paths : tuple of ndarray of shape (n_points, 2)
        Points of each stroke; empty for a drawing that exists only as an image.
    pixels : ndarray of uint8, shape (28, 28), optional
        Network input, if it does not follow from the strokes.
    writer : str
        Name or number of the writer; empty if unknown.
    time : str
        When it was labelled, in ISO 8601; empty if unknown.
    source : str
        `CORRECTION`, `CONFIRMATION`, `WRITING` or `IMPORT`; empty if unknown.
    read_as : int or None
        Class that the network read when the drawing was labelled.
    id : str
        Identifier; the same in every copy of the drawing.
    is_forgotten : bool
        Whether the memory was cleared since, so that the drawing no longer changes answers.
    """

    label: int
    paths: tuple[Floats, ...] = ()
    pixels: NDArray[np.uint8] | None = None
    writer: str = ""
    time: str = field(default_factory=now)
    source: str = ""
    read_as: int | None = None
    id: str = field(default_factory=new_id)
    is_forgotten: bool = False

    @classmethod
    def from_drawing(
        cls, drawing: Drawing, label: int, *, writer: str = "", source: str = CORRECTION, read_as: int | None = None
    ) -> "OwnDigit":
        """Return a labelled copy of a drawing on the pad."""
        pixels = None if drawing.image is None or not drawing.image.any() else drawing.rasterize()
        paths = tuple(stroke.points for stroke in drawing.strokes if len(stroke.points))
        return cls(label, paths, pixels, writer, source=source, read_as=read_as)

    @functools.cached_property
    def image(self) -> NDArray[np.uint8]:
        """Network input: uint8 of shape (28, 28); all 0 without ink."""
        image = rasterize(self.paths) if self.pixels is None else self.pixels
        image.flags.writeable = False
        return image

    @property
    def is_digit(self) -> bool:
        """Whether the drawing is a digit."""
        return self.label != NONE

    @property
    def date(self) -> datetime | None:
        """`time` as a date, or None if unknown."""
        try:
            return datetime.fromisoformat(self.time)
        except ValueError:
            return None

    def to_values(self, change: str = "") -> dict[str, Any]:
        """Return the values of its line; ``change`` identifies the change that added it."""
        values: dict[str, Any] = {"label": self.label} if self.is_digit else {"non_digit": True}
        values["strokes"] = [[[round(float(x), 2), round(float(y), 2)] for x, y in path] for path in self.paths]
        values["id"] = self.id
        optional = {
            "change": change,
            "writer": self.writer,
            "time": self.time,
            "source": self.source,
            "read_as": self.read_as,
            "forgotten": self.is_forgotten or None,
            "pixels": None if self.pixels is None else base64.b64encode(self.pixels.tobytes()).decode(),
        }
        return values | {key: value for key, value in optional.items() if value not in (None, "")}


@dataclass(frozen=True)
class Change:
    """Change to existing drawings.

    Attributes
    ----------
    kind : str
        ``relabel``, ``rename``, ``delete`` or ``forget``; or ``undo`` or ``redo``, whose ``ids`` hold the ``id`` of
        another change.
    ids : tuple of str
        Drawings that it changes.
    value : int or str or None
        New label or new writer.
    """

    kind: str
    ids: tuple[str, ...]
    value: int | str | None = None
    id: str = field(default_factory=new_id)

    def to_values(self) -> dict[str, Any]:
        """Return the values of its line."""
        values = {self.kind: list(self.ids), "strokes": [], "change": self.id, "time": now()}
        return values if self.value is None else {**values, "value": self.value}


@dataclass(frozen=True, eq=False)
class Record:
    """Line of the store: a drawing, or a change. ``change`` identifies the change that it belongs to."""

    change: str
    drawing: OwnDigit | None = None
    edit: Change | None = None


CHANGE_KINDS = ("relabel", "rename", "delete", "forget", "undo", "redo")


def encode(values: dict[str, Any]) -> bytes:
    """Return the values as a line."""
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def parse_line(line: bytes, fallback_id: str) -> Record | None:
    """Parse a line of the store or of any strokes file; return None for a drawing without a label or without ink.

    Parameters
    ----------
    line : bytes
    fallback_id : str
        Identifier of a drawing that has none.

    Raises
    ------
    ValueError
        If the line is damaged or is not a valid drawing or change.
    """
    try:
        values = json.loads(line)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    if not isinstance(values, dict):
        raise ValueError("is not an object")  # noqa: TRY004  # callers expect one kind of error
    change = _text(values.get("change"))
    for kind in CHANGE_KINDS:
        if kind in values:
            return Record(change, edit=_parse_change(kind, values, change))
    label = values.get("label")
    is_none = values.get("non_digit") is True
    paths, pixels = parse_paths(values.get("strokes")), _parse_pixels(values.get("pixels"))
    if (label is None and not is_none) or not (paths or pixels is not None):
        return None
    return Record(
        change,
        OwnDigit(
            NONE if is_none else _parse_label(label),
            tuple(paths),
            pixels,
            _text(values.get("writer")),
            _text(values.get("time")),
            _text(values.get("source")),
            values["read_as"] if type(values.get("read_as")) is int else None,
            _text(values.get("id")) or fallback_id,
            values.get("forgotten") is True,
        ),
    )


def _parse_change(kind: str, values: dict[str, Any], change: str) -> Change:
    ids = values[kind]
    if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
        raise ValueError(f"has no list of drawings to {kind}")
    value = values.get("value")
    if kind == "relabel":
        value = NONE if value == NONE and type(value) is int else _parse_label(value)
    elif kind == "rename":
        value = _text(value)
    return Change(kind, tuple(ids), value, change)


def _parse_label(label: Any) -> int:
    if type(label) is not int or not 0 <= label <= 9:
        raise ValueError(f"has the label {str(label)[:40]!r}; expected 0 to 9")
    return label


def _parse_pixels(text: Any) -> NDArray[np.uint8] | None:
    if text is None:
        return None
    try:
        content = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ValueError("has pixels that are not base64") from error
    if len(content) != SIDE * SIDE:
        raise ValueError(f"has {len(content):,} pixels; expected {SIDE * SIDE}")
    return np.frombuffer(content, np.uint8).reshape(SIDE, SIDE).copy()


def _text(value: Any) -> str:
    """Return a short printable text; numbers become text, so that a writer may be a number."""
    if type(value) in (int, float) and math.isfinite(value):
        value = str(value)
    return "".join(c for c in value if c.isprintable())[:MAX_TEXT] if isinstance(value, str) else ""


def replay(records: Sequence[Record]) -> list[OwnDigit]:
    """Return the drawings that remain after all changes, in the order in which they were added."""
    undone = undone_changes(records)
    drawings: dict[str, OwnDigit] = {}
    for record in records:
        if record.change and record.change in undone:
            continue
        if record.drawing is not None:
            drawings.setdefault(record.drawing.id, record.drawing)
        elif record.edit is not None:
            _apply(drawings, record.edit)
    return list(drawings.values())


def undone_changes(records: Iterable[Record]) -> set[str]:
    """Return the identifiers of the changes that are undone."""
    undone: set[str] = set()
    for record in records:
        if record.edit is not None and record.edit.kind in ("undo", "redo"):
            names = set(record.edit.ids)
            undone = undone | names if record.edit.kind == "undo" else undone - names
    return undone


def _apply(drawings: dict[str, OwnDigit], edit: Change) -> None:
    for name in edit.ids:
        drawing = drawings.get(name)
        if drawing is None:
            continue
        if edit.kind == "delete":
            del drawings[name]
        elif edit.kind == "forget":
            drawings[name] = _changed(drawing, is_forgotten=True)
        elif edit.kind == "relabel" and isinstance(edit.value, int):
            drawings[name] = _changed(drawing, label=edit.value)
        elif edit.kind == "rename" and isinstance(edit.value, str):
            drawings[name] = _changed(drawing, writer=edit.value)


def _changed(drawing: OwnDigit, **values: Any) -> OwnDigit:
    """Return a copy with other values, which shares the network input."""
    copy = replace(drawing, **values)
    if "image" in drawing.__dict__:
        copy.__dict__["image"] = drawing.image
    return copy
