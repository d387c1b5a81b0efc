"""Archives of arrays: NumPy's ``.npz`` with whatever its author put in, PyTorch's ``.pt``, old and new."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.errors import WeightsError
from digitpad.formats.npy import BUDGET_BYTES, mebibytes, read_npy
from digitpad.formats.npz import MAX_MEMBERS
from digitpad.formats.pickle_nodes import GlobalNode, ObjectNode, StorageNode
from digitpad.importers.containers.pickles import Tell, read_pickle, read_pickles
from digitpad.importers.containers.tensor_tree import TensorTree

# PyTorch's storages by the names of their classes; bfloat16, the upper half of a float32, is none of NumPy's types.
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


def read_zip(path: Path, content: bytes, tell: Tell) -> TensorTree:
    """An ``.npz`` or a ``.pt``.

    Raises
    ------
    WeightsError
        If it is neither, or would take more than the budget.
    """
    # ZipFile keeps a record of each member as soon as it is opened: 400 000 of them take 280 MB.
    if (n := content.count(b"PK\x01\x02")) > MAX_MEMBERS:
        raise WeightsError(path, f"holds {n} members; at most {MAX_MEMBERS} are read")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [member.filename for member in archive.infolist()]
        if pickled := [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]:
            return _read_torch(path, archive, pickled[0], tell)
        if "model.weights.h5" in names:
            raise WeightsError(path, f"is a Keras model, whose HDF5 is not read here; {_INSTEAD}")
        if not any(name.endswith(".npy") for name in names):
            what = ", ".join(names[:4])[:200] or "nothing"
            raise WeightsError(path, f"is an archive of {what}; arrays, as np.savez writes them, would fit")
        return _read_npz(path, archive, tell)


_INSTEAD = 'in Python, np.savez("weights.npz", *model.get_weights()) makes a file that is'


def read_hdf5(path: Path, content: bytes) -> TensorTree:
    """Nothing: the format is too large to be read safely."""
    raise WeightsError(path, f"is HDF5, as Keras' models are; HDF5 is not read here; {_INSTEAD}")


def _read_npz(path: Path, archive: zipfile.ZipFile, tell: Tell) -> TensorTree:
    left = BUDGET_BYTES
    contents = TensorTree(path, "an .npz")
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name != member.filename:
            with _opened(path, archive, member) as file:
                try:
                    tree = read_npy(
                        path, f"array {name[:80]!r}", file, left, lambda pickle: read_pickle(path, pickle, tell)
                    )
                except WeightsError as error:
                    if contents.arrays or not _is_data(archive.namelist()):
                        raise
                    raise WeightsError(path, data_set_problem(archive.namelist())) from error
            left -= tree.nbytes if isinstance(tree, np.ndarray) else member.file_size
            contents.add(name, tree)
    return contents


def _is_data(names: list[str]) -> bool:
    return any(name.lower().startswith(("x_train", "train_images", "training_images")) for name in names)


def data_set_problem(names: list[str]) -> str:
    """What to say of digits to train on, where weights are wanted."""
    found = ", ".join(name.removesuffix(".npy") for name in names[:4])
    return f"is a data set ({found}), not weights; it can be trained on, and weights can be scored by it"


def _opened(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile unpacks the other methods without a bound: 881 bytes of bzip2 took 2 GB.
        raise WeightsError(path, f"{member.filename[:80]!r} cannot be read: its compression is not deflate")
    return archive.open(member)


def _read_torch(path: Path, archive: zipfile.ZipFile, pickled: str, tell: Tell) -> TensorTree:
    folder = pickled.removesuffix("data.pkl")
    left = BUDGET_BYTES
    storages: dict[str, StorageNode] = {}

    def read(name: str) -> bytes:
        nonlocal left
        with _opened(path, archive, archive.getinfo(name)) as file:
            content: bytes = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise WeightsError(path, f"takes more than {mebibytes(BUDGET_BYTES)}")
        return content

    def find(pid: Any) -> Any:
        storage = _storage(pid)
        if not isinstance(storage, StorageNode):
            return storage
        if storage.key not in storages:
            storage.content = read(f"{folder}data/{storage.key}")
            storages[storage.key] = storage
        return storages[storage.key]

    contents = TensorTree(path, "a PyTorch file")
    contents.add("", read_pickles(path, io.BytesIO(read(pickled)), tell, persistent=find)[0])
    return contents


def read_legacy_torch(path: Path, content: bytes, tell: Tell) -> TensorTree:
    """The format of PyTorch before 1.6: five pickles, and behind them the numbers of each storage."""
    file = io.BytesIO(content)
    storages: dict[str, StorageNode] = {}

    def find(pid: Any) -> Any:
        storage = _storage(pid)
        return storages.setdefault(storage.key, storage) if isinstance(storage, StorageNode) else storage

    magic, *_, tree, keys = read_pickles(path, file, tell, 5, find)
    if magic != _LEGACY_MAGIC or not isinstance(keys, list):
        raise WeightsError(path, "is no file of PyTorch's")
    for key in keys:
        n = int.from_bytes(file.read(8), "little")
        if not isinstance(key, str) or key not in storages or n > BUDGET_BYTES:
            raise WeightsError(path, "is damaged, or holds numbers of a type that is not read, behind its pickles")
        storages[key].content = file.read(n * storages[key].dtype.itemsize)
    contents = TensorTree(path, "a PyTorch file")
    contents.add("", tree)
    return contents


def is_legacy_torch(content: bytes) -> bool:
    """Whether it begins as PyTorch's old format does."""
    return _LEGACY_MAGIC.to_bytes(10, "little") in content[:20]


def _storage(pid: Any) -> StorageNode | GlobalNode | ObjectNode:
    """What is outside of a pickle: a tensor's numbers, or in the old format a class with its source."""
    match pid:
        case ("storage", GlobalNode() as cls, str() as key, *_) if cls.name in _STORAGES and len(key) < 100:
            return StorageNode(key, np.dtype(_STORAGES[cls.name]), halves=cls.name == "BFloat16Storage")
        case ("module", GlobalNode() as cls, *_):
            return cls
    return ObjectNode(GlobalNode("", "persistent"))
