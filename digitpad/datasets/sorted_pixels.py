"""Images with their pixels sorted by how often they carry ink: beyond a short prefix, a batch of them is blank."""

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Ints, Scratch

_SAMPLE = 10_000  # images that decide the order; more would hardly change it
_WORD = 8  # pixels in a 64-bit word; prefixes are whole words, which are searched several times faster than pixels


class SortedPixels:
    """Copy of images as rows of pixels, those that carry ink in most images first.

    No image of 128 in MNIST has ink in the last sixth of these pixels, so a dense first layer can leave out a sixth of
    its products, and the result is the same except for the order of summation.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, height, width)
        The number of pixels is a multiple of 8.

    Attributes
    ----------
    lengths : ndarray of int, shape (n,)
        Number of sorted pixels up to the last one with ink, rounded up to a multiple of 8.
    """

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._image_shape = images.shape[1:]
        flat = images.reshape(len(images), -1)
        self._order = np.argsort(-np.count_nonzero(flat[:_SAMPLE], axis=0), kind="stable")
        self._pixels = np.take(flat, self._order, axis=1, mode="clip")
        has_ink = self._pixels.view(np.uint64) != 0
        self.lengths: Ints = flat.shape[1] - _WORD * has_ink[:, ::-1].argmax(axis=1)
        self._scratch = Scratch(np.uint8)

    def prefix_share(self, batch_size: int) -> float:
        """Return the length of the prefix of a typical batch, as a share of all pixels."""
        # In half of the batches, all images are below this quantile.
        return float(np.quantile(self.lengths, 0.5 ** (1 / batch_size))) / self._pixels.shape[1]

    def batch(self, chosen: Ints) -> NDArray[np.uint8]:
        """Return the sorted pixels of the chosen images up to the last one with ink, valid until the next call."""
        out = self._scratch("batch", (len(chosen), self._pixels.shape[1]))
        # With mode="clip", np.take writes into ``out`` without an intermediate buffer.
        return np.take(self._pixels, chosen, axis=0, mode="clip", out=out)[:, : self.lengths[chosen].max()]

    def images(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the images of a batch, in a new array of shape (n, height, width); the inverse of `batch`."""
        flat = np.zeros((len(batch), len(self._order)), np.uint8)
        flat[:, self._order[: batch.shape[1]]] = batch
        return flat.reshape(-1, *self._image_shape)

    def sort(self, weight: Floats) -> None:
        """Sort the rows of a first layer's weights like the pixels that they belong to, in place."""
        weight[:] = weight[self._order]

    def unsort(self, weight: Floats) -> None:
        """Restore the order of rows before `sort`, in place."""
        weight[self._order] = weight.copy()
