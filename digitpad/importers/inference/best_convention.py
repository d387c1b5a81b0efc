"""Choice of the best convention for a file of weights: activation, pixel scaling and transposed images.

Each convention turns the same numbers into a different network. All are scored on digits. Among the conventions close
to the best accuracy, the most common is chosen: a difference of half a percentage point is noise, so common practice
decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from digitpad.errors import WeightsError
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.convention_search import MOST_USED, SHOWN, ConventionSearch, best_accuracy
from digitpad.importers.inference.conventions import Candidate, ProbeSet
from digitpad.importers.inference.scalings import StoredScaler
from digitpad.importers.inference.stated_activation import stated_activation
from digitpad.importers.inference.stated_search import StatedSearch, likeliest
from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.layout.building import SOME_IMAGES, build_network
from digitpad.importers.layout.stated_network import are_finite
from digitpad.importers.layout.structure import NetworkStructure
from digitpad.weights.native_format import MAX_PARAMETERS, Weights


@dataclass(frozen=True)
class Rule:
    """Rule to choose among candidates.

    Attributes
    ----------
    margin : float
        Margin of accuracy below the best within which the most common convention is chosen.
    cost_per_loss, max_loss_cost : float
        How much less common a candidate counts for each multiple by which its loss exceeds the lowest, and at most.
    """

    margin: float
    cost_per_loss: float
    max_loss_cost: float


DENSE_RULE = Rule(0.015, 1.5, 1.5)
"""Rule for networks without convolutions.

For 26 of 31 networks made by NumPy, scikit-learn and PyTorch, any margin from 0.4 to 2 points finds the right scaling
(`tests/tools/scaling_rule.py`); 0.2 points find 25. Of the others, two have a scaler
of their own, which is used, and three read digits better under another scaling.
"""

IMAGE_RULE = Rule(0.006, 8.0, 3.0)
"""Rule for convolutional networks.

They read digits almost as well under a wrong scaling, so that a margin of 1.5 points would take x/255 for a
normalisation, and the loss counts more.
"""

POOR = 0.5
"""Accuracy below which the convention is probably wrong; the weights still open, with a warning."""

_LOWEST_TELLING_LOSS = 0.02  # a lower loss proves nothing: with correct predictions, larger logits reduce any loss


@dataclass(frozen=True, eq=False)
class ImportResult:
    """A file of weights with the chosen candidate and the best candidates, sorted by accuracy.

    ``stated_activation`` is the activation that the file states, and that was therefore not inferred.
    """

    tensor_tree: TensorTree
    chosen: Candidate
    candidates: list[Candidate]
    stored_scalers: Sequence[StoredScaler]
    probe_set: ProbeSet
    stated_activation: str | None = None

    @property
    def doubt(self) -> str:
        """Reason to doubt that the network is used as it was trained, or an empty string."""
        return doubt_about(self.chosen.accuracy) if self.probe_set.scores else ""

    def weights(self, candidate: Candidate | None = None) -> Weights:
        """Return digitpad weights by the chosen convention or another; ``about`` records the source and the scores.

        Raises
        ------
        WeightsError
            If the parameters or the outputs are not finite, or the network is too large.
        """
        candidate = candidate or self.chosen
        path = self.tensor_tree.path
        try:
            network = build_network(candidate, self.stored_scalers, self.probe_set)
        except ValueError as error:
            raise WeightsError(path, f"describes an impossible network: {error}") from error
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = network.predict(SOME_IMAGES)
        if not (np.isfinite(network.parameters).all() and np.isfinite(outputs).all()):
            raise WeightsError(path, "holds numbers that are not finite, or so large that the outputs are not finite")
        about: dict[str, Any] = {
            "source": path.name,
            "kind": self.tensor_tree.kind,
            "convention": candidate.convention.as_dict(),
        }
        if self.probe_set.scores:
            about |= {
                "candidates": [
                    {**other.convention.as_dict(), "accuracy": round(other.accuracy, 4)} for other in self.candidates
                ],
                "convention_accuracy": candidate.accuracy,
                "convention_scored": self.probe_set.description,
            }
            if doubt := doubt_about(candidate.accuracy):
                about["doubt"] = doubt
        return Weights(path.name, network.architecture(), network.parameters, about, self.probe_set.class_names)


def infer_convention(
    tensor_tree: TensorTree,
    probe_set: ProbeSet,
    *,
    activation: str | None = None,
    scaling: str | None = None,
    tell: ProgressCallback = ignore_progress,
) -> ImportResult:
    """Infer the convention of a file's weights.

    Parameters
    ----------
    tensor_tree : TensorTree
    probe_set : ProbeSet
        Images to score candidates on.
    activation, scaling : str, optional
        Known values, which are then not inferred.
    tell : callable, optional
        Called between candidates. An exception that it raises ends the search.

    Raises
    ------
    WeightsError
        If the file holds no network.
    """
    structures = [
        structure for structure in find_structures(tensor_tree, len(probe_set.class_names)) if _fits(structure)
    ]
    if not structures:
        raise WeightsError(
            tensor_tree.path, "describes a network that is too large, or holds numbers that are not finite"
        )
    if structures[0].stated is not None:
        return _infer_scaling(tensor_tree, probe_set, structures, activation, scaling, tell)
    if activation is None and (stated := stated_activation(tensor_tree, structures[0].n_hidden)) is not None:
        same_depth = [structure for structure in structures if structure.n_hidden == structures[0].n_hidden]
        result = _search(tensor_tree, probe_set, same_depth, stated.name, scaling, tell)
        if stated.is_certain or not probe_set.scores or result.chosen.accuracy >= POOR:
            return replace(result, stated_activation=stated.name)
    return _search(tensor_tree, probe_set, structures, activation, scaling, tell)


def doubt_about(accuracy: float) -> str:
    """Return why a network with this accuracy on the probe set is doubtful, or an empty string."""
    if accuracy >= POOR:
        return ""
    return f"reads only {accuracy:.1%} whatever the options; the network may be untrained, or for other images"


def _search(
    tensor_tree: TensorTree,
    probe_set: ProbeSet,
    structures: list[NetworkStructure],
    activation: str | None,
    scaling: str | None,
    tell: ProgressCallback,
) -> ImportResult:
    search = ConventionSearch(tensor_tree, probe_set, structures, activation, scaling, tell)
    if not probe_set.scores:
        candidates = search.most_usual()
        return ImportResult(tensor_tree, candidates[0], candidates, search.stored_scalers, probe_set)
    if structures[0].convs:
        search.along_each_axis()
    else:
        search.everywhere()
    finalists, others = search.finalists()
    chosen = most_common(finalists, IMAGE_RULE if structures[0].convs else DENSE_RULE)
    candidates = _best_candidates(chosen, finalists, others)
    return ImportResult(tensor_tree, chosen, candidates, search.stored_scalers, probe_set)


def _infer_scaling(
    tensor_tree: TensorTree,
    probe_set: ProbeSet,
    structures: Sequence[NetworkStructure],
    activation: str | None,
    scaling: str | None,
    tell: ProgressCallback,
) -> ImportResult:
    """Infer the scaling of a network whose layers the file states."""
    stated = structures[0].stated
    assert stated is not None
    if activation is not None and activation not in (stated.activation, *stated.activation.split(", ")[:1]):
        raise WeightsError(
            tensor_tree.path, f"states its activation ({stated.activation}); remove the option for the activation"
        )
    search = StatedSearch(tensor_tree, probe_set, structures, scaling, tell)
    finalists, others = search.finalists()
    candidates = sorted([*finalists, *others], key=lambda item: item.rank)[:SHOWN]
    return ImportResult(
        tensor_tree,
        likeliest(finalists),
        candidates,
        search.stored_scalers,
        probe_set,
        stated_activation=stated.activation,
    )


def most_common(candidates: Sequence[Candidate], rule: Rule) -> Candidate:
    """Return the most common of the candidates close to the best; a larger loss makes a candidate less likely."""
    best = best_accuracy(candidates)
    close = [candidate for candidate in candidates if candidate.accuracy >= best - rule.margin]
    lowest_loss = max(min(candidate.loss for candidate in close), _LOWEST_TELLING_LOSS)

    def unlikelihood(candidate: Candidate) -> tuple[float, float]:
        excess = rule.cost_per_loss * (candidate.loss / lowest_loss - 1)
        return candidate.cost + min(rule.max_loss_cost, max(0.0, excess)), -candidate.accuracy

    return min(close, key=unlikelihood)


def _fits(structure: NetworkStructure) -> bool:
    if structure.stated is not None:
        return structure.stated.plan().n_parameters <= MAX_PARAMETERS and are_finite(structure.stated)
    layers = structure.layers
    if sum(layer.weight.size for layer in layers) > MAX_PARAMETERS:
        return False
    return all(np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all() for layer in layers)


def _best_candidates(chosen: Candidate, scored: Sequence[Candidate], others: Sequence[Candidate]) -> list[Candidate]:
    """Return the best candidates, including the chosen one and the best of each common activation.

    ``others`` were scored on fewer digits, and follow the candidates that were scored on all.
    """
    ranked = [item for items in (scored, others) for item in sorted(items, key=lambda candidate: candidate.rank)]
    wanted = [chosen]
    for name in MOST_USED:
        wanted += [candidate for candidate in ranked if candidate.convention.activation == name][:1]
    wanted += ranked[:SHOWN]
    kept = {id(candidate) for candidate in list({id(candidate): candidate for candidate in wanted}.values())[:SHOWN]}
    return [candidate for candidate in ranked if id(candidate) in kept]
