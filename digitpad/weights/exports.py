"""Export of weights: plain arrays in common containers, ONNX, and a stand-alone Python file."""

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
from digitpad.nn.layers import (
    AvgPool2d,
    BatchNorm,
    Binarize,
    Branches,
    Clip,
    Conv2d,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    Layer,
    Linear,
    MaxPool2d,
    Rescale,
    Reshape,
    UnitNorm,
    ZeroPad2d,
)
from digitpad.system.atomic_write import write_atomically
from digitpad.weights import standalone
from digitpad.weights.activation_names import NAMES
from digitpad.weights.native_format import Weights


def export(weights: Weights, path: Path, *, plain: bool = False) -> None:
    """Write weights in the format given by the path's suffix; a path without a suffix becomes a folder of CSV tables.

    Parameters
    ----------
    weights : Weights
    path : Path
    plain : bool
        Whether an ``.npz`` file holds only arrays ``W1, b1, …`` for pixels / 255, instead of digitpad's own format.

    Raises
    ------
    WeightsError
        If the format is not one of `FORMATS`, the format cannot hold this network, or the file cannot be written. An
        existing file is then unchanged.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise WeightsError(
            path, f"has an unknown file type; use {', '.join(filter(None, FORMATS))}, or a name without a suffix"
        )
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
    """Return matrices (in, out) and kernels (height, width, in, out) as ``W1, W2, …``, and biases as ``b1, b2, …``.

    They expect pixels / 255. A different scaling is folded into the first layer, and batch normalisation into the layer
    before it.

    Raises
    ------
    WeightsError
        If the network has a part that such arrays cannot express.
    """
    network = weights.network()
    arrays: dict[str, NDArray[Any]] = {}
    weight_layers: list[Layer] = []
    factor, offset = 255.0, 0.0
    previous: Layer | None = None
    for layer in network.layers:
        n = len(weight_layers)
        parameters = {name: np.asarray(value, np.float64) for name, value in layer.parameters.items()}
        if isinstance(layer, Rescale) and n == 0 and previous is None:
            factor, offset = layer.scale * 255, layer.offset
        elif isinstance(layer, Binarize):
            raise WeightsError(path, "cannot store that pixels are binarised; export as digitpad .npz, .py or .onnx")
        elif problem := _inexpressible(layer):
            raise WeightsError(path, f"cannot store {problem}; export as digitpad .npz, .py or .onnx")
        elif isinstance(layer, Linear | Conv2d):
            weight, bias = parameters["weight"], parameters["bias"]
            if n == 0:
                if isinstance(layer, Conv2d) and layer.padding and offset:
                    raise WeightsError(path, "cannot store this pixel scaling; export as digitpad .npz, .py or .onnx")
                bias = bias + offset * weight.sum(axis=tuple(range(weight.ndim - 1)))
                weight = weight * factor
            arrays |= {f"W{n + 1}": weight, f"b{n + 1}": bias}
            weight_layers.append(layer)
        elif isinstance(layer, BatchNorm):
            if not isinstance(previous, Linear | Conv2d):
                raise WeightsError(path, "cannot store this batch normalisation; export as digitpad .npz, .py or .onnx")
            slope = parameters["scale"] / np.sqrt(np.maximum(parameters["variance"], 0) + layer.eps)
            arrays[f"W{n}"] = arrays[f"W{n}"] * slope
            arrays[f"b{n}"] = (arrays[f"b{n}"] - parameters["mean"]) * slope + parameters["shift"]
        previous = layer
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


def _inexpressible(layer: Layer) -> str:
    """Return what plain arrays cannot say of a layer, which readers could only guess; empty if there is nothing."""
    match layer:
        case Conv2d(stride=stride) if stride > 1:
            return "a convolution's stride"
        case MaxPool2d() | AvgPool2d() if layer.settings().keys() != {"type", "size"}:
            return "overlapping or padded pooling"
        case (
            Rescale()
            | UnitNorm()
            | Branches()
            | GlobalAvgPool2d()
            | GlobalMaxPool2d()
            | ZeroPad2d()
            | Reshape()
            | Clip()
        ):
            return f"the layer {type(layer).__name__}"
    return ""


def _metadata(weights: Weights) -> dict[str, Any]:
    """Return the settings that plain arrays do not express: scaling, activation and class names."""
    kinds = [settings["type"] for settings in weights.architecture]
    metadata: dict[str, Any] = {"scaling": "x/255"}
    if activations := [NAMES[kind] for kind in kinds if kind in NAMES]:
        metadata["activation"] = activations[0]
    if weights.class_names != DIGITS:
        metadata["classes"] = list(weights.class_names)
    return metadata


def _npz(weights: Weights, path: Path) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {**plain_arrays(weights, path), **_metadata(weights)}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _npy(weights: Weights, path: Path) -> bytes:
    buffer = io.BytesIO()
    tree: dict[str, Any] = {**plain_arrays(weights, path), **_metadata(weights)}
    np.save(buffer, np.array(tree, object), allow_pickle=True)
    return buffer.getvalue()


def _pickle(weights: Weights, path: Path) -> bytes:
    return pickle.dumps({**plain_arrays(weights, path), **_metadata(weights)}, 4)


def _json(weights: Weights, path: Path) -> bytes:
    arrays = {name: array.tolist() for name, array in plain_arrays(weights, path).items()}
    return json.dumps({**_metadata(weights), **arrays}).encode()


def _safetensors(weights: Weights, path: Path) -> bytes:
    metadata = _metadata(weights)
    names = metadata.pop("classes", [])  # metadata values can only be strings
    header: dict[str, Any] = {"__metadata__": metadata | {f"classes.{i}": name for i, name in enumerate(names)}}
    chunks: list[bytes] = []
    end = 0
    for name, array in plain_arrays(weights, path).items():
        chunks.append(array.astype("<f4").tobytes())
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [end, end + len(chunks[-1])]}
        end += len(chunks[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the numbers must start at a multiple of eight bytes
    return struct.pack("<Q", len(text)) + text + b"".join(chunks)


def _python(weights: Weights, path: Path) -> bytes:
    """Return the source of `digitpad.weights.standalone` with this network filled in."""
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
        raise WeightsError(path, "needs the package onnx; run python -m pip install 'digitpad[onnx]'") from error
    return to_onnx(weights.network())


def _write_tables(weights: Weights, folder: Path) -> None:
    arrays = plain_arrays(weights, folder)
    if any(array.ndim > 2 for array in arrays.values()):
        raise WeightsError(folder, "cannot hold convolutions as tables; export as .npz, .json or .safetensors")
    folder.mkdir(exist_ok=True)
    for name, array in arrays.items():
        buffer = io.StringIO()
        np.savetxt(buffer, array, delimiter=",", fmt="%.9g")
        write_atomically(folder / f"{name}.csv", buffer.getvalue().encode())
    if names := _metadata(weights).get("classes"):
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
"""Function that returns the content of the file, by suffix."""
