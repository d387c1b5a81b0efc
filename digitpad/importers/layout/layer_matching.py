"""Chaining of matrices from the inputs to the outputs, so that each takes the outputs of the previous matrix."""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from digitpad.class_names import MAX_CLASSES
from digitpad.importers.layout.structure import N_PIXELS, Matrix
from digitpad.importers.layout.tensor_names import WEIGHT, NamedArray

MAX_UNITS = 100_000
_MAX_SEARCHED = 5_000


@dataclass(frozen=True, eq=False)
class LayerLink:
    """A matrix in a chain, with its orientation; ``folded`` states whether it includes the bias."""

    one: NamedArray
    n_in: int
    out_first: bool
    folded: bool

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        rows, columns = self.one.array.shape
        return rows if self.out_first else columns

    @property
    def is_square(self) -> bool:
        """Whether the matrix is square, so that its shape does not determine its orientation."""
        return self.one.array.shape == (self.n_in, self.n_in)

    def weight(self) -> Matrix:
        """Return the matrix of shape (n_in, n_out), or (n_in + 1, n_out) if it includes the bias."""
        array = np.asarray(self.one.array, np.float64)
        return array.T if self.out_first else array


@dataclass(frozen=True)
class BrokenChain:
    """Reason why matrices form no network; ``n_outputs`` is set if only the number of outputs is wrong."""

    problem: str
    n_outputs: int = 0

    @classmethod
    def by_outputs(cls, n: int, last: NamedArray, n_classes: int) -> "BrokenChain":
        """Return the reason for a last matrix with the wrong number of outputs."""
        if n_classes == 10:
            return cls(f"has {n} outputs ({last}); expected 10, one per digit, or class names", n)
        return cls(f"has {n} outputs ({last}), but there are {n_classes} class names", n)


def find_chain(
    matrices: list[NamedArray], n_in: int, n_classes: int
) -> tuple[list[LayerLink] | None, BrokenChain | None]:
    """Return the most likely chain of matrices from ``n_in`` inputs to the outputs, or the reason why there is none."""
    counter = itertools.count()
    queue: list[tuple[float, int, bool, tuple[int, ...], tuple[LayerLink, ...]]] = [(0.0, 0, False, (), ())]
    longest: tuple[LayerLink, ...] = ()
    for _ in range(_MAX_SEARCHED):
        if not queue:
            break
        cost, _, done, used, links = heapq.heappop(queue)
        if done:
            return list(links), None
        if len(links) > len(longest):
            longest = links
        n = links[-1].n_out if links else n_in
        if links and n == n_classes:
            extra = sum(_unused_cost(matrix, links) for place, matrix in enumerate(matrices) if place not in used)
            heapq.heappush(queue, (cost + extra, next(counter), True, used, links))
        for place, matrix in enumerate(matrices):
            if place not in used:
                for link in _links(matrix, n):
                    extra = _step_cost(matrices, used, place, links, link)
                    heapq.heappush(queue, (cost + extra, next(counter), False, (*used, place), (*links, link)))
    return None, _explain_break(longest, matrices, n_classes)


def _links(matrix: NamedArray, n: int) -> Iterator[LayerLink]:
    rows, columns = matrix.array.shape
    if max(rows, columns) > MAX_UNITS:
        return
    if columns == n:
        yield LayerLink(matrix, n, True, False)
    if rows == n and rows != columns:
        yield LayerLink(matrix, n, False, False)
    if columns == n + 1:
        yield LayerLink(matrix, n, True, True)
    if rows == n + 1:
        yield LayerLink(matrix, n, False, True)


def _step_cost(
    matrices: list[NamedArray], used: tuple[int, ...], place: int, links: tuple[LayerLink, ...], link: LayerLink
) -> float:
    cost = 0.3 * link.folded
    if not links:
        return cost + 0.01 * place
    last = links[-1]
    if place < used[-1]:
        cost += 1.5
    else:  # matrices of the same family that are skipped
        between = matrices[used[-1] + 1 : place]
        cost += 0.05 * len(between) + sum(matrix.family == link.one.family for matrix in between)
    if last.one.family != link.one.family:
        cost += 0.5
    if last.folded != link.folded:
        cost += 1
    if link.n_out == N_PIXELS:
        cost += 3
    if last.out_first != link.out_first and not last.is_square and not link.is_square:
        cost += 1
    return cost


def _unused_cost(matrix: NamedArray, links: tuple[LayerLink, ...]) -> float:
    """Return the cost of leaving a matrix out of a chain; one of the same shape is probably an optimizer's moment."""
    if any(matrix.family == link.one.family for link in links):
        return 5.0
    if any(sorted(matrix.array.shape) == sorted(link.one.array.shape) for link in links):
        return 0.0
    return 4.0 if matrix.says(WEIGHT) else 1.0


def _explain_break(links: tuple[LayerLink, ...], matrices: list[NamedArray], n_classes: int) -> BrokenChain | None:
    if not links:
        return None
    n, last = links[-1].n_out, links[-1].one
    used = {link.one.array.shape for link in links}
    following = next(
        (item for item in matrices if item.array.shape not in used and n_classes in item.array.shape), None
    )
    if following is not None:
        n_in = next((size for size in following.array.shape if size != n_classes), n_classes)
        return BrokenChain(
            f"holds layers that do not fit together: {last} has {n} outputs, but {following} takes {n_in} inputs"
        )
    if 2 <= n <= MAX_CLASSES:
        return BrokenChain.by_outputs(n, last, n_classes)
    return BrokenChain(
        f"is not complete: {last} has {n} outputs, but no matrix has {n} inputs; the last layer needs "
        f"{n_classes} outputs"
    )


def orientation(links: Sequence[LayerLink]) -> str:
    """Return the orientation of the matrices in a chain, as in `NetworkStructure.orientation`."""
    orientations = {link.out_first for link in links}
    return "mixed" if len(orientations) > 1 else "out, in" if True in orientations else "in, out"


def with_square(link: LayerLink, links: list[LayerLink], flipped: bool) -> LayerLink:
    """Return the link with the orientation of the non-square matrices if it is square; ``flipped``, the opposite."""
    if not link.is_square:
        return link
    others = [other.out_first for other in links if not other.is_square]
    out_first = sum(others) * 2 > len(others) if others else True
    return replace(link, out_first=out_first != flipped)
