"""Feedforward networks from a short description, as in recipes: the hidden layers and what follows each of them."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from digitpad.nn.layers import (
    GELU,
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
from digitpad.nn.network import N_CLASSES

ACTIVATIONS: dict[str, type[Layer]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "gelu": GELU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
"""Layer classes by the activation names that recipes use."""

_DEFAULT_INITIALIZER = {
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
    """Return the layers of a network that takes 28 × 28 uint8 pixels and returns one logit per class.

    Parameters
    ----------
    hidden : sequence of int or str
        The hidden layers, from input to output. An int is a dense layer with that many units. ``5x5x32`` is a
        convolution with a 5 × 5 kernel and 32 channels. ``pool`` and ``avgpool`` are max and average pooling over 2 × 2
        (``pool3`` over 3 × 3). ``dropout`` is dropout after the previous layer. Convolutions, pooling and their dropout
        must precede dense layers. No hidden layers at all is softmax regression.
    activation : str
        A key of `ACTIVATIONS`. The activation follows each convolution and each dense layer except the last. If max
        pooling comes next, the activation follows the pooling: for a monotonic activation the result is the same, for a
        quarter of the work.
    initializer : str
        A key of `INITIALIZERS`, or ``auto`` for the one that suits the activation; with ``auto``, the last layer, which
        has no activation, uses Glorot.
    dropout : float
        Dropout rate after each dense hidden layer, and wherever ``hidden`` contains ``dropout``.
    n_classes : int
    alpha : float
        Slope of ``leaky_relu`` below 0.
    batch_norm : bool
        Whether batch normalisation precedes each activation.
    padding : str
        ``valid``: a convolution makes images smaller by its kernel size minus 1. ``same``: zero padding keeps their
        size; the kernel size must be odd.

    Raises
    ------
    ValueError
        If an item of ``hidden`` is unknown, or not allowed at its position.
    """
    hidden_initializer = _DEFAULT_INITIALIZER[activation] if initializer == "auto" else initializer
    last_initializer = "glorot_normal" if initializer == "auto" else initializer
    norm = [BatchNorm] * batch_norm

    def with_activation(layer: Layer) -> list[Layer]:
        activation_layer = LeakyReLU(alpha) if activation == "leaky_relu" else ACTIVATIONS[activation]()
        return [layer, *(cls() for cls in norm), activation_layer]

    image_words = list(itertools.takewhile(lambda word: isinstance(word, str), hidden))
    layers: list[Layer] = [Rescale()]
    if image_words:
        layers.append(AddChannel())
    dropout_layers = [Dropout(dropout)] if dropout else []
    for word in map(str, image_words):
        pool = _pool(word)
        if word == "dropout":
            layers += map(replace, dropout_layers)
        else:
            layers += [pool] if pool else with_activation(_convolution(word, hidden_initializer, padding))
    layers.append(Flatten())
    for units in hidden[len(image_words) :]:
        if units == "dropout":
            raise ValueError(
                "'dropout' cannot follow a dense layer; set the dropout rate instead, which applies to all dense layers"
            )
        if not isinstance(units, int):
            raise ValueError(f"{units!r} cannot follow a dense layer, because it needs images")  # noqa: TRY004
        layers += with_activation(Linear(units, hidden_initializer))
        layers += map(replace, dropout_layers)
    if activation != "gelu":  # GELU is not monotonic, so it must stay before the pooling
        for i, (layer, following) in enumerate(zip(layers, layers[1:], strict=False)):
            if isinstance(layer, ACTIVATIONS[activation]) and isinstance(following, MaxPool2d):
                layers[i : i + 2] = following, layer
    return [*layers, Linear(n_classes, last_initializer)]


def _pool(word: str) -> MaxPool2d | AvgPool2d | None:
    match = re.fullmatch(r"(max|avg)?pool([1-9]\d?)?", word)
    if match is None:
        return None
    return (AvgPool2d if match[1] == "avg" else MaxPool2d)(int(match[2] or 2))


def _convolution(word: str, initializer: str, padding: str) -> Conv2d:
    match = re.fullmatch(r"([1-9]\d?)[x×]([1-9]\d?)[x×]([1-9]\d{0,3})", word)
    if match is None or match[1] != match[2]:
        raise ValueError(f"unknown layer {word!r}; use 128 (units), 5x5x32 (a convolution), pool, avgpool or dropout")
    kernel = int(match[1])
    if padding == "same" and kernel % 2 == 0:
        raise ValueError(f"{word!r} has an even kernel size; with the padding 'same', the kernel size must be odd")
    return Conv2d(int(match[3]), kernel, (kernel - 1) // 2 if padding == "same" else 0, initializer)
