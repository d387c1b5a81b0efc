"""The layers of a Keras configuration and how they are connected: sequential, functional and nested models.

A configuration is JSON from a stranger: every part of it may have any type, and layers may refer to each other in any
way. Only what leads from the input to the output is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from digitpad.importers.keras.weight_stores import LayerWeights, assign

MAX_NODES = 400
MAX_STEPS = 2000
_MAX_DEPTH = 8
_MODELS = ("Sequential", "Functional", "Model", "Graph")


class KerasConfigError(ValueError):
    """Error about a configuration that is damaged, or describes what cannot be built."""


@dataclass(eq=False)
class Node:
    """A call of a layer: its class, settings and weights, and the nodes whose outputs it takes."""

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: list["Node"] = field(default_factory=list)
    weights: LayerWeights | None = None

    @property
    def label(self) -> str:
        """Name and class, for messages."""
        kind = self.kind.rpartition(">")[2]
        return f"layer {self.name[:60]!r}" + (f" ({kind[:60]})" if kind.lower() != self.name.lower() else "")


class GraphReader:
    """Reader of a model's configuration; `output` is the last node, from which its inputs lead to the first."""

    def __init__(self, model: Mapping[str, Any], weights: Sequence[LayerWeights]) -> None:
        self._n_nodes = 0
        self.start = Node("input", "InputLayer", {})
        self.output = self._model(str(model.get("class_name")), model.get("config"), [self.start], weights, 0)

    def _model(self, kind: str, config: Any, inputs: list[Node], weights: Sequence[LayerWeights], depth: int) -> Node:
        """Add the layers of a model to the graph, and return its output."""
        if depth > _MAX_DEPTH:
            raise KerasConfigError("its models are nested too deep")
        layers = config.get("layers") if isinstance(config, Mapping) else config  # a list in Keras 1 and 2.0
        if not isinstance(layers, list) or not layers:
            raise KerasConfigError("its configuration lists no layers")
        entries = [entry for entry in layers if isinstance(entry, Mapping)]
        if len(entries) > MAX_NODES:
            raise KerasConfigError(f"it has more than {MAX_NODES} layers")
        named = [(_name(entry), str(entry.get("class_name"))) for entry in entries]
        own = assign([(name, kind.rpartition(">")[2]) for name, kind in named], weights)
        functional = isinstance(config, Mapping) and config.get("output_layers") is not None
        if not functional:
            if len(inputs) != 1:
                raise KerasConfigError("its sequential model has several inputs")
            last = inputs[0]
            for entry, (name, class_name) in zip(entries, named, strict=True):
                last = self._call(entry, name, class_name, [last], own.get(name), depth)
            return last
        assert isinstance(config, Mapping)
        return self._functional(config, entries, named, own, inputs, depth)

    def _functional(
        self,
        config: Mapping[str, Any],
        entries: list[Mapping[str, Any]],
        named: list[tuple[str, str]],
        own: dict[str, LayerWeights],
        inputs: list[Node],
        depth: int,
    ) -> Node:
        starts = _references(config.get("input_layers"))
        ends = _references(config.get("output_layers"))
        if len(starts) != len(inputs):
            raise KerasConfigError(f"its model has {len(starts)} inputs; only networks with one can be opened")
        if len(ends) != 1:
            raise KerasConfigError(f"its model has {len(ends)} outputs; only networks with one can be opened")
        done: dict[tuple[str, int], Node] = {}
        for (name, _), node in zip(starts, inputs, strict=True):
            entry = next((entry for entry, (own_name, _) in zip(entries, named, strict=True) if own_name == name), {})
            if node is self.start and not node.config:
                node.config = _mapping(entry.get("config"))
            done[name, 0] = node
        waiting = []
        for entry, (name, class_name) in zip(entries, named, strict=True):
            calls = entry.get("inbound_nodes")
            calls = calls if isinstance(calls, list) else []
            if calls and all(_is_reference(call) for call in calls):  # one call, without its own list
                calls = [calls]
            waiting += [(entry, name, class_name, i, call) for i, call in enumerate(calls) if (name, i) not in done]
        while waiting:
            left = []
            for item in waiting:
                entry, name, class_name, i, call = item
                sources = _references(call)
                if not all(source in done for source in sources) or not sources:
                    left.append(item)
                    continue
                nodes = [done[source] for source in sources]
                done[name, i] = self._call(entry, name, class_name, nodes, own.get(name), depth)
            if len(left) == len(waiting):
                break
            waiting = left
        # A model that is used within another one has its own calls, which the numbers of its layers may count on from.
        ((name, i),) = ends
        output = done.get((name, i)) or next((node for (other, _), node in done.items() if other == name), None)
        if output is None:
            raise KerasConfigError(f"its layers do not lead to its output {name[:60]!r}")
        return output

    def _call(
        self,
        entry: Mapping[str, Any],
        name: str,
        kind: str,
        inputs: list[Node],
        weights: LayerWeights | None,
        depth: int,
    ) -> Node:
        config = _mapping(entry.get("config"))
        build = entry.get("build_config")
        if kind in _MODELS or isinstance(config.get("layers"), list):
            inner = [] if weights is None else weights.inner
            return self._model(kind, entry.get("config"), inputs, inner, depth + 1)
        self._n_nodes += 1
        if self._n_nodes > MAX_NODES:
            raise KerasConfigError(f"it has more than {MAX_NODES} layers")
        if not self.start.config and inputs == [self.start]:
            shape = config.get("batch_input_shape") or config.get("batch_shape")
            if shape is None and config.get("input_shape") is not None:
                shape = [None, *_list(config.get("input_shape"))]
            if shape is None and kind != "InputLayer":
                shape = _mapping(build).get("input_shape")
            if shape is None and isinstance(config.get("input_dim"), int):
                shape = [None, config["input_dim"]]
            if isinstance(shape, list):
                self.start.config = {"batch_shape": shape}
        call = {key: entry[key] for key in ("inbound_nodes", "module") if key in entry}
        return Node(name, kind, {**config, "__entry__": call}, inputs, weights)


def _name(entry: Mapping[str, Any]) -> str:
    config = entry.get("config")
    name = config.get("name") if isinstance(config, Mapping) else None
    return str(entry.get("name") or name or entry.get("class_name"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(type(part) is int for part in value[1:3])
    )


def _references(value: Any, depth: int = 0) -> list[tuple[str, int]]:
    """Return the tensors in any part of a configuration, each as the name of a layer and the number of its call."""
    if depth > 8:
        return []
    if isinstance(value, list) and _is_reference(value):
        return [(value[0], value[1]), *(_references(value[3], depth + 1) if len(value) == 4 else [])]
    if isinstance(value, Mapping):
        history = _mapping(value.get("config")).get("keras_history")
        if isinstance(history, list) and _is_reference(history):
            return [(history[0], history[1])]
        value = list(value.values())
    if isinstance(value, list):
        return [item for part in value[:1000] for item in _references(part, depth + 1)]
    return []


def ancestors_in_order(output: Node) -> list[Node]:
    """Return all nodes that lead to a node, each after its inputs."""
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, int]] = [(output, 0)]
    while stack:
        node, i = stack.pop()
        if i == 0:
            if id(node) in seen:
                continue
            seen.add(id(node))
        if i < len(node.inputs):
            stack.append((node, i + 1))
            stack.append((node.inputs[i], 0))
        else:
            order.append(node)
    return order


def dominators(order: Sequence[Node]) -> dict[int, set[int]]:
    """Return, for each node, the places in ``order`` of the nodes that every path from the input passes."""
    place = {id(node): i for i, node in enumerate(order)}
    result: dict[int, set[int]] = {}
    for i, node in enumerate(order):
        sets = [result[place[id(source)]] for source in node.inputs]
        result[i] = {i} | (set.intersection(*sets) if sets else set())
    return result
