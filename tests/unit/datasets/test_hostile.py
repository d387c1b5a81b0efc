import gzip
import io
import pickle
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitpad.datasets.dataset import Digits, load_path
from digitpad.datasets.digits import SIDE
from digitpad.datasets.readers.archive import MAX_DIRECTORY_BYTES
from digitpad.datasets.readers.idx import MAX_BYTES
from digitpad.datasets.readers.idx_folder import read_idx_folder
from digitpad.datasets.readers.image_folder import read_image_folder
from digitpad.datasets.readers.numpy_files import read_npz
from digitpad.datasets.readers.open_dataset import read as read_dataset
from digitpad.datasets.readers.pickle_file import read_pickled_set
from digitpad.datasets.readers.strokes_file import read_strokes_set
from digitpad.datasets.readers.table_file import read_table
from digitpad.errors import DataError
from tests.root import ROOT
from tests.unit.datasets.idx_files import gzip_bomb, header, idx_bytes, random_digits
from tests.unit.datasets.set_files import (
    csv_text,
    keras,
    npy,
    npy_claiming,
    pickled,
    write_drawings,
    write_images,
    zipped,
)
from tests.unit.importers import hostile_files
from tests.unit.importers.mat_files import mat, mat_matrix

# A single process reads all files, so that NumPy is imported only once. It prints the result, the seconds and the error
# for each file, and its peak memory growth.
_REFUSE = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from pathlib import Path
from digitpad.datasets.dataset import load_path
from digitpad.errors import DataError
import digitpad.ink.image, PIL.Image

def status(key):
    for line in open("/proc/self/status"):
        if line.startswith(key):
            return int(line.split()[1]) // 1024

begin = status("VmRSS")
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        problem = load_path(path).skipped  # a single image of a folder is skipped and reported
    except DataError as error:
        problem = str(error)
    if not problem:
        raise SystemExit(f"{path} was read")
    print("refused", round(time.process_time() - start, 2), str(problem)[:200])
print("grew", status("VmHWM") - begin)
"""


LABELS = npy_claiming("60,", bytes(60))


def overlapping() -> bytes:
    """Return an archive of a few kilobytes whose members overlap, and claim gigabytes."""
    content = zipped({"x_train.npy": npy_claiming("60000, 28, 28", bytes(47_040_000))})
    end = content.rindex(b"PK\x05\x06")
    entry = content[content.rindex(b"PK\x01\x02", 0, end) : end]
    names = [b"x_train.npy", b"y_train.npy", *(b"x_%05d.npy" % i for i in range(200))]
    directory = b"".join(entry.replace(b"x_train.npy", name) for name in names)
    body = content[: content.index(b"PK\x01\x02")]
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(names), len(names), len(directory), len(body), 0)
    return body + directory + last


def crowded() -> bytes:
    """Return an archive with a directory of 200,000 members."""
    n = 200_000
    directory = (b"PK\x01\x02" + bytes(42)) * n
    return (
        b"PK\x03\x04" + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 4, 0)
    )


def bomb(method: int) -> bytes:
    """Return an archive of images with a small header, followed by 64 MiB of zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("y_train.npy", LABELS)
        with archive.open("x_train.npy", "w") as member:
            member.write(npy_claiming("60, 28, 28"))
            for _ in range(64):
                member.write(bytes(2**20))
    return buffer.getvalue()


def idx_folder(images: bytes, labels: bytes = idx_bytes(np.zeros(60, np.uint8))) -> dict[str, bytes]:
    return {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}


def one_list_by_many_names() -> bytes:
    """Return a pickle of images and labels with 20,000 other names for the same list."""
    numbers = list(range(100_000))
    return pickle.dumps({**{f"n{i}": numbers for i in range(20_000)}, "x": random_digits(20).images, "y": numbers})


class Empty:
    """Object that is pickled as an empty array of any shape."""

    def __init__(self, *shape: int) -> None:
        self._shape = shape

    def __reduce__(self) -> tuple[Any, ...]:
        state = (1, self._shape, np.dtype(np.uint8), False, b"")
        return np.zeros(0).__reduce__()[0], (np.ndarray, (0,), b"b"), state


def write_crafted(folder: Path) -> int:
    """Write hostile files and folders; return how many."""
    most = MAX_BYTES // 784
    crafted: dict[str, bytes | dict[str, bytes]] = {
        "idx-65536-cubed": idx_folder(header(65536, 65536, 65536)),
        "idx-0-of-all": idx_folder(header(2**32 - 1, 2**32 - 1, 0)),
        "idx-bomb": idx_folder(gzip_bomb(header(60, 28, 28), 1024)),
        "idx-all-that-is-read": idx_folder(gzip_bomb(header(most, 28, 28), 1024)),
        "idx-labels-bomb": idx_folder(header(60, 28, 28), gzip_bomb(header(100 * 2**20), 1024)),
        "zeros.csv": gzip_bomb(b"label,", 256),
        "million-columns.csv": b"label," + b"p," * 1_000_000,
        "wide-rows.csv": csv_text(random_digits(2), None).encode() + (b"1," * 32_000 + b"\n") * 1500,
        "long-line.csv": b"1" * 2**24,
        "overlapping.npz": overlapping(),
        "crowded.npz": crowded(),
        "deflated.npz": bomb(zipfile.ZIP_DEFLATED),
        "bzip2.npz": bomb(zipfile.ZIP_BZIP2),
        "lzma.npz": bomb(zipfile.ZIP_LZMA),
        "lie.npz": zipped({"x_train.npy": npy_claiming("9" * 30 + ", 28, 28"), "y_train.npy": LABELS}),
        "gigabyte.npz": zipped({"x_train.npy": b"", "y_train.npy": npy_claiming("1073741824,")}),
        "pickle.npz": zipped({"x_train.npy": npy_claiming("1,", b"cos\nsystem\n", "|O"), "y_train.npy": LABELS}),
        "parent.npz": zipped({"../x_train.npy": npy_claiming("1,"), "../y_train.npy": npy_claiming("1,")}),
        "many-names.pkl": one_list_by_many_names(),
        "no-labels.pkl": pickle.dumps({"x_train": random_digits(60).images, "y_train": Empty(2**33, 0)}),
        "no-pair.pkl": pickle.dumps((Empty(2**33, 0), Empty(2**33, 0))),
        "nothing.pkl": pickle.dumps({"x_train": Empty(0, 784), "y_train": Empty(0, 0)}),
        "no-labels.npz": zipped(
            {"x_train.npy": npy_claiming("60, 28, 28", bytes(47_040)), "y_train.npy": npy_claiming("8589934592, 0")}
        ),
        "deep.jsonl": b"[" * 2**20,
        "long.jsonl": b'{"strokes": [' + b"[0, 0]," * 2**20,
    }
    for name, content in crafted.items():
        path = folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
            continue
        path.mkdir()
        for file, file_content in content.items():
            (path / file).write_bytes(file_content)
    large = write_images(folder / "image-bomb", random_digits(20))
    # A PNG that claims 60,000 × 60,000 pixels in its header.
    image = bytearray((large / "0" / "00000.png").read_bytes())
    image[16:24] = struct.pack(">II", 60_000, 60_000)
    image[29:33] = struct.pack(">I", zlib.crc32(image[12:29]))
    (large / "0" / "00000.png").write_bytes(image)
    pickles = folder.with_name("pickles")
    pickles.mkdir()
    of_weights = [path for path in hostile_files.files(pickles) if ".pkl" in path.name]
    for path in of_weights:
        path.rename(folder / path.name)
    return len(crafted) + 1 + len(of_weights)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc and sets RLIMIT_AS")
def test_crafted_files_are_refused_with_little_memory(tmp_path: Path) -> None:
    """Hostile files are rejected within 1 GiB of address space and 300 MiB of memory growth."""
    (tmp_path / "crafted").mkdir()
    n = write_crafted(tmp_path / "crafted")
    process = subprocess.run(
        [sys.executable, "-c", _REFUSE, str(tmp_path / "crafted")],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=300,
        env={"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    lines = process.stdout.splitlines()
    assert process.returncode == 0, process.stderr
    assert sum(line.startswith("refused") for line in lines) == n
    assert not any("not enough memory" in line or "Unable to allocate" in line for line in lines)
    assert int(lines[-1].split()[1]) < 300
    assert not list(tmp_path.rglob("harm"))  # running any of the pickles would create it


def test_an_archive_with_a_long_directory_is_not_opened(tmp_path: Path) -> None:
    """A long zip directory is rejected before zipfile reads it."""
    (tmp_path / "crowded.npz").write_bytes(crowded())
    with pytest.raises(DataError, match=f"directory of 9,200,000 bytes; the limit is {MAX_DIRECTORY_BYTES:,} bytes"):
        load_path(tmp_path / "crowded.npz")


# Round trips and damaged files in each format.

ANY_DIGITS = st.builds(
    lambda n, seed, n_classes: Digits(
        np.random.default_rng(seed).integers(0, 256, (n, SIDE, SIDE), np.uint8),
        (np.arange(n) * seed % n_classes).astype(np.uint8),
    ),
    st.integers(1, 12),
    st.integers(0, 2**32 - 1),
    st.integers(1, 62),
)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MORE = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write_idx(folder: Path, digits: Digits) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(digits.images), 1))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(digits.labels))
    return folder


def write_npz(path: Path, digits: Digits) -> Path:
    path.write_bytes(zipped(keras(digits, digits)))
    return path


def write_pickle(path: Path, digits: Digits) -> Path:
    path.write_bytes(pickled(digits, digits[:0], digits, len(digits) % 6))
    return path


def write_csv(path: Path, digits: Digits) -> Path:
    path.write_text(csv_text(digits))
    return path


@pytest.mark.parametrize(
    ("write", "read"),
    [(write_idx, read_idx_folder), (write_npz, read_npz), (write_pickle, read_pickled_set), (write_csv, read_table)],
    ids=["IDX", "npz", "pickle", "CSV"],
)
def test_any_digits_survive_a_round_trip(
    tmp_path: Path, write: Callable[[Path, Digits], Path], read: Callable[[Path], "object"]
) -> None:
    """All pixels and labels survive writing and reading."""

    @FEW
    @given(ANY_DIGITS)
    def holds(digits: Digits) -> None:
        found = read(write(tmp_path / "set", digits))
        part = found.training  # type: ignore[attr-defined]
        np.testing.assert_array_equal(part.images, digits.images)
        assert [part.texts[label] for label in part.labels] == [str(label) for label in digits.labels]

    holds()


def good_files(folder: Path) -> dict[str, Path]:
    """Write a valid dataset in each format, and return the file to damage."""
    digits = random_digits(20)
    return {
        "idx": write_idx(folder / "idx", digits) / "train-images-idx3-ubyte.gz",
        "labels": write_idx(folder / "labels", digits) / "train-labels-idx1-ubyte",
        "npz": write_npz(folder / "set.npz", digits),
        "pickle": write_pickle(folder / "set.pkl", digits),
        "csv": write_csv(folder / "set.csv", digits),
        "image": write_images(folder / "images", digits) / "3" / "00003.png",
        "strokes": write_drawings(folder / "set.jsonl", [0, 1] * 10),
        **{name: write_content(folder / name, content) for name, content in small_files(digits).items()},
    }


def small_files(digits: Digits) -> dict[str, bytes]:
    """Return valid datasets in further formats, by file name."""
    rows = digits.images.reshape(-1, 784)
    matrices = mat_matrix("data", rows) + mat_matrix("label", digits.labels[:, None])
    packed = zlib.compress(matrices, 1)
    sparse = "".join(
        f"{label} " + " ".join(f"{i + 1}:{row[i]}" for i in np.flatnonzero(row)) + "\n"
        for label, row in zip(digits.labels, rows, strict=True)
    )
    return {
        "plain.mat": mat(matrices),
        "packed.mat": mat(struct.pack("<II", 15, len(packed)) + packed),
        "set.svm": sparse.encode(),
        "set.arff": ("@relation a\n" + "@attribute p real\n" * 785 + "@data\n" + csv_text(digits, None)).encode(),
        "table.npy": npy(np.c_[digits.labels, rows]),
        "set.zip": zipped({"train.csv": csv_text(digits[:10]).encode()}),
        "set.h5": (ROOT / "tests/unit/formats/hdf5_files/v108.h5").read_bytes(),
    }


def write_content(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def read_images_strictly(folder: Path) -> None:
    """Read a folder of images, and raise a DataError if any was skipped."""
    skipped = read_image_folder(folder).skipped
    if skipped:
        path, _, problem = skipped[0].partition(": ")
        raise DataError(path, problem)


_READERS: dict[str, Callable[[Path], object]] = {
    "idx": lambda path: read_idx_folder(path.parent),
    "labels": lambda path: read_idx_folder(path.parent),
    "npz": read_npz,
    "pickle": read_pickled_set,
    "csv": read_table,
    "image": lambda path: read_images_strictly(path.parents[1]),
    "strokes": read_strokes_set,
    "plain.mat": read_dataset,
    "packed.mat": read_dataset,
    "set.svm": read_dataset,
    "set.arff": read_dataset,
    "table.npy": read_dataset,
    "set.zip": read_dataset,
    "set.h5": read_dataset,
}


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return content that is cut, flipped, repeated or has inserted bytes, often near an end, where headers are."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5))):
        near = min(len(changed), rng.choice((16, 64, 400, len(changed))))
        place = rng.choice((rng.randrange(near), len(changed) - 1 - rng.randrange(near))) if changed else 0
        match rng.randrange(5):
            case 0:
                del changed[place:]
            case 1 if changed:
                changed[place] ^= 1 << rng.randrange(8)
            case 2:
                changed[place:place] = rng.randbytes(rng.randrange(1, 20))
            case 3:
                changed[place:place] = changed[place : place + rng.randrange(1, 400)]
            case _:
                changed[place : place + 4] = rng.choice((b"\xff" * 4, bytes(4), b"\x80\0\0\0", b"nan,", b"-1,9"))
    return bytes(changed)


def problem_of(read: Callable[[Path], object], path: Path) -> DataError | None:
    try:
        read(path)
    except DataError as error:
        return error
    return None


@pytest.mark.parametrize("kind", _READERS)
def test_damaged_files_raise_only_data_error(tmp_path: Path, kind: str) -> None:
    """A damaged file is read, or rejected with a one-line DataError that names a file."""
    path = good_files(tmp_path)[kind]
    good = path.read_bytes()
    refused = 0

    @MORE
    @given(st.integers(0, 2**32 - 1))
    def holds(seed: int) -> None:
        nonlocal refused
        path.write_bytes(mutated(good, random.Random(seed)))
        problem = problem_of(_READERS[kind], path)
        if problem is not None:
            refused += 1
            assert "\n" not in str(problem)
            assert problem.path.is_relative_to(tmp_path)

    holds()
    assert refused > 10
