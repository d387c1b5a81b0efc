"""Shuffled and augmented batches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.augmentation.augment import Augmentation, Augmenter
from digitpad.datasets.dataset import Digits
from digitpad.datasets.sorted_pixels import SortedPixels
from digitpad.nn.arrays import Scratch


class Batches:
    """Shuffled passes over a set of digits, in reused arrays; the set is never copied whole.

    Parameters
    ----------
    digits : Digits
    batch_size : int
        Digits per batch; the last batch of a pass may be smaller.
    rng : numpy.random.Generator
        Generator for the order of each pass and the augmentation of each batch.
    augmentation : Augmentation
    plain : float
        Share of each batch that is not augmented.

    Attributes
    ----------
    order : ndarray of int32, shape (n_digits,), or None
        Order of the current pass, if there is one.
    sorted_pixels : SortedPixels or None
        Sorted copy of the images. If it is set, batches hold a prefix of the sorted pixels, and are not augmented.
    cursor : int
        Number of digits of that order already returned. Together with the generator's state, ``order`` and ``cursor``
        determine all batches that follow.
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
        self.sorted_pixels: SortedPixels | None = None
        self.set_augmentation(augmentation)

    def __len__(self) -> int:
        """Return the number of batches per pass."""
        return -(-len(self._digits) // self._batch_size)

    def set_augmentation(self, augmentation: Augmentation | None) -> None:
        """Set the augmentation from the next batch on; None turns it off."""
        self._augment = Augmenter(augmentation) if augmentation else None

    def augmented(self, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return augmented images, the first ``plain`` share of them unchanged; valid until the next call."""
        if self._augment is None:
            return images
        changed = self._augment(images, rng)
        n_plain = round(self._plain * len(images))
        changed[:n_plain] = images[:n_plain]
        return changed

    def one_pass(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Yield the remaining batches of the current pass, or the batches of a new pass.

        A batch is images of shape (n, 28, 28), or sorted pixels of shape (n, length of the prefix), and labels of shape
        (n,), all uint8, valid until the next batch.
        """
        images, labels = self._digits.images, self._digits.labels
        if self.order is None:
            self.order, self.cursor = self._rng.permutation(len(labels)).astype(np.int32), 0
        while self.cursor < len(self.order):
            chosen = self.order[self.cursor : self.cursor + self._batch_size]
            self.cursor += len(chosen)
            # With mode="clip", np.take writes into ``out`` without an intermediate buffer.
            chosen_labels = np.take(labels, chosen, mode="clip", out=self._scratch("labels", chosen.shape))
            if self.sorted_pixels is not None:
                yield self.sorted_pixels.batch(chosen), chosen_labels
                continue
            batch = np.take(
                images, chosen, axis=0, mode="clip", out=self._scratch("images", (len(chosen), *images.shape[1:]))
            )
            yield self.augmented(batch, self._rng), chosen_labels
        self.order = None
