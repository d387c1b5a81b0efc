"""Fuzz the weights readers with Google's atheris, which the extra `test` does not install.

    python -m pip install atheris
    python tests/fuzz/seeds.py weights CORPUS_FOLDER
    python tests/fuzz/fuzz_weights.py CORPUS_FOLDER -max_total_time=3600 -max_len=4096

The first byte of an input selects the container that the remaining bytes are put into, because a changed byte in an
archive would only fail its checksum. Each input must be read or raise `WeightsError`; one that does neither is left in
the current folder. Add it to `tests/unit/importers/test_read_file.py`.
"""

import contextlib
import io
import struct
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["digitpad"]):
    from digitpad.errors import WeightsError
    from digitpad.importers.inference.scalings import find_stored_scalers
    from digitpad.importers.inference.structure_search import find_structures
    from digitpad.importers.output_names import class_names_in
    from digitpad.importers.read_file import read_tensor_tree
    from digitpad.weights.native_format import load_weights

_FILE = Path(tempfile.mkdtemp()) / "fuzzed"


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def whole(content: bytes) -> bytes:
    """Return the content of the file that an input stands for."""
    match content[:1], content[1:]:
        case b"z", inner:
            return zipped({"a.npy": inner})
        case b"t", inner:
            return zipped({"m/data.pkl": inner, "m/data/0": bytes(range(48)), "m/data/1": bytes(4)})
        case b"m", inner:
            packed = zlib.compress(inner, 1)
            head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
            return head + struct.pack("<II", 15, len(packed)) + packed
        case b"h", inner:
            length = struct.pack("<H", 118)
            npy = (
                b"\x93NUMPY\1\0"
                + length
                + f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(inner)},), }}".ljust(117).encode()
                + b"\n"
            )
            return zipped({"header.npy": npy + inner})
        case _, inner:
            return inner


def one_input(content: bytes) -> None:
    """Read a file, and find the layers in it."""
    _FILE.write_bytes(whole(content))
    with contextlib.suppress(WeightsError):
        load_weights(_FILE)
    with contextlib.suppress(WeightsError):
        contents = read_tensor_tree(_FILE)
        class_names_in(contents)
        find_stored_scalers(contents)
        find_structures(contents, 10)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
