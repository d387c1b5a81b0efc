"""A network: layers in a row over one flat vector of parameters."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitpad.nn.arrays import Floats, Scratch, Shape
from digitpad.nn.layers import (
    GELU,
    LAYERS,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    ReLU,
    Rescale,
    Sigmoid,
    Tanh,
)
from digitpad.nn.losses import softmax

IMAGE_SHAPE = (28, 28)
N_CLASSES = 10


class Network:
    """Layers in a row, whose parameters all lie in one flat vector.

    Because of that one vector, a step of an optimizer, keeping the best weights, saving them and checking gradients
    are a line each. Every layer holds views of it.

    Parameters
    ----------
    layers : sequence of Layer
    input_shape : tuple of int
        The shape of one sample.
    dtype : dtype
        Of parameters and of all arithmetic: float32, or float64 to check gradients.
    max_parameters : float
        More are refused before memory is asked for.

    Attributes
    ----------
    parameters, gradients : ndarray of shape (n_parameters,)
    output_shape : tuple of int
        The shape of one sample's logits.
    n_activations : int
        Numbers that all layers together put out for one sample; what a batch takes in memory grows with it.

    Raises
    ------
    ValueError
        If a layer cannot take what the one before it gives, or there are too many parameters.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: Shape = IMAGE_SHAPE,
        dtype: DTypeLike = np.float32,
        max_parameters: float = math.inf,
    ) -> None:
        self.layers = tuple(layers)
        self.input_shape = input_shape
        self._shapes: list[dict[str, Shape]] = []
        shape = input_shape
        self.n_activations = 0
        for layer in self.layers:
            self._shapes.append(layer.parameter_shapes(shape))
            shape = layer.output_shape(shape)
            self.n_activations += math.prod(shape)
        self.output_shape = shape

        n_parameters = sum(math.prod(shape) for shapes in self._shapes for shape in shapes.values())
        if n_parameters > max_parameters:
            raise ValueError(f"{n_parameters:,} parameters; at most {max_parameters:,} are allowed")
        self.parameters: Floats = np.zeros(n_parameters, dtype)
        self.gradients: Floats = np.zeros_like(self.parameters)
        for layer, parameters, gradients in zip(
            self.layers, self._views(self.parameters), self._views(self.gradients), strict=True
        ):
            layer.bind(parameters, gradients, Scratch(dtype))
        self._first_learner = next(
            (layer for layer, shapes in zip(self.layers, self._shapes, strict=True) if shapes), None
        )

    def _views(self, vector: Floats) -> Iterator[dict[str, Floats]]:
        """One dict of named views a layer, in order, that cover ``vector`` from end to end."""
        begin = 0
        for shapes in self._shapes:
            views = {}
            for name, shape in shapes.items():
                end = begin + math.prod(shape)
                views[name] = vector[begin:end].reshape(shape)
                begin = end
            yield views

    def named_parameters(self) -> dict[str, Floats]:
        """Views of the parameters, named as in ``2.weight``: the layer's place and the parameter's name."""
        return {
            f"{place}.{name}": view
            for place, views in enumerate(self._views(self.parameters))
            for name, view in views.items()
        }

    def initialize(self, rng: np.random.Generator) -> None:
        """Give every parameter its first value; the same generator state gives the same values."""
        for layer in self.layers:
            layer.initialize(rng)

    def forward(self, samples: NDArray[Any], *, training: bool = False) -> Floats:
        """Logits of shape (n_samples, *output_shape), good until the next call.

        Parameters
        ----------
        samples : ndarray of shape (n_samples, *input_shape)
            Of any real dtype; images are uint8 pixels of 0..255, which a `Rescale` turns into numbers.
            Changed only where the first layer works in place; none of those that `dense` begins with does.
        training : bool
            Whether layers behave as they do in training; `backward` may follow in either case.
        """
        x = samples
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dlogits: Floats) -> None:
        """Write into ``gradients`` the gradient of a loss whose gradient with respect to the logits is given.

        It belongs to the batch last seen by `forward`. What lies below the lowest layer that learns is not computed.
        ``dlogits`` is used up.
        """
        dy = dlogits
        for layer in reversed(self.layers):
            layer.write_gradients(dy)
            if layer is self._first_learner:
                break
            dy = layer.input_gradient(dy)

    def predict(self, samples: NDArray[Any]) -> Floats:
        """Probabilities of shape (n_samples, n_classes), in an array of the caller's own."""
        return softmax(self.forward(samples))

    def architecture(self) -> list[dict[str, Any]]:
        """Settings of every layer in order, fit for JSON; `from_architecture` builds the same network from them."""
        return [layer.settings() for layer in self.layers]

    @classmethod
    def from_architecture(
        cls, architecture: Sequence[Mapping[str, Any]], max_parameters: float = math.inf
    ) -> "Network":
        """A network of these layers, with parameters of zero.

        Raises
        ------
        ValueError
            If a layer's type or settings are unknown, it cannot take what the one before it gives, or there would be
            more than ``max_parameters``.
        """
        layers = []
        for place, settings in enumerate(architecture):
            options = dict(settings)
            kind = options.pop("type", None)
            if kind not in LAYERS:
                raise ValueError(f"layer {place} is of an unknown type, {kind!r}; known are {', '.join(LAYERS)}")
            try:
                layers.append(LAYERS[kind](**options))
            except TypeError as error:
                raise ValueError(f"layer {place}, {kind}, has settings that do not fit: {error}") from error
        return cls(layers, max_parameters=max_parameters)

    def summary(self) -> str:
        """The sizes from input to output, as in ``784-256-128-10``."""
        units = [layer.units for layer in self.layers if isinstance(layer, Linear)]
        return "-".join(map(str, [math.prod(self.input_shape), *units]))


ACTIVATIONS: dict[str, type[Layer]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "gelu": GELU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
"""The layer behind each activation's name, as recipes write it."""

_WANTED_INITIALIZER = {
    "relu": "he_normal",
    "leaky_relu": "he_normal",
    "gelu": "he_normal",
    "tanh": "glorot_normal",
    "sigmoid": "glorot_normal",
}


def dense(
    hidden: Sequence[int], activation: str = "relu", initializer: str = "auto", dropout: float = 0.0
) -> list[Layer]:
    """Layers that read 28 × 28 uint8 pixels and give 10 logits: ``hidden`` layers, each with its activation.

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer; none at all is softmax regression.
    activation : str
        A key of `ACTIVATIONS`.
    initializer : str
        A key of `INITIALIZERS`, or ``auto`` for what the activation wants; the last layer, which no activation
        follows, then gets Glorot's.
    dropout : float
        The share of each hidden layer's outputs that is dropped in training.
    """
    wanted = _WANTED_INITIALIZER[activation] if initializer == "auto" else initializer
    last = "glorot_normal" if initializer == "auto" else initializer
    layers: list[Layer] = [Rescale(), Flatten()]
    for units in hidden:
        layers += [Linear(units, wanted), ACTIVATIONS[activation]()]
        if dropout:
            layers.append(Dropout(dropout))
    return [*layers, Linear(N_CLASSES, last)]
