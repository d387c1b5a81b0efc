"""Reader of strokes files: labelled drawings from the window."""

from pathlib import Path

import numpy as np

from digitpad.class_names import DIGITS
from digitpad.datasets.digits import TELL_EVERY, Labels, ReaderResult, Tell, check_count, ignore_progress
from digitpad.errors import DataError, InkError
from digitpad.ink.raster import rasterize
from digitpad.ink.strokes import read_strokes


def read_strokes_set(path: Path, tell: Tell = ignore_progress) -> ReaderResult:
    """Read the labelled drawings of a strokes file, rasterised like drawings on the pad.

    Raises
    ------
    DataError
        If the file cannot be read, a line is not a drawing, or no drawing has a label of one digit.
    """
    labels, images, n_skipped, n_numbers = Labels(path), [], 0, 0
    try:
        for n_read, drawing in enumerate(read_strokes(path), 1):
            if drawing.label is None or not drawing.paths:
                n_skipped += 1
            elif str(drawing.label) not in DIGITS:
                n_numbers += 1
            else:
                labels.add(str(drawing.label))
                images.append(rasterize(drawing.paths))
                check_count(path, len(images))
            tell(0 if n_read % TELL_EVERY else n_read)
    except InkError as error:
        raise DataError(error.path, error.problem) from error
    if not images:
        raise DataError(path, 'contains no drawing with a label; expected lines of {"label": 7, "strokes": …}')
    counts = {"without a label or without ink": n_skipped, "with a label of several digits": n_numbers}
    notes = tuple(f"{n:,} lines {what} were skipped." for what, n in counts.items() if n)
    return ReaderResult(labels.part(np.stack(images)), None, "strokes", notes=notes)
