"""Batch normalisation: each unit or channel keeps to a mean and a spread that are learnt."""

from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.layers.base import Layer


@dataclass
class BatchNorm(Layer):
    """y = scale · x̂ + shift with x̂ = (x - mean) / √(variance + eps), each channel for itself (Ioffe and Szegedy, 2015).

    The channel is the last axis. In training, mean and variance are the batch's; outside, they are running averages of
    what training saw: average ← (1 - momentum) · average + momentum · batch, as PyTorch defines momentum, with the
    batch's variance taken without bias. The averages lie among the parameters, as they belong to what was learnt, and
    their gradients stay 0.
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
        rows = self._wide(x)
        self._n = x.size // x.shape[-1]
        centred = self._centred = self.scratch("centred", rows.shape)
        if training:
            batch_mean = self._sum(rows, "batch mean")
            batch_mean /= self._n
            np.subtract(rows, self._spread(batch_mean, rows), out=centred)
            batch_variance = self._sum_of_products(centred, centred, "batch variance")
            batch_variance /= self._n
            if self.observes and self._n > 1:  # one sample has no variance
                unbiased = self._n / (self._n - 1)
                mean += self.momentum * (batch_mean - mean)
                variance += self.momentum * (unbiased * batch_variance - variance)
            variance = batch_variance
        else:
            np.subtract(rows, self._spread(mean, rows), out=centred)
        # A variance from a file may be below 0.
        self._inverse = 1 / np.sqrt(np.maximum(variance, 0) + self.eps)
        slope = self._spread(self.parameters["scale"] * self._inverse, rows)
        y = np.multiply(centred, slope, out=self.scratch("y", rows.shape))
        y += self._spread(self.parameters["shift"], rows)
        return y.reshape(x.shape)

    def write_gradients(self, dy: Floats) -> None:
        """Dscale = Σ dy · x̂ and dshift = Σ dy, over the batch and all places; the averages have a slope of 0."""
        rows = self._wide(dy)
        np.multiply(self._sum_of_products(rows, self._centred, "sum"), self._inverse, out=self.gradients["scale"])
        self.gradients["shift"][:] = self._sum(rows, "sum")
        for name in ("mean", "variance"):
            self.gradients[name].fill(0)  # each time, for an optimizer may have used the zeros up

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = scale / √(variance + eps) · (dy - mean(dy) - x̂ · mean(dy · x̂)).

        A number moves y by itself, and through the mean and the variance, in each of which it has a share of 1 / n; the
        two means are the gradients of shift and scale, divided by n. Outside training, mean and variance are constants,
        and the first part is all. In training, what `forward` kept is used up.
        """
        rows = self._wide(dy)
        if self._from_batch:
            along = self._inverse * self.gradients["scale"] / self._n
            means = self._centred
            means *= self._spread(along, rows)
            means += self._spread(self.gradients["shift"] / self._n, rows)
            rows -= means
        rows *= self._spread(self.parameters["scale"] * self._inverse, rows)
        return rows.reshape(dy.shape)

    @staticmethod
    def _wide(images: Floats) -> Floats:
        """Rows as long as memory has them, with all channels of a place beside the next place's.

        NumPy works through a few long rows several times faster than through many as short as the channels are few.
        """
        return images.reshape(-1, images.shape[-1] * (images.shape[2] if images.ndim == 4 else 1))

    def _sum(self, rows: Floats, name: str) -> Floats:
        """The sum of each channel."""
        return self._sum_of_places(np.add.reduce(rows, axis=0, out=self.scratch("sum by place", rows.shape[1:])), name)

    def _sum_of_products(self, rows: Floats, others: Floats, name: str) -> Floats:
        """The sum of each channel of ``rows * others``, which is never made: that takes half of the time."""
        by_place = self.scratch("sum by place", rows.shape[1:])
        return self._sum_of_places(np.einsum("ij,ij->j", rows, others, out=by_place), name)

    def _sum_of_places(self, by_place: Floats, name: str) -> Floats:
        channels = self.parameters["scale"].shape
        return np.add.reduce(by_place.reshape(-1, *channels), axis=0, out=self.scratch(name, channels))

    def _spread(self, channels: Floats, rows: Floats) -> Floats:
        """The channels' values, once for each place of a wide row."""
        values = self.scratch("spread", rows.shape[1:])
        values.reshape(-1, len(channels))[:] = channels
        return values
