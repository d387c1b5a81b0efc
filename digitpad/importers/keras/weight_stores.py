"""Weights of a Keras file by layer, in each of the layouts that Keras has used.

Legacy files (``.h5``, Keras 1 to 3) have a group per layer, whose attribute ``weight_names`` lists the paths of its
arrays in order; a nested model is one such group with all its weights. Files of Keras 3 (``.weights.h5``, and within a
``.keras``) have ``layers/<class>_<number>/vars/<i>``, where the number counts the layers of a class and may skip; on
Windows, the path may be a single name with backslashes. Keras 0.x has ``layer_<i>/param_<j>``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.formats.hdf5 import Hdf5Group
from digitpad.formats.hdf5_messages import Hdf5Error

CONTAINERS = ("layers", "_layers", "_layer_checkpoint_dependencies", "_operations")
MAX_LAYERS = 400
_MAX_DEPTH = 12
_CACHED = ("vars", "_vars")


@dataclass(eq=False)
class LayerWeights:
    """Arrays of a layer in order, each with the last word of its name, such as ``kernel``; or those of its layers.

    Attributes
    ----------
    name : str
        Name of the layer, or of its group.
    arrays : list of (str, ndarray)
        Names may be numbers.
    inner : list of LayerWeights
        Layers of a nested model.
    stated_name : str
        Name of the layer as its group states it.
    with_colon, without_colon : bool
        Whether the file has names such as ``kernel:0`` (TensorFlow) and such as ``conv_W`` (Theano) for its arrays.
    """

    name: str
    arrays: list[tuple[str, NDArray[Any]]] = field(default_factory=list)
    inner: list["LayerWeights"] = field(default_factory=list)
    stated_name: str = ""
    with_colon: bool = False
    without_colon: bool = False


def legacy_weights(group: Hdf5Group) -> list[LayerWeights] | None:
    """Return the layers of a legacy file in order, or None if the group has another layout."""
    attributes = group.attributes()
    names = _joined_names(attributes, "layer_names")
    members = group.members()
    if not names:
        if "nb_layers" in attributes:
            return _oldest_weights(members)
        names = [name for name, item in members.items() if "weight_names" in item.attributes()]
        if not names:
            return None
    layers = []
    for name in names[:MAX_LAYERS]:
        item = members.get(name)
        if not isinstance(item, Hdf5Group):
            raise Hdf5Error(f"its layer {name[:80]!r} is missing")
        layer = LayerWeights(name)
        for path in _joined_names(item.attributes(), "weight_names"):
            array = _array_at(item, path)
            *_, owner, word = ["", *path.replace("\\", "/").split("/")]
            layer.arrays.append((_word(word, owner), array))
            layer.with_colon |= ":" in word
            layer.without_colon |= bool(re.search(r"_[Wb](_\d+)?$", word))
            part = next((part for part in layer.inner if part.name == owner), None)
            if part is None:
                layer.inner.append(part := LayerWeights(owner))
            part.arrays.append((_word(word, owner), array))
        layers.append(layer)
    return layers


def _joined_names(attributes: dict[str, Any], key: str) -> list[str]:
    """Return a list of names, which Keras splits over several attributes if it is long."""
    names: list[str] = []
    for part in (key, *(f"{key}{i}" for i in range(100))):
        value = attributes.get(part)
        if isinstance(value, list):
            names += value
        elif value is None and part != key:
            break
    return names


def _array_at(group: Hdf5Group, path: str) -> NDArray[Any]:
    """Return the array at a path within a group; a name may itself contain slashes or backslashes."""
    item: Any = group
    for word in path.split("/")[:_MAX_DEPTH]:
        item = item.members().get(word) if isinstance(item, Hdf5Group) else None
    array = None if item is None or isinstance(item, Hdf5Group) else item.read()
    if not isinstance(array, np.ndarray):
        raise Hdf5Error(f"its array {path[:80]!r} is missing")
    return array


def _word(word: str, owner: str) -> str:
    """Return the parameter in a name: ``kernel`` in ``kernel:0``, ``W`` in ``dense_1_W:0``."""
    word = word.partition(":")[0].removeprefix(f"{owner}_")
    return re.sub(r"^.*_(?=(W|b|gamma|beta|running_mean|running_std)(_\d+)?$)", "", word)


def _oldest_weights(members: dict[str, Any]) -> list[LayerWeights]:
    """Return the layers of Keras 0.x."""
    layers = []
    for i in range(MAX_LAYERS):
        item = members.get(f"layer_{i}")
        if not isinstance(item, Hdf5Group):
            break
        arrays = item.members()
        layer = LayerWeights(f"layer_{i}")
        for j in range(len(arrays)):
            if (dataset := arrays.get(f"param_{j}")) is not None:
                layer.arrays.append((str(j), _read(dataset)))
        layers.append(layer)
    return layers


def _read(dataset: Any) -> NDArray[Any]:
    array = None if isinstance(dataset, Hdf5Group) else dataset.read()
    if not isinstance(array, np.ndarray):
        raise Hdf5Error("one of its arrays is missing")
    return array


def saved_weights(root: Hdf5Group) -> list[LayerWeights] | None:
    """Return the layers of a file of Keras 3, in the order of their names, or None if it has another layout."""
    tree: dict[str, Any] = {}
    _collect(root, (), tree, 0)
    layers = _layers_in(tree)
    return layers or None


def _collect(group: Hdf5Group, path: tuple[str, ...], tree: dict[str, Any], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise Hdf5Error("its groups are nested too deep")
    node = tree
    for word in path:
        node = node.setdefault(word, {})
    if path and path[-1] in _CACHED and isinstance(name := group.attributes().get("name"), str):
        node["name"] = name
    for name, item in group.members().items():
        words = (*path, *name.replace("\\", "/").strip("/").split("/"))
        if words[0] in ("optimizer", "_optimizer", "metrics", "compile_metrics"):
            continue
        if isinstance(item, Hdf5Group):
            _collect(item, words, tree, depth + 1)
        elif words[-2:-1] and words[-2] in _CACHED:
            node = tree
            for word in words[:-1]:
                node = node.setdefault(word, {})
            node[words[-1]] = _read(item) if item.shape != () else None


def _layers_in(tree: dict[str, Any]) -> list[LayerWeights]:
    containers = [tree[name] for name in CONTAINERS if isinstance(tree.get(name), dict)]
    if not containers:  # a subclassed model has its layers as attributes
        own = {name: item for name, item in tree.items() if isinstance(item, dict) and name not in _CACHED}
        containers = [own] if own else []
    layers = []
    for name, item in sorted(containers[0].items(), key=lambda pair: _counted(pair[0])) if containers else ():
        if not isinstance(item, dict):
            continue
        variables: dict[str, Any] = next((item[key] for key in _CACHED if isinstance(item.get(key), dict)), {})
        numbered = sorted((key for key in variables if key.isdigit()), key=int)
        arrays = [(key, variables[key]) for key in numbered if variables[key] is not None]
        stated = variables.get("name", "")
        layers.append(LayerWeights(name, arrays, _layers_in(item), stated if isinstance(stated, str) else ""))
    return layers[:MAX_LAYERS]


def _counted(name: str) -> tuple[str, int]:
    """Return the class and the number in a name such as ``conv2d_1``."""
    match = re.fullmatch(r"(.*?)(?:_(\d{1,9}))?", name)
    assert match is not None
    return match[1], int(match[2] or 0)


def snake_case(class_name: str) -> str:
    """Return a class name as Keras writes it in groups: ``batch_normalization`` for BatchNormalization."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def assign(layers: Sequence[tuple[str, str]], weights: Sequence[LayerWeights]) -> dict[str, LayerWeights]:
    """Return the weights of each layer by its name, given (name, class name) of all layers of a model in order.

    Names are compared first: as stated in the file, then those of the groups. Of the others, the groups of a class are
    assigned in order to its layers.
    """
    by_stated = {item.stated_name: item for item in weights if item.stated_name}
    names = [name for name, _ in layers]
    if by_stated and set(by_stated) <= set(names) | {""}:
        return {name: by_stated[name] for name in names if name in by_stated}
    by_name = {item.name: item for item in weights}
    counted = any((item.arrays and item.arrays[0][0] == "0") or item.inner for item in weights)
    full = [item for item in weights if item.arrays or item.inner]
    if all(item.name in names for item in full) and not (counted and _are_counters(full, layers)):
        return {name: by_name[name] for name in names if name in by_name}
    result: dict[str, LayerWeights] = {}
    for kind in dict.fromkeys(kind for _, kind in layers):
        own = [name for name, other in layers if other == kind]
        groups = [item for item in weights if _counted(item.name)[0] == snake_case(kind)]
        groups.sort(key=lambda item: _counted(item.name)[1])
        if len(groups) != len(own):  # numbers skip where nothing was stored
            groups = [item for item in groups if item.arrays or item.inner]
        result |= dict(zip(own, groups, strict=False))
    return result


def _are_counters(weights: Sequence[LayerWeights], layers: Sequence[tuple[str, str]]) -> bool:
    """Return whether the names of groups are those that Keras counts: a class and a number."""
    classes = {snake_case(kind) for _, kind in layers}
    return all(_counted(item.name)[0] in classes for item in weights)
