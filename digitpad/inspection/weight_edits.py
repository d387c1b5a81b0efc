"""Edits of trained weights: units switched off or scaled, small weights pruned, all of them quantised."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from digitpad.inspection.trace import Block, blocks_of
from digitpad.nn.arrays import Floats
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights, provenance

MAX_FACTOR = 2.0
MAX_PRUNED = 0.99
BITS = (8, 4)

_SCORES = ("validation_accuracy", "test_accuracy", "test_loss", "test_n")
"""What is known of the weights as they were, and no longer holds."""


@dataclass(frozen=True, order=True)
class UnitFactor:
    """What a unit or a feature map of a hidden block tells the next one is multiplied by this."""

    block: int
    unit: int
    factor: float


@dataclass(frozen=True)
class WeightEdits:
    """Edits of weights, done in this order: pruning, factors, quantising. As it stands, none at all.

    Attributes
    ----------
    pruned : float
        The share of all weights, the smallest of the network, that become 0.
    factors : tuple of UnitFactor
        In order, at most one for a unit; 0 is off.
    bits : int, optional
        Each weight becomes the nearest of 2^bits - 1 numbers that lie evenly from minus to plus the largest of its
        unit's weights.
    """

    pruned: float = 0.0
    factors: tuple[UnitFactor, ...] = ()
    bits: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.pruned <= MAX_PRUNED:
            raise ValueError(f"0 to {MAX_PRUNED} of the weights can be pruned, not {self.pruned}")
        if self.bits is not None and self.bits not in BITS:
            raise ValueError(f"weights are quantised to {' or '.join(map(str, BITS))} bits, not {self.bits}")

    def factor(self, block: int, unit: int) -> float:
        """By what a unit is multiplied."""
        return next((one.factor for one in self.factors if (one.block, one.unit) == (block, unit)), 1.0)

    def with_factor(self, block: int, unit: int, factor: float) -> "WeightEdits":
        """The same edits, with another factor for a unit; 1 is as it was."""
        others = [one for one in self.factors if (one.block, one.unit) != (block, unit)]
        mine = [] if factor == 1 else [UnitFactor(block, unit, factor)]
        return replace(self, factors=tuple(sorted(others + mine)))

    def apply(self, weights: Weights) -> Weights:
        """Edited weights; what is known of them says what was done, and no scores that no longer hold.

        Raises
        ------
        ValueError
            If a factor is for a unit that is not there, or not hidden.
        """
        if self == WeightEdits():
            return weights
        network = weights.network()
        blocks = blocks_of(network)
        self._prune(network)
        for one in self.factors:
            if not (0 < one.block < len(blocks) - 1 and 0 <= one.unit < blocks[one.block].n_units):
                raise ValueError(f"there is no hidden unit {one.unit} in block {one.block}")
            _scale(network, blocks[one.block], blocks[one.block + 1], one)
        self._quantise(network)
        known = {key: value for key, value in weights.about.items() if key not in _SCORES}
        earlier = weights.about.get("edited")
        edited = [*(earlier if isinstance(earlier, list) else []), self._provenance(weights, blocks)]
        stem = weights.name.removesuffix(".npz").removesuffix("-edited")
        about = known | {"edited": edited}
        return replace(weights, name=f"{stem}-edited.npz", parameters=network.parameters, about=about)

    def said(self, blocks: tuple[Block, ...]) -> list[str]:
        """Each edit in words."""
        lines = []
        if self.pruned:
            lines.append(f"{100 * self.pruned:.0f} % of the weights pruned")
        for one in self.factors:
            block = blocks[one.block]
            what = f"{block.name}, {'map' if block.has_maps else 'unit'} {one.unit}"
            lines.append(f"{what} off" if one.factor == 0 else f"{what} × {one.factor:g}")
        if self.bits:
            lines.append(f"Weights of {self.bits} bits")
        return lines

    def _provenance(self, weights: Weights, blocks: tuple[Block, ...]) -> dict[str, Any]:
        return {
            "from": weights.name,
            "pruned": self.pruned,
            "factors": [{"layer": blocks[one.block].begin, "unit": one.unit, "by": one.factor} for one in self.factors],
            "bits": self.bits,
            **provenance(),
        }

    def _prune(self, network: Network) -> None:
        where = network.weights()
        sizes = np.abs(np.concatenate([network.parameters[part] for part in where]))
        n = int(self.pruned * len(sizes))
        if not n:
            return
        keeps = np.ones(len(sizes), np.float32)
        keeps[np.argpartition(sizes, n - 1)[:n]] = 0
        begin = 0
        for part in where:
            end = begin + part.stop - part.start
            network.parameters[part] *= keeps[begin:end]
            begin = end

    def _quantise(self, network: Network) -> None:
        if self.bits is None:
            return
        levels = 2 ** (self.bits - 1) - 1
        for layer in network.layers:
            for name in layer.weights:
                weight = layer.parameters[name]
                by_unit: Floats = weight.reshape(-1, weight.shape[-1])
                step = np.abs(by_unit).max(axis=0) / levels
                step[step == 0] = 1
                by_unit[...] = np.rint(by_unit / step) * step


def n_weights(network: Network) -> tuple[int, int]:
    """How many weights a network has, and how many of them are not 0."""
    parts = [network.parameters[part] for part in network.weights()]
    return sum(map(len, parts)), sum(int(np.count_nonzero(part)) for part in parts)


def _scale(network: Network, block: Block, following: Block, one: UnitFactor) -> None:
    """Multiply what the next block hears of a unit.

    The weights that lead on from it do that exactly, whatever activation, norm or pool lies before them; those that
    lead to it would not.
    """
    weight = network.layers[following.begin].parameters["weight"]
    if weight.ndim == 4:  # (kernel, kernel, n_inputs, channels)
        weight[:, :, one.unit] *= one.factor
    else:  # Flatten puts a place's channels beside each other
        weight.reshape(-1, block.n_units, weight.shape[1])[:, one.unit] *= one.factor
