"""Construction of a network from the graph of a Keras model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from digitpad.importers.keras.activation_builders import Softmax
from digitpad.importers.keras.flow import SIDE, Flow
from digitpad.importers.keras.graph import GraphReader, KerasConfigError, Node, ancestors_in_order, dominators
from digitpad.importers.keras.layer_builders import BUILDERS, as_input
from digitpad.importers.keras.weight_stores import LayerWeights
from digitpad.importers.layout.enlargement import LARGE_SIDE, MAX_SIDE, MIN_SIDE
from digitpad.importers.layout.stated_network import StatedNetwork, branches_step
from digitpad.nn.layers import Branches, Conv2d, Linear, Rescale, Sigmoid

_ADDITIONS, _MEANS, _CONCATENATIONS = ("Add", "add"), ("Average",), ("Concatenate",)
_MAX_STEPS = 1000


def build_keras(model: Mapping[str, Any], weights: Sequence[LayerWeights], *, theano: bool = False) -> StatedNetwork:
    """Return the network that a configuration and the weights of a file describe.

    Parameters
    ----------
    model : dict
        ``class_name`` and ``config`` of the model.
    weights : sequence of LayerWeights
    theano : bool
        Whether kernels are rotated by 180°, as Theano uses them.

    Raises
    ------
    KerasConfigError
        If the model cannot be built; the message names the layer.
    """
    return _Builder(GraphReader(model, weights), theano).network()


class _Builder:
    """Conversion of a graph to layers and branches, by walking back from the output."""

    def __init__(self, graph: GraphReader, theano: bool) -> None:
        self._graph = graph
        self._theano = theano
        self._order = ancestors_in_order(graph.output)
        self._place = {id(node): i for i, node in enumerate(self._order)}
        self._dominators = dominators(self._order)
        self._left = _MAX_STEPS
        self._activated = False

    def network(self) -> StatedNetwork:
        if id(self._graph.start) not in self._place:
            raise KerasConfigError("its layers do not lead from its input to its output")
        flow = self._chain(self._start(), self._graph.start, self._graph.output)
        steps = list(flow.steps)
        # digitpad computes probabilities from the outputs itself; a sigmoid at the end keeps their order.
        if steps and isinstance(steps[-1].layer, Softmax | Sigmoid):
            steps.pop()
        if any(isinstance(step.layer, Softmax) for step in steps):
            raise KerasConfigError("it uses a softmax before its last layer, which is not supported")
        if flow.order is not None or len(flow.shape) != 1:
            flat = flow.flat() if flow.order is None else flow
            if flat.order is not None:
                raise KerasConfigError("it ends with an image whose channels come first")
            steps += flat.steps[len(flow.steps) :]
        if not any(isinstance(step.layer, Linear | Conv2d) for step in steps):
            raise KerasConfigError("it has no dense layer and no convolution outside of branches")
        first = next(i for i, step in enumerate(steps) if isinstance(step.layer, Linear | Conv2d | Branches))
        scaled_within = any(isinstance(step.layer, Rescale) for step in steps[:first])
        return StatedNetwork(tuple(steps), scaled_within, side=_side(_input_shape(self._graph)))

    def _start(self) -> Flow:
        shape = _input_shape(self._graph)
        try:
            side = _side(shape)
            return as_input(Flow(shape=(side, side)), shape)
        except ValueError as error:
            raise KerasConfigError(f"it {error}") from error

    def _chain(self, flow: Flow, start: Node, end: Node) -> Flow:
        """Return the flow after all layers from ``start``, exclusive, to ``end``."""
        path: list[tuple[Node, Node]] = []  # each node, and the node that its inputs start from
        node = end
        while node is not start:
            if not node.inputs:
                raise KerasConfigError(f"its {node.label} does not follow from its input")
            source = node.inputs[0] if len(node.inputs) == 1 else self._common(node)
            path.append((node, source))
            node = source
        for node, source in reversed(path):
            self._left -= 1
            if self._left < 0:
                raise KerasConfigError("it has too many layers")
            flow = self._after(flow, node, source)
        return flow

    def _common(self, node: Node) -> Node:
        """Return the last node that all paths from the input to this one pass."""
        shared = self._dominators[self._place[id(node)]] - {self._place[id(node)]}
        return self._order[max(shared)]

    def _after(self, flow: Flow, node: Node, source: Node) -> Flow:
        try:
            if len(node.inputs) > 1:
                return self._merged(flow, node, source)
            kind = node.kind.rpartition(">")[2]
            if kind not in BUILDERS:
                raise ValueError("is not supported")
            if flow.steps and isinstance(flow.steps[-1].layer, Softmax) and kind not in _AFTER_SOFTMAX:
                raise ValueError("follows a softmax, which is not supported")
            return BUILDERS[kind](flow, node, self._theano)
        except KerasConfigError:
            raise
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
            text = str(error)
            verb = "" if text.startswith(_VERBS) else "cannot be built: "
            raise KerasConfigError(f"its {node.label} {verb}{text[:200]}") from error

    def _merged(self, flow: Flow, node: Node, source: Node) -> Flow:
        kind = node.kind.rpartition(">")[2]
        mode = str(node.config.get("mode", "sum")) if kind == "Merge" else ""
        function = str(node.config.get("function", "")) if kind == "TFOpLambda" else ""
        is_sum = (
            kind in (*_ADDITIONS, *_MEANS) or mode in ("sum", "ave") or function in ("__operators__.add", "math.add")
        )
        if not is_sum and kind not in _CONCATENATIONS and mode != "concat":
            raise ValueError("is not supported")
        flow = flow.in_order()
        ends = [self._chain(replace(flow, steps=()), source, branch) for branch in node.inputs]
        ends = [end.in_order() for end in ends]
        if any(isinstance(step.layer, Softmax) for end in ends for step in end.steps):
            raise ValueError("merges the outputs of a softmax, which is not supported")
        first = ends[0]
        if not is_sum:
            axis = node.config.get("axis", node.config.get("concat_axis", -1))
            n_axes = len(first.shape)
            if axis not in ((1,) if first.channels_first else (-1, n_axes)):
                raise ValueError(f"concatenates along axis {str(axis)[:20]}, which is not supported")
        if len({(end.channels_first, end.undecided) for end in ends}) > 1:
            raise ValueError("merges images of different data formats, which is not supported")
        step = branches_step([end.steps for end in ends], "add" if is_sum else "concatenate")
        shape = step.layer.output_shape(flow.shape)
        merged = replace(flow, steps=(*flow.steps, step), shape=shape, channels_first=first.channels_first,
                         undecided=first.undecided)  # fmt: skip
        if kind in _MEANS or mode == "ave":
            merged = merged.add(Rescale(1 / len(ends)))
        return merged


_VERBS = ("is ", "has ", "takes ", "uses ", "acts ", "follows ", "normalises ", "scales ", "pads ", "reshapes ",
          "resizes ", "merges ", "concatenates ")  # fmt: skip
_AFTER_SOFTMAX = ("Softmax", "Flatten", "Dropout", "Reshape", "Identity")


def _side(shape: tuple[int, ...]) -> int:
    """Return the side of the square images of a shape, grey or coloured, and 28 for any other shape."""
    sizes = [size for size in shape if size not in (1, 3)]
    if len(sizes) == 2 and sizes[0] == sizes[1] and MIN_SIDE <= sizes[0] <= MAX_SIDE:
        return sizes[0]
    return LARGE_SIDE if sizes == [LARGE_SIDE**2] else SIDE


def _input_shape(graph: GraphReader) -> tuple[int, ...]:
    """Return the shape of a sample: as stated, otherwise as the first layers with weights need it."""
    config = graph.start.config
    stated = next((config[key] for key in ("batch_shape", "batch_input_shape") if config.get(key) is not None), None)
    if isinstance(stated, list | tuple) and len(stated) > 1:
        sizes = [size if type(size) is int else None for size in stated[1:]]
        if len(sizes) == 3 and None in sizes:  # images of any size
            sizes = [size or SIDE for size in sizes]
        if len(sizes) == 2:
            sizes = [size or SIDE for size in sizes]
        if all(size is not None and 0 < size < 10_000 for size in sizes):
            return tuple(size or 0 for size in sizes)
    for node in ancestors_in_order(graph.output):
        kind = node.kind.rpartition(">")[2]
        if "Conv" in kind or "Pooling" in kind:
            first = node.config.get("data_format", node.config.get("dim_ordering")) in ("channels_first", "th")
            return (1, SIDE, SIDE) if first else (SIDE, SIDE, 1)
        if kind == "Dense":
            return (SIDE * SIDE,)
        if kind == "Flatten":
            return (SIDE, SIDE)
    raise KerasConfigError("it has no layers with weights")
