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
def test_factor_multiplies_the_unit_s_output(name: str, factor: float) -> None:
    """Edited weights give the same logits as multiplying the unit's output directly."""
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


def test_requested_number_of_weights_is_pruned() -> None:
    """The smallest weights of the network become 0; biases and normalisation parameters do not change."""
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
def test_quantised_weights_are_close_multiples_of_a_step(bits: int) -> None:
    """Quantised weights are multiples of a step per unit, and no weight changes by more than half a step."""
    plain = weights("convolutional")
    after = WeightEdits(bits=bits).apply(plain)
    levels = 2 ** (bits - 1) - 1
    for old_layer, new_layer in zip(plain.network().layers, after.network().layers, strict=True):
        for name in old_layer.weights:
            before, now = (
                layer.parameters[name].reshape(-1, layer.parameters[name].shape[-1]) for layer in (old_layer, new_layer)
            )
            step = np.abs(before).max(axis=0) / levels
            assert (np.abs(now - before) <= step * 0.501).all()
            multiples = now / step
            np.testing.assert_allclose(multiples, np.rint(multiples), atol=1e-3)
            assert np.abs(multiples).max() <= levels + 1e-3


def test_edits_can_be_combined() -> None:
    """With all edits combined, weights have few distinct values, and a switched-off unit stays off."""
    plain = weights("dense")
    after = WeightEdits(0.5, bits=4).with_factor(1, 2, 0).with_factor(1, 3, 0.7).apply(plain).network()
    weight = after.layers[4].parameters["weight"]
    assert (weight[2] == 0).all()
    assert all(len(np.unique(column)) <= 15 for column in weight.T)


def test_edited_weights_record_edits_without_scores(tmp_path: Path) -> None:
    """Edited weights record each edit, have no scores, and can be saved, loaded and edited again."""
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
    assert [edit["bits"] for edit in twice.about["edited"]] == [8, 4]
    assert WeightEdits(bits=4).apply(once).name == "random-edited.npz"


def test_edited_weights_keep_their_classes() -> None:
    """Edited weights keep their class names."""
    plain = replace(weights("dense"), class_names=tuple("abcdefghij"))
    assert WeightEdits(bits=4).apply(plain).class_names == plain.class_names


def test_default_edits_change_nothing() -> None:
    """Default edits return the same weights, also after an edit was reset."""
    plain = weights("dense")
    assert WeightEdits().apply(plain) is plain
    assert WeightEdits().with_factor(1, 2, 0).with_factor(1, 2, 1) == WeightEdits()


def test_edits_are_described() -> None:
    """Each edit is described with the name of its block."""
    edits = WeightEdits(0.5, bits=4).with_factor(1, 3, 0).with_factor(3, 2, 1.5)
    assert edits.descriptions(Tracer(weights("convolutional")).blocks) == [
        "50\N{NO-BREAK SPACE}% of weights pruned",
        "Convolution 1, map 3 off",
        "Dense 1, unit 2 × 1.5",
        "4 bits per weight",
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
def test_invalid_edits_are_refused(make: object) -> None:
    """Edits of the input, the output or a missing unit, and invalid shares or bits, are rejected."""
    with pytest.raises(ValueError, match=r"pruned|bits|unit"):
        make()  # type: ignore[operator]
