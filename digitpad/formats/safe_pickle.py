"""Pickles, protocols 0 to 5, read without importing, building or calling anything that they ask for.

A pickle is a program. Here it runs on Python's own interpreter in Python, `pickle._Unpickler`, of which every
instruction that could reach beyond plain data is replaced. What it calls classes and functions are names without
power. A few of NumPy's (and of joblib's, PyTorch's and JAX's) are known by name and answered with stand-ins, which
check types, shapes and lengths against bytes that are really there; everything else becomes an inert `ObjectNode`.
Weights and data sets alike come in it.
"""

import math
import pickle
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import FileError
from digitpad.formats.pickle_nodes import ArrayNode, DtypeNode, GlobalNode, ObjectNode, StorageNode, TensorNode

MAX_INSTRUCTIONS = 2_000_000
"""A list of so many numbers; half a second, and at the worst 200 MB."""

MAX_COPIED_BYTES = 128 * 2**20
"""What instructions may make out of memory that they can name again and again, where nothing else is said.

Whatever an instruction walks over, rather than takes off the stack, is spent from it: no byte of the file pays for it
the second time. So is what takes far more room or time than the bytes that ask for it.
"""

_MAX_TEXT_BYTES = 2**15
_MAX_KEY = 200

# What an object takes that an instruction or two make, in memory or, where that is more, in time.
_POINTER_BYTES = 8
_OBJECT_BYTES = 50  # a short text in a list
_NAME_BYTES = 150
_ROW_BYTES = 200  # a list, or a dict's entry, beside what is in it
_SCALAR_BYTES = 300
_RECORD_BYTES = 400
_ARRAY_BYTES = 500
_READER_BYTES = 1000

_WIDE = 0xC3  # UTF-8 of a letter beyond Latin-1 begins with a larger byte
_WIDE_ESCAPE = re.compile(rb"\\U|\\u(?!00)")
_DTYPE = re.compile(r"[<>|=]?([biufc](1|2|4|8|16)|[SUV][0-9]{1,5})")

_TELL_EVERY = 10_000  # instructions, some milliseconds


class _UnfitError(Exception):
    """What a pickle asks for cannot be."""


class _EndedError(Exception):
    """Who heard of the reading has ended it, by ``reason``."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason


class PickleSource(Protocol):
    """Where a pickle is read from."""

    def read(self, n: int, /) -> bytes:
        """So many bytes, or as many as there are."""

    def readline(self) -> bytes:
        """The rest of a line, with its end."""


def read_pickles(
    file: PickleSource,
    count: int = 1,
    persistent: Callable[[Any], Any] | None = None,
    max_copied_bytes: int = MAX_COPIED_BYTES,
    tell: Callable[[], None] = lambda: None,
) -> list[Any]:
    """The trees of plain values, arrays and stand-ins that so many pickles describe, one after the other.

    Parameters
    ----------
    file : Source
    count : int
    persistent : callable, optional
        Given what a pickle calls something outside of it, and returns what is to stand for that.
    max_copied_bytes : int
        What the instructions may make out of memory that they can name again and again.
    tell : callable, optional
        Called after each some thousand instructions; what it raises ends the reading.

    Raises
    ------
    ValueError
        If one is damaged, asks for more than there is, or takes more instructions than arrays would; says so, to go
        behind a file's name.
    FileError
        That of ``file`` or ``persistent``.
    """
    trees = []
    for _ in range(count):
        reader = _Reader(file, persistent, max_copied_bytes, tell)
        try:
            trees.append(reader.load())
        except FileError:
            raise
        except _EndedError as ended:
            raise ended.reason from None
        except _UnfitError as error:
            raise ValueError(f"is a pickle that cannot be used: {error}") from error
        except RecursionError as error:
            raise ValueError("is a pickle that is nested too deeply") from error
        # A damaged program makes the interpreter stumble in any way that Python code can.
        except Exception as error:
            raise ValueError(f"is damaged, or no pickle ({type(error).__name__})") from error
    return trees


class _Counting(dict[int, Callable[..., None]]):
    """The instructions, of which no more than a number are handed out."""

    def __init__(self, instructions: dict[int, Callable[..., None]], tell: Callable[[], None]) -> None:
        super().__init__(instructions)
        self.left = MAX_INSTRUCTIONS
        self._tell = tell

    def __getitem__(self, code: int) -> Callable[..., None]:
        self.left -= 1
        if self.left < 0:
            raise _UnfitError(f"it has more than {MAX_INSTRUCTIONS:,} instructions")
        if self.left % _TELL_EVERY == 0:
            try:
                self._tell()
            except Exception as error:
                raise _EndedError(error) from error
        return super().__getitem__(code)


class _Reader(pickle._Unpickler):
    """The interpreter, its powers taken away."""

    stack: list[Any]
    memo: dict[int, Any]
    pop_mark: Callable[[], list[Any]]
    read: Callable[[int], bytes]
    readline: Callable[[], bytes]
    dispatch: _Counting  # type: ignore[misc]

    def __init__(
        self,
        file: PickleSource,
        persistent: Callable[[Any], Any] | None,
        max_copied_bytes: int,
        tell: Callable[[], None],
    ) -> None:
        super().__init__(file, fix_imports=False, encoding="latin-1", errors="replace")
        self._file = file
        self._persistent = persistent
        self._tell = tell
        self._max_copied_bytes = self._left = max_copied_bytes
        self.dispatch = _Counting({**pickle._Unpickler.dispatch, **_INSTRUCTIONS}, tell)

    def find_class(self, module: str, name: str) -> GlobalNode:
        """Never finds anything: it is the name itself that is handed on."""
        self._spend(_NAME_BYTES)
        return GlobalNode(str(module)[:200], str(name)[:200])

    def persistent_load(self, pid: Any) -> Any:
        self._spend(_RECORD_BYTES)
        return ObjectNode(GlobalNode("", "persistent"), (pid,)) if self._persistent is None else self._persistent(pid)

    def get_extension(self, code: int) -> None:
        raise _UnfitError("it uses codes in place of names")

    def _decode_string(self, value: bytes) -> str | bytes:
        """Python 2's strings were texts and bytes alike; what is long is an array's bytes, and stays."""
        return value.decode("latin-1") if len(value) <= _MAX_TEXT_BYTES else value

    # The instructions that differ. All are given what lies on the interpreter's stack.

    def do_reduce(self) -> None:
        arguments = self.stack.pop()
        called = self.stack[-1]
        if not isinstance(arguments, tuple):
            raise _UnfitError("it calls something without arguments")
        self.stack[-1] = self._called(called, arguments)

    def do_newobj(self) -> None:
        arguments = self.stack.pop()
        self.stack.append(self._made(self.stack.pop(), arguments))

    def do_newobj_ex(self) -> None:
        named, arguments = self.stack.pop(), self.stack.pop()
        cls = self.stack.pop()
        self._spend(_POINTER_BYTES * len(arguments))
        self.stack.append(self._made(cls, (*arguments, named)))

    def do_inst(self) -> None:
        module, name = (self.readline()[:-1].decode("latin-1") for _ in range(2))
        arguments = tuple(self.pop_mark())  # which puts another stack in place
        self.stack.append(self._made(self.find_class(module, name), arguments))

    def do_obj(self) -> None:
        cls, *arguments = self.pop_mark()
        self.stack.append(self._made(cls, tuple(arguments)))

    def do_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, ArrayNode):
            target.value = self._array_from_state(state)
        elif isinstance(target, DtypeNode):
            self._set_dtype(target, state)
        elif isinstance(target, ObjectNode):
            if (
                isinstance(target.cls, GlobalNode)
                and target.cls.name == "NumpyArrayWrapper"
                and isinstance(state, dict)
            ):
                self.stack[-1] = self._array_behind(state)
            else:
                target.states.append(state)

    def do_append(self) -> None:
        value = self.stack.pop()
        self._elements(self.stack[-1]).append(value)

    def do_appends(self) -> None:
        values = self.pop_mark()
        self._elements(self.stack[-1]).extend(values)

    def do_setitem(self) -> None:
        self._spend(_ROW_BYTES)
        value, key = self.stack.pop(), self.stack.pop()
        self._pairs(self.stack[-1])[_key(key)] = value

    def do_setitems(self) -> None:
        values = self.pop_mark()
        self._spend(_ROW_BYTES * len(values) // 2)
        pairs = self._pairs(self.stack[-1])
        for key, value in zip(values[::2], values[1::2], strict=True):
            pairs[_key(key)] = value

    def do_dict(self) -> None:
        values = self.pop_mark()
        self._spend(_ROW_BYTES * len(values) // 2)
        self.stack.append({_key(key): value for key, value in zip(values[::2], values[1::2], strict=True)})

    def do_put(self) -> None:
        place = int(self.readline())
        if not 0 <= place <= MAX_INSTRUCTIONS:  # multiples of a large prime would all have one hash
            raise _UnfitError("it remembers more than it makes")
        self.memo[place] = self.stack[-1]

    def do_empty_set(self) -> None:
        self.stack.append([])

    def do_frozenset(self) -> None:
        values = self.pop_mark()
        self.stack.append(values)

    def do_bytearray(self) -> None:
        self.stack.append(self.read(int.from_bytes(self.read(8), "little")))

    def do_line(self) -> None:
        line = self.readline()[:-1]
        if len(line) > _MAX_TEXT_BYTES and _WIDE_ESCAPE.search(line):
            self.stack.append(line[:_MAX_TEXT_BYTES].decode("raw-unicode-escape", "replace"))
        else:
            self.stack.append(line.decode("raw-unicode-escape"))

    def do_text(self) -> None:
        self._text(4)

    def do_long_text(self) -> None:
        self._text(8)

    def _text(self, n_length: int) -> None:
        content = self.read(int.from_bytes(self.read(n_length), "little"))
        # Bytes came as texts before protocol 3, and are kept whole. A single letter that is no byte makes a text take
        # four times the room: then it is a log or a description, of which the beginning tells enough.
        if len(content) > _MAX_TEXT_BYTES and np.frombuffer(content, np.uint8).max() > _WIDE:
            self.stack.append(content[:_MAX_TEXT_BYTES].decode("utf-8", "replace"))
        else:
            self.stack.append(content.decode("utf-8", "surrogatepass"))

    def do_nothing(self) -> None:
        """Bytes that may not be written to are bytes like others."""

    def refuse(self) -> None:
        raise _UnfitError("it refers to memory outside of it")

    # What is done instead of calling.

    def _called(self, called: Any, arguments: tuple[Any, ...]) -> Any:
        if not isinstance(called, GlobalNode):
            if isinstance(called, ObjectNode):
                return self._record(called, arguments)
            raise _UnfitError(f"it calls a {type(called).__name__}")
        package = called.module.split(".")[0]
        match package, called.name, arguments:
            case "numpy", "_reconstruct", _:
                self._spend(_ARRAY_BYTES)
                return ArrayNode()
            case "numpy", "dtype", (str() as code, *_):
                self._spend(_SCALAR_BYTES)
                return DtypeNode(code if _DTYPE.fullmatch(code) else "O")
            case "numpy", "scalar", (DtypeNode() as dtype, bytes() | str() as content, *_):
                return self._scalar(dtype, content)
            case "numpy", "_frombuffer", (content, DtypeNode() as dtype, tuple() as shape, order, *_):
                return ArrayNode(self._array(shape, dtype, content, order == "F"))
            case "_codecs", "encode", (str() as text, *_):
                self._spend(len(text))
                return text.encode("latin-1", "replace")
            case (("copyreg" | "copy_reg"), "_reconstructor", (cls, base, state)):
                plain = isinstance(base, GlobalNode) and base.name == "object"
                return self._record(cls, () if plain else (state,))
            case (("builtins" | "__builtin__"), "bytes", ()):  # how protocols 0 to 2 write none
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
                return ArrayNode(self._array_from_state(state))
            case "torch", ("_rebuild_tensor" | "_rebuild_tensor_v2"), (StorageNode(), *_):
                self._spend(_ARRAY_BYTES)
                return _tensor(arguments)
            case "torch", ("_rebuild_parameter" | "_rebuild_parameter_with_state"), (TensorNode() as tensor, *_):
                return tensor
        return self._record(called, arguments)

    def _record(self, cls: Any, arguments: tuple[Any, ...]) -> ObjectNode:
        self._spend(_RECORD_BYTES)
        return ObjectNode(cls, arguments)

    def _made(self, cls: Any, arguments: Any) -> Any:
        if not isinstance(cls, GlobalNode) or not isinstance(arguments, tuple):
            raise _UnfitError("it creates an object of no class")
        if cls.module == "collections" or cls.module in ("builtins", "__builtin__"):
            return self._called(cls, arguments)
        return self._record(cls, arguments)

    def _dict(self, arguments: tuple[Any, ...]) -> dict[Any, Any]:
        pairs = arguments[-1] if arguments else []
        if not isinstance(pairs, list):
            return {}
        self._spend(_ROW_BYTES * len(pairs))
        fit = all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
        return {_key(key): value for key, value in pairs} if fit else {}

    def _scalar(self, dtype: DtypeNode, content: bytes | str) -> float | None:
        self._spend(_SCALAR_BYTES)
        kind = dtype.dtype
        if kind is None or kind.kind not in "fiub" or len(content) != kind.itemsize:
            return None
        if isinstance(content, str):
            content = content.encode("latin-1", "replace")
        number: float = np.frombuffer(content, kind)[0].item()
        return number

    def _array_from_state(self, state: Any) -> Any:
        """What `ndarray.__setstate__` is given: a version, the shape, the dtype, whether columns come first, bytes."""
        match state:
            case (int(), tuple() as shape, DtypeNode() as dtype, by_columns, content):
                pass
            case (tuple() as shape, DtypeNode() as dtype, by_columns, content):
                pass
            case _:
                raise _UnfitError("it describes an array in no way that is known")
        if isinstance(content, list):
            return self._in_shape(content, shape)
        return self._array(shape, dtype, content, bool(by_columns))

    def _in_shape(self, values: list[Any], shape: tuple[Any, ...]) -> Any:
        """The objects of an array, in rows where it has two dimensions, and the one itself where it has none."""
        if shape == () and len(values) == 1:
            return values[0]
        if len(shape) == 2 and _is_shape(shape) and shape[1] > 0 and len(values) == shape[0] * shape[1]:
            self._spend(_ROW_BYTES * shape[0] + _POINTER_BYTES * len(values))
            return [values[i : i + shape[1]] for i in range(0, len(values), shape[1])]
        return values

    def _array(self, shape: tuple[Any, ...], dtype: DtypeNode, content: Any, by_columns: bool) -> Any:
        self._spend(_ARRAY_BYTES)
        kind = dtype.dtype
        if isinstance(content, str):  # from Python 2, where bytes were texts
            self._spend(len(content))
            content = content.encode("latin-1", "replace")
        if kind is not None and kind.kind in "US" and isinstance(content, bytes) and len(content) <= _MAX_TEXT_BYTES:
            texts = np.frombuffer(content, kind) if kind.itemsize else np.empty(0, "U1")  # as the names of classes
            self._spend(len(content) + texts.size * _OBJECT_BYTES)
            return texts.tolist()
        if kind is None or kind.kind not in "fiub":
            return None  # records, complex numbers: nothing that is computed with
        if not isinstance(content, bytes | bytearray):
            raise _UnfitError("it describes an array without its bytes")
        return self._checked(shape, kind, content, by_columns)

    def _checked(
        self, shape: Sequence[Any], kind: np.dtype[Any], content: bytes | bytearray, by_columns: bool
    ) -> NDArray[Any]:
        if not _is_shape(shape):
            raise _UnfitError("it describes an array of a shape that cannot be")
        expected = math.prod(shape) * kind.itemsize
        if expected != len(content):
            raise _UnfitError(
                f"an array of shape {str(shape)[:80]} needs {expected} bytes, but there are {len(content)}"
            )
        array = np.frombuffer(content, kind).reshape(tuple(shape), order="F" if by_columns else "C")
        if not kind.isnative:
            self._spend(expected)
        return array.astype(kind.newbyteorder("="), copy=False)

    def _set_dtype(self, dtype: DtypeNode, state: Any) -> None:
        """What `dtype.__setstate__` is given: a version, the byte order, then what makes it a record."""
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            dtype.code = dtype.code if "V" in dtype.code else "O"  # of records, the size alone is of use
        elif state[1] in ("<", ">") and dtype.code != "O":
            dtype.code = state[1] + dtype.code.lstrip("<>|=")

    def _array_behind(self, state: dict[Any, Any]) -> Any:
        """Joblib writes an array's bytes behind the instruction that describes it, in the middle of the pickle."""
        dtype, shape = state.get("dtype"), state.get("shape")
        if not isinstance(dtype, DtypeNode) or not isinstance(shape, tuple):
            raise _UnfitError("it describes an array in no way that is known")
        if state.get("numpy_array_alignment_bytes") is not None:
            self._file.read(self._file.read(1)[0])
        kind = dtype.dtype
        if kind is None:  # its elements are a pickle of their own
            self._spend(_READER_BYTES)
            inner = _Reader(self._file, self._persistent, self._max_copied_bytes, self._tell)
            inner.dispatch.left, inner._left = self.dispatch.left, self._left
            tree = inner.load()
            self.dispatch.left, self._left = inner.dispatch.left, inner._left
            return tree
        if not _is_shape(shape):
            raise _UnfitError("it describes an array of a shape that cannot be")
        content = self._file.read(min(math.prod(shape) * kind.itemsize, sys.maxsize))
        if kind.kind not in "fiub":
            return None
        return ArrayNode(self._checked(shape, kind, content, state.get("order") == "F"))

    def _elements(self, target: Any) -> list[Any]:
        if isinstance(target, list):
            return target
        if isinstance(target, ObjectNode):
            return target.items
        raise _UnfitError(f"it appends to a {type(target).__name__}")

    def _pairs(self, target: Any) -> dict[Any, Any]:
        if isinstance(target, dict):
            return target
        if isinstance(target, ObjectNode):
            return target.pairs
        raise _UnfitError(f"it sets an element of a {type(target).__name__}")

    def _spend(self, n_bytes: int) -> None:
        self._left -= n_bytes
        if self._left < 0:
            raise _UnfitError(f"it would make or copy more than {self._max_copied_bytes // 2**20} MiB")


def _is_shape(sizes: Sequence[Any]) -> bool:
    """Whether these can be an array's sizes, and are small enough to be multiplied."""
    return len(sizes) <= 8 and all(type(size) is int and 0 <= size < 2**40 for size in sizes)


def _key(key: Any) -> str:
    """A key of a dict as a text, none that is long to hash or compare; no hashes of texts can be made to be equal."""
    if isinstance(key, bytes | bytearray):
        key = bytes(key[:_MAX_KEY]).decode("latin-1")
    if isinstance(key, str):
        return key[:_MAX_KEY]
    if isinstance(key, float | bool | None) or (isinstance(key, int) and -(2**63) <= key < 2**63):
        return str(key)
    if isinstance(key, tuple) and all(isinstance(part, str | int | float) for part in key[:8]):
        return ".".join(str(part)[:50] for part in key[:8])[:_MAX_KEY]
    return f"a {type(key).__name__}"


def _tensor(arguments: tuple[Any, ...]) -> TensorNode:
    match arguments:
        case (StorageNode() as storage, int() as offset, tuple() as shape, tuple() as strides, *_):
            if len(shape) == len(strides) and _is_shape(shape) and _is_shape(strides) and 0 <= offset < 2**40:
                return TensorNode(storage, offset, shape, strides)
    raise _UnfitError("it describes a tensor in no way that is known")


_INSTRUCTIONS: dict[int, Callable[..., None]] = {
    code[0]: action
    for code, action in {
        pickle.REDUCE: _Reader.do_reduce,
        pickle.NEWOBJ: _Reader.do_newobj,
        pickle.NEWOBJ_EX: _Reader.do_newobj_ex,
        pickle.INST: _Reader.do_inst,
        pickle.OBJ: _Reader.do_obj,
        pickle.BUILD: _Reader.do_build,
        pickle.APPEND: _Reader.do_append,
        pickle.APPENDS: _Reader.do_appends,
        pickle.ADDITEMS: _Reader.do_appends,
        pickle.SETITEM: _Reader.do_setitem,
        pickle.SETITEMS: _Reader.do_setitems,
        pickle.DICT: _Reader.do_dict,
        pickle.PUT: _Reader.do_put,
        pickle.UNICODE: _Reader.do_line,
        pickle.BINUNICODE: _Reader.do_text,
        pickle.BINUNICODE8: _Reader.do_long_text,
        pickle.EMPTY_SET: _Reader.do_empty_set,
        pickle.FROZENSET: _Reader.do_frozenset,
        pickle.BYTEARRAY8: _Reader.do_bytearray,
        pickle.NEXT_BUFFER: _Reader.refuse,
        pickle.READONLY_BUFFER: _Reader.do_nothing,
    }.items()
}
