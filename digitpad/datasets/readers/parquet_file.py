"""Reader of Parquet files with images, as Hugging Face's datasets store them; needs the extra ``parquet`` (pyarrow)."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.class_names import MAX_CLASSES
from digitpad.datasets.conversion.array_roles import words_of
from digitpad.datasets.conversion.table_layout import LABEL_NAMES, dataset_in_table, has_table
from digitpad.datasets.digits import MAX_SAMPLES, Labels, ReaderResult
from digitpad.datasets.download.families import family_of
from digitpad.datasets.readers.idx import MAX_BYTES
from digitpad.datasets.readers.image_folder import ImageReader
from digitpad.errors import DataError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress

MAGIC = b"PAR1"
_BATCH = 1000
_MAX_IMAGE_BYTES = 2**24


def read_parquet(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the images and labels in a Parquet file: encoded images, or a column per pixel.

    The file ``test-….parquet`` beside ``train-….parquet`` is the test set.

    Raises
    ------
    DataError
        If the extra is not installed, the file cannot be read, or it has no images with labels.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            path, 'is a Parquet file; to read it, install the extra: pip install "digitpad[parquet]"'
        ) from error
    try:
        training = _read(path, pyarrow.parquet, tell)
        siblings = sorted(path.parent.glob(path.name.split("-")[0].replace("train", "test") + "*.parquet"))
        tests = [sibling for sibling in siblings if "train" in path.name and sibling != path]
        test = _read(tests[0], pyarrow.parquet, tell) if tests else None
    except (OSError, ValueError, TypeError, LookupError, MemoryError, pyarrow.ArrowException) as error:
        raise DataError(path, f"cannot be read as Parquet ({reason(error).splitlines()[0][:200]})") from error
    if test is None:
        is_test = "test" in words_of(path.stem)
        return ReaderResult(
            None if is_test else training.training, training.training if is_test else None, training.format,
            training.class_names, training.notes, training.skipped,
        )  # fmt: skip
    return ReaderResult(
        training.training, test.training, training.format, training.class_names, training.notes,
        (*training.skipped, *test.skipped),
    )  # fmt: skip


def _read(path: Path, parquet: Any, tell: ProgressCallback) -> ReaderResult:
    with parquet.ParquetFile(path) as file:
        metadata = file.metadata
        n_bytes = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        if metadata.num_rows > MAX_SAMPLES or n_bytes > MAX_BYTES:
            raise DataError(path, f"is too large; the limits are {MAX_SAMPLES:,} images and {MAX_BYTES // 2**20} MB")
        names = list(file.schema_arrow.names)
        batches = file.iter_batches(batch_size=_BATCH)
        label = next((name for name in names if name.lower() in LABEL_NAMES), None)
        image = next(
            (name for name in names if name != label and _is_image_type(file.schema_arrow.field(name).type)), None
        )
        if image is not None and label is not None:
            return _images(path, batches, image, label, tell)
        if len(names) < MAX_CLASSES:
            raise DataError(path, f"has the columns {', '.join(names)[:200]}; expected an image and a label")
        columns = sorted(range(len(names)), key=lambda column: names[column] != label)  # the label first
        rows = [
            np.column_stack(
                [np.asarray(batch.column(column).to_numpy(zero_copy_only=False), float) for column in columns]
            )
            for batch in batches
        ]
    table = np.concatenate(rows)
    if not has_table(table):
        raise DataError(path, f"has {len(names)} columns, which are not those of images with labels")
    return dataset_in_table(path, table, "Parquet")


def _is_image_type(kind: Any) -> bool:
    text = str(kind)
    return text in ("binary", "large_binary") or text.startswith(("struct<bytes: binary", "struct<bytes: large_binary"))


def _images(path: Path, batches: Iterator[Any], image: str, label: str, tell: ProgressCallback) -> ReaderResult:
    """Read encoded images one by one, with the same limits as image files."""
    reader = ImageReader(tell)
    labels = Labels(path)
    rows: list[np.ndarray[Any, np.dtype[np.uint8]]] = []
    prepared: list[bool] = []
    number = 0
    with tempfile.TemporaryDirectory(prefix="digitpad-") as folder:
        file = Path(folder) / "image"
        for batch in batches:
            values: Sequence[Any] = batch.column(image).to_pylist()
            for value, text in zip(values, batch.column(label).to_pylist(), strict=True):
                content = value.get("bytes") if isinstance(value, dict) else value
                pixels = np.empty((28, 28), np.uint8)
                number += 1
                try:
                    if not isinstance(content, bytes) or len(content) > _MAX_IMAGE_BYTES:
                        raise DataError(path, "has no image")
                    file.write_bytes(content)
                    is_prepared = reader.read_image(file, pixels)
                except DataError as error:
                    reader.skipped.append(f"{path}: row {number} {error.problem}")
                    continue
                labels.add(str(text))
                rows.append(pixels)
                prepared.append(is_prepared)
    if not rows:
        raise DataError(path, "has no image that can be read")
    part = labels.part(np.stack(rows), np.array(prepared))
    return ReaderResult(
        part, None, "Parquet", family_of(path.parent.name, path.name).class_names, reader.notes(), tuple(reader.skipped)
    )
