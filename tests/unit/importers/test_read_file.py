import bz2
import contextlib
import functools
import gzip
import io
import json
import lzma
import pickle
import tempfile
import zipfile
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from digitpad.errors import WeightsError
from digitpad.importers.containers.tensor_tree import LookBudget, TensorTree, array_of
from digitpad.importers.read_file import read_tensor_tree
from tests.unit.importers.mat_files import OCTAVE, mat, mat_matrix, packed
from tests.unit.importers.strangers import Dense, Model, save_safetensors, save_tables
from tests.unit.weights.npz_files import npy, npy_claiming, zipped

MATRIX = np.arange(12, dtype=np.float64).reshape(3, 4) / 7
VECTOR = np.array([0.5, -1.5, 2.25])


def read(content: bytes, name: str = "file.bin") -> TensorTree:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return read_tensor_tree(path)


def refused(content: bytes, message: str, name: str = "file.bin") -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        read(content, name)
    assert "\n" not in str(caught.value)


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def safetensors(**arrays: NDArray[Any]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return save_safetensors(Path(folder) / "a", arrays).read_bytes()


TREE = {"a": MATRIX, "b": [VECTOR, 3.5, {"activation": "tanh"}], "c": MATRIX.tolist()}


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_every_protocol(protocol: int) -> None:
    """Arrays, lists and objects are read unchanged, and named by their path in the pickle."""
    model = Model(
        layers=[Dense(MATRIX.copy(), np.asfortranarray(MATRIX.T)), None], sizes=(784, 10), rate=np.float32(0.5)
    )
    contents = read(
        pickle.dumps({**TREE, "model": model, "big": VECTOR.astype(">f4"), "seen before": TREE["b"]}, protocol)
    )
    np.testing.assert_array_equal(contents.arrays["a"], MATRIX)
    np.testing.assert_array_equal(contents.arrays["b.0"], VECTOR)
    np.testing.assert_array_equal(contents.arrays["c"], MATRIX)
    np.testing.assert_array_equal(contents.arrays["big"], VECTOR)
    np.testing.assert_array_equal(contents.arrays["model.layers.0.weights"], MATRIX)
    np.testing.assert_array_equal(contents.arrays["model.layers.0.biases"], MATRIX.T)
    np.testing.assert_array_equal(contents.arrays["model.sizes"], [784, 10])
    assert contents.numbers["model.rate"] == 0.5
    assert ("b.2.activation", "tanh") in contents.words
    assert ("model", f"{Model.__module__}.Model") in contents.words


def test_pickles_of_special_containers() -> None:
    """Ordered dicts, default dicts, sets, tuple keys, object arrays and shared arrays are read."""
    objects = np.empty(2, object)
    objects[:] = [MATRIX.copy(), VECTOR.copy()]
    tree = {
        "ordered": OrderedDict(w=MATRIX),
        "default": defaultdict(None, {"b": VECTOR}),
        "set": {1.5},
        ("W", 1): MATRIX + 1,
        "objects": objects,
        "again": objects,
        "partial": functools.partial(np.maximum, 0),
        "flags": np.array([True, False]),
        "texts": np.array(["a", "b"]),
        "complex": np.array([1j]),
    }
    contents = read(pickle.dumps(tree))
    assert set(contents.arrays) == {
        *("ordered.w", "default.b", "set", "W.1", "objects.0", "objects.1", "partial", "flags")
    }
    assert any(key == "partial" and word.endswith(".maximum") for key, word in contents.words)  # NumPy 2.0 says where


def test_npz_may_mix_content() -> None:
    """An npz may mix objects, texts and plain arrays."""
    objects = np.empty(2, object)
    objects[:] = [MATRIX, VECTOR]
    contents = read(npz(a=MATRIX, lists=objects, model=np.array({"w": VECTOR}, object), act="relu", n=3))
    assert list(contents.arrays) == ["a", "lists.0", "lists.1", "model.w"]
    assert contents.words == [("act", "relu")]
    assert contents.numbers == {"n": 3.0}


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_read(pack: Callable[[bytes], bytes]) -> None:
    """A pickle is read from gzip and other common compression formats."""
    np.testing.assert_array_equal(read(pack(pickle.dumps(MATRIX))).arrays["array"], MATRIX)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, bz2.compress, lzma.compress])
def test_compression_bombs_are_refused(pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that exceeds the budget is not decompressed completely."""
    monkeypatch.setattr("digitpad.importers.read_file.BUDGET_BYTES", 2**20)
    refused(pack(bytes(4 * 2**20)), "too large when decompressed; the limit is 1 MiB")


def test_safetensors_are_read() -> None:
    """Tensors are read by name, and a tensor that does not fit its stated place is refused."""
    content = safetensors(w=MATRIX, b=VECTOR)
    contents = read(content)
    np.testing.assert_allclose(contents.arrays["w"], MATRIX, rtol=1e-6)
    np.testing.assert_array_equal(contents.arrays["b"], VECTOR)
    refused(content[:-1], "'b' of shape .3,. needs 12 bytes, but has 11")
    refused(content.replace(b"[3, 4]", b"[4, 4]"), "needs 64 bytes")
    refused(content.replace(b"[0, 48]", b"[48, 0]"), "needs 48 bytes, but has 0")


def test_bfloat16_is_read() -> None:
    """A bfloat16 becomes the float32 with the same upper half and zeros in the lower half."""
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes([0x80, 0x3F, 0x20, 0xC0])
    np.testing.assert_array_equal(read(content).arrays["w"], [1.0, -2.5])


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3\n4,5,6\n",
        "1 2 3\n4 5 6",
        "1;2;3\n4;5;6\n",
        "\t".join("123") + "\n" + "\t".join("456"),
        "# a comment\n1.0e0,2,3\n4,5,6\n",
        ",0,1,2\n0,1,2,3\n1,4,5,6\n",
        "0,1,2\n1,2,3\n4,5,6\n",
        "x,y,z\n1,2,3\n4,5,6\n",
        "\ufeff1,2,3\r\n4,5,6\r\n",
        "x,y,z\r1,2,3\r4,5,6\r",
    ],
    ids=["commas", "spaces", "semicolons", "tabs", "comment", "pandas", "pandas, no index", "names", "BOM", "old Mac"],
)
def test_tables_are_read(text: str) -> None:
    """Tables are read with any separator, with or without row and column names."""
    np.testing.assert_array_equal(read(text.encode(), "w.csv").arrays["w"], [[1, 2, 3], [4, 5, 6]])


def test_ambiguous_heading_does_not_loop() -> None:
    """A heading with ambiguous line breaks is skipped once, instead of being looked for in an endless loop."""
    (array,) = read(b"r# Created by me o\rl\n1\n", "file.bin").arrays.values()
    assert array.tolist() == [1.0]


def test_folder_is_read_as_one_file(tmp_path: Path) -> None:
    """Each array of a folder is named after its file; symbolic links are not followed."""
    folder = save_tables(tmp_path / "weights", {"W1": MATRIX, "b1": VECTOR})
    secret = tmp_path / "secret.csv"
    secret.write_text("1,2\n3,4")
    (folder / "link.csv").symlink_to(secret)
    assert list(read_tensor_tree(folder).arrays) == ["W1", "b1"]


def torch_pickle(*, old: bool = False) -> bytes:
    """Return a state dict in PyTorch's pickle format, which refers to storages outside of the pickle."""

    class Tensor:
        def __init__(self, key: str, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
            self.parts = (key, shape, strides)

        def __reduce__(self) -> Any:
            key, shape, strides = self.parts
            return _rebuild_tensor_v2, (_Persistent(key), 0, shape, strides, False, OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            if isinstance(obj, _Persistent):
                cls = BFloat16Storage if obj.key == "1" else FloatStorage
                return ("storage", cls, obj.key, "cpu", 12, *[None] * old)
            if old and obj is Model and not stored_classes:  # only the first time, with its source
                stored_classes.append(obj)
                return ("module", obj, "model.py", "class Model: …")
            return None

    stored_classes: list[type] = []
    buffer = io.BytesIO()
    tensors = {
        "fc.weight": Tensor("0", (3, 4), (4, 1)),
        "fc.t": Tensor("0", (4, 3), (1, 4)),
        "b": Tensor("1", (2,), (1,)),
    }
    Pickler(buffer, 2).dump(Model(state=OrderedDict(tensors)))
    content = buffer.getvalue()
    for module, name in (("torch._utils", "_rebuild"), ("torch", "FloatS"), ("torch", "BFloat16S")):
        content = content.replace(f"{__name__}\n{name}".encode(), f"{module}\n{name}".encode())
    return content


HALVES = bytes([0x80, 0x3F, 0x20, 0xC0])  # 1 and -2.5 in bfloat16


def torch_zip(*, prefix: str = "model/") -> bytes:
    """Return PyTorch's current format: an archive with the pickle and each storage."""
    numbers = {f"{prefix}data/0": MATRIX.astype("<f4").tobytes(), f"{prefix}data/1": HALVES}
    return zipped({f"{prefix}data.pkl": torch_pickle(), **numbers})


def old_torch() -> bytes:
    """Return PyTorch's format before 1.6, still available by an option: consecutive pickles, then the storages."""
    headers = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2)]
    storages = [(12).to_bytes(8, "little") + MATRIX.astype("<f4").tobytes(), (2).to_bytes(8, "little") + HALVES]
    return b"".join([*headers, torch_pickle(old=True), pickle.dumps(["0", "1"], 2), *storages])


class FloatStorage:
    """Stand-in with the name of PyTorch's own."""


class BFloat16Storage:
    """Stand-in with the name of PyTorch's own."""


class _Persistent:
    def __init__(self, key: str) -> None:
        self.key = key


def _rebuild_tensor_v2(*arguments: Any) -> None:
    """Stand-in with the name of PyTorch's own."""


@pytest.mark.parametrize("content", [torch_zip(), old_torch()], ids=["today's", "before 1.6"])
def test_pytorch_state_is_read(content: bytes) -> None:
    """Tensors are read as views of storages, including transposed views and bfloat16."""
    contents = read(content, "model.pt")
    np.testing.assert_allclose(contents.arrays["state.fc.weight"], MATRIX, rtol=1e-6)
    np.testing.assert_allclose(contents.arrays["state.fc.t"], MATRIX.T, rtol=1e-6)
    np.testing.assert_array_equal(contents.arrays["state.b"], [1.0, -2.5])
    assert contents.words[0][1].endswith("Model")


def test_incomplete_old_pytorch_file_is_refused() -> None:
    """A truncated file, or a storage of unknown type, raises an error that says so."""
    refused(old_torch()[:-3], "damaged|numbers|without arrays|buffer size")
    refused(old_torch().replace(b"\nFloatStorage", b"\nNoneStorage1"), "numbers have an unsupported type")


def test_transposed_views_count_towards_the_limit() -> None:
    """Copies of transposed views count towards the limit of all arrays."""
    contents = TensorTree(Path("a"), "a file")
    with pytest.raises(WeightsError, match="holds too many numbers; the limit is 96 MiB"):
        contents.add("", [np.broadcast_to(np.float64(i), (2**20, 5)) for i in range(4)])


@pytest.mark.parametrize("protocol", [0, 4])
def test_long_text_beside_weights_is_shortened(protocol: int) -> None:
    """Only the beginning of a long text is kept, also with wide characters, which take four times the memory."""
    contents = read(pickle.dumps({"log": "epoch 1 |████| 100%\n" * 3000, "w": MATRIX}, protocol))
    np.testing.assert_array_equal(contents.arrays["w"], MATRIX)
    assert contents.words[0][1].startswith("epoch 1 |████| 100%")


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps([0.5] * 100_000, 4),  # in a single frame
        npy(np.array([0.5] * 100_000, object)),
        zipped({"w.npy": npy(np.array([0.5] * 100_000, object))}),
        zipped({"m/data.pkl": pickle.dumps([0.5] * 100_000, 2)}),
    ],
    ids=["pickle", "npy", "npz", "PyTorch"],
)
def test_callback_exception_ends_reading(tmp_path: Path, content: bytes) -> None:
    """An exception of the progress callback ends the reading and is passed on."""

    class EnoughError(Exception):
        pass

    path = tmp_path / "file.bin"
    path.write_bytes(content)

    def tell(_n_done: int) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        read_tensor_tree(path, tell)


def test_items_with_the_same_name_are_numbered() -> None:
    """Items with the same name are numbered in order, separately for numbers and arrays."""
    contents = TensorTree(Path("a"), "a file")
    for value in (1, MATRIX, 2, 3, MATRIX):
        contents.add("w", value)
    assert contents.numbers == {"w": 1, "w#2": 2, "w#3": 3}
    assert list(contents.arrays) == ["w", "w#2"]


def test_repeated_irregular_lists_are_charged() -> None:
    """Visits are charged to the budget even if a list is not an array."""
    row, spoilt = [1] * 10_000, [1] * 9_999 + [None]
    contents = TensorTree(Path("a"), "a file")
    with pytest.raises(WeightsError, match="too many lists and numbers"):
        contents.add("", [[row] * 100 + [spoilt] for _ in range(20)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "is an image"),
        (b"\x89HDF\r\n\x1a\n", "cannot be opened: it ends"),
        (b"\0\0\x08\x03" + bytes(20), "dataset's images"),
        (b"\x01\x02\x03\x04", "unknown file type; supported:"),
        (b"hello world", "unknown file type"),
        (b"hello 2 worlds", "not a table of numbers|without numbers"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[" + b"[]," * 500_000 + b"1]", "too many lists"),
        (zipped({"readme.txt": b"hello"}), "is an archive of readme.txt"),
        (zipped({"model.weights.h5": b"", "config.json": b"{}"}), "is not HDF5"),
        (zipped({"a.npy": npy_claiming("1000000000,")}), "claims the shape"),
        (npy_claiming("4,", bytes(8)), "needs 16 bytes"),
        (npy(np.zeros(3))[:40], "not a plain array"),
    ],
    ids=range(15),
)
def test_error_says_what_the_file_is(content: bytes, message: str) -> None:
    """The error says what the file is, if that is known."""
    refused(content, message)


def test_missing_file_and_empty_folder_are_refused(tmp_path: Path) -> None:
    """A missing file and an empty folder raise an error."""
    with pytest.raises(WeightsError, match="cannot be read"):
        read_tensor_tree(tmp_path / "nothing.npz")
    with pytest.raises(WeightsError, match="a folder without weights"):
        read_tensor_tree(tmp_path)


@given(st.lists(st.lists(st.floats(allow_nan=False), min_size=2, max_size=4), min_size=1, max_size=4))
def test_rectangular_lists_become_arrays(rows: list[list[float]]) -> None:
    """Rectangular lists become NumPy arrays; ragged lists do not."""
    array = array_of(rows, LookBudget())
    if len({len(row) for row in rows}) == 1:
        np.testing.assert_array_equal(array, rows)
    else:
        assert array is None


SOURCES: dict[str, bytes] = {
    **{f"pickle {p}": pickle.dumps({**TREE, "m": Model(w=MATRIX)}, p) for p in (0, 2, 4, 5)},
    "npz": npz(a=MATRIX, b=VECTOR),
    "npz of objects": npz(a=np.array({"w": VECTOR}, object)),
    "npy": npy(MATRIX),
    "json": json.dumps({"w": MATRIX.tolist(), "b": [1, 2, 3]}).encode(),
    "table": b"1,2,3\n4,5,6\n",
    "safetensors": safetensors(w=MATRIX, b=VECTOR),
    "pytorch": torch_zip(),
    "old pytorch": old_torch(),
    "matlab": mat(mat_matrix("W", MATRIX), packed(mat_matrix("b", VECTOR[None], 6))),
    "octave": OCTAVE,
    "gzip": gzip.compress(pickle.dumps(MATRIX)),
}


@pytest.mark.parametrize("name", SOURCES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_damaged_files_raise_only_weights_error(name: str, data: st.DataObject) -> None:
    """A file of any format with changed, missing, repeated or added bytes is read, or raises WeightsError."""
    content = bytearray(SOURCES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, max(0, len(content) - 1)))
        match data.draw(st.sampled_from(["change", "cut", "double", "insert"])):
            case "change" if content:
                content[place] = data.draw(st.integers(0, 255))
            case "cut":
                del content[place : place + data.draw(st.integers(1, 40))]
            case "double":
                content[place:place] = content[place : place + 30]
            case _:
                content[place:place] = data.draw(st.binary(max_size=8))
    try:
        contents = read(bytes(content))
    except WeightsError:
        return
    assert all(array.dtype.kind in "fiub" for array in contents.arrays.values())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60).map(lambda end: b"\x80\x04" + end + b"."))
def test_any_pickle_is_read_or_refused(content: bytes) -> None:
    """Any sequence of pickle instructions is read, or raises WeightsError."""
    with contextlib.suppress(WeightsError):
        read(content)


def test_arrays_with_the_same_name_are_read() -> None:
    """Two arrays with the same name are both read."""
    content = zipped({"a.npy": npy(MATRIX), "b.npy": npy(VECTOR)}, zipfile.ZIP_DEFLATED).replace(b"b.npy", b"a.npy")
    assert list(read(content).arrays) == ["a", "a#2"]
