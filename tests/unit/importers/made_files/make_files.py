"""Make the files of this folder: small networks, saved by PyTorch, its ONNX exporters, scikit-learn and joblib."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn

from digitpad.datasets.dataset import mnist
from digitpad.importers.open_file import probe_set

FOLDER = Path(__file__).parent
UNIT, NORMALISED, CENTRED = "x/255", "(x/255 - 0.1307)/0.3081", "x/127.5 - 1"
PREPARE: dict[str, Callable[[Any], Any]] = {
    UNIT: lambda x: x / 255,
    NORMALISED: lambda x: (x / 255 - 0.1307) / 0.3081,
    CENTRED: lambda x: x / 127.5 - 1,
}
TRUTH: dict[str, dict[str, Any]] = {}


class LeNet(nn.Module):  # type: ignore[misc]
    """Network that flattens with `view`, as in tutorials."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 8, 5)
        self.fc1, self.fc2 = nn.Linear(128, 24), nn.Linear(24, 10)

    def forward(self, x: Any) -> Any:
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        return torch.log_softmax(self.fc2(torch.relu(self.fc1(x.view(x.size(0), -1)))), 1)


class Residual(nn.Module):  # type: ignore[misc]
    """Network with a stride, batch normalisation and a residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1, self.conv2 = nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 49, 10)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(torch.flatten(torch.max_pool2d(torch.relu(x + self.conv2(x)), 2), 1))


def mlp(activation: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 12), activation, nn.Linear(12, 10))


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1),
        nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 49, 10),
    )  # fmt: skip


def depthwise() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2), nn.Hardtanh(0, 6), nn.Conv2d(8, 8, 3, groups=8, padding=1), nn.LeakyReLU(0.1),
        nn.AvgPool2d(2, ceil_mode=True), nn.Flatten(), nn.Linear(8 * 49, 10),
    )  # fmt: skip


def digits() -> tuple[Any, Any]:
    data = mnist().training
    return data.images[:12000].reshape(-1, 1, 28, 28).astype(np.float32), data.labels[:12000].astype(np.int64)


def train(network: nn.Module, scaling: str) -> nn.Module:
    torch.manual_seed(1)
    images, labels = (torch.tensor(array) for array in digits())
    images = PREPARE[scaling](images)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    network.train()
    for _ in range(600):
        rows = torch.randint(0, len(images), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images[rows]), labels[rows]).backward()
        optimizer.step()
    return network.eval()


def keep_truth(name: str, correct: Any, activation: str, scaling: str) -> None:
    TRUTH[name] = {"accuracy": float(np.mean(correct)), "activation": activation, "scaling": scaling}


def save_torch(name: str, network: nn.Module, activation: str, scaling: str) -> None:
    train(network, scaling)
    if "softmax" in name:
        network = nn.Sequential(network, nn.Softmax(1)).eval()
    probe = probe_set()
    with torch.no_grad():
        outputs = network(PREPARE[scaling](torch.tensor(probe.images.reshape(-1, 1, 28, 28).astype(np.float32))))
    example = torch.zeros(1, 1, 28, 28)
    if name.endswith("_new.onnx"):
        torch.onnx.export(network, (example,), FOLDER / name, dynamo=True, external_data=False, verbose=False)
    elif name.endswith(".onnx"):
        torch.onnx.export(network, (example,), FOLDER / name, dynamo=False, input_names=["x"],
                          dynamic_axes={"x": {0: "n"}}, opset_version=13)  # fmt: skip
    elif name.startswith("checkpoint"):
        torch.save({"epoch": 3, "model_state_dict": network.state_dict()}, FOLDER / name)
    else:
        torch.save(network.state_dict(), FOLDER / name)
    keep_truth(name, outputs.argmax(1).numpy() == probe.labels, activation, scaling)


def save_scikit_learn(name: str, activation: str, save: Callable[[Any, Path], Any]) -> None:
    images, labels = digits()
    model = MLPClassifier((12,), activation=activation, max_iter=12, random_state=1)
    model.fit(images.reshape(-1, 784) / 255, labels)
    probe = probe_set()
    predicted = model.predict(probe.images.reshape(-1, 784) / 255)
    names = {"logistic": "sigmoid", "identity": "none"}
    keep_truth(name, predicted == probe.labels, names.get(activation, activation), UNIT)
    save(model, FOLDER / name)


def as_objects(model: Any, path: Path) -> None:
    arrays = np.empty(4, object)
    arrays[:] = [model.coefs_[0], model.intercepts_[0], model.coefs_[1], model.intercepts_[1]]
    joblib.dump({"parameters": arrays}, path)


if __name__ == "__main__":
    torch.set_num_threads(1)
    save_torch("mlp.onnx", mlp(nn.ReLU()), "relu", UNIT)
    save_torch("mlp_softmax_new.onnx", mlp(nn.SiLU()), "swish", NORMALISED)
    save_torch("gelu.onnx", mlp(nn.GELU()), "gelu", CENTRED)
    save_torch("lenet.onnx", LeNet(), "relu", NORMALISED)
    save_torch("residual_new.onnx", Residual(), "relu", UNIT)
    save_torch("depthwise.onnx", depthwise(), "clip, leaky_relu", CENTRED)
    save_torch("mlp.pt", mlp(nn.ReLU()), "relu", UNIT)
    save_torch("mlp_normalised.pth", mlp(nn.ReLU()), "relu", NORMALISED)
    save_torch("lenet_unit.pt", LeNet(), "relu", UNIT)
    save_torch("lenet_normalised.pt", LeNet(), "relu", NORMALISED)
    save_torch("lenet_centred.pt", LeNet(), "relu", CENTRED)
    save_torch("checkpoint.pt", convolutional(), "relu", NORMALISED)
    save_torch("checkpoint_unit.pt", convolutional(), "relu", UNIT)
    save_scikit_learn("tanh.pkl", "tanh", lambda model, path: path.write_bytes(pickle.dumps(model)))
    save_scikit_learn("relu.joblib", "relu", joblib.dump)
    save_scikit_learn("logistic.joblib", "logistic", lambda model, path: joblib.dump(model, path, compress=3))
    save_scikit_learn("objects.joblib", "relu", as_objects)
    (FOLDER / "truth.json").write_text(json.dumps(TRUTH, indent=1) + "\n")
