"""Pairing of weights with their biases and batch normalisations."""

import math
from collections.abc import Sequence

import numpy as np

from digitpad.importers.layout.structure import Matrix, NormStructure
from digitpad.importers.layout.tensor_names import BETA, BIAS, GAMMA, MEAN, NORM, VAR, NamedArray


def pair_biases(
    ones: list[NamedArray], weights: Sequence[NamedArray], sizes: Sequence[int]
) -> list[tuple[Matrix, NormStructure | None]]:
    """Return the bias and the batch normalisation of each weight; zeros and None where there are none."""
    weight_ids = set(map(id, weights))
    vectors = [item for item in ones if id(item) not in weight_ids and max(item.array.shape) == item.array.size]
    normed = {item.stem for item in vectors if item.says(frozenset(["running", "moving"]))}
    in_norm = [item for item in vectors if item.says(NORM) or (item.stem in normed and item.stem)]
    has_gamma = any(item.says(frozenset(["gamma"])) for item in vectors)
    if not has_gamma and not normed:  # then beta may be the name of a bias
        in_norm = [item for item in in_norm if not item.says(frozenset(["beta"]))]
    plain = [item for item in vectors if item not in in_norm and _may_be_bias(item, weights)]
    by_place = _by_place(plain, weights, sizes)
    if by_place is not None:
        return by_place
    biases = _aligned(plain, weights, sizes)
    parts = [
        _aligned([item for item in in_norm if item.says(words) and not item.says(others)], weights, sizes)
        for words, others in (
            (GAMMA, MEAN | VAR),
            (BETA, MEAN | VAR),
            (MEAN, frozenset[str]()),
            (VAR, frozenset[str]()),
        )
    ]
    pairs: list[tuple[Matrix, NormStructure | None]] = []
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
        pairs.append((np.zeros(size) if bias is None else bias.vector, norm))
    return pairs


def _may_be_bias(vector: NamedArray, weights: Sequence[NamedArray]) -> bool:
    """Return whether the name or the place of a vector says that it is a bias.

    Its name says so, or it has the same name as a weight but for numbers and words such as ``weight``, as in a list.
    Its place says so if it follows a weight directly.
    """
    if vector.says(BIAS | BETA):
        return True
    if vector.is_noise or vector.array.dtype.kind not in "f":
        return False
    if any(vector.family == weight.family or (vector.stem and vector.stem == weight.stem) for weight in weights):
        return True
    return any(vector.place == weight.place + 1 for weight in weights)


def _by_place(
    arrays: list[NamedArray], weights: Sequence[NamedArray], sizes: Sequence[int]
) -> list[tuple[Matrix, NormStructure | None]] | None:
    """Pair arrays without names by position, or return None if that fails or finds no normalisation.

    Each weight is followed by its bias, by the four arrays of a normalisation, or by both.
    """
    ends = [*(weight.place for weight in weights[1:]), math.inf]
    pairs: list[tuple[Matrix, NormStructure | None]] = []
    for weight, size, end in zip(weights, sizes, ends, strict=True):
        following = sorted(
            (item for item in arrays if weight.place < item.place < end and item.array.size == size),
            key=lambda item: item.place,
        )
        if len(following) not in (0, 1, 4, 5):
            return None
        vectors = [item.vector for item in following]
        bias = vectors.pop(0) if len(following) in (1, 5) else np.zeros(size)
        pairs.append((bias, NormStructure(*vectors) if vectors else None))
    return pairs if any(norm for _, norm in pairs) else None


def _aligned(vectors: list[NamedArray], weights: Sequence[NamedArray], sizes: Sequence[int]) -> list[NamedArray | None]:
    """Assign to each weight a vector of its size: as many as possible, in order, and with similar names."""
    result: list[NamedArray | None] = [None] * len(weights)
    for size in set(sizes):
        places = [place for place, own_size in enumerate(sizes) if own_size == size]
        fitting = [item for item in vectors if item.array.size == size]
        for place, item in zip(places, _in_order(fitting, [weights[place] for place in places]), strict=True):
            result[place] = item
    return result


def _in_order(vectors: list[NamedArray], weights: Sequence[NamedArray]) -> list[NamedArray | None]:
    """Return the cheapest alignment of two lists, by dynamic programming; a weight without a vector costs 10."""
    n = len(vectors)
    best: list[tuple[float, tuple[int | None, ...]]] = [(0.0, ())] * (n + 1)
    for weight in weights:
        costs: list[tuple[float, tuple[int | None, ...]]] = [(best[0][0] + 10, (*best[0][1], None))]
        for j, item in enumerate(vectors):
            options = [
                (best[j + 1][0] + 10, (*best[j + 1][1], None)),
                costs[j],
                (best[j][0] + _distance(weight, item), (*best[j][1], j)),
            ]
            costs.append(min(options, key=lambda option: option[0]))
        best = costs
    return [None if j is None else vectors[j] for j in best[n][1]]


def _distance(weight: NamedArray, bias: NamedArray) -> float:
    cost = 0.0 if bias.says(BIAS) else 0.7
    if weight.numbers != bias.numbers:
        cost += 0.3 if weight.numbers[-1:] == bias.numbers[-1:] else 1.0
    if weight.stem != bias.stem:
        cost += 1.0
    if bias.is_noise:
        cost += 3.0
    return cost
