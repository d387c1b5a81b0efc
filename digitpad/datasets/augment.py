"""Augmentation: each time a digit is seen, it is a little turned, moved, scaled and slanted, as hands vary."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Scratch


@dataclass(frozen=True)
class Augmentation:
    """How far each digit may be changed; every amount is drawn uniformly from minus to plus what is given here."""

    rotate_deg: float = 0.0
    shift_px: float = 0.0
    scale: float = 0.0
    shear: float = 0.0

    def __bool__(self) -> bool:
        return any((self.rotate_deg, self.shift_px, self.scale, self.shear))


class Augmenter:
    """Applies an `Augmentation` to batches, with arrays that are used again."""

    def __init__(self, augmentation: Augmentation) -> None:
        self._augmentation = augmentation
        self._scratch = Scratch(np.float32)

    def __call__(self, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Changed copies of ``images``, uint8 of shape (n, height, width), good until the next call.

        Every output pixel looks up, between four pixels of the input (bilinearly), the place that the inverse of its
        digit's transformation sends it to; outside the input there is 0.
        """
        n, height, width = images.shape
        ys, xs = self._places(n, height, width, rng)
        # A frame of zeros, two wide on the far side, so that all four neighbours of a clipped place exist.
        framed = self._scratch("framed", (n, height + 3, width + 3), np.uint8)
        framed.fill(0)
        framed[:, 1:-2, 1:-2] = images
        y0, fy = self._split(ys, "y", height)
        x0, fx = self._split(xs, "x", width)
        index = y0
        index *= width + 3
        index += x0
        index += np.arange(n)[:, None] * ((height + 3) * (width + 3))

        corners = []
        for name, step in (("a", 0), ("b", 1), ("c", width + 2), ("d", 1)):
            index += step  # top left, top right, bottom left, bottom right
            pixels = np.take(framed.ravel(), index, out=self._scratch(name, index.shape, np.uint8), mode="clip")
            corner = self._scratch(f"{name} float", index.shape)
            np.copyto(corner, pixels)
            corners.append(corner)
        top, top_right, bottom, bottom_right = corners
        for left, right in ((top, top_right), (bottom, bottom_right)):
            right -= left
            right *= fx
            left += right
        bottom -= top
        bottom *= fy
        top += bottom
        top += 0.5  # the cast below cuts off
        out = self._scratch("out", (n, height, width), np.uint8)
        np.copyto(out, top.reshape(out.shape), casting="unsafe")
        return out

    def _places(self, n: int, height: int, width: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Where in the input each output pixel of each digit comes from: y and x of shape (n, height * width)."""
        ranges = self._augmentation
        angle, zoom, shear, dy, dx = rng.uniform(-1, 1, (5, n, 1)).astype(np.float32)
        angle *= math.radians(ranges.rotate_deg)
        zoom = 1 / (1 + zoom * ranges.scale)
        shear *= ranges.shear
        dy *= ranges.shift_px
        dx *= ranges.shift_px
        cosine, sine = np.cos(angle) * zoom, np.sin(angle) * zoom
        v, u = np.indices((height, width), np.float32).reshape(2, 1, -1)
        v -= (height - 1) / 2
        u -= (width - 1) / 2
        ys, xs = self._scratch("ys", (n, height * width)), self._scratch("xs", (n, height * width))
        part = self._scratch("part", ys.shape)
        np.multiply(v, cosine, out=ys)
        ys -= np.multiply(u, sine, out=part)
        ys += (height - 1) / 2 + dy
        np.multiply(u, cosine + shear * sine, out=xs)
        xs += np.multiply(v, sine + shear * cosine, out=part)
        xs += (width - 1) / 2 + dx
        return ys, xs

    def _split(self, places: Floats, axis: str, size: int) -> tuple[NDArray[np.intp], Floats]:
        """Whole and fractional parts of places in the frame, whose zeros stand for everything outside."""
        places += 1
        np.clip(places, 0, size + 1, out=places)
        whole = self._scratch(f"whole {axis}", places.shape, np.intp)
        np.copyto(whole, places, casting="unsafe")
        places -= whole
        return whole, places
