"""Tests of ONNX files from digitpad and other exporters, and of damaged or unsupported files."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from digitpad.errors import WeightsError
from digitpad.importers.inference.conventions import Candidate, Convention
from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.layout.building import build_network
from digitpad.importers.open_file import probe_set
from digitpad.importers.read_file import read_tensor_tree
from digitpad.nn.layers import (
    ELU,
    GELU,
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Sigmoid,
    Swish,
    Tanh,
)
from digitpad.nn.network import Network
from digitpad.weights.onnx_export import to_onnx

NETWORKS: dict[str, list[Layer]] = {
    "dense": [Flatten(), Linear(12), ReLU(), Linear(10)],
    "activations": [Flatten(), Linear(9), GELU(), Linear(8), Swish(), Linear(7), ELU(), Linear(6), Sigmoid(),
                    Linear(10)],
    "convolutions": [AddChannel(), Conv2d(4, 5), BatchNorm(), Tanh(), MaxPool2d(), Conv2d(5, 3, 1), LeakyReLU(0.1),
                     AvgPool2d(3), Flatten(), Linear(10)],
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_exported_networks_can_be_imported(name: str, tmp_path: Path) -> None:
    """A network that was exported to ONNX gives the same predictions after import."""
    network = Network([Rescale(1 / 255, 0.0), *NETWORKS[name]])
    network.initialize(np.random.default_rng(1))
    path = tmp_path / "a.onnx"
    path.write_bytes(to_onnx(network))
    images = np.random.default_rng(2).integers(0, 256, (20, 28, 28), np.uint8)
    structure = find_structures(read_tensor_tree(path), 10)[0]
    convention = Convention("none", "0..255", structure.orientation)
    opened = build_network(Candidate(convention, 0.0, 0.0, structure), [], probe_set())
    np.testing.assert_allclose(opened.predict(images), network.predict(images), atol=1e-5)


def model(nodes: Sequence[Any], tensors: dict[str, Any], shape: Sequence[Any] = ("n", 784)) -> Any:
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in tensors.items()],
    )
    return helper.make_model(graph)


WEIGHT = np.random.default_rng(0).normal(0, 0.1, (784, 10)).astype(np.float32)
BIAS = np.linspace(-1, 1, 10, dtype=np.float32)


def weight_of(content: bytes, path: Path) -> Any:
    path.write_bytes(content)
    structure = find_structures(read_tensor_tree(path), 10)[0]
    assert structure.stated is not None
    (step,) = [step for step in structure.stated.steps if step.parameters]
    return step.parameters


def test_nodes_out_of_order_with_constants_as_nodes(tmp_path: Path) -> None:
    """Nodes may be in any order, and constants may be nodes that other nodes transpose and reshape."""
    turned = numpy_helper.from_array(WEIGHT.T.reshape(10, 28, 28), "t")
    nodes = [
        helper.make_node("Softmax", ["z"], ["y"]),
        helper.make_node("Add", ["bias", "p"], ["z"]),
        helper.make_node("MatMul", ["f", "w"], ["p"]),
        helper.make_node("Transpose", ["flat"], ["w"], perm=[1, 0]),
        helper.make_node("Reshape", ["c", "shape"], ["flat"]),
        helper.make_node("Constant", [], ["c"], value=turned),
        helper.make_node("Flatten", ["x"], ["f"]),
    ]
    content = model(nodes, {"bias": BIAS, "shape": np.array([10, -1])}, ("n", 1, 28, 28)).SerializeToString()
    parameters = weight_of(content, tmp_path / "a.onnx")
    np.testing.assert_array_equal(parameters["weight"], WEIGHT)
    np.testing.assert_array_equal(parameters["bias"], BIAS)


def test_reshapes_by_computed_shapes(tmp_path: Path) -> None:
    """A reshape by a shape that the graph computes from its input is evaluated."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axes"], ["m"]),
        helper.make_node("Concat", ["m", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["y"]),
    ]
    tensors = {"zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1]), "w": WEIGHT, "b": BIAS}
    content = model(nodes, tensors, ("n", 1, 28, 28)).SerializeToString()
    np.testing.assert_array_equal(weight_of(content, tmp_path / "a.onnx")["weight"], WEIGHT)


@pytest.mark.parametrize(
    ("side", "ways"),
    [(14, ["resized to 14 × 14", "sampled at 14 × 14"]), (40, ["padded to 40 × 40", "resized to 40 × 40"])],
)
def test_images_of_another_size(side: int, ways: list[str], tmp_path: Path) -> None:
    """A network that takes images of another size gets resized or padded digits."""
    weight = np.full((side * side, 10), 1 / side**2, np.float32)
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("Gemm", ["f", "w", "b"], ["y"])]
    path = tmp_path / "a.onnx"
    path.write_bytes(model(nodes, {"w": weight, "b": BIAS}, ("n", 1, side, side)).SerializeToString())
    structures = find_structures(read_tensor_tree(path), 10)
    assert [structure.detail for structure in structures] == ways
    grey = np.full((1, 28, 28), 51, np.uint8)
    for structure, shown in zip(structures, (28 / side if side > 28 else 1, 1), strict=True):
        convention = Convention("none", "x/255", "", detail=structure.detail)
        network = build_network(Candidate(convention, 0.0, 0.0, structure), [], probe_set())
        np.testing.assert_allclose(network.forward(grey)[0], BIAS + 0.2 * shown**2, rtol=1e-4)


def external() -> bytes:
    made = model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": WEIGHT})
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return made.SerializeToString()


REFUSED: dict[str, tuple[bytes, str]] = {
    "external data": (external(), "in another file"),
    "unknown node": (
        model([helper.make_node("LSTM", ["x", "w", "w"], ["y"], name="rnn")], {"w": WEIGHT}).SerializeToString(),
        "LSTM node 'rnn' that is not supported",
    ),
    "a loop": (
        model([helper.make_node("Add", ["x", "z"], ["y"]), helper.make_node("Relu", ["y"], ["z"])], {}
              ).SerializeToString(),
        "form a loop",
    ),
    "nothing": (model([], {}).SerializeToString(), "nothing computes 'y'"),
    "other images": (
        model([helper.make_node("Gemm", ["x", "w"], ["y"])], {"w": WEIGHT}, ("n", 3, 32, 32)).SerializeToString(),
        "takes inputs of 3 × 32 × 32 numbers",
    ),
    "cut off": (model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": WEIGHT}).SerializeToString()[:-3000],
                "damaged ONNX model: a field claims"),
    "only a beginning": (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:" + bytes(range(1, 200)), "damaged ONNX model"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_error_names_an_unsupported_node(name: str, tmp_path: Path) -> None:
    """The error says that the file is an ONNX model, and names the unsupported node."""
    content, message = REFUSED[name]
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        find_structures(read_tensor_tree(tmp_path / "a.bin"), 10)


def test_damaged_files_raise_only_weights_error(tmp_path: Path) -> None:
    """A model with changed bytes is opened or raises WeightsError."""
    content = to_onnx(Network([Rescale(1 / 255), AddChannel(), Conv2d(2, 5, stride=4), ReLU(), Flatten(), Linear(10)]))
    rng = random.Random(1)
    path = tmp_path / "a.onnx"
    for _ in range(400):
        mutated = bytearray(content)
        for _ in range(rng.randint(1, 6)):
            mutated[rng.choice((rng.randrange(len(content)), rng.randrange(300)))] = rng.randrange(256)
        path.write_bytes(bytes(mutated))
        try:
            find_structures(read_tensor_tree(path), 10)
        except WeightsError:
            continue
