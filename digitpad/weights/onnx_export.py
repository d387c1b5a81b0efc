"""Export of a network to ONNX: the input is 28 × 28 pixels of 0..255, the outputs are logits and probabilities.

This is the only module that imports onnx, which is an optional dependency.
"""

import math
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from digitpad import __version__
from digitpad.nn.layers import (
    ELU,
    GELU,
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Binarize,
    Branches,
    Clip,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Reshape,
    Sigmoid,
    Softplus,
    Swish,
    Tanh,
    UnitNorm,
    ZeroPad2d,
)
from digitpad.nn.network import Network

_OPSET = 17


class _Graph:
    """Sequence of nodes, each of which takes the output of the previous node as its input."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = "image"
        self.images = False  # whether the last output has channels

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, *others: Any, x: str | None = None, out: str | None = None, **attributes: Any) -> str:
        inputs = [x or self.last, *(value if isinstance(value, str) else self.constant(value) for value in others)]
        self.last = out or f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [self.last], **attributes))
        return self.last


def to_onnx(network: Network) -> bytes:
    """Return the network as a serialised ONNX model, validated with ``onnx.checker``.

    The input ``image`` is float32 of shape (n, 28, 28). The outputs ``logits`` and ``probabilities`` have the shape
    (n, n_classes).
    """
    graph = _Graph()
    for layer in network.layers:
        _add(graph, layer)
    logits = graph.add("Identity", out="logits")
    graph.add("Softmax", x=logits, out="probabilities", axis=1)
    pixels = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", *network.input_shape])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *network.plan.output_shape])
        for name in ("logits", "probabilities")
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "digits", [pixels], outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        producer_name="digitpad",
        producer_version=__version__,
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def _add(graph: _Graph, layer: Any) -> None:
    """Append one layer to the graph. As usual in ONNX, images have the shape (n, channels, height, width)."""
    match layer:
        case Rescale():
            graph.add("Mul", np.float32(layer.scale))
            graph.add("Add", np.float32(layer.offset))
        case Binarize():
            graph.add("Greater", np.float32(layer.threshold))
            graph.add("Cast", to=TensorProto.FLOAT)
        case AddChannel():
            graph.add("Unsqueeze", np.array([1]))
            graph.images = True
        case Flatten():
            if graph.images:  # digitpad flattens in the order (height, width, channels)
                graph.add("Transpose", perm=[0, 2, 3, 1])
            graph.images = False
            graph.add("Flatten", axis=1)
        case Linear():
            graph.add("Gemm", layer.parameters["weight"], layer.parameters["bias"])
        case Conv2d():
            kernel: NDArray[Any] = layer.parameters["weight"].transpose(3, 2, 0, 1)
            graph.add("Conv", kernel, layer.parameters["bias"], pads=[layer.padding] * 4, strides=[layer.stride] * 2)
        case MaxPool2d() | AvgPool2d():
            kind = "MaxPool" if isinstance(layer, MaxPool2d) else "AveragePool"
            pads = [layer.before] * 2 + [layer.after] * 2
            graph.add(kind, kernel_shape=[layer.size] * 2, strides=[layer.step] * 2, pads=pads)
        case GlobalAvgPool2d() | GlobalMaxPool2d():
            graph.add("GlobalAveragePool" if isinstance(layer, GlobalAvgPool2d) else "GlobalMaxPool")
            graph.add("Flatten", axis=1)
            graph.images = False
        case ZeroPad2d():
            graph.add("Pad", np.array([0, 0, layer.top, layer.left, 0, 0, layer.bottom, layer.right]))
        case Reshape():
            if graph.images:
                graph.add("Transpose", perm=[0, 2, 3, 1])
            graph.add("Reshape", np.array([-1, *layer.shape]))
            graph.images = len(layer.shape) == 3
            if graph.images:
                graph.add("Transpose", perm=[0, 3, 1, 2])
        case UnitNorm():
            x = graph.last
            axes = np.array({"columns": [1], "rows": [2], "image": [1, 2]}[layer.of])
            graph.add("Mul", x)
            graph.add("ReduceSum", axes, keepdims=1)
            norms = graph.add("Sqrt")
            is_zero = graph.add("Equal", np.float32(0))
            one_or_norm = graph.add("Where", np.float32(1), norms, x=is_zero)
            graph.add("Div", one_or_norm, x=x)
        case Branches():
            _add_branches(graph, layer)
        case BatchNorm():
            p = layer.parameters
            variance = np.maximum(p["variance"], 0)
            graph.add("BatchNormalization", p["scale"], p["shift"], p["mean"], variance, epsilon=layer.eps)
        case ReLU():
            graph.add("Relu")
        case LeakyReLU():
            graph.add("LeakyRelu", alpha=layer.alpha)
        case Sigmoid():
            graph.add("Sigmoid")
        case Tanh():
            graph.add("Tanh")
        case ELU():
            graph.add("Elu", alpha=layer.alpha)
        case Softplus():
            graph.add("Softplus")
        case Clip():
            graph.add("Clip", np.float32(layer.low), np.float32(layer.high))
        case Swish():
            x = graph.last
            graph.add("Sigmoid")
            graph.add("Mul", x)
        case GELU():
            x = graph.last
            graph.add("Mul", x)
            graph.add("Mul", np.float32(0.044715))
            graph.add("Add", np.float32(1))
            graph.add("Mul", x)
            graph.add("Mul", np.float32(math.sqrt(2 / math.pi)))
            graph.add("Tanh")
            graph.add("Add", np.float32(1))
            graph.add("Mul", np.float32(0.5))
            graph.add("Mul", x)
        case Dropout():
            pass
        case _:
            raise ValueError(f"{type(layer).__name__} layers cannot be exported to ONNX")


def _add_branches(graph: _Graph, layer: Branches) -> None:
    """Append all branches, which start at the last output, and merge them."""
    start, had_images, ends = graph.last, graph.images, []
    for branch in layer.branches:
        graph.last, graph.images = start, had_images
        for inner in branch:
            _add(graph, inner)
        ends.append(graph.last)
    first, *others = ends
    graph.last = first
    if layer.merge == "concatenate":
        graph.add("Concat", *others, axis=1 if graph.images else -1)
    for other in others if layer.merge == "add" else ():
        graph.add("Add", other)
