"""Hints where a training is plainly going wrong, each with the figure behind it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats
from digitpad.nn.layers import ReLU
from digitpad.nn.network import Network
from digitpad.training.events import EpochDone

_DEAD = 0.3
_OVERFITTING = 1.5
_GUESSING = 0.9


def hints(losses: Floats, epochs: Sequence[EpochDone], dead: float, n_classes: int = 10) -> list[str]:
    """What is plainly wrong, the worst first; mostly nothing.

    Parameters
    ----------
    losses : ndarray of shape (n_steps,)
        Of the steps so far.
    epochs : sequence of EpochDone
        Those so far, the untrained network first.
    dead : float
        The share of units that never fire, as `dead_share` tells.
    n_classes : int
        Among which who guesses does.
    """
    found = []
    chance_loss = float(np.log(n_classes))
    losses = losses[np.isfinite(losses)]
    if len(losses) >= 100:
        begin, now, highest = float(losses[0]), float(losses[-50:].mean()), float(losses.max())
        lowest = float(np.convolve(losses, np.full(50, 1 / 50), "valid").min())
        if now > 3 * lowest + 0.3:
            found.append(f"The learning rate may be too high: the loss rose from {lowest:.2g} to {now:.2g}.")
        elif now > _GUESSING * chance_loss and highest > 1.5 * begin:
            found.append(
                f"The learning rate may be too high: the loss jumped from {begin:.2f} to {highest:.2g}, and is now "
                f"{now:.2f}; guessing has {chance_loss:.2f}."
            )
        elif now > _GUESSING * chance_loss:
            found.append(
                f"The learning rate may be too low: after {len(losses):,} steps the loss is {now:.2f}, and was "
                f"{begin:.2f} at first."
            )
    if dead > _DEAD:
        found.append(
            f"{dead:.0%} of the units never fire and learn nothing; a lower rate or leaky ReLU keeps them alive."
        )
    scored = [epoch for epoch in epochs if epoch.epoch > 0]
    if len(scored) >= 4:
        best = min(scored, key=lambda epoch: epoch.validation.loss)
        last = scored[-1]
        if last.validation.loss > _OVERFITTING * best.validation.loss and last.training.loss < best.training.loss:
            found.append(
                f"It overfits: since epoch {best.epoch} the validation loss rose from {best.validation.loss:.3f} to "
                f"{last.validation.loss:.3f}, while that of training falls. Augmentation or dropout help."
            )
    return found


def dead_share(network: Network, images: NDArray[np.uint8]) -> float:
    """The share of units after a `ReLU` that are 0 for every one of these images; of a feature map, all of it."""
    n_units = n_dead = 0
    x: NDArray[Any] = images
    for layer in network.layers:
        x = layer.forward(x, training=False)
        if isinstance(layer, ReLU):
            fires = x.reshape(-1, x.shape[-1]).max(axis=0) > 0
            n_units += fires.size
            n_dead += int((~fires).sum())
    return n_dead / n_units if n_units else 0.0
