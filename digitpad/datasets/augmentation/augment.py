"""Data augmentation: random distortions of each digit that imitate differences between hands, pens and scanners."""

from dataclasses import dataclass

import numpy as np

from digitpad.datasets.augmentation.distortions import Distortion, Erasing, Images, Noise, Thickness, Warp


@dataclass(frozen=True)
class Augmentation:
    """Maximum amounts of each distortion; an amount of 0 costs nothing and draws no random numbers.

    Parameters
    ----------
    rotate_deg, shift_px, scale, shear : float
        Rotation about the centre, shift in x and in y, relative enlargement, and shear (columns per row). Each is drawn
        per digit, uniformly from minus to plus the amount.
    elastic_px : float
        Root mean square of the displacement of each pixel by a smooth random field, for y and for x separately.
        Digits look handwritten up to about 1; some are smeared at 1.5, and ink folds over itself from about 2.5.
    thickness_px : float
        Change of the stroke width, at most 2. Drawn per digit, uniformly from minus (narrower) to plus the amount.
    noise : float
        Maximum standard deviation of Gaussian noise, as a share of 255. Drawn per digit, uniformly from 0.
    erase_px : float
        Maximum side of an erased square. Drawn per digit, uniformly from 0, and rounded up.
    """

    rotate_deg: float = 0.0
    shift_px: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic_px: float = 0.0
    thickness_px: float = 0.0
    noise: float = 0.0
    erase_px: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.distortions())

    def distortions(self) -> list[Distortion]:
        """Return the distortions to apply to each batch, in order.

        The order follows the creation of an image: the pen sets the stroke width, the hand warps the shape, an object
        covers part of the paper, and the scanner adds noise. It also fixes the order of the random numbers.
        """
        warp_amounts = (self.rotate_deg, self.shift_px, self.scale, self.shear, self.elastic_px)
        distortions: list[Distortion] = []
        if self.thickness_px:
            distortions.append(Thickness(self.thickness_px))
        if any(warp_amounts):
            distortions.append(Warp(*warp_amounts))
        if self.erase_px:
            distortions.append(Erasing(self.erase_px))
        if self.noise:
            distortions.append(Noise(self.noise))
        return distortions


class Augmenter:
    """Function that applies an `Augmentation` to batches, in reused arrays."""

    def __init__(self, augmentation: Augmentation) -> None:
        self._distortions = augmentation.distortions()

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Return augmented copies of ``images``, valid until the next call; ``images`` itself if every amount is 0."""
        for distort in self._distortions:
            images = distort(images, rng)
        return images
