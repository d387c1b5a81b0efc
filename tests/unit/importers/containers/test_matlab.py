import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitpad.errors import WeightsError
from digitpad.importers.open_file import open_weights
from tests.unit.importers.mat_files import OCTAVE, element, mat, mat_matrix, packed, small
from tests.unit.importers.test_read_file import MATRIX, VECTOR, read, refused


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("pack", [lambda content, order: content, packed], ids=["plain", "packed"])
def test_matlab_files_are_read(order: str, pack: Callable[[bytes, str], bytes]) -> None:
    """Named matrices, cells, structures and texts are read in either byte order."""
    cell = mat_matrix("", MATRIX, order=order) + mat_matrix("", VECTOR[None].astype("f4"), 7, order)
    empty = np.empty((1, 1))
    names = small(5, struct.pack(f"{order}i", 4), order) + element(1, b"W1\0\0b1\0\0", order)
    fields = mat_matrix("", MATRIX.T, order=order) + mat_matrix("", VECTOR[:, None], order=order)
    text = np.array([[ord(c) for c in "relu"]], "u2")
    content = mat(
        pack(mat_matrix("Theta1", MATRIX, order=order), order),
        pack(mat_matrix("n", np.array([[7]], "u1"), 9, order), order),
        pack(mat_matrix("Theta", np.empty((1, 2)), 1, order, cell), order),
        pack(mat_matrix("net", empty, 2, order, names + fields), order),
        pack(mat_matrix("activation", text, 4, order), order),
        pack(mat_matrix("sparse", empty, 5, order), order),
        order=order,
    )
    contents = read(content, "weights.mat")
    np.testing.assert_array_equal(contents.arrays["Theta1"], MATRIX)
    np.testing.assert_array_equal(contents.arrays["n"], [[7]])
    np.testing.assert_array_equal(contents.arrays["Theta.0"], MATRIX)
    np.testing.assert_array_equal(contents.arrays["Theta.1"], VECTOR[None])
    np.testing.assert_array_equal(contents.arrays["net.W1"], MATRIX.T)
    np.testing.assert_array_equal(contents.arrays["net.b1"], VECTOR[:, None])
    assert contents.words == [("activation", "relu")]
    assert "sparse" not in contents.arrays
    assert contents.passed_over == ["sparse (sparse)"]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 0)])
def test_empty_text_is_read(shape: tuple[int, int]) -> None:
    """An empty text, which MATLAB and SciPy save without rows, is read."""
    contents = read(mat(mat_matrix("es", np.empty(shape, "u2"), 4), mat_matrix("W", MATRIX)), "weights.mat")
    np.testing.assert_array_equal(contents.arrays["W"], MATRIX)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (mat(mat_matrix("W", MATRIX))[:-1], "an element claims .* bytes, but only .* follow"),
        (mat(mat_matrix("W", MATRIX)).replace(struct.pack("<ii", 3, 4), struct.pack("<ii", 3, 5)), "needs 15 numbers"),
        (mat(mat_matrix("W", MATRIX)).replace(struct.pack("<ii", 3, 4), struct.pack("<ii", 3, -4)), "impossible shape"),
        (mat(element(14, b"")), "has no shape or no name"),
        (mat(packed(bytes(80 * 2**20))), "too large when decompressed; the limit is 64 MiB"),
        (mat(packed(bytes(2**20))), "more than 20,000 elements"),
        (mat(mat_matrix("W", np.empty((1, 1)), 2, parts=element(5, bytes(4)) + element(1, b"a"))), "has no names"),
        (b"MATLAB 5.0 MAT-file".ljust(140), "does not state the byte order"),
        (b"MATLAB 7.3 MAT-file".ljust(600), "save.*-v7"),
    ],
    ids=["cut", "too few", "negative", "empty", "bomb", "elements", "structure", "order", "HDF5"],
)
def test_impossible_claims_are_refused(content: bytes, message: str) -> None:
    """A MATLAB file with impossible claims raises an error before large objects are created."""
    refused(content, message)


def test_nested_cells_are_limited() -> None:
    """Cells nested more than 8 deep are refused."""
    inner = mat_matrix("", MATRIX)
    for _ in range(12):
        inner = mat_matrix("c", np.empty((1, 1)), 1, parts=inner)
    refused(mat(inner), "nested more than 8 deep")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_octave_text_is_read(end: bytes) -> None:
    """Octave's default text format is read; a matrix without its stated size is refused."""
    contents = read(OCTAVE.replace(b"\n", end), "weights.mat")
    np.testing.assert_array_equal(contents.arrays["Theta1"], [[1, 2, 3], [4, 0.5, -6]])
    assert contents.numbers == {"lambda": 1.5}
    refused(OCTAVE.replace(b"rows: 2", b"rows: 3"), r"Theta1 of shape \(3, 3\) needs 9 numbers, but has 6")


@pytest.mark.parametrize("kind", [b"global matrix", b"float matrix", b"global float matrix", b"int32 matrix"])
def test_octave_matrices_of_other_types_are_read(kind: bytes) -> None:
    """Octave's single-precision, integer and global matrices are read."""
    content = OCTAVE.replace(b"type: matrix", b"type: " + kind).replace(b"type: scalar", b"type: float scalar")
    contents = read(content, "weights.mat")
    np.testing.assert_array_equal(contents.arrays["Theta1"], [[1, 2, 3], [4, 0.5, -6]])
    assert contents.numbers == {"lambda": 1.5}


def test_octave_arrays_of_three_dimensions_are_read() -> None:
    """Octave's arrays with three dimensions are read in column-major order, and NA as NaN."""
    array = np.arange(12.0).reshape(2, 3, 2)
    lines = "".join(f" {number:g}\n" for number in array.ravel("F"))
    many = f"# name: A\n# type: matrix\n# ndims: 3\n 2 3 2\n{lines}\n\n".replace(" 7\n", " NA\n")
    contents = read(OCTAVE + many.encode(), "weights.mat")
    array[array == 7] = np.nan
    np.testing.assert_array_equal(contents.arrays["A"], array)
    assert "Theta1" in contents.arrays


def test_skipped_items_of_octave_text_are_recorded() -> None:
    """Skipped items are recorded, and the rest of the file is read."""
    sparse = b"# name: S\n# type: sparse matrix\n# nnz: 1\n# rows: 2\n# columns: 2\n1 1 5\n\n\n"
    contents = read(OCTAVE.replace(b"5e-1", b"five") + sparse, "weights.mat")
    assert contents.passed_over == ["Theta1 (not only numbers)", "S (sparse matrix)"]
    assert contents.numbers == {"lambda": 1.5}


def test_error_lists_skipped_items(tmp_path: Path) -> None:
    """The error for a missing matrix lists skipped items, which may include that matrix."""
    path = tmp_path / "w.mat"
    path.write_bytes(mat(mat_matrix("W", np.empty((784, 10)), 5, parts=b""), mat_matrix("b", np.full((1, 10), 0.5))))
    with pytest.raises(WeightsError, match=r"no matrix for the 784 pixels.*; skipped: W \(sparse\)$"):
        open_weights(path)


def test_matlab_version_4_is_refused() -> None:
    """MATLAB's version 4 format is refused, because it has no signature."""
    refused(struct.pack("<5i", 0, 1, 1, 0, 2) + b"W\0" + bytes(8), "saved with save -v7", "old.mat")
