"""Reader of image folders: a folder per class, or the label in each file's name; also below ``train`` and ``test``.

Images of 28 × 28 pixels are used unchanged; `conversion.preparation` then decides for all of them. Others are prepared
like images opened in the window, so that training images resemble the images to be recognised. Unreadable images are
skipped and reported.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES
from digitpad.datasets.conversion.label_names import folder_labels, labels_in_names, stated_digit
from digitpad.datasets.digits import MAX_SAMPLES, SIDE, TELL_EVERY, Labels, RawPart, ReaderResult, resolve_inside
from digitpad.datasets.download.families import family_of
from digitpad.datasets.readers.folder_walk import entries, files_below
from digitpad.errors import DataError, InkError
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.ink.drawing import Drawing
from digitpad.ink.image import read_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm", ".jfif")
UNREADABLE_SUFFIXES = (".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".svg")
"""Images that cannot be read; they are counted and reported rather than ignored."""

_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"P2", b"P5", b"P6")
_TRAINING, _TEST = ("train", "training", "trainingset", "training_set"), ("test", "testing", "testset", "test_set")
_DEPTH = 3  # of class folders
_GREY = np.array([0.299, 0.587, 0.114])

Labelled = Sequence[tuple[Path, str]]


def is_image_folder(folder: Path) -> bool:
    """Return whether a folder has labelled images: at least two class folders with images, or labels in file names.

    Raises
    ------
    DataError
        If a folder cannot be read.
    """
    part = _parts(folder)[0]
    if part is None:
        return False
    with_images = (path for path in entries(part)[1] if any(True for _ in _images_below(path)))
    if len(list(itertools.islice(with_images, 2))) == 2:
        return True
    images = _images(part)
    return bool(images) and _stated_labels(images) is not None


def has_images(folder: Path) -> bool:
    """Return whether there is an image in a folder or its subfolders."""
    return any(True for _ in _images_below(folder))


def read_image_folder(folder: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a folder of images.

    Raises
    ------
    DataError
        If no image can be read, labels are missing, a link leads out of the folder, or there are too many classes.
    """
    training_folder, test_folder = _parts(folder)
    reader = ImageReader(tell)
    training, test = (
        None if part is None else reader.read(part, _labelled(resolve_inside(folder, part), folder))
        for part in (training_folder, test_folder)
    )
    return ReaderResult(
        training, test, "image folders", family_of(folder.name).class_names, reader.notes(), tuple(reader.skipped)
    )


class ImageReader:
    """Reader of image files, which counts those that it prepared, and collects those that it skipped.

    Attributes
    ----------
    skipped : list of str
        Files that could not be read, each with its problem.
    """

    def __init__(self, tell: ProgressCallback) -> None:
        self._tell = tell
        self._n_read = self._n_prepared = 0
        self.skipped: list[str] = []

    def read(self, source: Path, labelled: Labelled) -> RawPart:
        """Read images with labels; ``source`` is the file or folder to name in errors.

        Raises
        ------
        DataError
            If there is no image, or none can be read.
        """
        if len(labelled) > MAX_SAMPLES:
            raise DataError(source, f"has too many images; the limit is {MAX_SAMPLES:,}")
        labels = Labels(source)
        images = np.empty((len(labelled), SIDE, SIDE), np.uint8)
        prepared = np.zeros(len(labelled), bool)
        n = 0
        first: DataError | None = None
        for path, label in labelled:
            try:
                prepared[n] = self.read_image(path, images[n])
            except DataError as error:
                first = first or error
                self.skipped.append(str(error))
                continue
            labels.add(label)
            n += 1
        if not n:
            if first is None:
                raise DataError(source, f"has no images in class folders; supported formats: {', '.join(SUFFIXES)}")
            more = f" (and {len(labelled) - 1:,} more images cannot be read)" if len(labelled) > 1 else ""
            raise DataError(first.path, first.problem + more)
        return labels.part(images[:n], prepared[:n])

    def read_image(self, path: Path, image: NDArray[np.uint8]) -> bool:
        """Read an image into ``image``; return whether its ink was scaled and centred.

        Raises
        ------
        DataError
            If the image cannot be read.
        """
        try:
            pixels = read_image(path)
        except InkError as error:
            raise DataError(error.path, error.problem) from error
        self._n_read += 1
        self._tell(0 if self._n_read % TELL_EVERY else self._n_read)
        if pixels.shape[:2] != (SIDE, SIDE):
            image[:] = Drawing.from_pixels(pixels).rasterize()
            self._n_prepared += 1
            return True
        alpha = pixels[..., 3:] / 255
        image[:] = np.rint((pixels[..., :3] * alpha + 255 * (1 - alpha)) @ _GREY)
        return False

    def notes(self) -> tuple[str, ...]:
        """Return a note if images were prepared."""
        if not self._n_prepared:
            return ()
        return (
            f"{self._n_prepared:,} of {self._n_read:,} images are not {SIDE} × {SIDE} pixels; their ink was scaled and "
            "centred like MNIST's.",
        )


def _parts(folder: Path) -> tuple[Path | None, Path | None]:
    """Return the folders of the training and test images; folders that only wrap another are skipped."""
    for _ in range(_DEPTH):
        training_folder, test_folder = _named(folder, _TRAINING), _named(folder, _TEST)
        if training_folder is not None or test_folder is not None:
            return training_folder, test_folder
        files, folders = entries(folder)
        if len(folders) != 1 or stated_digit(folders[0].name) is not None or _images(folder, files):
            break
        folder = resolve_inside(folder, folders[0])
    return folder, None


def _labelled(folder: Path, root: Path) -> Labelled:
    """Return the images in a folder with their labels, class by class."""
    classes = [resolve_inside(root, path) for path in entries(folder)[1]]
    class_images = {path: list(_images_below(path)) for path in classes}
    class_images = {path: images for path, images in class_images.items() if images}
    if not class_images:
        return _labelled_by_name(folder, root)
    if len(class_images) > MAX_CLASSES:
        raise DataError(folder, f"has {len(class_images)} class folders; the limit is {MAX_CLASSES}")
    labels = folder_labels(path.name for path in class_images)
    return [
        (resolve_inside(root, image), labels[path.name]) for path, images in class_images.items() for image in images
    ]


def _labelled_by_name(folder: Path, root: Path) -> Labelled:
    images = _images(folder)
    labels = _stated_labels(images)
    if images and labels is None:
        raise DataError(
            folder,
            f"has {len(images):,} images without labels; put them in a folder per class, put the digit first or last "
            "in each file name, as in 3_02.png, or add a CSV file with a column of file names and a column of labels",
        )
    return [(resolve_inside(root, path), label) for path, label in zip(images, labels or [], strict=True)]


def _stated_labels(images: Sequence[Path]) -> list[str] | None:
    """Return the label that each image's name states, or None; the label of an image that cannot be read is empty."""
    readable = [path for path in images if path.suffix.lower() not in UNREADABLE_SUFFIXES]
    labels = labels_in_names([path.stem for path in readable])
    if labels is None:
        return None
    label_of = dict(zip(readable, labels, strict=True))
    return [label_of.get(path, "") for path in images]


def _images(folder: Path, files: Iterable[Path] | None = None) -> list[Path]:
    """Return the image files directly in a folder, sorted by name."""
    return [path for path in (entries(folder)[0] if files is None else files) if is_image_name(path)]


def _images_below(folder: Path) -> Iterator[Path]:
    """Yield the image files in a folder and its subfolders."""
    return (path for path in files_below(folder, _DEPTH) if is_image_name(path))


def is_image_name(path: Path) -> bool:
    """Return whether a file is an image by its suffix or, without a suffix, by its first bytes."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix in UNREADABLE_SUFFIXES:
        return True
    if suffix and not suffix[1:].isdigit():
        return False
    try:
        with path.open("rb") as file:
            return path.is_file() and file.read(4).startswith(_MAGIC)
    except OSError:
        return False


def _named(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the subfolder with one of these names, in any case, or None."""
    return next((path for path in entries(folder)[1] if path.name.lower() in names), None)
