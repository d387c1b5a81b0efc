"""What names tell: which arrays are weights, biases, normalisation or none of it, and in which order they come."""

import functools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

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

# Optimisers' moments, gradients, samples, results: of the shapes of weights, or of shapes that follow them.
_NOISE_TEXT = """
d m v s dw db vd sd md vdw vdb sdw sdb mw mb vw vb dweights dbiases dweight dbias grad grads gradient
gradients momentum momentums velocity velocities cache caches adam moment moments optimizer optimiser opt
rmsprop exp sq delta deltas prev previous old history loss losses cost costs acc accuracy accuracies x y train
test val valid images labels target targets confusion inputs z activations mask nabla updates error errors
"""
_NOISE = frozenset(_NOISE_TEXT.split())


@dataclass(frozen=True, eq=False)
class NamedArray:
    """An array with what its name says.

    Attributes
    ----------
    name : str
    array : ndarray
    words : tuple of str
        In lower case, apart at dots, underscores, capitals and digits.
    numbers : tuple of int
    place : int
        In the file.
    """

    name: str
    array: NDArray[Any]
    words: tuple[str, ...]
    numbers: tuple[int, ...]
    place: int

    @functools.cached_property  # a search for layers asks for it millions of times
    def family(self) -> tuple[str, ...]:
        """What the names of a list's elements have in common."""
        return tuple("#" if word.isdigit() else word for word in self.words)

    @property
    def stem(self) -> tuple[str, ...]:
        """The name without what tells weights and biases apart."""
        return tuple(word for word in self.words if word not in BIAS | WEIGHT | GAMMA | BETA | MEAN | VAR | {"running"})

    @property
    def is_noise(self) -> bool:
        """Whether it is likely none of the parameters."""
        return not _NOISE.isdisjoint(self.words)

    def says(self, words: frozenset[str]) -> bool:
        """Whether one of these is in its name."""
        return not words.isdisjoint(self.words)

    @property
    def vector(self) -> NDArray[np.float64]:
        """All its numbers in a row."""
        return np.asarray(self.array, np.float64).ravel()

    def __str__(self) -> str:
        return f"{self.name or 'an array'} ({' × '.join(map(str, self.array.shape))})"


def named_arrays(arrays: dict[str, NDArray[Any]]) -> list[NamedArray]:
    """The arrays, those of a list in the order of its numbers, and lists in the order of the file."""
    found = []
    for place, (name, array) in enumerate(arrays.items()):
        words = tuple(word.lower() for word in _TOKEN.findall(name))
        numbers = tuple(int(word[:9]) for word in words if word.isdigit())
        found.append(NamedArray(name, array, words, numbers, place))
    firsts: dict[tuple[str, ...], int] = {}
    for one in found:
        firsts.setdefault(one.family, one.place)
    # A family of its own where the whole file is one list: then the numbers are the order, and kinds alternate.
    return sorted(found, key=lambda one: (firsts[one.family], one.numbers, one.place))


def words_of(text: str) -> list[str]:
    """A text's words in lower case, apart at capitals and signs."""
    return [word.lower() for word in _TOKEN.findall(text)]
