import math

import numpy as np
import pytest

from digitpad.inspection.arithmetic import format_value, outgoing_terms, work_out
from digitpad.inspection.trace import Tracer
from tests.unit.inspection.networks import LAYERS, image, weights


@pytest.mark.parametrize("name", LAYERS)
def test_terms_and_steps_lead_to_the_activation(name: str) -> None:
    """For elements of every block, terms and bias add up to the sum, and the steps lead to the activation."""
    tracer = Tracer(weights(name))
    trace = tracer.trace(image())
    rng = np.random.default_rng(2)
    for block_index, block in enumerate(tracer.blocks[1:], start=1):
        for _ in range(20):
            position = tuple(int(rng.integers(side)) for side in block.shape)
            arithmetic = work_out(tracer, trace, block_index, position)
            assert arithmetic.value == pytest.approx(float(trace.of(block)[position]), rel=1e-4, abs=1e-5)
            before = trace.of(tracer.blocks[block_index - 1])
            np.testing.assert_array_equal(arithmetic.inputs, before[tuple(arithmetic.sources.T)])
            sums = trace.outputs[block.begin]
            assert np.isclose(sums, arithmetic.sum, rtol=1e-4, atol=1e-5).any()


@pytest.mark.parametrize("name", ["convolutional", "dense with norm", "leaky", "imported"])
def test_formulas_give_their_values(name: str) -> None:
    """Evaluating the formula of each step gives its value."""
    tracer = Tracer(weights(name))
    trace = tracer.trace(image())
    seen = set()
    for place in range(1, len(tracer.blocks) - 1):
        shape = tracer.blocks[place].shape
        for unit in range(shape[0]):
            for step in work_out(tracer, trace, place, (unit, *(side // 2 for side in shape[1:]))).steps:
                seen.add(step.name)
                formula = step.formula.replace("−", "-").replace("×", "*")
                if "√" in formula:
                    before, after = formula.split("√")
                    spread, rest = after.split(" ", 1)
                    formula = f"{before} math.sqrt({spread}) {rest}"
                value = eval(formula, {"math": math, "max": max, "exp": math.exp})
                assert value == pytest.approx(step.value, rel=0.02, abs=0.01), step
    assert len(seen) >= 2 or name == "leaky"


def test_terms_are_sorted_by_size() -> None:
    """Terms are sorted by decreasing absolute value."""
    tracer = Tracer(weights("dense"))
    arithmetic = work_out(tracer, tracer.trace(image()), 2, (3,))
    sizes = np.abs(arithmetic.products[arithmetic.by_size()])
    assert (np.diff(sizes) <= 0).all()
    np.testing.assert_allclose(arithmetic.by_unit(7).sum() + arithmetic.bias, arithmetic.sum)


@pytest.mark.parametrize("name", ["dense", "convolutional", "padded", "leaky", "norm after rows"])
def test_outgoing_terms_equal_the_effect_of_removing_the_unit(name: str) -> None:
    """Outgoing terms equal the change in the next block without the unit, for dense layers and convolutions."""
    tracer = Tracer(weights(name))
    trace = tracer.trace(image())
    for place, (block, following) in enumerate(zip(tracer.blocks[1:], tracer.blocks[2:], strict=False), start=1):
        for unit in range(block.n_units):
            parts = []
            shape = (
                following.shape if len(tracer.network.layers[following.begin].parameters["weight"].shape) == 2 else None
            )
            if shape is not None:
                for other in range(following.n_units):
                    arithmetic = work_out(tracer, trace, place + 1, (other,))
                    parts.append(arithmetic.by_unit(block.n_units)[unit])
            else:
                ablated = trace.of(block).copy()
                ablated[unit] = 0
                layer = tracer.network.layers[following.begin]
                batch = np.stack([trace.of(block), ablated]).transpose(2, 0, 3, 1)
                with_unit, without = layer.forward(np.ascontiguousarray(batch), False).transpose(1, 3, 0, 2)
                parts = (with_unit - without).mean(axis=(1, 2)).tolist()
            np.testing.assert_allclose(outgoing_terms(tracer, trace, place, unit), parts, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1.23456, "1.235"), (-0.0412, "−0.041"), (0.00041, "0.00041"), (-0.5, "−0.500"),
     (123.456, "123.5"), (12345.6, "12346"), (2.5e7, "2.5e7"),
     (-3e-6, "−3e−6"), (math.inf, "inf"), (math.nan, "nan")],
)  # fmt: skip
def test_numbers_are_short(value: float, text: str) -> None:
    """Numbers have about four significant digits and a true minus sign."""
    assert format_value(value) == text
