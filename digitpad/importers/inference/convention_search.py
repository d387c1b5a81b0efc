"""Conventions tried on digits: which of them are worth a try, in which order, and what each reads."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from digitpad.class_names import DIGITS
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.inference.conventions import Candidate, Convention, ProbeSet
from digitpad.importers.inference.scalings import STRANGE, common_scalings, find_stored_scalers
from digitpad.importers.inference.stated_activation import likely_activations, stated_activations
from digitpad.importers.layout.building import SOME_IMAGES, build_network
from digitpad.importers.layout.structure import SIDE, NetworkStructure
from digitpad.nn.losses import CrossEntropy
from digitpad.weights.activation_names import ACTIVATIONS

MOST_USED = ("relu", "sigmoid", "tanh")
"""Activations that a table compares, if only to show the distance."""

SHOWN = 12
"""So many candidates are worth a look."""

_TELLING = (*MOST_USED, "none")  # of which one comes close to any other
_GOOD = 0.9  # from here on, no stranger convention is tried
_SURE, _POSSIBLE, _NEXT = 0.9, 0.6, 0.6
_MOST_WAYS = 24
_FIRST_DIGITS = 250
_HEAVY = 3_000_000  # multiplications for an image, from which on fewer candidates are scored
_MARGIN = 0.07  # what a score of the first digits may be wrong by


class ConventionSearch:
    """Candidates, quickly scored by a few digits at first, as most are nothing."""

    def __init__(
        self,
        contents: TensorTree,
        yardstick: ProbeSet,
        ways: list[NetworkStructure],
        activation: str | None,
        scaling: str | None,
        tell: Callable[[], None],
    ) -> None:
        self._tell = tell
        self.beside = find_stored_scalers(contents)
        self._yardstick = yardstick
        self._ways = ways
        self._told = stated_activations(contents)
        self._activation = activation
        self._usual = common_scalings(self.beside) if scaling is None else [(scaling, 0.0)]
        self._strange = STRANGE if scaling is None else []
        self._images = bool(ways[0].convs)
        self._heavy = _n_products(ways[0]) > _HEAVY
        n_first = 100 if self._images else int(min(_FIRST_DIGITS, max(80, 100_000_000 // _n_products(ways[0]))))
        self._n_first = 50 if self._heavy else n_first
        self._scored: list[Candidate] = []

    def everywhere(self) -> None:
        """Every activation with every scaling; what is stranger, where nothing else reads well."""
        first = self._ways[0]
        self._try([first], self._activations(first), self._usual)
        for way in self._ways[1:]:
            self._try([way], self._activations(way), self._usual[:4])
        if self._activation is None and 2 <= first.n_hidden <= 4:
            (way,) = self._likely(1)
            scalings = {self._top(way).convention.scaling, self._usual[0][0]}
            rows = itertools.product(MOST_USED, repeat=first.n_hidden)
            mixed = [(", ".join(row), 3.0) for row in rows if len(set(row)) > 1]
            self._try([way], mixed, [one for one in self._usual if one[0] in scalings])
        if self._best() >= _GOOD:
            return
        likely = self._likely(3)
        for way in likely:
            activations = self._activations(way)
            self._try([way], activations, self._usual, transposed=True)
            self._try([way], activations, self._usual, shifted=True)
            self._try([way], activations, self._strange)
        if self._best() < _POSSIBLE:  # Octave's columns first, and its tenth for 0, of whatever way it is
            for way in self._ways[:_MOST_WAYS]:
                for transposed, shifted in ((True, False), (False, True), (True, True)):
                    few = self._activations(way)[:3], self._usual[:2]
                    self._try([way], *few, transposed=transposed, shifted=shifted)

    def along_each_axis(self) -> None:
        """For convolutions, which take their time: the ways they fit together, then scalings, then activations."""
        usual = list({way.geometry: way for way in reversed(self._ways)}.values())[::-1]
        self._try_ways(sorted(usual, key=lambda way: way.cost))
        likely = {way.geometry for way in self._likely(2)} if self._best() > _POSSIBLE else set()
        rest = [way for way in self._ways if way not in usual and (way.geometry in likely or not likely)]
        self._try_ways(rest, every=True)
        for way in self._likely(1 if self._heavy else 2):
            top = self._top(way)
            name = top.convention.activation
            self._try([way], [one for one in self._activations(way) if one[0] == name], self._usual[1:])
            scaling = self._top(way).convention.scaling
            others = [one for one in self._activations(way) if one[0] != name]
            self._try([way], others, [one for one in self._usual if one[0] == scaling])
        if self._best() < _GOOD:
            for way in self._likely(2):
                top = self._top(way)
                activation = [one for one in self._activations(way) if one[0] == top.convention.activation]
                self._try([way], activation, self._usual, transposed=True)
                self._try([way], activation, self._usual[:2], shifted=True)
                self._try([way], activation, self._strange)

    def _try_ways(self, ways: Sequence[NetworkStructure], *, every: bool = False) -> None:
        """Each with the activations that tell, until one is as good as sure; ``every`` way, or until then."""
        for name, name_cost in self._activations(self._ways[0]):
            if name_cost >= 0 and name not in _TELLING:
                continue
            for way in ways:
                best = max(self._scored, key=lambda one: one.accuracy, default=None)
                sure = best is not None and best.accuracy > _SURE
                if best is not None and sure and not every and way.cost > best.structure.cost + _NEXT:
                    break  # stranger ones still could only come as close by chance
                self._try([way], [(name, name_cost)], self._usual[:1])
            if self._best() > _SURE:
                break

    def most_usual(self) -> list[Candidate]:
        """Without anything to score by: what most people do, and what others do, by how usual it is."""
        way, *others = self._ways
        activations = self._activations(way)
        self._try([way], activations[:1], self._usual)
        self._try([way], activations[1:6], self._usual[:1])
        self._try(others[:3], activations[:1], self._usual[:1])
        self._try([way], activations[:1], self._usual[:1], transposed=True)
        usual = [one for one in self._scored if one.cost < math.inf]
        return sorted(usual or self._scored, key=lambda one: one.cost)[:SHOWN]

    def finalists(self) -> list[Candidate]:
        """Those that may be best and those that may be most usual, scored by all digits."""
        bar = self._best() - _MARGIN
        close = sorted((one for one in self._scored if one.accuracy >= bar), key=lambda one: one.rank)
        usual_first = sorted(close, key=lambda one: one.cost)
        n = 2 if self._heavy else 5 if self._images else 12
        chosen = [*close[:n], *usual_first[:n]]
        for name in MOST_USED:
            alike = [one for one in self._scored if one.convention.activation == name]
            chosen += sorted(alike, key=lambda one: one.rank)[:1]
        return [self._score(one, len(self._yardstick.labels)) for one in {id(one): one for one in chosen}.values()]

    def _activations(self, way: NetworkStructure) -> list[tuple[str, float]]:
        names = list(ACTIVATIONS) if self._activation is None else [self._activation]
        return sorted(likely_activations(names, self._told, way.n_hidden), key=lambda one: one[1])

    def _try(
        self,
        ways: Sequence[NetworkStructure],
        activations: Sequence[tuple[str, float]],
        scalings: Sequence[tuple[str, float]],
        *,
        transposed: bool = False,
        shifted: bool = False,
    ) -> None:
        """Score them all; ``shifted``, with outputs from 1 to 9 and then 0, which digits alone may have."""
        if shifted and self._yardstick.class_names != DIGITS:
            return
        for way, (name, name_cost), (scale, scale_cost) in itertools.product(ways, activations, scalings):
            details = "; ".join(filter(None, [way.detail, "outputs for 1 to 9, then 0" if shifted else ""]))
            convention = Convention(name, scale, way.orientation, transposed, details)
            cost = name_cost + scale_cost + way.cost + 2.0 * transposed + 2.5 * shifted
            n = min(self._n_first, len(self._yardstick.labels))
            self._scored.append(self._score(Candidate(convention, 0.0, cost, way, shifted), n))

    def _best(self) -> float:
        return best_accuracy(self._scored)

    def _likely(self, n: int) -> list[NetworkStructure]:
        ranked = sorted(self._scored, key=lambda one: one.rank)
        return list(dict.fromkeys(one.structure for one in ranked))[:n]

    def _top(self, way: NetworkStructure) -> Candidate:
        own = [one for one in self._scored if one.structure is way]
        return min(own, key=lambda one: one.rank)

    def _score(self, candidate: Candidate, n: int) -> Candidate:
        self._tell()
        try:
            network = build_network(candidate, self.beside, self._yardstick)
        except ValueError:  # as of a network that would compute more than one may
            return candidate
        if n == 0:
            with np.errstate(all="ignore"):
                finite = np.isfinite(network.forward(SOME_IMAGES)).all()
            return candidate if finite else replace(candidate, cost=math.inf)
        right, loss = 0, 0.0
        for begin in range(0, n, network.chunk):
            end = min(n, begin + network.chunk)
            with np.errstate(all="ignore"):
                logits = network.forward(self._yardstick.images[begin:end])
            labels = self._yardstick.labels[begin:end]
            if not np.isfinite(logits).all():
                return replace(candidate, accuracy=0.0)
            right += int((logits.argmax(axis=1) == labels).sum())
            loss += CrossEntropy()(logits, labels)[0] * len(labels)
        return replace(candidate, accuracy=right / n, loss=loss / n)


def best_accuracy(candidates: Sequence[Candidate]) -> float:
    """That of the best, 0 of none."""
    return max((one.accuracy for one in candidates), default=0.0)


def _n_products(structure: NetworkStructure) -> int:
    """Multiplications for an image."""
    total, side = sum(dense.weight.size for dense in structure.denses), SIDE
    for conv in structure.convs:
        side += 2 * conv.padding - len(conv.weight) + 1
        total += conv.weight.size * side**2
        side //= conv.pool
    return total
