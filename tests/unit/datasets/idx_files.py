"""IDX files for tests: valid files, folders, and hostile files."""

import gzip
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.dataset import Digits

_SIZES = (0, 1, 3, 5, 28, 29, 1000, 2**16, 2**31, 2**32 - 1)


def header(*shape: int) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    return header(*array.shape) + array.tobytes()


def random_digits(n: int, seed: int = 0) -> Digits:
    rng = np.random.default_rng(seed)
    return Digits(rng.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8) % 10)


def write_folder(folder: Path, training: Digits, test: Digits, separator: str = "-", zipped: bool = False) -> Path:
    """Write the four files of a dataset, by default named like MNIST's decompressed files."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, digits in (("train", training), ("t10k", test)):
        for name, array in (("images", digits.images), ("labels", digits.labels)):
            content = idx_bytes(array)
            path = folder / f"{part}-{name}{separator}idx{array.ndim}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(content, 1) if zipped else content)
    return folder


def gzip_bomb(beginning: bytes, mebibytes: int) -> bytes:
    """Return a small gzip file that decompresses to ``beginning`` and that many mebibytes of zeros."""
    zeros = gzip.compress(bytes(16 * 2**20), 1)
    return gzip.compress(beginning) + zeros * (mebibytes // 16)


def hostile_files(n: int, seed: int) -> Iterator[bytes]:
    """Yield damaged, inconsistent and random files, derived from a valid file of five images."""
    rng = random.Random(seed)
    images = rng.randbytes(5 * 28 * 28)
    bomb = gzip.compress(bytes(2**20))

    def packed(content: bytes) -> bytes:
        return gzip.compress(content, 1) if rng.random() < 0.5 else content

    for _ in range(n):
        content = packed(header(5, 28, 28) + images)
        match rng.randrange(7):
            case 0:
                yield content[: rng.randrange(len(content))]
            case 1:
                yield flipped(content, rng)
            case 2:
                place = rng.randrange(len(content))
                yield content[:place] + rng.randbytes(rng.randrange(1, 40)) + content[place:]
            case 3:
                yield rng.choice([b"", b"\0\0\x08\x03", b"\x1f\x8b", b"\x1f\x8b\x08\0"]) + rng.randbytes(
                    rng.randrange(60)
                )
            case 4:
                yield packed(header(*(rng.choice(_SIZES) for _ in range(3))) + images)
            case 5:
                yield packed(header(*(rng.choice(_SIZES) for _ in range(rng.randrange(6)))) + images)
            case _:
                yield gzip.compress(header(5, 28, rng.choice(_SIZES)) + images) + bomb * rng.randrange(1, 9)


def flipped(content: bytes, rng: random.Random) -> bytes:
    """Return the content with some bits flipped, often within its header."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(min(len(changed), rng.choice((16, 64, len(changed)))))] ^= 1 << rng.randrange(8)
    return bytes(changed)
