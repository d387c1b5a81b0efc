"""Opening of weights from any file: load digitpad's own files directly; for others, infer the settings on digits."""

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
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.diagnostics import layerless
from digitpad.importers.inference.best_convention import ImportResult, infer_convention
from digitpad.importers.inference.conventions import ProbeSet
from digitpad.importers.inference.scalings import SCALINGS, normalised
from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.output_names import class_names_in
from digitpad.importers.read_file import read_tensor_tree, with_siblings
from digitpad.weights.activation_names import ACTIVATIONS, NAMES
from digitpad.weights.native_format import Weights, is_own, load_weights

N_DIGITS = 1000
"""Number of validation digits to score by; accuracies are then right to within a percentage point."""

_SEED = 1


def open_weights(
    path: Path,
    activation: str | None = None,
    scaling: str | None = None,
    class_names: tuple[str, ...] | None = None,
    data: Dataset | None = None,
    tell: ProgressCallback = ignore_progress,
) -> Weights:
    """Load the weights in a file or folder of any kind.

    The convention is inferred unless it is given; the parameters are those of `infer_import`.

    Raises
    ------
    WeightsError
        If the file holds no weights that fit.
    RecipeError
        If the activation or scaling is unknown.
    """
    if is_own(path) and activation is None and scaling is None and class_names is None:
        return load_weights(path)
    return infer_import(path, activation, scaling, class_names, data, tell).weights()


def fingerprint(path: Path) -> str:
    """Return an identifier: the SHA-256 of a file's content, or that of a folder's path.

    A file keeps its identifier when it is moved; a folder does not.

    Raises
    ------
    WeightsError
        If the file cannot be read.
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
    tell: ProgressCallback = ignore_progress,
) -> ImportResult:
    """Find the network in a file from another program, and infer its convention.

    Parameters
    ----------
    path : Path
    activation, scaling : str, optional
        Known values, which are then not inferred.
    class_names : tuple of str, optional
        Class names of the outputs. Default: those that the file states, otherwise those of ``data``, otherwise the
        digits.
    data : Dataset, optional
        Dataset to score candidates on, if it has these classes. Digits are scored on the built-in dataset.
    tell : callable, optional
        Progress callback as in `infer_convention`; also called while pickles are read.

    Raises
    ------
    OutputsError
        If the number of outputs differs from the number of class names.
    WeightsError
        If neither the file nor the files beside it hold a network.
    RecipeError
        If the activation or scaling is unknown.
    """
    if activation is not None and not set(activation.split(", ")) <= ACTIVATIONS.keys():
        raise RecipeError("activation", f"unknown activation {activation!r}; choose from {', '.join(ACTIVATIONS)}")
    if scaling is not None:
        try:
            scaling = normalised(scaling)
        except ValueError as error:
            raise RecipeError("scaling", str(error)) from error
    if is_own(path):
        raise WeightsError(path, "is a digitpad file, which states its activation and scaling; remove these options")
    tensor_tree = read_tensor_tree(path, tell)
    if class_names is None:
        class_names = _class_names(tensor_tree, data, tell)
    tensor_tree = _with_biases(tensor_tree, len(class_names), tell)
    probe = _probe_set_for(class_names, data)
    return infer_convention(tensor_tree, probe, activation=activation, scaling=scaling, tell=tell)


def convention_of(weights: Weights) -> dict[str, Any]:
    """Return the convention of weights: the inferred one if they were imported, otherwise that of their layers."""
    stored = weights.about.get("convention")
    if isinstance(stored, dict):
        return stored
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


def _class_names(tensor_tree: TensorTree, data: Dataset | None, tell: ProgressCallback) -> tuple[str, ...]:
    """Return the class names that a file states and its outputs match, otherwise those of the data or the digits."""
    for names in class_names_in(tensor_tree):
        unrelated = data is not None and len(names) == len(data.class_names) and not set(data.class_names) <= set(names)
        if unrelated and all(map(str.isdigit, names)):
            continue  # The file numbers its classes; the data has names for them.
        try:
            _with_biases(tensor_tree, len(names), tell)
        except WeightsError:
            continue
        return names
    return DIGITS if data is None else data.class_names


def _with_biases(tensor_tree: TensorTree, n_classes: int, tell: ProgressCallback) -> TensorTree:
    """Return the contents of a file, with those of its sibling files if it holds only a part of a network.

    A part is, for example, weights without biases, or one matrix.
    """
    try:
        if find_structures(tensor_tree, n_classes)[0].has_biases:
            return tensor_tree
    except WeightsError:
        # Do not open weights that happen to lie beside a file of labels or images.
        if layerless(tensor_tree) or not _has_fractions(tensor_tree):
            raise
        if (combined := _with_siblings(tensor_tree, n_classes, tell)) is None:
            raise
        return combined
    combined = _with_siblings(tensor_tree, n_classes, tell)
    return tensor_tree if combined is None or not find_structures(combined, n_classes)[0].has_biases else combined


def _has_fractions(tensor_tree: TensorTree) -> bool:
    return any(
        array.dtype.kind == "f" and (array.ravel()[:1000] % 1 != 0).any() for array in tensor_tree.arrays.values()
    )


def _with_siblings(tensor_tree: TensorTree, n_classes: int, tell: ProgressCallback) -> TensorTree | None:
    """Return the contents of a file and its siblings, or None if they hold no network that uses the file's arrays."""
    combined = with_siblings(tensor_tree.path, tell)
    if combined is None:
        return None
    try:
        structure = find_structures(combined, n_classes)[0]
    except WeightsError:
        return None
    stem = tensor_tree.path.stem
    others = {name: array for name, array in combined.arrays.items() if name.split(".")[0] != stem}
    try:
        without = find_structures(replace(combined, arrays=others), n_classes)[0]
    except WeightsError:
        return combined
    return None if structure.same_parameters(without) else combined


@functools.cache
def probe_set() -> ProbeSet:
    """Return 1,000 built-in validation digits, with the mean and standard deviation of each training pixel."""
    data = mnist()
    mean, std = _pixel_statistics(data.training)
    digits = data.validation[:N_DIGITS]
    return ProbeSet(digits.images, digits.labels, mean, std)


def _probe_set_for(class_names: tuple[str, ...], data: Dataset | None) -> ProbeSet:
    """Return images of these classes, or of some of them, to score by.

    They come from the given data, otherwise from a downloaded dataset, otherwise from the built-in digits. If none of
    them fits, the probe set has no images.
    """
    built_in = probe_set()
    if class_names == DIGITS:
        return built_in
    if data is None:
        data = _downloaded(class_names) or (mnist() if set(DIGITS) <= set(class_names) else None)
    if data is None or data.training_problem or not set(data.class_names) <= set(class_names):
        return replace(built_in, images=built_in.images[:0], labels=built_in.labels[:0], class_names=class_names)
    return _probe_set_from(data, class_names)


def _downloaded(class_names: tuple[str, ...]) -> Dataset | None:
    """Return the first downloaded dataset with these classes, or None."""
    for name, path in downloaded().items():
        if tuple(family_of(name).class_names.values()) == class_names:
            with contextlib.suppress(DataError):
                return load_path(path)
    return None


def _probe_set_from(data: Dataset, class_names: tuple[str, ...]) -> ProbeSet:
    rows = np.random.default_rng(_SEED).permutation(len(data.validation))[:N_DIGITS]
    indices = np.array([class_names.index(name) for name in data.class_names], np.uint8)
    mean, std = _pixel_statistics(data.training)
    return ProbeSet(
        data.validation.images[rows], indices[data.validation.labels[rows]], mean, std, class_names, data.name
    )


def _pixel_statistics(digits: Digits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the standard deviation of each pixel, both of shape (784,)."""
    pixels = digits.images.reshape(len(digits), -1)
    total, squares = np.zeros(784), np.zeros(784)
    for begin in range(0, len(pixels), 2000):
        part = pixels[begin : begin + 2000].astype(np.float32)
        total += part.sum(axis=0)
        squares += np.einsum("ij,ij->j", part, part)
    mean = total / len(pixels)
    return mean, np.sqrt(np.maximum(squares / len(pixels) - mean**2, 0))
