"""Shuffled batches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.augmentation.augment import Augmentation, Augmenter
from digitpad.datasets.dataset import Digits
from digitpad.nn.arrays import Scratch


class Batches:
    """Passes over digits in an order of their own, in arrays that are used again; the digits are never copied whole.

    Parameters
    ----------
    digits : Digits
    batch_size : int
        The last batch of a pass holds what is left.
    rng : numpy.random.Generator
        Draws the order of each pass, and the augmentation of each batch.
    augmentation : Augmentation
    plain : float
        The share of each batch that is not augmented.

    Attributes
    ----------
    order : ndarray of int32, shape (n_digits,), or None
        That of the pass under way, if there is one.
    cursor : int
        How many digits of that order were given already. With the generator's state, these two say all of what comes.
    """

    def __init__(
        self,
        digits: Digits,
        batch_size: int,
        rng: np.random.Generator,
        augmentation: Augmentation | None = None,
        plain: float = 0.0,
    ) -> None:
        self._digits = digits
        self._batch_size = batch_size
        self._rng = rng
        self._plain = plain
        self._scratch = Scratch(np.uint8)
        self.order: NDArray[np.int32] | None = None
        self.cursor = 0
        self.set_augmentation(augmentation)

    def __len__(self) -> int:
        """Batches a pass."""
        return -(-len(self._digits) // self._batch_size)

    def set_augmentation(self, augmentation: Augmentation | None) -> None:
        """Change digits in this way from the next batch on."""
        self._augment = Augmenter(augmentation) if augmentation else None

    def augmented(self, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """The images as training sees them, the first ones plain; good until the next call."""
        if self._augment is None:
            return images
        changed = self._augment(images, rng)
        n_plain = round(self._plain * len(images))
        changed[:n_plain] = images[:n_plain]
        return changed

    def one_pass(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """What is left of the pass under way, or else a new one.

        Images of shape (n, 28, 28) and labels of shape (n,), good until the next batch is asked for.
        """
        images, labels = self._digits.images, self._digits.labels
        if self.order is None:
            self.order, self.cursor = self._rng.permutation(len(labels)).astype(np.int32), 0
        while self.cursor < len(self.order):
            chosen = self.order[self.cursor : self.cursor + self._batch_size]
            self.cursor += len(chosen)
            # mode="clip" lets take write into ``out`` without a buffer between.
            batch = np.take(
                images, chosen, axis=0, mode="clip", out=self._scratch("images", (len(chosen), *images.shape[1:]))
            )
            yield (
                self.augmented(batch, self._rng),
                np.take(labels, chosen, mode="clip", out=self._scratch("labels", chosen.shape)),
            )
        self.order = None
