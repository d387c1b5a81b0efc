"""Trained weights, and digitpad's own file for them.

The file is an ``.npz`` that any NumPy opens: an array ``header`` holds JSON in UTF-8, and beside it lies one float32
array a parameter, named by its layer's place (``2.weight``). The header says:

format, version
    "digitpad weights" and the number of this layout.
architecture
    Every layer in order with its settings; `Rescale`, the first, is the preprocessing of the 28 × 28 pixels of 0..255,
    which themselves are made as `digitpad.ink.raster` says.
classes
    The name of each output; absent where they are the digits 0 to 9.
about
    What is known of the training: recipe, data with its SHA-256, scores, program version, BLAS threads, date.
"""

import io
import json
import platform
import zipfile
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
from digitpad.nn.layers import Rescale
from digitpad.nn.network import Network
from digitpad.system import blas_threads
from digitpad.system.atomic_write import write_atomically

FORMAT = "digitpad weights"
VERSION = 1
MAX_HEADER_BYTES = 8 * 2**20  # the history of 10 000 epochs, the most a recipe may ask for, takes 3 MB
MAX_LAYERS = 100
MAX_PARAMETERS = BUDGET_BYTES // 4
MAX_ACTIVATIONS = 1_000_000  # numbers that all layers compute for one image; 3x3x64 twice, padded, is 300 000

SHIPPED = assets.MODEL / "digits.npz"
"""The weights that the program starts with."""


@dataclass(frozen=True, eq=False)
class Weights:
    """An architecture and its parameters, and what is known of how they came to be.

    Attributes
    ----------
    name : str
        What to call them: the file's name, or the recipe's.
    architecture : list of dict
        As `Network.architecture` gives it.
    parameters : ndarray of float32, shape (n_parameters,)
    about : dict
        Plain values; ``about.get("test_accuracy")`` and the like may be absent.
    class_names : tuple of str
        What the outputs stand for.
    """

    name: str
    architecture: list[dict[str, Any]]
    parameters: Floats
    about: Mapping[str, Any] = field(default_factory=dict)
    class_names: tuple[str, ...] = DIGITS

    def network(self) -> Network:
        """A network of its own with a copy of these parameters."""
        network = Network.from_architecture(self.architecture)
        network.parameters[:] = self.parameters
        return network

    @property
    def test_accuracy(self) -> float | None:
        """Share of the test set that was read right, where that is known."""
        accuracy = self.about.get("test_accuracy")
        return float(accuracy) if isinstance(accuracy, float) and 0 <= accuracy <= 1 else None

    @property
    def confidence_threshold(self) -> float:
        """The confidence from which an answer is sure; more likely than not, where nothing better is known."""
        bound = self.about.get("sure_above")
        return bound if isinstance(bound, float) and 0 <= bound <= 1 else 0.5

    @property
    def data_name(self) -> str:
        """The data set that they were trained on, where that is known; else nothing."""
        data = self.about.get("data")
        name = data.get("name") if isinstance(data, dict) else None
        return name[:80] if isinstance(name, str) else ""

    @property
    def data_source(self) -> str:
        """The name or path of that set on the machine where they were trained; else nothing."""
        recipe = self.about.get("recipe")
        data = recipe.get("data") if isinstance(recipe, dict) else None
        source = data.get("set") if isinstance(data, dict) else None
        return source if isinstance(source, str) else ""

    def save(self, path: Path) -> None:
        """Write the file, atomically.

        Raises
        ------
        WeightsError
            If it cannot be written; what was at ``path`` is then as it was.
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


def provenance() -> dict[str, Any]:
    """What every training notes of where and when it ran: version, date, machine size."""
    return {
        "digitpad": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "blas_threads": blas_threads.thread_count(),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def is_own(path: Path) -> bool:
    """Whether the file is of this format, so that nothing about it needs to be found out."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "header.npy" in archive.namelist()[:1]
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def load_weights(path: Path) -> Weights:
    """The weights in a file that `Weights.save` wrote.

    Raises
    ------
    WeightsError
        If the file is not such a file, is of a newer layout, or its arrays do not fit its architecture.
    """
    arrays = read_arrays(path)
    header = _read_header(path, arrays.pop("header", None))
    network, class_names = _build(path, header)
    expected = network.named_parameters()
    if missing := sorted(expected.keys() - arrays.keys()):
        raise WeightsError(path, f"has no array {missing[0]!r}, which its architecture needs")
    if extra := sorted(arrays.keys() - expected.keys()):
        raise WeightsError(path, f"holds an array {extra[0][:80]!r}, which its architecture has no place for")
    for name, view in expected.items():
        array = arrays[name]
        if array.shape != view.shape:
            raise WeightsError(path, f"array {name!r} has the shape {array.shape}; the architecture needs {view.shape}")
        if array.dtype != np.float32:
            raise WeightsError(path, f"array {name!r} holds {array.dtype}; expected float32")
        if not np.isfinite(array).all():
            raise WeightsError(path, f"array {name!r} holds numbers that are not finite")
        view[...] = array
    with np.errstate(over="ignore", invalid="ignore"):
        black_and_white = np.repeat(np.array([0, 255], np.uint8), 784).reshape(2, 28, 28)
        if not np.isfinite(network.predict(black_and_white)).all():
            raise WeightsError(path, "holds numbers so large that what they compute is not finite")
    return Weights(path.name, network.architecture(), network.parameters, header["about"], class_names)


def _read_header(path: Path, header: Any) -> dict[str, Any]:
    if header is None:
        raise WeightsError(path, "has no array 'header'; these are not weights that digitpad saved")
    if header.dtype != np.uint8 or header.ndim != 1 or header.size > MAX_HEADER_BYTES:
        raise WeightsError(path, "its header is not a row of bytes")
    try:
        values = json.loads(header.tobytes().decode())
    except (ValueError, RecursionError) as error:
        raise WeightsError(path, f"its header is not JSON ({error})") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise WeightsError(path, f"its header does not say {FORMAT!r}")
    version = values.get("version")
    if type(version) is not int or version > VERSION or version < 1:
        raise WeightsError(path, f"is of version {version!r}; this program reads up to {VERSION}")
    if not isinstance(values.get("architecture"), list) or not isinstance(values.get("about"), dict):
        raise WeightsError(path, "its header has no list 'architecture' or no group 'about'")
    return values


def _class_names(path: Path, header: Mapping[str, Any], output_shape: Shape) -> tuple[str, ...]:
    """What the outputs stand for: digits, where the header does not say."""
    found = " × ".join(map(str, output_shape))
    if "classes" not in header:
        if output_shape != (len(DIGITS),):
            raise WeightsError(
                path, f"gives {found} outputs; {len(DIGITS)} are needed, one a digit, or names of classes"
            )
        return DIGITS
    names = header["classes"]
    if not are_names(names):
        raise WeightsError(path, f"its classes are not 2 to {MAX_CLASSES} different names")
    if output_shape != (len(names),):
        raise WeightsError(path, f"gives {found} outputs, but names {len(names)} classes")
    return tuple(names)


def _build(path: Path, header: Mapping[str, Any]) -> tuple[Network, tuple[str, ...]]:
    """The network that a header describes and its classes, if it is of a size and kind that can be."""
    architecture = header["architecture"]
    if len(architecture) > MAX_LAYERS:
        raise WeightsError(path, f"has {len(architecture)} layers; at most {MAX_LAYERS} are read")
    try:
        network = Network.from_architecture(architecture, max_parameters=MAX_PARAMETERS)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(path, f"describes a network that cannot be: {error}") from error
    n_activations = network.plan.n_activations
    if n_activations > MAX_ACTIVATIONS:
        raise WeightsError(path, f"computes {n_activations:,} numbers an image; at most {MAX_ACTIVATIONS:,}")
    class_names = _class_names(path, header, network.plan.output_shape)
    if not network.layers or not isinstance(network.layers[0], Rescale):
        raise WeightsError(path, "does not begin with Rescale, which makes numbers of pixels")
    return network, class_names
