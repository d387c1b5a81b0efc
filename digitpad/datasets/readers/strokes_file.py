"""Reader of strokes files: labelled drawings from the window."""

from pathlib import Path

import numpy as np

from digitpad.datasets.digits import TELL_EVERY, Labels, ReaderResult, check_count
from digitpad.errors import DataError, InkError
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.ink.raster import rasterize
from digitpad.ink.strokes import read_strokes


def read_strokes_set(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the labelled drawings of a strokes file, rasterised like drawings on the pad.

    Raises
    ------
    DataError
        If the file cannot be read, a line is not a drawing, or no drawing has a label.
    """
    labels, images, n_skipped = Labels(path), [], 0
    try:
        for n_read, drawing in enumerate(read_strokes(path), 1):
            if drawing.label is None or not drawing.paths:
                n_skipped += 1
            else:
                labels.add(str(drawing.label))
                images.append(rasterize(drawing.paths))
                check_count(path, len(images))
            tell(0 if n_read % TELL_EVERY else n_read)
    except InkError as error:
        raise DataError(error.path, error.problem) from error
    if not images:
        raise DataError(path, 'contains no drawing with a label; expected lines of {"label": 7, "strokes": …}')
    notes = (f"{n_skipped:,} lines without a label or without ink were skipped.",) if n_skipped else ()
    return ReaderResult(labels.part(np.stack(images)), None, "strokes", notes=notes)
