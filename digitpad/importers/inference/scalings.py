"""Pixel scalings: their names, how common each is, and the layers that implement them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.layout.structure import N_PIXELS, Matrix
from digitpad.importers.layout.tensor_names import MEAN, NORM, STD, VAR, named_arrays
from digitpad.nn.layers import Binarize, Layer, Rescale, UnitNorm

SCALINGS: dict[str, tuple[float, float, float]] = {
    "x/255": (1 / 255, 0.0, 0.0),
    "0..255": (1.0, 0.0, 1.0),
    "(x/255 - 0.1307)/0.3081": (1 / 255 / 0.3081, -0.1307 / 0.3081, 1.1),
    "x/255 - 0.5": (1 / 255, -0.5, 1.2),
    "x/127.5 - 1": (1 / 127.5, -1.0, 1.3),
    "0.01..1": (0.99 / 255, 0.01, 1.4),
    "x/255/255": (1 / 255**2, 0.0, 1.7),  # scaled by the author, after a library had already done so
}
"""Factor, offset and cost (how uncommon it is) of each scaling that is the same for all pixels."""

USUAL_FOR_IMAGES = ("x/255", "(x/255 - 0.1307)/0.3081", "x/127.5 - 1", "x/255/255")
"""Scalings with which each geometry of a convolutional network is tried."""

_RARE_SCALINGS = {
    "x/255 - 0.1307": (1 / 255, -0.1307, 2.2),
    "1 - x/255": (-1 / 255, 1.0, 2.5),
    "x - 33.3": (1.0, -33.3, 2.6),
    "255 - x": (-1.0, 255.0, 3.0),
}
UNIT_COLUMNS = "unit columns"
_UNIT_NORMS = {UNIT_COLUMNS: ("columns", 1.6), "unit rows": ("rows", 2.3), "unit image": ("image", 2.4)}
"""Part of an image that is divided by its Euclidean norm, and cost, of each scaling by `keras.utils.normalize`."""

STRANGE = [
    *((name, cost) for name, (_, _, cost) in _RARE_SCALINGS.items()),
    *((name, cost) for name, (_, cost) in _UNIT_NORMS.items() if name != UNIT_COLUMNS),
]
"""Names and costs of rare scalings."""

_BINARISED = {"binarised": (0.5, 1.5), "binarised, x > 0": (0.0, 1.8)}
STANDARDISED, PER_PIXEL, CENTRED = "standardised", "standardised per pixel", "less the mean of each pixel"


@dataclass(frozen=True)
class StoredScaler:
    """Mean and standard deviation of the pixels, stored beside the weights; of shape (1,) or (784,)."""

    mean: Matrix
    std: Matrix


def find_stored_scalers(tensor_tree: TensorTree) -> list[StoredScaler]:
    """Find the means and standard deviations that are stored beside the weights to standardise pixels."""
    arrays = [
        item for item in named_arrays(tensor_tree.arrays) if item.array.size in (1, N_PIXELS) and not item.says(NORM)
    ]
    for name, number in tensor_tree.numbers.items():
        arrays += named_arrays({name: np.array([number])})
    arrays = [item for item in arrays if np.isfinite(item.vector).all()]
    means = [item.vector for item in arrays if item.says(MEAN)]
    stds = [item.vector for item in arrays if item.says(STD)]
    stds += [np.sqrt(np.maximum(item.vector, 0)) for item in arrays if item.says(VAR)]
    scalers = []
    for mean in means[:2]:
        matching = [std for std in stds if std.size in (1, mean.size)][:1] or [np.ones(1)]
        std = np.where(matching[0] > 1e-7, matching[0], 1.0)
        if mean.any() or (std != 1).any():  # otherwise it changes nothing, as scikit-learn's setting "average"
            scalers.append(StoredScaler(mean, std))
    return scalers


def normalised(scaling: str) -> str:
    """Return the name of a scaling from a common spelling.

    Raises
    ------
    ValueError
        If the scaling is unknown.
    """
    compact = scaling.lower().replace(" ", "")
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
        "normalize(axis=1)": UNIT_COLUMNS,
        "binarized": "binarised",
        "binary": "binarised",
    }
    if compact in aliases:
        return aliases[compact]
    known = (*SCALINGS, *_RARE_SCALINGS, *_BINARISED, *_UNIT_NORMS, STANDARDISED, PER_PIXEL, CENTRED)
    for name in known:
        if name.replace(" ", "") == compact:
            return name
    raise ValueError(f"unknown scaling {scaling!r}; choose from {', '.join(known)}")


def common_scalings(stored_scalers: Sequence[StoredScaler]) -> list[tuple[str, float]]:
    """Return names and costs of common scalings, most common first; stored means make their scaling the most likely."""
    scalings = [(name, cost) for name, (_, _, cost) in SCALINGS.items()]
    scalings += [(name, cost) for name, (_, cost) in _BINARISED.items()]
    scalings.append((UNIT_COLUMNS, _UNIT_NORMS[UNIT_COLUMNS][1]))
    per_pixel = any(item.mean.size > 1 for item in stored_scalers)
    scalings += [(PER_PIXEL, -1.0 if per_pixel else 2.0), (CENTRED, 2.5)]
    if any(item.mean.size == 1 for item in stored_scalers):
        scalings.append((STANDARDISED, -1.0))
    return sorted(scalings, key=lambda item: item[1])


def input_layers(
    scaling: str, stored_scalers: Sequence[StoredScaler], usual: StoredScaler
) -> tuple[list[Layer], Any, Any]:
    """Return the first layers of a scaling, and the remaining factor and offset of each pixel.

    Parameters
    ----------
    scaling : str
    stored_scalers : sequence of StoredScaler
        Means and standard deviations that are stored beside the weights.
    usual : StoredScaler
        Default mean and standard deviation of each pixel, for per-pixel scalings without stored values.
    """
    if scaling in _BINARISED:
        return [Rescale(1 / 255), Binarize(_BINARISED[scaling][0])], 1.0, 0.0
    if scaling in _UNIT_NORMS:
        return [Rescale(1 / 255), UnitNorm(_UNIT_NORMS[scaling][0])], 1.0, 0.0
    if scaling in SCALINGS or scaling in _RARE_SCALINGS:
        factor, offset, _ = (SCALINGS | _RARE_SCALINGS)[scaling]
        return [Rescale(factor, offset)], 1.0, 0.0
    if scaling == STANDARDISED:
        item = next((item for item in stored_scalers if item.mean.size == 1), None)
        mean_of_all, std_of_all = (33.3184, 78.5675) if item is None else (float(item.mean[0]), float(item.std[0]))
        # Small values belong to pixels in 0..1. A lone standard deviation of about 255 belongs to pixels in 0..255.
        unit = 1 / 255 if abs(mean_of_all) <= 1.5 and std_of_all <= 1.5 else 1.0
        return [Rescale(unit / std_of_all, -mean_of_all / std_of_all)], 1.0, 0.0
    stored = next((item for item in stored_scalers if item.mean.size > 1), None)
    mean, std = (usual.mean, usual.std) if stored is None else (stored.mean, stored.std * np.ones(N_PIXELS))
    if scaling == CENTRED:
        std = np.ones_like(mean)
    if stored is None and scaling == PER_PIXEL:
        std = np.where(std > 1e-7, std, 1.0)
    unit = 1 / 255 if np.abs(mean).max() <= 1.5 else 1.0
    return [Rescale(unit)], 1 / std, -mean / std
