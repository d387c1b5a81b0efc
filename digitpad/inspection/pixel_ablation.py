"""The way from logits to probabilities, step by step, and what one pixel has to do with them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats
from digitpad.nn.network import Network


@dataclass(frozen=True, eq=False)
class SoftmaxSteps:
    """Softmax of logits that are divided by a temperature first; each array is of shape (n_classes,).

    Attributes
    ----------
    logits, cooled : ndarray
        As the network gives them, and divided by the temperature.
    powers : ndarray
        exp(cooled - max(cooled)): the largest is 1, and nothing can overflow.
    total : float
        Of the powers.
    probabilities : ndarray
        powers / total.
    """

    logits: Floats
    cooled: Floats
    powers: Floats
    total: float
    probabilities: Floats


def softmax_steps(logits: Floats, temperature: float = 1.0) -> SoftmaxSteps:
    """Softmax with all that lies between.

    A temperature above 1 makes probabilities more alike, one below 1 less; the order stays.

    Raises
    ------
    ValueError
        If the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, not {temperature}")
    with np.errstate(over="ignore", invalid="ignore"):
        cooled = logits / logits.dtype.type(temperature)
        powers = np.exp(cooled - cooled.max())
        total = powers.sum()
        return SoftmaxSteps(logits, cooled, powers, float(total), powers / total)


@dataclass(frozen=True, eq=False)
class PixelContribution:
    """What a pixel does to each logit.

    Attributes
    ----------
    row, column : int
    ink : int
        Of 0..255.
    logits : ndarray of shape (n_classes,)
        How much larger each is with the pixel's ink than without it; of a pixel without ink, how much larger it would
        be with full ink.
    """

    row: int
    column: int
    ink: int
    logits: Floats


def pixel_contribution(network: Network, image: NDArray[np.uint8], row: int, column: int) -> PixelContribution:
    """What one pixel of an image of shape (28, 28) does to each logit.

    Notes
    -----
    It is asked by taking the pixel's ink away, and reading again. That is what the network does, to the last digit,
    where gradient × input is what it would do if it were linear: a ReLU that falls silent, or another winner of a pool,
    is not in it. For one pixel it is also cheaper, one more image to read against ten gradients. Several pixels
    together may do more or less than the sum of what each does; `Explainer.weigh` shares the whole out among all.
    """
    ink = int(image[row, column])
    pair = np.repeat(image[None], 2, axis=0)
    pair[0, row, column] = ink or 255
    pair[1, row, column] = 0
    with np.errstate(over="ignore", invalid="ignore"):
        with_ink, without = network.forward(pair)
        return PixelContribution(row, column, ink, with_ink - without)
