from pathlib import Path

import numpy as np

from digitpad.importers.open_file import infer_import
from digitpad.nn.layers import AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU
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
    assert result.chosen.convention.detail == "pool 22; flattened by channel; average pooling"
    images = result.probe_set.images[:20]
    np.testing.assert_allclose(result.weights().network().predict(images), network.predict(images), atol=1e-4)
