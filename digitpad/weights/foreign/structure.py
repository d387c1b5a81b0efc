"""Which arrays of a file are a network's layers: chained from the 784 pixels to the classes by their shapes."""

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.classes import MAX_CLASSES
from digitpad.errors import OutputsError, WeightsError
from digitpad.weights.foreign.contents import DATA_HINT, Contents
from digitpad.weights.foreign.names import (
    BETA,
    BIAS,
    GAMMA,
    MEAN,
    NORM,
    STD,
    VAR,
    WEIGHT,
    Named,
    named_arrays,
    words_of,
)

Matrix = NDArray[np.float64]

N_PIXELS, SIDE = 784, 28
N_MIDDLE, MIDDLE = 400, 20
MAX_UNITS = 20_000
_MAX_SEARCHED = 5_000
_MAX_GEOMETRIES = 50_000
_MOST_GEOMETRIES = 20
_MOST_OUTPUTS = 4


@dataclass(frozen=True, eq=False)
class Norm:
    """A batch normalisation behind a layer."""

    scale: Matrix
    shift: Matrix
    mean: Matrix
    variance: Matrix


@dataclass(frozen=True, eq=False)
class Dense:
    """A fully connected layer: ``weight`` of shape (n_inputs, n_units)."""

    weight: Matrix
    bias: Matrix
    norm: Norm | None = None


@dataclass(frozen=True, eq=False)
class Conv:
    """A convolution, ``weight`` of shape (kernel, kernel, n_inputs, n_channels), and its pooling (1: none)."""

    weight: Matrix
    bias: Matrix
    padding: int
    pool: int
    norm: Norm | None = None


@dataclass(frozen=True, eq=False)
class Structure:
    """One way in which a file's arrays can be a network.

    Attributes
    ----------
    convs, denses : tuple
        The layers in order.
    orientation : str
        Of the matrices: ``out, in`` or ``in, out``, for convolutions ``OIHW`` and the like.
    detail : str
        What else this way has that others have not.
    cost : float
        How unusual it is: 0 for what most people do.
    average_pool, norm_last : bool
        Whether pools take means; whether normalisation comes behind the activation.
    geometry : str
        Paddings and pools, which several ways may share.
    """

    convs: tuple[Conv, ...]
    denses: tuple[Dense, ...]
    orientation: str
    detail: str = ""
    cost: float = 0.0
    average_pool: bool = False
    norm_last: bool = False
    geometry: str = ""

    @property
    def layers(self) -> list[Conv | Dense]:
        """All of them in order."""
        return [*self.convs, *self.denses]

    @property
    def n_hidden(self) -> int:
        """How many layers an activation follows."""
        return len(self.convs) + len(self.denses) - 1

    @property
    def has_biases(self) -> bool:
        """Whether there is any."""
        return any(layer.bias.any() for layer in self.layers)

    @property
    def sizes(self) -> str:
        """The network in short, as in ``784-128-10``."""
        begin = "28×28" if self.convs else str(len(self.denses[0].weight))
        convs = [
            f"{conv.weight.shape[0]}×{conv.weight.shape[0]}×{conv.weight.shape[3]}{'-pool' * (conv.pool > 1)}"
            for conv in self.convs
        ]
        return "-".join([begin, *convs, *(str(dense.weight.shape[1]) for dense in self.denses)])


@dataclass(frozen=True)
class Beside:
    """A mean and a spread of the pixels that lie beside the weights: for all, or for each."""

    mean: Matrix
    std: Matrix


def structures(contents: Contents, n_classes: int) -> list[Structure]:
    """Every way in which a file can be a network with so many outputs, the most usual one first.

    Raises
    ------
    OutputsError
        If it is one, but has another number of them.
    WeightsError
        If there is none: what was found, and what would fit.
    """
    arrays = {name: array for name, array in contents.arrays.items() if array.size <= 16 * 2**20}
    named = _split_stacks(named_arrays(arrays))
    quiet = [one for one in named if not one.is_noise]
    broken: list[_Broken] = []
    for ones in (quiet, named):
        found, why = _from_arrays(ones, n_classes)
        if found:
            return sorted(found, key=lambda one: one.cost)
        broken += [why] if why is not None else []
    if not any(one.array.ndim >= 2 and N_PIXELS in one.array.shape for one in quiet):
        found = _from_vectors(named, n_classes)
        if found:
            return sorted(found, key=lambda one: one.cost)
    unread = f"; not read: {', '.join(contents.passed_over[:5])}" if contents.passed_over else ""
    if (other := _other_kind(contents)) or not broken:
        raise WeightsError(contents.path, (other or _no_layers(contents, named, n_classes)) + unread)
    if broken[0].n_outputs:
        raise OutputsError(contents.path, broken[0].problem + unread, broken[0].n_outputs)
    raise WeightsError(contents.path, broken[0].problem + unread)


def scaling_beside(contents: Contents) -> list[Beside]:
    """What lies beside the weights to standardise pixels with."""
    ones = [one for one in named_arrays(contents.arrays) if one.array.size in (1, N_PIXELS) and not one.says(NORM)]
    for name, number in contents.numbers.items():
        ones += named_arrays({name: np.array([number])})
    ones = [one for one in ones if np.isfinite(one.vector).all()]
    means = [one.vector for one in ones if one.says(MEAN)]
    spreads = [one.vector for one in ones if one.says(STD)]
    spreads += [np.sqrt(np.maximum(one.vector, 0)) for one in ones if one.says(VAR)]
    found = []
    for mean in means[:2]:
        alike = [std for std in spreads if std.size in (1, mean.size)][:1] or [np.ones(1)]
        found.append(Beside(mean, np.where(alike[0] > 1e-7, alike[0], 1.0)))
    return found


# Chains of matrices.


@dataclass(frozen=True, eq=False)
class _Link:
    """A matrix in its place: which way round, and whether it holds the bias as well."""

    one: Named
    n_in: int
    out_first: bool
    folded: bool

    @property
    def n_out(self) -> int:
        rows, columns = self.one.array.shape
        return rows if self.out_first else columns

    @property
    def is_square(self) -> bool:
        return self.one.array.shape == (self.n_in, self.n_in)

    def weight(self) -> Matrix:
        array = np.asarray(self.one.array, np.float64)
        return array.T if self.out_first else array


@dataclass(frozen=True)
class _Broken:
    """Why matrices make no network; ``n_outputs`` where they do, but of another number of outputs."""

    problem: str
    n_outputs: int = 0


def _from_arrays(ones: list[Named], n_classes: int) -> tuple[list[Structure], _Broken | None]:
    matrices = [one for one in ones if one.array.ndim == 2 and min(one.array.shape) > 1]
    kernels = [one for one in ones if one.array.ndim == 4 and max(one.array.shape[:2]) > 1]
    if not kernels:
        kernels = [one for one in ones if one.array.ndim == 3 and one.array.shape[1] == one.array.shape[2] <= 11][:1]
    found: list[Structure] = []
    if kernels:
        found = _convolutional(ones, matrices, kernels, n_classes)
        if found:
            return found, None
    links, broken = _chain(matrices, N_PIXELS, n_classes)
    if links is not None:
        return _dense_structures(ones, links), None
    if kernels:
        return [], _broken_images(matrices, kernels, n_classes)
    if broken is None and (links := _chain(matrices, N_MIDDLE, n_classes)[0]) is not None:
        return [_of_middle(structure) for structure in _dense_structures(ones, links)], None
    return [], broken


def _of_middle(structure: Structure) -> Structure:
    """A network for images of 20 × 20 pixels, as MNIST's digits are without their border, made one for 28 × 28."""
    first, *others = structure.denses
    weight = np.zeros((SIDE, SIDE, first.weight.shape[1]))
    border = (SIDE - MIDDLE) // 2
    weight[border:-border, border:-border] = first.weight.reshape(MIDDLE, MIDDLE, -1)
    denses = (replace(first, weight=weight.reshape(N_PIXELS, -1)), *others)
    return replace(structure, denses=denses, detail=_also(structure, "20 × 20 pixels in the middle"))


def _dense_structures(ones: list[Named], links: list[_Link]) -> list[Structure]:
    found = []
    for flipped in (False, True) if any(link.is_square for link in links) else (False,):
        for bias_last in (False, True) if any(link.folded for link in links) else (False,):
            turned = [_with_square(link, links, flipped) for link in links]
            denses = _dense_layers(ones, turned, bias_last)
            details = ["square matrices the other way round"] * flipped
            details += [f"bias {'last' if bias_last else 'first'}"] * any(link.folded for link in links)
            cost = 2.0 * flipped + 0.2 * bias_last
            structure = Structure((), tuple(denses), _orientation(turned), "; ".join(details), cost)
            found += _with_norm_variants(structure)
    return found


def _with_norm_variants(structure: Structure) -> list[Structure]:
    if not any(layer.norm for layer in structure.layers):
        return [structure]
    last = replace(
        structure,
        norm_last=True,
        cost=structure.cost + 0.5,
        detail="; ".join(filter(None, [structure.detail, "normalised behind the activation"])),
    )
    return [structure, last]


def _orientation(links: Sequence[_Link]) -> str:
    ways = {link.out_first for link in links}
    return "mixed" if len(ways) > 1 else "out, in" if True in ways else "in, out"


def _with_square(link: _Link, links: list[_Link], flipped: bool) -> _Link:
    """A square matrix turned as the others are."""
    if not link.is_square:
        return link
    others = [other.out_first for other in links if not other.is_square]
    out_first = sum(others) * 2 > len(others) if others else True
    return replace(link, out_first=out_first != flipped)


def _chain(matrices: list[Named], n_in: int, n_classes: int) -> tuple[list[_Link] | None, _Broken | None]:
    """The likeliest row of matrices from ``n_in`` numbers to the outputs, or why there is none."""
    counter = itertools.count()
    waiting: list[tuple[float, int, bool, tuple[int, ...], tuple[_Link, ...]]] = [(0.0, 0, False, (), ())]
    longest: tuple[_Link, ...] = ()
    for _ in range(_MAX_SEARCHED):
        if not waiting:
            break
        cost, _, done, used, links = heapq.heappop(waiting)
        if done:
            return list(links), None
        if len(links) > len(longest):
            longest = links
        n = links[-1].n_out if links else n_in
        if links and n == n_classes:
            extra = sum(_left_cost(one, links) for place, one in enumerate(matrices) if place not in used)
            heapq.heappush(waiting, (cost + extra, next(counter), True, used, links))
        for place, one in enumerate(matrices):
            if place not in used:
                for link in _links(one, n):
                    extra = _step_cost(matrices, used, place, links, link)
                    heapq.heappush(waiting, (cost + extra, next(counter), False, (*used, place), (*links, link)))
    return None, _broken(longest, n_classes)


def _links(one: Named, n: int) -> Iterator[_Link]:
    rows, columns = one.array.shape
    if max(rows, columns) > MAX_UNITS:
        return
    if columns == n:
        yield _Link(one, n, True, False)
    if rows == n and rows != columns:
        yield _Link(one, n, False, False)
    if columns == n + 1:
        yield _Link(one, n, True, True)
    if rows == n + 1:
        yield _Link(one, n, False, True)


def _step_cost(
    matrices: list[Named], used: tuple[int, ...], place: int, links: tuple[_Link, ...], link: _Link
) -> float:
    cost = 0.3 * link.folded
    if not links:
        return cost + 0.01 * place
    last = links[-1]
    if place < used[-1]:
        cost += 1.5
    else:  # what is passed over of the same kind
        between = matrices[used[-1] + 1 : place]
        cost += 0.05 * len(between) + sum(one.family == link.one.family for one in between)
    if last.one.family != link.one.family:
        cost += 0.5
    if last.folded != link.folded:
        cost += 1
    if link.n_out == N_PIXELS:
        cost += 3
    if last.out_first != link.out_first and not last.is_square and not link.is_square:
        cost += 1
    return cost


def _left_cost(one: Named, links: tuple[_Link, ...]) -> float:
    """How unlikely a chain is that does without this matrix; another of the same shape may well be a moment."""
    if any(one.family == link.one.family for link in links):
        return 5.0
    if any(sorted(one.array.shape) == sorted(link.one.array.shape) for link in links):
        return 0.0
    return 4.0 if one.says(WEIGHT) else 1.0


def _broken(links: tuple[_Link, ...], n_classes: int) -> _Broken | None:
    if not links:
        return None
    n, last = links[-1].n_out, links[-1].one
    if 2 <= n <= MAX_CLASSES:
        return _Broken(_named_otherwise(n, last, n_classes), n)
    return _Broken(
        f"is not complete: {last} gives {n} numbers, and no matrix takes {n}; layers down to {n_classes} outputs "
        "would fit"
    )


def _named_otherwise(n: int, last: Named, n_classes: int) -> str:
    """What to say of outputs that are not as many as they should be."""
    if n_classes == 10:
        return f"has {n} outputs ({last}); 10 are needed, one a digit, or class names"
    return f"has {n} outputs ({last}), but there are {n_classes} class names"


def _dense_layers(ones: list[Named], links: Sequence[_Link], bias_last: bool) -> list[Dense]:
    named = [link.one for link in links]
    companions = _companions(ones, named, [link.n_out for link in links])
    layers = []
    for link, (bias, norm) in zip(links, companions, strict=True):
        weight = link.weight()
        if link.folded:
            layers.append(Dense(weight[:-1], weight[-1], norm) if bias_last else Dense(weight[1:], weight[0], norm))
        else:
            layers.append(Dense(weight, bias, norm))
    return layers


# Biases and normalisation.


def _companions(ones: list[Named], weights: Sequence[Named], sizes: Sequence[int]) -> list[tuple[Matrix, Norm | None]]:
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
    found: list[tuple[Matrix, Norm | None]] = []
    for i, size in enumerate(sizes):
        bias = biases[i]
        gamma, beta, mean, variance = (part[i] for part in parts)
        norm = None
        if mean is not None and variance is not None:
            norm = Norm(
                np.ones(size) if gamma is None else gamma.vector,
                np.zeros(size) if beta is None else beta.vector,
                mean.vector,
                variance.vector,
            )
        found.append((np.zeros(size) if bias is None else bias.vector, norm))
    return found


def _by_place(
    rows: list[Named], weights: Sequence[Named], sizes: Sequence[int]
) -> list[tuple[Matrix, Norm | None]] | None:
    """For a nameless list: what follows each weight is its bias, or the four of a normalisation, or both."""
    ends = [*(weight.place for weight in weights[1:]), math.inf]
    found: list[tuple[Matrix, Norm | None]] = []
    for weight, size, end in zip(weights, sizes, ends, strict=True):
        own = sorted(
            (one for one in rows if weight.place < one.place < end and one.array.size == size),
            key=lambda one: one.place,
        )
        if len(own) not in (4, 5) and not (len(own) in (0, 1) and found is not None):
            return None
        vectors = [one.vector for one in own]
        bias = vectors.pop(0) if len(own) in (1, 5) else np.zeros(size)
        found.append((bias, Norm(*vectors) if vectors else None))
    return found if any(norm for _, norm in found) else None


def _aligned(rows: list[Named], weights: Sequence[Named], sizes: Sequence[int]) -> list[Named | None]:
    """For each weight one of the rows of its size: as many as possible, in one order, and alike in name."""
    found: list[Named | None] = [None] * len(weights)
    for size in set(sizes):
        places = [place for place, own in enumerate(sizes) if own == size]
        fitting = [one for one in rows if one.array.size == size]
        for place, one in zip(places, _in_order(fitting, [weights[place] for place in places]), strict=True):
            found[place] = one
    return found


def _in_order(rows: list[Named], weights: Sequence[Named]) -> list[Named | None]:
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


def _distance(weight: Named, bias: Named) -> float:
    cost = 0.0 if bias.says(BIAS) else 0.7
    if weight.numbers != bias.numbers:
        cost += 0.3 if weight.numbers[-1:] == bias.numbers[-1:] else 1.0
    if weight.stem != bias.stem:
        cost += 1.0
    if bias.is_noise:
        cost += 3.0
    return cost


# Convolutions.

_LAYOUTS = {"OIHW": (2, 3, 1, 0), "OHWI": (1, 2, 3, 0), "HWIO": (0, 1, 2, 3), "IOHW": (2, 3, 0, 1)}


def _convolutional(ones: list[Named], matrices: list[Named], kernels: list[Named], n_classes: int) -> list[Structure]:
    found: list[Structure] = []
    for layout, axes in _LAYOUTS.items():
        weights = [
            np.asarray(one.array if one.array.ndim == 4 else one.array[:, None], np.float64).transpose(axes)
            if one.array.ndim == 4 or layout == "OIHW"
            else None
            for one in kernels
        ]
        ready = _in_a_row([weight for weight in weights if weight is not None])
        if ready is None or len(ready[0]) < len(kernels):
            continue
        order, sorted_weights = ready
        found += _with_geometry(ones, matrices, [kernels[i] for i in order], sorted_weights, layout, n_classes)
        if found:
            break
    return found


def _in_a_row(weights: list[Matrix]) -> tuple[list[int], list[Matrix]] | None:
    """The kernels one after the other: each takes as many channels as the one before gives."""
    channels, order = 1, []
    left = list(range(len(weights)))
    while left:
        fits = [
            i for i in left if weights[i].shape[2] == channels and weights[i].shape[0] == weights[i].shape[1] <= SIDE
        ]
        if not fits:
            return None
        order.append(fits[0])
        left.remove(fits[0])
        channels = weights[fits[0]].shape[3]
    return order, [weights[i] for i in order]


def _broken_images(matrices: list[Named], kernels: list[Named], n_classes: int) -> _Broken:
    """Why convolutions and matrices do not fit; a last matrix of few outputs may be all that is other than expected."""
    sizes = [size for one in matrices for size in one.array.shape if 2 <= size <= MAX_CLASSES and size != n_classes]
    for n in [size for size in sizes if sizes.count(size) == 1][-_MOST_OUTPUTS:]:
        if _convolutional([*kernels, *matrices], matrices, kernels, n):
            last = next(one for one in reversed(matrices) if n in one.array.shape)
            return _Broken(_named_otherwise(n, last, n_classes), n)
    listed = ", ".join(map(str, kernels[:4]))
    return _Broken(f"has convolutions ({listed}), but no way was found in which they and its matrices fit together")


def _with_geometry(
    ones: list[Named],
    matrices: list[Named],
    kernels: list[Named],
    weights: list[Matrix],
    layout: str,
    n_classes: int,
) -> list[Structure]:
    """Every padding and pooling after which the numbers are as many as the first matrix takes."""
    channels = weights[-1].shape[3]
    takes = {size - extra for one in matrices for size in one.array.shape for extra in (0, 1)}
    companions = _companions(ones, kernels, [weight.shape[3] for weight in weights])
    found: list[Structure] = []
    geometries = _geometries([len(weight) for weight in weights])
    ends = {side * side * channels for _, side, _ in geometries} & takes
    chains = {n: _chain(matrices, n, n_classes)[0] for n in ends}

    def unlikely(geometry: tuple[float, int, Any]) -> float:
        """How unusual it is; a matrix that goes unused is more so than any padding."""
        links = chains.get(geometry[1] ** 2 * channels)
        return math.inf if links is None else geometry[0] + 5.0 * (len(matrices) - len(links))

    for cost, side, steps in sorted(geometries, key=unlikely)[:_MOST_GEOMETRIES]:
        n = side * side * channels
        links = chains.get(n)
        if links is None:
            break
        convs = tuple(
            Conv(weight, bias, padding, pool, norm)
            for weight, (bias, norm), (padding, pool) in zip(weights, companions, steps, strict=True)
        )
        geometry = ", ".join((f"padding {p}" * (p > 0) + f" pool {q}" * (q > 1)).strip() or "plain" for p, q in steps)
        for by_channel in (True, False):
            for average in (False, True) if any(pool > 1 for _, pool in steps) else (False,):
                usual = by_channel == (layout in ("OIHW", "IOHW"))
                denses = _dense_layers(ones, [_with_square(link, links, False) for link in links], False)
                if by_channel and side > 1:
                    first = denses[0].weight.reshape(channels, side, side, -1).transpose(1, 2, 0, 3)
                    denses[0] = replace(denses[0], weight=first.reshape(n, -1))
                detail = [geometry, "flattened by channel" if by_channel else "flattened by pixel"]
                detail += ["mean pools"] * average
                structure = Structure(
                    convs,
                    tuple(denses),
                    f"{layout}; {_orientation(links)}",
                    "; ".join(filter(None, detail)),
                    cost + 0.4 * (not usual and side > 1) + 0.5 * average,
                    average_pool=average,
                    geometry=geometry,
                )
                if side > 1 or by_channel:
                    found += _with_norm_variants(structure)
    return found


def _geometries(kernels: Sequence[int]) -> list[tuple[float, int, tuple[tuple[int, int], ...]]]:
    """(cost, side of the last image, (padding, pool) of each convolution), for all that can be."""
    states: list[tuple[float, int, tuple[tuple[int, int], ...]]] = [(0.0, SIDE, ())]
    for place, kernel in enumerate(kernels):
        is_last = place == len(kernels) - 1
        paddings = sorted({0, (kernel - 1) // 2} | ({2} if kernel == 3 and len(kernels) > 3 else set()))
        states = [
            (cost + _geometry_cost(steps, kernel, padding, pool), out // pool, (*steps, (padding, pool)))
            for cost, side, steps in states
            for padding in paddings
            if (out := side + 2 * padding - kernel + 1) >= 1
            for pool in {1, 2, *((3, 4) if len(kernels) <= 4 else ()), *((out,) if is_last else ())}
            if out >= pool
        ][:_MAX_GEOMETRIES]
    return states


def _geometry_cost(steps: tuple[tuple[int, int], ...], kernel: int, padding: int, pool: int) -> float:
    cost = {1: 0.3, 2: 0.0, 3: 1.0, 4: 1.2}.get(pool, 1.0)  # any other is over the whole image
    same = (kernel - 1) // 2
    if padding not in (0, same):
        cost += 1.0
    if steps and (steps[-1][0] > 0) != (padding > 0):
        cost += 0.2
    return cost


# Numbers in one row.

_COMMON_UNITS = (16, 32, 64, 100, 128, 200, 256, 300, 512, 20, 30, 50, 10, 24, 25, 40, 48, 80, 120, 150, 500)


def _from_vectors(ones: list[Named], n_classes: int) -> list[Structure]:
    """Matrices that were flattened: each by itself, or all of a network in one."""
    rows = [one for one in ones if one.array.size == max(one.array.shape) and not one.is_noise]
    large = [one for one in rows if one.array.size >= N_PIXELS * min(n_classes, 10)]
    found: list[Structure] = []
    if len(large) == 1:
        sizes = [one.vector for one in ones if 2 <= one.array.size <= 20 and one.vector[0] == N_PIXELS]
        for rank, arrays in enumerate(_cut(large[0].vector, sizes, n_classes)):
            part, _ = _from_arrays(named_arrays(arrays), n_classes)
            found += [replace(one, cost=one.cost + 0.05 * rank, detail=_also(one, "all in one row")) for one in part]
            if len(found) >= 24:
                break
    if found:
        return found
    for out_first in (True, False):
        arrays = {}
        n = N_PIXELS
        for one in rows:
            n_out, rest = divmod(one.array.size, n)
            if rest == 0 and n_out >= min(n_classes, 10):
                arrays[one.name] = one.vector.reshape((n_out, n) if out_first else (n, n_out))
                n = n_out
            else:
                arrays[one.name] = one.vector
        part, _ = _from_arrays(named_arrays(arrays), n_classes)
        found += [replace(one, cost=one.cost + 0.1 * (not out_first), detail=_also(one, "flattened")) for one in part]
    return found


def _also(structure: Structure, detail: str) -> str:
    return "; ".join(filter(None, [structure.detail, detail]))


def _cut(vector: Matrix, sizes: list[Matrix], k: int) -> Iterator[dict[str, NDArray[Any]]]:
    """The ways to cut a row of numbers into the matrices and biases of a network, usual ones first."""
    n = vector.size
    if sizes:
        rows = [[int(size) for size in sizes[0] if 1 <= size <= MAX_UNITS]]
    else:
        one_hidden, rest = divmod(n - k, N_PIXELS + 1 + k)
        rows = [[N_PIXELS, one_hidden, k]] if one_hidden and not rest else []
        rows += [[N_PIXELS, k]] if n == (N_PIXELS + 1) * k else []
        rows += [
            [N_PIXELS, a, b, k]
            for a in _COMMON_UNITS
            for b in _COMMON_UNITS
            if a * (N_PIXELS + 1) + b * (a + 1 + k) + k == n
        ]
        rows += [[N_PIXELS, n // (N_PIXELS + k), k]] if n % (N_PIXELS + k) == 0 else []
    for row in rows:
        steps = list(zip(row, row[1:], strict=False))
        with_bias = n == sum((a + 1) * b for a, b in steps)
        if not with_bias and n != sum(a * b for a, b in steps):
            continue
        for out_first in (True, False):
            shapes = [(b, a) if out_first else (a, b) for a, b in steps]
            folded = [(b, a + 1) if out_first else (a + 1, b) for a, b in steps]
            weights = [(f"W{i}", shape) for i, shape in enumerate(shapes)]
            biases = [(f"b{i}", (b,)) for i, (_, b) in enumerate(steps)] if with_bias else []
            yield _pieces(vector, [x for pair in itertools.zip_longest(weights, biases) for x in pair if x])
            if biases:
                yield _pieces(vector, [*weights, *biases])
                yield _pieces(vector, [(f"Theta{i}", shape) for i, shape in enumerate(folded)])


def _pieces(vector: Matrix, parts: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, NDArray[Any]]:
    pieces = {}
    begin = 0
    for name, shape in parts:
        end = begin + math.prod(shape)
        pieces[name] = vector[begin:end].reshape(shape)
        begin = end
    return pieces


def _split_stacks(ones: list[Named]) -> list[Named]:
    """Biases, or matrices, of one shape that NumPy or JSON made one array of, each by itself again."""
    found: list[Named] = []
    for one in ones:
        shape = tuple(size for size in one.array.shape if size > 1)
        stacked_biases = one.says(BIAS) and len(shape) == 2
        stacked_matrices = one.array.ndim == 3 and len(shape) == 3 and min(shape[1:]) >= 10 and shape[0] <= 64
        if stacked_biases or stacked_matrices:
            found += [
                replace(one, array=part, name=f"{one.name}.{i}", words=(*one.words, str(i)), numbers=(*one.numbers, i))
                for i, part in enumerate(one.array.reshape(shape))
            ]
        else:
            found.append(one)
    return found


# What to say of files that hold no network.

_HARMFUL = (
    "os.",
    "posix.",
    "nt.",
    "subprocess.",
    "builtins.e",
    "__builtin__.e",
    "sys.",
    "shutil.",
    "socket.",
    "runpy.",
)
_LAYERLESS = ("Classifier", "Regressor", "SVC", "SVM", "Forest", "NB", "PCA", "KMeans", "Tree")


def layerless(contents: Contents) -> str:
    """The name of a model that is none of layers, as scikit-learn's forests, where a pickle holds one; else nothing."""
    names = [word.rpartition(".")[2] for _, word in contents.words]
    if any("MLP" in name for name in names):
        return ""
    return next((name for name in names if name.endswith(_LAYERLESS)), "")


def _other_kind(contents: Contents) -> str:
    """What a file is that is something else than a network; nothing where that cannot be told."""
    ones = named_arrays(contents.arrays)
    if name := layerless(contents):
        return f"is a {name}, which has no layers of weights; a network's, as of an MLPClassifier, would fit"
    if harm := [word for _, word in contents.words if word.startswith(_HARMFUL)]:
        return f"is a pickle that would have called {harm[0]}; nothing of it was run, and no weights are in it"
    pictures = [one for one in ones if one.array.shape[-2:] == (SIDE, SIDE) and one.array.dtype.kind in "ub"]
    if samples := next(filter(_are_samples, ones), None):
        labelled = any(one.array.size == len(samples.array) for one in ones)
        listed = ", ".join(map(str, ones[:4])) + " without labels" * (not labelled)
        return f"is a data set ({listed}), not weights; {DATA_HINT}"
    if pictures:
        return f"holds a picture, {pictures[0]}, not weights"
    return ""


def _are_samples(one: Named) -> bool:
    """Whether these are images to train on: several, no number negative, as half of weights are, and many 0."""
    if one.array.ndim < 2 or len(one.array) < 2 or one.array[0].size != N_PIXELS:
        return False
    some = one.array[:100]
    return bool((some >= 0).all() and (some == 0).mean() > 0.2)


def _no_layers(contents: Contents, ones: list[Named], n_classes: int) -> str:
    """What was found, and what would fit."""
    if len(ones) == 1 and max(ones[0].array.shape) == ones[0].array.size and (ones[0].vector % 1 == 0).all():
        return f"holds {ones[0].array.size:,} whole numbers, as labels are, not weights"
    if not ones:
        return f"is {contents.kind} without arrays; matrices from {N_PIXELS} inputs to {n_classes} outputs would fit"
    sides = [s for s in (32, 8, 16) for one in ones[:1] if {s * s, s * s + 1} & set(one.array.shape)]
    listed = ", ".join(map(str, ones[:5])) + ", …" * (len(ones) > 5)
    if sides:
        return f"is for images of {sides[0]} × {sides[0]} pixels ({listed}); those for {SIDE} × {SIDE} would fit"
    return f"holds {listed}, but no matrix for the {N_PIXELS} pixels of an image, which a first layer has"


def hints(contents: Contents) -> list[list[str]]:
    """The words of each text and name in a file, of its arrays' names, and of its own name."""
    found = [words_of(text) for _, text in contents.words]
    return [*found, *(words_of(name) for name in contents.arrays), words_of(contents.path.stem)]
