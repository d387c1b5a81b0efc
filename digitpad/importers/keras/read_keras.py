"""Reading of Keras files: ``.h5``, ``.weights.h5`` and ``.keras``."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digitpad.errors import WeightsError
from digitpad.formats.hdf5 import Hdf5File, Hdf5Group, find_hdf5
from digitpad.formats.hdf5_messages import Hdf5Error
from digitpad.formats.npy import BUDGET_BYTES, mebibytes
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.keras.graph import KerasConfigError
from digitpad.importers.keras.network_builder import build_keras
from digitpad.importers.keras.weight_stores import LayerWeights, legacy_weights, saved_weights

MAX_CONFIG_BYTES = 4 * 2**20
MAX_HDF5_BYTES = 2 * BUDGET_BYTES


def read_hdf5(path: Path, content: bytes) -> TensorTree:
    """Read an HDF5 file: a Keras model or its weights, or any other arrays.

    Raises
    ------
    WeightsError
        If the file is damaged, or describes a network that cannot be built.
    """
    try:
        root = Hdf5File(content, MAX_HDF5_BYTES).root
        attributes = root.attributes()
        config = attributes.get("model_config")
        members = root.members()
        group = members.get("model_weights")
        layers = legacy_weights(group if isinstance(group, Hdf5Group) else root)
        if layers is None:
            layers = saved_weights(root)
        if config is not None:
            group_attributes = group.attributes() if isinstance(group, Hdf5Group) else {}
            backend = group_attributes.get("backend", attributes.get("backend"))
            return _stated(path, "a Keras model", _parsed(path, config), layers or [], backend)
        if layers is not None and any(layer.arrays or layer.inner for layer in layers):
            return _unstated(path, layers, str(attributes.get("backend", "")))
        return _plain(path, root)
    except (Hdf5Error, KerasConfigError) as error:
        raise WeightsError(path, f"cannot be opened: {error}") from error


def is_keras_zip(names: list[str]) -> bool:
    """Return whether an archive's members are those of a ``.keras`` file."""
    return "config.json" in names and any(name.endswith(".weights.h5") for name in names)


def read_keras_zip(path: Path, archive: zipfile.ZipFile) -> TensorTree:
    """Read a ``.keras`` file.

    Raises
    ------
    WeightsError
        As for `read_hdf5`.
    """
    config = _member(path, archive, "config.json", MAX_CONFIG_BYTES)
    name = next(name for name in archive.namelist() if name.endswith(".weights.h5"))
    content = _member(path, archive, name, BUDGET_BYTES)
    try:
        if find_hdf5(content) is None:
            raise Hdf5Error(f"its {name} is not HDF5")
        layers = saved_weights(Hdf5File(content, MAX_HDF5_BYTES).root) or []
        return _stated(path, "a Keras model", _parsed(path, config.decode("utf-8", "replace")), layers, None)
    except (Hdf5Error, KerasConfigError) as error:
        raise WeightsError(path, f"cannot be opened: {error}") from error


def _member(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise WeightsError(path, f"cannot be read: the compression of {name[:80]!r} is not deflate")
    with archive.open(info) as file:
        content: bytes = file.read(limit + 1)
    if len(content) > limit:
        raise WeightsError(path, f"holds {name[:80]!r}, which is too large; the limit is {mebibytes(limit)}")
    return content


def _parsed(path: Path, text: Any) -> Mapping[str, Any]:
    if not isinstance(text, str) or len(text) > MAX_CONFIG_BYTES:
        raise KerasConfigError("its configuration is not a text, or too long")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise KerasConfigError("its configuration is not JSON") from error
    if not isinstance(config, dict):
        raise KerasConfigError("its configuration is not an object")
    return config


def _stated(path: Path, kind: str, config: Mapping[str, Any], layers: list[LayerWeights], backend: Any) -> TensorTree:
    inner = config.get("config")
    has_layers = isinstance(inner, list) or (isinstance(inner, Mapping) and isinstance(inner.get("layers"), list))
    if not has_layers:
        if not layers:
            raise KerasConfigError(f"it is a model of the class {str(config.get('class_name'))[:60]!r}, whose code "
                                   "is not in the file")  # fmt: skip
        return _unstated(path, layers, str(backend or ""))
    tree = TensorTree(path, kind)
    tree.stated.extend(build_keras(config, layers, theano=_is_theano(layers, backend)).alternatives())
    return tree


def _is_theano(layers: list[LayerWeights], backend: Any) -> bool:
    """Return whether kernels are rotated: as the file states, otherwise if no name ends with ``:0``, as in Keras 1."""
    if isinstance(backend, str):
        return backend == "theano"
    return any(layer.without_colon for layer in layers) and not any(layer.with_colon for layer in layers)


def _unstated(path: Path, layers: list[LayerWeights], backend: str) -> TensorTree:
    """Return the arrays of a file without configuration, under names that say which are weights and biases."""
    from digitpad.importers.keras.weights_only import add_arrays

    tree = TensorTree(path, "Keras weights")
    add_arrays(tree, layers, theano=_is_theano(layers, backend or None))
    return tree


def _plain(path: Path, root: Hdf5Group) -> TensorTree:
    """Return all arrays of an HDF5 file that is not Keras', for example one that was written with h5py."""
    tree = TensorTree(path, "an HDF5 file")

    def add(group: Hdf5Group, prefix: str, depth: int) -> None:
        if depth > 12:
            raise Hdf5Error("its groups are nested too deep")
        for name, value in group.attributes().items():
            tree.add(f"{prefix}{name}", value)
        for name, item in group.members().items():
            if isinstance(item, Hdf5Group):
                add(item, f"{prefix}{name}.", depth + 1)
            else:
                tree.add(f"{prefix}{name}", item.read())

    add(root, "", 0)
    return tree
