"""Hostile HDF5 and Keras files, for `hostile_files`."""

import json
import struct
from pathlib import Path

from tests.unit.weights.npz_files import zipped

_WEIGHTS = (Path(__file__).parent / "keras/files/conv_dense.weights.h5").read_bytes()
_ROOT = 96  # address of the first group, after the superblock
_CONTINUED, _LINK, _SHAPE, _TYPE, _LAYOUT = 0x10, 0x06, 0x01, 0x03, 0x08
_FLOAT32 = bytes.fromhex("11201f00040000000000200017080017 7f000000")
_NOWHERE = 2**64 - 1


def hdf5_files() -> dict[str, bytes]:
    """Return the files by name; each must be refused with little memory and time."""
    link_to_root = _link("a", _ROOT)
    many_links = b"".join(_link(f"group{i}", _ROOT) for i in range(50))
    first = _ROOT + len(_header(_link("a", 0)))
    shapes = {"huge": (2**40,), "product": (2**33, 2**33), "many_axes": (2,) * 32, "unwritten": (2**23,)}
    claims = {
        f"{name}.h5": _file(_header(_link("a", first)) + _header(_array(shape))) for name, shape in shapes.items()
    }
    again = b"".join(_link(f"a{i:03}", 0) for i in range(200))
    end = _ROOT + len(_header(again))
    again = b"".join(_link(f"a{i:03}", end) for i in range(200))
    dense = {"class_name": "Dense", "config": {"units": 10**9}}
    nested: object = []
    for _ in range(150):
        nested = {"class_name": "Sequential", "config": {"layers": [nested]}}
    references = [[["a", 0, 0, {}]] * 100] * 20
    add = {"class_name": "Add", "name": "b", "config": {}, "inbound_nodes": references}
    graph = {"layers": [add] * 80, "input_layers": [["a", 0, 0]], "output_layers": [["b", 0, 0]]}
    configs: dict[str, object] = {
        "layers": {"class_name": "Sequential", "config": {"layers": [dense] * 40_000}},
        "nested": nested,
        "references": {"class_name": "Functional", "config": graph},
        "reshape": {"class_name": "Sequential", "config": {"layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, 9999, 9999, 9999]}},
            {"class_name": "Reshape", "config": {"target_shape": [10**18, -1]}}, dense]}},
    }  # fmt: skip
    return {
        "signature.h5": b"\x89HDF\r\n\x1a\n",
        "zeros.h5": _file(bytes(1000)),
        "loop.h5": _file(_header(_message(_CONTINUED, struct.pack("<QQ", _ROOT + 16, 24)))),
        "cycle.h5": _file(_header(link_to_root)),
        "cycles.h5": _file(_header(many_links)),
        "messages.h5": _file(_header(_message(0, b"") * 200_000)),
        "unwritten_again.h5": _file(_header(again) + _header(_array((2**21,)))),
        **claims,
        "brackets.keras": _keras(b"[" * 3_000_000),
        "text.keras": zipped({"config.json": b"{}", "model.weights.h5": b"version https://git-lfs"}),
        **{f"{name}.keras": _keras(json.dumps(config).encode()) for name, config in configs.items()},
    }


def _keras(config: bytes) -> bytes:
    return zipped({"config.json": config, "model.weights.h5": _WEIGHTS})


def _file(objects: bytes) -> bytes:
    """Return a file whose superblock, of version 0, leads to the first of these objects."""
    superblock = b"\x89HDF\r\n\x1a\n" + bytes(5) + b"\x08\x08" + bytes(9 + 8 + 32) + struct.pack("<Q", _ROOT)
    return superblock.ljust(_ROOT, b"\0") + objects


def _header(messages: bytes) -> bytes:
    return b"\1" + bytes(7) + struct.pack("<I", len(messages)) + bytes(4) + messages


def _message(kind: int, data: bytes) -> bytes:
    return struct.pack("<HHB3x", kind, len(data), 0) + data


def _link(name: str, address: int) -> bytes:
    return _message(_LINK, b"\1\0" + bytes([len(name)]) + name.encode() + struct.pack("<Q", address))


def _array(shape: tuple[int, ...]) -> bytes:
    """Return the messages of a dataset of this shape without stored values."""
    sizes = struct.pack(f"<BBB5x{len(shape)}Q", 1, len(shape), 0, *shape)
    layout = struct.pack("<BBQQ", 3, 1, _NOWHERE, 0)
    return _message(_SHAPE, sizes) + _message(_TYPE, _FLOAT32) + _message(_LAYOUT, layout)
