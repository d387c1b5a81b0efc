"""Tests of the rules that choose among scored conventions."""

import pytest

from digitpad.importers.inference.best_convention import DENSE_RULE, IMAGE_RULE, Rule, most_common
from digitpad.importers.inference.conventions import Candidate, Convention
from digitpad.importers.inference.stated_search import likeliest
from digitpad.importers.layout.structure import NetworkStructure

NORMALISED = "(x/255 - 0.1307)/0.3081"


def candidate(scaling: str, cost: float, accuracy: float, loss: float) -> Candidate:
    return Candidate(Convention("relu", scaling, ""), accuracy, cost, NetworkStructure((), (), ""), loss=loss)


@pytest.mark.parametrize(("losses", "chosen"), [((0.2, 0.15), NORMALISED), ((1.0, 0.6), "x/255")])
def test_loss_of_an_overconfident_network_is_ignored(losses: tuple[float, float], chosen: str) -> None:
    """A lower loss makes a scaling likelier, but not that of a network trained with a softmax inside its loss."""
    candidates = [candidate("x/255", 0.0, 0.95, losses[0]), candidate(NORMALISED, 1.1, 0.953, losses[1])]
    assert likeliest(candidates).convention.scaling == chosen


@pytest.mark.parametrize(("rule", "chosen"), [(DENSE_RULE, "x/255"), (IMAGE_RULE, NORMALISED)])
def test_convolutions_get_a_narrower_margin(rule: Rule, chosen: str) -> None:
    """A normalisation that is a point better is chosen for a convolutional network only."""
    candidates = [candidate("x/255", 0.0, 0.97, 0.1), candidate(NORMALISED, 1.1, 0.98, 0.1)]
    assert most_common(candidates, rule).convention.scaling == chosen
