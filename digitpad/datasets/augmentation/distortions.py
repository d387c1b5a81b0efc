"""Distortions of batches of digits: stroke thickness, affine and elastic warp, erasing, and noise.

Each distortion takes uint8 images of shape (n, height, width) and a random generator. It does not change its input, and
returns an array of the same shape and type that is valid until its next call. Amounts are drawn per image.
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
    """Random change of the stroke width by up to ``amount_px`` (at most 2), wider or narrower, like a different pen.

    Dilation (each pixel takes the maximum of its neighbours) makes strokes 2 px wider. A 3 × 3 square of neighbours
    moves a diagonal edge by 1.4 px, and a cross of neighbours by 0.7 px. The mean of both moves an edge by 1 to 1.1 px
    at any slant. Smaller amounts add a fraction of it, which gives grey edges, like pixels that a stroke partly covers.

    The added ink is the dilation minus the closing (dilation, then erosion), rather than minus the image. Gaps that are
    too narrow for the wider ink, such as small loops, then stay open. Narrower strokes are the same operation on the
    negative. It preserves thin strokes that erosion would remove: a 2 px stroke keeps its core and loses its grey edge.
    """

    def __init__(self, amount_px: float) -> None:
        self._amount_px = amount_px
        self._bytes = Scratch(np.uint8)
        self._floats = Scratch(np.float32)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        wider_px = rng.uniform(-self._amount_px, self._amount_px, (len(images), 1, 1))
        return self.widened(images, wider_px.astype(np.float32))

    def widened(self, images: Images, wider_px: Floats) -> Images:
        """Return images with strokes wider by ``wider_px``, of shape (n, 1, 1); negative values make them narrower."""
        n, height, width = images.shape
        negative = np.where(wider_px < 0, np.uint8(255), np.uint8(0))

        # Stack all images vertically in one flat array. Each has a border of zeros that its ink can grow into, and
        # there is a row of zeros at both ends. Neighbours are 1 and ``pitch`` elements away, and images never mix.
        pitch = width + 2
        frame = self._bytes("frame", ((n * (height + 2) + 2) * pitch,))

        def interior(flat: Images) -> Images:
            return flat[pitch:-pitch].reshape(n, height + 2, pitch)[:, 1:-1, 1:-1]

        frame.fill(0)
        np.bitwise_xor(images, negative, out=interior(frame))
        across = self._reduce_three(np.maximum, frame, 1, "across")
        square = self._reduce_three(np.maximum, across, pitch, "square")
        cross = self._reduce_three(np.maximum, frame, pitch, "cross")
        np.maximum(cross, across, out=cross)

        across = self._reduce_three(np.minimum, square, 1, "across")
        square -= self._reduce_three(np.minimum, across, pitch, "closed")
        across = self._reduce_three(np.minimum, cross, 1, "across")
        closed = self._reduce_three(np.minimum, cross, pitch, "closed")
        cross -= np.minimum(closed, across, out=closed)

        changed = self._floats("changed", images.shape)
        np.copyto(changed, interior(square))
        changed += interior(cross)
        changed *= np.abs(wider_px) / 4  # mean of two dilations, each 2 px wider
        changed += interior(frame)
        changed += 0.5  # rounds: the cast below truncates
        out = self._bytes("out", images.shape)
        np.copyto(out, changed, casting="unsafe")
        out ^= negative
        return out

    def _reduce_three(self, choose: np.ufunc, values: Images, step: int, name: str) -> Images:
        """Combine each value with the values ``step`` before and after it by ``choose``; the ends stay unchanged."""
        out = self._bytes(name, values.shape)
        out[:step], out[-step:] = values[:step], values[-step:]
        middle = out[step:-step]
        choose(values[: -2 * step], values[step:-step], out=middle)
        choose(middle, values[2 * step :], out=middle)
        return out


class Warp:
    """Random rotation, shift, scaling, shear and elastic deformation, combined in one resampling.

    The amounts are those of `digitpad.datasets.augmentation.augment.Augmentation`.
    """

    def __init__(self, rotate_deg: float, shift_px: float, scale: float, shear: float, elastic_px: float) -> None:
        self._affine = (math.radians(rotate_deg), shift_px, scale, shear)
        self._elastic_px = elastic_px
        self._scratch = Scratch(np.float32)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Return warped images.

        Each output pixel is interpolated bilinearly at its source position in the input, which is 0 outside.
        """
        n, height, width = images.shape
        return self._sample(images, *self._source_positions(n, height, width, rng))

    def turned(self, images: Images, angle: float = 0.0, zoom: float = 1.0, dy: float = 0.0, dx: float = 0.0) -> Images:
        """Return images rotated by ``angle`` (radians), scaled by ``zoom``, and shifted by -dy rows and -dx columns."""
        n, height, width = images.shape
        ys, xs = self._scratch("ys", (n, height * width)), self._scratch("xs", (n, height * width))
        amounts = np.array([angle, 1 / zoom, 0, dy, dx], np.float32)[:, None, None]
        self._inverse(ys, xs, height, width, *amounts)
        return self._sample(images, ys, xs)

    def _sample(self, images: Images, ys: Floats, xs: Floats) -> Images:
        n, height, width = images.shape
        # The frame of zeros is two pixels wide at the far side, so that a clipped position has all four neighbours.
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
        top += 0.5  # rounds: the cast below truncates
        out = self._scratch("out", (n, height, width), np.uint8)
        np.copyto(out, top.reshape(out.shape), casting="unsafe")
        return out

    def _source_positions(self, n: int, height: int, width: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw the source position of each output pixel: y and x, each of shape (n, height * width)."""
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
        """Draw affine amounts for each digit, and write the source positions into ``ys`` and ``xs``."""
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
        """Write the source positions for these amounts, each of shape (n, 1); ``zoom`` scales positions, not digits."""
        cosine, sine = np.cos(angle) * zoom, np.sin(angle) * zoom
        middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
        v, u = _grid(height, width)
        v, u = v - middle_y, u - middle_x
        part = self._scratch("part", ys.shape)
        np.multiply(v, cosine, out=ys)
        ys -= np.multiply(u, sine, out=part)
        ys += middle_y + dy
        np.multiply(u, cosine - shear * sine, out=xs)  # shear after rotation preserves the area
        xs += np.multiply(v, sine + shear * cosine, out=part)
        xs += middle_x + dx

    def _split(self, positions: Floats, axis: str, size: int) -> tuple[NDArray[np.intp], Floats]:
        """Return the whole and fractional parts of positions, clipped to the frame of zeros around the image."""
        positions += 1
        np.clip(positions, 0, size + 1, out=positions)
        floor = np.floor(positions, out=self._scratch("floor", positions.shape))
        positions -= floor
        whole = self._scratch(f"whole {axis}", positions.shape, np.intp)
        np.copyto(whole, floor, casting="unsafe")
        return whole, positions


@functools.cache
def _grid(height: int, width: int) -> Floats:
    """Return the row and column of each pixel, of shape (2, height * width)."""
    return np.indices((height, width), np.float32).reshape(2, -1)


_SIGMA_PX = 4.0


@functools.cache
def _bumps(height: int, width: int) -> Floats:
    """Return Gaussian bumps whose sum, weighted by standard normal numbers, is a smooth random field of variance 1.

    Simard, Steinkraus and Platt (2003, Best practices for convolutional neural networks applied to visual document
    analysis) draw a number for each pixel and convolve with a Gaussian; sigma 4 px works best. The result is a sum of
    Gaussian bumps at every pixel. Bumps 1.25 sigma apart give the same field to within 1 %, with 162 numbers per image
    instead of 1568, and one matrix product. Their amplitude of 34, times numbers drawn uniformly from -1 to 1, gives a
    root mean square of 34 / sqrt(3) / (2 sqrt(pi) sigma), which is 1.4 px.

    Returns
    -------
    ndarray of shape (n_bumps, height * width)
    """
    return np.kron(_bumps_along(height), _bumps_along(width)).astype(np.float32)


def _bumps_along(size: int) -> Floats:
    """Return bumps along an axis, of shape (n_bumps, size); they extend beyond both ends."""
    spacing, margin = 1.25 * _SIGMA_PX, 1.5 * _SIGMA_PX
    n_bumps = math.ceil((size - 1 + 2 * margin) / spacing) + 1
    middles = (size - 1) / 2 + spacing * (np.arange(n_bumps) - (n_bumps - 1) / 2)
    bumps = np.exp(-(((np.arange(size) - middles[:, None]) / _SIGMA_PX) ** 2) / 2)
    return bumps / np.sqrt((bumps**2).sum(axis=0))


class Erasing:
    """Random erasing of a square in each digit, so that the network cannot rely on a single region.

    This is Cutout (DeVries and Taylor 2017) with a random side per digit. The square lies completely inside the image,
    as in random erasing (Zhong et al. 2020), and is filled with the background.
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
    """Gaussian noise on each pixel, clipped to 0 to 255."""

    def __init__(self, share: float) -> None:
        self._largest_deviation = 255 * share
        self._scratch = Scratch(np.float32)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        deviations = rng.uniform(0, self._largest_deviation, (len(images), 1, 1))
        return self.noisy(images, deviations.astype(np.float32), rng)

    def noisy(self, images: Images, deviations: Floats, rng: np.random.Generator) -> Images:
        """Return images with noise; ``deviations`` are in grey levels, of shape (n, 1, 1) or (1, 1, 1)."""
        noisy = rng.standard_normal(dtype=np.float32, out=self._scratch("noisy", images.shape))
        noisy *= deviations
        noisy += images
        noisy += 0.5  # rounds: the cast below truncates
        np.clip(noisy, 0, 255, out=noisy)
        out = self._scratch("out", images.shape, np.uint8)
        np.copyto(out, noisy, casting="unsafe")
        return out
