"""Convolution: a small linear layer that is applied at every position of an image."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.initializers import INITIALIZERS
from digitpad.nn.layers.base import Layer, added_later, check_sizes, images_only

MAX_CHANNELS = 4096
MAX_KERNEL = 28

_NARROW = 32
"""Matrix products with fewer columns than this use only a small part of a core's arithmetic throughput."""

_BLOCK_NUMBERS = 131_072
"""Numbers in the windows that are gathered at a time: 0.5 MB, which are mostly in a core's cache when they are used."""


@dataclass
class AddChannel(Layer):
    """Convert grey images (height, width) to images with one channel, in the memory layout of convolutions."""

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
    """Two-dimensional convolution.

    y[i, j] = b + Σ x[i s + k, j s + l] W[k, l] over the rows k and columns l of the kernel, where s is the stride, W
    has the shape (kernel, kernel, n_inputs, channels) and b has the shape (channels,). Before that, the image is padded
    with ``padding`` zeros on each side. (Strictly, this is a cross-correlation: a convolution would flip W.)

    Notes
    -----
    The computation uses matrix products (Chellapilla et al., 2006), where one operand holds windows of x. Gathering
    whole windows would copy each pixel kernel² times. But in the layout (height, n, width, channels), a window with a
    height of one row is contiguous, and the next rows of the image are the next slices of the same array. So windows
    are gathered along the width only, and y is the sum of one product per row of the kernel. If such windows are too
    narrow for a fast product, as on a grey image, they are as high as the kernel, and a single product is enough. With
    a stride, only the windows that are used are gathered along the width, and rows are skipped along the height.

    All of this is done for one block of y after another, so that windows are still in the cache when they are used.
    """

    channels: int
    kernel: int = 3
    padding: int = 0
    initializer: str = "he_normal"
    stride: int = added_later(1)

    weights = ("weight",)

    def __post_init__(self) -> None:
        check_sizes(
            self, channels=(1, MAX_CHANNELS), kernel=(1, MAX_KERNEL), padding=(0, MAX_KERNEL), stride=(1, MAX_KERNEL)
        )
        if self.initializer not in INITIALIZERS:
            raise ValueError(f"unknown initializer {self.initializer!r}; supported: {', '.join(INITIALIZERS)}")

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        *_, n_inputs = images_only(self, input_shape)
        return {"weight": (self.kernel, self.kernel, n_inputs, self.channels), "bias": (self.channels,)}

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, _ = images_only(self, input_shape)
        shrinks = self.kernel - 1 - 2 * self.padding
        if height <= shrinks or width <= shrinks:
            raise ValueError(f"a {self.kernel} × {self.kernel} kernel does not fit into an image of {height} × {width}")
        return (self._n_steps(height - shrinks), self._n_steps(width - shrinks), self.channels)

    def n_held(self, input_shape: Shape) -> int:
        """Return the size of the output, the padded image and its windows, for one sample."""
        height, width, n_inputs = (*(side + 2 * self.padding for side in input_shape[:2]), input_shape[2])
        windows = height * self._n_steps(width - self.kernel + 1) * n_inputs * self.kernel
        windows *= self._window_height(n_inputs)
        return super().n_held(input_shape) + height * width * n_inputs + windows

    def initialize(self, rng: np.random.Generator) -> None:
        weight = self.parameters["weight"]
        *window, n_inputs, channels = weight.shape
        INITIALIZERS[self.initializer](weight, math.prod(window) * n_inputs, math.prod(window) * channels, rng)
        self.parameters["bias"].fill(0)

    def forward(self, x: Floats, training: bool) -> Floats:
        padded = self._padded = self._pad(x)
        height, n, width, n_inputs = padded.shape
        y_shape = (self._n_steps(height - self.kernel + 1), n, self._n_steps(width - self.kernel + 1), self.channels)
        self._window_rows = self._window_height(n_inputs)
        weight = self._weight_by_slices(self.parameters["weight"])
        weight = weight.reshape(len(weight), -1, self.channels)
        y = self.scratch("y", y_shape)
        # The bias is repeated for a whole image row: NumPy adds long rows several times faster than many short rows.
        bias = self.scratch("bias", y_shape[2:])
        bias[...] = self.parameters["bias"]
        self._blocks = []
        for number, (rows, images) in enumerate(self._divide(y_shape)):
            used_rows = slice(rows.start * self.stride, (rows.stop - 1) * self.stride + self.kernel)
            columns = self._gather_windows(f"columns {number}", padded[used_rows, images])
            self._blocks.append((rows, images, columns))
            y_block = y.reshape(*y_shape[:2], -1)[rows, images]
            # Matrix products need contiguous memory.
            whole = y_block if y_block.flags.c_contiguous else self.scratch("block", y_block.shape)
            block = whole.reshape(-1, self.channels)
            part = self.scratch("part", block.shape)
            for k in range(len(weight)):
                used = self._used_slices(columns, k, len(y_block)).reshape(len(block), -1)
                np.matmul(used, weight[k], out=part if k else block)
                if k:
                    block += part
            np.add(whole, bias.reshape(-1), out=y_block)
        return y

    def write_gradients(self, dy: Floats) -> None:
        """Write dW[k, l] = Σ x[i s + k, j s + l]ᵀ dy[i, j] and db = Σ dy[i, j], over all positions and samples."""
        gradient = self._weight_by_slices(self.gradients["weight"])
        total, product = (self.scratch(name, gradient.shape) for name in ("dweight", "product"))
        total.fill(0)
        for rows, images, columns in self._blocks:
            dy_block = dy[rows, images]
            if not dy_block.flags.c_contiguous:
                copy = self.scratch("dy block", dy_block.shape)
                copy[...] = dy_block
                dy_block = copy
            dy_rows = dy_block.reshape(-1, self.channels)
            for k in range(len(gradient)):
                used = self._used_slices(columns, k, len(dy_block)).reshape(len(dy_rows), -1)
                np.matmul(used.T, dy_rows, out=product[k].reshape(-1, self.channels))
            total += product
        gradient[...] = total
        row_sum = self.scratch("dbias", dy.shape[2:])
        np.add.reduce(dy.reshape(-1, row_sum.size), axis=0, out=row_sum.reshape(-1))
        np.add.reduce(row_sum, axis=0, out=self.gradients["bias"])

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx, where dx[i + k, j + l] is the sum of dy[i, j] W[k, l]ᵀ over all outputs that used that input.

        For one row of windows of dx, the rows of dy that used it are placed next to each other, so that one matrix
        product also sums over them. Then the overlapping windows are added up. With a stride, y is a part of the output
        with stride 1, whose other elements have a gradient of 0.
        """
        if self.stride > 1:
            dy = self._spread(dy)
        kernel, window_rows = self.kernel, self._window_rows
        n, width_out = dy.shape[1:3]
        weight = self._weight_by_slices(self.parameters["weight"])
        n_slices = len(weight)
        n_columns = math.prod(weight.shape[1:-1])
        transposed = self.scratch("transposed", (n_slices, self.channels, n_columns))
        transposed[...] = weight.reshape(n_slices, n_columns, self.channels).swapaxes(1, 2)

        dx = self.scratch("dx", self._padded.shape)
        dx.fill(0)
        adjacent = self.scratch("adjacent", (n * width_out, n_slices, self.channels))
        windows = self.scratch("windows", (n, width_out, kernel, window_rows, self._padded.shape[3]))
        for i in range(len(dx) - window_rows + 1):
            first, end = max(0, i - len(dy) + 1), min(i + 1, n_slices)  # the slices k for which dy[i - k] exists
            if first >= end:
                break  # the stride leaves out the last rows
            for k in range(first, end):
                adjacent[:, k] = dy[i - k].reshape(-1, self.channels)
            dy_rows = adjacent.reshape(n * width_out, -1)[:, first * self.channels : end * self.channels]
            np.matmul(dy_rows, transposed[first:end].reshape(-1, n_columns), out=windows.reshape(-1, n_columns))
            for k in range(window_rows):
                for j in range(kernel):
                    dx[i + k, :, j : j + width_out] += windows[:, :, j, k]
        return self._unpad(dx)

    def _divide(self, y_shape: Shape) -> list[tuple[slice, slice]]:
        """Return blocks of y, as slices of rows and of images, whose windows have about `_BLOCK_NUMBERS` numbers.

        A block has all rows of some images, because neighbouring rows of y share rows of windows; unless windows are as
        high as the kernel.
        """
        height, n, width, _ = y_shape
        per_row = width * self.kernel * self._window_rows * self._padded.shape[3]
        if self._window_rows > 1:
            n_rows = max(1, _BLOCK_NUMBERS // (n * per_row))
            return [(slice(i, min(i + n_rows, height)), slice(0, n)) for i in range(0, height, n_rows)]
        n_images = max(1, _BLOCK_NUMBERS // (len(self._padded) * per_row))
        return [(slice(0, height), slice(i, min(i + n_images, n))) for i in range(0, n, n_images)]

    def _n_steps(self, n: int) -> int:
        """Return how many of n positions in a row are used with the stride."""
        return (n - 1) // self.stride + 1

    def _used_slices(self, columns: Floats, k: int, n: int) -> Floats:
        """Return the gathered windows that the kernel's slice k sees for the n rows of y."""
        return columns[k : (n - 1) * self.stride + k + 1 : self.stride]

    def _spread(self, dy: Floats) -> Floats:
        """Return the gradient of the output with stride 1, of which only each stride-th row and column is used."""
        height, n, width, channels = dy.shape
        shape = ((height - 1) * self.stride + 1, n, (width - 1) * self.stride + 1, channels)
        spread = self.scratch("spread", shape)
        spread.fill(0)
        spread[:: self.stride, :, :: self.stride] = dy
        return spread

    def _window_height(self, n_inputs: int) -> int:
        return self.kernel if self.kernel * n_inputs < _NARROW else 1

    def _pad(self, x: Floats) -> Floats:
        """Return the images with ``padding`` zeros on each side."""
        if not self.padding:
            return np.ascontiguousarray(x)
        height, n, width, n_inputs = x.shape
        extra = 2 * self.padding
        padded = self.scratch("padded", (height + extra, n, width + extra, n_inputs))
        padded.fill(0)
        self._interior(padded)[...] = x
        return padded

    def _unpad(self, dx: Floats) -> Floats:
        if not self.padding:
            return dx
        interior = self._interior(dx)
        unpadded = self.scratch("unpadded", interior.shape)
        unpadded[...] = interior
        return unpadded

    def _interior(self, padded: Floats) -> Floats:
        p = self.padding
        return padded[p:-p, :, p:-p]

    def _gather_windows(self, name: str, x: Floats) -> Floats:
        """Return windows of x, as wide as the kernel and `_window_rows` high, in the scratch array of that name.

        The result has the shape (slices, n, width of y, numbers per window). The numbers of a window are ordered column
        by column.
        """
        height, n, width, n_inputs = x.shape
        window_rows = self._window_rows
        if window_rows > 1:
            stacked = self.scratch("stacked", (height - window_rows + 1, n, width, window_rows, n_inputs))
            for k in range(window_rows):
                stacked[:, :, :, k] = x[k : k + len(stacked)]
            x = stacked.reshape(*stacked.shape[:3], -1)
        shape = (len(x), n, self._n_steps(width - self.kernel + 1), self.kernel * x.shape[3])
        columns = self.scratch(name, shape)
        # The columns of a window are contiguous in memory, because neighbours along the width are.
        along_row, across, along_width = x.strides[:3]
        strides = (along_row, across, along_width * self.stride, x.itemsize)
        columns[...] = as_strided(x, shape, strides, writeable=False)
        return columns

    def _weight_by_slices(self, weight: Floats) -> Floats:
        """Return a view (slices, kernel, window rows, n_inputs, channels), in the order of `_gather_windows`."""
        kernel, _, n_inputs, channels = weight.shape
        rows = self._window_rows
        return weight.reshape(kernel // rows, rows, kernel, n_inputs, channels).swapaxes(1, 2)
