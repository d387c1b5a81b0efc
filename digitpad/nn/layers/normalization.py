"""Normalisation: by a learnt mean and standard deviation (batch normalisation), or to unit length."""

from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.layers.base import Layer

UNIT_NORM_AXES: dict[str, int | tuple[int, int]] = {"columns": 1, "rows": 2, "image": (1, 2)}
"""Axes of a batch (n, height, width) over which `UnitNorm` computes norms."""


@dataclass
class BatchNorm(Layer):
    """Batch normalisation per channel, the last axis (Ioffe and Szegedy, 2015).

    y = scale · x̂ + shift with x̂ = (x - mean) / √(variance + eps).

    In training, mean and variance are those of the batch. Outside training, they are running averages of the training
    batches: average ← (1 - momentum) · average + momentum · batch, as PyTorch defines momentum, with the unbiased
    variance of the batch. The running averages are stored among the parameters, because the network needs them for
    inference; their gradients stay 0.
    """

    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        if not 0 < self.momentum <= 1 or not 1e-12 <= self.eps < 1:
            raise ValueError(
                f"BatchNorm takes a momentum above 0, at most 1, and an eps of 1e-12 to below 1, "
                f"not {self.momentum} and {self.eps}"
            )

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return dict.fromkeys(("scale", "shift", "mean", "variance"), input_shape[-1:])

    def initialize(self, rng: np.random.Generator) -> None:
        for name, value in {"scale": 1, "shift": 0, "mean": 0, "variance": 1}.items():
            self.parameters[name].fill(value)

    def forward(self, x: Floats, training: bool) -> Floats:
        self._from_batch = training
        mean, variance = self.parameters["mean"], self.parameters["variance"]
        scale, shift = self.parameters["scale"], self.parameters["shift"]
        rows = self._rows = self._wide_rows(x)
        self._n = x.size // x.shape[-1]
        y = self.scratch("y", rows.shape)
        if training:
            batch_mean = self._sum(rows, "batch mean")
            batch_mean /= self._n
            centred = self._centre(batch_mean)
            batch_variance = self._sum_of_products(centred, centred, "batch variance")
            batch_variance /= self._n
            if self.observes and self._n > 1:  # a single sample has no variance
                unbiased = self._n / (self._n - 1)
                mean += self.momentum * (batch_mean - mean)
                variance += self.momentum * (unbiased * batch_variance - variance)
            self._inverse = 1 / np.sqrt(batch_variance + self.eps)
            np.multiply(centred, self._repeat_channels(scale * self._inverse, rows), out=y)
            y += self._repeat_channels(shift, rows)
        else:
            self._inverse = self._inverse_deviation()
            slope, offset = self.affine()
            np.multiply(rows, self._repeat_channels(slope, rows), out=y)
            y += self._repeat_channels(offset, rows)
        return y.reshape(x.shape)

    def affine(self) -> tuple[Floats, Floats]:
        """Return the slope and the offset of y = slope · x + offset outside training, each of shape (n_channels,)."""
        slope = self.parameters["scale"] * self._inverse_deviation()
        return slope, self.parameters["shift"] - self.parameters["mean"] * slope

    def _inverse_deviation(self) -> Floats:
        # A variance that was read from a file may be negative.
        return 1 / np.sqrt(np.maximum(self.parameters["variance"], 0) + self.eps)

    def _centre(self, mean: Floats) -> Floats:
        """Return the input minus the mean of each channel, and keep it for the gradients."""
        centred = self._centred = self.scratch("centred", self._rows.shape)
        return np.subtract(self._rows, self._repeat_channels(mean, self._rows), out=centred)

    def write_gradients(self, dy: Floats) -> None:
        """Write dscale = Σ dy · x̂ and dshift = Σ dy, over the batch and all positions.

        The gradients of the running averages are 0.
        """
        rows = self._wide_rows(dy)
        if not self._from_batch:
            self._centre(self.parameters["mean"])
        np.multiply(self._sum_of_products(rows, self._centred, "sum"), self._inverse, out=self.gradients["scale"])
        self.gradients["shift"][:] = self._sum(rows, "sum")
        for name in ("mean", "variance"):
            self.gradients[name].fill(0)  # each time, because an optimizer may have overwritten the zeros

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = scale / √(variance + eps) · (dy - mean(dy) - x̂ · mean(dy · x̂)).

        An input changes y directly, and also through the batch mean and variance, where it has a weight of 1 / n. The
        two means in the formula are the gradients of shift and scale, divided by n. Outside training, mean and variance
        are constants and only the first term remains. In training, the values that `forward` kept are overwritten.
        """
        rows = self._wide_rows(dy)
        if self._from_batch:
            slope = self._inverse * self.gradients["scale"] / self._n
            means = self._centred
            means *= self._repeat_channels(slope, rows)
            means += self._repeat_channels(self.gradients["shift"] / self._n, rows)
            rows -= means
        rows *= self._repeat_channels(self.parameters["scale"] * self._inverse, rows)
        return rows.reshape(dy.shape)

    @staticmethod
    def _wide_rows(images: Floats) -> Floats:
        """Return a view with the longest possible rows: all channels of all columns of an image row.

        NumPy processes a few long rows several times faster than many rows that are only as long as the channels.
        """
        return images.reshape(-1, images.shape[-1] * (images.shape[2] if images.ndim == 4 else 1))

    def _sum(self, rows: Floats, name: str) -> Floats:
        """Return the sum of each channel."""
        by_position = self.scratch("sum by position", rows.shape[1:])
        return self._sum_of_positions(np.add.reduce(rows, axis=0, out=by_position), name)

    def _sum_of_products(self, rows: Floats, others: Floats, name: str) -> Floats:
        """Return the sum of each channel of ``rows * others``, without storing the product, which halves the time."""
        by_position = self.scratch("sum by position", rows.shape[1:])
        return self._sum_of_positions(np.einsum("ij,ij->j", rows, others, out=by_position), name)

    def _sum_of_positions(self, by_position: Floats, name: str) -> Floats:
        channels = self.parameters["scale"].shape
        return np.add.reduce(by_position.reshape(-1, *channels), axis=0, out=self.scratch(name, channels))

    def _repeat_channels(self, channels: Floats, rows: Floats) -> Floats:
        """Return the channel values repeated for each position of a wide row."""
        values = self.scratch("spread", rows.shape[1:])
        values.reshape(-1, len(channels))[:] = channels
        return values


@dataclass
class UnitNorm(Layer):
    """Division of grey images (height, width) by Euclidean norms: of each column, of each row, or of the whole image.

    This is `keras.utils.normalize` with axis 1, with axis -1, and for flat images. A norm of 0 counts as 1.
    """

    of: str = "columns"

    def __post_init__(self) -> None:
        if self.of not in UNIT_NORM_AXES:
            raise ValueError(f"UnitNorm takes {', '.join(UNIT_NORM_AXES)}, not {str(self.of)[:40]!r}")

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2:
            raise ValueError(f"UnitNorm takes images of shape (height, width), not {input_shape}")
        return input_shape

    def forward(self, x: Floats, training: bool) -> Floats:
        norms = np.sqrt(np.square(x).sum(axis=UNIT_NORM_AXES[self.of], keepdims=True))
        self._inverse = np.divide(1, norms, out=np.ones_like(norms), where=norms > 0)
        self._y: Floats = np.multiply(x, self._inverse, out=self.scratch("y", x.shape))
        return self._y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = (dy - y · Σ y dy) / norm: a change along x changes its length, which the division undoes."""
        along = (self._y * dy).sum(axis=UNIT_NORM_AXES[self.of], keepdims=True)
        dy -= self._y * along
        dy *= self._inverse
        return dy
