"""The ways in which a batch of digits is distorted, each with arrays of its own that are used again.

Each takes uint8 images of shape (n, height, width) and a generator, leaves its input as it is, and returns an array of
the same kind that is good until its next call. Each image draws amounts of its own.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Scratch

Images = NDArray[np.uint8]
Distortion = Callable[[Images, np.random.Generator], Images]


class Thickness:
    """Makes strokes up to ``amount_px`` (2 at most) wider or narrower, as other pens would have drawn them.

    Strokes grow by 2 px where each pixel takes the largest value among its neighbours (dilation). Neighbours in a
    3 × 3 square move a diagonal edge by 1.4 px, those in a cross by 0.7, so the mean of both is taken: 1 to 1.1 px at
    any slant. Less is a share of that, which makes the rim grey, as pixels are that a stroke covers in part.

    What grows is the difference from the closing (dilation, then erosion) to the dilation, rather than from the image:
    gaps too narrow for the wider ink, as within a small loop, then stay open. Narrower strokes are the same done to the
    negative, where what stays is strokes that erosion would lose: one of 2 px keeps its ridge, and sheds its grey rim.
    """

    def __init__(self, amount_px: float) -> None:
        self._amount_px = amount_px
        self._bytes = Scratch(np.uint8)
        self._floats = Scratch(np.float32)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        wider_px = rng.uniform(-self._amount_px, self._amount_px, (len(images), 1, 1))
        return self.widened(images, wider_px.astype(np.float32))

    def widened(self, images: Images, wider_px: Floats) -> Images:
        """Each image's strokes wider by its own of ``wider_px``, of shape (n, 1, 1); narrower below 0."""
        n, height, width = images.shape
        negative = np.where(wider_px < 0, np.uint8(255), np.uint8(0))

        # All images below each other, each with a rim of zeros that its ink can grow into, and a row of zeros at both
        # ends: as one flat array, neighbours are 1 and ``pitch`` elements away, and no image reaches another.
        pitch = width + 2
        frame = self._bytes("frame", ((n * (height + 2) + 2) * pitch,))

        def inside(flat: Images) -> Images:
            return flat[pitch:-pitch].reshape(n, height + 2, pitch)[:, 1:-1, 1:-1]

        frame.fill(0)
        np.bitwise_xor(images, negative, out=inside(frame))
        across = self._of_three(np.maximum, frame, 1, "across")
        square = self._of_three(np.maximum, across, pitch, "square")
        cross = self._of_three(np.maximum, frame, pitch, "cross")
        np.maximum(cross, across, out=cross)

        across = self._of_three(np.minimum, square, 1, "across")
        square -= self._of_three(np.minimum, across, pitch, "closed")
        across = self._of_three(np.minimum, cross, 1, "across")
        closed = self._of_three(np.minimum, cross, pitch, "closed")
        cross -= np.minimum(closed, across, out=closed)

        changed = self._floats("changed", images.shape)
        np.copyto(changed, inside(square))
        changed += inside(cross)
        changed *= np.abs(wider_px) / 4  # the mean of two, each 2 px wider
        changed += inside(frame)
        changed += 0.5  # the cast below cuts off
        out = self._bytes("out", images.shape)
        np.copyto(out, changed, casting="unsafe")
        out ^= negative
        return out

    def _of_three(self, choose: np.ufunc, values: Images, step: int, name: str) -> Images:
        """What ``choose`` takes from each value and those ``step`` before and after it; the ends stay as they are."""
        out = self._bytes(name, values.shape)
        out[:step], out[-step:] = values[:step], values[-step:]
        middle = out[step:-step]
        choose(values[: -2 * step], values[step:-step], out=middle)
        choose(middle, values[2 * step :], out=middle)
        return out


class Warp:
    """Turns, moves, scales and slants digits, and bends them elastically, in one resampling.

    Amounts are those of `digitpad.datasets.augmentation.augment.Augmentation`.
    """

    def __init__(self, rotate_deg: float, shift_px: float, scale: float, shear: float, elastic_px: float) -> None:
        self._affine = (math.radians(rotate_deg), shift_px, scale, shear)
        self._elastic_px = elastic_px
        self._scratch = Scratch(np.float32)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Every output pixel looks up, between four pixels of the input (bilinearly), the place that it comes from.

        Outside the input there is 0.
        """
        n, height, width = images.shape
        return self._looked_up(images, *self._places(n, height, width, rng))

    def turned(self, images: Images, angle: float = 0.0, zoom: float = 1.0, dy: float = 0.0, dx: float = 0.0) -> Images:
        """All images turned by ``angle`` (radians), enlarged ``zoom`` times, and moved by -dy rows and -dx columns."""
        n, height, width = images.shape
        ys, xs = self._scratch("ys", (n, height * width)), self._scratch("xs", (n, height * width))
        amounts = np.array([angle, 1 / zoom, 0, dy, dx], np.float32)[:, None, None]
        self._inverse(ys, xs, height, width, *amounts)
        return self._looked_up(images, ys, xs)

    def _looked_up(self, images: Images, ys: Floats, xs: Floats) -> Images:
        n, height, width = images.shape
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
        ys, xs = self._scratch("ys", (n, height * width)), self._scratch("xs", (n, height * width))
        if any(self._affine):
            self._transform(ys, xs, height, width, rng)
        else:
            ys[...], xs[...] = _grid(height, width)
        if self._elastic_px:
            bumps = _bumps(height, width)
            heights = rng.standard_normal(dtype=np.float32, out=self._scratch("heights", (2 * n, len(bumps))))
            heights *= self._elastic_px
            moves = np.matmul(heights, bumps, out=self._scratch("moves", (2 * n, height * width)))
            ys += moves[:n]
            xs += moves[n:]
        return ys, xs

    def _transform(self, ys: Floats, xs: Floats, height: int, width: int, rng: np.random.Generator) -> None:
        """Write the places of the inverse of each digit's turn, move, scale and slant."""
        largest_angle, largest_shift, largest_zoom, largest_shear = self._affine
        angle, zoom, shear, dy, dx = rng.uniform(-1, 1, (5, len(ys), 1)).astype(np.float32)
        angle *= largest_angle
        zoom = 1 / (1 + zoom * largest_zoom)
        shear *= largest_shear
        dy *= largest_shift
        dx *= largest_shift
        self._inverse(ys, xs, height, width, angle, zoom, shear, dy, dx)

    def _inverse(
        self, ys: Floats, xs: Floats, height: int, width: int,
        angle: Floats, zoom: Floats, shear: Floats, dy: Floats, dx: Floats,
    ) -> None:  # fmt: skip
        """Write the places for these amounts, each of shape (n, 1); ``zoom`` is that of places, not of digits."""
        cosine, sine = np.cos(angle) * zoom, np.sin(angle) * zoom
        middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
        v, u = _grid(height, width)
        v, u = v - middle_y, u - middle_x
        part = self._scratch("part", ys.shape)
        np.multiply(v, cosine, out=ys)
        ys -= np.multiply(u, sine, out=part)
        ys += middle_y + dy
        np.multiply(u, cosine - shear * sine, out=xs)  # slanted after it is turned: the area stays
        xs += np.multiply(v, sine + shear * cosine, out=part)
        xs += middle_x + dx

    def _split(self, places: Floats, axis: str, size: int) -> tuple[NDArray[np.intp], Floats]:
        """Whole and fractional parts of places in the frame, whose zeros stand for everything outside."""
        places += 1
        np.clip(places, 0, size + 1, out=places)
        floor = np.floor(places, out=self._scratch("floor", places.shape))
        places -= floor
        whole = self._scratch(f"whole {axis}", places.shape, np.intp)
        np.copyto(whole, floor, casting="unsafe")
        return whole, places


@functools.cache
def _grid(height: int, width: int) -> Floats:
    """Row and column of each pixel: of shape (2, height * width)."""
    return np.indices((height, width), np.float32).reshape(2, -1)


_SIGMA_PX = 4.0


@functools.cache
def _bumps(height: int, width: int) -> Floats:
    """Gaussian bumps whose sum, each times a standard normal number, is a smooth random field of variance 1 everywhere.

    Simard, Steinkraus and Platt (2003, Best practices for convolutional neural networks applied to visual document
    analysis) draw a number for each pixel and convolve with a Gaussian, best with sigma 4 px. That is a sum of Gaussian
    bumps at every pixel; with bumps 1.25 sigma apart it is the same field to within 1 %, from 162 numbers an image
    rather than 1568, by one matrix product. Their amplitude of 34, times numbers drawn uniformly from -1 to 1, makes a
    root mean square of 34 / sqrt(3) / (2 sqrt(pi) sigma), which is 1.4 px.

    Returns
    -------
    ndarray of shape (n_bumps, height * width)
    """
    return np.kron(_bumps_along(height), _bumps_along(width)).astype(np.float32)


def _bumps_along(size: int) -> Floats:
    """Bumps along one axis, of shape (n_bumps, size), from beyond one end to beyond the other."""
    spacing, margin = 1.25 * _SIGMA_PX, 1.5 * _SIGMA_PX
    n_bumps = math.ceil((size - 1 + 2 * margin) / spacing) + 1
    middles = (size - 1) / 2 + spacing * (np.arange(n_bumps) - (n_bumps - 1) / 2)
    bumps = np.exp(-(((np.arange(size) - middles[:, None]) / _SIGMA_PX) ** 2) / 2)
    return bumps / np.sqrt((bumps**2).sum(axis=0))


class Erasing:
    """Blanks a square of each digit, so that no one part of it is relied on.

    Cutout (DeVries and Taylor 2017) with a side of its own for each digit, and wholly inside the image, as in random
    erasing (Zhong et al. 2020); filled with the background.
    """

    def __init__(self, largest_side_px: float) -> None:
        self._largest_side_px = largest_side_px
        self._scratch = Scratch(np.uint8)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        n, height, width = images.shape
        out = self._scratch("out", images.shape)
        np.copyto(out, images)
        sides = np.ceil(rng.uniform(0, self._largest_side_px, n)).astype(int)
        sides = np.minimum(sides, min(height, width))
        tops, lefts = rng.integers(0, height - sides + 1), rng.integers(0, width - sides + 1)
        for image, top, left, side in zip(out, tops, lefts, sides, strict=True):
            image[top : top + side, left : left + side] = 0
        return out


class Noise:
    """Adds Gaussian noise to each pixel, cut off at 0 and 255."""

    def __init__(self, share: float) -> None:
        self._largest_deviation = 255 * share
        self._scratch = Scratch(np.float32)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        deviations = rng.uniform(0, self._largest_deviation, (len(images), 1, 1))
        return self.noisy(images, deviations.astype(np.float32), rng)

    def noisy(self, images: Images, deviations: Floats, rng: np.random.Generator) -> Images:
        """Images with noise of these standard deviations, of shape (n, 1, 1) or (1, 1, 1), in levels of grey."""
        noisy = rng.standard_normal(dtype=np.float32, out=self._scratch("noisy", images.shape))
        noisy *= deviations
        noisy += images
        noisy += 0.5  # the cast below cuts off
        np.clip(noisy, 0, 255, out=noisy)
        out = self._scratch("out", images.shape, np.uint8)
        np.copyto(out, noisy, casting="unsafe")
        return out
