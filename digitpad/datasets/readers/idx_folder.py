"""Reader of folders of IDX files, raw or gzipped, named as in MNIST, Fashion-MNIST, KMNIST, EMNIST and QMNIST."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import RawPart, ReaderResult, check_count, check_images, resolve_inside
from digitpad.datasets.download.families import UNKNOWN, family_of
from digitpad.datasets.readers.idx import read_classes, read_idx
from digitpad.errors import DataError
from digitpad.formats.progress import ProgressCallback, ignore_progress

_NAME = re.compile(
    r"(?P<prefix>.*?)[-_]?(?P<part>train|t10k|test)-(?P<content>images|labels)[-.]idx(?P<dimensions>[123])-"
    r"(?P<kind>ubyte|int)(?P<zipped>\.gz)?"
)
_CHUNK = 4096
_GENERIC_FOLDER_NAMES = {"raw", "gzip", "data"}
"""Folder names that do not identify a dataset; the name of the parent folder is used as well."""


@dataclass(frozen=True)
class IdxFile:
    """IDX file with the parts of its name; ``set`` is the prefix before the part, such as ``emnist-letters``."""

    path: Path
    set: str
    part: str
    content: str

    @property
    def zipped(self) -> bool:
        """Whether the name ends in ``.gz``; the raw file takes precedence if both exist."""
        return self.path.suffix == ".gz"


def idx_file(path: Path) -> IdxFile | None:
    """Parse the name of a file; None if it is not the name of an IDX file in a dataset."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return IdxFile(path, match["prefix"], "train" if match["part"] == "train" else "test", match["content"])


def idx_files(folder: Path) -> list[IdxFile]:
    """Return the IDX files of a folder, in order of precedence."""
    files = [file for path in folder.iterdir() if (file := idx_file(path)) is not None and path.is_file()]
    return sorted(files, key=lambda file: (file.zipped, file.path.name))


def read_idx_folder(
    folder: Path,
    name: str | None = None,
    sums: Mapping[str, str] | None = None,
    tell: ProgressCallback = ignore_progress,
) -> ReaderResult:
    """Read the dataset in a folder of IDX files.

    Parameters
    ----------
    folder : Path
    name : str, optional
        Prefix of the file names; required if the folder contains several datasets.
    sums : mapping of str, optional
        Expected SHA-256 of each file's array, by part and content, such as ``train-images``.
    tell : callable, optional
        Called regularly with 0; an exception that it raises stops reading.

    Raises
    ------
    DataError
        If a file is missing, its content does not match its name, or its SHA-256 is wrong.
    """
    files = idx_files(folder)
    names = sorted({file.set for file in files})
    if name is None and len(names) > 1:
        raise DataError(folder, f"contains {len(names)} datasets ({', '.join(names)}); open one of their files instead")
    name = names[0] if name is None and names else name or ""
    chosen = {(file.part, file.content): file.path for file in reversed(files) if file.set == name}
    has_test = any(part == "test" for part, _ in chosen)
    parts = {}
    for part in ("train", "test") if has_test or sums else ("train",):
        paths: dict[str, Path] = {}
        for content, dimensions in (("images", 3), ("labels", 1)):
            if (part, content) not in chosen:
                expected = f"{name}{'-' * bool(name)}{_part_name(name, part)}-{content}-idx{dimensions}-ubyte"
                raise DataError(folder, f"has no {expected} or {expected}.gz")
            paths[content] = resolve_inside(folder, chosen[part, content])
        expected_sums = {content: sums[f"{part}-{content}"] for content in paths} if sums else {}
        parts[part] = _read_part(paths["images"], paths["labels"], expected_sums, tell)
    parent_name = (folder.resolve().parent.name,) if folder.name.lower() in _GENERIC_FOLDER_NAMES else ()
    family = UNKNOWN if sums else family_of(*parent_name, folder.resolve().name, name)
    if family.transposed:
        for raw_part in parts.values():
            _transpose(raw_part.images)
    return ReaderResult(
        parts["train"],
        parts.get("test"),
        "IDX files",
        family.class_names,
        ("EMNIST stores images with rows and columns swapped; they were transposed.",) * family.transposed,
    )


def _part_name(name: str, part: str) -> str:
    """Return the part as written in file names: ``t10k`` for the test set if there is no prefix."""
    return "t10k" if part == "test" and not name else part


def _read_part(images_path: Path, labels_path: Path, sums: Mapping[str, str], tell: ProgressCallback) -> RawPart:
    # Read the labels first: they are small, and limit the number of images before those are read.
    labels = read_classes(labels_path) if "idx2-int" in labels_path.name else read_idx(labels_path, 1)
    check_count(labels_path, len(labels))
    images = read_idx(images_path, 3, tell=tell)
    for path, array, content in ((images_path, images, "images"), (labels_path, labels, "labels")):
        if content in sums and (sha256 := hashlib.sha256(array.data).hexdigest()) != sums[content]:
            raise DataError(path, f"is damaged: its SHA-256 is {sha256}; expected {sums[content]}")
    check_images(images_path, images)
    if len(images) != len(labels):
        raise DataError(labels_path, f"has {len(labels)} labels for {len(images)} images")
    return RawPart(images, labels, labels_path)


def _transpose(images: NDArray[np.uint8]) -> None:
    """Swap rows and columns of each image in place; a copy of EMNIST's largest dataset would take 547 MB."""
    images.flags.writeable = True
    for begin in range(0, len(images), _CHUNK):
        part = images[begin : begin + _CHUNK]
        part[:] = part.transpose(0, 2, 1).copy()
    images.flags.writeable = False
