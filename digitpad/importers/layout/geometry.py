"""Geometries of convolutions: paddings, strides and pools, which a file without a configuration does not state."""

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from digitpad.importers.layout.enlargement import ENLARGEMENTS, LARGE_SIDE
from digitpad.importers.layout.structure import SIDE, ConvGeometry
from digitpad.importers.layout.tensor_names import NamedArray

POOL_FIRST = "pooled first"

_MAX_PER_SIDE = 60  # geometries kept for each side of the image after a convolution, the most common ones
_MAX_MODULES = 12
_STRIDED = 0.8


@dataclass(frozen=True)
class Geometry:
    """The geometry of all convolutions of a network.

    Attributes
    ----------
    cost : float
        How uncommon it is.
    side : int
        Side of the image after the last convolution and its pooling.
    steps : tuple of ConvGeometry
    start : str
        What is done to the image before the first convolution: `POOL_FIRST`, a key of `ENLARGEMENTS`, or nothing.
    """

    cost: float
    side: int
    steps: tuple[ConvGeometry, ...]
    start: str = ""

    @property
    def n_changes(self) -> int:
        """Number of times that padding begins or ends from one convolution to the next."""
        padded = [step.after > 0 for step in self.steps]
        return sum(one != following for one, following in itertools.pairwise(padded))

    def __str__(self) -> str:
        return ", ".join([self.start] * bool(self.start) + [str(step) for step in self.steps])


@functools.lru_cache(maxsize=4)  # opening a file searches it for structures more than once
def geometries(kernels: tuple[int, ...], modules: tuple[int | None, ...], *, torch: bool) -> tuple[Geometry, ...]:
    """Return the possible geometries of convolutions with these kernels.

    Parameters
    ----------
    kernels : tuple of int
        Side of each kernel.
    modules : tuple of int or None
        Number of layers without parameters after each convolution, as `modules_between` returns it.
    torch : bool
        Whether the kernels are laid out as by PyTorch, which pads both sides alike even with a stride.
    """
    found: list[Geometry] = []
    starts = [("", 0.0, SIDE), (POOL_FIRST, 2.0, SIDE // 2)]
    starts += [(name, cost, LARGE_SIDE) for name, cost in ENLARGEMENTS.items()]
    for start, start_cost, side in starts:
        states = [Geometry(start_cost, side, (), start)]
        for place, (kernel, n_modules) in enumerate(zip(kernels, modules, strict=True)):
            options = {
                side: list(_options(side, kernel, place, len(kernels), n_modules, torch))
                for side in {state.side for state in states}
            }
            states = _most_common_per_side(states, options)
        found += states
    return tuple(found)


def modules_between(one: NamedArray, following: NamedArray | None, vectors: Sequence[NamedArray]) -> int | None:
    """Return the number of activations and pools between two layers of a numbered list, or None if unknown.

    PyTorch's `Sequential` numbers all its layers: between ``net.0.weight`` and ``net.3.weight`` there are two others,
    and those with vectors of their own are normalisations. In a list, such as ``arr_0`` and ``arr_1``, every array has
    a number, but not every layer.
    """
    if following is None or one.family != following.family or not one.numbers or one.family[-1] == "#":
        return None
    if one.numbers[:-1] != following.numbers[:-1]:
        return None
    first, last = one.numbers[-1], following.numbers[-1]
    if not first + 1 < last <= first + _MAX_MODULES:
        return None
    known = {
        item.numbers[-1]
        for item in vectors
        if item.numbers[:-1] == one.numbers[:-1] and item.numbers and first < item.numbers[-1] < last
    }
    return last - first - 1 - len(known) - (following.array.ndim == 2)  # a Flatten precedes a matrix


def _options(
    side: int, kernel: int, place: int, n_kernels: int, n_modules: int | None, torch: bool
) -> Iterator[tuple[float, int, ConvGeometry]]:
    """Yield the cost, the side afterwards and the geometry of each option for a convolution."""
    same = (kernel - 1) // 2
    for stride in (1, 2) if kernel > 1 else (1,):
        paddings = {(0, 0): 0.0, (same, same): 0.0}
        if kernel == 3 and n_kernels > 3:
            paddings[2, 2] = 1.0
        if kernel == 5 and torch:
            paddings[1, 1] = 1.0
        if stride > 1 and not torch:
            total = max(0, (math.ceil(side / stride) - 1) * stride + kernel - side)
            paddings = {(0, 0): 0.0, (total // 2, total - total // 2): 0.0}
        for (before, after), cost in paddings.items():
            if (steps := side + before + after - kernel) < 0:
                continue
            out = steps // stride + 1
            pools: set[tuple[int, int, int]] = {(1, 1, 0), (2, 2, 0), (3, 2, 0)}
            if n_kernels <= 4:
                pools |= {(3, 3, 0), (4, 4, 0)}
            if place == 0 and n_kernels <= 3:  # many write LeNet so that the windows of its first pooling overlap
                pools.add((2, 1, 0))
            if place == n_kernels - 1:
                pools.add((out, out, 0))
            if out % 2 and not torch:
                pools.add((2, 2, 1))
            for size, step, extra in pools:
                if size > out + extra or (size, step) == (1, 2):
                    continue
                left = (out + extra - size) // step + 1
                geometry = ConvGeometry(before, after, stride, size, step, extra)
                yield cost + _cost(geometry, n_modules), left, geometry


def _cost(step: ConvGeometry, n_modules: int | None) -> float:
    """Return how uncommon the stride and the pooling after a convolution are."""
    cost = {1: 0.3, 2: 0.0, 3: 1.0, 4: 1.2}.get(step.pool, 1.0)  # any other size pools over the whole image
    if step.stride > 1:
        cost = _STRIDED if step.pool == 1 else 2.0
    cost += 0.6 * (step.pool - step.pool_step) / step.pool_step + 1.0 * (step.pool_after > 0)
    if n_modules is not None and (n_modules >= 2) != (step.pool > 1):
        cost += 1.0 if n_modules < 2 else 0.4
    return cost


def _change(state: Geometry, step: ConvGeometry) -> float:
    """Return how uncommon a convolution is after the one before it, in addition to its cost when it is alone.

    That another one has the same stride is no surprise.
    """
    if not state.steps:
        return 0.0
    last = state.steps[-1]
    if step.stride > 1 and step == last:
        return -_cost(step, None)
    return 0.2 * ((last.after > 0) != (step.after > 0))


def _most_common_per_side(
    states: Sequence[Geometry], options: Mapping[int, Sequence[tuple[float, int, ConvGeometry]]]
) -> list[Geometry]:
    """Return the most common geometries with another convolution for each side: what follows depends only on the side.

    ``options`` are those for the side of a state.
    """
    grown = [
        (state.cost + cost + _change(state, step), out, state, step)
        for state in states
        for cost, out, step in options[state.side]
    ]
    grown.sort(key=lambda item: item[0])
    kept: dict[int, list[Geometry]] = {}
    for cost, out, state, step in grown:
        of_side = kept.setdefault(out, [])
        if len(of_side) < _MAX_PER_SIDE:
            of_side.append(Geometry(cost, out, (*state.steps, step), state.start))
    return [item for items in kept.values() for item in items]
