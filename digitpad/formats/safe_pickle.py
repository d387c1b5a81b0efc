"""Safe reader for pickles, protocols 0 to 5, that never imports, builds or calls the objects that they name.

A pickle is a program. It runs here on Python's own pure-Python interpreter, `pickle._Unpickler`, with every instruction
replaced that could reach beyond plain data. Classes and functions remain names. A few of them, from NumPy, joblib,
PyTorch and JAX, are recognised by name and replaced with stand-ins, which check types, shapes and lengths against the
bytes that are actually present. Everything else becomes an inert `ObjectNode`. Weights and datasets share this
reader.
"""

# One machine has all its instructions in one module, although that makes it long; `pickle_arrays` builds the arrays.

import math
import pickle
import re
import sys
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from digitpad.errors import FileError
from digitpad.formats.pickle_arrays import (
    ARRAY_BYTES,
    MAX_TEXT_BYTES,
    POINTER_BYTES,
    ROW_BYTES,
    SCALAR_BYTES,
    ArrayBuilder,
    CopyBudget,
    InvalidPickleError,
    is_shape,
    tensor_node,
)
from digitpad.formats.pickle_nodes import ArrayNode, DtypeNode, GlobalNode, ObjectNode, StorageNode, TensorNode
from digitpad.formats.progress import ProgressCallback, ignore_progress

MAX_INSTRUCTIONS = 2_000_000
"""Enough for a list of two million numbers; takes half a second and at most 200 MB."""

MAX_COPIED_BYTES = 128 * 2**20
"""Default budget for copies of values that a pickle can refer to repeatedly.

An instruction is charged for each value that it traverses without removing it from the stack, because the file can
repeat that without any further bytes. It is also charged if it takes far more memory or time than its own bytes in the
file suggest.
"""

_MAX_KEY = 200

# Cost of an object that one or two instructions create, as in `pickle_arrays`.
_NAME_BYTES = 150
_RECORD_BYTES = 400
_UNPICKLER_BYTES = 1000

_LATIN_1_LEAD_BYTE = 0xC3  # in UTF-8, a character beyond Latin-1 starts with a larger byte
_NON_LATIN_1_ESCAPE = re.compile(rb"\\U|\\u(?!00)")
_DTYPE = re.compile(r"[<>|=]?([biufc](1|2|4|8|16)|[SUV][0-9]{1,5})")

_CALLBACK_INTERVAL = 10_000  # instructions, a few milliseconds


class _StoppedError(Exception):
    """The progress callback raised ``reason`` to stop the reading."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason


class PickleSource(Protocol):
    """Binary file, or a part of one, that a pickle is read from."""

    def read(self, n: int, /) -> bytes:
        """Return the next n bytes, or fewer at the end."""

    def readline(self) -> bytes:
        """Return the rest of the line, with its line break."""


def read_pickles(
    file: PickleSource,
    count: int = 1,
    persistent: Callable[[Any], Any] | None = None,
    max_copied_bytes: int = MAX_COPIED_BYTES,
    tell: ProgressCallback = ignore_progress,
) -> list[Any]:
    """Read ``count`` consecutive pickles and return their trees of plain values, arrays and stand-ins.

    Parameters
    ----------
    file : PickleSource
    count : int
        Number of pickles.
    persistent : callable, optional
        Receives a persistent ID, which refers to an object outside the pickle, and returns the value to use for it.
    max_copied_bytes : int
        Budget for copies of values that a pickle can refer to repeatedly; see `MAX_COPIED_BYTES`.
    tell : callable, optional
        Called every 10,000 instructions; any exception that it raises stops the reading and is passed on.

    Raises
    ------
    ValueError
        If a pickle is damaged, asks for more bytes than there are, or exceeds the limits on instructions and copies.
        The message is worded to follow the name of a file.
    FileError
        If ``file`` or ``persistent`` raises it.
    """
    trees = []
    for _ in range(count):
        reader = _SafeUnpickler(file, persistent, CopyBudget(max_copied_bytes), tell)
        try:
            trees.append(reader.load())
        except FileError:
            raise
        except _StoppedError as stopped:
            raise stopped.reason from None
        except InvalidPickleError as error:
            raise ValueError(f"is a pickle that cannot be used: {error}") from error
        except RecursionError as error:
            raise ValueError("is a pickle with too many levels of nesting") from error
        # A damaged pickle can make the interpreter raise any exception.
        except Exception as error:
            raise ValueError(f"is damaged or not a pickle ({type(error).__name__})") from error
    return trees


class _InstructionTable(dict[int, Callable[..., None]]):
    """Instruction table that counts look-ups and stops after `MAX_INSTRUCTIONS`."""

    def __init__(self, instructions: dict[int, Callable[..., None]], tell: ProgressCallback) -> None:
        super().__init__(instructions)
        self.remaining = MAX_INSTRUCTIONS
        self._tell = tell

    def __getitem__(self, code: int) -> Callable[..., None]:
        self.remaining -= 1
        if self.remaining < 0:
            raise InvalidPickleError(f"it has more than {MAX_INSTRUCTIONS:,} instructions")
        if self.remaining % _CALLBACK_INTERVAL == 0:
            try:
                self._tell(0)
            except Exception as error:
                raise _StoppedError(error) from error
        return super().__getitem__(code)


class _SafeUnpickler(pickle._Unpickler):
    """Pickle interpreter restricted to plain data."""

    stack: list[Any]
    memo: dict[int, Any]
    pop_mark: Callable[[], list[Any]]
    read: Callable[[int], bytes]
    readline: Callable[[], bytes]
    dispatch: _InstructionTable  # type: ignore[misc]

    def __init__(
        self,
        file: PickleSource,
        persistent: Callable[[Any], Any] | None,
        budget: CopyBudget,
        tell: ProgressCallback,
    ) -> None:
        super().__init__(file, fix_imports=False, encoding="latin-1", errors="replace")
        self._file = file
        self._persistent = persistent
        self._tell = tell
        self._budget = budget
        self._spend = budget.spend
        self._arrays = ArrayBuilder(budget)
        self.dispatch = _InstructionTable({**pickle._Unpickler.dispatch, **_INSTRUCTIONS}, tell)

    def find_class(self, module: str, name: str) -> GlobalNode:
        """Return the name itself, without importing anything."""
        self._spend(_NAME_BYTES)
        return GlobalNode(str(module)[:200], str(name)[:200])

    def persistent_load(self, pid: Any) -> Any:
        self._spend(_RECORD_BYTES)
        return ObjectNode(GlobalNode("", "persistent"), (pid,)) if self._persistent is None else self._persistent(pid)

    def get_extension(self, code: int) -> None:
        raise InvalidPickleError("it uses codes in place of names")

    def _decode_string(self, value: bytes) -> str | bytes:
        """Decode a Python 2 string, unless it is long: then it holds the bytes of an array."""
        return value.decode("latin-1") if len(value) <= MAX_TEXT_BYTES else value

    # Replaced instructions. Each takes its operands from the interpreter's stack.

    def do_reduce(self) -> None:
        arguments = self.stack.pop()
        called = self.stack[-1]
        if not isinstance(arguments, tuple):
            raise InvalidPickleError("it calls something without arguments")
        self.stack[-1] = self._call_result(called, arguments)

    def do_newobj(self) -> None:
        arguments = self.stack.pop()
        self.stack.append(self._new_object(self.stack.pop(), arguments))

    def do_newobj_ex(self) -> None:
        keywords, arguments = self.stack.pop(), self.stack.pop()
        cls = self.stack.pop()
        self._spend(POINTER_BYTES * len(arguments))
        self.stack.append(self._new_object(cls, (*arguments, keywords)))

    def do_inst(self) -> None:
        module, name = (self.readline()[:-1].decode("latin-1") for _ in range(2))
        arguments = tuple(self.pop_mark())  # this replaces self.stack
        self.stack.append(self._new_object(self.find_class(module, name), arguments))

    def do_obj(self) -> None:
        cls, *arguments = self.pop_mark()
        self.stack.append(self._new_object(cls, tuple(arguments)))

    def do_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, ArrayNode):
            target.value = self._arrays.array_from_state(state)
        elif isinstance(target, DtypeNode):
            self._arrays.set_dtype(target, state)
        elif isinstance(target, ObjectNode):
            if (
                isinstance(target.cls, GlobalNode)
                and target.cls.name == "NumpyArrayWrapper"
                and isinstance(state, dict)
            ):
                self.stack[-1] = self._joblib_array(state)
            else:
                target.states.append(state)

    def do_append(self) -> None:
        value = self.stack.pop()
        self._elements(self.stack[-1]).append(value)

    def do_appends(self) -> None:
        values = self.pop_mark()
        self._elements(self.stack[-1]).extend(values)

    def do_setitem(self) -> None:
        self._spend(ROW_BYTES)
        value, key = self.stack.pop(), self.stack.pop()
        self._pairs(self.stack[-1])[_key(key)] = value

    def do_setitems(self) -> None:
        values = self.pop_mark()
        self._spend(ROW_BYTES * len(values) // 2)
        pairs = self._pairs(self.stack[-1])
        for key, value in zip(values[::2], values[1::2], strict=True):
            pairs[_key(key)] = value

    def do_dict(self) -> None:
        values = self.pop_mark()
        self._spend(ROW_BYTES * len(values) // 2)
        self.stack.append({_key(key): value for key, value in zip(values[::2], values[1::2], strict=True)})

    def do_put(self) -> None:
        index = int(self.readline())
        if not 0 <= index <= MAX_INSTRUCTIONS:  # otherwise, keys could be chosen with equal hashes
            raise InvalidPickleError("it uses a memo index that is out of range")
        self.memo[index] = self.stack[-1]

    def do_empty_set(self) -> None:
        self.stack.append([])

    def do_frozenset(self) -> None:
        values = self.pop_mark()
        self.stack.append(values)

    def do_bytearray(self) -> None:
        self.stack.append(self.read(int.from_bytes(self.read(8), "little")))

    def do_line(self) -> None:
        line = self.readline()[:-1]
        if len(line) > MAX_TEXT_BYTES and _NON_LATIN_1_ESCAPE.search(line):
            self.stack.append(line[:MAX_TEXT_BYTES].decode("raw-unicode-escape", "replace"))
        else:
            self.stack.append(line.decode("raw-unicode-escape"))

    def do_text(self) -> None:
        self._text(4)

    def do_long_text(self) -> None:
        self._text(8)

    def _text(self, n_length: int) -> None:
        content = self.read(int.from_bytes(self.read(n_length), "little"))
        # Before protocol 3, bytes were stored as text, which is all kept. A single character beyond Latin-1 makes a
        # string take up to four times the memory. Such a string is a log or a description, so its beginning suffices.
        if len(content) > MAX_TEXT_BYTES and np.frombuffer(content, np.uint8).max() > _LATIN_1_LEAD_BYTE:
            self.stack.append(content[:MAX_TEXT_BYTES].decode("utf-8", "replace"))
        else:
            self.stack.append(content.decode("utf-8", "surrogatepass"))

    def do_readonly_buffer(self) -> None:
        """Leave a buffer unchanged: here, read-only bytes are like any other bytes."""

    def do_next_buffer(self) -> None:
        raise InvalidPickleError("it refers to buffers outside the pickle")

    # Replacements for calls.

    def _call_result(self, called: Any, arguments: tuple[Any, ...]) -> Any:
        if not isinstance(called, GlobalNode):
            if isinstance(called, ObjectNode):
                return self._object_node(called, arguments)
            raise InvalidPickleError(f"it calls a {type(called).__name__}")
        package = called.module.split(".")[0]
        match package, called.name, arguments:
            case "numpy", "_reconstruct", _:
                self._spend(ARRAY_BYTES)
                return ArrayNode()
            case "numpy", "dtype", (str() as code, *_):
                self._spend(SCALAR_BYTES)
                return DtypeNode(code if _DTYPE.fullmatch(code) else "O")
            case "numpy", "scalar", (DtypeNode() as dtype, bytes() | str() as content, *_):
                return self._arrays.scalar(dtype, content)
            case "numpy", "_frombuffer", (content, DtypeNode() as dtype, tuple() as shape, order, *_):
                return ArrayNode(self._arrays.array(shape, dtype, content, order == "F"))
            case "_codecs", "encode", (str() as text, *_):
                self._spend(len(text))
                return text.encode("latin-1", "replace")
            case (("copyreg" | "copy_reg"), "_reconstructor", (cls, base, state)):
                plain = isinstance(base, GlobalNode) and base.name == "object"
                return self._object_node(cls, () if plain else (state,))
            case (("builtins" | "__builtin__"), "bytes", ()):  # protocols 0 to 2 write empty bytes this way
                return b""
            case "collections", ("OrderedDict" | "defaultdict"), _:
                return self._dict(arguments)
            case (("builtins" | "__builtin__" | "collections"), ("list" | "tuple" | "set" | "frozenset" | "deque"), _):
                return arguments[0] if arguments and isinstance(arguments[0], list | tuple) else []
            case "jax" | "jaxlib", ("_reconstruct_array" | "_reconstruct_device_array"), (
                GlobalNode(),
                tuple(),
                state,
                *_,
            ):
                return ArrayNode(self._arrays.array_from_state(state))
            case "torch", ("_rebuild_tensor" | "_rebuild_tensor_v2"), (StorageNode(), *_):
                self._spend(ARRAY_BYTES)
                return tensor_node(arguments)
            case "torch", ("_rebuild_parameter" | "_rebuild_parameter_with_state"), (TensorNode() as tensor, *_):
                return tensor
        return self._object_node(called, arguments)

    def _object_node(self, cls: Any, arguments: tuple[Any, ...]) -> ObjectNode:
        self._spend(_RECORD_BYTES)
        return ObjectNode(cls, arguments)

    def _new_object(self, cls: Any, arguments: Any) -> Any:
        if not isinstance(cls, GlobalNode) or not isinstance(arguments, tuple):
            raise InvalidPickleError("it creates an object without a class")
        if cls.module == "collections" or cls.module in ("builtins", "__builtin__"):
            return self._call_result(cls, arguments)
        return self._object_node(cls, arguments)

    def _dict(self, arguments: tuple[Any, ...]) -> dict[Any, Any]:
        pairs = arguments[-1] if arguments else []
        if not isinstance(pairs, list):
            return {}
        self._spend(ROW_BYTES * len(pairs))
        are_pairs = all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
        return {_key(key): value for key, value in pairs} if are_pairs else {}

    def _joblib_array(self, state: dict[Any, Any]) -> Any:
        """Read an array written by joblib, whose bytes follow its description in the middle of the pickle."""
        dtype, shape = state.get("dtype"), state.get("shape")
        if not isinstance(dtype, DtypeNode) or not isinstance(shape, tuple):
            raise InvalidPickleError("it describes an array in an unknown way")
        kind = dtype.dtype
        if kind is None:  # the elements follow as a separate pickle
            self._spend(_UNPICKLER_BYTES)
            inner = _SafeUnpickler(self._file, self._persistent, self._budget, self._tell)
            inner.dispatch.remaining = self.dispatch.remaining
            tree = inner.load()
            self.dispatch.remaining = inner.dispatch.remaining
            return tree
        if state.get("numpy_array_alignment_bytes") is not None:
            self._file.read(self._file.read(1)[0])
        if not is_shape(shape):
            raise InvalidPickleError("it describes an array of an impossible shape")
        content = self._file.read(min(math.prod(shape) * kind.itemsize, sys.maxsize))
        if kind.kind not in "fiub":
            return None
        return ArrayNode(self._arrays.checked_array(shape, kind, content, state.get("order") == "F"))

    def _elements(self, target: Any) -> list[Any]:
        if isinstance(target, list):
            return target
        if isinstance(target, ObjectNode):
            return target.items
        raise InvalidPickleError(f"it appends to a {type(target).__name__}")

    def _pairs(self, target: Any) -> dict[Any, Any]:
        if isinstance(target, dict):
            return target
        if isinstance(target, ObjectNode):
            return target.pairs
        raise InvalidPickleError(f"it sets an element of a {type(target).__name__}")


def _key(key: Any) -> str:
    """Return the key of a dict as a short string.

    Short strings are cheap to hash and compare, and their hashes are randomised, so a file cannot force collisions.
    """
    if isinstance(key, bytes | bytearray):
        key = bytes(key[:_MAX_KEY]).decode("latin-1")
    if isinstance(key, str):
        return key[:_MAX_KEY]
    if isinstance(key, float | bool | None) or (isinstance(key, int) and -(2**63) <= key < 2**63):
        return str(key)
    if isinstance(key, tuple) and all(isinstance(part, str | int | float) for part in key[:8]):
        return ".".join(str(part)[:50] for part in key[:8])[:_MAX_KEY]
    return f"a {type(key).__name__}"


_INSTRUCTIONS: dict[int, Callable[..., None]] = {
    code[0]: action
    for code, action in {
        pickle.REDUCE: _SafeUnpickler.do_reduce,
        pickle.NEWOBJ: _SafeUnpickler.do_newobj,
        pickle.NEWOBJ_EX: _SafeUnpickler.do_newobj_ex,
        pickle.INST: _SafeUnpickler.do_inst,
        pickle.OBJ: _SafeUnpickler.do_obj,
        pickle.BUILD: _SafeUnpickler.do_build,
        pickle.APPEND: _SafeUnpickler.do_append,
        pickle.APPENDS: _SafeUnpickler.do_appends,
        pickle.ADDITEMS: _SafeUnpickler.do_appends,
        pickle.SETITEM: _SafeUnpickler.do_setitem,
        pickle.SETITEMS: _SafeUnpickler.do_setitems,
        pickle.DICT: _SafeUnpickler.do_dict,
        pickle.PUT: _SafeUnpickler.do_put,
        pickle.UNICODE: _SafeUnpickler.do_line,
        pickle.BINUNICODE: _SafeUnpickler.do_text,
        pickle.BINUNICODE8: _SafeUnpickler.do_long_text,
        pickle.EMPTY_SET: _SafeUnpickler.do_empty_set,
        pickle.FROZENSET: _SafeUnpickler.do_frozenset,
        pickle.BYTEARRAY8: _SafeUnpickler.do_bytearray,
        pickle.NEXT_BUFFER: _SafeUnpickler.do_next_buffer,
        pickle.READONLY_BUFFER: _SafeUnpickler.do_readonly_buffer,
    }.items()
}
