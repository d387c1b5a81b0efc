from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from digitpad.ink import perturbations
from digitpad.ink.drawing import Drawing
from digitpad.ink.perturbations import small_changes
from digitpad.ink.raster import rasterize
from digitpad.ink.strokes import Stroke
from digitpad.nn.arrays import Floats
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.recognition.explainer import (
    MAX_DRAWN_STROKES,
    MAX_FINDINGS,
    PRODUCTS_AT_ONCE,
    STEPS,
    Evidence,
    Explainer,
    run_without_pauses,
)
from digitpad.recognition.recognizer import Recognizer
from digitpad.weights.native_format import SHIPPED, Weights, load_weights
from tests.unit.ink.drawings import DIGITS, FOUR_CLOSED, SEVEN_WITH_BAR, TWO_WITH_FOOT, line, picture, pixels


def drawn(paths: list[Floats]) -> Drawing:
    return Drawing(tuple(Stroke(path) for path in paths))


@pytest.fixture(scope="module")
def shipped() -> Weights:
    return load_weights(SHIPPED)


@pytest.fixture(scope="module")
def explainer(shipped: Weights) -> Explainer:
    return Explainer(shipped)


def untrained(hidden: tuple[int | str, ...], **settings: Any) -> Weights:
    network = Network(feedforward(hidden, **settings))
    network.initialize(np.random.default_rng(3))
    network.parameters += np.random.default_rng(4).uniform(0, 0.05, network.parameters.shape)
    return Weights("untrained", network.architecture(), network.parameters)


@pytest.mark.parametrize(
    "weights",
    [
        load_weights(SHIPPED),
        untrained((30,), activation="tanh"),
        untrained(("5x5x8", "pool", "3x3x8", "avgpool", 20), batch_norm=True, padding="same"),
    ],
    ids=lambda weights: weights.network().summary(),
)
@pytest.mark.parametrize("digit", DIGITS)
def test_evidence_adds_up(weights: Weights, digit: int) -> None:
    """The sum of the evidence is the change in the difference of logits, for dense and convolutional networks."""
    image = rasterize(DIGITS[digit])
    ink, blank = weights.network().forward(np.stack([image, np.zeros_like(image)])).astype(float)
    evidence = run_without_pauses(Explainer(weights).weigh(image, 7, 1))
    assert evidence.pixels.shape == (28, 28)
    assert not evidence.pixels[image == 0].any()
    expected = (ink[7] - ink[1]) - (blank[7] - blank[1])
    assert evidence.pixels.sum() == pytest.approx(expected, abs=0.03 * float(np.abs(evidence.pixels).sum()))


def test_evidence_is_computed_in_pieces() -> None:
    """Evidence is computed in pieces, and other work between the pieces does not change the result."""
    explainer = Explainer(untrained(("5x5x32", "pool", "5x5x64", "pool", 128)))
    image, other = rasterize(DIGITS[7]), rasterize(DIGITS[4])
    expected = run_without_pauses(explainer.weigh(image, 7, 1)).pixels
    work = explainer.weigh(image, 7, 1)
    next(work)
    run_without_pauses(explainer.weigh(other, 4, 9))
    np.testing.assert_array_equal(run_without_pauses(work).pixels, expected)


def test_evidence_names_positions() -> None:
    """The description names the positions of the strongest evidence, for screen readers."""
    pixels = np.zeros((28, 28))
    pixels[5, 5], pixels[22, 14] = 2, -1
    evidence = Evidence(7, 1, np.zeros((28, 28), np.uint8), pixels)
    assert evidence.description == "The ink at the top left most supports 7, the ink at the bottom suggests 1"
    assert Evidence(7, 1, evidence.image, pixels * 0).description == "No ink supports either"


@pytest.mark.parametrize(
    ("paths", "digit", "change"),
    [
        (DIGITS[2], 7, "shorter foot"),
        (DIGITS[7], 1, "shorter bar at the top"),
        (TWO_WITH_FOOT, 7, "without the foot"),
        (FOUR_CLOSED, 1, "bar"),
    ],
    ids=["2", "7", "2 with a foot", "4"],
)
def test_findings_of_known_drawings(explainer: Explainer, paths: list[Floats], digit: int, change: str) -> None:
    """The changes that turn these digits into other digits are found and described."""
    findings = run_without_pauses(explainer.search(drawn(paths)))
    assert findings is not None
    assert any(finding.digit == digit and change in finding.change for finding in findings), findings
    assert all(" it would be a" in str(finding) for finding in findings)
    assert [finding.size for finding in findings] == sorted(finding.size for finding in findings)
    assert len(findings) <= MAX_FINDINGS


@pytest.mark.parametrize("digit", DIGITS)
def test_findings_are_correct_and_minimal(shipped: Weights, explainer: Explainer, digit: int) -> None:
    """Each finding is correct, and no smaller change of the same part changes the prediction."""
    recognizer = Recognizer(shipped)
    findings = run_without_pauses(explainer.search(drawn(DIGITS[digit])))
    assert findings is not None
    changes = list(small_changes(DIGITS[digit]))
    for finding in findings:
        (match,) = [change for change in changes if (change.words, change.size) == (finding.change, finding.size)]
        prediction = recognizer.read_paths(match.paths)
        assert prediction is not None
        assert prediction.sure
        assert prediction.digit == finding.digit != digit
        for smaller in (change for change in changes if change.part == match.part and change.size < match.size):
            prediction = recognizer.read_paths(smaller.paths)
            assert prediction is not None
            assert prediction.digit == digit or not prediction.sure


def test_changes_that_make_the_prediction_sure_are_found(shipped: Weights) -> None:
    """For an unsure prediction, changes that make it sure are found."""
    recognizer = Recognizer(shipped)
    paths = [line((130, 380), (240, 90), (240, 390))]  # with a flag as long as the stem
    drawing = drawn(paths)
    before = recognizer.read(drawing)
    assert before is not None
    after = [recognizer.read_paths(change.paths) for change in small_changes(paths)]
    best = max(prediction.confidence for prediction in after if prediction is not None)
    assert best > before.confidence
    threshold = (before.confidence + best) / 2
    findings = run_without_pauses(Explainer(replace(shipped, about={"sure_above": threshold})).search(drawing))
    assert findings
    assert " it would clearly be a" in str(findings[0])


def test_image_and_empty_pad_have_no_findings(explainer: Explainer) -> None:
    """Without strokes, or with strokes on an image, the search returns None."""
    image = Drawing.from_pixels(pixels(1 - picture(DIGITS[7])))
    assert run_without_pauses(explainer.search(Drawing())) is None
    assert run_without_pauses(explainer.search(image)) is None
    assert run_without_pauses(explainer.search(image.with_stroke(Stroke(SEVEN_WITH_BAR[1])))) is None


def test_dot_has_no_findings(explainer: Explainer) -> None:
    """A dot has no smaller variant, so nothing is found."""
    assert run_without_pauses(explainer.search(drawn([line((200, 200))]))) == ()


@pytest.mark.parametrize("explained", ["shipped", ("5x5x32", "pool", "5x5x64", "pool", 128), ("5x5x64", "5x5x64")])
def test_work_of_a_piece_is_limited(
    shipped: Weights, explained: tuple[int | str, ...] | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is at most one image or gap, or a limited number of products, for any network and drawing."""
    explainer = Explainer(shipped if isinstance(explained, str) else untrained(explained))
    network = explainer._network
    calls: dict[str, int] = Counter()

    def counted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any) -> Any:
            calls[name] += len(arguments[0]) if name in PRODUCTS_AT_ONCE else 1
            return work(*arguments)

        return count

    monkeypatch.setattr("digitpad.recognition.explainer.rasterize", counted("image", rasterize))
    for name in ("_end_part", "_across"):
        monkeypatch.setattr(perturbations, name, counted("part", getattr(perturbations, name)))
    monkeypatch.setattr(network, "predict", counted("reading", network.predict))
    monkeypatch.setattr(network, "input_gradient", counted("weighing", network.input_gradient))
    total: dict[str, int] = Counter()
    rng = np.random.default_rng(0)
    large = drawn([rng.uniform(200, 260, 2) + np.cumsum(rng.uniform(-9, 9, (12, 2)), axis=0) for _ in range(12)])
    for work in (explainer.search(large), explainer.weigh(rasterize(DIGITS[7]), 7, 1)):
        for _ in work:
            assert calls["image"] + calls["part"] <= 1
            for name, limit in PRODUCTS_AT_ONCE.items():
                assert calls[name] <= max(1, limit / network.plan.n_products)
            total.update(calls)
            calls.clear()
    assert total["weighing"] == STEPS
    assert 20 < total["reading"] == total["image"] < 100


@pytest.mark.parametrize(("n_strokes", "n_points"), [(MAX_DRAWN_STROKES + 1, 2), (1, 60), (20, 60)])
def test_scribble_has_no_findings(
    explainer: Explainer, n_strokes: int, n_points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scribble, with more strokes or ink than any digit, is not rasterised and has no findings."""
    scribble = drawn(list(np.random.default_rng(0).uniform(0, 480, (n_strokes, n_points, 2))))
    monkeypatch.delattr("digitpad.recognition.explainer.rasterize")
    assert run_without_pauses(explainer.search(scribble)) == ()
