from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from digitpad.class_names import default_names, parse_names
from digitpad.datasets.dataset import mnist
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.ink.drawing import Drawing
from digitpad.nn.feedforward import feedforward
from digitpad.nn.losses import NONE
from digitpad.nn.network import Network
from digitpad.recognition import memory as memory_module
from digitpad.recognition.memory import CorrectionMemory, feature_places, forward_with_features
from digitpad.recognition.recognizer import Recognizer
from digitpad.weights.native_format import SHIPPED, Weights, load_weights
from tests.unit.ink.drawings import DIGITS


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights(SHIPPED)


def odd(label: int, shape: int = 7, tilt: float = 0.0, time: str = "") -> OwnDigit:
    """Return the drawing of a digit, labelled as another digit."""
    turn = np.array([[1.0, 0], [tilt, 1]])
    return OwnDigit(label, tuple(path @ turn for path in DIGITS[shape]), time=time)


def answer(recognizer: Recognizer, drawing: OwnDigit) -> int:
    prediction = recognizer.read_paths(drawing.paths)
    assert prediction is not None
    return prediction.digit


def test_corrected_drawing_is_read_as_corrected(weights: Weights) -> None:
    """After one correction, the same drawing and a slightly tilted one are read as corrected; others are unchanged."""
    recognizer = Recognizer(weights)
    assert answer(recognizer, odd(3)) == 7
    recognizer.memory = CorrectionMemory(weights, [odd(3)])
    assert recognizer.memory.n_corrections == 1
    assert [answer(recognizer, odd(3, tilt=tilt)) for tilt in (0, 0.03)] == [3, 3]
    assert [answer(recognizer, odd(digit, digit)) for digit in (0, 2, 4)] == [0, 2, 4]


def test_labelled_drawing_makes_the_answer_sure(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that was not sure is sure for drawings like a labelled one, and for no others."""
    monkeypatch.setattr(Weights, "confidence_threshold", 1.1)  # the network alone is never sure
    recognizer = Recognizer(weights, CorrectionMemory(weights, [odd(7), odd(3, shape=2)]))
    read = {shape: recognizer.read_paths(odd(0, shape).paths) for shape in (7, 2, 0)}
    assert [(each.digit, each.sure) for each in read.values() if each] == [(7, True), (3, True), (0, False)]
    scribble = CorrectionMemory(weights, [odd(NONE)])
    prediction = Recognizer(weights, scribble).read_paths(odd(0).paths)
    assert prediction is not None
    assert not prediction.sure


def test_answer_says_which_correction_changed_it(weights: Weights) -> None:
    """The prediction names the corrected drawing, its date, and the network's own prediction."""
    drawing = odd(3, time="2020-03-03T10:00:00+01:00")
    prediction = Recognizer(weights, CorrectionMemory(weights, [drawing])).read_paths(drawing.paths)
    alone = Recognizer(weights).read_paths(drawing.paths)
    assert prediction is not None
    assert alone is not None
    assert prediction.correction is not None
    assert (prediction.correction.id, prediction.correction.network_digit) == (drawing.id, 7)
    assert prediction.correction.said == "as you corrected on 3 March 2020"
    assert prediction.correction.distance == pytest.approx(0, abs=1e-5)
    assert prediction.ranking[0] == prediction.digit == 3
    assert prediction.confidence == pytest.approx(alone.confidence, rel=1e-4)
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
    assert replace(prediction.correction, date=None).said == "as you corrected"
    now = datetime.now().astimezone()
    assert replace(prediction.correction, date=now).said.endswith(now.strftime("%B"))


def test_memory_without_a_correction_changes_nothing(weights: Weights) -> None:
    """Drawings that the network reads correctly do not change any prediction."""
    memory = CorrectionMemory(weights, [odd(digit, digit) for digit in DIGITS])
    assert memory.n_corrections == 0
    for image in mnist().test.images[:50]:
        drawing = Drawing.from_sample(image)
        with_memory, without = Recognizer(weights, memory).read(drawing), Recognizer(weights).read(drawing)
        assert with_memory is not None
        assert without is not None
        assert with_memory.correction is None
        assert with_memory.probabilities == without.probabilities


def test_nearest_correct_drawing_outranks_corrections(weights: Weights) -> None:
    """If the nearest drawing was read correctly, corrections further away are ignored."""
    wrong, right = odd(3, tilt=0.06), odd(7)
    recognizer = Recognizer(weights, CorrectionMemory(weights, [wrong]))
    assert answer(recognizer, right) == 3
    recognizer.memory = CorrectionMemory(weights, [wrong, right])
    assert answer(recognizer, right) == 7
    assert answer(recognizer, wrong) == 3


def test_correction_to_no_digit_makes_the_answer_unsure(weights: Weights) -> None:
    """A correction to "not a digit" makes the answer not sure, and keeps the network's probabilities."""
    drawing = odd(NONE)
    assert Recognizer(weights).read_paths(drawing.paths).sure  # type: ignore[union-attr]
    prediction = Recognizer(weights, CorrectionMemory(weights, [drawing])).read_paths(drawing.paths)
    assert prediction is not None
    assert (prediction.digit, prediction.sure) == (7, False)
    assert prediction.correction is not None
    assert prediction.correction.label == NONE


def test_memory_can_be_switched_off_and_cleared(weights: Weights) -> None:
    """With the memory off or cleared, the network's own prediction is returned."""
    recognizer = Recognizer(weights, CorrectionMemory(weights, [odd(3)]))
    assert recognizer.memory is not None
    recognizer.memory.is_on = False
    assert answer(recognizer, odd(3)) == 7
    recognizer.memory.is_on = True
    assert answer(recognizer, odd(3)) == 3
    recognizer.memory.clear()
    assert answer(recognizer, odd(3)) == 7
    recognizer.memory.add([odd(3)])
    assert answer(recognizer, odd(3)) == 3
    assert CorrectionMemory(weights, [replace(odd(3), is_forgotten=True)]).n_corrections == 0


def test_memory_works_only_for_its_network(weights: Weights) -> None:
    """A recogniser of another network ignores the memory; a new memory of the same drawings works with it."""
    dense = load_weights(SHIPPED.with_name("dense.npz"))
    recognizer = Recognizer(dense, CorrectionMemory(weights, [odd(3)]))
    assert answer(recognizer, odd(3)) == 7
    recognizer.memory = CorrectionMemory(dense, [odd(3)])
    assert answer(recognizer, odd(3)) == 3


def test_latest_corrections_are_kept(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit, correctly read drawings are dropped first, then the oldest corrections."""
    monkeypatch.setattr(memory_module, "MAX_REMEMBERED", 3)
    memory = CorrectionMemory(weights, [odd(3), odd(7), odd(1, 4), odd(7, tilt=0.1)])
    assert memory.n_corrections == 2
    memory.add([odd(5, 2), odd(8, 0)])
    assert memory.n_corrections == 3
    assert answer(Recognizer(weights, memory), odd(3)) == 7  # the oldest correction was dropped
    assert answer(Recognizer(weights, memory), odd(8, 0)) == 8


def test_memory_of_a_network_of_letters_is_empty() -> None:
    """A network with other classes has no corrections."""
    network = Network(feedforward([8], "relu", "auto", n_classes=26))
    network.initialize(np.random.default_rng(1))
    letters = parse_names(default_names(26))
    letter_weights = Weights("letters", network.architecture(), network.parameters, {}, letters)
    assert CorrectionMemory(letter_weights, [odd(3)]).n_corrections == 0


@pytest.mark.parametrize("hidden", [(), (16,), (16, 8), ("3x3x2", "pool"), ("3x3x2", 8)], ids=str)
def test_features_of_any_network(hidden: tuple[int | str, ...]) -> None:
    """Features have length 1, and the returned logits are those of the network."""
    network = Network(feedforward(hidden, "relu", "auto"))
    network.initialize(np.random.default_rng(1))
    images = mnist().test.images[:3]
    logits, features = forward_with_features(network, images, feature_places(network))
    np.testing.assert_array_equal(logits.copy(), network.forward(images))
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    alone = forward_with_features(network, images[1:2], feature_places(network))[1]
    np.testing.assert_allclose(alone[0], features[1], atol=1e-5)
