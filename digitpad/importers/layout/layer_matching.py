"""Matrices in a row, from so many numbers to the outputs: each takes as many as the one before gives."""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from digitpad.class_names import MAX_CLASSES
from digitpad.importers.layout.structure import N_PIXELS, Matrix
from digitpad.importers.layout.tensor_names import WEIGHT, NamedArray

MAX_UNITS = 20_000
_MAX_SEARCHED = 5_000


@dataclass(frozen=True, eq=False)
class LayerLink:
    """A matrix in its place: which way round, and whether it holds the bias as well."""

    one: NamedArray
    n_in: int
    out_first: bool
    folded: bool

    @property
    def n_out(self) -> int:
        """How many numbers it gives."""
        rows, columns = self.one.array.shape
        return rows if self.out_first else columns

    @property
    def is_square(self) -> bool:
        """Whether its shape does not tell which way round it is."""
        return self.one.array.shape == (self.n_in, self.n_in)

    def weight(self) -> Matrix:
        """The matrix of shape (n_in, n_out), one row longer where it holds the bias."""
        array = np.asarray(self.one.array, np.float64)
        return array.T if self.out_first else array


@dataclass(frozen=True)
class BrokenChain:
    """Why matrices make no network; ``n_outputs`` where they do, but of another number of outputs."""

    problem: str
    n_outputs: int = 0

    @classmethod
    def by_outputs(cls, n: int, last: NamedArray, n_classes: int) -> "BrokenChain":
        """What to say of a last matrix's outputs that are not as many as they should be."""
        if n_classes == 10:
            return cls(f"has {n} outputs ({last}); 10 are needed, one a digit, or class names", n)
        return cls(f"has {n} outputs ({last}), but there are {n_classes} class names", n)


def find_chain(
    matrices: list[NamedArray], n_in: int, n_classes: int
) -> tuple[list[LayerLink] | None, BrokenChain | None]:
    """The likeliest row of matrices from ``n_in`` numbers to the outputs, or why there is none."""
    counter = itertools.count()
    waiting: list[tuple[float, int, bool, tuple[int, ...], tuple[LayerLink, ...]]] = [(0.0, 0, False, (), ())]
    longest: tuple[LayerLink, ...] = ()
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


def _links(one: NamedArray, n: int) -> Iterator[LayerLink]:
    rows, columns = one.array.shape
    if max(rows, columns) > MAX_UNITS:
        return
    if columns == n:
        yield LayerLink(one, n, True, False)
    if rows == n and rows != columns:
        yield LayerLink(one, n, False, False)
    if columns == n + 1:
        yield LayerLink(one, n, True, True)
    if rows == n + 1:
        yield LayerLink(one, n, False, True)


def _step_cost(
    matrices: list[NamedArray], used: tuple[int, ...], place: int, links: tuple[LayerLink, ...], link: LayerLink
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


def _left_cost(one: NamedArray, links: tuple[LayerLink, ...]) -> float:
    """How unlikely a chain is that does without this matrix; another of the same shape may well be a moment."""
    if any(one.family == link.one.family for link in links):
        return 5.0
    if any(sorted(one.array.shape) == sorted(link.one.array.shape) for link in links):
        return 0.0
    return 4.0 if one.says(WEIGHT) else 1.0


def _broken(links: tuple[LayerLink, ...], n_classes: int) -> BrokenChain | None:
    if not links:
        return None
    n, last = links[-1].n_out, links[-1].one
    if 2 <= n <= MAX_CLASSES:
        return BrokenChain.by_outputs(n, last, n_classes)
    return BrokenChain(
        f"is not complete: {last} gives {n} numbers, and no matrix takes {n}; layers down to {n_classes} outputs "
        "would fit"
    )


def orientation(links: Sequence[LayerLink]) -> str:
    """How the matrices of a chain lie, as `Structure.orientation` says it."""
    ways = {link.out_first for link in links}
    return "mixed" if len(ways) > 1 else "out, in" if True in ways else "in, out"


def with_square(link: LayerLink, links: list[LayerLink], flipped: bool) -> LayerLink:
    """A square matrix turned as the others are."""
    if not link.is_square:
        return link
    others = [other.out_first for other in links if not other.is_square]
    out_first = sum(others) * 2 > len(others) if others else True
    return replace(link, out_first=out_first != flipped)
