"""Search for conventions: which candidates to try, in which order, and the accuracy of each on digits."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from digitpad.class_names import DIGITS
from digitpad.formats.progress import ProgressCallback
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.conventions import Candidate, Convention, ProbeSet
from digitpad.importers.inference.scalings import STRANGE, USUAL_FOR_IMAGES, common_scalings, find_stored_scalers
from digitpad.importers.inference.scoring import Scorer
from digitpad.importers.inference.stated_activation import likely_activations, stated_activations
from digitpad.importers.layout.structure import SIDE, NetworkStructure
from digitpad.weights.activation_names import ACTIVATIONS

MOST_USED = ("relu", "sigmoid", "tanh")
"""Common activations, which the table of candidates always compares."""

SHOWN = 12
"""Maximum number of candidates to show."""

_DISTINCTIVE = (*MOST_USED, "none")  # any other activation scores close to one of these
_GOOD = 0.9  # accuracy from which unusual conventions are not tried
_CERTAIN, _LIKELY, _POSSIBLE, _NEXT_COST = 0.9, 0.8, 0.6, 0.6
_MAX_STRUCTURES = 24
_FIRST_DIGITS = 250
_HEAVY = 1_500_000  # multiplications per image above which fewer candidates are scored
_COARSE_PRODUCTS, _MIN_COARSE = 1e8, 20  # multiplications, and digits, to score one geometry by
_ALL_PRODUCTS, _MIN_ALL = 1e9, 250  # the same for a finalist
_HEATS = 100  # digits after which all but the best finalists of a slow network leave the search
_HEAT_MARGIN = 0.03  # possible error of the difference of two accuracies after the heats
_SCALING_MARGIN = 0.15  # difference of two accuracies on the coarse digits that shows that a scaling is wrong
_N_LIKELY = 6  # candidates that are tried with other activations, if one is nearly right
_MARGIN = 0.07  # possible error of an accuracy on the first digits


class ConventionSearch:
    """Search over candidates, first scored on a few digits, because most candidates are far off."""

    def __init__(
        self,
        tensor_tree: TensorTree,
        probe_set: ProbeSet,
        ways: list[NetworkStructure],
        activation: str | None,
        scaling: str | None,
        tell: ProgressCallback,
    ) -> None:
        self.stored_scalers = find_stored_scalers(tensor_tree)
        self._probe_set = probe_set
        self._structures = ways
        self._stated = stated_activations(tensor_tree)
        self._activation = activation
        self._common_scalings = common_scalings(self.stored_scalers) if scaling is None else [(scaling, 0.0)]
        self._unusual_scalings = STRANGE if scaling is None else []
        self._images = bool(ways[0].convs)
        self._heavy = _n_products(ways[0]) > _HEAVY
        self._scorer = Scorer(self.stored_scalers, probe_set, tell, slow=self._heavy)
        n_first = 100 if self._images else int(min(_FIRST_DIGITS, max(80, 100_000_000 // _n_products(ways[0]))))
        self._n_first = 30 if self._heavy else n_first
        n_products = max(1, _n_products(ways[0]))
        self._n_coarse = int(np.clip(_COARSE_PRODUCTS / n_products, _MIN_COARSE, self._n_first))
        self._results: dict[tuple[NetworkStructure, Convention], tuple[int, Candidate]] = {}

    def everywhere(self) -> None:
        """Try every activation with every scaling, and unusual conventions if no candidate is accurate."""
        first = self._structures[0]
        self._try([first], self._activations(first), self._common_scalings)
        for structure in self._structures[1:]:
            self._try([structure], self._activations(structure), self._common_scalings[:4])
        if self._activation is None and 2 <= first.n_hidden <= 4:
            (structure,) = self._likely(1)
            scalings = {self._top(structure).convention.scaling, self._common_scalings[0][0]}
            combinations = itertools.product(MOST_USED, repeat=first.n_hidden)
            mixed = [(", ".join(names), 3.0) for names in combinations if len(set(names)) > 1]
            self._try([structure], mixed, [item for item in self._common_scalings if item[0] in scalings])
        if self._best() >= _GOOD:
            return
        likely = self._likely(3)
        for structure in likely:
            activations = self._activations(structure)
            self._try([structure], activations, self._common_scalings, transposed=True)
            self._try([structure], activations, self._common_scalings, shifted=True)
            self._try([structure], activations, self._unusual_scalings)
        if self._best() < _POSSIBLE:  # Octave: column-major images, and the tenth output for 0
            for structure in self._structures[:_MAX_STRUCTURES]:
                for transposed, shifted in ((True, False), (False, True), (True, True)):
                    few = self._activations(structure)[:3], self._common_scalings[:2]
                    self._try([structure], *few, transposed=transposed, shifted=shifted)

    def along_each_axis(self) -> None:
        """Try geometries under the usual scalings, then all scalings, then activations, each for the best so far.

        Convolutions are too slow for every combination. A geometry is only recognised under a scaling that is nearly
        right, so these two are searched together, on few digits.
        """
        by_geometry = {structure.geometry: structure for structure in reversed(self._structures)}
        representatives = list(by_geometry.values())[::-1]
        self._try_structures(sorted(representatives, key=lambda structure: structure.cost))
        likely = {structure.geometry for structure in self._likely(2)} if self._best() > _POSSIBLE else set()
        rest = [
            structure
            for structure in self._structures
            if structure not in representatives and (structure.geometry in likely or not likely)
        ]
        self._try_structures(rest, every=True)
        for structure in self._likely(1 if self._heavy else 2):
            best = self._top(structure)
            name = best.convention.activation
            self._try(
                [structure],
                [item for item in self._activations(structure) if item[0] == name],
                self._common_scalings,
            )
            scaling = self._top(structure).convention.scaling
            others = [item for item in self._activations(structure) if item[0] != name]
            if self._heavy and self._best() >= _GOOD:
                others = others[: len(MOST_USED)]
            self._try([structure], others, [item for item in self._common_scalings if item[0] == scaling])
        if self._best() < _GOOD:
            for structure in self._likely(2):
                best = self._top(structure)
                activation = [item for item in self._activations(structure) if item[0] == best.convention.activation]
                scalings = self._common_scalings
                if self._best() > _POSSIBLE:  # its scaling is nearly right
                    scalings = [item for item in scalings if item[0] == best.convention.scaling]
                self._try([structure], activation, scalings, transposed=True)
                self._try([structure], activation, self._common_scalings[:2], shifted=True)
                self._try([structure], activation, self._unusual_scalings)

    def _try_structures(self, structures: Sequence[NetworkStructure], *, every: bool = False) -> None:
        """Try structures with the distinctive activations until a candidate is almost certain.

        With ``every``, try all structures for an activation before stopping.
        """
        usual = [item for item in self._common_scalings if item[0] in USUAL_FOR_IMAGES] or self._common_scalings[:1]
        activations = self._activations(self._structures[0])
        if every and self._scored:
            known = min(self._scored, key=lambda candidate: candidate.rank).convention
            usual = [item for item in self._common_scalings if item[0] == known.scaling]
            if self._best() > _POSSIBLE:
                activations = [item for item in activations if item[0] == known.activation]
        tried = [(structure, usual) for structure in structures]
        for name, name_cost in activations:
            if name_cost >= 0 and name not in _DISTINCTIVE:
                continue
            for structure, scalings in tried:
                best = max(self._scored, key=lambda candidate: candidate.accuracy, default=None)
                if best is not None and not every and structure.cost > best.structure.cost + _next_cost(best.accuracy):
                    break  # less common structures could match it only by chance
                if best is not None and best.accuracy > _POSSIBLE:
                    likely = self._likely_scalings(best)
                    scalings = [item for item in scalings if item[0] in likely] or scalings
                self._try([structure], [(name, name_cost)], scalings, n=self._n_coarse)
            if self._best() > _LIKELY:
                break
            if self._best() > _POSSIBLE:  # geometry and scaling are nearly right; only the activation may not be
                ranked = sorted(self._scored, key=lambda candidate: candidate.rank)[:_N_LIKELY]
                tried = [
                    (item.structure, [scaling for scaling in usual if scaling[0] == item.convention.scaling])
                    for item in ranked
                ]

    def most_usual(self) -> list[Candidate]:
        """Return candidates sorted from the most common, for when there are no images to score on."""
        structure, *others = self._structures
        activations = self._activations(structure)
        self._try([structure], activations[:1], self._common_scalings)
        self._try([structure], activations[1:6], self._common_scalings[:1])
        self._try(others[:3], activations[:1], self._common_scalings[:1])
        self._try([structure], activations[:1], self._common_scalings[:1], transposed=True)
        finite = [candidate for candidate in self._scored if candidate.cost < math.inf]
        return sorted(finite or self._scored, key=lambda candidate: candidate.cost)[:SHOWN]

    def finalists(self) -> tuple[list[Candidate], list[Candidate]]:
        """Score the potentially best and the potentially most common candidates.

        Return those that were scored on all digits, and the others. Of a slow network, only the best and the most
        common are scored on all digits, because this takes most of the time.
        """
        threshold = self._best() - _MARGIN
        close = sorted(
            (candidate for candidate in self._scored if candidate.accuracy >= threshold),
            key=lambda candidate: candidate.rank,
        )
        common_first = sorted(close, key=lambda candidate: candidate.cost)
        n = 2 if self._heavy else 4 if self._images else 12
        chosen = [*close[:n], *common_first[:n]]
        if self._images:  # few digits tell losses apart, but not accuracies
            chosen += sorted(close, key=lambda candidate: candidate.loss)[:2]
        for name in MOST_USED:
            same_activation = [candidate for candidate in self._scored if candidate.convention.activation == name]
            chosen += sorted(same_activation, key=lambda candidate: candidate.rank)[:1]
        rest = list({id(candidate): candidate for candidate in chosen}.values())
        others: list[Candidate] = []
        if self._heavy and self._n_all(rest) > _HEATS:
            scored = sorted((self._scorer.score(candidate, _HEATS) for candidate in rest), key=lambda item: item.rank)
            likely = [item for item in scored if item.accuracy >= best_accuracy(scored) - _HEAT_MARGIN]
            rest = [*likely[:2], *sorted(likely, key=lambda item: item.cost)[:2]]
            rest += [item for item in sorted(likely, key=lambda item: item.loss)[:1] if item.loss < math.inf]
            rest = list({id(candidate): candidate for candidate in rest}.values())
            others = [item for item in scored if item not in rest]
        return [self._scorer.score(candidate, self._n_all(rest)) for candidate in rest], others

    def _n_all(self, candidates: Sequence[Candidate]) -> int:
        """Return the number of digits to score finalists on."""
        n = len(self._probe_set.labels)
        if not self._images:
            return n
        n_products = max(1, *(_n_products(candidate.structure) for candidate in candidates))
        return min(n, max(_MIN_ALL, int(_ALL_PRODUCTS / n_products)))

    def _activations(self, structure: NetworkStructure) -> list[tuple[str, float]]:
        names = list(ACTIVATIONS) if self._activation is None else [self._activation]
        return sorted(likely_activations(names, self._stated, structure.n_hidden), key=lambda item: item[1])

    def _try(
        self,
        structures: Sequence[NetworkStructure],
        activations: Sequence[tuple[str, float]],
        scalings: Sequence[tuple[str, float]],
        *,
        transposed: bool = False,
        shifted: bool = False,
        n: int | None = None,
    ) -> None:
        """Score all combinations; with ``shifted``, the outputs are for 1 to 9, then 0, which only digits can have."""
        if shifted and self._probe_set.class_names != DIGITS:
            return
        for structure, (name, name_cost), (scale, scale_cost) in itertools.product(structures, activations, scalings):
            details = "; ".join(filter(None, [structure.detail, "outputs for 1 to 9, then 0" if shifted else ""]))
            convention = Convention(name, scale, structure.orientation, transposed, details)
            cost = name_cost + scale_cost + structure.cost + 2.0 * transposed + 2.5 * shifted
            n_scored = min(n or self._n_first, len(self._probe_set.labels))
            key = structure, convention
            if key not in self._results or self._results[key][0] < n_scored:
                candidate = Candidate(convention, 0.0, cost, structure, shifted)
                self._results[key] = n_scored, self._scorer.score(candidate, n_scored)

    @property
    def _scored(self) -> list[Candidate]:
        """All candidates, each with its score on the most digits."""
        return [candidate for _, candidate in self._results.values()]

    def _best(self) -> float:
        return best_accuracy(self._scored)

    def _likely(self, n: int) -> list[NetworkStructure]:
        ranked = sorted(self._scored, key=lambda candidate: candidate.rank)
        return list(dict.fromkeys(candidate.structure for candidate in ranked))[:n]

    def _likely_scalings(self, best: Candidate) -> set[str]:
        """Return the scaling of the best candidate, and others that are almost as accurate if it is not accurate."""
        margin = 0.0 if best.accuracy > _LIKELY else _SCALING_MARGIN
        close = {item.convention.scaling for item in self._scored if item.accuracy > best.accuracy - margin}
        return {best.convention.scaling} | close

    def _top(self, structure: NetworkStructure) -> Candidate:
        candidates = [candidate for candidate in self._scored if candidate.structure is structure]
        return min(candidates, key=lambda candidate: candidate.rank)


def best_accuracy(candidates: Sequence[Candidate]) -> float:
    """Return the highest accuracy of the candidates, or 0 if there are none."""
    return max((candidate.accuracy for candidate in candidates), default=0.0)


def _next_cost(accuracy: float) -> float:
    """Return how much less common than the best structure another one may be to be tried still."""
    return _NEXT_COST if accuracy > _CERTAIN else 2 * _NEXT_COST if accuracy > _LIKELY else math.inf


def _n_products(structure: NetworkStructure) -> int:
    """Return the number of multiplications per image."""
    total, side = sum(dense.weight.size for dense in structure.denses), SIDE
    for conv in structure.convs:
        step = conv.geometry
        side = (side + step.before + step.after - len(conv.weight)) // step.stride + 1
        total += conv.weight.size * side**2
        side = (side + step.pool_after - step.pool) // step.pool_step + 1
    return total
