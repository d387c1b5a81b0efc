"""Images in a folder a class: in ``train`` and ``test``, or on one level.

Those of 28 × 28 pixels are taken as they are; others are prepared as images are that are opened in the window, so that
what is trained on is like what will be read.
"""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES
from digitpad.datasets.digits import (
    MAX_SAMPLES,
    SIDE,
    TELL_EVERY,
    Labels,
    RawPart,
    ReaderResult,
    Tell,
    ignore_progress,
    resolve_inside,
)
from digitpad.datasets.download.families import family_of
from digitpad.errors import DataError, InkError, reason
from digitpad.ink.drawing import Drawing
from digitpad.ink.image import read_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm")
_TRAINING, _TEST = ("train", "training"), ("test", "testing")
_GREY = np.array([0.299, 0.587, 0.114])


def has_image_folders(folder: Path, at_least: int = 1) -> bool:
    """Whether there are so many folders with an image in them, on one level or in ``train``."""
    below = _named(folder, _TRAINING)
    found = (one for one in _folders(folder if below is None else below) if _images(one, 1))
    return len(list(itertools.islice(found, at_least))) == at_least


def read_image_folder(folder: Path, tell: Tell = ignore_progress) -> ReaderResult:
    """The data set in a folder of images by class.

    Raises
    ------
    DataError
        If an image cannot be read, a link leads out of the folder, or there are too many classes or images.
    """
    training_folder, test_folder = _named(folder, _TRAINING), _named(folder, _TEST)
    if training_folder is None:
        training_folder, test_folder = folder, None
    reader = _Reader(folder, tell)
    training = reader.read(training_folder)
    test = None if test_folder is None else reader.read(test_folder)
    return ReaderResult(
        training, test, "image folders", family_of(folder.name).class_names, reader.notes([training, test])
    )


class _Reader:
    """Reads parts, and remembers what was done to their images."""

    def __init__(self, folder: Path, tell: Tell) -> None:
        self._folder = folder
        self._tell = tell
        self._n_read = self._n_prepared = 0

    def read(self, folder: Path) -> RawPart:
        """All classes of a part."""
        classes = [resolve_inside(self._folder, one) for one in _folders(resolve_inside(self._folder, folder))]
        if len(classes) > MAX_CLASSES:
            raise DataError(folder, f"has {len(classes)} folders; at most {MAX_CLASSES} classes are possible")
        labels, files = Labels(folder), []
        for one in classes:
            of_class = _images(one, MAX_SAMPLES + 1)
            files += of_class
            if len(files) > MAX_SAMPLES:
                raise DataError(folder, f"holds more than {MAX_SAMPLES:,} images")
            for _ in of_class:
                labels.add(one.name)
        if not files:
            raise DataError(folder, f"holds no images in folders; expected {', '.join(SUFFIXES[:3])} and the like")
        images = np.empty((len(files), SIDE, SIDE), np.uint8)
        as_they_are = np.zeros(len(files), bool)
        for row, path in enumerate(files):
            as_they_are[row] = self._read_image(resolve_inside(self._folder, path), images[row])
            self._n_read += 1
            self._tell(0 if self._n_read % TELL_EVERY else self._n_read)
        self._n_prepared += int((~as_they_are).sum())
        _turn_dark_ink(images, as_they_are)
        return labels.part(images)

    def notes(self, parts: Sequence[RawPart | None]) -> tuple[str, ...]:
        """What was done."""
        n = sum(len(part.images) for part in parts if part is not None)
        if not self._n_prepared:
            return ()
        return (
            f"{self._n_prepared:,} of {n:,} images are not of {SIDE} × {SIDE} pixels; their ink was scaled and centred "
            "as MNIST's is.",
        )

    def _read_image(self, path: Path, image: NDArray[np.uint8]) -> bool:
        """Read an image into ``image``; whether it was taken as it is."""
        try:
            pixels = read_image(path)
        except InkError as error:
            raise DataError(error.path, error.problem) from error
        if pixels.shape[:2] != (SIDE, SIDE):
            image[:] = Drawing.from_pixels(pixels).rasterize()
            return False
        alpha = pixels[..., 3:] / 255
        image[:] = np.rint((pixels[..., :3] * alpha + 255 * (1 - alpha)) @ _GREY)
        return True


def _turn_dark_ink(images: NDArray[np.uint8], which: NDArray[np.bool_]) -> None:
    """Make ink light on dark, as MNIST's is, where most of the images that are as they were have a light border."""
    if not which.any():
        return
    border = np.ones((SIDE, SIDE), bool)
    border[1:-1, 1:-1] = False
    if np.median(images[which][:, border]) > 127:
        images[which] = 255 - images[which]


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder that may be classes, by name; as few as tell that there are too many."""
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith((".", "__"))]
    except OSError as error:
        raise DataError(folder, f"cannot be read ({reason(error)})") from error
    return sorted(found)


def _images(folder: Path, at_most: int) -> list[Path]:
    """The first images in a folder, by name."""
    found: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith(".") and entry.is_file():
                    found.append(Path(entry.path))
                    if len(found) == at_most:
                        break
    except OSError as error:
        raise DataError(folder, f"cannot be read ({reason(error)})") from error
    return sorted(found)


def _named(folder: Path, names: Sequence[str]) -> Path | None:
    """The folder of one of these names, in whatever case."""
    return next((one for one in _folders(folder) if one.name.lower() in names), None)
