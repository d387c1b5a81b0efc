"""Error messages for files that hold no network: what the file is instead, or what it lacks."""

from digitpad.importers.containers.tensor_tree import DATA_HINT, TensorTree
from digitpad.importers.layout.structure import N_PIXELS, SIDE
from digitpad.importers.layout.tensor_names import NamedArray, named_arrays

_HARMFUL = (
    "os.",
    "posix.",
    "nt.",
    "subprocess.",
    "builtins.e",
    "__builtin__.e",
    "sys.",
    "shutil.",
    "socket.",
    "runpy.",
)

_LAYERLESS = ("Classifier", "Regressor", "SVC", "SVM", "Forest", "NB", "PCA", "KMeans", "Tree")


def layerless(tensor_tree: TensorTree) -> str:
    """Return the class name of a pickled model without layers, such as a scikit-learn forest, or an empty string."""
    names = [word.rpartition(".")[2] for _, word in tensor_tree.words]
    if any("MLP" in name for name in names):
        return ""
    return next((name for name in names if name.endswith(_LAYERLESS)), "")


def other_kind(tensor_tree: TensorTree) -> str:
    """Return a message that says what a file is, if it is not a network, or an empty string if that is unknown."""
    arrays = named_arrays(tensor_tree.arrays)
    if name := layerless(tensor_tree):
        return f"is a {name}, which has no layers; choose a file of a neural network, such as an MLPClassifier"
    if harmful := [word for _, word in tensor_tree.words if word.startswith(_HARMFUL)]:
        return f"is a pickle that tries to call {harmful[0]}; no code was run, and the file holds no weights"
    images = [item for item in arrays if item.array.shape[-2:] == (SIDE, SIDE) and item.array.dtype.kind in "ub"]
    if samples := next(filter(_are_samples, arrays), None):
        labelled = any(item.array.size == len(samples.array) for item in arrays)
        listed = ", ".join(map(str, arrays[:4])) + " without labels" * (not labelled)
        return f"is a dataset ({listed}), not weights; {DATA_HINT}"
    if images:
        return f"holds an image, {images[0]}, not weights"
    return ""


def _are_samples(item: NamedArray) -> bool:
    """Return whether an array holds training images: several of them, no negative numbers, and many zeros.

    About half of all weights are negative.
    """
    if item.array.ndim < 2 or len(item.array) < 2 or item.array[0].size != N_PIXELS:
        return False
    sample = item.array[:100]
    return bool((sample >= 0).all() and (sample == 0).mean() > 0.2)


def no_layers(tensor_tree: TensorTree, ones: list[NamedArray], n_classes: int) -> str:
    """Return a message that says which arrays were found and which would fit."""
    if len(ones) == 1 and max(ones[0].array.shape) == ones[0].array.size and (ones[0].vector % 1 == 0).all():
        return f"holds {ones[0].array.size:,} whole numbers, which are probably labels, not weights"
    if not ones:
        needed = f"matrices from {N_PIXELS} inputs to {n_classes} outputs"
        return f"is {tensor_tree.kind} without arrays; a network needs {needed}"
    sides = [
        side for side in (32, 8, 16) for item in ones[:1] if {side * side, side * side + 1} & set(item.array.shape)
    ]
    listed = ", ".join(map(str, ones[:5])) + ", …" * (len(ones) > 5)
    if sides:
        return f"is for images of {sides[0]} × {sides[0]} pixels ({listed}); digitpad needs {SIDE} × {SIDE}"
    return f"holds {listed}, but no matrix for the {N_PIXELS} pixels of an image, which the first layer needs"
