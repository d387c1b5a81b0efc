"""Reader of ONNX files: the nodes of the graph, its constant tensors, and the shapes of its inputs.

Source: onnx.proto of the ONNX project, version 1.16, whose field numbers are used here. Tensors in other files are
refused, since a file may name any path.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.onnx.wire import (
    WireError,
    WireReader,
    integer,
    message_of,
    numbers,
    packed_varints,
    text,
)

MAX_NODES = 2000
MAX_TENSORS = 4000
_MAX_TENSOR_NUMBERS = 16 * 2**20
_MAX_LIST = 10_000

# NumPy types of ONNX's data types, as raw bytes.
_RAW = {1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8", 12: "<u4",
        13: "<u8", 16: "<u2"}  # fmt: skip
_BFLOAT16, _FLOAT16, _STRING = 16, 10, 8

_IR_VERSIONS = range(1, 30)
_MODEL_FIELDS = frozenset([2, 3, 4, 5, 6, 7, 8, 14, 20, 25])


class OnnxError(ValueError):
    """Error about a model that cannot be used; the message is worded to follow the name of a file."""


@dataclass(frozen=True, eq=False)
class OnnxNode:
    """An operation: its type, inputs and outputs by name, and attributes: numbers, texts, lists and tensors."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    @property
    def label(self) -> str:
        """Type and name, for messages."""
        return f"{self.kind[:40]} node {self.name[:60]!r}" if self.name else f"{self.kind[:40]} node"


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """Graph of a model.

    Attributes
    ----------
    producer : str
    nodes : list of OnnxNode
        In the order of the file, which need not be that of the computation.
    tensors : dict of ndarray
        Constants by name.
    inputs : dict
        Shape of each input that is not constant; a size that may vary is None. The shape is None if it is not stated.
    outputs : list of str
    """

    producer: str = ""
    nodes: list[OnnxNode] = field(default_factory=list)
    tensors: dict[str, NDArray[Any]] = field(default_factory=dict)
    inputs: dict[str, list[int | None] | None] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


def is_onnx(content: bytes) -> bool:
    """Return whether a file starts like an ONNX model: the version of the format, then another field of a model."""
    if len(content) < 4 or content[0] != 0x08 or content[1] not in _IR_VERSIONS:
        return False
    return content[2] >> 3 in _MODEL_FIELDS and content[2] & 7 in (0, 2)


def read_model(content: bytes) -> OnnxModel:
    """Read a model.

    Raises
    ------
    OnnxError
        If the file is damaged, exceeds a limit, or keeps its numbers in another file.
    """
    try:
        return _ModelReader().model(memoryview(content))
    except WireError as error:
        raise OnnxError(f"is a damaged ONNX model: {error}") from error


class _ModelReader:
    """Reader of the messages of one file."""

    def __init__(self) -> None:
        self._wire = WireReader()
        self._n_tensors = 0

    def model(self, message: memoryview) -> OnnxModel:
        producer, graph = "", None
        for number, value in self._wire.fields(message):
            if number == 2:
                producer = text(value)
            elif number == 7:
                graph = message_of(value)
        if graph is None:
            raise WireError("it has no graph")
        return self._graph(graph, producer)

    def _graph(self, message: memoryview, producer: str) -> OnnxModel:
        model = OnnxModel(producer)
        for number, value in self._wire.fields(message):
            if number == 1:
                if len(model.nodes) >= MAX_NODES:
                    raise WireError(f"it has more than {MAX_NODES:,} nodes")
                model.nodes.append(self._node(message_of(value)))
            elif number == 5:
                name, tensor = self._tensor(message_of(value))
                if tensor is not None:
                    model.tensors[name] = tensor
            elif number == 11:
                name, shape = self._value_info(message_of(value))
                model.inputs[name] = shape
            elif number == 12:
                model.outputs.append(self._value_info(message_of(value))[0])
            elif number == 15:
                raise OnnxError("is an ONNX model with sparse tensors, which are not supported")
        for name in model.tensors:
            model.inputs.pop(name, None)
        return model

    def _node(self, message: memoryview) -> OnnxNode:
        inputs: list[str] = []
        outputs: list[str] = []
        name = kind = ""
        attributes: dict[str, Any] = {}
        for number, value in self._wire.fields(message):
            if number == 1:
                inputs.append(text(value))
            elif number == 2:
                outputs.append(text(value))
            elif number == 3:
                name = text(value)
            elif number == 4:
                kind = text(value)
            elif number == 5:
                key, attribute = self._attribute(message_of(value))
                attributes[key] = attribute
        return OnnxNode(kind, name, tuple(inputs), tuple(outputs), attributes)

    def _attribute(self, message: memoryview) -> tuple[str, Any]:
        name = ""
        single: Any = None
        floats: list[float] = []
        ints: list[int] = []
        for number, value in self._wire.fields(message):
            if number == 1:
                name = text(value)
            elif number == 2:
                single = float(numbers(message_of(value), "<f4")[0]) if len(message_of(value)) == 4 else None
            elif number == 3:
                single = integer(value)
            elif number == 4:
                single = text(value)
            elif number == 5:
                single = self._tensor(message_of(value))[1]
            elif number == 7:
                floats += numbers(message_of(value), "<f4")[:_MAX_LIST].tolist()
            elif number == 8:
                ints += [integer(value)] if isinstance(value, int) else packed_varints(value, _MAX_LIST).tolist()
            if len(floats) > _MAX_LIST or len(ints) > _MAX_LIST:
                raise WireError(f"an attribute has more than {_MAX_LIST:,} numbers")
        return name, ints or floats or single

    def _tensor(self, message: memoryview) -> tuple[str, NDArray[Any] | None]:
        """Return the name and the numbers of a tensor, or None for texts and unknown types."""
        self._n_tensors += 1
        if self._n_tensors > MAX_TENSORS:
            raise WireError(f"it has more than {MAX_TENSORS:,} tensors")
        name, kind = "", 0
        shape: list[int] = []
        raw: memoryview | None = None
        parts: list[NDArray[Any]] = []
        for number, value in self._wire.fields(message):
            if number == 1:
                shape += [integer(value)] if isinstance(value, int) else packed_varints(value, 8).tolist()
            elif number == 2:
                kind = integer(value)
            elif number in (4, 10):
                parts.append(numbers(message_of(value), "<f4" if number == 4 else "<f8"))
            elif number in (5, 7, 11):
                is_single = isinstance(value, int)
                parts.append(np.array([integer(value)]) if is_single else packed_varints(message_of(value), 2**20))
            elif number == 8:
                name = text(value)
            elif number == 9:
                raw = message_of(value)
            elif number == 13 or (number == 14 and value == 1):
                raise OnnxError(
                    "is an ONNX model that keeps its weights in another file (external data), which is not supported; "
                    "save the model in one file"
                )
        if len(shape) > 8 or any(not 0 <= size <= _MAX_TENSOR_NUMBERS for size in shape):
            raise WireError(f"the tensor {name[:80]!r} has an impossible shape")
        if kind not in _RAW:
            return name, None
        n = math.prod(shape)
        if n > _MAX_TENSOR_NUMBERS:
            raise WireError(f"the tensor {name[:80]!r} claims {n:,} numbers; the limit is {_MAX_TENSOR_NUMBERS:,}")
        return name, _array(name, kind, n, raw, parts).reshape(shape)

    def _value_info(self, message: memoryview) -> tuple[str, list[int | None] | None]:
        name, shape = "", None
        for number, value in self._wire.fields(message):
            if number == 1:
                name = text(value)
            elif number == 2:
                for kind, tensor in self._wire.fields(message_of(value)):
                    if kind == 1:
                        shape = self._tensor_shape(message_of(tensor))
        return name, shape

    def _tensor_shape(self, message: memoryview) -> list[int | None] | None:
        for number, value in self._wire.fields(message):
            if number == 2:
                sizes: list[int | None] = []
                for kind, dimension in self._wire.fields(message_of(value)):
                    if kind == 1 and len(sizes) < 8:
                        stated = dict(self._wire.fields(message_of(dimension))).get(1)
                        sizes.append(stated if isinstance(stated, int) and 0 < stated < 2**31 else None)
                return sizes
        return None


def _array(name: str, kind: int, n: int, raw: memoryview | None, parts: list[NDArray[Any]]) -> NDArray[Any]:
    dtype: np.dtype[Any] = np.dtype(_RAW[kind])
    if raw is not None:
        if len(raw) != n * dtype.itemsize:
            raise WireError(f"the tensor {name[:80]!r} needs {n * dtype.itemsize:,} bytes, but has {len(raw):,}")
        array: NDArray[Any] = np.frombuffer(raw, dtype)
        if kind == _BFLOAT16:  # the upper half of a float32
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array
    if sum(map(len, parts)) != n:
        raise WireError(f"the tensor {name[:80]!r} needs {n:,} numbers, but has {sum(map(len, parts)):,}")
    joined: NDArray[Any] = np.concatenate(parts) if parts else np.empty(0, dtype)
    if kind in (_FLOAT16, _BFLOAT16):  # stored as the bits of each number
        bits = joined.astype(np.uint16)
        return bits.view(np.float16) if kind == _FLOAT16 else (bits.astype(np.uint32) << 16).view(np.float32)
    return joined.astype(dtype)
