"""Activations that a file states in its texts and names, and how likely each activation is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

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


_ATTRIBUTE = re.compile(
    r"(?:^|[._])(?:hidden_?)?(?:activations?|act|act_fn|nonlinearity|activation_(?:function|fn|name|func))(?:\.\d+)?$",
    re.IGNORECASE,
)
_KNOWN = {
    **{name: name for name in ACTIVATIONS},
    **{name.replace("_", ""): name for name in ACTIVATIONS},
    "logistic": "sigmoid",
    "logsig": "sigmoid",
    "tansig": "tanh",
    "silu": "swish",
    "lrelu": "leaky_relu",
    "identity": "none",
    "linear": "none",
    "purelin": "none",
}
_CLASSES = {kind.lower(): name for kind, name in NAMES.items()} | {"silu": "swish"}


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


@dataclass(frozen=True)
class StatedActivation:
    """Activation that a file states for its hidden layers.

    Attributes
    ----------
    name : str
        Key of `ACTIVATIONS`, or a key for each hidden layer, separated by commas.
    is_certain : bool
        Whether the file was written by a library whose attribute this is, so that scores cannot contradict it.
    """

    name: str
    is_certain: bool


def stated_activation(tensor_tree: TensorTree, n_hidden: int) -> StatedActivation | None:
    """Return the activation that an attribute or a class name in a file states, or None if there is no clear one.

    Names of files and arrays do not state it; see `stated_activations` for those.
    """
    if n_hidden == 0:
        return None
    attributes = [
        (name, _KNOWN[text.strip().lower()])
        for name, text in tensor_tree.words
        if _ATTRIBUTE.search(name) and text.strip().lower() in _KNOWN
    ]
    is_library = any(word.startswith("sklearn.neural_network.") for _, word in tensor_tree.words)
    if attributes and is_library:
        return StatedActivation(attributes[0][1], is_certain=True)
    headers = [text for name, text in tensor_tree.words if name == "header"]
    in_headers = [_KNOWN[word] for text in headers for word in re.findall(r"[a-z_]+", text.lower()) if word in _KNOWN]
    classes = [
        _CLASSES[name]
        for path, text in tensor_tree.words
        if "." in text and (name := text.rpartition(".")[2].lower()) in _CLASSES
    ]
    for named in ([name for _, name in attributes], in_headers, classes):
        if len(set(named)) == 1 and (named is not classes or named[0] != "sigmoid"):  # it may follow the last layer
            return StatedActivation(named[0], is_certain=False)
        if named is not classes and len(named) in (n_hidden, n_hidden + 1):
            hidden = named[:n_hidden]
            return StatedActivation(hidden[0] if len(set(hidden)) == 1 else ", ".join(hidden), is_certain=False)
    return None


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
