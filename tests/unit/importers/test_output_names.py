from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitpad.class_names import DIGITS
from digitpad.datasets.dataset import Dataset, mnist
from digitpad.errors import OutputsError, WeightsError
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.open_file import infer_import, open_weights
from digitpad.importers.output_names import class_names_in
from digitpad.weights.native_format import Weights
from tests.unit.importers.strangers import Model, Trained, numbered, save_json, save_npz, save_pickle, train

LETTERS = tuple("ABCDEFGHIJ")
SIX = ("cat", "dog", "bird", "fish", "ant", "bee")


@pytest.fixture(scope="module")
def trained() -> Trained:
    """Return a 784-12-10 network with tanh, trained on digits."""
    return train([784, 12, 10], "tanh")


@pytest.fixture(scope="module")
def six() -> dict[str, Any]:
    """Return the arrays of a network with six outputs."""
    rng = np.random.default_rng(1)
    return {"W1": rng.normal(size=(784, 8)), "b1": np.ones(8), "W2": rng.normal(size=(8, 6)), "b2": np.ones(6)}


def by_letters() -> Dataset:
    """Return the built-in digits with letters as class names, which the trained network can recognise."""
    data = mnist()
    return Dataset("letters", data.training[:1000], data.validation[:500], data.test[:500], "", LETTERS)


FILES: dict[str, Callable[[Path, dict[str, Any]], Path]] = {
    "texts in an npz": lambda p, a: save_npz(p / "a.npz", {**a, "classes": np.array(SIX)}),
    "objects in an npz": lambda p, a: save_npz(p / "a.npz", {**a, "class_names": np.array(SIX, object)}),
    "one text in an npz": lambda p, a: save_npz(p / "a.npz", {**a, "labels": ", ".join(SIX)}),
    "a list in a pickle": lambda p, a: save_pickle(p / "a.pkl", {"model": a, "classes": list(SIX)}),
    "idx_to_class": lambda p, a: save_pickle(p / "a.pkl", {**a, "idx_to_class": dict(enumerate(SIX))}),
    "class_to_idx": lambda p, a: save_pickle(
        p / "a.pkl", {**a, "class_to_idx": {name: i for i, name in enumerate(SIX)}}
    ),
    "scikit-learn's": lambda p, a: save_pickle(
        p / "a.pkl",
        Model(coefs_=[a["W1"], a["W2"]], intercepts_=[a["b1"], a["b2"]], classes_=np.array(SIX)),
    ),
    "pickle protocol 2": lambda p, a: save_pickle(p / "a.pkl", {**a, "target_names": np.array(SIX)}, 2),
    "JSON": lambda p, a: save_json(
        p / "a.json", {"id2label": dict(enumerate(SIX)), **{k: v.tolist() for k, v in a.items()}}
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_names_are_found_in_every_kind_of_file(name: str, six: dict[str, Any], tmp_path: Path) -> None:
    """Class names are read from any format; without data of these classes, the most common convention is chosen."""
    result = infer_import(FILES[name](tmp_path, six))
    assert not result.probe_set.scores
    convention = result.chosen.convention
    assert (convention.activation, convention.scaling, convention.transposed) == ("relu", "x/255", False)
    weights = result.weights()
    assert weights.class_names == SIX
    assert "convention_accuracy" not in weights.about
    weights.save(tmp_path / "ours.npz")
    assert open_weights(tmp_path / "ours.npz").class_names == SIX


@pytest.mark.parametrize(
    "names",
    [
        DIGITS,
        tuple(f"{i} - digit" for i in range(10)),
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ],
)
def test_names_of_digits_become_digits(names: tuple[str, ...], trained: Trained, tmp_path: Path) -> None:
    """Names of the ten digits, as in torchvision's MNIST, become the digits, and candidates are scored."""
    path = save_npz(tmp_path / "a.npz", {**numbered(trained, "W{}", "b{}"), "classes": np.array(names)})
    weights = open_weights(path)
    assert weights.class_names == DIGITS
    assert weights.about["convention_accuracy"] > 0.8


def test_labels_of_samples_are_not_class_names(trained: Trained, tmp_path: Path) -> None:
    """Labels of samples, and lists of a different length, are not used as class names."""
    beside = {"labels": np.arange(100) % 10, "names": np.array(SIX)}
    assert (
        open_weights(save_npz(tmp_path / "a.npz", {**numbered(trained, "W{}", "b{}"), **beside})).class_names == DIGITS
    )


def test_given_class_names_take_precedence(six: dict[str, Any], tmp_path: Path) -> None:
    """Given class names take precedence; if their number differs from the outputs, the error states both numbers."""
    path = save_npz(tmp_path / "a.npz", six)
    assert open_weights(path, class_names=tuple("uvwxyz")).class_names == tuple("uvwxyz")
    with pytest.raises(
        OutputsError, match=r"6 outputs \(W2 \(8 × 6\)\); expected 10, one per digit, or class names"
    ) as caught:
        open_weights(path)
    assert caught.value.n_outputs == 6
    with pytest.raises(OutputsError, match=r"6 outputs .*, but there are 3 class names"):
        open_weights(path, class_names=tuple("abc"))


def test_dataset_of_the_classes_scores_the_candidates(trained: Trained, tmp_path: Path) -> None:
    """A dataset provides the class names and their order, and its images score the candidates."""
    data = by_letters()
    path = save_npz(tmp_path / "a.npz", numbered(trained, "W{}", "b{}"))
    result = infer_import(path, data=data)
    assert result.chosen.convention.activation == "tanh"
    assert result.chosen.accuracy > 0.8
    assert result.probe_set.description == "500 validation images of letters"
    weights: Weights = result.weights()
    assert weights.class_names == LETTERS
    reversed_names = tuple(reversed(LETTERS))
    reversed_network = Trained(
        [trained.weights[0], trained.weights[1][:, ::-1]], [trained.biases[0], trained.biases[1][::-1]]
    )
    path = save_npz(tmp_path / "b.npz", numbered(reversed_network, "W{}", "b{}"))
    assert infer_import(path, class_names=reversed_names, data=data).chosen.accuracy > 0.8


def test_names_of_the_data_outrank_numeric_labels(trained: Trained, tmp_path: Path) -> None:
    """Class names of the data take precedence over numeric labels that scikit-learn stored."""
    arrays = {**numbered(trained, "W{}", "b{}"), "classes_": np.arange(1, 11)}
    path = save_npz(tmp_path / "a.npz", arrays)
    assert open_weights(path, data=by_letters()).class_names == LETTERS
    assert open_weights(path).class_names == tuple(map(str, range(1, 11)))


def test_names_in_the_file_outrank_the_dataset(trained: Trained, tmp_path: Path) -> None:
    """Class names in the file take precedence over a dataset with different classes, which scores no candidates."""
    names = tuple(f"k{i}" for i in range(10))
    path = save_npz(tmp_path / "a.npz", {**numbered(trained, "W{}", "b{}"), "classes": np.array(names)})
    for data in (by_letters(), mnist()):
        result = infer_import(path, data=data)
        assert not result.probe_set.scores
        assert result.weights().class_names == names


@pytest.mark.parametrize(
    "names", [(*DIGITS, *LETTERS), tuple(reversed(DIGITS))], ids=["letters too", "in another order"]
)
def test_built_in_digits_score_networks_with_digits_among_the_classes(
    names: tuple[str, ...], trained: Trained, tmp_path: Path
) -> None:
    """Without data of all classes, candidates are scored on the built-in digits."""
    w, b = trained.weights[1], trained.biases[1]
    last = np.column_stack([w, np.zeros((12, 10))])[:, : len(names)], np.append(b, [-50] * 10)[: len(names)]
    if names[0] != "0":
        last = w[:, ::-1], b[::-1]
    arrays = {"W1": trained.weights[0], "b1": trained.biases[0], "W2": last[0], "b2": last[1]}
    result = infer_import(save_npz(tmp_path / "a.npz", arrays), class_names=names)
    assert result.chosen.convention.activation == "tanh"
    assert result.chosen.accuracy > 0.8
    assert result.weights().class_names == names


def test_dataset_of_other_classes_scores_nothing(six: dict[str, Any], tmp_path: Path) -> None:
    """Candidates are not scored on a dataset with different classes."""
    result = infer_import(save_npz(tmp_path / "a.npz", six), class_names=SIX, data=by_letters())
    assert not result.probe_set.scores


def test_error_states_the_outputs_of_a_convolutional_network(tmp_path: Path) -> None:
    """The error for a convolutional network states its number of outputs."""
    rng = np.random.default_rng(1)
    arrays = {
        "conv.weight": rng.normal(size=(4, 1, 5, 5)),
        "fc.weight": rng.normal(size=(26, 4 * 12 * 12)),
        "fc.bias": np.zeros(26),
    }
    path = save_npz(tmp_path / "a.npz", arrays)
    with pytest.raises(OutputsError, match="has 26 outputs"):
        open_weights(path)
    letters = open_weights(path, class_names=tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    assert letters.network().plan.output_shape == (26,)


def test_parameter_vector_with_other_classes(tmp_path: Path) -> None:
    """A vector of parameters is cut according to the number of class names."""
    n = 784 * 16 + 16 + 16 * 26 + 26
    path = save_npz(tmp_path / "a.npz", {"params": np.random.default_rng(1).normal(size=n)})
    weights = open_weights(path, class_names=tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    assert weights.network().summary() == "784-16-26"


@pytest.mark.parametrize(
    "numbers", [{"class_to_idx.a": 0.5, "class_to_idx.b": 1.0}, {"class_to_idx.a": np.nan, "class_to_idx.b": 0.0}]
)
def test_invalid_class_indices_are_ignored(numbers: dict[str, float]) -> None:
    """Class indices that are not distinct whole numbers are ignored."""
    assert class_names_in(TensorTree(Path("a"), "a pickle", numbers=numbers)) == []


def test_file_with_only_class_names_is_refused(tmp_path: Path) -> None:
    """A file with only class names is refused."""
    with pytest.raises(WeightsError, match="without arrays"):
        open_weights(save_pickle(tmp_path / "a.pkl", {"classes": list(SIX)}))
