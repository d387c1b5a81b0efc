"""Hints about common training problems, each with the figure behind it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats
from digitpad.nn.layers import ReLU
from digitpad.nn.network import Network
from digitpad.number_format import format_percent
from digitpad.training.events import EpochDone, Progress, StepDone

if TYPE_CHECKING:
    from digitpad.training.trainer import Trainer

_DEAD = 0.3
_OVERFITTING = 1.5
_GUESSING = 0.9


def hints(losses: Floats, epochs: Sequence[EpochDone], dead: float, n_classes: int = 10) -> list[str]:
    """Return a hint for each problem found, the most serious first; usually an empty list.

    Parameters
    ----------
    losses : ndarray of shape (n_steps,)
        Loss of each step so far.
    epochs : sequence of EpochDone
        Epochs so far, starting with epoch 0, the untrained network.
    dead : float
        Share of units that are never active, from `dead_share`.
    n_classes : int
        Number of classes; guessing has a loss of log(n_classes).
    """
    messages = []
    chance_loss = float(np.log(n_classes))
    losses = losses[np.isfinite(losses)]
    if len(losses) >= 100:
        begin, now, highest = float(losses[0]), float(losses[-50:].mean()), float(losses.max())
        lowest = float(np.convolve(losses, np.full(50, 1 / 50), "valid").min())
        if now > 3 * lowest + 0.3:
            messages.append(f"The learning rate may be too high: the loss rose from {lowest:.2g} to {now:.2g}.")
        elif now > _GUESSING * chance_loss and highest > 1.5 * begin:
            messages.append(
                f"The learning rate may be too high: the loss jumped from {begin:.2f} to {highest:.2g} and is now "
                f"{now:.2f}; guessing gives {chance_loss:.2f}."
            )
        elif now > _GUESSING * chance_loss:
            messages.append(
                f"The learning rate may be too low: after {len(losses):,} steps the loss is {now:.2f}; it "
                f"started at {begin:.2f}."
            )
    if dead > _DEAD:
        messages.append(
            f"{format_percent(dead, 0)} of the units are never active and cannot learn. "
            f"Try a lower learning rate or leaky ReLU."
        )
    scored = [epoch for epoch in epochs if epoch.epoch > 0]
    if len(scored) >= 4:
        best = min(scored, key=lambda epoch: epoch.validation.loss)
        last = scored[-1]
        if last.validation.loss > _OVERFITTING * best.validation.loss and last.training.loss < best.training.loss:
            messages.append(
                f"The network overfits: since epoch {best.epoch} the validation loss has risen from "
                f"{best.validation.loss:.3f} to {last.validation.loss:.3f}, while the training loss falls. "
                f"Try augmentation or dropout."
            )
    return messages


class HintMonitor:
    """Collector of training progress that returns each kind of hint once, after the epoch in which it is found.

    Attributes
    ----------
    found : list of str
        All hints so far.
    """

    def __init__(self, trainer: "Trainer") -> None:
        self._trainer = trainer
        self._losses: list[float] = []
        self._epochs: list[EpochDone] = []
        self._kinds: set[str] = set()
        self.found: list[str] = []

    def new_hints(self, progress: Progress) -> list[str]:
        """Return hints of a kind that was not returned before, if an epoch is done; else an empty list."""
        if isinstance(progress, StepDone):
            self._losses.append(progress.loss)
        if not isinstance(progress, EpochDone):
            return []
        self._epochs.append(progress)
        return self.hints_now()

    def hints_now(self) -> list[str]:
        """Return hints of a kind that was not returned before, from all steps so far."""
        trainer = self._trainer
        dead = 0.0 if trainer.batch is None else dead_share(trainer.network, trainer.batch)
        new = []
        for hint in hints(np.array(self._losses), self._epochs, dead, len(trainer.class_names)):
            kind = " ".join(word for word in hint.split(":")[0].split() if word.isalpha())
            if kind not in self._kinds:
                self._kinds.add(kind)
                new.append(hint)
        self.found += new
        return new


def dead_share(network: Network, images: NDArray[np.uint8]) -> float:
    """Return the share of units after a `ReLU` that are 0 for all of these images.

    A feature map counts as one unit; it is dead if it is 0 everywhere.
    """
    n_units = n_dead = 0
    x: NDArray[Any] = images
    for layer in network.layers:
        x = layer.forward(x, training=False)
        if isinstance(layer, ReLU):
            active = x.reshape(-1, x.shape[-1]).max(axis=0) > 0
            n_units += active.size
            n_dead += int((~active).sum())
    return n_dead / n_units if n_units else 0.0
