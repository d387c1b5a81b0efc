"""A network: layers in a row over one flat vector of parameters."""

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitpad.nn.arrays import Floats, Scratch, Shape
from digitpad.nn.layers import (
    GELU,
    LAYERS,
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Sigmoid,
    Tanh,
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

PADDINGS = ("valid", "same")


def feedforward(
    hidden: Sequence[int | str],
    activation: str = "relu",
    initializer: str = "auto",
    dropout: float = 0.0,
    *,
    n_classes: int = N_CLASSES,
    alpha: float = 0.01,
    batch_norm: bool = False,
    padding: str = "valid",
) -> list[Layer]:
    """Layers that read 28 × 28 uint8 pixels and give a logit for each class.

    Parameters
    ----------
    hidden : sequence of int or str
        Each hidden layer, from the input on: a number for the units of a dense one, ``5x5x32`` for a convolution by a
        kernel of 5 × 5 to 32 channels, ``pool`` or ``avgpool`` for the largest or the mean of each 2 × 2 (``pool3`` of
        3 × 3), ``dropout`` for a rest of what comes out there. Convolutions, pools and their dropout come before dense
        layers. None at all is softmax regression.
    activation : str
        A key of `ACTIVATIONS`; it follows each convolution and each dense layer but the last. Where a pool comes next,
        it follows the pool: for the largest of four numbers and a rising activation that is the same, for a quarter of
        the work.
    initializer : str
        A key of `INITIALIZERS`, or ``auto`` for what the activation wants; the last layer, which no activation
        follows, then gets Glorot's.
    dropout : float
        The share that is dropped in training of each dense hidden layer's outputs, and where ``hidden`` says so.
    n_classes : int
    alpha : float
        The slope of ``leaky_relu`` below 0.
    batch_norm : bool
        Whether each activation's input is normalised over the batch.
    padding : str
        ``valid``: a convolution makes images smaller by its kernel less one; ``same``: a frame of zeros keeps their
        size, with a kernel of odd size.

    Raises
    ------
    ValueError
        If a word of ``hidden`` is none of these, or in a place where it cannot be.
    """
    wanted = _WANTED_INITIALIZER[activation] if initializer == "auto" else initializer
    last = "glorot_normal" if initializer == "auto" else initializer
    norm = [BatchNorm] * batch_norm

    def activated(layer: Layer) -> list[Layer]:
        following = LeakyReLU(alpha) if activation == "leaky_relu" else ACTIVATIONS[activation]()
        return [layer, *(cls() for cls in norm), following]

    of_images = list(itertools.takewhile(lambda word: isinstance(word, str), hidden))
    layers: list[Layer] = [Rescale()]
    if of_images:
        layers.append(AddChannel())
    resting = [Dropout(dropout)] if dropout else []
    for word in map(str, of_images):
        pool = _pool(word)
        if word == "dropout":
            layers += map(replace, resting)
        else:
            layers += [pool] if pool else activated(_convolution(word, wanted, padding))
    layers.append(Flatten())
    for units in hidden[len(of_images) :]:
        if not isinstance(units, int):
            raise ValueError(f"{units!r} comes after a dense layer, where there are no images any more")  # noqa: TRY004
        layers += activated(Linear(units, wanted))
        layers += map(replace, resting)
    if activation != "gelu":  # which falls a little before it rises
        for i, (layer, following) in enumerate(zip(layers, layers[1:], strict=False)):
            if isinstance(layer, ACTIVATIONS[activation]) and isinstance(following, MaxPool2d):
                layers[i : i + 2] = following, layer
    return [*layers, Linear(n_classes, last)]


def _pool(word: str) -> MaxPool2d | AvgPool2d | None:
    match = re.fullmatch(r"(max|avg)?pool([1-9]\d?)?", word)
    if match is None:
        return None
    return (AvgPool2d if match[1] == "avg" else MaxPool2d)(int(match[2] or 2))


def _convolution(word: str, initializer: str, padding: str) -> Conv2d:
    match = re.fullmatch(r"([1-9]\d?)[x×]([1-9]\d?)[x×]([1-9]\d{0,3})", word)
    if match is None or match[1] != match[2]:
        raise ValueError(
            f"{word!r} is no layer; there are 128 (units), 5x5x32 (a convolution), pool, avgpool and dropout"
        )
    kernel = int(match[1])
    if padding == "same" and kernel % 2 == 0:
        raise ValueError(f"{word!r} has a kernel of even size, which cannot keep an image's size")
    return Conv2d(int(match[3]), kernel, (kernel - 1) // 2 if padding == "same" else 0, initializer)
