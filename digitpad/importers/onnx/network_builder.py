"""Construction of a network from the graph of an ONNX model, by walking back from its outputs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.layout.stated_network import StatedNetwork, branches_step
from digitpad.importers.onnx.folding import constant, fold
from digitpad.importers.onnx.model_file import OnnxError, OnnxModel, OnnxNode
from digitpad.importers.onnx.node_builders import BUILDERS
from digitpad.importers.onnx.scalar_functions import POINTS, activation_of, apply
from digitpad.importers.onnx.tensor_flow import SIDE, Flow
from digitpad.nn.layers import Branches, Conv2d, Linear, Rescale, Sigmoid
from digitpad.weights.native_format import MAX_PARAMETERS

_AFTER_LOGITS = frozenset([
    "Softmax", "LogSoftmax", "ArgMax", "ZipMap", "ArrayFeatureExtractor", "Cast", "Identity", "Normalizer", "TopK",
])  # fmt: skip
_MERGES = {"Add": "add", "Sum": "add", "Concat": "concatenate"}
_BOOKKEEPING = ("Shape", "Size")
_MAX_STEPS = 1000
_MAX_DEPTH = 500
_MAX_SCALAR_NODES = 12
_MAX_CONSTANT_BYTES = 128 * 2**20

Array = NDArray[Any]


def build_onnx(model: OnnxModel) -> StatedNetwork:
    """Return the network that a graph describes, from an image to the logits.

    Raises
    ------
    OnnxError
        If it cannot be built; the message names the node.
    """
    if not model.outputs or not model.inputs:
        raise OnnxError("is an ONNX model without inputs or outputs")
    problems: list[OnnxError] = []
    for output in model.outputs:
        try:
            return _Builder(model, output).network()
        except OnnxError as error:
            problems.append(error)
    raise problems[0]


@dataclass(eq=False)
class _Place:
    """A tensor that depends on the image: the node that computes it, and the tensors like this that it takes."""

    node: OnnxNode | None
    inputs: list["_Place"] = field(default_factory=list)


class _Builder:
    """Conversion of the nodes that lead to one output."""

    def __init__(self, model: OnnxModel, output: str) -> None:
        self._model = model
        self._input = next(iter(model.inputs))
        self._constants: dict[str, Array] = dict(model.tensors)
        self._left = _MAX_STEPS
        self._constant_bytes_left = _MAX_CONSTANT_BYTES
        self._parameters_left = MAX_PARAMETERS
        self._start = _Place(None)
        self._places: dict[str, _Place] = {self._input: self._start}
        self._first = self._first_flow()
        self._shapes: dict[int, tuple[int, ...]] = {id(self._start): self._first.places.shape}
        self._end = self._without_probabilities(self._connected(output))
        self._follow(self._end)

    def network(self) -> StatedNetwork:
        if id(self._start) not in self._rank:
            raise OnnxError("is an ONNX model whose output does not depend on its input")
        flow = self._chain(self._first, self._start, self._end)
        steps = list(flow.steps)
        if steps and isinstance(steps[-1].layer, Sigmoid):  # keeps the order of the outputs
            steps.pop()
        if flow.places.ndim != 1 or not np.array_equal(flow.places, np.arange(flow.places.size)):
            if flow.places.size != flow.places.shape[0]:
                raise OnnxError(f"is an ONNX model whose output has the shape {flow.places.shape}, not one per class")
            steps = list(replace(flow, places=flow.places.ravel()).vector().steps)
        products = [i for i, step in enumerate(steps) if isinstance(step.layer, Linear | Conv2d | Branches)]
        if not products:
            raise OnnxError("is an ONNX model without dense layers or convolutions")
        scaled = any(isinstance(step.layer, Rescale) for step in steps[: products[0]])
        return StatedNetwork(tuple(steps), scaled, side=self._first.shape[0])

    def _first_flow(self) -> Flow:
        """Return the flow of the input, whose sizes the model states, or the first node with weights needs."""
        shape = self._model.inputs[self._input]
        sizes = list(shape or [])[1:]
        if shape is not None and len(shape) in (1, 2) and SIDE in shape and SIDE * SIDE not in shape:
            sizes = list(shape)  # an image without batch
        if not sizes or None in sizes:
            is_image = any(node.kind in ("Conv", "MaxPool", "AveragePool") for node in self._model.nodes)
            if len(sizes) == 3 and sizes[2] == 1:
                sizes = [SIDE, SIDE, 1]
            else:
                sizes = [1, SIDE, SIDE] if is_image or len(sizes) == 3 else [SIDE] * 2 if len(sizes) == 2 else [SIDE**2]
        try:
            return Flow.of_image([size or 1 for size in sizes])
        except ValueError as error:
            raise OnnxError(f"is an ONNX model that {error}") from error

    def _connected(self, output: str) -> _Place:
        """Return the place of an output, after all nodes that lead to it, in whatever order the file has them."""
        producers = {name: node for node in self._model.nodes for name in node.outputs if name}
        stack = [output]
        entered: set[str] = set()
        while stack:
            name = stack[-1]
            if name in self._places or name in self._constants or not name:
                stack.pop()
                continue
            node = producers.get(name)
            if node is None:
                raise OnnxError(f"is an ONNX model in which nothing computes {name[:80]!r}")
            known = self._places.keys() | self._constants.keys()
            missing = [item for item in node.inputs if item and item not in known]
            if missing:
                if name in entered:
                    raise OnnxError("is an ONNX model whose nodes form a loop")
                entered.add(name)
                stack += missing
                continue
            self._enter(node)
            stack.pop()
        if output not in self._places:
            raise OnnxError("is an ONNX model whose output is constant")
        return self._places[output]

    def _enter(self, node: OnnxNode) -> None:
        """Evaluate a node whose inputs are constant, or add it to the graph."""
        sources = [self._places[name] for name in node.inputs if name in self._places]
        try:
            if node.kind == "Constant":
                self._constants[node.outputs[0]] = constant(node.attributes)
                return
            if node.kind in _BOOKKEEPING and sources:
                shape = np.array((1, *self._shape_at(sources[0])))
                self._constants[node.outputs[0]] = shape if node.kind == "Shape" else np.array(shape.prod())
                return
            if not sources:
                value = fold(node, [self._constants[name] for name in node.inputs if name])
                if value is None:
                    raise OnnxError(f"is an ONNX model with a {node.label}, which is not supported")
                self._constants[node.outputs[0]] = value
                self._constant_bytes_left -= value.nbytes
                if self._constant_bytes_left < 0:
                    raise OnnxError("is an ONNX model that computes too many constants")
                return
        except OnnxError:
            raise
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, MemoryError) as error:
            raise OnnxError(f"is an ONNX model with a {node.label} that {_verb(error)}") from error
        place = _Place(node, sources)
        for name in node.outputs:
            if name:
                self._places[name] = place

    def _shape_at(self, place: _Place) -> tuple[int, ...]:
        """Return the shape of a sample at a place in the middle of the graph, which a node asks for."""
        if id(place) not in self._shapes:
            self._follow(place)
            self._shapes[id(place)] = self._chain(self._first, self._start, place).places.shape
        return self._shapes[id(place)]

    def _follow(self, end: _Place) -> None:
        """Prepare `_common` for the places that lead to this one."""
        self._order = _ancestors(end)
        if len(self._order) > _MAX_DEPTH:
            raise OnnxError("is an ONNX model with too many nodes")
        self._rank = {id(place): i for i, place in enumerate(self._order)}
        self._dominators = _dominators(self._order, self._rank)

    def _charged(self, before: Flow, after: Flow) -> Flow:
        """Return the flow after a node, and charge its parameters to the budget: nodes may share tensors."""
        added = after.steps[len(before.steps) :]
        self._parameters_left -= sum(array.size for step in added for array in step.parameters.values())
        if self._parameters_left < 0:
            raise OnnxError("is an ONNX model with too many parameters")
        return after

    def _without_probabilities(self, place: _Place) -> _Place:
        """Return the place of the logits: digitpad computes probabilities and predictions from them."""
        while place.node is not None and place.node.kind in _AFTER_LOGITS and place.inputs:
            place = place.inputs[-1]
        return place

    def _chain(self, flow: Flow, start: _Place, end: _Place) -> Flow:
        """Return the flow after all nodes from ``start``, exclusive, to ``end``."""
        path: list[tuple[_Place, _Place]] = []  # each place, and the one that its inputs start from
        place = end
        while place is not start:
            if not place.inputs:
                raise OnnxError("is an ONNX model with several inputs")
            source = place.inputs[0] if len(set(map(id, place.inputs))) == 1 else self._common(place)
            path.append((place, source))
            place = source
        for place, source in reversed(path):
            self._left -= 1
            if self._left < 0:
                raise OnnxError("is an ONNX model with too many nodes")
            flow = self._after(flow, place, source)
        return flow

    def _common(self, place: _Place) -> _Place:
        """Return the last place that all paths from the image to this one pass."""
        rank = self._rank[id(place)]
        return self._order[max(self._dominators[rank] - {rank})]

    def _after(self, flow: Flow, place: _Place, source: _Place) -> Flow:
        node = place.node
        assert node is not None
        try:
            if len(place.inputs) > 1:
                return self._merged(flow, place, source)
            if node.kind not in BUILDERS:
                activation = activation_of(self._values(place, source))
                if activation is None:
                    raise ValueError("is not supported")
                return flow.add(activation)
            constants = [None if name in self._places else self._constants.get(name) for name in node.inputs]
            return self._charged(flow, BUILDERS[node.kind](flow, node, constants))
        except OnnxError:
            raise
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            raise OnnxError(f"is an ONNX model with a {node.label} that {_verb(error)}") from error

    def _merged(self, flow: Flow, place: _Place, source: _Place) -> Flow:
        node = place.node
        assert node is not None
        values = self._values(place, source)
        if (activation := activation_of(values)) is not None:
            return flow.add(activation)
        if (activation := activation_of(values / 2)) is not None:  # GELU, which the next node halves
            return flow.add(activation).add(Rescale(2.0))
        if node.kind not in _MERGES:
            raise ValueError("is not supported")
        flow = flow.images() if flow.places.ndim == 3 else flow.vector()
        ends = [self._chain(replace(flow, steps=()), source, branch) for branch in place.inputs]
        first = ends[0]
        if any(end.places.ndim != first.places.ndim for end in ends):
            raise ValueError("merges tensors of different shapes")
        if node.kind == "Concat" and int(node.attributes.get("axis", 1)) not in (1, -first.places.ndim):
            raise ValueError("concatenates along an axis that is not supported")
        if first.places.ndim == 3:
            ends = [end.images() for end in ends]
        elif not all(np.array_equal(end.places, np.arange(end.places.size)) for end in ends):
            raise ValueError("merges vectors whose elements were exchanged")
        step = branches_step([end.steps for end in ends], _MERGES[node.kind])
        shape = step.layer.output_shape(flow.shape)
        steps = (*flow.steps, step)
        places = np.arange(int(np.prod(shape)))
        if len(shape) == 3:
            return replace(flow, steps=steps, shape=shape, places=places.reshape(shape).transpose(2, 0, 1))
        return replace(flow, steps=steps, shape=shape, places=places)

    def _values(self, place: _Place, source: _Place) -> Array:
        """Return the values at `POINTS` of the operations between two places; empty if one is not on each element."""
        values: dict[int, Array] = {id(source): POINTS}
        between = _between(place, source)
        for item in between if len(between) <= _MAX_SCALAR_NODES else []:
            node = item.node
            if node is None:
                break
            inputs = [
                values.get(id(self._places[name])) if name in self._places else self._constants.get(name)
                for name in node.inputs
            ]
            found = [value for value in inputs if value is not None and value.size in (1, POINTS.size)]
            result = apply(node.kind, node.attributes, found) if len(found) == len(node.inputs) else None
            if result is None:
                break
            values[id(item)] = np.broadcast_to(result.ravel(), POINTS.shape) if result.size == 1 else result
        return values.get(id(place), np.empty(0))


def _between(place: _Place, source: _Place) -> list[_Place]:
    """Return the places from ``source``, exclusive, to ``place``, each after its inputs."""
    return [item for item in _ancestors(place, source) if item is not source]


def _ancestors(output: _Place, stop: _Place | None = None) -> list[_Place]:
    """Return all places that lead to a place, each after its inputs; ``stop`` is not looked behind."""
    order: list[_Place] = []
    seen: set[int] = set()
    stack: list[tuple[_Place, int]] = [(output, 0)]
    while stack:
        place, i = stack.pop()
        if i == 0:
            if id(place) in seen:
                continue
            seen.add(id(place))
        if place is not stop and i < len(place.inputs):
            stack.append((place, i + 1))
            stack.append((place.inputs[i], 0))
        else:
            order.append(place)
    return order


def _dominators(order: Sequence[_Place], rank: dict[int, int]) -> list[set[int]]:
    """Return, for each place, the ranks of the places that every path from the image passes."""
    result: list[set[int]] = []
    for i, place in enumerate(order):
        sets = [result[rank[id(source)]] for source in place.inputs]
        result.append({i} | (set.intersection(*sets) if sets else set()))
    return result


def _verb(error: Exception) -> str:
    """Return the problem in an error, worded to follow the name of a node."""
    text = str(error)
    return text[:200] if text[:1].islower() and " " in text else f"cannot be built ({text[:150]})"
