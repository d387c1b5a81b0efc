"""Draw samples of the pen-digit styles: ``python tests/tools/contact_sheet.py sheet.png [--digit 7]``.

Each row is a style in ``data/pen-digits.toml`` and each column a writer; a circle marks the start of a stroke.
``--seen`` draws the network input instead of the strokes. ``--others`` draws non-digits: the styles in
``data/pen-others.toml``, then a row for each kind of random drawing.
"""

import argparse
import functools
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from digitpad.datasets.synthetic import glyphs
from digitpad.datasets.synthetic.pen import Style, Writer, styles, write
from digitpad.ink.raster import rasterize
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import NONE

CELL = 64
NAME = 230
COLOURS = ("#101010", "#c02020", "#2040c0", "#108040")

Hand = Callable[[np.random.Generator, Writer], list[Floats]]


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--digit", type=int, help="draw only the styles of this digit")
    choice.add_argument("--others", nargs="*", metavar="KIND", help="draw non-digits, all of them or these kinds")
    parser.add_argument("--columns", type=int, default=16, help="writers per style (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seen", action="store_true", help="draw the 28 × 28 pixels of the network input")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rows = _digits(options.digit) if options.others is None else _others(options.others)
    sheet(rows, options.columns, rng, seen=options.seen).save(options.file)
    print(options.file)


def _digits(digit: int | None) -> dict[str, Hand]:
    return {
        f"{style.digit}  {style.name}  ({style.weight:g})": functools.partial(_write, style)
        for style in styles()
        if digit in (None, style.digit)
    }


def _others(kinds: Sequence[str]) -> dict[str, Hand]:
    rows: dict[str, Hand] = {}
    for kind in kinds or glyphs.kinds():
        if kind not in glyphs.glyphs():
            rows[kind] = functools.partial(glyphs.draw, kind)
        for style in glyphs.glyphs().get(kind, ()):
            rows[f"{kind}  {style.name}  ({style.weight:g})"] = functools.partial(_write, style)
    return rows


def _write(style: Style, rng: np.random.Generator, writer: Writer) -> list[Floats]:
    return write(style, rng, glyphs.looser(writer) if style.digit == NONE else writer)


def sheet(rows: Mapping[str, Hand], columns: int, rng: np.random.Generator, seen: bool = False) -> Image.Image:
    """Return the image, with a row for each style and a column for each writer."""
    image = Image.new("RGB", (NAME + columns * CELL, len(rows) * CELL), "white")
    draw = ImageDraw.Draw(image)
    for row, (name, hand) in enumerate(rows.items()):
        draw.text((4, row * CELL + CELL // 2 - 6), name, fill="#404040")
        for column in range(columns):
            writer = Writer.random(rng)
            paths = hand(rng, writer)
            cell = _pixels(rasterize(paths, writer.pen_radius_px)) if seen else draw_strokes(paths)
            image.paste(cell, (NAME + column * CELL, row * CELL))
    return image


def _pixels(ink: np.ndarray) -> Image.Image:
    return Image.fromarray(255 - ink).resize((CELL - 8, CELL - 8), Image.Resampling.NEAREST)


def draw_strokes(paths: Sequence[Floats]) -> Image.Image:
    """Draw the strokes in different colours, scaled to the cell."""
    side = 3 * CELL  # reduced at the end for antialiasing
    cell = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(cell)
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    for path, colour in zip(paths, itertools.cycle(COLOURS), strict=False):
        scaled = (path - (low + high) / 2) * (0.76 * side / max((high - low).max(), 1)) + side / 2
        draw.line([tuple(point) for point in scaled], fill=colour, width=6, joint="curve")
        x, y = scaled[0]
        draw.ellipse((x - 7, y - 7, x + 7, y + 7), outline="#f08000", width=3)
    return cell.resize((CELL, CELL), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
