"""Reader of image folders: one folder per class, either directly or below ``train`` and ``test``.

Images of 28 × 28 pixels are used unchanged. Others are prepared like images opened in the window, so that training
images resemble the images to be recognised.
"""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES
from digitpad.datasets.digits import MAX_SAMPLES, SIDE, TELL_EVERY, Labels, RawPart, ReaderResult, resolve_inside
from digitpad.datasets.download.families import family_of
from digitpad.errors import DataError, InkError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.ink.drawing import Drawing
from digitpad.ink.image import read_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm")
_TRAINING, _TEST = ("train", "training"), ("test", "testing")
_GREY = np.array([0.299, 0.587, 0.114])


def has_image_folders(folder: Path, at_least: int = 1) -> bool:
    """Return whether at least that many folders contain an image, directly or below ``train``."""
    training_folder = _named(folder, _TRAINING)
    candidates = _folders(folder if training_folder is None else training_folder)
    with_images = (candidate for candidate in candidates if _images(candidate, 1))
    return len(list(itertools.islice(with_images, at_least))) == at_least


def read_image_folder(folder: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a folder of images by class.

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
    """Reader of the training and test folder, which counts how many images it prepared."""

    def __init__(self, folder: Path, tell: ProgressCallback) -> None:
        self._folder = folder
        self._tell = tell
        self._n_read = self._n_prepared = 0

    def read(self, folder: Path) -> RawPart:
        """Read all images of a part, class by class."""
        classes = [resolve_inside(self._folder, path) for path in _folders(resolve_inside(self._folder, folder))]
        if len(classes) > MAX_CLASSES:
            raise DataError(folder, f"has {len(classes)} class folders; the limit is {MAX_CLASSES}")
        labels, files = Labels(folder), []
        for class_folder in classes:
            class_files = _images(class_folder, MAX_SAMPLES + 1)
            files += class_files
            if len(files) > MAX_SAMPLES:
                raise DataError(folder, f"has too many images; the limit is {MAX_SAMPLES:,}")
            for _ in class_files:
                labels.add(class_folder.name)
        if not files:
            raise DataError(folder, f"has no images in class folders; supported formats: {', '.join(SUFFIXES)}")
        images = np.empty((len(files), SIDE, SIDE), np.uint8)
        unchanged = np.zeros(len(files), bool)
        for row, path in enumerate(files):
            unchanged[row] = self._read_image(resolve_inside(self._folder, path), images[row])
            self._n_read += 1
            self._tell(0 if self._n_read % TELL_EVERY else self._n_read)
        self._n_prepared += int((~unchanged).sum())
        _invert_dark_ink(images, unchanged)
        return labels.part(images)

    def notes(self, parts: Sequence[RawPart | None]) -> tuple[str, ...]:
        """Return a note if images were prepared."""
        n = sum(len(part.images) for part in parts if part is not None)
        if not self._n_prepared:
            return ()
        return (
            f"{self._n_prepared:,} of {n:,} images are not {SIDE} × {SIDE} pixels; their ink was scaled and centred "
            "like MNIST's.",
        )

    def _read_image(self, path: Path, image: NDArray[np.uint8]) -> bool:
        """Read an image into ``image``; return whether it was used unchanged."""
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


def _invert_dark_ink(images: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    """Invert the images in ``mask`` to light ink on black, like MNIST, if the median border pixel of them is light."""
    if not mask.any():
        return
    border = np.ones((SIDE, SIDE), bool)
    border[1:-1, 1:-1] = False
    if np.median(images[mask][:, border]) > 127:
        images[mask] = 255 - images[mask]


def _folders(folder: Path) -> list[Path]:
    """Return the possible class folders in a folder, sorted by name; hidden folders are skipped."""
    try:
        with os.scandir(folder) as entries:
            folders = [
                Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith((".", "__"))
            ]
    except OSError as error:
        raise DataError(folder, f"cannot be read ({reason(error)})") from error
    return sorted(folders)


def _images(folder: Path, at_most: int) -> list[Path]:
    """Return at most ``at_most`` image files in a folder, sorted by name."""
    files: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith(".") and entry.is_file():
                    files.append(Path(entry.path))
                    if len(files) == at_most:
                        break
    except OSError as error:
        raise DataError(folder, f"cannot be read ({reason(error)})") from error
    return sorted(files)


def _named(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the subfolder with one of these names, in any case, or None."""
    return next((path for path in _folders(folder) if path.name.lower() in names), None)
