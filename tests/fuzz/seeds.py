"""Write the initial inputs for fuzzing: a small file of each type.

python tests/fuzz/seeds.py weights|data CORPUS_FOLDER
"""

import io
import json
import pickle
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from digitpad.nn.layers import AddChannel, Conv2d, Flatten, Linear, ReLU, Rescale
from digitpad.nn.network import Network
from digitpad.weights.onnx_export import to_onnx
from tests.root import ROOT
from tests.unit.datasets.idx_files import idx_bytes
from tests.unit.datasets.set_files import csv_text, keras, npy, pickled, pickled_by_python_2, zipped
from tests.unit.importers.mat_files import mat, mat_matrix
from tests.unit.importers.test_read_file import MATRIX, SOURCES, TREE, VECTOR, torch_pickle

HDF5_FILES = ROOT / "tests/unit/formats/hdf5_files"


def weights() -> dict[str, bytes]:
    header = {
        "format": "digitpad weights",
        "version": 1,
        "architecture": Network([Rescale(), Flatten(), Linear(3)]).architecture(),
        "about": {},
        "classes": ["a", "b", "c"],
    }
    return {
        **{name: b"r" + content for name, content in SOURCES.items()},
        "npy": b"z" + npy(MATRIX),
        "torch": b"t" + torch_pickle(),
        "mat": b"m" + mat_matrix("W", MATRIX) + mat_matrix("b", VECTOR[None]),
        "mat plain": b"r" + mat(mat_matrix("c", np.empty((1, 1)), 1, parts=mat_matrix("", MATRIX))),
        "onnx": b"r" + to_onnx(Network([Rescale(), AddChannel(), Conv2d(2, 5), ReLU(), Flatten(), Linear(3)])),
        "number lines": b"r784 3 relu\nlayer 1\n0.5 1 2\n3 4 5\n\n2,2\n1,2\n3,4\n",
        "header": b"h" + json.dumps(header).encode(),
        **{f"keras {path.name}": b"r" + path.read_bytes() for path in keras_files()},
        "keras config": b"k" + json.dumps(KERAS_CONFIG).encode(),
        **{f"tree {protocol}": b"r" + pickle.dumps(TREE, protocol) for protocol in range(6)},
    }


def keras_files() -> list[Path]:
    """Return the smallest HDF5 files of the tests, and those of Keras."""
    folders = (Path(__file__).parents[1] / "unit" / name for name in ("formats/hdf5_files", "importers/keras/files"))
    return [path for folder in folders for path in sorted(folder.glob("*.h5")) if path.stat().st_size < 30_000]


KERAS_CONFIG = {
    "class_name": "Functional",
    "config": {
        "input_layers": [["a", 0, 0]],
        "output_layers": [["f", 0, 0]],
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, 28, 28, 1]}, "name": "a"},
            {"class_name": "Conv2D", "config": {"strides": [2, 2], "padding": "same"}, "name": "conv2d",
             "inbound_nodes": [[["a", 0, 0, {}]]]},
            {"class_name": "MaxPooling2D", "config": {"pool_size": 3, "strides": 2, "padding": "same"}, "name": "c",
             "inbound_nodes": [[["conv2d", 0, 0, {}]]]},
            {"class_name": "Add", "config": {}, "name": "d", "inbound_nodes": [[["c", 0, 0, {}], ["c", 0, 0, {}]]]},
            {"class_name": "GlobalAveragePooling2D", "config": {}, "name": "e", "inbound_nodes": [[["d", 0, 0, {}]]]},
            {"class_name": "Dense", "config": {"activation": "softmax"}, "name": "f",
             "inbound_nodes": [[["e", 0, 0, {}]]]},
        ],
    },
}  # fmt: skip


def data() -> dict[str, bytes]:
    from digitpad.datasets.dataset import mnist

    digits = mnist().training[:12]
    picture = io.BytesIO()
    Image.fromarray(digits.images[0]).save(picture, "PNG")
    drawing = b'{"label": 7, "strokes": [[[10, 10], [200, 12], [90, 300]]]}\n'
    return {
        "idx": b"i" + idx_bytes(digits.images),
        "idx, packed": b"g" + idx_bytes(digits.images),
        "labels": b"l" + bytes([0, 0, 12, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 1]),
        "npz": b"n" + npy(digits.images),
        "npz, labels": b"y" + npy(digits.labels.astype(np.int64)),
        "whole npz": b"r" + zipped(keras(digits[:10], digits[:10])),
        "pickle": b"k" + pickled(digits, digits[:2], digits, 4),
        "pickle, packed": b"z" + pickled_by_python_2(digits, digits),
        "pickled dict": b"k" + pickle.dumps({"x_train": digits.images, "y_train": np.eye(10)[digits.labels]}),
        "csv": b"c" + csv_text(digits).encode(),
        "bare csv": b"c" + csv_text(digits, header=None, last=True).encode(),
        "npy": b"a" + npy(digits.images),
        "mat": b"m" + mat_matrix("data", digits.images.reshape(12, 784)) + mat_matrix("label", digits.labels[:, None]),
        "hdf5": b"h" + (HDF5_FILES / "v108.h5").read_bytes(),
        "libsvm": b"v" + b"".join(b"%d 100:3 101:7 130:1 131:1 160:2 170:2 200:5 780:1\n" % (i % 2) for i in range(12)),
        "arff": b"f@relation a\n" + b"@attribute p real\n" * 65 + b"@data\n" + (b"3," * 64 + b"1\n") * 12,
        "small csv": b"c" + b"".join(b"16,8," * 32 + b"%d\n" % (i % 2) for i in range(12)),
        "image list": b"jfile,label\nb/0.png,3\nb/1.png,4\n",
        "zip": b"w" + zipped({"a/0/0.png": picture.getvalue(), "a/1/0.png": picture.getvalue()}),
        "tar": b"t" + tarred({"a/0/0.png": picture.getvalue(), "a/1/0.png": picture.getvalue()}),
        "strokes": b"s" + drawing * 12,
        "picture": b"p" + picture.getvalue(),
    }


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"weights": weights, "data": data}[sys.argv[1]]().items():
        (folder / name.replace(" ", "_")).write_bytes(content)
