"""Reader of folders of IDX files, raw or gzipped, such as MNIST, Fashion-MNIST, KMNIST, EMNIST and QMNIST.

The magic number shows which files are IDX, and whether they hold images or labels. Their names only state the part
(``train``, ``test`` or ``t10k``) and, in a folder of several datasets, the dataset: the text before the part.
"""

import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import RawPart, ReaderResult, check_count, check_size, resolve_inside
from digitpad.datasets.download.families import UNKNOWN, family_of
from digitpad.datasets.readers.folder_walk import files_below
from digitpad.datasets.readers.idx import idx_shape, read_classes, read_idx
from digitpad.errors import DataError
from digitpad.formats.progress import ProgressCallback, ignore_progress

_NAME = re.compile(
    r"(?P<prefix>.*?)[-_]?(?P<part>train|t10k|test)-(?P<content>images|labels)[-.]idx(?P<dimensions>[123])-"
    r"(?P<kind>ubyte|int)(?P<zipped>\.gz)?"
)
_PART = re.compile(r"(?P<prefix>.*?)[-_. ]*(?P<part>train|t10k|test)", re.IGNORECASE)
_CHUNK = 4096
_MAX_PROBED = 2000  # files whose first bytes are read
_DEPTH = 3
_OTHER_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".csv", ".txt", ".npy", ".npz", ".json", ".md", ".py")
_GENERIC_FOLDER_NAMES = {"raw", "gzip", "data"}
"""Folder names that do not identify a dataset; the name of the parent folder is used as well."""


@dataclass(frozen=True)
class IdxFile:
    """IDX file: ``set`` is the name before the part, such as ``emnist-letters``; ``n`` is its number of items, or -1.

    ``part`` is "train" or "test", or "" if no name states it; ``content`` is "images" or "labels".
    """

    path: Path
    set: str
    part: str
    content: str
    n: int

    @property
    def zipped(self) -> bool:
        """Whether the name ends in ``.gz``; the raw file takes precedence if both exist."""
        return self.path.suffix.lower() == ".gz"


def idx_file(path: Path, root: Path | None = None) -> IdxFile | None:
    """Recognise an IDX file by its usual name or by its first bytes; None for other files.

    The part may be stated by the name of a folder between ``root`` and the file.
    """
    usual = _NAME.fullmatch(path.name)
    shape = idx_shape(path)
    if usual is not None:  # even if it is damaged, so that the reader reports that
        part = "train" if usual["part"] == "train" else "test"
        return IdxFile(path, usual["prefix"], part, usual["content"], shape[0] if shape else -1)
    if not shape:
        return None
    folders = path.relative_to(root).parts[:-1] if root is not None else ()
    match = next(filter(None, map(_PART.match, (path.name, *reversed(folders)))), None)
    part = "" if match is None else "train" if match["part"].lower() == "train" else "test"
    prefix = "" if match is None or not path.name.startswith(match[0]) else match["prefix"]
    return IdxFile(path, prefix, part, "images" if len(shape) == 3 else "labels", shape[0])


def idx_files(folder: Path, depth: int = _DEPTH) -> list[IdxFile]:
    """Return the IDX files in a folder and its subfolders down to ``depth``, in order of precedence."""
    candidates = (path for path in files_below(folder, depth) if not path.name.lower().endswith(_OTHER_SUFFIXES))
    files = [
        file
        for path in itertools.islice(candidates, _MAX_PROBED)
        if path.is_file() and (file := idx_file(path, folder)) is not None
    ]
    return sorted(files, key=lambda file: (file.zipped, len(file.path.parts), file.path.name))


def read_idx_file(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset that an IDX file belongs to, with the files beside it.

    Raises
    ------
    DataError
        As for `read_idx_folder`.
    """
    folder, depth = path.parent, 0
    if path.name.startswith(folder.name):  # Kaggle's archive puts each file into a folder of its own name
        folder, depth = folder.parent, 1
    file = idx_file(path, folder)
    return read_idx_folder(folder, file.set if file else None, tell=tell, depth=depth)


def read_idx_folder(
    folder: Path,
    name: str | None = None,
    sums: Mapping[str, str] | None = None,
    tell: ProgressCallback = ignore_progress,
    depth: int = _DEPTH,
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
    depth : int
        Levels of subfolders to look in.

    Raises
    ------
    DataError
        If a file is missing, its content does not match its name, or its SHA-256 is wrong.
    """
    files = idx_files(folder, depth)
    names = sorted({file.set for file in files})
    if name is None and len(names) > 1:
        raise DataError(folder, f"contains {len(names)} datasets ({', '.join(names)}); open one of their files instead")
    name = names[0] if name is None and names else name or ""
    chosen = _with_parts([file for file in files if file.set == name])
    _check_one_dataset(folder, chosen)
    required = ("train", "test") if sums else tuple(dict.fromkeys(file.part for file in chosen)) or ("train",)
    parts = {}
    for part in required:
        images, labels = _pair(folder, name, part, [file for file in chosen if file.part == part])
        expected_sums = {key.removeprefix(f"{part}-"): value for key, value in (sums or {}).items() if part in key}
        parts[part] = _read_part(
            resolve_inside(folder, images.path), resolve_inside(folder, labels.path), expected_sums, tell
        )
    parent_name = (folder.resolve().parent.name,) if folder.name.lower() in _GENERIC_FOLDER_NAMES else ()
    family = UNKNOWN if sums else family_of(*parent_name, folder.resolve().name, name)
    if family.transposed:
        for raw_part in parts.values():
            _transpose(raw_part.images)
    return ReaderResult(
        parts.get("train"),
        parts.get("test"),
        "IDX files",
        family.class_names,
        ("EMNIST stores images with rows and columns swapped; they were transposed.",) * family.transposed,
    )


def _with_parts(files: Sequence[IdxFile]) -> list[IdxFile]:
    """Return the files with a part each: without names, the larger pair is the training set, the other the test set."""
    sizes = sorted({file.n for file in files if not file.part and file.content == "images"}, reverse=True)
    free = [part for part in ("train", "test") if part not in {file.part for file in files}] or ["train"]
    parts = dict(zip(sizes, free, strict=False))
    return [
        file if file.part else IdxFile(file.path, file.set, parts.get(file.n, free[0]), file.content, file.n)
        for file in files
    ]


def _check_one_dataset(folder: Path, files: Sequence[IdxFile]) -> None:
    """Check that no two folders each have images and labels of the same part."""
    contents: dict[tuple[str, Path], set[str]] = {}
    for file in files:
        contents.setdefault((file.part, file.path.parent), set()).add(file.content)
    for part in ("train", "test"):
        complete = [
            str(path.relative_to(folder)) for (p, path), found in contents.items() if p == part and len(found) == 2
        ]
        if len(complete) > 1:
            names = ", ".join(sorted(complete))
            raise DataError(folder, f"contains {len(complete)} datasets, in {names}; open one of these folders instead")


def _pair(folder: Path, name: str, part: str, files: Sequence[IdxFile]) -> tuple[IdxFile, IdxFile]:
    """Return the images and labels of a part, of the same number if possible."""
    images, labels = ([file for file in files if file.content == content] for content in ("images", "labels"))
    missing = [
        f"{name}{'-' * bool(name)}{_part_name(name, part)}-{content}-idx{dimensions}-ubyte"
        for content, dimensions, found in (("images", 3, images), ("labels", 1, labels))
        if not found
    ]
    if missing:
        raise DataError(folder, "; ".join(f"has no {expected} or {expected}.gz" for expected in missing))
    for image_file, label_file in itertools.product(images, labels):
        if image_file.n == label_file.n:
            return image_file, label_file
    return images[0], labels[0]


def _part_name(name: str, part: str) -> str:
    """Return the part as written in file names: ``t10k`` for the test set if there is no prefix."""
    return "t10k" if part == "test" and not name else part


def _read_part(images_path: Path, labels_path: Path, sums: Mapping[str, str], tell: ProgressCallback) -> RawPart:
    # Read the labels first: they are small, and limit the number of images before those are read.
    has_rows = "idx2-int" in labels_path.name or len(idx_shape(labels_path) or ()) == 2
    labels = read_classes(labels_path) if has_rows else read_idx(labels_path, 1)
    check_count(labels_path, len(labels))
    images = read_idx(images_path, 3, tell=tell)
    for path, array, content in ((images_path, images, "images"), (labels_path, labels, "labels")):
        if content in sums and (sha256 := hashlib.sha256(array.data).hexdigest()) != sums[content]:
            raise DataError(path, f"is damaged: its SHA-256 is {sha256}; expected {sums[content]}")
    check_size(images_path, images.shape[1:])
    check_count(images_path, len(images))
    if len(images) != len(labels):
        raise DataError(labels_path, f"has {len(labels)} labels for {len(images)} images")
    return RawPart(images, labels, labels_path)


def _transpose(images: NDArray[np.uint8]) -> None:
    """Swap rows and columns of each image in place; a copy of EMNIST's largest dataset would take 547 MB."""
    if images.shape[1] != images.shape[2]:  # not EMNIST's own files
        return
    images.flags.writeable = True
    for begin in range(0, len(images), _CHUNK):
        part = images[begin : begin + _CHUNK]
        part[:] = part.transpose(0, 2, 1).copy()
    images.flags.writeable = False
