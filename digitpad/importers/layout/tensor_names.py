"""Array names: which arrays are weights, biases, normalisation or something else, and their order."""

import functools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_DIMENSIONS = re.compile(r"(conv|pool(?:ing)?|norm|dropout|padding)[123]d", re.IGNORECASE)  # in conv2d, d is no word

BIAS = frozenset(["b", "bias", "biases", "intercept", "intercepts", "bh", "bo", "bi", "bs", "byh"])
WEIGHT = frozenset(
    [
        "w",
        "weight",
        "weights",
        "kernel",
        "kernels",
        "coef",
        "coefs",
        "theta",
        "thetas",
        "filter",
        "filters",
        "ws",
        "matrix",
    ]
)
NORM = frozenset(["bn", "batchnorm", "norm", "gamma", "beta", "running", "moving", "batch"])
GAMMA, BETA = frozenset(["gamma", "weight", "scale"]), frozenset(["beta", "bias", "shift", "offset"])
MEAN, STD = (
    frozenset(["mean", "means", "mu", "avg", "average"]),
    frozenset(["std", "stds", "sigma", "stdev", "sd", "deviation", "scale"]),
)
VAR = frozenset(["var", "variance"])

# Optimiser moments, gradients, samples and results, which have the shapes of weights or shapes derived from them.
_NOISE_TEXT = """
d m v s dw db vd sd md vdw vdb sdw sdb mw mb vw vb dweights dbiases dweight dbias grad grads gradient
gradients momentum momentums velocity velocities cache caches adam moment moments optimizer optimiser opt
rmsprop exp sq delta deltas prev previous old history loss losses cost costs acc accuracy accuracies x y train
test val valid images labels target targets confusion inputs z activations mask nabla updates error errors
"""
_NOISE = frozenset(_NOISE_TEXT.split())
_RESULTS = frozenset(["output", "outputs", "dinputs", "dvalues"])  # of a layer, if they are its last word


@dataclass(frozen=True, eq=False)
class NamedArray:
    """An array with the words and numbers of its name.

    Attributes
    ----------
    name : str
    array : ndarray
    words : tuple of str
        Words of the name in lower case, split at dots, underscores, capitals and digits.
    numbers : tuple of int
        Numbers in the name.
    place : int
        Index in the file.
    """

    name: str
    array: NDArray[Any]
    words: tuple[str, ...]
    numbers: tuple[int, ...]
    place: int

    @functools.cached_property  # the search for layers reads it millions of times
    def family(self) -> tuple[str, ...]:
        """Words of the name with each number replaced by ``#``, which the elements of a list share."""
        return tuple("#" if word.isdigit() else word for word in self.words)

    @property
    def stem(self) -> tuple[str, ...]:
        """Words of the name without those that distinguish weights from biases."""
        return tuple(word for word in self.words if word not in BIAS | WEIGHT | GAMMA | BETA | MEAN | VAR | {"running"})

    @property
    def is_noise(self) -> bool:
        """Whether the array is probably not a parameter."""
        is_result = len(self.words) > 1 and self.words[-1] in _RESULTS and not self.says(WEIGHT | BIAS)
        return is_result or not _NOISE.isdisjoint(self.words)

    def says(self, words: frozenset[str]) -> bool:
        """Return whether the name contains one of the words."""
        return not words.isdisjoint(self.words)

    @property
    def vector(self) -> NDArray[np.float64]:
        """All numbers as a vector."""
        return np.asarray(self.array, np.float64).ravel()

    def __str__(self) -> str:
        return f"{self.name or 'an array'} ({' × '.join(map(str, self.array.shape))})"


def named_arrays(arrays: dict[str, NDArray[Any]]) -> list[NamedArray]:
    """Return the arrays: those of a list sorted by their numbers, and lists in file order."""
    result = []
    for place, (name, array) in enumerate(arrays.items()):
        words = tuple(words_of(name))
        numbers = tuple(int(word[:9]) for word in words if word.isdigit())
        result.append(NamedArray(name, array, words, numbers, place))
    firsts: dict[tuple[str, ...], int] = {}
    for item in result:
        firsts.setdefault(item.family, item.place)
    # If the whole file is one list, all arrays are one family: the numbers give the order, and kinds alternate.
    return sorted(result, key=lambda item: (firsts[item.family], item.numbers, item.place))


def words_of(text: str) -> list[str]:
    """Return the words and numbers of a text in lower case, split at capitals, digits and punctuation."""
    return [word.lower() for word in _TOKEN.findall(_DIMENSIONS.sub(r"\1", text))]
