"""Error messages for files that hold no network: what the file is instead, or what it lacks."""

from digitpad.importers.containers.tensor_tree import DATA_HINT, TensorTree
from digitpad.importers.layout.array_kinds import ArrayKind, are_samples, kind_of, listed
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

_LAYERLESS = (
    *("Classifier", "Regressor", "SVC", "SVM", "Forest", "NB", "PCA", "KMeans", "Tree", "Centroid", "Mixture"),
    *("TSNE", "Neighbors"),
)
_MODEL_PACKAGES = ("sklearn.", "xgboost.", "lightgbm.", "catboost.")


def layerless(tensor_tree: TensorTree) -> str:
    """Return the class name of a pickled model without layers, such as a scikit-learn forest, or an empty string."""
    names = [word.rpartition(".")[2] for _, word in tensor_tree.words]
    if any("MLP" in name for name in names):
        return ""
    return next((name for name in names if name.endswith(_LAYERLESS)), "")


def is_known_layerless(tensor_tree: TensorTree) -> bool:
    """Return whether a library's model without layers was pickled, such as scikit-learn's naive Bayes.

    A linear classifier has coefficients, which are a network of one layer.
    """
    return (
        bool(layerless(tensor_tree))
        and any(word.startswith(_MODEL_PACKAGES) for _, word in tensor_tree.words)
        and not any(name.endswith(("coef_", "coefs_.0")) for name in tensor_tree.arrays)
    )


def other_kind(tensor_tree: TensorTree) -> str:
    """Return a message that says what a file is, if it is not a network, or an empty string if that is unknown."""
    arrays = named_arrays(tensor_tree.arrays)
    if name := layerless(tensor_tree):
        return f"is a {name}, which has no layers; choose a file of a neural network, such as an MLPClassifier"
    if harmful := [word for _, word in tensor_tree.words if word.startswith(_HARMFUL)]:
        return f"is a pickle that tries to call {harmful[0]}; no code was run, and the file holds no weights"
    images = [item for item in arrays if item.array.shape[-2:] == (SIDE, SIDE) and item.array.dtype.kind in "ub"]
    kinds = [(item, kind) for item in arrays if (kind := kind_of(item)) is not None]
    named_otherwise = {item.name for item, kind in kinds if kind is not ArrayKind.IMAGES}
    data = [item for item, kind in kinds if kind is ArrayKind.IMAGES]
    data = data or [item for item in arrays if item.name not in named_otherwise and are_samples(item)]
    if data:
        labelled = any(item.array.size == len(data[0].array) for item in arrays) or data[0].array[0].size > N_PIXELS
        return f"is a dataset ({listed(arrays)}{' without labels' * (not labelled)}), not weights; {DATA_HINT}"
    if images:
        return f"holds an image, {images[0]}, not weights"
    if any("param_groups" in name for name in tensor_tree.numbers):
        return (
            f"is an optimizer's state ({listed(arrays)}), not weights; save the model's own state, model.state_dict()"
        )
    if kinds:
        kind = kinds[0][1]
        return f"holds {kind.value} ({listed([item for item, other in kinds if other is kind])}), not weights"
    return ""


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
    if sides:
        return f"is for images of {sides[0]} × {sides[0]} pixels ({listed(ones)}); digitpad needs {SIDE} × {SIDE}"
    return f"holds {listed(ones)}, but no matrix for the {N_PIXELS} pixels of an image, which the first layer needs"
