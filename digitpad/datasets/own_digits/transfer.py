"""Import and export of labelled drawings: strokes files, folders of images by class, and CSV."""

import hashlib
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitpad.class_names import DIGITS
from digitpad.datasets.digits import SIDE
from digitpad.datasets.own_digits.records import IMPORT, OwnDigit, encode
from digitpad.datasets.own_digits.store import read_own_digits
from digitpad.datasets.readers.image_folder import read_image_folder
from digitpad.errors import DataError, InkError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.nn.losses import NONE
from digitpad.system.atomic_write import write_atomically

NOT_A_DIGIT = "not-a-digit"
"""Name of the folder with images that are not digits."""


def import_strokes(path: Path, writer: str = "") -> list[OwnDigit]:
    """Return the labelled drawings in a strokes file, ready for `DigitStore.add`.

    Importing the same file again gives the same identifiers, so the store keeps one copy of each drawing.

    Parameters
    ----------
    path : Path
    writer : str, optional
        Writer of the drawings for which the file names none.

    Raises
    ------
    InkError
        If the file cannot be read, or holds no labelled drawing.
    """
    return [
        replace(
            drawing,
            id=_content_id(drawing) if drawing.id.startswith("line-") else drawing.id,
            writer=drawing.writer or writer,
            source=drawing.source or IMPORT,
        )
        for drawing in read_own_digits(path).digits
    ]


def import_images(folder: Path, writer: str = "", tell: ProgressCallback = ignore_progress) -> list[OwnDigit]:
    """Return the images of a folder that has one folder for each digit, ready for `DigitStore.add`.

    Raises
    ------
    DataError
        If the folder cannot be read, or has a class that is neither a digit nor `NOT_A_DIGIT`.
    """
    result = read_image_folder(folder, tell)
    drawings = []
    for part in (result.training, result.test):
        if part is None:
            continue
        for text in part.texts:
            if text not in (*DIGITS, NOT_A_DIGIT):
                raise DataError(folder, f"has the class {text!r}; expected folders 0 to 9, or {NOT_A_DIGIT}")
        for image, place in zip(part.images, part.labels, strict=True):
            text = part.texts[place]
            drawing = OwnDigit(
                NONE if text == NOT_A_DIGIT else int(text), pixels=image.copy(), writer=writer, source=IMPORT
            )
            drawings.append(replace(drawing, id=_content_id(drawing)))
    return drawings


def export_strokes(drawings: Iterable[OwnDigit], path: Path) -> None:
    """Write the drawings as a strokes file, without deleted drawings and without the changes.

    Raises
    ------
    InkError
        If the file cannot be written; an existing file is then unchanged.
    """
    _write(path, b"".join(encode(drawing.to_values()) for drawing in drawings))


def export_images(drawings: Iterable[OwnDigit], folder: Path) -> int:
    """Write the network input of each drawing as ``folder/LABEL/WRITER-ID.png``, 28 × 28 pixels; return how many.

    Raises
    ------
    InkError
        If an image cannot be written.
    """
    from PIL import Image  # this import takes 15 ms

    n_written = 0
    for drawing in drawings:
        target = folder / (str(drawing.label) if drawing.is_digit else NOT_A_DIGIT)
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InkError(target, f"cannot be created ({reason(error)})") from error
        buffer = io.BytesIO()
        Image.fromarray(drawing.image).save(buffer, "PNG")
        name = f"{_safe(drawing.writer) or 'unknown'}-{_safe(drawing.id)}.png"
        _write(target / name, buffer.getvalue())
        n_written += 1
    return n_written


def export_csv(drawings: Iterable[OwnDigit], path: Path) -> int:
    """Write the digits as CSV, with the label and 784 pixels of 0..255 in each row; return the number of rows.

    Drawings that are not digits are left out, because MNIST's CSV files have no label for them.

    Raises
    ------
    InkError
        If the file cannot be written; an existing file is then unchanged.
    """
    digits = [drawing for drawing in drawings if drawing.is_digit]
    header = ",".join(["label", *(f"pixel{place}" for place in range(SIDE * SIDE))])
    rows = [",".join(map(str, [drawing.label, *drawing.image.ravel().tolist()])) for drawing in digits]
    _write(path, ("\n".join([header, *rows]) + "\n").encode())
    return len(digits)


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except OSError as error:
        raise InkError(path, f"cannot be written ({reason(error)})") from error


def _safe(text: str) -> str:
    """Return a text as part of a file name."""
    return "".join(c if c.isalnum() else "_" for c in text)[:40]


def _content_id(drawing: OwnDigit) -> str:
    """Return an identifier that depends only on the drawing, its label and its writer."""
    digest = hashlib.sha256(f"{drawing.label} {drawing.writer}".encode())
    for path in drawing.paths:
        digest.update(np.ascontiguousarray(path, np.float64).tobytes() + b"|")
    if drawing.pixels is not None:
        digest.update(drawing.pixels.tobytes())
    return digest.hexdigest()[:12]
