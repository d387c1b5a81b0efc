"""Hostile files, each crafted to exploit a weakness of readers that trust their input."""

import gzip
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np

from tests.unit.importers.hostile_hdf5 import hdf5_files
from tests.unit.importers.mat_files import OCTAVE, mat, packed
from tests.unit.weights.npz_files import npy_claiming, zeros_bomb, zipped

_GLOBAL = "c{module}\n{name}\n"


def call(module: str, name: str, arguments: bytes) -> bytes:
    """Return a pickle that calls a function; ``arguments`` are instructions that push its arguments."""
    return _GLOBAL.format(module=module, name=name).encode() + b"(" + arguments + b"tR."


def overlapping(n: int) -> bytes:
    """Return a zip file whose directory lists the same compressed megabytes n times."""
    content = zeros_bomb(npy_claiming("8388480,", descr="|u1"), 8, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        end = archive.start_dir
    central = content[end : content.rindex(b"PK\x05\x06")]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, n, n, n * len(central), end, 0)
    return content[:end] + central * n + tail


def deep_pickle(open_: bytes, close: bytes, n: int, end: bytes) -> bytes:
    return b"\x80\x04" + open_ * (n + 1) + close * n + end


def torch_with_strides(shape: str) -> bytes:
    """Return a PyTorch file with a tensor that claims far more numbers than its storage has, by zero strides."""
    storage = "(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI4\ntQ"
    view = f"ctorch._utils\n_rebuild_tensor_v2\n({storage}I0\n({shape}t(I0\nI0\nttR."
    return zipped({"m/data.pkl": view.encode(), "m/data/0": bytes(16)})


def torch_turned(n: int) -> bytes:
    """Return a PyTorch file with n transposed views of one storage, each as large as the decompressed file."""
    storage = "(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI4\ntQ"
    view = f"ctorch._utils\n_rebuild_tensor_v2\n({storage}I0\n(I5000\nI3000\nt(I1\nI5000\nttR"
    return zipped({"m/data.pkl": f"({view * n}t.".encode(), "m/data/0": bytes(60_000_000)}, zipfile.ZIP_DEFLATED)


ONES = b"K\x01" * 300_000
NAMED_TUPLE, NAMED_LIST = b"(" + ONES + b"tq\x01", b"]q\x01(" + ONES + b"e"


def repeated(begin: bytes, again: bytes, n: int = 20_000) -> bytes:
    """Return a compressed pickle that creates an object once and then references it n times."""
    return gzip.compress(b"\x80\x04(" + begin + again * n + b"t.", 6)


def named_again() -> dict[str, bytes]:
    """Return files of a few kilobytes, in which an instruction processes much data that is not on the stack."""
    reconstruct = b"cnumpy.core.multiarray\n_reconstruct\nq\x02"
    objects = b"cnumpy\ndtype\nX\x01\0\0\0O\x85Rq\x03"
    rows = b"(K\x01J" + struct.pack("<I", 300_000) + b"K\x01\x86h\x03\x89h\x01tq\x04"
    pairs = b"]q\x01(K\x01K\x02\x86q\x05" + b"h\x05" * 300_000 + b"K\x01e"
    text = b"X" + struct.pack("<I", 40 * 2**20) + b"a" * (40 * 2**20)
    negative = b"\x8b" + struct.pack("<i", 30 * 2**20) + b"\x81" * (30 * 2**20) + b"q\x01"
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ"
    prime = 2**61 - 1
    return {
        "arguments.pkl.gz": repeated(b"cfoo\nbar\nq\x02" + NAMED_TUPLE, b"h\x02h\x01}\x92"),
        "rows.pkl.gz": repeated(NAMED_LIST + objects + reconstruct + rows, b"h\x02)Rh\x04b"),
        "rows_of_one.pkl.gz": repeated(NAMED_LIST + objects + reconstruct + rows + b"h\x02)R", b"h\x04b"),
        "pairs.pkl.gz": repeated(pairs + b"ccollections\nOrderedDict\nq\x02h\x01\x85q\x06", b"h\x02h\x06R0"),
        "keys.pkl.gz": repeated(text + b"q\x01" + text + b"q\x02}h\x01K\x01s", b"h\x02K\x01s"),
        "negative_keys.pkl.gz": repeated(negative + b"}", b"h\x01K\x01s"),
        "negative_numbers.pkl.gz": repeated(negative + b"](Nh\x01", b"h\x01", 150_000),
        "one_hash.pkl.gz": repeated(b"N", b"".join(b"p%d\n" % (prime * i) for i in range(100_000)), 1),
        "equal_keys.pkl.gz": repeated(b"}", b"".join(
            b"\x8a\x08" + struct.pack("<q", (i << 40) % 2**62) + b"K\x01s" for i in range(200_000)), 1),
        "views.pt": zipped({"m/data.pkl": gzip.decompress(repeated(
            b"ctorch._utils\n_rebuild_tensor_v2\nq\x02(" + storage + b"K\0K\x04\x85K\x01\x85" + ONES + b"tq\x01",
            b"h\x02h\x01R0")), "m/data/0": bytes(16)}, zipfile.ZIP_DEFLATED),
        "spoilt_rows.pkl.gz": repeated(
            NAMED_LIST + b"]q\x02(" + ONES[2:] + b"Ne", b"](" + b"h\x01" * 26 + b"h\x02e", 200),
        "rows_of_ones.pkl": b"\x80\x04](K\x01eq\x01]q\x02(" + b"h\x01" * 8000 + b"e](" + b"h\x02" * 1000 + b"e.",
        "one_name.pkl.gz": repeated(b"cfoo\nbar\n" + NAMED_TUPLE, b"R", 1),
        "many_records.pkl.gz": repeated(b"N", b"NQ", 900_000),
        "many_names.pkl.gz": repeated(b"N", b"ca\nb\n", 1_900_000),
        "many_arrays.pkl.gz": repeated(
            b"cnumpy._core.numeric\n_frombuffer\nq\x02(C\x01acnumpy\ndtype\nX\x02\0\0\0u1\x85RK\x01\x85X\x01\0\0\0Ctq\x01",
            b"h\x02h\x01R", 660_000),
        "records.pkl.gz": repeated(NAMED_TUPLE + b"Nq\x02", b"0cfoo\nbar\nh\x01Rh\x02bq\x02", 30),
    }  # fmt: skip


def files(folder: Path) -> list[Path]:
    """Write all hostile files and return their paths; code in them would create ``folder/harm``."""
    harm = str(folder / "harm")
    text = b"V" + f"touch {harm}".encode() + b"\n"
    code = b"V" + f"open({harm!r}, 'w')".encode() + b"\n"
    thirty = b"\x8a\x05" + struct.pack("<q", 30 * 2**30)[:5]
    many_a = b"a" * (60 * 2**20)
    encode = b"c_codecs\nencode\n(g0\nVlatin1\ntR"
    contents: dict[str, bytes] = {
        "system.pkl": call("os", "system", text),
        "posix.pkl": call("posix", "system", text),
        "eval.pkl": call("builtins", "eval", code),
        "exec.pkl": call("__builtin__", "exec", code),
        "runstring.pkl": call("numpy.testing._private.utils", "runstring", code + b"}"),
        "subprocess.pkl": call("subprocess", "Popen", b"(lp0\nVtouch\naV" + harm.encode() + b"\na"),
        "reduce_of_build.pkl": b"cos\nsystem\n}Va\n" + code + b"sbcos\nsystem\n(" + text + b"tR.",
        "inst.pkl": b"(" + text + b"ios\nsystem\n.",
        "obj.pkl": b"(cos\nsystem\n" + text + b"o.",
        "newobj.pkl": b"\x80\x02cos\nsystem\n(" + text + b"t\x81.",
        "stack_global.pkl": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93(" + text + b"tR.",
        "getattr.pkl": call("builtins", "getattr", b"cos\nsystem\nV__call__\n"),
        "load.pkl": call("numpy", "load", b"V" + harm.encode() + b"\nI00\nI01\n"),
        "memmap.pkl": call("numpy", "memmap", b"V" + harm.encode() + b"\nVf8\nVw+\n"),
        "reconstruct.pkl": call("numpy.core.multiarray", "_reconstruct", b"cnumpy\nndarray\n(I1073741824\ntVd\n"),
        "zeros.pkl": call("numpy", "zeros", b"(I1073741824\nI8\nt"),
        "ndarray.pkl": call("numpy", "ndarray", b"(I1073741824\nI8\nt"),
        "bytearray.pkl": call("builtins", "bytearray", thirty),
        "bytearray8.pkl": b"\x80\x05\x96" + struct.pack("<q", 2**40) + b".",
        "bytes8.pkl": b"\x80\x04\x8e" + struct.pack("<q", 2**40) + b".",
        "frame.pkl": b"\x80\x04\x95" + struct.pack("<q", 2**40) + b".",
        "frombuffer.pkl": b"\x80\x05cnumpy._core.numeric\n_frombuffer\n"
        b"(C\x04aaaacnumpy\ndtype\n(Vf8\ntR(I1073741824\ntVC\ntR.",
        "doubling.pkl": b"(lp0\nI1\na" + b"".join(b"(g%d\ng%d\nlp%d\n" % (i, i, i + 1) for i in range(60)) + b".",
        "encodings.pkl": b"(V" + b"a" * 2**20 + b"\np0\n" + encode * 300 + b"t.",
        "wide.pkl.gz": gzip.compress(b"X" + struct.pack("<I", 60 * 2**20 + 4) + many_a + "😀".encode() + b".", 1),
        "wide_line.pkl.gz": gzip.compress(b"V" + many_a + rb"\U0001f600" + b"\n.", 1),
        "scalars.pkl": b"(V" + b"a" * 2**25 + b"\np0\ncnumpy.core.multiarray\nscalar\np1\ncnumpy\ndtype\n(Vf8\ntRp2\n"
        + b"g1\n(g2\ng0\ntR" * 100_000 + b"t.",
        "texts.pkl": b"\x80\x02(cnumpy._core.numeric\n_frombuffer\nq\x01cnumpy\ndtype\nX\x02\0\0\0S2\x85Rq\x02"
        b"T\0\x80\0\0" + b"ab" * 2**14 + b"q\x03M\0\x40\x85q\x04" + b"h\x01(h\x03h\x02h\x04NtR" * 50_000 + b"t.",
        "dicts.pkl": b"\x80\x02(" + b"}" * 2_010_000 + b"t.",
        "memo.pkl": b"\x80\x04(" + b"]\x94" * 1_010_000 + b"t.",
        "long_memo.pkl": b"\x80\x02]r\xff\xff\xff\x7f.",
        "deep_lists.pkl": deep_pickle(b"]", b"a", 100_000, b"."),
        "deep_tuples.pkl": b"\x80\x02)" + b"\x85" * 120_000 + b".",
        "deep_key.pkl": b"\x80\x02})" + b"\x85" * 120_000 + b"K\x01s.",
        "deep_set.pkl": b"\x80\x04\x8f()" + b"\x85" * 120_000 + b"\x90.",
        "long.pkl": b"\x80\x02\x8b" + struct.pack("<i", 30 * 2**20) + b"\x7f" * (30 * 2**20) + b".",
        "long_shape.pkl": b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n(tR(K\x01(\x8b"
        + struct.pack("<i", 8 * 2**20) + b"\x7f" * (8 * 2**20) + b"tcnumpy\ndtype\n(Vf8\ntRI00\nC\x01atb.",
        "extension.pkl": b"\x80\x02\x82\x01.",
        "persistent.pkl": b"Pid\n.",
        "buffers.pkl": b"\x80\x05\x97.",
        "cycle.pkl": b"(lp0\ng0\na.",
        "bomb.npz": zeros_bomb(npy_claiming("784, 3"), 128, zipfile.ZIP_DEFLATED),
        "overlapping.npz": overlapping(900),
        "objects_bomb.npz": zeros_bomb(npy_claiming("3,", descr="|O"), 96, zipfile.ZIP_DEFLATED),
        "objects.npz": zipped({"a.npy": npy_claiming("1,", call("os", "system", text), descr="|O")}),
        "objects.npy": npy_claiming("1,", call("os", "system", text), descr="|O"),
        "claims.npy": npy_claiming("1073741824,"),
        "texts.npy": npy_claiming("1,", b"", descr="<U999999"),
        "zeros_of_nothing.npy": npy_claiming("99999999999, 0"),
        "up.npz": zipped({"../../harm.npy": b"", "/etc/harm.npy": b""}),
        "brackets.json": b"[" * 1_000_000,
        "lists.json": b"[" + b"[]," * 1_000_000 + b"[]]",
        "objects.json": b"[" + b"{}," * 1_000_000 + b"{}]",
        "numbers.json": b"[" + b"0.1," * 5_000_000 + b"1]",
        "digits.json": b"[" + b"9" * 5_000_000 + b"]",
        "columns.csv": b"1," * 12_000_000 + b"1\n",
        "rows.csv": b"1\n" * 12_000_000,
        "nothing.csv": b"\n" * 1_000_000,
        "header.safetensors": struct.pack("<Q", 2**20) + b"{" + b"[" * (2**20 - 1),
        "claims.safetensors": _safetensors({"dtype": "F64", "shape": [2**39], "data_offsets": [0, 2**42]}),
        "shapes.safetensors": _safetensors({"dtype": "F64", "shape": [2**39] * 8, "data_offsets": [0, 0]}),
        "zeros.pkl.gz": gzip.compress(bytes(100 * 2**20), 1),
        "turned.pt": torch_turned(500),
        "bomb.mat": mat(packed(bytes(100 * 2**20))),
        "elements.mat": mat(packed(bytes(60 * 2**20))),
        "numbers.mat": OCTAVE + b"# name: x\n# type: matrix\n# rows: 3000\n# columns: 2000\n" + b"0 " * 6_000_000,
        "names.mat": OCTAVE + b"# name: x\n" * 1_500_000,
        "strides.pt": torch_with_strides("I65536\nI65536\n"),
        "deep.pkl": pickle.dumps(_nested(200)),
        "fields.onnx": _onnx(_field(7, b"\x1a\0" * 2_000_000)),
        "nested.onnx": _onnx(_nested_messages(40_000)),
        "claims.onnx": _onnx(_field(7, _field(5, b"\x08\xff\xff\x03\x08\xff\xff\x03\x10\x01"))),
        "varint.onnx": _onnx(b"\xff" * 1_000_000),
        "dims.onnx": _onnx(_field(7, _field(5, _field(1, b"\x01" * 1_000_000)))),
        "nodes.onnx": _onnx(_field(7, _field(1, _field(4, b"Relu")) * 100_000)),
        **named_again(),
        **hdf5_files(),
    }  # fmt: skip
    paths = []
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        paths.append(folder / name)
    with (folder / "large.npz").open("wb") as file:
        file.truncate(2**40)
    np.save(folder / "plain.npy", np.ones(3))
    return [*paths, folder / "large.npz"]


def _nested(depth: int) -> list[object]:
    tree: list[object] = [1.5]
    for _ in range(depth):
        tree = [tree, "x"]
    return tree


def _field(number: int, content: bytes) -> bytes:
    """Return a protobuf field of bytes."""
    size = bytes(len(content) >> shift & 0x7F | (0x80 if len(content) >> shift + 7 else 0) for shift in range(0, 28, 7)
                 if not shift or len(content) >> shift)  # fmt: skip
    return bytes([number << 3 | 2]) + size + content


def _onnx(content: bytes) -> bytes:
    return b"\x08\x08" + _field(2, b"pytorch") + content


def _nested_messages(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = _field(7, content)
    return content


def _safetensors(entry: dict[str, object]) -> bytes:
    header = json.dumps({"w": entry}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(64)
