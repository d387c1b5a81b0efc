from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitpad.inspection.trace import Tracer
from digitpad.inspection.weight_edits import WeightEdits, n_weights
from digitpad.weights.native_format import load_weights
from tests.unit.inspection.networks import LAYERS, image, weights


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "none hidden"])
@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
def test_a_factor_is_on_what_the_next_block_hears(name: str, factor: float) -> None:
    """The edited network gives what the other gives when that unit's output is multiplied by hand."""
    plain = weights(name)
    tracer = Tracer(plain)
    pixels = image()
    trace = tracer.trace(pixels)
    for place, block in enumerate(tracer.blocks[1:-1], start=1):
        unit = block.n_units - 1
        edited = WeightEdits().with_factor(place, unit, factor).apply(plain)
        by_hand = trace.of(block).copy()
        by_hand[unit] *= factor
        x = by_hand.transpose(1, 2, 0)[:, None] if block.has_maps else by_hand[None]
        for layer in tracer.network.layers[block.shown + 1 :]:
            x = layer.forward(np.ascontiguousarray(x), False)
        np.testing.assert_allclose(Tracer(edited).trace(pixels).logits, x[0], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(plain.parameters, weights(name).parameters)


def test_as_many_weights_are_pruned_as_were_asked_for() -> None:
    """The smallest of the whole network, and no bias and no norm."""
    plain = weights("convolutional")
    network = plain.network()
    sizes = np.abs(np.concatenate([network.parameters[part] for part in network.weights()]))
    after = WeightEdits(pruned=0.3).apply(plain).network()
    kept = np.concatenate([after.parameters[part] for part in after.weights()])
    n, n_kept = n_weights(after)
    assert (n, n_kept) == (len(sizes), len(sizes) - int(0.3 * len(sizes)))
    assert sizes[kept == 0].max() <= sizes[kept != 0].min()
    others = np.ones(len(plain.parameters), bool)
    for part in network.weights():
        others[part] = False
    np.testing.assert_array_equal(after.parameters[others], plain.parameters[others])


@pytest.mark.parametrize("bits", [8, 4])
def test_quantised_weights_are_few_numbers_near_to_what_they_were(bits: int) -> None:
    """Each unit's are multiples of one step, as many as there is room for, and none moves by more than half of it."""
    plain = weights("convolutional")
    after = WeightEdits(bits=bits).apply(plain)
    levels = 2 ** (bits - 1) - 1
    for one, other in zip(plain.network().layers, after.network().layers, strict=True):
        for name in one.weights:
            before, now = (
                layer.parameters[name].reshape(-1, layer.parameters[name].shape[-1]) for layer in (one, other)
            )
            step = np.abs(before).max(axis=0) / levels
            assert (np.abs(now - before) <= step * 0.501).all()
            multiples = now / step
            np.testing.assert_allclose(multiples, np.rint(multiples), atol=1e-3)
            assert np.abs(multiples).max() <= levels + 1e-3


def test_edits_come_together_and_quantising_last() -> None:
    """Of all three, the weights that are saved are of so few bits, and a unit that is off stays off."""
    plain = weights("dense")
    after = WeightEdits(0.5, bits=4).with_factor(1, 2, 0).with_factor(1, 3, 0.7).apply(plain).network()
    weight = after.layers[4].parameters["weight"]
    assert (weight[2] == 0).all()
    assert all(len(np.unique(column)) <= 15 for column in weight.T)


def test_edited_weights_say_so_and_keep_no_score(tmp_path: Path) -> None:
    """They are saved and loaded as any others, with what was done; a second edit is added to the first."""
    once = WeightEdits(0.25, bits=8).with_factor(1, 2, 0.5).apply(weights("dense"))
    assert once.name == "random-edited.npz"
    assert once.test_accuracy is None
    assert once.confidence_threshold == 0.7
    once.save(tmp_path / "edited.npz")
    loaded = load_weights(tmp_path / "edited.npz")
    np.testing.assert_array_equal(loaded.parameters, once.parameters)
    (edit,) = loaded.about["edited"]
    assert (edit["from"], edit["pruned"], edit["bits"]) == ("random.npz", 0.25, 8)
    assert edit["factors"] == [{"layer": 2, "unit": 2, "by": 0.5}]
    twice = WeightEdits(bits=4).apply(loaded)
    assert [one["bits"] for one in twice.about["edited"]] == [8, 4]
    assert WeightEdits(bits=4).apply(once).name == "random-edited.npz"


def test_edited_weights_know_the_same_classes() -> None:
    """By their names, whatever was done to them."""
    plain = replace(weights("dense"), class_names=tuple("abcdefghij"))
    assert WeightEdits(bits=4).apply(plain).class_names == plain.class_names


def test_no_edit_is_the_same_weights() -> None:
    """Also after one that was put back."""
    plain = weights("dense")
    assert WeightEdits().apply(plain) is plain
    assert WeightEdits().with_factor(1, 2, 0).with_factor(1, 2, 1) == WeightEdits()


def test_edits_are_told_in_words() -> None:
    """By the names of their blocks."""
    surgery = WeightEdits(0.5, bits=4).with_factor(1, 3, 0).with_factor(3, 2, 1.5)
    assert surgery.said(Tracer(weights("convolutional")).blocks) == [
        "50 % of the weights pruned",
        "Convolution 1, map 3 off",
        "Dense 1, unit 2 × 1.5",
        "Weights of 4 bits",
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: WeightEdits(pruned=1.0),
        lambda: WeightEdits(pruned=-0.1),
        lambda: WeightEdits(bits=3),
        lambda: WeightEdits().with_factor(0, 0, 0).apply(weights("dense")),
        lambda: WeightEdits().with_factor(3, 0, 0).apply(weights("dense")),
        lambda: WeightEdits().with_factor(1, 7, 0).apply(weights("dense")),
    ],
)
def test_what_cannot_be_edited_is_refused(make: object) -> None:
    """No input, no output, no unit that is not there, and no share or bits that cannot be."""
    with pytest.raises(ValueError, match=r"pruned|bits|unit"):
        make()  # type: ignore[operator]
