"""Networks by a few words, as recipes write them: which hidden layers, and what follows each."""

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
        if units == "dropout":
            raise ValueError("'dropout' comes after a dense layer; those drop by themselves, as much as dropout says")
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
