"""Shuffled batches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.augment import Augmentation, Augmenter
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
    """

    def __init__(
        self, digits: Digits, batch_size: int, rng: np.random.Generator, augmentation: Augmentation | None = None
    ) -> None:
        self._digits = digits
        self._batch_size = batch_size
        self._rng = rng
        self._augment = Augmenter(augmentation) if augmentation else None
        self._scratch = Scratch(np.uint8)

    def __len__(self) -> int:
        """Batches a pass."""
        return -(-len(self._digits) // self._batch_size)

    def one_pass(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Images of shape (n, 28, 28) and labels of shape (n,), good until the next batch is asked for."""
        images, labels = self._digits.images, self._digits.labels
        order = self._rng.permutation(len(labels))
        for begin in range(0, len(order), self._batch_size):
            chosen = order[begin : begin + self._batch_size]
            # mode="clip" lets take write into ``out`` without a buffer between.
            batch = np.take(
                images, chosen, axis=0, mode="clip", out=self._scratch("images", (len(chosen), *images.shape[1:]))
            )
            if self._augment is not None:
                batch = self._augment(batch, self._rng)
            yield batch, np.take(labels, chosen, mode="clip", out=self._scratch("labels", chosen.shape))
