"""Weights from any file: our own are read as they are, other people's are understood by what they make of digits."""

import functools
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.datasets.dataset import mnist
from digitpad.errors import RecipeError, WeightsError
from digitpad.weights.foreign.contents import Contents
from digitpad.weights.foreign.conventions import (
    ACTIVATIONS,
    SCALINGS,
    Understanding,
    Yardstick,
    normalised,
    understand,
)
from digitpad.weights.foreign.reading import read_contents, with_siblings
from digitpad.weights.foreign.structure import layerless, structures
from digitpad.weights.weights import Weights, load_weights

N_DIGITS = 1000
"""Of the built-in validation digits; their scores are right to within a point."""


def is_own(path: Path) -> bool:
    """Whether the file is of our own format, so that nothing about it needs to be found out."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "header.npy" in archive.namelist()[:1]
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def open_weights(path: Path, activation: str | None = None, scaling: str | None = None) -> Weights:
    """The weights in a file or folder of any kind, by the convention found out, or told.

    Raises
    ------
    WeightsError
        If there are none that fit.
    RecipeError
        If there is no such activation or scaling.
    """
    if is_own(path) and activation is None and scaling is None:
        return load_weights(path)
    return understand_file(path, activation, scaling).weights()


def fingerprint(path: Path) -> str:
    """What a file is known by wherever it lies; a folder, by where it lies."""
    content = str(path.resolve()).encode() if path.is_dir() else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def understand_file(
    path: Path,
    activation: str | None = None,
    scaling: str | None = None,
    tell: Callable[[], None] = lambda: None,
) -> Understanding:
    """What a file of somebody else's holds, and how it is likely meant; ``tell`` as in `understand`.

    Raises
    ------
    WeightsError
        If there is no network in it, nor in what lies beside it.
    RecipeError
        If there is no such activation or scaling.
    """
    if activation is not None and not set(activation.split(", ")) <= ACTIVATIONS.keys():
        raise RecipeError("activation", f"{activation!r} is none of {', '.join(ACTIVATIONS)}")
    if scaling is not None:
        try:
            scaling = normalised(scaling)
        except ValueError as error:
            raise RecipeError("scaling", str(error)) from error
    if is_own(path):
        raise WeightsError(path, "is of digitpad's own kind, which says itself how it is meant")
    contents = _contents(path)
    return understand(contents, yardstick(), activation=activation, scaling=scaling, tell=tell)


def convention_of(weights: Weights) -> dict[str, Any]:
    """How weights are meant: found out where they are somebody else's, and what our own file says of itself."""
    found = weights.about.get("convention")
    if isinstance(found, dict):
        return found
    kinds = [settings["type"] for settings in weights.architecture]
    names = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "Swish": "swish", "GELU": "gelu", "Tanh": "tanh"}
    names["Sigmoid"] = "sigmoid"
    first = weights.architecture[0]
    factor, offset = first.get("scale", 1 / 255), first.get("offset", 0.0)
    return {
        "activation": next((names[kind] for kind in kinds if kind in names), "none"),
        "scaling": next(
            (name for name, (a, b, _) in SCALINGS.items() if np.allclose((a, b), (factor, offset))),
            f"{factor:g} x + {offset:g}",
        ),
        "orientation": "in, out",
        "transposed": False,
    }


def _contents(path: Path) -> Contents:
    """What a file holds, with what lies beside it where it is a part alone: weights without biases, one matrix."""
    contents = read_contents(path)
    try:
        if structures(contents)[0].has_biases:
            return contents
    except WeightsError:
        if layerless(contents) or not _has_fractions(contents):  # as labels or pictures, beside which weights may lie
            raise
        if (together := _whole(path)) is None:
            raise
        return together
    together = _whole(path)
    return contents if together is None or not structures(together)[0].has_biases else together


def _has_fractions(contents: Contents) -> bool:
    return any(array.dtype.kind == "f" and (array.ravel()[:1000] % 1 != 0).any() for array in contents.arrays.values())


def _whole(path: Path) -> Contents | None:
    """The file with those beside it, if they make a network."""
    together = with_siblings(path)
    if together is None:
        return None
    try:
        structures(together)
    except WeightsError:
        return None
    return together


@functools.cache
def yardstick() -> Yardstick:
    """A thousand built-in validation digits, and each pixel's mean and spread over those to train on."""
    data = mnist()
    pixels = data.training.images.reshape(len(data.training), -1)
    total, squares = np.zeros(784), np.zeros(784)
    for begin in range(0, len(pixels), 2000):
        part = pixels[begin : begin + 2000].astype(np.float64)
        total += part.sum(axis=0)
        squares += (part**2).sum(axis=0)
    mean = total / len(pixels)
    std = np.sqrt(np.maximum(squares / len(pixels) - mean**2, 0))
    digits = data.validation[:N_DIGITS]
    return Yardstick(digits.images, digits.labels, mean, std)
