"""A network: layers in a row over one flat vector of parameters."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitpad.nn.arrays import Floats, Scratch, Shape
from digitpad.nn.layers import (
    LAYERS,
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Layer,
    Linear,
    MaxPool2d,
)
from digitpad.nn.losses import softmax

IMAGE_SHAPE = (28, 28)
N_CLASSES = 10
_CHUNK = 200
_CHUNK_NUMBERS = 20_000_000


class Plan:
    """What a row of layers comes to, found out before any memory is taken.

    Attributes
    ----------
    parameter_shapes : list of dict
        The shape of each parameter by name, for each layer.
    output_shape : tuple of int
        The shape of one sample's logits.
    n_parameters, n_activations, n_products : int
        Numbers that are learnt; that all layers together hold for one sample, which a batch's memory grows with; and
        multiplications for one sample in matrix products, which time grows with.

    Raises
    ------
    ValueError
        If a layer cannot take what the one before it gives.
    """

    def __init__(self, layers: Sequence[Layer], input_shape: Shape) -> None:
        self.parameter_shapes: list[dict[str, Shape]] = []
        self.n_activations = self.n_products = 0
        shape = input_shape
        for layer in layers:
            parameter_shapes = layer.parameter_shapes(shape)
            held = layer.n_held(shape)
            shape = layer.output_shape(shape)
            self.parameter_shapes.append(parameter_shapes)
            self.n_activations += held
            # A weight meets every place of the output once: one for a Linear layer, all of an image for a convolution.
            places = math.prod(shape[:-1])
            self.n_products += places * sum(math.prod(parameter_shapes[name]) for name in layer.weights)
        self.output_shape = shape
        self.n_parameters = sum(math.prod(shape) for shapes in self.parameter_shapes for shape in shapes.values())


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
    parameters : ndarray of shape (n_parameters,), optional
        A vector to work on instead of a new one; see `twin`.

    Attributes
    ----------
    parameters, gradients : ndarray of shape (n_parameters,)
    plan : Plan
        Shapes and sizes.

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
        parameters: Floats | None = None,
    ) -> None:
        self.layers = tuple(layers)
        self.input_shape = input_shape
        self.plan = Plan(self.layers, input_shape)
        n_parameters = self.plan.n_parameters
        if n_parameters > max_parameters:
            raise ValueError(f"{n_parameters:,} parameters; at most {max_parameters:,} are allowed")
        self.parameters: Floats = np.zeros(n_parameters, dtype) if parameters is None else parameters
        self.gradients: Floats = np.zeros_like(self.parameters)
        for layer, values, gradients in zip(
            self.layers, self._views(self.parameters), self._views(self.gradients), strict=True
        ):
            layer.bind(values, gradients, Scratch(dtype))
        self._first_learner = next(
            (layer for layer, shapes in zip(self.layers, self.plan.parameter_shapes, strict=True) if shapes), None
        )

    def _views(self, vector: Floats) -> Iterator[dict[str, Floats]]:
        """One dict of named views a layer, in order, that cover ``vector`` from end to end."""
        begin = 0
        for shapes in self.plan.parameter_shapes:
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

    def weights(self) -> list[slice]:
        """Where in the vectors the weights lie, as against biases and the like."""
        slices, begin = [], 0
        for layer, shapes in zip(self.layers, self.plan.parameter_shapes, strict=True):
            for name, shape in shapes.items():
                end = begin + math.prod(shape)
                if name in layer.weights:
                    slices.append(slice(begin, end))
                begin = end
        return slices

    def twin(self) -> "Network":
        """A network that shares these parameters, and has gradients and memory of its own: for another thread."""
        layers = [replace(layer) for layer in self.layers]  # type: ignore[type-var]
        for layer in layers:
            layer.observes = False
        return Network(layers, self.input_shape, self.parameters.dtype, parameters=self.parameters)

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
            Changed only where the first layer works in place; `Rescale`, which recipes begin with, does not.
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

    def input_gradient(self, dlogits: Floats) -> Floats:
        """The gradient with respect to the samples, of what has the given gradient with respect to the logits.

        It has the shape of the batch last seen by `forward`, which must have been outside training, and is good until
        the next call. ``gradients`` stay as they are: outside training, no layer needs them on the way down, and
        writing them would take a fifth of the time or more. ``dlogits`` is used up.
        """
        dy = dlogits
        for layer in reversed(self.layers):
            dy = layer.input_gradient(dy)
        return dy

    @property
    def is_normalized(self) -> bool:
        """Whether a layer keeps averages of what it has seen."""
        return any(isinstance(layer, BatchNorm) for layer in self.layers)

    def estimate_averages(self, batches: Iterable[NDArray[Any]]) -> Iterator[None]:
        """Take what every `BatchNorm` averages from these batches alone, each weighing the same; a pause after each.

        For averaged parameters this is due (Izmailov et al., 2018, Averaging weights leads to wider optima), as their
        activations are none that training saw. And where training saw augmented digits alone, which are blurred by
        being turned, it fits the averages to digits as they will be read.
        """
        norms = [layer for layer in self.layers if isinstance(layer, BatchNorm)]
        momenta = [norm.momentum for norm in norms]
        try:
            for n_seen, samples in enumerate(batches, start=1):
                x = samples
                with np.errstate(over="ignore", invalid="ignore"):  # a network that ran away says so by its loss
                    for layer in self.layers:
                        if isinstance(layer, BatchNorm):
                            layer.momentum = 1 / n_seen
                        x = layer.forward(x, isinstance(layer, BatchNorm))
                yield
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum

    @property
    def chunk(self) -> int:
        """How many samples to read at once: enough for BLAS, few enough for memory, and for a stop in between."""
        return max(1, min(_CHUNK, _CHUNK_NUMBERS // self.plan.n_activations))

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
        return summary(self.layers, self.input_shape)


def summary(layers: Sequence[Layer], input_shape: Shape = IMAGE_SHAPE) -> str:
    """The sizes from input to output: ``784-256-128-10``, or with images ``28×28-5×5×32-pool-128-10``."""
    sizes: list[str] = []
    for layer in layers:
        match layer:
            case Conv2d():
                sizes.append(f"{layer.kernel}×{layer.kernel}×{layer.channels}")
            case MaxPool2d() | AvgPool2d():
                sizes.append(
                    ("pool" if isinstance(layer, MaxPool2d) else "avgpool") + f"{layer.size}" * (layer.size != 2)
                )
            case Linear():
                sizes.append(str(layer.units))
    on_images = any(isinstance(layer, AddChannel) for layer in layers)
    first = "×".join(map(str, input_shape)) if on_images else str(math.prod(input_shape))
    return "-".join([first, *sizes])
