"""Recognition of arrays that have the shapes of weights but are something else, such as images or an optimizer's state.

Only strong evidence counts, because an array that is recognised here is never used as weights: a name that no author
gives to weights, or numbers that no training produces. About half of all trained weights are negative, so a matrix
without negative numbers holds images, activations or probabilities.
"""

import enum
from collections.abc import Sequence

import numpy as np

from digitpad.class_names import MAX_CLASSES
from digitpad.importers.layout.structure import N_PIXELS
from digitpad.importers.layout.tensor_names import BIAS, WEIGHT, NamedArray

_JUDGED_NUMBERS = 500  # the numbers of a smaller matrix may all be positive by chance
_SAMPLE_ROWS = 200
_MIN_BACKGROUND = 0.2
_GREY_LEVELS = 256

_OPTIMIZER = frozenset(["buffer", "avg", "momentum", "momentums", "velocity", "velocities", "moment", "moments"])
_GRADIENTS = frozenset(["grad", "grads", "gradient", "gradients", "nabla", "dw", "db", "dweights", "dbiases"])
_MEANS = frozenset(["mean", "means", "centroid", "centroids", "prototype", "prototypes", "templates", "centers"])
_COMPONENTS = frozenset(["component", "components", "eigenvector", "eigenvectors"])
_EMBEDDINGS = frozenset(["embedding", "embeddings", "tsne", "umap"])
_ACTIVATIONS = frozenset(["activation", "activations"])
_PREDICTIONS = frozenset(["prediction", "predictions", "probabilities", "probs", "logits"])


class ArrayKind(enum.Enum):
    """Kinds of arrays that are not weights, with the words of the error message."""

    IMAGES = "images"
    OPTIMIZER_STATE = "an optimizer's state"
    GRADIENTS = "gradients"
    CLASS_MEANS = "class means"
    COMPONENTS = "principal components"
    EMBEDDINGS = "embeddings"
    ACTIVATIONS = "activations"
    PREDICTIONS = "predicted probabilities"
    LABELS = "one-hot labels"
    POSITIVE = "only numbers of 0 or more, such as images or activations"


_BY_NAME = (
    (_OPTIMIZER, ArrayKind.OPTIMIZER_STATE),
    (_GRADIENTS, ArrayKind.GRADIENTS),
    (_MEANS, ArrayKind.CLASS_MEANS),
    (_COMPONENTS, ArrayKind.COMPONENTS),
    (_EMBEDDINGS, ArrayKind.EMBEDDINGS),
    (_ACTIVATIONS, ArrayKind.ACTIVATIONS),
    (_PREDICTIONS, ArrayKind.PREDICTIONS),
)


def kind_of(item: NamedArray) -> ArrayKind | None:
    """Return what a matrix is if it is not weights, or None if it may be weights; vectors are never judged."""
    array = item.array
    if array.ndim < 2 or array.size == max(array.shape):
        return None
    for words, kind in _BY_NAME:
        if item.says(words) and (kind is ArrayKind.OPTIMIZER_STATE or not item.says(WEIGHT | BIAS)):
            return kind
    if any(pair in (("d", "w"), ("d", "b")) for pair in zip(item.words, item.words[1:], strict=False)):  # dW1
        return ArrayKind.GRADIENTS
    return _kind_of_numbers(item)


def _kind_of_numbers(item: NamedArray) -> ArrayKind | None:
    array = item.array
    if array.ndim != 2 or array.size < _JUDGED_NUMBERS:
        return ArrayKind.IMAGES if are_samples(item) else None
    rows = array[:: max(1, len(array) // _SAMPLE_ROWS)]
    lowest = rows.min()
    if not np.isfinite(lowest) or lowest == rows.max():
        return None
    if are_samples(item) and len(array) <= MAX_CLASSES and np.unique(array).size > _GREY_LEVELS:
        return ArrayKind.CLASS_MEANS  # averages of images have more grey levels than images
    if are_samples(item) or _are_rows_of_images(item):
        return ArrayKind.IMAGES
    if lowest < 0 or array.min() < 0:
        return None
    sums = rows.sum(axis=1)
    if array.shape[1] <= 256 and np.allclose(sums, 1, atol=1e-3):
        return ArrayKind.LABELS if ((rows == 0) | (rows == 1)).all() else ArrayKind.PREDICTIONS
    return ArrayKind.POSITIVE


def are_samples(item: NamedArray) -> bool:
    """Return whether an array holds training images: several of them, no negative numbers, and many zeros."""
    if item.array.ndim < 2 or len(item.array) < 2 or item.array[0].size != N_PIXELS:
        return False
    sample = item.array[:100]
    return bool((sample >= 0).all() and (sample == 0).mean() > _MIN_BACKGROUND)


def _are_rows_of_images(item: NamedArray) -> bool:
    """Return whether each row is an image, possibly after or before its label.

    The lowest number of images is their background, so it is also the most frequent one, even if pixels are
    standardised.
    """
    if item.array.shape[1] not in (N_PIXELS, N_PIXELS + 1):
        return False
    rows = item.array[:_SAMPLE_ROWS]
    candidates = [rows] if rows.shape[1] == N_PIXELS else [rows[:, 1:], rows[:, :-1]]
    return any(len(rows) > 1 and (part == part.min()).mean() > _MIN_BACKGROUND for part in candidates)


def listed(items: Sequence[NamedArray]) -> str:
    """Return the names and shapes of the first arrays, for an error message."""
    return ", ".join(map(str, items[:4])) + ", …" * (len(items) > 4)
