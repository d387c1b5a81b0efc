"""Reader of HDF5 files from unknown sources, for what Keras, h5py and MATLAB write: groups, attributes and arrays.

It is written in Python, so that no file can make it read or write memory that it should not. The HDF5 library, which is
written in C, has had many such errors, and would need a process of its own with limits, which Windows does not have.
Every structure that is read, every byte that is decompressed and every array is charged to a budget, because a small
file can refer to the same structure again and again.

Supported are superblocks 0 to 3, both versions of object headers, groups as symbol tables or with links in their
header, numbers and texts, and arrays that are stored in one piece, in the header, or in chunks (with deflate, shuffle
and checksums, which are not checked). Links to other files are not followed.

Source: HDF5 File Format Specification, version 3.0 (The HDF Group).
"""

# Longer than 400 lines: one reader with one budget; its messages are in `hdf5_messages`.

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.formats.hdf5_messages import (
    Cursor,
    DataType,
    Hdf5Error,
    Layout,
    decoded,
    parse_data_type,
    parse_filters,
    parse_layout,
    parse_shape,
    unfiltered,
)

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_STEPS = 200_000
MAX_TEXT_BYTES = 4 * 2**20
_MAX_MESSAGES = 2000
_MAX_TREE_DEPTH = 16
_BEGINNINGS = (0, 512, 1024, 2048)  # a user block may precede the file

_SHAPE, _LINK_INFO, _TYPE, _LINK, _LAYOUT, _FILTERS = 0x01, 0x02, 0x03, 0x06, 0x08, 0x0B
_ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE = 0x0C, 0x10, 0x11


def find_hdf5(content: bytes) -> int | None:
    """Return where HDF5 begins in a file, or None if it is not an HDF5 file."""
    return next((at for at in _BEGINNINGS if content[at : at + 8] == SIGNATURE), None)


class Hdf5File:
    """An HDF5 file in memory; ``root`` is its first group.

    Parameters
    ----------
    content : bytes
    budget_bytes : int
        Limit for all arrays and texts that are read, together.

    Raises
    ------
    Hdf5Error
        If the file is damaged, uses an unsupported feature, or exceeds a limit; also when its parts are read.
    """

    def __init__(self, content: bytes, budget_bytes: int) -> None:
        begin = find_hdf5(content)
        if begin is None:
            raise Hdf5Error("it does not begin like HDF5")
        self._data = memoryview(content)
        self._steps_left, self._bytes_left = MAX_STEPS, budget_bytes
        self._heaps: dict[int, dict[int, memoryview]] = {}
        self._base = 0
        cursor = Cursor(self._data, begin + 8)
        version = cursor.number(1)
        if version in (0, 1):
            cursor.take(4)
            sizes = cursor.number(1), cursor.number(1)
            cursor.take(9 + 4 * version)
            self._base = cursor.address() or 0
            cursor.take(3 * 8 + 8)
        elif version in (2, 3):
            sizes = cursor.number(1), cursor.number(1)
            cursor.take(1)
            self._base = cursor.address() or 0
            cursor.take(2 * 8)
        else:
            raise Hdf5Error(f"its superblock has the unknown version {version}")
        if sizes != (8, 8):
            raise Hdf5Error("its addresses do not have 8 bytes, which is not supported")
        self.root = Hdf5Group(self, cursor.number(8))

    def spend(self, n_steps: int = 1) -> None:
        """Charge steps of work."""
        self._steps_left -= n_steps
        if self._steps_left < 0:
            raise Hdf5Error("it holds too many structures for a network")

    def charge(self, n_bytes: int) -> None:
        """Charge bytes of memory."""
        self._bytes_left -= n_bytes
        if self._bytes_left < 0:
            raise Hdf5Error("it holds too much data for a network")

    def at(self, address: int) -> Cursor:
        """Return a cursor at an address, and charge one step."""
        self.spend()
        return Cursor(self._data, self._base + address)

    def tree_node(self, address: int, kind: int, what: str, seen: set[int], depth: int) -> tuple[Cursor, int, int]:
        """Return a cursor at the entries of a B-tree's node, its level, and the number of its entries."""
        if address in seen or depth > _MAX_TREE_DEPTH:
            raise Hdf5Error(f"its tree of {what} is damaged")
        seen.add(address)
        cursor = self.at(address)
        cursor.signature(b"TREE")
        found, level, n = cursor.number(1), cursor.number(1), cursor.number(2)
        if found != kind:
            raise Hdf5Error(f"its tree of {what} is damaged")
        cursor.take(16)
        return cursor, level, n

    def messages(self, address: int) -> list[tuple[int, memoryview]]:
        """Return the type and the data of each message of an object header."""
        cursor = self.at(address)
        modern = bytes(cursor.data[cursor.at : cursor.at + 4]) == b"OHDR"
        has_order = False
        if modern:
            cursor.take(4)
            version, flags = cursor.number(1), cursor.number(1)
            cursor.take(16 * (flags >> 5 & 1) + 4 * (flags >> 4 & 1))
            blocks = [cursor.take(cursor.number(1 << (flags & 3)))]
            has_order = bool(flags & 4)
        else:
            version = cursor.number(1)
            cursor.take(7)
            n = cursor.number(4)
            cursor.take(4)
            blocks = [cursor.take(n)]
        if version != 1 + modern:
            raise Hdf5Error(f"an object header has the unknown version {version}")
        messages = []
        while blocks:
            block = Cursor(blocks.pop(0))
            head = 4 + 2 * has_order if modern else 8
            while block.at + head <= len(block.data):
                self.spend()
                kind = block.number(1 if modern else 2)
                n = block.number(2)
                flags = block.number(1)
                block.take(2 * has_order if modern else 3)
                data = block.take(n)
                if kind == _CONTINUATION:
                    inner = Cursor(data)
                    part = self.at(inner.number(8))
                    rest = part.take(inner.number(8))
                    blocks.append(rest[4:-4] if modern else rest)  # a signature and a checksum
                elif not flags & 2:  # shared messages are stored elsewhere; Keras has none
                    messages.append((kind, data))
                if len(messages) > _MAX_MESSAGES:
                    raise Hdf5Error("an object has too many messages")
        return messages

    def array(self, kind: DataType, shape: tuple[int, ...], content: bytes | memoryview) -> Any:
        """Return an attribute's or a dataset's value: an array, a text or a list of texts."""
        n = math.prod(shape)
        if kind.is_text:
            self.spend(n)
            cursor = Cursor(memoryview(content))
            texts = [self._heap_text(cursor) for _ in range(n)]
            return texts if shape else texts[0]
        if kind.dtype is None:
            return None
        self.charge(n * kind.n_bytes)
        array = decoded(content, kind, shape)
        if kind.dtype.kind == "S":
            self.spend(n)
            texts = [bytes(text).decode("utf-8", "replace") for text in array.ravel().tolist()]
            return texts if shape else texts[0]
        return array

    def _heap_text(self, cursor: Cursor) -> str:
        """Return a text of variable length, which is an object of a global heap."""
        n, address, index = cursor.number(4), cursor.number(8), cursor.number(4)
        if n == 0 or address == 0:
            return ""
        if address not in self._heaps:
            self._heaps[address] = self._heap(address)
        text = self._heaps[address].get(index)
        if text is None or n > len(text):
            raise Hdf5Error("a text is not where it should be")
        self.charge(n)
        return bytes(text[:n]).partition(b"\0")[0].decode("utf-8", "replace")

    def _heap(self, address: int) -> dict[int, memoryview]:
        cursor = self.at(address)
        begin = cursor.at
        cursor.signature(b"GCOL")
        cursor.take(4)
        end = begin + cursor.number(8)
        objects = {}
        while cursor.at + 16 <= min(end, len(cursor.data)):
            self.spend()
            index = cursor.number(2)
            if index == 0:
                break
            cursor.take(6)
            n = cursor.number(8)
            objects[index] = cursor.take(n)
            cursor.at += -n % 8
        return objects


class _Hdf5Object:
    """Object with a header, which is read on first use."""

    def __init__(self, file: Hdf5File, address: int) -> None:
        self._file = file
        self.address = address
        self._messages: list[tuple[int, memoryview]] | None = None

    @property
    def messages(self) -> list[tuple[int, memoryview]]:
        """Messages of the header."""
        if self._messages is None:
            self._messages = self._file.messages(self.address)
        return self._messages

    def first(self, kind: int) -> memoryview | None:
        """Return the data of the first message of a type."""
        return next((data for own, data in self.messages if own == kind), None)

    def attributes(self) -> dict[str, Any]:
        """Return all attributes: arrays, texts and lists of texts; those of other types are left out."""
        values = {}
        for kind, data in self.messages:
            if kind == _ATTRIBUTE:
                name, value = self._attribute(data)
                if value is not None:
                    values[name] = value
        return values

    def _attribute(self, data: memoryview) -> tuple[str, Any]:
        cursor = Cursor(data)
        version, flags = cursor.number(1), cursor.number(1)
        n_name, n_type, n_shape = (cursor.number(2) for _ in range(3))
        if version not in (1, 2, 3) or (version > 1 and flags & 3):
            raise Hdf5Error("an attribute has an unsupported version or a shared type")
        unit = 8 if version == 1 else 1
        if version == 3:
            cursor.take(1)
        name = cursor.padded_text(n_name, unit)
        kind = parse_data_type(cursor.take(n_type + -n_type % unit))
        shape = parse_shape(cursor.take(n_shape + -n_shape % unit))
        if shape is None or math.prod(shape) > len(data):
            return name, None
        return name, self._file.array(kind, shape, cursor.data[cursor.at :])


class Hdf5Dataset(_Hdf5Object):
    """An array in the file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as stated by the header."""
        data = self.first(_SHAPE)
        shape = None if data is None else parse_shape(data)
        return (0,) if shape is None else shape

    @property
    def kind(self) -> DataType:
        """Type of the elements."""
        data = self.first(_TYPE)
        if data is None:
            raise Hdf5Error("a dataset has no type")
        return parse_data_type(data)

    def read(self) -> Any:
        """Return the array, text or list of texts, or None if its type is not supported."""
        kind, shape = self.kind, self.shape
        if kind.dtype is None and not kind.is_text:
            return None
        n_bytes = math.prod(shape) * kind.n_bytes
        data = self.first(_LAYOUT)
        if data is None:
            raise Hdf5Error("a dataset has no storage")
        layout = parse_layout(data)
        if layout.inline is not None:
            return self._file.array(kind, shape, layout.inline)
        if layout.address is None:  # nothing was written
            self._file.charge(n_bytes)
            return self._file.array(kind, shape, bytes(n_bytes))
        if layout.chunk is None:
            return self._file.array(kind, shape, self._file.at(layout.address).take(n_bytes))
        if kind.dtype is None or len(layout.chunk) != len(shape):
            raise Hdf5Error("a dataset has chunks of an unsupported type")
        return self._read_chunks(kind, shape, layout)

    def _read_chunks(self, kind: DataType, shape: tuple[int, ...], layout: Layout) -> Any:
        assert layout.chunk is not None
        assert layout.address is not None
        assert kind.dtype is not None
        self._file.charge(math.prod(shape) * kind.n_bytes)
        whole: NDArray[Any] = np.zeros(shape, kind.dtype)
        data = self.first(_FILTERS)
        filters = [] if data is None else parse_filters(data)
        n_bytes = math.prod(layout.chunk) * kind.n_bytes
        if layout.is_single:
            stored = layout.n_bytes or n_bytes
            chunks: Iterator[tuple[int, int, tuple[int, ...], int]] = iter(
                [(stored, 0, (0,) * len(shape), layout.address)]
            )
        else:
            chunks = self._chunks(layout.address, len(shape), set())
        for stored, skipped, begin, address in chunks:
            self._file.charge(n_bytes + stored)
            content = unfiltered(self._file.at(address).take(stored), filters, skipped, n_bytes, kind.n_bytes)
            if len(content) < n_bytes:
                raise Hdf5Error("a chunk is too short")
            part = np.frombuffer(content, kind.dtype, math.prod(layout.chunk)).reshape(layout.chunk)
            sizes = [min(size, side - first) for size, side, first in zip(layout.chunk, shape, begin, strict=True)]
            if min(sizes, default=1) > 0:
                inside = tuple(slice(first, first + size) for first, size in zip(begin, sizes, strict=True))
                whole[inside] = part[tuple(slice(size) for size in sizes)]
        return self._file.array(kind, shape, memoryview(whole.tobytes()))

    def _chunks(
        self, address: int, rank: int, seen: set[int], depth: int = 0
    ) -> Iterator[tuple[int, int, tuple[int, ...], int]]:
        """Yield the stored size, the unused filters, the position and the address of each chunk in a B-tree."""
        cursor, level, n = self._file.tree_node(address, 1, "chunks", seen, depth)
        for _ in range(n):
            self._file.spend()
            stored, skipped = cursor.number(4), cursor.number(4)
            begin = tuple(cursor.number(8) for _ in range(rank))
            cursor.take(8)
            child = cursor.number(8)
            if level:
                yield from self._chunks(child, rank, seen, depth + 1)
            else:
                yield stored, skipped, begin, child


class Hdf5Group(_Hdf5Object):
    """A group of datasets and groups."""

    def members(self) -> "dict[str, Hdf5Group | Hdf5Dataset]":
        """Return the groups and datasets in the group, by name, in the order of the file."""
        table, info = self.first(_SYMBOL_TABLE), self.first(_LINK_INFO)
        links = dict(self._links())
        if table is not None:
            cursor = Cursor(table)
            tree, heap = cursor.number(8), cursor.number(8)
            links |= self._symbols(tree, self._names(heap), set())
        elif info is not None and not links:
            flags = info[1] if len(info) > 1 else 0
            if Cursor(info, 2 + 8 * (flags & 1)).address() is not None:
                raise Hdf5Error("a group stores its links in a fractal heap, which is not supported")
        members: dict[str, Hdf5Group | Hdf5Dataset] = {}
        for name, address in links.items():
            item = Hdf5Dataset(self._file, address)
            is_dataset = item.first(_LAYOUT) is not None
            members[name] = item if is_dataset else Hdf5Group(self._file, address)
        return members

    def _links(self) -> Iterator[tuple[str, int]]:
        """Yield the name and the address of each link that is stored in the header."""
        for kind, data in self.messages:
            if kind != _LINK:
                continue
            cursor = Cursor(data)
            version, flags = cursor.number(1), cursor.number(1)
            is_hard = not flags & 8 or cursor.number(1) == 0
            cursor.take(8 * (flags >> 2 & 1) + (flags >> 4 & 1))
            name = cursor.padded_text(cursor.number(1 << (flags & 3)), 1)
            if version == 1 and is_hard:
                yield name, cursor.number(8)

    def _names(self, address: int) -> memoryview:
        """Return the bytes of a local heap, which holds names."""
        cursor = self._file.at(address)
        cursor.signature(b"HEAP")
        cursor.take(4)
        n = cursor.number(8)
        cursor.take(8)
        return self._file.at(cursor.number(8)).take(n)

    def _symbols(self, address: int, names: memoryview, seen: set[int], depth: int = 0) -> dict[str, int]:
        """Return the name and the address of each entry in a B-tree of symbol tables."""
        cursor, level, n = self._file.tree_node(address, 0, "names", seen, depth)
        links: dict[str, int] = {}
        for _ in range(n):
            cursor.take(8)
            child = cursor.number(8)
            links |= self._symbols(child, names, seen, depth + 1) if level else self._table(child, names)
        return links

    def _table(self, address: int, names: memoryview) -> dict[str, int]:
        cursor = self._file.at(address)
        cursor.signature(b"SNOD")
        cursor.take(2)
        links = {}
        for _ in range(cursor.number(2)):
            self._file.spend()
            name, header = cursor.number(8), cursor.number(8)
            is_soft = cursor.number(4) == 2
            cursor.take(20)
            if not is_soft and name < len(names):
                text = bytes(names[name : name + 1000]).partition(b"\0")[0]
                links[text.decode("utf-8", "replace")] = header
        return links
