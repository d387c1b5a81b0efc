import numpy as np
import pytest

from digitpad.inspection.pixel_ablation import pixel_contribution, softmax_steps
from digitpad.inspection.trace import Tracer
from digitpad.nn.losses import softmax
from tests.unit.inspection.networks import image, weights

LOGITS = np.array([1.5, -2, 0, 7, 6.9, 0, 0, 0, -100, 3], np.float32)


def test_temperature_one_gives_the_network_s_probabilities() -> None:
    """At temperature 1, the steps lead to the network's own probabilities."""
    steps = softmax_steps(LOGITS)
    np.testing.assert_array_equal(steps.probabilities, softmax(LOGITS[None])[0])
    np.testing.assert_allclose(steps.powers / steps.total, steps.probabilities)
    assert steps.powers.max() == 1


@pytest.mark.parametrize("temperature", [0.1, 3.0, 10.0])
def test_temperature_divides_the_logits(temperature: float) -> None:
    """The logits are divided by the temperature before softmax."""
    np.testing.assert_allclose(
        softmax_steps(LOGITS, temperature).probabilities, softmax(LOGITS[None] / temperature)[0], rtol=1e-4
    )


def test_temperature_of_zero_is_refused() -> None:
    """A temperature of 0 is rejected."""
    with pytest.raises(ValueError, match="above 0"):
        softmax_steps(LOGITS, 0)


def test_contribution_equals_the_effect_of_the_pixel() -> None:
    """The contribution equals the difference between two forward passes; an empty pixel is given full ink."""
    network = Tracer(weights("convolutional")).network
    pixels = image()
    for row, column in (np.argwhere(pixels)[100].tolist(), np.argwhere(pixels == 0)[100].tolist()):
        with_ink, without = pixels.copy(), pixels.copy()
        with_ink[row, column] = pixels[row, column] or 255
        without[row, column] = 0
        contribution = pixel_contribution(network, pixels, row, column)
        expected = network.forward(with_ink[None])[0].copy() - network.forward(without[None])[0]
        np.testing.assert_allclose(contribution.logits, expected, rtol=1e-3, atol=1e-5)
        assert contribution.ink == pixels[row, column]
        assert np.abs(contribution.logits).max() > 0
