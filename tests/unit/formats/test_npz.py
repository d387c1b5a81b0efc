import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.errors import WeightsError
from digitpad.formats.npy import BUDGET_BYTES
from digitpad.formats.npz import MAX_MEMBERS, read_arrays
from tests.unit.weights.npz_files import crowded, npy, npy_claiming, pickled_array, with_method, zeros_bomb, zipped


def refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Assert that this content is rejected with a one-line message that starts with the path."""
    path = tmp_path / "file.npz"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        read_arrays(path)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_numpy_are_read(tmp_path: Path, save: Callable[..., None]) -> None:
    """Arrays of all numeric types and shapes, compressed or not, are read unchanged."""
    rng = np.random.default_rng(1)
    arrays: dict[str, NDArray[Any]] = {
        "floats": rng.normal(size=(3, 4)).astype(np.float32),
        "doubles": rng.normal(size=5),
        "bytes": rng.integers(0, 256, (2, 3, 4), np.uint8),
        "integers": rng.integers(-5, 5, 7),
        "bools": rng.random(6) < 0.5,
        "scalar": np.array(3.5),
        "nothing": np.zeros((0, 4)),
        "columns": np.asfortranarray(rng.normal(size=(3, 4))),
        "big endian": rng.normal(size=5).astype(">f4"),
    }
    save(tmp_path / "a.npz", **arrays)
    read = read_arrays(tmp_path / "a.npz")
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype.newbyteorder("=")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an .npz file"),
        (b"these are not weights", "is not an .npz file"),
        (npy(np.zeros(3)), "is not an .npz file"),
        (zipped({"a.npy": npy(np.zeros(300))})[:-40], "is not an .npz file"),
        (zipped({"readme.txt": b"hello"}), "holds 'readme.txt', which is not an array"),
        (zipped({"a.npy": b"hello"}), "array 'a' is not in NumPy's format"),
        (zipped({"a.npy": b""}), "array 'a' is not in NumPy's format"),
        (zipped({"a.npy": npy(np.zeros(3))[:50]}), "array 'a' is not a plain array of numbers"),
        (zipped({"a.npy": npy(np.zeros(3))[:-1]}), "array 'a' of shape .3,. needs 24 bytes, but there are only 23"),
        (zipped({"a.npy": npy(np.zeros(3)) + b"\0"}), "needs 24 bytes, but there are more"),
        (zipped({"a.npy": npy_claiming("1000000000,")}), "claims the shape .1000000000,."),
        (zipped({"a.npy": npy_claiming("4294967296, 4294967296")}), "claims the shape"),
        (zipped({"a.npy": npy_claiming("9" * 40 + ", 0")}), "cannot be read|claims"),
        (zipped({"a.npy": npy_claiming("-1,", b"1234")}), "not a plain array of numbers"),
        (zipped({"a.npy": npy_claiming("1,", b"1234", descr="<f3")}), "not a plain array of numbers"),
        (zipped({"a.npy": npy_claiming("1,", bytes(16), descr="<c16")}), "not a plain array of numbers"),
        (zipped({"a.npy": npy_claiming("1,", b"1234", order="None")}), "not a plain array of numbers"),
        (zipped({"a.npy": npy(np.array(["text"]))}), "not a plain array of numbers"),
        (zipped({"a.npy": npy(np.zeros(2, "f4,f4"))}), "not a plain array of numbers"),
        (zipped({"a.npy": pickled_array()}), "not a plain array of numbers"),
        (
            zipped({f"{i}.npy": b"" for i in range(MAX_MEMBERS + 1)}),
            "too many members .1,001.; the limit is 1,000",
        ),
        (with_method(zipped({"a.npy": npy(np.zeros(3))}), method=0, flags=1), "cannot be read .*encrypted"),
        (with_method(zipped({"a.npy": npy(np.zeros(3))}), method=99), "cannot be read: its compression"),
        (with_method(zipped({"a.npy": npy(np.zeros(3))}), method=8), "cannot be read|not an .npz"),
    ],
    ids=[
        "empty",
        "text",
        "npy",
        "truncated",
        "a member that is not an array",
        "a text member",
        "an empty member",
        "truncated header",
        "a byte short",
        "a byte long",
        "four gigabytes claimed",
        "more than memory claimed",
        "empty with a huge dimension",
        "negative size",
        "unknown type",
        "complex numbers",
        "unknown order",
        "strings",
        "records",
        "pickled objects",
        "too many members",
        "encrypted",
        "unknown compression",
        "wrong compression method",
    ],
)
def test_unsupported_archive_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """The error names the problem and the array."""
    refused(tmp_path, content, message)


def test_duplicate_array_is_refused(tmp_path: Path) -> None:
    """A file with two arrays of the same name is rejected."""
    content = zipped({"a.npy": npy(np.zeros(3)), "b.npy": npy(np.ones(3))}).replace(b"b.npy", b"a.npy")
    refused(tmp_path, content, "holds 'a' twice")


def test_wrong_checksum_is_refused(tmp_path: Path) -> None:
    """A flipped bit in a member fails the CRC check."""
    content = bytearray(zipped({"a.npy": npy(np.zeros(300))}))
    content[1000] ^= 1
    refused(tmp_path, bytes(content), "Bad CRC-32")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_compression_is_refused(tmp_path: Path, method: int) -> None:
    """Damaged compressed data raises a `WeightsError` for each compression method."""
    content = bytearray(zipped({"a.npy": npy(np.random.default_rng(1).normal(size=300))}, method))
    content[200:300] = bytes(100)
    refused(tmp_path, bytes(content), "cannot be read|not an .npz")


def test_offset_beyond_the_file_is_refused(tmp_path: Path) -> None:
    """A member with a stated offset of 2⁶³ is rejected."""
    content = zipped({"a.npy": npy(np.zeros(3))})
    central, end = content.rindex(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    entry = bytearray(content[central:end])
    entry[30:32] = struct.pack("<H", 12)
    entry[42:46] = b"\xff" * 4
    entry += struct.pack("<HHQ", 1, 8, 2**63)
    tail = bytearray(content[end:])
    tail[12:16] = struct.pack("<I", len(entry))
    refused(tmp_path, content[:central] + bytes(entry) + bytes(tail), "cannot be read|not an .npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("beginning", [npy_claiming("784, 3"), b""], ids=["small stated size", "no header"])
def test_bomb_is_not_decompressed(tmp_path: Path, method: int, beginning: bytes) -> None:
    """A member that would unpack to far more than its stated size is rejected before 1 MiB is used."""
    path = tmp_path / "bomb.npz"
    path.write_bytes(zeros_bomb(beginning, 16, method))
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError):
            read_arrays(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_arrays_share_one_budget(tmp_path: Path) -> None:
    """Arrays that fit the budget separately, but not together, are rejected."""
    half = npy_claiming(f"{BUDGET_BYTES // 2 - 128},", descr="|u1") + bytes(BUDGET_BYTES // 2 - 128)
    refused(tmp_path, zipped({f"{i}.npy": half for i in range(3)}, zipfile.ZIP_DEFLATED), "array '2' claims the shape")


def test_file_beyond_the_budget_is_not_opened(tmp_path: Path) -> None:
    """A file larger than the budget is rejected by its size."""
    path = tmp_path / "file.npz"
    with path.open("wb") as file:
        file.truncate(BUDGET_BYTES + 1)
    with pytest.raises(WeightsError, match="is too large; the limit is 64 MiB"):
        read_arrays(path)


def test_huge_directory_takes_little_memory(tmp_path: Path) -> None:
    """A directory of 100,000 empty members is rejected without creating a record for each."""
    path = tmp_path / "crowd.npz"
    path.write_bytes(crowded(100_000))
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match="members"):
            read_arrays(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 2**20


@pytest.mark.parametrize("name", ["nowhere.npz", ""])
def test_missing_file_or_folder_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file and a folder are rejected."""
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        read_arrays(tmp_path / name)
    assert caught.value.path == tmp_path / name
