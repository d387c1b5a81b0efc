import gzip
import math
import struct
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.datasets.readers.idx import FREE_BYTES, MAX_BYTES, MAX_RATIO, read_classes, read_idx
from digitpad.errors import DataError
from tests.unit.datasets.idx_files import gzip_bomb, header, hostile_files, idx_bytes
from tests.unit.datasets.memory import peak_mebibytes

ARRAY = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
GOOD = idx_bytes(ARRAY)
DEFLATED = gzip.compress(GOOD)


def read(tmp_path: Path, content: bytes, n_dimensions: int = 3) -> NDArray[np.uint8]:
    path = tmp_path / "file.idx"
    path.write_bytes(content)
    return read_idx(path, n_dimensions)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize("shape", [(60,), (3, 4, 5)], ids=str)
def test_arrays_survive_a_round_trip(tmp_path: Path, pack: type[bytes], shape: tuple[int, ...]) -> None:
    """Raw and gzipped files return the array with its shape and bytes."""
    array = read(tmp_path, pack(idx_bytes(ARRAY.reshape(shape))), len(shape))
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, ARRAY.reshape(shape))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD[:-1], "has 59 bytes of data; its header says 60"),
        (GOOD + b"\0", "has more than 60 bytes of data; its header says 60"),
        (GOOD[:9], "is cut off within its header"),
        (b"\x89PNG" + GOOD, "not an IDX file: its first bytes are 89 50 4e 47"),
        (GOOD[:3], "not an IDX file"),
        (b"\0\0\x0d" + GOOD[3:], "IDX type 0x0d; expected 0x08"),
        (idx_bytes(ARRAY.ravel()), "has 1 dimensions; expected 3"),
        (header(2**20, 32, 32) + b"\0", "claims 1048576 × 32 × 32 numbers; the limit is"),
        (header(2**32 - 1, 2**32 - 1, 2**32 - 1), "claims"),
        (b"", "is empty"),
        (gzip.compress(b""), "is empty"),
        (DEFLATED[:-12], "cannot be read"),
        (DEFLATED[:4], "cannot be read"),
        (DEFLATED[:-8] + struct.pack("<II", 1, 60), "cannot be read"),
        (gzip.compress(GOOD + b"\0"), "more than 60"),
    ],
    ids=[
        "a byte short",
        "a byte long",
        "cut in the header",
        "another magic",
        "three bytes",
        "floats",
        "labels for images",
        "a gigabyte claimed",
        "all sizes at most",
        "empty",
        "empty gzip",
        "gzip cut",
        "gzip header cut",
        "gzip with a wrong sum",
        "gzip a byte long",
    ],
)
def test_other_content_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """The error names the file, and the expected and actual content."""
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, content)
    assert caught.value.path == tmp_path / "file.idx"
    assert str(caught.value).startswith(f"{tmp_path / 'file.idx'}: ")


@pytest.mark.parametrize(("n_first", "n"), [(0, 0), (2, 2), (3, 3), (9, 3)])
def test_the_first_images_are_read_alone(tmp_path: Path, n_first: int, n: int) -> None:
    """At most the available images are read, even if the rest of the file is missing."""
    path = tmp_path / "file.idx"
    path.write_bytes(GOOD if n == 3 else GOOD[: 16 + n * 20])
    np.testing.assert_array_equal(read_idx(path, 3, n_first), ARRAY[:n])


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    """Invalid deflate data raises DataError."""
    damaged = bytearray(gzip.compress(np.random.default_rng(0).bytes(16 + 60)))
    damaged[12:20] = b"\xff" * 8
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path, bytes(damaged))


def test_huge_image_size_without_images_is_refused(tmp_path: Path) -> None:
    """Sizes too large for NumPy raise DataError even if their product is 0."""
    with pytest.raises(DataError):
        read(tmp_path, header(2**32 - 1, 2**32 - 1, 0))


def test_missing_file_is_named(tmp_path: Path) -> None:
    """The error for a missing file names it."""
    with pytest.raises(DataError, match=r"nowhere.idx: cannot be read \(No such file"):
        read_idx(tmp_path / "nowhere.idx", 1)


def test_folder_is_refused(tmp_path: Path) -> None:
    """The error for a folder in place of a file names it."""
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_idx(tmp_path, 1)
    assert caught.value.path == tmp_path


def test_bomb_is_decompressed_only_to_its_stated_size(tmp_path: Path) -> None:
    """A bomb of a gigabyte with a small header is rejected without decompressing a megabyte."""
    bomb = gzip_bomb(header(10, 28, 28), 1024)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="more than 7,840"):
            read(tmp_path, bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def read_or_refuse(path: Path) -> NDArray[np.uint8] | str:
    """Return the array, or the error message."""
    try:
        return read_idx(path, 3)
    except DataError as error:
        return str(error)


def test_500_hostile_idx_files(tmp_path: Path) -> None:
    """Each file loads with the shape in its header, or is rejected with a one-line message."""
    path = tmp_path / "hostile.idx"
    loaded = 0
    for content in hostile_files(500, seed=1):
        path.write_bytes(content)
        result = read_or_refuse(path)
        if isinstance(result, str):
            assert "\n" not in result
        else:
            with gzip.open(path) if content[:2] == b"\x1f\x8b" else path.open("rb") as file:
                assert result.shape == struct.unpack(">3I", file.read(16)[4:])
            assert result.size == math.prod(result.shape)
            loaded += 1
    assert 0 < loaded < 250


def test_compression_ratio_of_large_files_is_limited(tmp_path: Path) -> None:
    """Above `FREE_BYTES`, the decompressed size is limited by the compression ratio."""
    shape = (FREE_BYTES // 784 + 1000, 28, 28)
    zipped = gzip.compress(header(*shape) + bytes(784))
    with pytest.raises(DataError, match="claims"):
        read(tmp_path, zipped)
    padded = zipped + gzip.compress(np.random.default_rng(0).bytes(math.prod(shape) // MAX_RATIO), 0)
    with pytest.raises(DataError, match=f"bytes of data; its header says {math.prod(shape):,}"):
        read(tmp_path, padded)


def rows(*classes: int) -> bytes:
    """Return labels in QMNIST's format: rows of the class and seven more numbers."""
    array = np.array([[label, *[0] * 7] for label in classes], ">i4")
    return struct.pack(">BBBB2I", 0, 0, 12, 2, len(classes), 8) + array.tobytes()


def test_class_is_the_first_column(tmp_path: Path) -> None:
    """Only the first column of QMNIST labels is used."""
    path = tmp_path / "labels"
    path.write_bytes(gzip.compress(rows(3, 1, 4)))
    assert read_classes(path).tolist() == [3, 1, 4]
    assert read_classes(path).dtype == np.uint8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (rows(3, 256), "label 1 is 256; expected 0 to 255"),
        (rows(-1, 3), "label 0 is -1"),
        (rows(3)[:-1], "has 31 bytes of data; its header says 32"),
        (struct.pack(">BBBB2I", 0, 0, 12, 2, 3, 0), "has empty rows"),
        (idx_bytes(ARRAY.reshape(6, 10)), "IDX type 0x08; expected 0x0c"),
    ],
    ids=["too large", "below 0", "a byte short", "no column", "bytes"],
)
def test_rows_without_a_class_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Invalid classes and rows raise DataError instead of overflowing."""
    (tmp_path / "labels").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_classes(tmp_path / "labels")


READ_ALL = """
import sys
from pathlib import Path
from digitpad.datasets.readers.idx import read_idx
from digitpad.errors import DataError
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        read_idx(path, 3)
    except DataError:
        continue
    raise SystemExit(f"{path} was read")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc and sets RLIMIT_AS")
def test_bombs_take_little_memory(tmp_path: Path) -> None:
    """Rejecting bombs takes less than 256 MiB, including Python and NumPy."""
    most = FREE_BYTES // 784
    (tmp_path / "small-promise").write_bytes(gzip_bomb(header(10, 28, 28), 1024))
    (tmp_path / "large-promise").write_bytes(gzip_bomb(header(most, 28, 28), 1024))
    (tmp_path / "in-one-piece").write_bytes(gzip.compress(header(most, 28, 28) + bytes(FREE_BYTES + 2**20)))
    (tmp_path / "nothing-there").write_bytes(header(most, 28, 28))
    (tmp_path / "all-that-is-read").write_bytes(gzip_bomb(header(MAX_BYTES // 784, 28, 28), 1024))
    (tmp_path / "gigabyte").write_bytes(gzip_bomb(header(2**20, 32, 32), 1024))
    assert peak_mebibytes(READ_ALL, tmp_path) < 256
