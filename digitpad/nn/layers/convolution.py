"""Convolution: one small linear layer that every place of an image shares."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.initializers import INITIALIZERS
from digitpad.nn.layers.base import Layer, images_only

MAX_CHANNELS = 4096
MAX_KERNEL = 28

_NARROW = 32
"""Products over fewer columns than this leave most of a core's arithmetic idle."""

_BLOCK = 1024
"""Rows of a product that is fast and whose result stays in a core's cache for what follows."""


@dataclass
class AddChannel(Layer):
    """Grey images (height, width) as images with one channel, laid out as convolutions want them."""

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2:
            raise ValueError(f"AddChannel takes images of shape (height, width), not {input_shape}")
        return (*input_shape, 1)

    def forward(self, x: Floats, training: bool) -> Floats:
        n, height, width = x.shape
        y = self.scratch("y", (height, n, width, 1))
        y[..., 0] = x.swapaxes(0, 1)
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        return dy[..., 0].swapaxes(0, 1)


@dataclass
class Conv2d(Layer):
    """y[i, j] = b + Σ x[i + k, j + l] W[k, l] over the rows k and columns l of the kernel; stride 1.

    W has the shape (kernel, kernel, n_inputs, channels) and b (channels,). The image is framed by ``padding`` zeros on
    each side first. (Strictly this is a cross-correlation, as a convolution would flip W; the field calls it this.)

    Notes
    -----
    The work is done by matrix products (Chellapilla et al., 2006), of which one side holds windows of x. Gathering
    whole windows would copy each pixel kernel² times. But in the layout (height, n, width, channels), a window one row
    high is a contiguous run, and the rows of the image below are the next slices of the same array: so windows are
    gathered along the width alone, and y is the sum of one product for each row of the kernel. Where such windows would
    be too narrow for a fast product, as on a grey image, they are as high as the kernel, and one product does it.
    """

    channels: int
    kernel: int = 3
    padding: int = 0
    initializer: str = "he_normal"

    weights = ("weight",)

    def __post_init__(self) -> None:
        for name, low, high in (("channels", 1, MAX_CHANNELS), ("kernel", 1, MAX_KERNEL), ("padding", 0, MAX_KERNEL)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"Conv2d takes {low} to {high} as its {name}, not {value!r}")
        if self.initializer not in INITIALIZERS:
            raise ValueError(f"{self.initializer!r} is none of the initializers {', '.join(INITIALIZERS)}")

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        *_, n_inputs = images_only(self, input_shape)
        return {"weight": (self.kernel, self.kernel, n_inputs, self.channels), "bias": (self.channels,)}

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, _ = images_only(self, input_shape)
        shrinks = self.kernel - 1 - 2 * self.padding
        if height <= shrinks or width <= shrinks:
            raise ValueError(f"a kernel of {self.kernel} does not fit into an image of {height} × {width}")
        return (height - shrinks, width - shrinks, self.channels)

    def n_held(self, input_shape: Shape) -> int:
        """The output, the framed image, and its windows."""
        height, width, n_inputs = (*(side + 2 * self.padding for side in input_shape[:2]), input_shape[2])
        windows = height * (width - self.kernel + 1) * n_inputs * self.kernel
        windows *= self._window_height(n_inputs)
        return super().n_held(input_shape) + height * width * n_inputs + windows

    def initialize(self, rng: np.random.Generator) -> None:
        weight = self.parameters["weight"]
        *window, n_inputs, channels = weight.shape
        INITIALIZERS[self.initializer](weight, math.prod(window) * n_inputs, math.prod(window) * channels, rng)
        self.parameters["bias"].fill(0)

    def forward(self, x: Floats, training: bool) -> Floats:
        framed = self._framed(x)
        height, n, width, n_inputs = self._framed_shape = framed.shape
        y_shape = (height - self.kernel + 1, n, width - self.kernel + 1, self.channels)
        self._window_rows = self._window_height(n_inputs)
        self._columns = self._gathered(framed)
        weight = self._weight_by_slices(self.parameters["weight"])
        weight = weight.reshape(len(weight), -1, self.channels)
        y = self.scratch("y", y_shape)

        # The bias of a whole row of the image: NumPy adds long rows several times faster than many short ones.
        bias = self.scratch("bias", (y_shape[2], self.channels))
        bias[...] = self.parameters["bias"]
        n_slices, n_columns, _ = weight.shape
        rows = max(1, _BLOCK // (n * y_shape[2]))
        for i in range(0, y_shape[0], rows):
            block = y[i : i + rows].reshape(-1, self.channels)
            part = self.scratch("part", block.shape)
            for k in range(n_slices):
                columns = self._columns[i + k : i + k + rows][: len(y[i : i + rows])].reshape(-1, n_columns)
                np.matmul(columns, weight[k], out=part if k else block)
                if k:
                    block += part
            of_rows = block.reshape(-1, bias.size)
            of_rows += bias.reshape(-1)
        return y

    def write_gradients(self, dy: Floats) -> None:
        """DW[k, l] = Σ x[i + k, j + l]ᵀ dy[i, j] over all places and samples; db sums dy over them."""
        rows = dy.reshape(-1, self.channels)
        gradient = self._weight_by_slices(self.gradients["weight"])
        product = self.scratch("dweight", gradient.shape)
        for k in range(len(gradient)):
            columns = self._columns[k : k + len(dy)]
            np.matmul(columns.reshape(len(rows), -1).T, rows, out=product[k].reshape(-1, self.channels))
        gradient[...] = product
        of_rows = self.scratch("dbias", dy.shape[2:])
        np.add.reduce(dy.reshape(-1, of_rows.size), axis=0, out=of_rows.reshape(-1))
        np.add.reduce(of_rows, axis=0, out=self.gradients["bias"])

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx[i + k, j + l] gathers dy[i, j] W[k, l]ᵀ: where an input was looked at, its outputs look back.

        For one row of dx's windows, the rows of dy that saw it are laid beside each other, so that one product also
        sums over them; then the windows, which overlap, are added up.
        """
        kernel, window_rows = self.kernel, self._window_rows
        n, width_out = dy.shape[1:3]
        weight = self._weight_by_slices(self.parameters["weight"])
        n_slices = len(weight)
        n_columns = math.prod(weight.shape[1:-1])
        turned = self.scratch("turned", (n_slices, self.channels, n_columns))
        turned[...] = weight.reshape(n_slices, n_columns, self.channels).swapaxes(1, 2)

        dx = self.scratch("dx", self._framed_shape)
        dx.fill(0)
        beside = self.scratch("beside", (n * width_out, n_slices, self.channels))
        windows = self.scratch("windows", (n, width_out, kernel, window_rows, self._framed_shape[3]))
        for i in range(len(self._columns)):
            first, end = max(0, i - len(dy) + 1), min(i + 1, n_slices)  # the slices k for which dy[i - k] exists
            for k in range(first, end):
                beside[:, k] = dy[i - k].reshape(-1, self.channels)
            seen = beside.reshape(n * width_out, -1)[:, first * self.channels : end * self.channels]
            np.matmul(seen, turned[first:end].reshape(-1, n_columns), out=windows.reshape(-1, n_columns))
            for k in range(window_rows):
                for j in range(kernel):
                    dx[i + k, :, j : j + width_out] += windows[:, :, j, k]
        return self._unframed(dx)

    def _window_height(self, n_inputs: int) -> int:
        return self.kernel if self.kernel * n_inputs < _NARROW else 1

    def _framed(self, x: Floats) -> Floats:
        """The images with their frames of zeros."""
        if not self.padding:
            return np.ascontiguousarray(x)
        height, n, width, n_inputs = x.shape
        frame = 2 * self.padding
        framed = self.scratch("framed", (height + frame, n, width + frame, n_inputs))
        framed.fill(0)
        self._inside(framed)[...] = x
        return framed

    def _unframed(self, dx: Floats) -> Floats:
        if not self.padding:
            return dx
        inside = self._inside(dx)
        unframed = self.scratch("unframed", inside.shape)
        unframed[...] = inside
        return unframed

    def _inside(self, framed: Floats) -> Floats:
        p = self.padding
        return framed[p:-p, :, p:-p]

    def _gathered(self, x: Floats) -> Floats:
        """Windows of x as wide as the kernel and `_window_rows` high: (slices, n, width of y, numbers of a window).

        A window's numbers come column by column.
        """
        height, n, width, n_inputs = x.shape
        window_rows = self._window_rows
        if window_rows > 1:
            stacked = self.scratch("stacked", (height - window_rows + 1, n, width, window_rows, n_inputs))
            for k in range(window_rows):
                stacked[:, :, :, k] = x[k : k + len(stacked)]
            x = stacked.reshape(*stacked.shape[:3], -1)
        shape = (len(x), n, width - self.kernel + 1, self.kernel * x.shape[3])
        columns = self.scratch("columns", shape)
        # A window's columns lie one after the other in memory, as the width's neighbours do.
        columns[...] = as_strided(x, shape, (*x.strides[:3], x.itemsize), writeable=False)
        return columns

    def _weight_by_slices(self, weight: Floats) -> Floats:
        """A view (slices, kernel, window rows, n_inputs, channels), ordered as the windows that `_gathered` gives."""
        kernel, _, n_inputs, channels = weight.shape
        rows = self._window_rows
        return weight.reshape(kernel // rows, rows, kernel, n_inputs, channels).swapaxes(1, 2)
