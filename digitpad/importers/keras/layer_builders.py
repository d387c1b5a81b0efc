"""Builders of digitpad's layers from the settings and weights of Keras' layers, of all versions of Keras.

Each builder takes the flow before a layer and returns the flow after it; it raises ValueError, worded to follow the
name of the layer, if the layer cannot be built. Keras 1 called some layers and settings by other names.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.keras.activation_builders import ACTIVATION_BUILDERS, Builder, activated, setting
from digitpad.importers.keras.flow import SIDE, Flow, padding_for
from digitpad.importers.keras.graph import Node
from digitpad.importers.layout.enlargement import MAX_SIDE, MIN_SIDE, resizing
from digitpad.nn.layers import (
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Branches,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    MaxPool2d,
    Rescale,
    Reshape,
    ZeroPad2d,
)

_MAX_KERNEL = 28


def _parameters(node: Node, *names: str) -> dict[str, NDArray[Any]]:
    """Return a layer's arrays by name; arrays whose names do not tell are taken in order."""
    weights = node.weights
    if weights is None or not weights.arrays:
        raise ValueError("has no weights in the file")
    aliases = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}
    found = [(aliases.get(name, name), np.asarray(array)) for name, array in weights.arrays]
    if all(name in names for name, _ in found) and len({name for name, _ in found}) == len(found):
        return dict(found)
    if len(found) > len(names):
        raise ValueError(f"has {len(found)} arrays of weights; expected {len(names)}")
    return {name: array for name, (_, array) in zip(names, found, strict=False)}


def _pair(value: Any, what: str) -> tuple[int, int]:
    """Return a setting for both axes."""
    pair = (value, value) if type(value) is int else tuple(value) if isinstance(value, list | tuple) else ()
    if len(pair) != 2 or not all(type(size) is int and 1 <= size <= 1000 for size in pair):
        raise ValueError(f"has the {what} {str(value)[:40]}, which is not supported")
    return pair


def _square(value: Any, what: str) -> int:
    first, second = _pair(value, what)
    if first != second:
        raise ValueError(f"has the {what} {first} × {second}; only equal sides are supported")
    return first


def _channels_first(flow: Flow, node: Node) -> bool:
    stated = setting(node, "data_format", "dim_ordering")
    if stated in ("channels_first", "th"):
        return True
    return False if stated in ("channels_last", "tf") else flow.channels_first


def _padding(node: Node) -> str:
    return str(setting(node, "padding", "border_mode", default="valid"))


def _has_bias(node: Node) -> bool:
    return bool(setting(node, "use_bias", "bias", default=True))


def _dense(flow: Flow, node: Node, theano: bool) -> Flow:
    names = ("kernel", "bias") if _has_bias(node) else ("kernel",)
    arrays = _parameters(node, *names)
    weight = arrays["kernel"]
    if weight.ndim != 2:
        raise ValueError("has weights that are not a matrix")
    units = weight.shape[1]
    if len(flow.shape) == 2 and flow.shape == (SIDE, SIDE) and len(weight) == SIDE * SIDE:
        flow = flow.flat()
    flow = flow.dense(weight, arrays.get("bias", np.zeros(units)))
    return activated(flow, node.config.get("activation"), node.config)


def _conv(flow: Flow, node: Node, theano: bool) -> Flow:
    flow = flow.image(_channels_first(flow, node))
    names = ("kernel", "bias") if _has_bias(node) else ("kernel",)
    arrays = _parameters(node, *names)
    groups = setting(node, "groups", default=1)
    kernel = _oriented(arrays["kernel"], flow, node, theano)
    if type(groups) is not int or groups < 1 or kernel.shape[3] % groups or flow.shape[2] % groups:
        raise ValueError(f"has {str(groups)[:20]} groups, which do not fit its channels")
    if groups > 1:
        kernel = _ungrouped(kernel, groups)
    return _convolved(flow, node, kernel, arrays.get("bias"))


def _depthwise(flow: Flow, node: Node, theano: bool) -> Flow:
    flow = flow.image(_channels_first(flow, node))
    names = ("depthwise_kernel", "bias") if _has_bias(node) else ("depthwise_kernel",)
    arrays = _parameters(node, *names)
    kernel = arrays["depthwise_kernel"]
    if kernel.ndim != 4:
        raise ValueError("has a kernel that does not have four dimensions")
    return _convolved(flow, node, _spread(kernel), arrays.get("bias"))


def _separable(flow: Flow, node: Node, theano: bool) -> Flow:
    flow = flow.image(_channels_first(flow, node))
    names = ("depthwise_kernel", "pointwise_kernel", "bias")
    arrays = _parameters(node, *names[: 2 + _has_bias(node)])
    depthwise, pointwise = arrays["depthwise_kernel"], arrays.get("pointwise_kernel")
    if depthwise.ndim != 4 or pointwise is None or pointwise.ndim != 4:
        raise ValueError("has kernels that do not have four dimensions")
    flow = _convolved(flow, Node(node.name, node.kind, {**node.config, "activation": None}), _spread(depthwise), None)
    bias = arrays.get("bias", np.zeros(pointwise.shape[3]))
    flow = flow.add(Conv2d(int(pointwise.shape[3]), 1), {"weight": pointwise, "bias": bias})
    return activated(flow, node.config.get("activation"), node.config)


def _oriented(kernel: NDArray[Any], flow: Flow, node: Node, theano: bool) -> NDArray[Any]:
    """Return a kernel of shape (rows, columns, inputs, outputs), from Theano's axes and rotation if it has those."""
    if kernel.ndim != 4:
        raise ValueError("has a kernel that does not have four dimensions")
    filters = setting(node, "filters", "nb_filter", default=kernel.shape[3])
    old = node.config.get("dim_ordering") == "th"
    if old and kernel.shape[0] == filters and (kernel.shape[3] != filters or kernel.shape[2] == kernel.shape[3]):
        kernel = kernel.transpose(2, 3, 1, 0)
    return kernel[::-1, ::-1] if theano else kernel


def _ungrouped(kernel: NDArray[Any], groups: int) -> NDArray[Any]:
    """Return the kernel of an ordinary convolution that is zero between groups."""
    rows, columns, n_in, n_out = kernel.shape
    whole = np.zeros((rows, columns, n_in * groups, n_out), np.float32)
    step = n_out // groups
    for i in range(groups):
        outputs = slice(i * step, (i + 1) * step)
        whole[:, :, i * n_in : (i + 1) * n_in, outputs] = kernel[..., outputs]
    return whole


def _spread(kernel: NDArray[Any]) -> NDArray[Any]:
    """Return an ordinary kernel for a depthwise one, which has the shape (rows, columns, inputs, multiplier)."""
    rows, columns, n_in, multiplier = kernel.shape
    if n_in * multiplier > 1024:
        raise ValueError("has too many channels for a depthwise convolution")
    whole = np.zeros((rows, columns, n_in, n_in, multiplier), np.float32)
    channels = np.arange(n_in)
    whole[:, :, channels, channels] = kernel
    return whole.reshape(rows, columns, n_in, n_in * multiplier)


def _convolved(flow: Flow, node: Node, kernel: NDArray[Any], bias: NDArray[Any] | None) -> Flow:
    """Return the flow after padding, convolution and activation.

    A kernel that is dilated or not square becomes a square one with zeros.
    """
    stride = _square(setting(node, "strides", "subsample", default=1), "strides")
    dilation = _pair(setting(node, "dilation_rate", "atrous_rate", default=1), "dilation")
    sizes = tuple((size - 1) * rate + 1 for size, rate in zip(kernel.shape[:2], dilation, strict=True))
    if max(sizes) > _MAX_KERNEL:
        raise ValueError(f"has a kernel of {sizes[0]} × {sizes[1]}; the limit is {_MAX_KERNEL}")
    pads = [padding_for(side, size, stride, _padding(node)) for side, size in zip(flow.shape, sizes, strict=False)]
    side = max(sizes)
    extra = [side - size for size in sizes]  # zeros at the end of the kernel, which need zeros at the end of the image
    square = np.zeros((side, side, *kernel.shape[2:]), np.float32)
    square[: sizes[0] : dilation[0], : sizes[1] : dilation[1]] = kernel
    (top, bottom), (left, right) = ((before, after + more) for (before, after), more in zip(pads, extra, strict=True))
    padding = top if top == bottom == left == right else 0
    if not padding and (top or bottom or left or right):
        flow = flow.add(ZeroPad2d(top, bottom, left, right))
    n_out = int(kernel.shape[3])
    layer = Conv2d(n_out, side, padding, stride=stride)
    flow = flow.add(layer, {"weight": square, "bias": np.zeros(n_out) if bias is None else bias})
    return activated(flow, node.config.get("activation"), node.config)


def _pool(cls: type[MaxPool2d] | type[AvgPool2d]) -> Builder:
    def build(flow: Flow, node: Node, theano: bool) -> Flow:
        flow = flow.image(_channels_first(flow, node))
        size = _square(setting(node, "pool_size", default=2), "pool size")
        stride = _square(setting(node, "strides", "stride", default=size), "strides")
        pads = [padding_for(side, size, stride, _padding(node)) for side in flow.shape[:2]]
        if pads[0] != pads[1]:
            raise ValueError("pads rows and columns differently, which is not supported")
        before, after = pads[0]
        return flow.add(cls(size, 0 if stride == size else stride, before, after))

    return build


def _global_pool(cls: type[GlobalAvgPool2d] | type[GlobalMaxPool2d]) -> Builder:
    def build(flow: Flow, node: Node, theano: bool) -> Flow:
        flow = flow.image(_channels_first(flow, node)).add(cls())
        if node.config.get("keepdims"):
            return flow.add(Reshape([1, 1, flow.shape[0]]))
        return Flow(flow.steps, flow.shape)

    return build


def _batch_norm(flow: Flow, node: Node, theano: bool) -> Flow:
    names = [
        *(["gamma"] if setting(node, "scale", default=True) else []),
        *(["beta"] if setting(node, "center", default=True) else []),
        "moving_mean",
        "moving_variance",
    ]
    arrays = _parameters(node, *names)
    n = len(next(iter(arrays.values())))
    axis = setting(node, "axis", default=-1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    n_axes = len(flow.shape)
    channel_axis = 1 if flow.channels_first else n_axes
    if node.config.get("mode") in (1, 2):
        raise ValueError("normalises each sample by itself (mode 1 or 2), which is not supported")
    if axis not in (-1, n_axes, channel_axis) or (axis == -1 and flow.channels_first and n_axes == 3):
        raise ValueError(f"normalises axis {str(axis)[:20]} instead of the channels, which is not supported")
    if flow.undecided:
        raise ValueError("normalises images of shape (1, 28, 28), which is not supported")
    parameters = {
        "scale": arrays.get("gamma", np.ones(n)),
        "shift": arrays.get("beta", np.zeros(n)),
        "mean": arrays.get("moving_mean"),
        "variance": arrays.get("moving_variance"),
    }
    if parameters["mean"] is None or parameters["variance"] is None:
        raise ValueError("has no moving averages in the file")
    return flow.norm(BatchNorm(eps=_epsilon(node)), {name: np.asarray(value) for name, value in parameters.items()})


def _epsilon(node: Node) -> float:
    epsilon = node.config.get("epsilon", 1e-3)
    if type(epsilon) not in (int, float) or not 0 <= epsilon < 1:
        raise ValueError(f"has the epsilon {str(epsilon)[:40]}")
    return max(float(epsilon), 1e-12)


def _normalization(flow: Flow, node: Node, theano: bool) -> Flow:
    """Return the flow after keras.layers.Normalization: (x - mean) / standard deviation, of all values or channels."""
    mean, variance = node.config.get("mean"), node.config.get("variance")
    if mean is None:
        weights = node.weights.arrays if node.weights is not None else []
        arrays = [array for _, array in weights if np.issubdtype(array.dtype, np.floating)]
        if len(arrays) < 2:
            raise ValueError("has no mean and variance in the file")
        mean, variance = arrays[0], arrays[1]
    means, variances = (np.asarray(value, np.float64).ravel() for value in (mean, variance))
    stds = np.maximum(np.sqrt(np.maximum(variances, 0)), 1e-7)
    if means.size == stds.size == 1:
        return flow.add(Rescale(float(1 / stds[0]), float(-means[0] / stds[0])))
    if means.size != flow.shape[-1] or flow.channels_first:
        raise ValueError("normalises another axis than the last, which is not supported")
    ones = np.ones(means.size)
    parameters = {"scale": ones, "shift": 0 * ones, "mean": means, "variance": stds**2}
    return flow.norm(BatchNorm(eps=1e-12), parameters)


def _rescaling(flow: Flow, node: Node, theano: bool) -> Flow:
    scale, offset = (setting(node, name, default=default) for name, default in (("scale", 1.0), ("offset", 0.0)))
    if type(scale) not in (int, float) or type(offset) not in (int, float):
        raise ValueError("scales each channel differently, which is not supported")
    return flow.add(Rescale(float(scale), float(offset)))


def _flatten(flow: Flow, node: Node, theano: bool) -> Flow:
    return flow.flat(transposes=node.config.get("data_format") == "channels_first")


def _reshape(flow: Flow, node: Node, theano: bool) -> Flow:
    target = setting(node, "target_shape", "dims", default=[])
    if not isinstance(target, list | tuple) or not all(type(size) is int for size in target):
        raise ValueError(f"has the target shape {str(target)[:40]}")
    shape = list(target)
    n = int(np.prod(flow.shape))
    if shape.count(-1) == 1:
        known = -int(np.prod(shape))
        shape[shape.index(-1)] = n // known if known > 0 else 0
    if min(shape, default=0) < 1 or int(np.prod(shape)) != n or len(shape) > 4:
        raise ValueError(f"reshapes {' × '.join(map(str, flow.shape))} to {str(target)[:40]}")
    if len(shape) == 1:
        return flow.flat()
    if shape[:2] == [SIDE, SIDE] and shape[2:] in ([], [1]) and not flow.channels_first and _is_pixels(flow):
        flow = Flow(tuple(step for step in flow.steps if isinstance(step.layer, Rescale)))
        return as_input(flow, tuple(shape))
    if shape == [1, SIDE, SIDE] and _is_pixels(flow):
        return as_input(Flow(tuple(step for step in flow.steps if isinstance(step.layer, Rescale))), tuple(shape))
    if flow.channels_first and flow.shape[2] != 1:
        raise ValueError("reshapes images with the channels first, which is not supported")
    flow = flow.in_order()
    return Flow(flow.add(Reshape(shape)).steps, tuple(shape))


def _is_pixels(flow: Flow) -> bool:
    """Return whether the flow is still the input image, scaled or flattened."""
    return all(type(step.layer).__name__ in ("Rescale", "Flatten", "AddChannel", "Reshape") for step in flow.steps)


def as_input(flow: Flow, shape: tuple[int, ...]) -> Flow:
    """Return the flow with grey images in the shape that Keras has for them."""
    side = flow.shape[0]
    if shape == (side * side,):
        return flow.add(Flatten())
    if shape == (side, side):
        return flow
    if shape == (side, side, 1):
        return flow.add(AddChannel())
    if shape == (side, side, 3):  # the grey image as red, green and blue
        return flow.add(AddChannel()).add(Branches([[], [], []], "concatenate"))
    if shape == (1, side, side):
        return Flow(flow.steps, flow.shape, undecided=True)
    if int(np.prod(shape)) == side * side and len(shape) <= 3:
        return flow.add(Reshape(list(shape)))
    raise ValueError(f"takes images of {' × '.join(map(str, shape))}; digitpad has {SIDE} × {SIDE} pixels")


def _zero_padding(flow: Flow, node: Node, theano: bool) -> Flow:
    flow = flow.image(_channels_first(flow, node))
    padding = setting(node, "padding", default=1)
    if type(padding) is int:
        padding = [padding, padding]
    sides = [[side, side] if type(side) is int else side for side in padding] if isinstance(padding, list) else []
    flat = [size for side in sides if isinstance(side, list) for size in side]
    if len(flat) != 4 or not all(type(size) is int for size in flat):
        raise ValueError(f"has the padding {str(padding)[:40]}")
    return flow.add(ZeroPad2d(*flat))


def _resized(flow: Flow, node: Node, theano: bool) -> Flow:
    size = node.config.get("height"), node.config.get("width")
    if size == flow.shape[:2]:
        return flow
    side, channels = flow.shape[0], math.prod(flow.shape[2:])
    is_square = size[0] == size[1] and flow.shape[1:2] == (side,) and channels == 1
    plain = node.config.get("interpolation", "bilinear") == "bilinear" and not node.config.get("antialias")
    new_side = size[0] if type(size[0]) is int else 0
    is_small = MIN_SIDE <= new_side <= MAX_SIDE and side <= MAX_SIDE // 2
    if node.kind.endswith("Resizing") and is_square and plain and is_small and not flow.undecided:
        for layer, parameters in resizing(side, new_side):
            flow = flow.add(layer, parameters)
        return flow
    raise ValueError(f"resizes images to {size[0]} × {size[1]}; digitpad has {SIDE} × {SIDE} pixels")


def _same(flow: Flow, node: Node, theano: bool) -> Flow:
    return flow


_PASS = (
    *("InputLayer", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"),
    *("AlphaDropout", "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom"),
    *("RandomTranslation", "RandomContrast", "RandomBrightness", "RandomCrop", "RandomHeight", "RandomWidth"),
    *("RandomShear", "RandomErasing", "RandomInvert", "RandomSharpness", "RandomGaussianBlur", "RandomColorJitter"),
)
"""Layers that change nothing outside of training."""

BUILDERS: dict[str, Builder] = {
    "Dense": _dense,
    "Conv2D": _conv,
    "Convolution2D": _conv,
    "AtrousConvolution2D": _conv,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "SeparableConvolution2D": _separable,
    "MaxPooling2D": _pool(MaxPool2d),
    "MaxPool2D": _pool(MaxPool2d),
    "AveragePooling2D": _pool(AvgPool2d),
    "AvgPool2D": _pool(AvgPool2d),
    "GlobalAveragePooling2D": _global_pool(GlobalAvgPool2d),
    "GlobalMaxPooling2D": _global_pool(GlobalMaxPool2d),
    "BatchNormalization": _batch_norm,
    "BatchNormalizationV1": _batch_norm,
    "BatchNormalizationV2": _batch_norm,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "ZeroPadding2D": _zero_padding,
    "Resizing": _resized,
    "CenterCrop": _resized,
    **ACTIVATION_BUILDERS,
    **dict.fromkeys(_PASS, _same),
}
"""Builder of each class of layers."""
