from pathlib import Path

import numpy as np

from digitpad.importers.open_file import infer_import
from digitpad.nn.layers import BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU
from tests.unit.importers.strangers import save_npz, train_images


def test_batch_normalisation_is_found_by_name_and_by_place(tmp_path: Path) -> None:
    """Batch normalisation is found by PyTorch's names and by position in Keras' list without names."""
    layers = [
        Conv2d(4, 3, 1),
        BatchNorm(),
        ReLU(),
        MaxPool2d(4),
        Flatten(),
        Linear(20),
        BatchNorm(),
        ReLU(),
        Linear(10),
    ]
    network = train_images(layers, steps=40)
    arrays = [array.astype(np.float64) for array in network.named_parameters().values()]
    norm = ("weight", "bias", "running_mean", "running_var")
    names = ["conv1.weight", "conv1.bias", *(f"bn1.{part}" for part in norm)]
    names += ["fc1.weight", "fc1.bias", *(f"bn2.{part}" for part in norm), "fc2.weight", "fc2.bias"]
    named = dict(zip(names, arrays, strict=True))
    named["conv1.weight"] = named["conv1.weight"].transpose(3, 2, 0, 1)
    named["fc1.weight"] = named["fc1.weight"].reshape(7, 7, 4, 20).transpose(3, 2, 0, 1).reshape(20, -1)
    named["fc2.weight"] = named["fc2.weight"].T
    for path in (
        save_npz(tmp_path / "torch.npz", dict(sorted(named.items()))),
        save_npz(tmp_path / "keras.npz", {f"arr_{i}": a for i, a in enumerate(arrays)}),
    ):
        result = infer_import(path)
        images = result.probe_set.images[:20]
        np.testing.assert_allclose(result.weights().network().predict(images), network.predict(images), atol=1e-3)
