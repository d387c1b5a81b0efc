"""Readers of archives of arrays: NumPy's ``.npz``, including pickled objects, and PyTorch's ``.pt``, old and new."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.errors import WeightsError
from digitpad.formats.npy import BUDGET_BYTES, mebibytes, read_npy
from digitpad.formats.npz import MAX_MEMBERS
from digitpad.formats.pickle_nodes import GlobalNode, ObjectNode, StorageNode
from digitpad.formats.progress import ProgressCallback
from digitpad.importers.containers.pickles import read_pickle, read_pickles
from digitpad.importers.containers.tensor_tree import TensorTree

# NumPy types of PyTorch's storage classes. NumPy has no bfloat16, which is the upper half of a float32.
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
    "BFloat16Storage": "<u2",
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def read_zip(path: Path, content: bytes, tell: ProgressCallback) -> TensorTree:
    """Read an ``.npz`` or a ``.pt``.

    Raises
    ------
    WeightsError
        If the archive is neither, or would exceed the budget.
    """
    # ZipFile creates a record for each member on opening: 400 000 of them take 280 MB.
    if (n := content.count(b"PK\x01\x02")) > MAX_MEMBERS:
        raise WeightsError(path, f"holds too many members ({n:,}); the limit is {MAX_MEMBERS:,}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [member.filename for member in archive.infolist()]
        if pickled := [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]:
            return _read_torch(path, archive, pickled[0], tell)
        if "model.weights.h5" in names:
            raise WeightsError(path, f"is a Keras model (HDF5), which is not supported; {_INSTEAD}")
        if not any(name.endswith(".npy") for name in names):
            members = ", ".join(names[:4])[:200] or "nothing"
            raise WeightsError(path, f"is an archive of {members}, without arrays; save the weights with np.savez")
        return _read_npz(path, archive, tell)


_INSTEAD = 'in Python, save the weights with np.savez("weights.npz", *model.get_weights())'


def read_hdf5(path: Path, content: bytes) -> TensorTree:
    """Raise an error that says how to convert the file; HDF5 is too complex to read safely.

    Raises
    ------
    WeightsError
        Always.
    """
    raise WeightsError(path, f"is an HDF5 file, such as a Keras model, which is not supported; {_INSTEAD}")


def _read_npz(path: Path, archive: zipfile.ZipFile, tell: ProgressCallback) -> TensorTree:
    left = BUDGET_BYTES
    tensor_tree = TensorTree(path, "an .npz")
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name != member.filename:
            with _open_member(path, archive, member) as file:
                try:
                    tree = read_npy(
                        path, f"array {name[:80]!r}", file, left, lambda pickle: read_pickle(path, pickle, tell)
                    )
                except WeightsError as error:
                    if tensor_tree.arrays or not _is_dataset(archive.namelist()):
                        raise
                    raise WeightsError(path, data_set_problem(archive.namelist())) from error
            left -= tree.nbytes if isinstance(tree, np.ndarray) else member.file_size
            tensor_tree.add(name, tree)
    return tensor_tree


def _is_dataset(names: list[str]) -> bool:
    return any(name.lower().startswith(("x_train", "train_images", "training_images")) for name in names)


def data_set_problem(names: list[str]) -> str:
    """Return the message for a dataset that was opened as weights."""
    members = ", ".join(name.removesuffix(".npy") for name in names[:4])
    return f"is a dataset ({members}), not weights; use it to train or evaluate a network"


def _open_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile decompresses other methods without a limit: 881 bytes of bzip2 took 2 GB.
        raise WeightsError(path, f"cannot be read: the compression of {member.filename[:80]!r} is not deflate")
    return archive.open(member)


def _read_torch(path: Path, archive: zipfile.ZipFile, pickled: str, tell: ProgressCallback) -> TensorTree:
    folder = pickled.removesuffix("data.pkl")
    left = BUDGET_BYTES
    storages: dict[str, StorageNode] = {}

    def read(name: str) -> bytes:
        nonlocal left
        with _open_member(path, archive, archive.getinfo(name)) as file:
            content: bytes = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise WeightsError(path, f"is too large when decompressed; the limit is {mebibytes(BUDGET_BYTES)}")
        return content

    def find(pid: Any) -> Any:
        storage = _storage(pid)
        if not isinstance(storage, StorageNode):
            return storage
        if storage.key not in storages:
            storage.content = read(f"{folder}data/{storage.key}")
            storages[storage.key] = storage
        return storages[storage.key]

    tensor_tree = TensorTree(path, "a PyTorch file")
    tensor_tree.add("", read_pickles(path, io.BytesIO(read(pickled)), tell, persistent=find)[0])
    return tensor_tree


def read_legacy_torch(path: Path, content: bytes, tell: ProgressCallback) -> TensorTree:
    """Read PyTorch's format before 1.6: five pickles, followed by the numbers of each storage.

    Raises
    ------
    WeightsError
        If the file is damaged or has storages of an unknown type.
    """
    file = io.BytesIO(content)
    storages: dict[str, StorageNode] = {}

    def find(pid: Any) -> Any:
        storage = _storage(pid)
        return storages.setdefault(storage.key, storage) if isinstance(storage, StorageNode) else storage

    magic, *_, tree, keys = read_pickles(path, file, tell, 5, find)
    if magic != _LEGACY_MAGIC or not isinstance(keys, list):
        raise WeightsError(path, "is not a valid PyTorch file")
    for key in keys:
        n = int.from_bytes(file.read(8), "little")
        if not isinstance(key, str) or key not in storages or n > BUDGET_BYTES:
            raise WeightsError(path, "is a damaged PyTorch file, or its numbers have an unsupported type")
        storages[key].content = file.read(n * storages[key].dtype.itemsize)
    tensor_tree = TensorTree(path, "a PyTorch file")
    tensor_tree.add("", tree)
    return tensor_tree


def is_legacy_torch(content: bytes) -> bool:
    """Return whether a file starts like PyTorch's format before 1.6."""
    return _LEGACY_MAGIC.to_bytes(10, "little") in content[:20]


def _storage(pid: Any) -> StorageNode | GlobalNode | ObjectNode:
    """Return the object for a persistent ID: a storage of numbers, or in the old format a class with its source."""
    match pid:
        case ("storage", GlobalNode() as cls, str() as key, *_) if cls.name in _STORAGES and len(key) < 100:
            return StorageNode(key, np.dtype(_STORAGES[cls.name]), halves=cls.name == "BFloat16Storage")
        case ("module", GlobalNode() as cls, *_):
            return cls
    return ObjectNode(GlobalNode("", "persistent"))
