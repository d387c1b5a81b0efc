"""What lies beside a weight and belongs to it: its bias, and the normalisation behind its layer."""

import math
from collections.abc import Sequence

import numpy as np

from digitpad.importers.layout.structure import Matrix, NormStructure
from digitpad.importers.layout.tensor_names import BETA, BIAS, GAMMA, MEAN, NORM, VAR, NamedArray


def pair_biases(
    ones: list[NamedArray], weights: Sequence[NamedArray], sizes: Sequence[int]
) -> list[tuple[Matrix, NormStructure | None]]:
    """The bias and the normalisation of each weight, zeros and None where there are none."""
    taken = set(map(id, weights))
    rows = [one for one in ones if id(one) not in taken and max(one.array.shape) == one.array.size]
    normed = {one.stem for one in rows if one.says(frozenset(["running", "moving"]))}
    in_norm = [one for one in rows if one.says(NORM) or (one.stem in normed and one.stem)]
    has_gamma = any(one.says(frozenset(["gamma"])) for one in rows)
    if not has_gamma and not normed:  # a bias may be called beta
        in_norm = [one for one in in_norm if not one.says(frozenset(["beta"]))]
    plain = [one for one in rows if one not in in_norm]
    by_place = _by_place(plain, weights, sizes)
    if by_place is not None:
        return by_place
    biases = _aligned(plain, weights, sizes)
    parts = [
        _aligned([one for one in in_norm if one.says(words) and not one.says(others)], weights, sizes)
        for words, others in (
            (GAMMA, MEAN | VAR),
            (BETA, MEAN | VAR),
            (MEAN, frozenset[str]()),
            (VAR, frozenset[str]()),
        )
    ]
    found: list[tuple[Matrix, NormStructure | None]] = []
    for i, size in enumerate(sizes):
        bias = biases[i]
        gamma, beta, mean, variance = (part[i] for part in parts)
        norm = None
        if mean is not None and variance is not None:
            norm = NormStructure(
                np.ones(size) if gamma is None else gamma.vector,
                np.zeros(size) if beta is None else beta.vector,
                mean.vector,
                variance.vector,
            )
        found.append((np.zeros(size) if bias is None else bias.vector, norm))
    return found


def _by_place(
    rows: list[NamedArray], weights: Sequence[NamedArray], sizes: Sequence[int]
) -> list[tuple[Matrix, NormStructure | None]] | None:
    """For a nameless list: what follows each weight is its bias, or the four of a normalisation, or both."""
    ends = [*(weight.place for weight in weights[1:]), math.inf]
    found: list[tuple[Matrix, NormStructure | None]] = []
    for weight, size, end in zip(weights, sizes, ends, strict=True):
        own = sorted(
            (one for one in rows if weight.place < one.place < end and one.array.size == size),
            key=lambda one: one.place,
        )
        if len(own) not in (0, 1, 4, 5):
            return None
        vectors = [one.vector for one in own]
        bias = vectors.pop(0) if len(own) in (1, 5) else np.zeros(size)
        found.append((bias, NormStructure(*vectors) if vectors else None))
    return found if any(norm for _, norm in found) else None


def _aligned(rows: list[NamedArray], weights: Sequence[NamedArray], sizes: Sequence[int]) -> list[NamedArray | None]:
    """For each weight one of the rows of its size: as many as possible, in one order, and alike in name."""
    found: list[NamedArray | None] = [None] * len(weights)
    for size in set(sizes):
        places = [place for place, own in enumerate(sizes) if own == size]
        fitting = [one for one in rows if one.array.size == size]
        for place, one in zip(places, _in_order(fitting, [weights[place] for place in places]), strict=True):
            found[place] = one
    return found


def _in_order(rows: list[NamedArray], weights: Sequence[NamedArray]) -> list[NamedArray | None]:
    """The cheapest alignment of two lists, by dynamic programming; what goes without costs 10."""
    n = len(rows)
    best: list[tuple[float, tuple[int | None, ...]]] = [(0.0, ())] * (n + 1)
    for weight in weights:
        row: list[tuple[float, tuple[int | None, ...]]] = [(best[0][0] + 10, (*best[0][1], None))]
        for j, one in enumerate(rows):
            options = [
                (best[j + 1][0] + 10, (*best[j + 1][1], None)),
                row[j],
                (best[j][0] + _distance(weight, one), (*best[j][1], j)),
            ]
            row.append(min(options, key=lambda option: option[0]))
        best = row
    return [None if j is None else rows[j] for j in best[n][1]]


def _distance(weight: NamedArray, bias: NamedArray) -> float:
    cost = 0.0 if bias.says(BIAS) else 0.7
    if weight.numbers != bias.numbers:
        cost += 0.3 if weight.numbers[-1:] == bias.numbers[-1:] else 1.0
    if weight.stem != bias.stem:
        cost += 1.0
    if bias.is_noise:
        cost += 3.0
    return cost
