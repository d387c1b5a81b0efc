"""What a file of weights does not say, found by trying: activation, scaling of the pixels, transposed images.

Each convention makes another network of the same numbers. All are scored on digits, and of those that come close to the
best, the most usual one is taken: which of two alike is a matter of what people do, and not of half a percent of luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitpad.errors import WeightsError
from digitpad.importers.containers.pickles import Tell, ignore_progress
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.convention_search import MOST_USED, SHOWN, ConventionSearch, best_accuracy
from digitpad.importers.inference.conventions import Candidate, ProbeSet
from digitpad.importers.inference.scalings import StoredScaler
from digitpad.importers.inference.stored_scaler import find_structures
from digitpad.importers.layout.building import SOME_IMAGES, build_network
from digitpad.importers.layout.structure import NetworkStructure
from digitpad.weights.native_format import MAX_PARAMETERS, Weights

CLOSE = 0.015
"""Within so much of the best, the most usual convention is taken: 1.5 points found 41 of 43, the best alone half."""

POOR = 0.5
"""Read so little, and something is not as it was meant; the weights are opened all the same, and it is said."""

_BY_LOSS, _MOST_BY_LOSS = 1.5, 1.5
_ALL_READ = 0.02  # a loss below it tells nothing: of what is read right, larger numbers make any loss smaller


@dataclass(frozen=True, eq=False)
class ImportResult:
    """A file of weights with its candidates: the one chosen, and all that are worth a look, the best first."""

    contents: TensorTree
    chosen: Candidate
    candidates: list[Candidate]
    beside: Sequence[StoredScaler]
    yardstick: ProbeSet

    def weights(self, candidate: Candidate | None = None) -> Weights:
        """Weights of our own kind, by the chosen convention or another; ``about`` says how they came to be.

        Raises
        ------
        WeightsError
            If what they compute is not finite, or more than a network here may.
        """
        candidate = candidate or self.chosen
        path = self.contents.path
        try:
            network = build_network(candidate, self.beside, self.yardstick)
        except ValueError as error:
            raise WeightsError(path, f"describes a network that cannot be: {error}") from error
        with np.errstate(over="ignore", invalid="ignore"):
            read = network.predict(SOME_IMAGES)
        if not (np.isfinite(network.parameters).all() and np.isfinite(read).all()):
            raise WeightsError(path, "holds numbers that are not finite, or so large that what they compute is not")
        about: dict[str, Any] = {
            "source": path.name,
            "kind": self.contents.kind,
            "convention": candidate.convention.as_dict(),
        }
        if self.yardstick.scores:
            about |= {
                "candidates": [
                    {**one.convention.as_dict(), "accuracy": round(one.accuracy, 4)} for one in self.candidates
                ],
                "convention_accuracy": candidate.accuracy,
                "convention_scored": self.yardstick.said,
            }
        return Weights(path.name, network.architecture(), network.parameters, about, self.yardstick.class_names)


def infer_convention(
    contents: TensorTree,
    yardstick: ProbeSet,
    *,
    activation: str | None = None,
    scaling: str | None = None,
    tell: Tell = ignore_progress,
) -> ImportResult:
    """Find out how a file's weights are meant.

    Parameters
    ----------
    contents : Contents
    yardstick : Yardstick
    activation, scaling : str, optional
        What is known, and is then not to be guessed.
    tell : callable, optional
        Called between any two candidates; what it raises ends the search.

    Raises
    ------
    WeightsError
        If there is no network in it.
    """
    ways = [way for way in find_structures(contents, len(yardstick.class_names)) if _fits(way)]
    if not ways:
        raise WeightsError(contents.path, "describes a network that is too large, or holds numbers that are not finite")
    search = ConventionSearch(contents, yardstick, ways, activation, scaling, tell)
    if not yardstick.scores:
        usual = search.most_usual()
        return ImportResult(contents, usual[0], usual, search.beside, yardstick)
    if ways[0].convs:
        search.along_each_axis()
    else:
        search.everywhere()
    exact = search.finalists()
    chosen = _most_usual(exact)
    return ImportResult(contents, chosen, _worth_showing(chosen, exact), search.beside, yardstick)


def _most_usual(candidates: Sequence[Candidate]) -> Candidate:
    """Of those close to the best the most usual one; a loss larger than another's makes a candidate less likely."""
    best = best_accuracy(candidates)
    close = [one for one in candidates if one.accuracy >= best - CLOSE]
    least = max(min(one.loss for one in close), _ALL_READ)

    def unlikely(one: Candidate) -> tuple[float, float]:
        return one.cost + min(_MOST_BY_LOSS, max(0.0, _BY_LOSS * (one.loss / least - 1))), -one.accuracy

    return min(close, key=unlikely)


def _fits(structure: NetworkStructure) -> bool:
    layers = structure.layers
    if sum(layer.weight.size for layer in layers) > MAX_PARAMETERS:
        return False
    return all(np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all() for layer in layers)


def _worth_showing(chosen: Candidate, scored: Sequence[Candidate]) -> list[Candidate]:
    """The best ones, among them the one chosen and the best of each activation that people use most."""
    ranked = sorted(scored, key=lambda one: one.rank)
    wanted = [chosen]
    for name in MOST_USED:
        wanted += [one for one in ranked if one.convention.activation == name][:1]
    wanted += ranked[:SHOWN]
    kept = list({id(one): one for one in wanted}.values())[:SHOWN]
    return sorted(kept, key=lambda one: one.rank)
