"""Weights from any file: our own are read as they are, other people's are understood by what they make of digits."""

import contextlib
import functools
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.datasets.dataset import Dataset, Digits, load_path, mnist
from digitpad.datasets.download.families import family_of
from digitpad.datasets.download.fetch import downloaded
from digitpad.errors import DataError, RecipeError, WeightsError, reason
from digitpad.importers.containers.pickles import Tell, ignore_progress
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.diagnostics import layerless
from digitpad.importers.inference.best_convention import ImportResult, infer_convention
from digitpad.importers.inference.conventions import ProbeSet
from digitpad.importers.inference.scalings import SCALINGS, normalised
from digitpad.importers.inference.stored_scaler import find_structures
from digitpad.importers.output_names import class_names_in
from digitpad.importers.read_file import read_tensor_tree, with_siblings
from digitpad.weights.activation_names import ACTIVATIONS, NAMES
from digitpad.weights.native_format import Weights, is_own, load_weights

N_DIGITS = 1000
"""Of a set's validation digits; their scores are right to within a point."""

_SEED = 1


def open_weights(
    path: Path,
    activation: str | None = None,
    scaling: str | None = None,
    class_names: tuple[str, ...] | None = None,
    data: Dataset | None = None,
) -> Weights:
    """The weights in a file or folder of any kind, by the convention found out, or told; as `infer_import`.

    Raises
    ------
    WeightsError
        If there are none that fit.
    RecipeError
        If there is no such activation or scaling.
    """
    if is_own(path) and activation is None and scaling is None and class_names is None:
        return load_weights(path)
    return infer_import(path, activation, scaling, class_names, data).weights()


def fingerprint(path: Path) -> str:
    """What a file is known by wherever it lies; a folder, by where it lies.

    Raises
    ------
    WeightsError
        If it cannot be read.
    """
    if path.is_dir():
        return hashlib.sha256(str(path.resolve()).encode()).hexdigest()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(path, f"cannot be read ({reason(error)})") from error


def infer_import(
    path: Path,
    activation: str | None = None,
    scaling: str | None = None,
    class_names: tuple[str, ...] | None = None,
    data: Dataset | None = None,
    tell: Tell = ignore_progress,
) -> ImportResult:
    """What a file of somebody else's holds, and how it is likely meant.

    Parameters
    ----------
    path : Path
    activation, scaling : str, optional
        What is known, and is then not to be guessed.
    class_names : tuple of str, optional
        What the outputs stand for; else what the file says of them, else the classes of ``data``, else digits.
    data : Dataset, optional
        To score by, where it has such classes; digits are scored by the built-in ones.
    tell : callable, optional
        As in `infer_convention`, and called while pickles are read.

    Raises
    ------
    OutputsError
        If it has another number of outputs than there are names for.
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
    contents = read_tensor_tree(path, tell)
    if class_names is None:
        class_names = _class_names(contents, data, tell)
    contents = _with_biases(contents, len(class_names), tell)
    measure = _yardstick_for(class_names, data)
    return infer_convention(contents, measure, activation=activation, scaling=scaling, tell=tell)


def convention_of(weights: Weights) -> dict[str, Any]:
    """How weights are meant: found out where they are somebody else's, and what our own file says of itself."""
    found = weights.about.get("convention")
    if isinstance(found, dict):
        return found
    kinds = [settings["type"] for settings in weights.architecture]
    first = weights.architecture[0]
    factor, offset = first.get("scale", 1 / 255), first.get("offset", 0.0)
    return {
        "activation": next((NAMES[kind] for kind in kinds if kind in NAMES), "none"),
        "scaling": next(
            (name for name, (a, b, _) in SCALINGS.items() if np.allclose((a, b), (factor, offset))),
            f"{factor:g} x + {offset:g}",
        ),
        "orientation": "in, out",
        "transposed": False,
    }


def _class_names(contents: TensorTree, data: Dataset | None, tell: Tell) -> tuple[str, ...]:
    """What a file says of its outputs, if it has as many; else the classes of the data, or digits."""
    for names in class_names_in(contents):
        others = data is not None and len(names) == len(data.class_names) and not set(data.class_names) <= set(names)
        if others and all(map(str.isdigit, names)):
            continue  # numbers of classes that the data has names for
        try:
            _with_biases(contents, len(names), tell)
        except WeightsError:
            continue
        return names
    return DIGITS if data is None else data.class_names


def _with_biases(contents: TensorTree, n_classes: int, tell: Tell) -> TensorTree:
    """What a file holds, with what lies beside it where it is a part alone: weights without biases, one matrix."""
    try:
        if find_structures(contents, n_classes)[0].has_biases:
            return contents
    except WeightsError:
        if layerless(contents) or not _has_fractions(contents):  # as labels or pictures, beside which weights may lie
            raise
        if (together := _whole(contents.path, n_classes, tell)) is None:
            raise
        return together
    together = _whole(contents.path, n_classes, tell)
    return contents if together is None or not find_structures(together, n_classes)[0].has_biases else together


def _has_fractions(contents: TensorTree) -> bool:
    return any(array.dtype.kind == "f" and (array.ravel()[:1000] % 1 != 0).any() for array in contents.arrays.values())


def _whole(path: Path, n_classes: int, tell: Tell) -> TensorTree | None:
    """The file with those beside it, if they make a network."""
    together = with_siblings(path, tell)
    if together is None:
        return None
    try:
        find_structures(together, n_classes)
    except WeightsError:
        return None
    return together


@functools.cache
def probe_set() -> ProbeSet:
    """A thousand built-in validation digits, and each pixel's mean and spread over those to train on."""
    data = mnist()
    mean, std = _pixels(data.training)
    digits = data.validation[:N_DIGITS]
    return ProbeSet(digits.images, digits.labels, mean, std)


def _yardstick_for(class_names: tuple[str, ...], data: Dataset | None) -> ProbeSet:
    """Images of these classes, or of some: the given data, what was downloaded, or the built-in digits; else none."""
    built_in = probe_set()
    if class_names == DIGITS:
        return built_in
    if data is None:
        data = _downloaded(class_names) or (mnist() if set(DIGITS) <= set(class_names) else None)
    if data is None or not set(data.class_names) <= set(class_names):
        return replace(built_in, images=built_in.images[:0], labels=built_in.labels[:0], class_names=class_names)
    return _yardstick_of(data, class_names)


def _downloaded(class_names: tuple[str, ...]) -> Dataset | None:
    """The first downloaded set of these classes, if there is one."""
    for name, path in downloaded().items():
        if tuple(family_of(name).class_names.values()) == class_names:
            with contextlib.suppress(DataError):
                return load_path(path)
    return None


def _yardstick_of(data: Dataset, class_names: tuple[str, ...]) -> ProbeSet:
    rows = np.random.default_rng(_SEED).permutation(len(data.validation))[:N_DIGITS]
    places = np.array([class_names.index(name) for name in data.class_names], np.uint8)
    mean, std = _pixels(data.training)
    return ProbeSet(
        data.validation.images[rows], places[data.validation.labels[rows]], mean, std, class_names, data.name
    )


def _pixels(digits: Digits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each pixel, of shape (784,)."""
    pixels = digits.images.reshape(len(digits), -1)
    total, squares = np.zeros(784), np.zeros(784)
    for begin in range(0, len(pixels), 2000):
        part = pixels[begin : begin + 2000].astype(np.float64)
        total += part.sum(axis=0)
        squares += (part**2).sum(axis=0)
    mean = total / len(pixels)
    return mean, np.sqrt(np.maximum(squares / len(pixels) - mean**2, 0))
