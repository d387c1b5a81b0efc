"""Builders of digitpad's activations from those of Keras, which are names, objects or layers."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from digitpad.importers.keras.flow import Flow
from digitpad.importers.keras.graph import Node
from digitpad.nn.layers import ELU, GELU, Clip, Layer, LeakyReLU, ReLU, Rescale, Sigmoid, Softplus, Swish, Tanh

Builder = Callable[[Flow, Node, bool], Flow]
"""Function of the flow before a layer, the layer, and whether the file's kernels are those of Theano."""

_SELU = (1.6732632423543772, 1.0507009873554805)


class Softmax(Layer):
    """Marker of a softmax, which digitpad applies to the outputs itself; anywhere else it cannot be built."""

    def settings(self) -> dict[str, Any]:
        raise ValueError("uses a softmax before the last layer, which is not supported")


_ACTIVATIONS: dict[str, Callable[[], list[Layer]]] = {
    "linear": list,
    "relu": lambda: [ReLU()],
    "sigmoid": lambda: [Sigmoid()],
    "tanh": lambda: [Tanh()],
    "elu": lambda: [ELU()],
    "selu": lambda: [ELU(_SELU[0]), Rescale(_SELU[1])],
    "gelu": lambda: [GELU()],
    "swish": lambda: [Swish()],
    "silu": lambda: [Swish()],
    "leaky_relu": lambda: [LeakyReLU(0.2)],
    "relu6": lambda: [Clip(0.0, 6.0)],
    "softplus": lambda: [Softplus()],
    "hard_tanh": lambda: [Clip(-1.0, 1.0)],
    "softmax": lambda: [Softmax()],
    "log_softmax": lambda: [Softmax()],
}


def activated(flow: Flow, activation: Any, config: Mapping[str, Any]) -> Flow:
    """Return the flow after an activation: a name, or in Keras 3 also an object."""
    if isinstance(activation, Mapping):
        inner = activation.get("config")
        name = inner if isinstance(inner, str) else activation.get("class_name")
        if isinstance(inner, Mapping) and activation.get("class_name") in ("ReLU", "LeakyReLU", "ELU", "Softmax"):
            return ACTIVATION_BUILDERS[str(activation["class_name"])](flow, Node("activation", "", inner), False)
    else:
        name = activation
    if name is None:
        return flow
    name = str(name).rpartition(">")[2].lower()
    if name == "hard_sigmoid":
        slope = 1 / 6 if "module" in str(config.get("dtype")) else 0.2  # Keras 3 changed it
        return flow.add(Rescale(slope, 0.5)).add(Clip(0.0, 1.0))
    if name not in _ACTIVATIONS:
        raise ValueError(f"has the activation {name[:40]!r}, which is not supported")
    for layer in _ACTIVATIONS[name]():
        flow = flow.add(layer)
    return flow


def setting(node: Node, *names: str, default: Any = None) -> Any:
    """Return a setting by the first of its names that is there."""
    return next((node.config[name] for name in names if node.config.get(name) is not None), default)


def _relu(flow: Flow, node: Node, theano: bool) -> Flow:
    maximum, slope = node.config.get("max_value"), setting(node, "negative_slope", default=0)
    if setting(node, "threshold", default=0) != 0 or (slope and maximum is not None):
        raise ValueError("has a threshold, or both a slope and a maximum, which is not supported")
    if slope:
        return flow.add(LeakyReLU(float(slope)))
    return flow.add(ReLU() if maximum is None else Clip(0.0, float(maximum)))


def _leaky_relu(flow: Flow, node: Node, theano: bool) -> Flow:
    slope = setting(node, "negative_slope", "alpha", default=0.3)
    if isinstance(slope, Mapping):  # Keras 2 stores a NumPy number as an object
        slope = slope.get("value", 0.3)
    return flow.add(LeakyReLU(float(np.asarray(slope).ravel()[0])))


def _elu(flow: Flow, node: Node, theano: bool) -> Flow:
    return flow.add(ELU(float(setting(node, "alpha", default=1.0))))


def _softmax(flow: Flow, node: Node, theano: bool) -> Flow:
    return flow.add(Softmax())


def _activation(flow: Flow, node: Node, theano: bool) -> Flow:
    return activated(flow, node.config.get("activation"), node.config)


ACTIVATION_BUILDERS: dict[str, Builder] = {
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu,
    "Softmax": _softmax,
}
"""Builder of each class of layers that is an activation."""
