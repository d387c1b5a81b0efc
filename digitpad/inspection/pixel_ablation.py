"""Softmax in steps, and the contribution of a single pixel to the logits, by ablation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats
from digitpad.nn.network import Network


@dataclass(frozen=True, eq=False)
class SoftmaxSteps:
    """Intermediate results of softmax with a temperature; each array has the shape (n_classes,).

    Attributes
    ----------
    logits, cooled : ndarray
        The network's logits, and the logits divided by the temperature.
    powers : ndarray
        exp(cooled - max(cooled)). The largest is 1, so nothing can overflow.
    total : float
        Sum of the powers.
    probabilities : ndarray
        powers / total.
    """

    logits: Floats
    cooled: Floats
    powers: Floats
    total: float
    probabilities: Floats


def softmax_steps(logits: Floats, temperature: float = 1.0) -> SoftmaxSteps:
    """Compute softmax with all intermediate results.

    A temperature above 1 makes the probabilities more equal, and a temperature below 1 less equal. Their order does not
    change.

    Raises
    ------
    ValueError
        If the temperature is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"the temperature must be above 0, not {temperature}")
    with np.errstate(over="ignore", invalid="ignore"):
        cooled = logits / logits.dtype.type(temperature)
        powers = np.exp(cooled - cooled.max())
        total = powers.sum()
        return SoftmaxSteps(logits, cooled, powers, float(total), powers / total)


@dataclass(frozen=True, eq=False)
class PixelContribution:
    """Contribution of one pixel to each logit.

    Attributes
    ----------
    row, column : int
    ink : int
        Value of the pixel, in 0..255.
    logits : ndarray of shape (n_classes,)
        Increase of each logit due to the pixel's ink. For a pixel without ink, the increase if it had full ink.
    """

    row: int
    column: int
    ink: int
    logits: Floats


def pixel_contribution(network: Network, image: NDArray[np.uint8], row: int, column: int) -> PixelContribution:
    """Compute the contribution of one pixel to each logit, for an image of shape (28, 28).

    Notes
    -----
    The contribution is measured by ablation: the pixel's ink is removed, and the network runs again. This is exact.
    Gradient × input assumes that the network is linear, and ignores that a ReLU can become inactive or that another
    input can become the maximum of a pooling window. For one pixel, ablation is also cheaper: one more forward pass
    instead of ten gradients. The effect of several pixels together may differ from the sum of their contributions;
    `Explainer.weigh` distributes the total effect among all pixels.
    """
    ink = int(image[row, column])
    pair = np.repeat(image[None], 2, axis=0)
    pair[0, row, column] = ink or 255
    pair[1, row, column] = 0
    with np.errstate(over="ignore", invalid="ignore"):
        with_ink, without = network.forward(pair)
        return PixelContribution(row, column, ink, with_ink - without)
