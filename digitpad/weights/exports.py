"""Weights for elsewhere: plain arrays in the containers that people use, ONNX, and a Python file that predicts."""

import base64
import io
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad import __version__
from digitpad.class_names import DIGITS
from digitpad.errors import WeightsError
from digitpad.nn.layers import BatchNorm, Binarize, Conv2d, Layer, Linear, Rescale
from digitpad.system.atomic_write import write_atomically
from digitpad.weights import standalone
from digitpad.weights.activation_names import NAMES
from digitpad.weights.native_format import Weights


def export(weights: Weights, path: Path, *, plain: bool = False) -> None:
    """Write weights in the format that the path's ending tells; a path without one is a folder of tables.

    Parameters
    ----------
    weights : Weights
    path : Path
    plain : bool
        Whether an ``.npz`` is to hold ``W1, b1, …`` for pixels / 255, and nothing of ours.

    Raises
    ------
    WeightsError
        If the format is none of `FORMATS`, cannot hold this network, or the file cannot be written; what was there is
        then as it was.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise WeightsError(path, f"cannot be written: the endings are {', '.join(filter(None, FORMATS))}, or none")
    if suffix == ".npz" and not plain:
        weights.save(path)
        return
    try:
        if not suffix:
            _write_tables(weights, path)
        else:
            write_atomically(path, FORMATS[suffix](weights, path))
    except OSError as error:
        raise WeightsError(path, f"cannot be written ({error.strerror or error})") from error


def plain_arrays(weights: Weights, path: Path) -> dict[str, NDArray[np.float32]]:
    """Matrices (in, out) as W1, W2 and so on, kernels (height, width, in, out) likewise, biases as b1, b2.

    They read pixels / 255: another scaling, and batch normalisation, goes into the weights that it touches.

    Raises
    ------
    WeightsError
        If something about the network cannot be told by such arrays.
    """
    network = weights.network()
    arrays: dict[str, NDArray[Any]] = {}
    learners: list[Layer] = []
    factor, offset = 255.0, 0.0
    before: Layer | None = None
    for layer in network.layers:
        n = len(learners)
        parameters = {name: np.asarray(value, np.float64) for name, value in layer.parameters.items()}
        if isinstance(layer, Rescale):
            factor, offset = layer.scale * 255, layer.offset
        elif isinstance(layer, Binarize):
            raise WeightsError(path, "cannot tell that pixels are binarised; .npz of our own, .py and .onnx can")
        elif isinstance(layer, Linear | Conv2d):
            weight, bias = parameters["weight"], parameters["bias"]
            if n == 0:
                if isinstance(layer, Conv2d) and layer.padding and offset:
                    raise WeightsError(path, "cannot tell how pixels are scaled; .npz of our own, .py and .onnx can")
                bias = bias + offset * weight.sum(axis=tuple(range(weight.ndim - 1)))
                weight = weight * factor
            arrays |= {f"W{n + 1}": weight, f"b{n + 1}": bias}
            learners.append(layer)
        elif isinstance(layer, BatchNorm):
            if not isinstance(before, Linear | Conv2d):
                raise WeightsError(path, "cannot tell what is normalised where; .npz of our own, .py and .onnx can")
            slope = parameters["scale"] / np.sqrt(np.maximum(parameters["variance"], 0) + layer.eps)
            arrays[f"W{n}"] = arrays[f"W{n}"] * slope
            arrays[f"b{n}"] = (arrays[f"b{n}"] - parameters["mean"]) * slope + parameters["shift"]
        before = layer
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


def _told(weights: Weights) -> dict[str, Any]:
    """What plain arrays do not say, as words beside them."""
    kinds = [settings["type"] for settings in weights.architecture]
    told: dict[str, Any] = {"scaling": "x/255"}
    if activations := [NAMES[kind] for kind in kinds if kind in NAMES]:
        told["activation"] = activations[0]
    if weights.class_names != DIGITS:
        told["classes"] = list(weights.class_names)
    return told


def _npz(weights: Weights, path: Path) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {**plain_arrays(weights, path), **_told(weights)}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _npy(weights: Weights, path: Path) -> bytes:
    buffer = io.BytesIO()
    tree: dict[str, Any] = {**plain_arrays(weights, path), **_told(weights)}
    np.save(buffer, np.array(tree, object), allow_pickle=True)
    return buffer.getvalue()


def _pickle(weights: Weights, path: Path) -> bytes:
    return pickle.dumps({**plain_arrays(weights, path), **_told(weights)}, 4)


def _json(weights: Weights, path: Path) -> bytes:
    arrays = {name: array.tolist() for name, array in plain_arrays(weights, path).items()}
    return json.dumps({**_told(weights), **arrays}).encode()


def _safetensors(weights: Weights, path: Path) -> bytes:
    told = _told(weights)
    names = told.pop("classes", [])  # the format's texts are single ones
    header: dict[str, Any] = {"__metadata__": told | {f"classes.{i}": name for i, name in enumerate(names)}}
    pieces: list[bytes] = []
    end = 0
    for name, array in plain_arrays(weights, path).items():
        pieces.append(array.astype("<f4").tobytes())
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [end, end + len(pieces[-1])]}
        end += len(pieces[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the format wants numbers to begin at a multiple of eight
    return struct.pack("<Q", len(text)) + text + b"".join(pieces)


def _python(weights: Weights, path: Path) -> bytes:
    """The source of `digitpad.weights.standalone`, with this network in its place."""
    network = weights.network()
    layers = []
    for settings, shapes in zip(network.architecture(), network.plan.parameter_shapes, strict=True):
        layers.append({**settings, "parameters": {name: list(shape) for name, shape in shapes.items()}})
    numbers = base64.b64encode(network.parameters.astype("<f4").tobytes()).decode()
    source = Path(standalone.__file__).read_text(encoding="utf-8")
    source = source.replace("LAYERS: list[dict[str, Any]] = []", f"LAYERS: list[dict[str, Any]] = {layers!r}")
    source = source.replace('PARAMETERS = ""', f'PARAMETERS = "{numbers}"')
    source = source.replace('CLASSES = tuple("0123456789")', f"CLASSES = {weights.class_names!a}")
    return f"# {weights.name!a}, written by digitpad {__version__}.\n{source}".encode()


def _onnx(weights: Weights, path: Path) -> bytes:
    try:
        from digitpad.weights.onnx_export import to_onnx
    except ImportError as error:
        raise WeightsError(path, "wants the package onnx: python -m pip install 'digitpad[onnx]'") from error
    return to_onnx(weights.network())


def _write_tables(weights: Weights, folder: Path) -> None:
    arrays = plain_arrays(weights, folder)
    if any(array.ndim > 2 for array in arrays.values()):
        raise WeightsError(folder, "would hold tables, and convolutions are none; .npz, .json or .safetensors fit")
    folder.mkdir(exist_ok=True)
    for name, array in arrays.items():
        buffer = io.StringIO()
        np.savetxt(buffer, array, delimiter=",", fmt="%.9g")
        write_atomically(folder / f"{name}.csv", buffer.getvalue().encode())
    if names := _told(weights).get("classes"):
        write_atomically(folder / "classes.txt", "\n".join(names).encode())


FORMATS: dict[str, Callable[[Weights, Path], bytes]] = {
    ".npz": _npz,
    ".npy": _npy,
    ".pkl": _pickle,
    ".json": _json,
    ".safetensors": _safetensors,
    ".py": _python,
    ".onnx": _onnx,
    "": _npz,
}
"""What writes each ending."""
