"""Neural network: a sequence of layers over one flat vector of parameters."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitpad.nn.arrays import Floats, Scratch, Shape
from digitpad.nn.layers import (
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Branches,
    Conv2d,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    Layer,
    Linear,
    MaxPool2d,
    layer_from_settings,
)
from digitpad.nn.losses import softmax

IMAGE_SHAPE = (28, 28)
N_CLASSES = 10
_CHUNK = 200
_CHUNK_NUMBERS = 20_000_000


class Plan:
    """Shapes and sizes of a sequence of layers, computed before any memory is allocated.

    Attributes
    ----------
    parameter_shapes : list of dict
        The shape of each parameter by name, for each layer.
    output_shape : tuple of int
        The shape of one sample's logits.
    n_parameters, n_activations, n_products : int
        The number of parameters; the numbers that all layers keep for one sample, which determine the memory of a
        batch; and the multiplications in matrix products for one sample, which determine the time.

    Raises
    ------
    ValueError
        If a layer does not accept the output of the previous layer.
    """

    def __init__(self, layers: Sequence[Layer], input_shape: Shape) -> None:
        self.parameter_shapes: list[dict[str, Shape]] = []
        self.n_activations = self.n_products = 0
        shape = input_shape
        for layer in layers:
            parameter_shapes = layer.parameter_shapes(shape)
            self.n_activations += layer.n_held(shape)
            self.n_products += layer.n_products(shape)
            self.parameter_shapes.append(parameter_shapes)
            shape = layer.output_shape(shape)
        self.output_shape = shape
        self.n_parameters = sum(math.prod(shape) for shapes in self.parameter_shapes for shape in shapes.values())


class Network:
    """Sequence of layers whose parameters are all stored in one flat vector.

    Because of this single vector, an optimizer step, keeping the best weights, saving them and checking gradients each
    take one line. Every layer holds views of the vector.

    Parameters
    ----------
    layers : sequence of Layer
    input_shape : tuple of int
        Shape of one sample.
    dtype : dtype
        Type of the parameters and of all arithmetic: float32, or float64 to check gradients.
    max_parameters : float
        Limit of the number of parameters, checked before memory is allocated.
    parameters : ndarray of shape (n_parameters,), optional
        An existing vector to use instead of a new one; see `twin`.

    Attributes
    ----------
    parameters, gradients : ndarray of shape (n_parameters,)
    plan : Plan
        Shapes and sizes.

    Raises
    ------
    ValueError
        If a layer does not accept the output of the previous layer, or there are too many parameters.
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
            raise ValueError(f"{n_parameters:,} parameters are too many; the limit is {max_parameters:,}")
        self.parameters: Floats = np.zeros(n_parameters, dtype) if parameters is None else parameters
        self.gradients: Floats = np.zeros_like(self.parameters)
        for layer, values, gradients in zip(
            self.layers, self._views(self.parameters), self._views(self.gradients), strict=True
        ):
            layer.bind(values, gradients, Scratch(dtype))
        self._first_with_parameters = next(
            (layer for layer, shapes in zip(self.layers, self.plan.parameter_shapes, strict=True) if shapes), None
        )

    def _views(self, vector: Floats) -> Iterator[dict[str, Floats]]:
        """Yield one dict of named views per layer, in order; together they cover the whole ``vector``."""
        begin = 0
        for shapes in self.plan.parameter_shapes:
            views = {}
            for name, shape in shapes.items():
                end = begin + math.prod(shape)
                views[name] = vector[begin:end].reshape(shape)
                begin = end
            yield views

    def named_parameters(self) -> dict[str, Floats]:
        """Return views of the parameters, named by layer index and parameter name, for example ``2.weight``."""
        return {
            f"{i}.{name}": view for i, views in enumerate(self._views(self.parameters)) for name, view in views.items()
        }

    def weights(self) -> list[slice]:
        """Return the slices of the vectors that hold weights, as opposed to biases and other parameters."""
        slices, begin = [], 0
        for layer, shapes in zip(self.layers, self.plan.parameter_shapes, strict=True):
            for name, shape in shapes.items():
                end = begin + math.prod(shape)
                if name in layer.weights:
                    slices.append(slice(begin, end))
                begin = end
        return slices

    def twin(self) -> "Network":
        """Return a network for another thread: it shares the parameters, and has its own gradients and memory."""
        layers = [replace(layer) for layer in self.layers]  # type: ignore[type-var]
        for layer in layers:
            layer.observes = False
        return Network(layers, self.input_shape, self.parameters.dtype, parameters=self.parameters)

    def initialize(self, rng: np.random.Generator) -> None:
        """Initialise all parameters; the same generator state gives the same values."""
        for layer in self.layers:
            layer.initialize(rng)

    def forward(self, samples: NDArray[Any], *, training: bool = False) -> Floats:
        """Return logits of shape (n_samples, *output_shape), valid until the next call.

        Parameters
        ----------
        samples : ndarray of shape (n_samples, *input_shape)
            Any real dtype. Images are uint8 pixels 0..255, which a `Rescale` layer scales. ``samples`` change only if
            the first layer works in place; `Rescale`, the first layer of every recipe, does not.
        training : bool
            Whether layers use their training behaviour; `backward` may follow in either case.
        """
        x = samples
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dlogits: Floats) -> None:
        """Write the gradient of the loss to ``gradients``, given the gradient of the loss with respect to the logits.

        It is the gradient for the most recent batch of `forward`. Nothing is computed below the first layer that has
        parameters. ``dlogits`` is overwritten.
        """
        dy = dlogits
        for layer in reversed(self.layers):
            layer.write_gradients(dy)
            if layer is self._first_with_parameters:
                break
            dy = layer.input_gradient(dy)

    def input_gradient(self, dlogits: Floats) -> Floats:
        """Return the gradient with respect to the samples, given the gradient ``dlogits`` with respect to the logits.

        It has the shape of the most recent batch of `forward`, which must not have been in training, and is valid until
        the next call. ``gradients`` do not change: outside training, no layer needs them for its backward pass, and
        writing them would take at least a fifth of the time. ``dlogits`` is overwritten.
        """
        dy = dlogits
        for layer in reversed(self.layers):
            dy = layer.input_gradient(dy)
        return dy

    @property
    def is_normalized(self) -> bool:
        """Whether the network has batch normalisation, which keeps running averages."""
        return any(isinstance(layer, BatchNorm) for layer in self.layers)

    def estimate_averages(self, batches: Iterable[NDArray[Any]]) -> Iterator[None]:
        """Recompute the running averages of every `BatchNorm` from these batches, with equal weights; yield after each.

        Averaged parameters need this (Izmailov et al., 2018, Averaging weights leads to wider optima), because their
        activations differ from those in training. If training used only augmented digits, which rotation blurs, this
        also adapts the averages to unaugmented digits, as they occur in recognition.
        """
        norms = [layer for layer in self.layers if isinstance(layer, BatchNorm)]
        momenta = [norm.momentum for norm in norms]
        try:
            for n_seen, samples in enumerate(batches, start=1):
                x = samples
                with np.errstate(over="ignore", invalid="ignore"):  # the loss already shows a diverged network
                    for layer in self.layers:
                        if isinstance(layer, BatchNorm):
                            layer.momentum = 1 / n_seen
                        x = layer.forward(x, isinstance(layer, BatchNorm))
                yield
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum

    def folded(self) -> "Network":
        """Return a copy for inference alone, in which each `BatchNorm` is part of the dense or convolution before it.

        Outside training, normalisation multiplies each channel by a constant and adds another one, which the weights
        and the bias before it can do as well. The outputs are the same up to rounding.
        """
        layers: list[Layer] = []
        parameters: list[dict[str, Floats]] = []
        for layer, own in zip(self.layers, self._views(self.parameters), strict=True):
            if isinstance(layer, BatchNorm) and layers and isinstance(layers[-1], Linear | Conv2d):
                before = parameters[-1]
                with np.errstate(all="ignore"):  # as in `forward`, an overflow shows in the output
                    slope, offset = layer.affine()
                    parameters[-1] = {"weight": before["weight"] * slope, "bias": before["bias"] * slope + offset}
            else:
                layers.append(replace(layer))  # type: ignore[type-var]
                parameters.append(own)
        folded = Network(layers, self.input_shape, self.parameters.dtype)
        for target, source in zip(folded._views(folded.parameters), parameters, strict=True):
            for name, view in target.items():
                view[...] = source[name]
        return folded

    @property
    def chunk(self) -> int:
        """Number of samples to process at once: enough for BLAS, but few enough for memory and for a quick stop."""
        return max(1, min(_CHUNK, _CHUNK_NUMBERS // self.plan.n_activations))

    def predict(self, samples: NDArray[Any]) -> Floats:
        """Return probabilities of shape (n_samples, n_classes), in a new array."""
        return softmax(self.forward(samples))

    def architecture(self) -> list[dict[str, Any]]:
        """Return the settings of every layer in order, as JSON values; `from_architecture` rebuilds the network."""
        return [layer.settings() for layer in self.layers]

    @classmethod
    def from_architecture(
        cls, architecture: Sequence[Mapping[str, Any]], max_parameters: float = math.inf
    ) -> "Network":
        """Build a network of these layers, with all parameters 0.

        Raises
        ------
        ValueError
            If a layer's type or settings are unknown, if it does not accept the output of the previous layer, or if
            there are more than ``max_parameters`` parameters.
        """
        layers = []
        for i, settings in enumerate(architecture):
            try:
                layers.append(layer_from_settings(settings))
            except ValueError as error:
                starts = str(error).startswith(("has ", "("))  # a message about settings, not about their values
                raise ValueError(f"layer {i} {error}" if starts else str(error)) from error
        return cls(layers, max_parameters=max_parameters)

    def summary(self) -> str:
        """Return the sizes from input to output, for example ``784-256-128-10``."""
        return summary(self.layers, self.input_shape)


def summary(layers: Sequence[Layer], input_shape: Shape = IMAGE_SHAPE) -> str:
    """Return the sizes from input to output: ``784-256-128-10``, or with convolutions ``28×28-5×5×32-pool-128-10``."""
    sizes: list[str] = []
    for layer in layers:
        match layer:
            case Conv2d():
                sizes.append(f"{layer.kernel}×{layer.kernel}×{layer.channels}{f'/{layer.stride}' * (layer.stride > 1)}")
            case MaxPool2d() | AvgPool2d():
                sizes.append(
                    ("pool" if isinstance(layer, MaxPool2d) else "avgpool") + f"{layer.size}" * (layer.size != 2)
                )
            case GlobalAvgPool2d():
                sizes.append("global avgpool")
            case GlobalMaxPool2d():
                sizes.append("global pool")
            case Branches():
                inner = [summary(branch, ())[1:] or "x" for branch in layer.branches]
                sizes.append(f"[{(' + ' if layer.merge == 'add' else ', ').join(inner)}]")
            case Linear():
                sizes.append(str(layer.units))
    uses_images = any(isinstance(layer, AddChannel) for layer in layers)
    first = "×".join(map(str, input_shape)) if uses_images else str(math.prod(input_shape)) if input_shape else ""
    return "-".join([first, *sizes])
