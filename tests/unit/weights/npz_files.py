"""Weights files for tests: a small valid file, its parts, and malicious files."""

import io
import json
import pickle
import random
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.weights.native_format import FORMAT, VERSION, Weights

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def small_weights(seed: int = 1, units: int = 3) -> Weights:
    network = Network(feedforward([units]))
    network.initialize(np.random.default_rng(seed))
    about = {"test_accuracy": 0.5, "data": {"name": "MNIST"}, "recipe": {"name": "quick"}}
    return Weights("small.npz", network.architecture(), network.parameters, about)


def npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy_claiming(shape: str, content: bytes = b"", descr: str = "<f4", order: str = "False") -> bytes:
    """Return an array in NumPy's format whose header states the given shape, type and order."""
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def json_header(**changes: Any) -> bytes:
    """Return the array ``header`` for `small_weights`, with changed values for some keys."""
    values = {"format": FORMAT, "version": VERSION, "architecture": small_weights().architecture, "about": {}}
    return npy(np.frombuffer(json.dumps(values | changes).encode(), np.uint8))


def members(**changes: bytes | None) -> dict[str, bytes]:
    """Return the members of a valid file with some replaced (``w2`` for ``2.weight``) or removed (None)."""
    named = {"header": json_header()}
    for name, view in small_weights().network().named_parameters().items():
        named[name] = npy(view)
    for key, content in changes.items():
        name = {"w2": "2.weight", "b2": "2.bias", "w4": "4.weight", "b4": "4.bias"}.get(key, key)
        if content is None:
            del named[name]
        else:
            named[name] = content
    return {f"{name}.npy": content for name, content in named.items()}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_method(content: bytes, method: int, flags: int = 0) -> bytes:
    """Change the compression method and flags (such as encryption) in both headers of a one-member archive."""
    changed = bytearray(content)
    central = content.rindex(b"PK\x01\x02")
    changed[6:10] = changed[central + 8 : central + 12] = struct.pack("<HH", flags, method)
    return bytes(changed)


def zeros_bomb(beginning: bytes, mebibytes: int, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a small archive whose member ``2.weight`` unpacks to ``beginning`` and many mebibytes of zeros."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", method, compresslevel=1 if method == zipfile.ZIP_DEFLATED else 9) as archive,
        archive.open("2.weight.npy", "w") as member,
    ):
        member.write(beginning)
        for _ in range(mebibytes):
            member.write(bytes(2**20))
    return buffer.getvalue()


def crowded(n_members: int) -> bytes:
    """Return an archive that lists ``n_members`` empty members."""
    directory = (b"PK\x01\x02" + bytes(42)) * n_members
    count = n_members & 0xFFFF
    return directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), 0, 0)


class Exploit:
    """Object whose pickle runs code if it is loaded without protection."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('this code must not run')",)


def pickled_array() -> bytes:
    return npy(np.array([Exploit()], object))


def hostile_files(n: int, seed: int) -> Iterator[bytes]:
    """Yield damaged, inconsistent, pickled and oversized files, derived from two valid files."""
    rng = random.Random(seed)
    good = zipped(members())
    other = zipped(members(header=json_header(architecture=small_weights(units=5).architecture)))
    shapes = ("3,", "784, 3", "0,", "3, 784", "1000000000,", "4294967296, 4294967296", "9" * 30 + ", 0", "2, " * 40, "")
    bomb = bytes(4 * 2**20)
    for _ in range(n):
        method = rng.choice(METHODS)
        name = rng.choice(["header", "w2", "b2", "w4", "b4"])
        match rng.randrange(9):
            case 0:
                yield good[: rng.randrange(len(good))]
            case 1:
                yield flipped(good, rng)
            case 2:
                yield flipped(zipped(members(), method), rng)
            case 3:
                cut, other_cut = rng.randrange(len(good)), rng.randrange(len(other))
                yield good[:cut] + other[other_cut:]
            case 4:
                false_header = npy_claiming(rng.choice(shapes), rng.randbytes(rng.choice((0, 12, 9408))))
                yield zipped(members(**{name: false_header}), method)
            case 5:
                disguise = rng.choice([pickled_array(), pickle.dumps(Exploit()), npy(np.array(["text"]))])
                yield zipped(members(**{name: disguise}), method)
            case 6:
                yield zipped(members(**{name: npy_claiming("784, 3") + bomb}), method)
            case 7:
                layers: list[Any] = [dict(layer) for layer in small_weights().architecture]
                layer = rng.choice(layers)
                layer[rng.choice([*layer, "else"])] = rng.choice([None, -1, 0, 10**9, 1e308, "ReLU", [], {}, True, 1.5])
                yield zipped(members(header=json_header(architecture=layers)), method)
            case _:
                keys = ["format", "version", "architecture", "about"]
                values: list[Any] = [None, 0, 2, [], {}, "text", [[[]]], [{}], 1e999]
                yield zipped(members(header=json_header(**{rng.choice(keys): rng.choice(values)})), method)


def flipped(content: bytes, rng: random.Random) -> bytes:
    """Return the content with some bits flipped, often in the directory of the archive."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        offset = rng.randrange(min(len(changed), rng.choice((200, 400, len(changed)))))
        changed[rng.choice((offset, -1 - offset))] ^= 1 << rng.randrange(8)
    return bytes(changed)
