"""Builders of digitpad's layers from ONNX's operations.

Each builder takes the flow before a node, the node and its constant inputs, and returns the flow after it. It raises
ValueError, worded to follow the name of the node, if the node cannot be built.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.layout.stated_network import Step
from digitpad.importers.onnx.folding import axes_of
from digitpad.importers.onnx.model_file import OnnxNode
from digitpad.importers.onnx.tensor_flow import Flow
from digitpad.nn.layers import (
    ELU,
    GELU,
    AvgPool2d,
    BatchNorm,
    Clip,
    Conv2d,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Sigmoid,
    Softplus,
    Swish,
    Tanh,
    ZeroPad2d,
)

Array = NDArray[Any]
Builder = Callable[[Flow, OnnxNode, Sequence[Array | None]], Flow]
"""Function of the flow, the node, and its inputs: None for the one that is the flow, otherwise constants."""

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_MAX_DENSE_KERNEL = 4_000_000


def _others(constants: Sequence[Array | None]) -> list[Array]:
    return [array for array in constants if array is not None]


def _gemm(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    a = node.attributes
    if a.get("transA") or constants[0] is not None:
        raise ValueError("multiplies in an order that is not supported")
    weight, *bias = _others(constants)
    weight = weight.T if a.get("transB") else weight
    if (alpha := float(a.get("alpha", 1.0))) != 1:
        weight = alpha * weight
    offset = float(a.get("beta", 1.0)) * bias[0] if bias else None
    return flow.dense(weight, offset)


def _matmul(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    if constants[0] is None:
        return flow.dense(_others(constants)[0], None)
    raise ValueError("multiplies in an order that is not supported")


def _conv(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    kernel, *bias = _others(constants)
    if constants[0] is not None or kernel.ndim != 4:
        raise ValueError("is a convolution of other than images")
    kernel = _without_groups(kernel, int(node.attributes.get("group", 1)))
    dilations = node.attributes.get("dilations", [1, 1])
    if dilations != [1, 1]:
        raise ValueError(f"has the dilations {dilations}, which are not supported")
    n_out, _, height, width = kernel.shape
    if height != width:
        raise ValueError(f"has a kernel of {height} × {width}; only equal sides are supported")
    stride = _square(node.attributes.get("strides", [1, 1]), "strides")
    flow = flow.images()
    top, left, bottom, right = _pads(node, flow, height, stride)
    padding = top if top == left == bottom == right else 0
    if not padding and (top or left or bottom or right):
        flow = flow.after_images(ZeroPad2d(top, bottom, left, right))
    layer = Conv2d(n_out, height, padding, stride=stride)
    offset = np.ravel(bias[0]) if bias else np.zeros(n_out)
    weight = kernel.transpose(2, 3, 1, 0)
    if weight.shape[2] != flow.shape[2] or offset.shape != (n_out,):
        raise ValueError(f"takes {weight.shape[2]} channels, but its input has {flow.shape[2]}")
    return flow.after_images(layer, {"weight": weight, "bias": offset})


def _without_groups(kernel: Array, groups: int) -> Array:
    """Return the kernel of a grouped convolution as that of an ordinary one, which is 0 between groups."""
    if groups == 1:
        return kernel
    n_out, n_in, *window = kernel.shape
    if groups < 1 or n_out % groups or kernel.size * groups > _MAX_DENSE_KERNEL:
        raise ValueError(f"has {groups} groups, which are not supported")
    full = np.zeros((n_out, n_in * groups, *window), np.float32)
    rows = n_out // groups
    for i in range(groups):
        full[i * rows : (i + 1) * rows, i * n_in : (i + 1) * n_in] = kernel[i * rows : (i + 1) * rows]
    return full


def _square(sizes: Any, what: str) -> int:
    if not isinstance(sizes, list) or len(sizes) != 2 or sizes[0] != sizes[1] or sizes[0] < 1:
        raise ValueError(f"has the {what} {str(sizes)[:40]}, which are not supported")
    return int(sizes[0])


def _pads(node: OnnxNode, flow: Flow, kernel: int, stride: int) -> tuple[int, int, int, int]:
    """Return the padding at the top, left, bottom and right."""
    auto = node.attributes.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        totals = [max(0, (math.ceil(side / stride) - 1) * stride + kernel - side) for side in flow.shape[:2]]
        small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
        first, last = (small, large) if auto == "SAME_UPPER" else (large, small)
        return first[0], first[1], last[0], last[1]
    pads = [int(pad) for pad in node.attributes.get("pads") or [0, 0, 0, 0]]
    if len(pads) != 4 or min(pads) < 0 or max(pads) > 28:
        raise ValueError(f"has the padding {pads[:8]}, which is not supported")
    return pads[0], pads[1], pads[2], pads[3]


def _pool(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    flow = flow.images()
    size = _square(node.attributes.get("kernel_shape"), "window sizes")
    stride = _square(node.attributes.get("strides", [1, 1]), "strides")
    if node.attributes.get("dilations", [1, 1]) != [1, 1]:
        raise ValueError("has dilations, which are not supported")
    top, left, bottom, right = _pads(node, flow, size, stride)
    if (top, bottom) != (left, right):
        raise ValueError("pads rows and columns differently, which is not supported")
    is_average = node.kind == "AveragePool"
    if is_average and node.attributes.get("count_include_pad") and top + bottom:
        flow = flow.after_images(ZeroPad2d(top, bottom, left, right))
        top = bottom = 0
    if node.attributes.get("ceil_mode"):  # a last window that is not full
        rest = (flow.shape[0] + top + bottom - size) % stride
        if rest:
            bottom += stride - rest
    pool = AvgPool2d if is_average else MaxPool2d
    return flow.after_images(pool(size, 0 if stride == size else stride, top, bottom))


def _global_pool(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    is_average = node.kind in ("GlobalAveragePool", "ReduceMean")
    keeps = True
    if node.kind.startswith("Reduce"):
        axes = sorted(axis % 4 for axis in axes_of(node.attributes, _others(constants)))
        if axes != [2, 3] or flow.places.ndim != 3:
            raise ValueError(f"reduces the axes {axes[:8]}, which is not supported")
        keeps = bool(node.attributes.get("keepdims", 1))
    flow = flow.images().add(GlobalAvgPool2d() if is_average else GlobalMaxPool2d())
    n = flow.shape[0]
    return flow.moved(np.arange(n).reshape((n, 1, 1) if keeps else (n,)))


def _batch_norm(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    scale, shift, mean, variance = _others(constants)
    eps = float(node.attributes.get("epsilon", 1e-5))
    return flow.affine(scale, shift, mean, variance, eps)


def _reshape(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    """Return the flow in a new shape; the first size is that of the batch, which must stay."""
    places = flow.places
    if node.kind == "Flatten":
        axis = int(node.attributes.get("axis", 1))
        if axis not in (1, -places.ndim):
            raise ValueError(f"flattens from axis {axis}, which is not supported")
        return flow.moved(places.ravel())
    whole = (1, *places.shape)
    if node.kind == "Reshape":
        target = [int(size) for size in np.ravel(_others(constants)[0])]
        sizes = [whole[i] if size == 0 and i < len(whole) else size for i, size in enumerate(target)]
        if sizes and sizes[0] == -1 and -1 not in sizes[1:]:
            sizes[0] = 1
        batched = places[None].reshape(sizes)
    else:
        axes = tuple(axes_of(node.attributes, _others(constants)))
        batched = np.expand_dims(places[None], axes) if node.kind == "Unsqueeze" else np.squeeze(places[None], axes)
    if batched.ndim < 2 or len(batched) != 1 or batched.ndim > 5:
        raise ValueError(f"reshapes a sample to {batched.shape[:5]}, which is not supported")
    return flow.moved(batched[0])


def _transpose(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    whole = flow.places[None]
    moved = whole.transpose(node.attributes.get("perm") or None)
    if len(moved) != 1:
        raise ValueError("exchanges the samples with another axis, which is not supported")
    return flow.moved(moved[0])


def _arithmetic(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    """Return the flow after an addition to, or a multiplication with, a constant."""
    (value,) = _others(constants)
    is_first = constants[0] is None
    number = np.asarray(value, np.float64)
    if node.kind == "Div" and not is_first:
        raise ValueError("divides a constant by its input, which is not supported")
    if number.size > 1 and flow.places.ndim > 1:
        number = flow.per_channel(number)
    scale, shift = np.ones(1), np.zeros(1)
    if node.kind == "Mul":
        scale = number
    elif node.kind == "Div":
        scale = 1 / number
    elif node.kind == "Add":
        shift = number
    else:  # Sub
        scale, shift = (scale, -number) if is_first else (-scale, number)
    if scale.size == shift.size == 1:
        return flow.add(Rescale(float(scale.ravel()[0]), float(shift.ravel()[0])))
    n = number.size
    last = flow.steps[-1] if flow.steps else None
    if flow.places.ndim == 1 and n != flow.places.size:
        raise ValueError("takes a constant of another size than its input")
    has_bias = (
        isinstance(last.layer, Linear) and np.array_equal(flow.places, np.arange(n))
        if last is not None and flow.places.ndim == 1
        else last is not None and isinstance(last.layer, Conv2d)
    )
    if node.kind == "Add" and last is not None and has_bias:
        bias = last.parameters["bias"] + number.ravel().astype(np.float32)
        return replace(flow, steps=(*flow.steps[:-1], Step(last.layer, {**last.parameters, "bias": bias})))
    if flow.places.ndim == 1:
        return flow.affine(scale, shift)
    # With a variance of 1 and an eps of nearly 0, this only scales and shifts, in whatever order ONNX has the channels.
    ones, zeros = np.ones(n), np.zeros(n)
    parameters = {"scale": scale + zeros, "shift": shift + zeros, "mean": zeros, "variance": ones}
    return flow.add(BatchNorm(eps=1e-12), parameters)


def _clip(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    bounds = [*constants[1:], None, None][:2]
    low, high = (
        float(bound.ravel()[0]) if bound is not None and bound.size else float(node.attributes.get(key, default))
        for bound, key, default in zip(bounds, ("min", "max"), (-math.inf, math.inf), strict=True)
    )
    if low == 0 and high >= 1e30:
        return flow.add(ReLU())
    return flow.add(Clip(max(low, -1e6), min(high, 1e6)))


def _hard_sigmoid(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    slope, offset = float(node.attributes.get("alpha", 0.2)), float(node.attributes.get("beta", 0.5))
    return flow.add(Rescale(slope, offset)).add(Clip(0.0, 1.0))


def _selu(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    alpha = float(node.attributes.get("alpha", _SELU_ALPHA))
    return flow.add(ELU(alpha)).add(Rescale(float(node.attributes.get("gamma", _SELU_SCALE))))


def _prelu(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    slopes = np.ravel(_others(constants)[0])
    if not np.allclose(slopes, slopes[0]):
        raise ValueError("has a slope for each channel, which is not supported")
    return flow.add(LeakyReLU(float(slopes[0])))


def _pad(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    pads = np.ravel(constants[1] if len(constants) > 1 and constants[1] is not None else node.attributes["pads"])
    value = float(np.ravel(constants[2])[0]) if len(constants) > 2 and constants[2] is not None else 0.0
    if node.attributes.get("mode", "constant") != "constant" or value or len(pads) != 8:
        raise ValueError("pads with other than zeros, which is not supported")
    sizes = [int(size) for size in pads]
    if any(sizes[i] for i in (0, 1, 4, 5)):
        raise ValueError("pads channels, which is not supported")
    return flow.after_images(ZeroPad2d(sizes[2], sizes[6], sizes[3], sizes[7])) if any(sizes) else flow


def _same(flow: Flow, node: OnnxNode, constants: Sequence[Array | None]) -> Flow:
    return flow


def _activation(make: Callable[[OnnxNode], Layer]) -> Builder:
    return lambda flow, node, constants: flow.add(make(node))


BUILDERS: dict[str, Builder] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Conv": _conv,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _global_pool,
    "GlobalMaxPool": _global_pool,
    "ReduceMean": _global_pool,
    "ReduceMax": _global_pool,
    "BatchNormalization": _batch_norm,
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Squeeze": _reshape,
    "Unsqueeze": _reshape,
    "Transpose": _transpose,
    "Add": _arithmetic,
    "Sub": _arithmetic,
    "Mul": _arithmetic,
    "Div": _arithmetic,
    "Clip": _clip,
    "Pad": _pad,
    "Relu": _activation(lambda node: ReLU()),
    "Sigmoid": _activation(lambda node: Sigmoid()),
    "Tanh": _activation(lambda node: Tanh()),
    "Softplus": _activation(lambda node: Softplus()),
    "LeakyRelu": _activation(lambda node: LeakyReLU(float(node.attributes.get("alpha", 0.01)))),
    "Elu": _activation(lambda node: ELU(float(node.attributes.get("alpha", 1.0)))),
    "Gelu": _activation(lambda node: GELU()),
    "Swish": _activation(lambda node: Swish()),
    "HardSigmoid": _hard_sigmoid,
    "Selu": _selu,
    "PRelu": _prelu,
    "Dropout": _same,
    "Identity": _same,
    "Cast": _same,
}
