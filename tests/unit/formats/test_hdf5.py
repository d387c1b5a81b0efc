import random
from pathlib import Path

import numpy as np
import pytest

from digitpad.formats.hdf5 import Hdf5Dataset, Hdf5File, Hdf5Group, find_hdf5
from digitpad.formats.hdf5_messages import Hdf5Error

FOLDER = Path(__file__).parent / "hdf5_files"
BUDGET = 2**26


def root(name: str, budget: int = BUDGET) -> Hdf5Group:
    return Hdf5File((FOLDER / name).read_bytes(), budget).root


def values(group: Hdf5Group) -> dict[str, object]:
    return {name: item.read() for name, item in group.members().items() if isinstance(item, Hdf5Dataset)}


def inner(group: Hdf5Group, *path: str) -> Hdf5Group:
    for name in path:
        item = group.members()[name]
        assert isinstance(item, Hdf5Group)
        group = item
    return group


def read_all(group: Hdf5Group) -> None:
    group.attributes()
    for name, item in group.members().items():
        if isinstance(item, Hdf5Group):
            read_all(item)
        elif name != "lzf":  # which raises an error
            item.read()


@pytest.mark.parametrize("name", ["earliest.h5", "v108.h5"])
def test_numbers_of_every_type(name: str) -> None:
    """Numbers of every size and byte order become native arrays; arrays of other types are None."""
    arrays = values(inner(root(name), "numbers"))
    others = values(inner(root(name), "others"))
    assert others["complex"] is None
    assert others["scalar"] == 2.5
    assert np.asarray(others["nothing"]).size == 0
    np.testing.assert_array_equal(np.asarray(others["bool"]), [1, 0])
    assert set(arrays) == {"f4", "f8", "f2", "f4big", "i8", "i2big", "u1"}
    for array in arrays.values():
        assert isinstance(array, np.ndarray)
        assert array.dtype.isnative
        np.testing.assert_array_equal(array, [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("name", ["earliest.h5", "v108.h5"])
def test_texts_and_attributes(name: str) -> None:
    """Texts of fixed and variable length are read, including long texts in a heap."""
    group = root(name)
    assert values(inner(group, "texts", "of")) == {"one": "déjà", "many": ["a", "bc"], "fixed": ["ab", "c"]}
    attributes = group.attributes()
    assert attributes["long"] == "x" * 5000
    assert attributes["list"] == ["a", "bc"]
    assert attributes["number"] == 3.5


@pytest.mark.parametrize("name", ["earliest.h5", "v108.h5"])
def test_chunks(name: str) -> None:
    """Chunks with deflate, shuffle and checksums are read; for other filters, the error has the filter's number."""
    members = root(name).members()
    chunked, unwritten, lzf = (members[key] for key in ("chunked", "unwritten", "lzf"))
    assert isinstance(chunked, Hdf5Dataset)
    assert isinstance(unwritten, Hdf5Dataset)
    assert isinstance(lzf, Hdf5Dataset)
    np.testing.assert_array_equal(chunked.read(), np.arange(23 * 17.0).reshape(23, 17))
    np.testing.assert_array_equal(unwritten.read(), np.zeros(3))
    with pytest.raises(Hdf5Error, match="filter 32000"):
        lzf.read()


def test_a_group_with_many_members() -> None:
    """A group whose members fill several tables is read completely."""
    arrays = values(inner(root("earliest.h5"), "many"))
    assert {name: np.asarray(array).tolist() for name, array in arrays.items()} == {f"a{i}": [i, i] for i in range(40)}


def test_a_user_block_precedes_the_file() -> None:
    """HDF5 data after a user block, as MATLAB writes them, are found."""
    content = (FOLDER / "user_block.h5").read_bytes()
    assert find_hdf5(content) == 512
    np.testing.assert_array_equal(values(root("user_block.h5"))["a"], [0, 1, 2])
    assert find_hdf5(b"text") is None


def test_what_is_not_supported_is_named() -> None:
    """A group with links in a fractal heap, and files that are not HDF5, are refused."""
    with pytest.raises(Hdf5Error, match="fractal heap"):
        root("dense_links.h5").members()
    with pytest.raises(Hdf5Error, match="does not begin"):
        Hdf5File(b"\x89PNG", BUDGET)


def test_arrays_are_charged_to_the_budget() -> None:
    """Arrays that together exceed the budget are refused before they are allocated."""
    group = root("earliest.h5", 3000)
    with pytest.raises(Hdf5Error, match="too much data"):
        values(group)


@pytest.mark.parametrize("name", ["earliest.h5", "v108.h5"])
def test_damaged_files_raise_only_hdf5_error(name: str) -> None:
    """Files with changed bytes or a missing end are read, or raise only Hdf5Error."""
    content = (FOLDER / name).read_bytes()
    rng = random.Random(1)
    outcomes = set()
    for _ in range(150):
        changed = bytearray(content)
        for _ in range(rng.choice((1, 2, 8))):
            changed[rng.randrange(len(changed))] = rng.choice((0, 1, 255, rng.randrange(256)))
        if rng.random() < 0.2:
            changed = changed[: rng.randrange(len(changed))]
        try:
            read_all(Hdf5File(bytes(changed), BUDGET).root)
            outcomes.add("read")
        except Hdf5Error:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
