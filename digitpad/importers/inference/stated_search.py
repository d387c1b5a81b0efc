"""Search for the pixel scaling of a network whose layers the file states."""

from collections.abc import Sequence

import numpy as np

from digitpad.class_names import DIGITS
from digitpad.formats.progress import ProgressCallback
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.conventions import Candidate, Convention, ProbeSet
from digitpad.importers.inference.scalings import STRANGE, common_scalings, find_stored_scalers
from digitpad.importers.inference.scoring import Scorer
from digitpad.importers.layout.structure import NetworkStructure

_GOOD = 0.9  # accuracy from which unusual scalings are not tried
_MARGIN = 0.07  # possible error of an accuracy on the first digits
_CLOSE = 0.015
_LOWEST_LOSS = 0.02  # with correct predictions, larger logits reduce any loss
# With everything but the scaling known, percentage points of accuracy by which a scaling must be better for each unit
# of its cost, and those that an excess of its loss over the lowest loss weighs as much as.
POINTS_PER_COST, _POINTS_PER_EXCESS, _MAX_EXCESS = 0.3, 1.0, 1.0
_OVERCONFIDENT = 6.0  # loss per share of errors; networks trained as usual have 3 to 4
_FIRST_PRODUCTS, _ALL_PRODUCTS = 1.5e9, 4e9
_RAW, _SCALED = "0..255", "x/255"


class StatedSearch:
    """Search over scalings, first scored on a few digits, because most scalings are far off.

    Parameters
    ----------
    tensor_tree : TensorTree
    probe_set : ProbeSet
    structures : sequence of NetworkStructure
        Networks that the file states; usually one.
    scaling : str or None
        Known scaling.
    tell : callable
        Called before each candidate is scored.
    """

    def __init__(
        self,
        tensor_tree: TensorTree,
        probe_set: ProbeSet,
        structures: Sequence[NetworkStructure],
        scaling: str | None,
        tell: ProgressCallback,
    ) -> None:
        self.stored_scalers = find_stored_scalers(tensor_tree)
        self._probe_set = probe_set
        self._structures = structures
        self._scaling = scaling
        self._scorer = Scorer(self.stored_scalers, probe_set, tell)
        stated = structures[0].stated
        assert stated is not None
        n_products = max(1, stated.plan().n_products)
        n_images = len(probe_set.labels)
        self._n_first = min(n_images, int(np.clip(_FIRST_PRODUCTS / n_products, 60, 250)))
        self._n_all = min(n_images, int(np.clip(_ALL_PRODUCTS / n_products, 150, 1000)))

    def finalists(self) -> tuple[list[Candidate], list[Candidate]]:
        """Return the candidates that were scored on most digits, and the others; without digits, the most common."""
        scored = [self._scorer.score(item, self._n_first) for item in self._candidates(self._common())]
        if not self._probe_set.scores:
            ranked = sorted(scored, key=lambda item: item.cost)
            return ranked[:1], ranked[1:]
        if max(item.accuracy for item in scored) < _GOOD:
            scored += [self._scorer.score(item, self._n_first) for item in self._unusual()]
        best = max(item.accuracy for item in scored)
        close = sorted((item for item in scored if item.accuracy >= best - _MARGIN), key=lambda item: item.rank)
        common_first = sorted(close, key=lambda item: item.cost)
        lowest_loss = sorted(close, key=lambda item: item.loss)  # few digits tell losses apart, but not accuracies
        chosen = (*close[:4], *common_first[:3], *lowest_loss[:2])
        finalists = [self._scorer.score(item, self._n_all) for item in {id(item): item for item in chosen}.values()]
        return finalists, [item for item in scored if all(item.convention != one.convention for one in finalists)]

    def _common(self) -> list[tuple[str, float]]:
        if self._scaling is not None:
            return [(self._scaling, 0.0)]
        stated = self._structures[0].stated
        assert stated is not None
        scalings = common_scalings(self.stored_scalers)
        if stated.scaled_within:  # the network scales pixels of 0..255 itself
            scalings = [(name, cost - 2.0 * (name == _RAW) + (name == _SCALED)) for name, cost in scalings]
        return sorted(scalings, key=lambda item: item[1])

    def _candidates(
        self, scalings: Sequence[tuple[str, float]], *, transposed: bool = False, shifted: bool = False
    ) -> list[Candidate]:
        result = []
        for structure in self._structures:
            assert structure.stated is not None
            for name, cost in scalings:
                detail = "; ".join(filter(None, [structure.detail, "outputs for 1 to 9, then 0" if shifted else ""]))
                convention = Convention(structure.stated.activation, name, structure.orientation, transposed, detail)
                total = cost + structure.cost + 2.0 * transposed + 2.5 * shifted
                result.append(Candidate(convention, 0.0, total, structure, shifted))
        return result

    def _unusual(self) -> list[Candidate]:
        unusual = [] if self._scaling is not None else STRANGE
        result = [*self._candidates(self._common(), transposed=True), *self._candidates(unusual)]
        if self._probe_set.class_names == DIGITS:
            result += self._candidates(self._common()[:2], shifted=True)
        return result


def likeliest(candidates: Sequence[Candidate], points_per_cost: float = POINTS_PER_COST) -> Candidate:
    """Return the candidate with the best accuracy, less what its scaling is uncommon and what its loss is too large.

    The loss of an overconfident network is ignored: it follows the size of the logits, not the scaling. Networks are
    overconfident that were trained with a softmax before a loss that contains another one.
    """
    top = min(candidates, key=lambda item: item.rank)
    close = [item for item in candidates if item.accuracy >= top.accuracy - _CLOSE]
    lowest = max(min(item.loss for item in close), _LOWEST_LOSS)
    points_per_excess = 0.0 if lowest > _OVERCONFIDENT * (1 - top.accuracy) else _POINTS_PER_EXCESS

    def points(item: Candidate) -> float:
        excess = min(_MAX_EXCESS, max(0.0, item.loss / lowest - 1))
        return 100 * item.accuracy - points_per_cost * item.cost - points_per_excess * excess

    return max(close, key=points)
