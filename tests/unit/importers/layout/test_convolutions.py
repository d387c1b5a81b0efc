from pathlib import Path

import numpy as np
import pytest

from digitpad.importers.layout.enlargement import PADDED, RESIZED, enlarged
from digitpad.importers.open_file import infer_import
from digitpad.nn.layers import AvgPool2d, Conv2d, Flatten, GlobalAvgPool2d, Layer, Linear, MaxPool2d, ReLU, Rescale
from digitpad.nn.network import Network
from tests.unit.importers.strangers import Matrix, save_npz, small_lenet, train_images


def conv_layouts(p: list[Matrix]) -> dict[str, dict[str, Matrix]]:
    """Return the arrays of a small LeNet in the layout of each framework."""
    k1, c1, k2, c2, w3, b3, w4, b4 = p
    by_channel = w3.reshape(5, 5, 6, 20).transpose(2, 0, 1, 3).reshape(150, 20)
    oihw = [k.transpose(3, 2, 0, 1) for k in (k1, k2)]
    ohwi = [k.transpose(3, 0, 1, 2) for k in (k1, k2)]
    return {
        "HWIO": {f"arr_{i}": a for i, a in enumerate(p)},
        "OIHW": {
            "conv1.weight": oihw[0],
            "conv1.bias": c1,
            "conv2.weight": oihw[1],
            "conv2.bias": c2,
            "fc1.weight": by_channel.T,
            "fc1.bias": b3,
            "fc2.weight": w4.T,
            "fc2.bias": b4,
        },
        "OHWI": {
            "f1": ohwi[0],
            "f2": ohwi[1],
            "w3": w3.T,
            "w4": w4.T,
            **{f"b{i}": b[:, None] for i, b in enumerate((c1, c2, b3, b4), 1)},
        },
    }


def test_convolutions_of_every_layout_are_opened(tmp_path: Path) -> None:
    """The kernel layout, the pooling and the order of flattening are inferred."""
    network = train_images(small_lenet(), steps=120)
    parameters = [array.astype(np.float64) for array in network.named_parameters().values()]
    for layout, arrays in conv_layouts(parameters).items():
        result = infer_import(save_npz(tmp_path / f"{layout}.npz", arrays))
        assert result.chosen.convention.orientation.startswith(layout)
        opened = result.weights().network()
        images = result.probe_set.images[:20]
        np.testing.assert_allclose(opened.predict(images), network.predict(images), atol=1e-4)


def test_convolution_without_channels_or_activation(tmp_path: Path) -> None:
    """A network with three-dimensional filters, one pooling layer and no hidden activation is opened."""
    network = train_images([Conv2d(4, 3), MaxPool2d(), Flatten(), Linear(10)], steps=60)
    k, c, w, b = network.named_parameters().values()
    path = save_npz(tmp_path / "a.npz", {"filters": k[:, :, 0].transpose(2, 0, 1), "weights": w, "biases": b, "c": c})
    result = infer_import(path)
    assert result.chosen.structure.sizes == "28×28-3×3×4-pool-10"
    best = max(candidate.accuracy for candidate in result.candidates)
    assert result.chosen.accuracy >= best - 0.015


def test_a_pool_over_the_whole_image(tmp_path: Path) -> None:
    """Global average pooling is recognised."""
    network = train_images([Conv2d(8, 7), ReLU(), AvgPool2d(22), Flatten(), Linear(10)], steps=300)
    k, c, w, b = network.named_parameters().values()
    path = save_npz(tmp_path / "a.npz", {"k": k.transpose(3, 2, 0, 1), "c": c, "w": w, "b": b})
    result = infer_import(path, "relu", "x/255")  # the accuracy is too low to infer them
    assert result.chosen.convention.detail == "plain, global average pool"
    images = result.probe_set.images[:20]
    np.testing.assert_allclose(result.weights().network().predict(images), network.predict(images), atol=1e-4)


GEOMETRIES: dict[str, list[Layer]] = {
    "padding 1 stride 2, padding 1 stride 2; flattened by channel": [
        *(Conv2d(6, 3, 1, stride=2), ReLU(), Conv2d(10, 3, 1, stride=2), ReLU(), Flatten(), Linear(10)),
    ],
    "stride 2, plain, global average pool": [
        *(Conv2d(8, 5, stride=2), ReLU(), Conv2d(10, 3), GlobalAvgPool2d()),
    ],
    "padding 1 stride 2, padding 1 stride 2, padding 1 stride 2, global average pool": [
        *(Conv2d(8, 3, 1, stride=2), ReLU(), Conv2d(8, 3, 1, stride=2), ReLU()),
        *(Conv2d(10, 3, 1, stride=2), GlobalAvgPool2d()),
    ],
    "pool 2/1, pool 2; flattened by channel": [
        *(Conv2d(4, 5), ReLU(), MaxPool2d(2, 1), Conv2d(6, 5), ReLU(), MaxPool2d(), Flatten(), Linear(10)),
    ],
    "pooled first, padding 1 pool 2; flattened by channel": [
        *(MaxPool2d(), Conv2d(6, 3, 1), ReLU(), MaxPool2d(), Flatten(), Linear(10)),
    ],
    "pool 2; flattened by channel": [Conv2d(1, 5), ReLU(), MaxPool2d(), Flatten(), Linear(10)],
}


@pytest.mark.parametrize("detail", GEOMETRIES)
def test_strides_and_pools_follow_from_the_shapes_and_the_digits(tmp_path: Path, detail: str) -> None:
    """A PyTorch state with strides, a pool before the first layer or one after the last opens as it was trained."""
    network = train_images(GEOMETRIES[detail], steps=120)
    arrays = {}
    for name, array in network.named_parameters().items():
        place = name.split(".")[0]
        array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
        if array.ndim == 2:
            side = round((len(array) / array_channels(network)) ** 0.5)
            array = array.reshape(side, side, -1, 10).transpose(2, 0, 1, 3).reshape(array.shape).T
        arrays[f"net.{place}.{'bias' if name.endswith('bias') else 'weight'}"] = array
    result = infer_import(save_npz(tmp_path / "a.npz", arrays), "relu", "x/255")
    assert result.chosen.convention.detail == detail
    images = result.probe_set.images[:20]
    np.testing.assert_allclose(result.weights().network().predict(images), network.predict(images), atol=1e-4)


def array_channels(network: Network) -> int:
    """Return the number of channels of the last convolution."""
    return [layer.channels for layer in network.layers if isinstance(layer, Conv2d)][-1]


def test_images_are_padded_before_scaling_or_resized() -> None:
    """The border of a padded image is as dark as the background after scaling, and resizing keeps a grey image grey."""
    images = np.zeros((2, 28, 28), np.uint8)
    images[1] = 100
    for kind, border in ((PADDED, 3.0), (RESIZED, 203.0)):
        layers = enlarged(kind, [Rescale(2.0, 3.0)])
        network = Network([layer for layer, _ in layers])
        for layer, parameters in layers:
            for name, value in parameters.items():
                layer.parameters[name][...] = value
        black, grey = network.forward(images)[..., 0].swapaxes(0, 1)
        np.testing.assert_allclose(black, 3.0)
        np.testing.assert_allclose(grey[0], border, rtol=1e-5)
        np.testing.assert_allclose(grey[2:-2, 2:-2], 203.0, rtol=1e-5)
