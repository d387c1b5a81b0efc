"""The functions behind hidden layers: their names, how usual each is, and what a file says of them."""

from collections.abc import Sequence

from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.layout.tensor_names import words_of
from digitpad.weights.activation_names import ACTIVATIONS, NAMES

_HINTED = {
    **{name: name for name in NAMES.values() if "_" not in name},  # at which names are parted
    "leaky": "leaky_relu",
    "leakyrelu": "leaky_relu",
    "logistic": "sigmoid",
    "silu": "swish",
}


def stated_activations(contents: TensorTree) -> list[str]:
    """The activations that a file speaks of, in order."""
    told = []
    for words in _hints(contents):
        named = [_HINTED[word] for word in words if word in _HINTED]
        if "leaky" in words or "lrelu" in words:
            named = ["leaky_relu"]
        if "re" in words and "lu" in words:  # ReLU, apart at its capitals
            named = ["leaky_relu" if "leaky" in words else "relu"]
        told += named[:1]
    return told


def _hints(contents: TensorTree) -> list[list[str]]:
    """The words of each text and name in a file, of its arrays' names, and of its own name."""
    found = [words_of(text) for _, text in contents.words]
    return [*found, *(words_of(name) for name in contents.arrays), words_of(contents.path.stem)]


def likely_activations(names: Sequence[str], told: list[str], n_hidden: int) -> list[tuple[str, float]]:
    """Names and costs, less for what a file speaks of; a row of names where it speaks of one for each layer."""
    if n_hidden == 0:
        return [("none", 0.0)]
    found = []
    for name in names:
        known = name.split(" ")[0] in told
        found.append((name, (ACTIVATIONS[name][1] if name in ACTIVATIONS else 0.0) - 3.0 * known))
    in_order = told[:n_hidden]
    if len(in_order) == n_hidden and len(set(in_order)) > 1 and len(names) > 1:
        found.append((", ".join(in_order), -2.5))
    return found
