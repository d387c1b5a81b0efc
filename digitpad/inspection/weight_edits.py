"""Edits of trained weights: switching off or scaling units, pruning small weights, quantising all weights."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from digitpad.inspection.trace import Block, blocks_of
from digitpad.nn.arrays import Floats
from digitpad.nn.network import Network
from digitpad.number_format import format_percent
from digitpad.weights.native_format import Weights, provenance

MAX_FACTOR = 2.0
MAX_PRUNED = 0.99
BITS = (8, 4)

_SCORES = ("validation_accuracy", "test_accuracy", "test_loss", "test_n")
"""Keys in `Weights.about` that are no longer valid after an edit."""


@dataclass(frozen=True, order=True)
class UnitFactor:
    """Factor for the output of a unit or feature map in a hidden block, as received by the next block."""

    block: int
    unit: int
    factor: float


@dataclass(frozen=True)
class WeightEdits:
    """Edits of weights, applied in this order: pruning, factors, quantisation. By default, there are no edits.

    Attributes
    ----------
    pruned : float
        Share of the network's weights that are set to 0, the smallest by absolute value.
    factors : tuple of UnitFactor
        Sorted, with at most one factor per unit. 0 switches a unit off.
    bits : int, optional
        Bits per weight. Each weight is rounded to the nearest of 2^bits - 1 evenly spaced levels, from -m to m, where m
        is the largest absolute weight of the unit.
    """

    pruned: float = 0.0
    factors: tuple[UnitFactor, ...] = ()
    bits: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.pruned <= MAX_PRUNED:
            raise ValueError(f"the share of pruned weights must be 0 to {MAX_PRUNED}, not {self.pruned}")
        if self.bits is not None and self.bits not in BITS:
            raise ValueError(f"weights can be quantised to {' or '.join(map(str, BITS))} bits, not {self.bits}")

    def factor(self, block: int, unit: int) -> float:
        """Return the factor of a unit; 1 by default."""
        return next((item.factor for item in self.factors if (item.block, item.unit) == (block, unit)), 1.0)

    def with_factor(self, block: int, unit: int, factor: float) -> "WeightEdits":
        """Return the same edits with a different factor for one unit; a factor of 1 removes the edit."""
        others = [item for item in self.factors if (item.block, item.unit) != (block, unit)]
        changed = [] if factor == 1 else [UnitFactor(block, unit, factor)]
        return replace(self, factors=tuple(sorted(others + changed)))

    def apply(self, weights: Weights) -> Weights:
        """Return the edited weights. Their `about` records the edits and has no outdated scores.

        Raises
        ------
        ValueError
            If a factor is for a unit that does not exist or is not in a hidden block.
        """
        if self == WeightEdits():
            return weights
        network = weights.network()
        blocks = blocks_of(network)
        self._prune(network)
        for item in self.factors:
            if not (0 < item.block < len(blocks) - 1 and 0 <= item.unit < blocks[item.block].n_units):
                raise ValueError(f"there is no hidden unit {item.unit} in block {item.block}")
            _scale(network, blocks[item.block], blocks[item.block + 1], item)
        self._quantise(network)
        about = {key: value for key, value in weights.about.items() if key not in _SCORES}
        earlier = weights.about.get("edited")
        edited = [*(earlier if isinstance(earlier, list) else []), self._provenance(weights, blocks)]
        stem = weights.name.removesuffix(".npz").removesuffix("-edited")
        about["edited"] = edited
        return replace(weights, name=f"{stem}-edited.npz", parameters=network.parameters, about=about)

    def descriptions(self, blocks: tuple[Block, ...]) -> list[str]:
        """Return a short description of each edit."""
        lines = []
        if self.pruned:
            lines.append(f"{format_percent(self.pruned, 0)} of weights pruned")
        for item in self.factors:
            block = blocks[item.block]
            unit = f"{block.name}, {'map' if block.has_maps else 'unit'} {item.unit}"
            lines.append(f"{unit} off" if item.factor == 0 else f"{unit} × {item.factor:g}")
        if self.bits:
            lines.append(f"{self.bits} bits per weight")
        return lines

    def _provenance(self, weights: Weights, blocks: tuple[Block, ...]) -> dict[str, Any]:
        return {
            "from": weights.name,
            "pruned": self.pruned,
            "factors": [
                {"layer": blocks[item.block].begin, "unit": item.unit, "by": item.factor} for item in self.factors
            ],
            "bits": self.bits,
            **provenance(),
        }

    def _prune(self, network: Network) -> None:
        slices = network.weights()
        sizes = np.abs(np.concatenate([network.parameters[part] for part in slices]))
        n = int(self.pruned * len(sizes))
        if not n:
            return
        mask = np.ones(len(sizes), np.float32)
        mask[np.argpartition(sizes, n - 1)[:n]] = 0
        begin = 0
        for part in slices:
            end = begin + part.stop - part.start
            network.parameters[part] *= mask[begin:end]
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
    """Return the number of weights in a network, and the number of weights that are not 0."""
    parts = [network.parameters[part] for part in network.weights()]
    return sum(map(len, parts)), sum(int(np.count_nonzero(part)) for part in parts)


def _scale(network: Network, block: Block, following: Block, unit_factor: UnitFactor) -> None:
    """Multiply the output of a unit by its factor, as received by the next block.

    This scales the unit's outgoing weights, which is exact regardless of the activation, normalisation or pooling in
    between. Scaling its incoming weights would not be exact.
    """
    weight = network.layers[following.begin].parameters["weight"]
    if weight.ndim == 4:  # (kernel, kernel, n_inputs, channels)
        weight[:, :, unit_factor.unit] *= unit_factor.factor
    else:  # Flatten orders elements as (height, width, channels)
        weight.reshape(-1, block.n_units, weight.shape[1])[:, unit_factor.unit] *= unit_factor.factor
