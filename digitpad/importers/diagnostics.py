"""What to say of files that hold no network: what they are instead, or what they lack."""

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


def layerless(contents: TensorTree) -> str:
    """The name of a model that is none of layers, as scikit-learn's forests, where a pickle holds one; else nothing."""
    names = [word.rpartition(".")[2] for _, word in contents.words]
    if any("MLP" in name for name in names):
        return ""
    return next((name for name in names if name.endswith(_LAYERLESS)), "")


def other_kind(contents: TensorTree) -> str:
    """What a file is that is something else than a network; nothing where that cannot be told."""
    ones = named_arrays(contents.arrays)
    if name := layerless(contents):
        return f"is a {name}, which has no layers of weights; a network's, as of an MLPClassifier, would fit"
    if harm := [word for _, word in contents.words if word.startswith(_HARMFUL)]:
        return f"is a pickle that would have called {harm[0]}; nothing of it was run, and no weights are in it"
    pictures = [one for one in ones if one.array.shape[-2:] == (SIDE, SIDE) and one.array.dtype.kind in "ub"]
    if samples := next(filter(_are_samples, ones), None):
        labelled = any(one.array.size == len(samples.array) for one in ones)
        listed = ", ".join(map(str, ones[:4])) + " without labels" * (not labelled)
        return f"is a data set ({listed}), not weights; {DATA_HINT}"
    if pictures:
        return f"holds a picture, {pictures[0]}, not weights"
    return ""


def _are_samples(one: NamedArray) -> bool:
    """Whether these are images to train on: several, no number negative, as half of weights are, and many 0."""
    if one.array.ndim < 2 or len(one.array) < 2 or one.array[0].size != N_PIXELS:
        return False
    some = one.array[:100]
    return bool((some >= 0).all() and (some == 0).mean() > 0.2)


def no_layers(contents: TensorTree, ones: list[NamedArray], n_classes: int) -> str:
    """What was found, and what would fit."""
    if len(ones) == 1 and max(ones[0].array.shape) == ones[0].array.size and (ones[0].vector % 1 == 0).all():
        return f"holds {ones[0].array.size:,} whole numbers, as labels are, not weights"
    if not ones:
        return f"is {contents.kind} without arrays; matrices from {N_PIXELS} inputs to {n_classes} outputs would fit"
    sides = [s for s in (32, 8, 16) for one in ones[:1] if {s * s, s * s + 1} & set(one.array.shape)]
    listed = ", ".join(map(str, ones[:5])) + ", …" * (len(ones) > 5)
    if sides:
        return f"is for images of {sides[0]} × {sides[0]} pixels ({listed}); those for {SIDE} × {SIDE} would fit"
    return f"holds {listed}, but no matrix for the {N_PIXELS} pixels of an image, which a first layer has"
