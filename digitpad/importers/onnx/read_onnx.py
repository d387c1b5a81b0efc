"""Reading of ONNX files into the contents of a file with a stated network."""

from pathlib import Path

from digitpad.errors import WeightsError
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.onnx.model_file import OnnxError, read_model
from digitpad.importers.onnx.network_builder import build_onnx


def read_onnx(path: Path, content: bytes) -> TensorTree:
    """Read the network in an ONNX file.

    Raises
    ------
    WeightsError
        If the file is damaged, keeps its weights in another file, or has a node that is not supported.
    """
    try:
        network = build_onnx(read_model(content))
    except OnnxError as error:
        raise WeightsError(path, str(error)) from error
    tensor_tree = TensorTree(path, "an ONNX model")
    tensor_tree.stated.extend(network.alternatives())
    return tensor_tree
