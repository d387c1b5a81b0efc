"""Trained weights and digitpad's own file format for them.

The file is an ``.npz`` that NumPy can open without digitpad. An array ``header`` holds JSON in UTF-8. Each parameter
array is a float32 array, named by the index of its layer (``2.weight``). The header has these keys:

format, version
    "digitpad weights" and the version of this layout.
architecture
    All layers in order, with their settings. The first layer is `Rescale`, the preprocessing of the 28 × 28 pixels of
    0..255. `digitpad.ink.raster` describes how these pixels are produced from strokes.
classes
    The name of each output; absent if the classes are the digits 0 to 9.
about
    Facts about the training: recipe, dataset with its SHA-256, scores, program version, BLAS threads, date.
"""

import io
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from digitpad import __version__, assets
from digitpad.class_names import DIGITS, MAX_CLASSES, are_names
from digitpad.errors import WeightsError
from digitpad.formats.npy import BUDGET_BYTES
from digitpad.formats.npz import read_arrays
from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.layers import Conv2d, Linear, Rescale
from digitpad.nn.network import Network
from digitpad.system import blas_threads
from digitpad.system.atomic_write import write_atomically

FORMAT = "digitpad weights"
VERSION = 1
MAX_HEADER_BYTES = 8 * 2**20  # the history of 10,000 epochs, a recipe's maximum, takes 3 MB
MAX_LAYERS = 100
MAX_PARAMETERS = BUDGET_BYTES // 4
MAX_ACTIVATIONS = 1_000_000  # of all layers, for one image; two padded 3x3x64 layers have 300,000

SHIPPED = assets.MODEL / "digits.npz"
"""File of the built-in network."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Architecture and parameters of a network, and facts about its training.

    Attributes
    ----------
    name : str
        The name of the file or of the recipe.
    architecture : list of dict
        Layer settings, as returned by `Network.architecture`.
    parameters : ndarray of float32, shape (n_parameters,)
    about : dict
        Facts about the training, as plain values. Every key may be absent, for example ``"test_accuracy"``.
    class_names : tuple of str
        Name of each output.
    """

    name: str
    architecture: list[dict[str, Any]]
    parameters: Floats
    about: Mapping[str, Any] = field(default_factory=dict)
    class_names: tuple[str, ...] = DIGITS

    def network(self) -> Network:
        """Return a new network with a copy of these parameters."""
        network = Network.from_architecture(self.architecture)
        network.parameters[:] = self.parameters
        return network

    @property
    def test_accuracy(self) -> float | None:
        """Test accuracy, or None if unknown."""
        accuracy = self.about.get("test_accuracy")
        return float(accuracy) if isinstance(accuracy, float) and 0 <= accuracy <= 1 else None

    @property
    def knows_non_digits(self) -> bool:
        """Whether the recipe in the file adds non-digits to the training set."""
        recipe = self.about.get("recipe")
        data = recipe.get("data") if isinstance(recipe, dict) else None
        count = data.get("non_digits") if isinstance(data, dict) else None
        return isinstance(count, int) and count > 0

    @property
    def confidence_threshold(self) -> float:
        """Lowest confidence of a prediction that is shown as sure; 0.5 if unknown."""
        threshold = self.about.get("sure_above")
        return threshold if isinstance(threshold, float) and 0 <= threshold <= 1 else 0.5

    @property
    def data_name(self) -> str:
        """Name of the training dataset, or an empty string if unknown."""
        data = self.about.get("data")
        name = data.get("name") if isinstance(data, dict) else None
        return name[:80] if isinstance(name, str) else ""

    @property
    def data_source(self) -> str:
        """Name or path of the training dataset on the computer used for training, or an empty string if unknown."""
        recipe = self.about.get("recipe")
        data = recipe.get("data") if isinstance(recipe, dict) else None
        source = data.get("set") if isinstance(data, dict) else None
        return source if isinstance(source, str) else ""

    def save(self, path: Path) -> None:
        """Write the weights to a file, atomically.

        Raises
        ------
        WeightsError
            If the file cannot be written. An existing file at ``path`` is then unchanged.
        """
        header = {
            "format": FORMAT,
            "version": VERSION,
            "architecture": self.architecture,
            "about": dict(self.about),
        }
        if self.class_names != DIGITS:
            header["classes"] = list(self.class_names)
        arrays: dict[str, Any] = {
            "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
            **self.network().named_parameters(),
        }
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        try:
            write_atomically(path, buffer.getvalue())
        except OSError as error:
            raise WeightsError(path, f"cannot be written ({error.strerror or error})") from error


_HEADER_MEMBER = b"header.npy"


def provenance() -> dict[str, Any]:
    """Return where and when a training ran: program versions, number of BLAS threads, and date."""
    return {
        "digitpad": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "blas_threads": blas_threads.thread_count(),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def is_own(path: Path) -> bool:
    """Return whether the file has digitpad's own format, so that it needs no import options.

    Only the file's first bytes are read: the header of a zip archive's first member, with its name after 30 bytes. An
    archive's directory may have millions of entries.
    """
    try:
        if not path.is_file():  # a named pipe would block
            return False
        with path.open("rb") as file:
            start = file.read(30 + len(_HEADER_MEMBER))
    except (OSError, ValueError):
        return False
    return start.startswith(b"PK\x03\x04") and start.endswith(_HEADER_MEMBER)


def load_weights(path: Path) -> Weights:
    """Load weights from a file that `Weights.save` wrote.

    Raises
    ------
    WeightsError
        If the file has a different format or a newer version, or its arrays do not fit its architecture.
    """
    arrays = read_arrays(path)
    header = _read_header(path, arrays.pop("header", None))
    network, class_names = _build(path, header)
    expected = network.named_parameters()
    if missing := sorted(expected.keys() - arrays.keys()):
        raise WeightsError(path, f"lacks the array {missing[0]!r}, which its architecture needs")
    if extra := sorted(arrays.keys() - expected.keys()):
        raise WeightsError(path, f"holds an array {extra[0][:80]!r}, which its architecture does not use")
    for name, view in expected.items():
        array = arrays[name]
        if array.shape != view.shape:
            raise WeightsError(path, f"array {name!r} has the shape {array.shape}; the architecture needs {view.shape}")
        if array.dtype != np.float32:
            raise WeightsError(path, f"array {name!r} holds {array.dtype}; expected float32")
        if not np.isfinite(array).all():
            raise WeightsError(path, f"array {name!r} holds infinite or NaN values")
        view[...] = array
    with np.errstate(over="ignore", invalid="ignore"):
        black_and_white = np.repeat(np.array([0, 255], np.uint8), 784).reshape(2, 28, 28)
        if not np.isfinite(network.predict(black_and_white)).all():
            raise WeightsError(path, "holds numbers so large that the network's output is not finite")
    return Weights(path.name, network.architecture(), network.parameters, header["about"], class_names)


def _read_header(path: Path, header: Any) -> dict[str, Any]:
    if header is None:
        raise WeightsError(path, "has no array 'header', so it is not a weights file that digitpad saved")
    if header.dtype != np.uint8 or header.ndim != 1 or header.size > MAX_HEADER_BYTES:
        raise WeightsError(path, "its header is not an array of at most 8 MiB of bytes")
    try:
        values = json.loads(header.tobytes().decode())
    except (ValueError, RecursionError) as error:
        raise WeightsError(path, f"its header is not JSON ({error})") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise WeightsError(path, f"its header lacks the format name {FORMAT!r}")
    version = values.get("version")
    if type(version) is not int or version > VERSION or version < 1:
        raise WeightsError(path, f"has format version {version!r}; this version of digitpad reads up to {VERSION}")
    if not isinstance(values.get("architecture"), list) or not isinstance(values.get("about"), dict):
        raise WeightsError(path, "its header has no list 'architecture' or no object 'about'")
    return values


def _class_names(path: Path, header: Mapping[str, Any], output_shape: Shape) -> tuple[str, ...]:
    """Return the name of each output; the digits if the header has no names."""
    n_outputs = " × ".join(map(str, output_shape))
    if "classes" not in header:
        if output_shape != (len(DIGITS),):
            raise WeightsError(
                path,
                f"has {n_outputs} outputs and no class names; without names, {len(DIGITS)} are needed",
            )
        return DIGITS
    names = header["classes"]
    if not are_names(names):
        raise WeightsError(path, f"its classes are not a list of 2 to {MAX_CLASSES} different names")
    if output_shape != (len(names),):
        raise WeightsError(path, f"has {n_outputs} outputs but {len(names)} class names")
    return tuple(names)


def _build(path: Path, header: Mapping[str, Any]) -> tuple[Network, tuple[str, ...]]:
    """Return the network that a header describes, and its class names, after checking sizes and settings."""
    architecture = header["architecture"]
    if len(architecture) > MAX_LAYERS:
        raise WeightsError(path, f"has {len(architecture)} layers; the limit is {MAX_LAYERS}")
    try:
        network = Network.from_architecture(architecture, max_parameters=MAX_PARAMETERS)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(path, f"describes an invalid network: {error}") from error
    n_activations = network.plan.n_activations
    if n_activations > MAX_ACTIVATIONS:
        raise WeightsError(path, f"needs {n_activations:,} activations per image; the limit is {MAX_ACTIVATIONS:,}")
    class_names = _class_names(path, header, network.plan.output_shape)
    if not network.layers or not isinstance(network.layers[0], Rescale):
        raise WeightsError(path, "does not begin with Rescale, which scales the pixels")
    if not any(isinstance(layer, Linear | Conv2d) for layer in network.layers):
        raise WeightsError(path, "has no Linear or Conv2d layer outside of branches")
    return network, class_names
