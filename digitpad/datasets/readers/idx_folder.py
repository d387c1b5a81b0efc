"""Folders of IDX files as MNIST, Fashion-MNIST, KMNIST, EMNIST and QMNIST name them, raw or gzipped."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import (
    RawPart,
    ReaderResult,
    Tell,
    check_count,
    check_images,
    ignore_progress,
    resolve_inside,
)
from digitpad.datasets.download.families import UNKNOWN, family_of
from digitpad.datasets.readers.idx import read_classes, read_idx
from digitpad.errors import DataError

_NAME = re.compile(
    r"(?P<prefix>.*?)[-_]?(?P<part>train|t10k|test)-(?P<content>images|labels)[-.]idx(?P<dimensions>[123])-"
    r"(?P<kind>ubyte|int)(?P<zipped>\.gz)?"
)
_AT_ONCE = 4096
_TELLS_NOTHING = {"raw", "gzip", "data"}
"""Names of folders whose own folder is looked at as well."""


@dataclass(frozen=True)
class IdxFile:
    """What the name of an IDX file tells; ``set`` is what comes before its part, as in ``emnist-letters``."""

    path: Path
    set: str
    part: str
    content: str

    @property
    def zipped(self) -> bool:
        """Whether it ends in ``.gz``; where there are both, the raw one is read."""
        return self.path.suffix == ".gz"


def idx_file(path: Path) -> IdxFile | None:
    """What the file's name tells, if it is one that an IDX file has in a data set."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return IdxFile(path, match["prefix"], "train" if match["part"] == "train" else "test", match["content"])


def idx_files(folder: Path) -> list[IdxFile]:
    """The folder's IDX files, in the order in which they are to be taken."""
    files = [file for path in folder.iterdir() if (file := idx_file(path)) is not None and path.is_file()]
    return sorted(files, key=lambda file: (file.zipped, file.path.name))


def read_idx_folder(
    folder: Path, name: str | None = None, sums: Mapping[str, str] | None = None, tell: Tell = ignore_progress
) -> ReaderResult:
    """The data set in a folder of IDX files.

    Parameters
    ----------
    folder : Path
    name : str, optional
        Which, where there are files of several: what their names begin with.
    sums : mapping of str, optional
        The SHA-256 that each file's array must have, by part and content, as ``train-images``.
    tell : callable, optional
        Hears now and then, of 0 images; what it raises ends the reading.

    Raises
    ------
    DataError
        If a file is missing, is not what its name says, or does not have its sum.
    """
    files = idx_files(folder)
    names = sorted({file.set for file in files})
    if name is None and len(names) > 1:
        raise DataError(folder, f"holds {len(names)} data sets ({', '.join(names)}); name one of their files instead")
    name = names[0] if name is None and names else name or ""
    chosen = {(file.part, file.content): file.path for file in reversed(files) if file.set == name}
    has_test = any(part == "test" for part, _ in chosen)
    parts = {}
    for part in ("train", "test") if has_test or sums else ("train",):
        paths: dict[str, Path] = {}
        for content, dimensions in (("images", 3), ("labels", 1)):
            if (part, content) not in chosen:
                expected = f"{name}{'-' * bool(name)}{_written(name, part)}-{content}-idx{dimensions}-ubyte"
                raise DataError(folder, f"has no {expected}, raw or with .gz")
            paths[content] = resolve_inside(folder, chosen[part, content])
        expected_sums = {content: sums[f"{part}-{content}"] for content in paths} if sums else {}
        parts[part] = _read_part(paths["images"], paths["labels"], expected_sums, tell)
    above = (folder.resolve().parent.name,) if folder.name.lower() in _TELLS_NOTHING else ()
    family = UNKNOWN if sums else family_of(*above, folder.resolve().name, name)
    if family.transposed:
        for found in parts.values():
            _transpose(found.images)
    return ReaderResult(
        parts["train"],
        parts.get("test"),
        "IDX files",
        family.class_names,
        ("EMNIST keeps its images with rows and columns exchanged; they are turned upright.",) * family.transposed,
    )


def _written(name: str, part: str) -> str:
    """How a part is called in the names of a set's files."""
    return "t10k" if part == "test" and not name else part


def _read_part(images_path: Path, labels_path: Path, sums: Mapping[str, str], tell: Tell) -> RawPart:
    # Labels first: they are small, and a lie about how many images there are is told from them.
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
    """Exchange rows and columns of each image, in place: of EMNIST's largest set, a copy would take 547 MB."""
    images.flags.writeable = True
    for begin in range(0, len(images), _AT_ONCE):
        part = images[begin : begin + _AT_ONCE]
        part[:] = part.transpose(0, 2, 1).copy()
    images.flags.writeable = False
