"""Activations that a file states in its texts and names, and how likely each activation is."""

from collections.abc import Sequence

from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.layout.tensor_names import words_of
from digitpad.weights.activation_names import ACTIVATIONS, NAMES

_HINTED = {
    **{name: name for name in NAMES.values() if "_" not in name},  # a name with an underscore splits into several words
    "leaky": "leaky_relu",
    "leakyrelu": "leaky_relu",
    "logistic": "sigmoid",
    "silu": "swish",
}


def stated_activations(tensor_tree: TensorTree) -> list[str]:
    """Return the activations that a file mentions, in order."""
    stated = []
    for words in _hints(tensor_tree):
        named = [_HINTED[word] for word in words if word in _HINTED]
        if "leaky" in words or "lrelu" in words:
            named = ["leaky_relu"]
        if "re" in words and "lu" in words:  # "ReLU", split at its capitals
            named = ["leaky_relu" if "leaky" in words else "relu"]
        stated += named[:1]
    return stated


def _hints(tensor_tree: TensorTree) -> list[list[str]]:
    """Return the words of each text in a file, of its array names, and of its file name."""
    texts = [words_of(text) for _, text in tensor_tree.words]
    return [*texts, *(words_of(name) for name in tensor_tree.arrays), words_of(tensor_tree.path.stem)]


def likely_activations(names: Sequence[str], told: list[str], n_hidden: int) -> list[tuple[str, float]]:
    """Return activations with their costs, which are lower if the file mentions the activation.

    If the file mentions an activation for each hidden layer, that combination is included.
    """
    if n_hidden == 0:
        return [("none", 0.0)]
    costs = []
    for name in names:
        is_stated = name.split(" ")[0] in told
        costs.append((name, (ACTIVATIONS[name][1] if name in ACTIVATIONS else 0.0) - 3.0 * is_stated))
    in_order = told[:n_hidden]
    if len(in_order) == n_hidden and len(set(in_order)) > 1 and len(names) > 1:
        costs.append((", ".join(in_order), -2.5))
    return costs
