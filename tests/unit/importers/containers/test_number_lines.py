"""Tests of weights as text: lines of any length, headings, sizes, and one number per line."""

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.errors import WeightsError
from digitpad.importers.inference.structure_search import find_structures
from digitpad.importers.read_file import read_tensor_tree
from tests.unit.importers.strangers import Trained, pairs


def numbers(row: Any, separator: str = " ") -> str:
    return separator.join(map(repr, np.ravel(row).tolist()))


def with_shapes(arrays: Iterable[Any], shape: str, *, flat: bool) -> str:
    lines: list[str] = []
    for array in arrays:
        rows = array if array.ndim == 2 else array[:, None]
        lines.append(shape.format(*rows.shape))
        lines += [numbers(rows)] if flat else [numbers(row, ",") for row in rows]
    return "\n".join(lines)


def c_program(t: Trained, separator: str = " ") -> str:
    """Return the layer sizes, then the weights and the bias of each neuron."""
    neurons = (numbers(neuron, separator) for w, b in zip(t.weights, t.biases, strict=True) for neuron in np.c_[w.T, b])
    return separator.join(["784", "24", "24", "10"]) + "\n" + "\n".join(neurons)


def with_headings(t: Trained) -> str:
    return "\n\n".join(
        f"Layer {i} weights\n"
        + "\n".join(f"[{numbers(row, ', ')}]" for row in w.T)
        + f"\nLayer {i} biases\n{numbers(b)}"
        for i, (w, b) in enumerate(zip(t.weights, t.biases, strict=True))
    )


FILES: dict[str, Callable[[Trained], str]] = {
    "a number a line": lambda t: "\n".join(numbers(a, "\n") for a in pairs(t)),
    "a layer a line": lambda t: "\n".join(map(numbers, pairs(t))),
    "a layer a line, commas": lambda t: "\n".join(numbers(a, ",") + "," for a in pairs(t)),
    "rows, then the bias": lambda t: "\n".join(
        "\n".join(map(numbers, [*w.T, b])) for w, b in zip(t.weights, t.biases, strict=True)
    ),
    "a header": lambda t: "784 24 24 10 relu softmax\n" + "\n".join(map(numbers, pairs(t))),
    "rows,cols": lambda t: with_shapes(pairs(t), "{},{}", flat=False),
    "rows cols, then a line": lambda t: with_shapes(pairs(t), "{} {}", flat=True),
    "a C program": c_program,
    "a C program, a number a line": functools.partial(c_program, separator="\n"),
    "headings": with_headings,
}


@pytest.mark.parametrize("name", FILES)
def test_every_layout_of_text_is_read(name: str, deep: Trained, tmp_path: Path) -> None:
    """Weights and biases are found in each layout, also if the text has several possible structures."""
    path = tmp_path / "weights.txt"
    path.write_text(FILES[name](deep))
    structures = find_structures(read_tensor_tree(path), 10)
    assert any(
        all(
            np.array_equal(dense.weight, w) and np.array_equal(dense.bias, b)
            for dense, w, b in zip(structure.denses, deep.weights, deep.biases, strict=True)
        )
        for structure in structures
    )


def test_pandas_header_is_not_a_number(tmp_path: Path) -> None:
    """In a column that pandas wrote without an index, the first line "0" is the column's name."""
    path = tmp_path / "b1.csv"
    path.write_text("0\n0.5\n-1.5\n")
    np.testing.assert_array_equal(read_tensor_tree(path).arrays["b1"].ravel(), [0.5, -1.5])


@pytest.mark.parametrize("content", ["1 2\n" + "no number\n" * 300, "a 1\nb c\n", "1 2 3\n4 x 5\n"])
def test_error_for_other_text_has_no_numpy_advice(content: str, tmp_path: Path) -> None:
    """An error about other text does not repeat NumPy's advice to programmers."""
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(WeightsError) as caught:
        find_structures(read_tensor_tree(path), 10)
    assert "usecols" not in str(caught.value)
