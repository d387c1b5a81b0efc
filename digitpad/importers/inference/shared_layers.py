"""Outputs of convolutions that several candidates share, computed once."""

import hashlib
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats
from digitpad.nn.layers import Conv2d, Layer
from digitpad.nn.network import Network

_MAX_BYTES = 64 * 2**20
_MIN_PRODUCTS = 64  # multiplications per output of a convolution that is worth its memory; usually not the first one


class SharedLayers:
    """Forward pass of many networks on the same images.

    Candidates often differ only in their later layers. If another network had the same layers up to a convolution, with
    the same parameters, its output is used again. The outputs that were not used for longest are forgotten.
    """

    def __init__(self) -> None:
        self._outputs: OrderedDict[bytes, Floats] = OrderedDict()
        self._n_bytes = 0

    def forward(self, network: Network, images: NDArray[np.uint8]) -> Floats:
        """Return the logits of a network, as `Network.forward` does."""
        keys = _keys(network.layers, images)
        known = max((place for place, key in keys.items() if key in self._outputs), default=None)
        x: NDArray[Any] = images
        begin = 0
        if known is not None:
            self._outputs.move_to_end(keys[known])
            x, begin = self._outputs[keys[known]].copy(), known + 1  # the next layer may overwrite it
        for place, layer in enumerate(network.layers[begin:], begin):
            x = layer.forward(x, False)
            if place in keys:
                self._keep(keys[place], x)
        return x

    def _keep(self, key: bytes, output: Floats) -> None:
        if output.nbytes > _MAX_BYTES // 4:
            return
        self._outputs[key] = output.copy()
        self._n_bytes += output.nbytes
        while self._n_bytes > _MAX_BYTES:
            _, forgotten = self._outputs.popitem(last=False)
            self._n_bytes -= forgotten.nbytes


def _keys(layers: tuple[Layer, ...], images: NDArray[np.uint8]) -> dict[int, bytes]:
    """Return a key for each costly convolution by its place: a hash of the images and of all layers up to it."""
    last = max((place for place, layer in enumerate(layers) if isinstance(layer, Conv2d)), default=-1)
    keys: dict[int, bytes] = {}
    content = hashlib.blake2b(images.tobytes(), digest_size=16)
    for place, layer in enumerate(layers[: last + 1]):
        content.update(repr(layer.settings()).encode())
        for values in layer.parameters.values():
            content.update(values.tobytes())
        if isinstance(layer, Conv2d) and layer.parameters["weight"][..., 0].size >= _MIN_PRODUCTS:
            keys[place] = content.copy().digest()
    return keys
