"""How pixels were scaled: the names of all ways, which of them are usual, and what they are made of here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.layout.structure import N_PIXELS, Matrix
from digitpad.importers.layout.tensor_names import MEAN, NORM, STD, VAR, named_arrays
from digitpad.nn.layers import Binarize, Layer, Rescale

SCALINGS: dict[str, tuple[float, float, float]] = {
    "x/255": (1 / 255, 0.0, 0.0),
    "0..255": (1.0, 0.0, 1.0),
    "(x/255 - 0.1307)/0.3081": (1 / 255 / 0.3081, -0.1307 / 0.3081, 1.1),
    "x/255 - 0.5": (1 / 255, -0.5, 1.2),
    "x/127.5 - 1": (1 / 127.5, -1.0, 1.3),
    "0.01..1": (0.99 / 255, 0.01, 1.4),
}
"""Factor and offset of each scaling that treats all pixels alike, and how unusual it is."""

_STRANGE_SCALINGS = {
    "x/255 - 0.1307": (1 / 255, -0.1307, 2.2),
    "1 - x/255": (-1 / 255, 1.0, 2.5),
    "x - 33.3": (1.0, -33.3, 2.6),
    "255 - x": (-1.0, 255.0, 3.0),
}
STRANGE = [(name, cost) for name, (_, _, cost) in _STRANGE_SCALINGS.items()]
"""Names of scalings that hardly anybody uses, and costs."""

_BINARISED = {"binarised": (0.5, 1.5), "binarised, x > 0": (0.0, 1.8)}
STANDARDISED, PER_PIXEL, CENTRED = "standardised", "standardised per pixel", "less the mean of each pixel"


@dataclass(frozen=True)
class StoredScaler:
    """A mean and a spread of the pixels that lie beside the weights: for all, or for each."""

    mean: Matrix
    std: Matrix


def find_stored_scalers(contents: TensorTree) -> list[StoredScaler]:
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
        found.append(StoredScaler(mean, np.where(alike[0] > 1e-7, alike[0], 1.0)))
    return found


def normalised(scaling: str) -> str:
    """The name of a scaling as it is known here, from how people write it."""
    plain = scaling.lower().replace(" ", "")
    aliases = {
        "raw": "0..255",
        "0-255": "0..255",
        "none": "0..255",
        "x": "0..255",
        "0..1": "x/255",
        "0-1": "x/255",
        "unit": "x/255",
        "x/255-.5": "x/255 - 0.5",
        "-0.5..0.5": "x/255 - 0.5",
        "-1..1": "x/127.5 - 1",
        "x/255*2-1": "x/127.5 - 1",
        "mnist": "(x/255 - 0.1307)/0.3081",
        "standardized": STANDARDISED,
        "perpixel": PER_PIXEL,
        "standardizedperpixel": PER_PIXEL,
        "binarized": "binarised",
        "binary": "binarised",
    }
    if plain in aliases:
        return aliases[plain]
    known = (*SCALINGS, *_STRANGE_SCALINGS, *_BINARISED, STANDARDISED, PER_PIXEL, CENTRED)
    for name in known:
        if name.replace(" ", "") == plain:
            return name
    raise ValueError(f"{scaling!r} is no scaling; there are {', '.join(known)}")


def common_scalings(beside: Sequence[StoredScaler]) -> list[tuple[str, float]]:
    """Names and costs; what lies beside the weights is likely what their pixels were scaled with."""
    found = [(name, cost) for name, (_, _, cost) in SCALINGS.items()]
    found += [(name, cost) for name, (_, cost) in _BINARISED.items()]
    per_pixel = any(one.mean.size > 1 for one in beside)
    found += [(PER_PIXEL, -1.0 if per_pixel else 2.0), (CENTRED, 2.5)]
    if any(one.mean.size == 1 for one in beside):
        found.append((STANDARDISED, -1.0))
    return sorted(found, key=lambda one: one[1])


def input_layers(scaling: str, beside: Sequence[StoredScaler], usual: StoredScaler) -> tuple[list[Layer], Any, Any]:
    """The first layers, and what else each pixel is multiplied by and added to it.

    Parameters
    ----------
    scaling : str
    beside : sequence of Beside
        What lies beside the weights.
    usual : Beside
        Each pixel's mean and spread for scalings that need them, where nothing lies beside.
    """
    if scaling in _BINARISED:
        return [Rescale(1 / 255), Binarize(_BINARISED[scaling][0])], 1.0, 0.0
    if scaling in SCALINGS or scaling in _STRANGE_SCALINGS:
        factor, offset, _ = (SCALINGS | _STRANGE_SCALINGS)[scaling]
        return [Rescale(factor, offset)], 1.0, 0.0
    if scaling == STANDARDISED:
        one = next((one for one in beside if one.mean.size == 1), None)
        of_all, spread = (33.3184, 78.5675) if one is None else (float(one.mean[0]), float(one.std[0]))
        # Means of pixels of 0..1 are small; a lone spread of 255 or so belongs to pixels of 0..255.
        unit = 1 / 255 if abs(of_all) <= 1.5 and spread <= 1.5 else 1.0
        return [Rescale(unit / spread, -of_all / spread)], 1.0, 0.0
    own = next((one for one in beside if one.mean.size > 1), None)
    mean, std = (usual.mean, usual.std) if own is None else (own.mean, own.std * np.ones(N_PIXELS))
    if scaling == CENTRED:
        std = np.ones_like(mean)
    if own is None and scaling == PER_PIXEL:
        std = np.where(std > 1e-7, std, 1.0)
    unit = 1 / 255 if np.abs(mean).max() <= 1.5 else 1.0
    return [Rescale(unit)], 1 / std, -mean / std
