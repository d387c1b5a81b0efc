"""Augmentation: each time a digit is seen, it is a little different, as hands, pens and scanners vary."""

from dataclasses import dataclass

import numpy as np

from digitpad.datasets.augmentation.distortions import Distortion, Erasing, Images, Noise, Thickness, Warp


@dataclass(frozen=True)
class Augmentation:
    """How far each digit may be changed; an amount of 0 costs nothing and draws no random number.

    Parameters
    ----------
    rotate_deg, shift_px, scale, shear : float
        How far a digit is turned about the middle, moved in x and in y, enlarged, and slanted (columns a row); each
        digit draws its own, uniformly from minus to plus the amount.
    elastic_px : float
        The root mean square of the distance in y, and of that in x, by which a smooth random field moves each pixel.
        Digits look written by hand up to about 1; some are smeared at 1.5, and ink folds over itself from about 2.5.
    thickness_px : float
        How much wider strokes become, drawn uniformly from minus this (narrower) to plus this, which is 2 at most.
    noise : float
        The largest standard deviation of Gaussian noise, as a share of 255; each digit draws its own, uniformly from 0.
    erase_px : float
        The largest side of a square that is blanked; each digit draws its own, uniformly from 0, and rounded up.
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
        """What is done to each batch, and draws its random numbers, in the order in which it would happen to a digit.

        A pen is taken, a hand writes with it, something covers the paper, and a scanner adds its noise.
        """
        places = (self.rotate_deg, self.shift_px, self.scale, self.shear, self.elastic_px)
        distortions: list[Distortion] = []
        if self.thickness_px:
            distortions.append(Thickness(self.thickness_px))
        if any(places):
            distortions.append(Warp(*places))
        if self.erase_px:
            distortions.append(Erasing(self.erase_px))
        if self.noise:
            distortions.append(Noise(self.noise))
        return distortions


class Augmenter:
    """Applies an `Augmentation` to batches, with arrays that are used again."""

    def __init__(self, augmentation: Augmentation) -> None:
        self._distortions = augmentation.distortions()

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Changed copies of ``images``, good until the next call; ``images`` themselves where every amount is 0."""
        for distort in self._distortions:
            images = distort(images, rng)
        return images
