import re

import numpy as np
import pytest

from digitpad.evaluation.metrics import Scores
from digitpad.nn.arrays import Floats
from digitpad.nn.layers import Flatten, Linear, ReLU, Rescale
from digitpad.nn.network import Network
from digitpad.training.events import EpochDone, StepDone
from digitpad.training.hints import HintMonitor, dead_share, hints
from digitpad.training.trainer import Trainer
from tests.unit.training.small import small_dataset, small_recipe, steps


def epochs(training: list[float], validation: list[float]) -> list[EpochDone]:
    return [
        EpochDone(n, 40 * n, Scores(0.9, training_loss, 500), Scores(0.9, validation_loss, 500), is_best=False)
        for n, (training_loss, validation_loss) in enumerate(zip(training, validation, strict=True))
    ]


FALLING: Floats = np.geomspace(2.3, 0.1, 500)


@pytest.mark.parametrize(
    ("losses", "scores", "dead", "expected"),
    [
        (FALLING, epochs([2.3, 0.3, 0.2, 0.1, 0.05], [2.3, 0.3, 0.2, 0.15, 0.15]), 0.0, None),
        (FALLING[:50], [], 0.0, None),
        (np.concatenate([FALLING, np.geomspace(0.1, 1.5, 100)]), [], 0.0, "too high: the loss rose from 0.1"),
        (np.full(200, 2.31), [], 0.0, "too low: after 200 steps the loss is 2.31; it started at 2.31"),
        (FALLING, [], 0.45, "45\N{NO-BREAK SPACE}% of the units are never active"),
        (FALLING, epochs([2.3, 0.2, 0.1, 0.02, 0.01], [2.3, 0.2, 0.1, 0.12, 0.16]), 0.0, "epoch 2 .* 0.100 to 0.160"),
        (np.concatenate([FALLING, [np.nan]]), [], 0.0, None),
    ],
)  # fmt: skip
def test_each_problem_gives_a_hint(losses: Floats, scores: list[EpochDone], dead: float, expected: str | None) -> None:
    """Each problem gives one hint with its figure; good training gives none."""
    messages = hints(losses, scores, dead)
    if expected is None:
        assert messages == []
    else:
        (hint,) = messages
        assert re.search(expected, hint), hint


@pytest.mark.parametrize(("rate", "word"), [(3.0, "too high"), (1e-7, "too low"), (0.05, None)])
def test_training_runs_get_the_right_hint(rate: float, word: str | None) -> None:
    """Training gets a hint at a rate that is far too high or too low, and none at a good rate."""
    recipe = small_recipe(optimizer__method="sgd", optimizer__learning_rate=rate, network__hidden=[64, 64])
    trainer = Trainer(recipe, small_dataset())
    losses = np.array([record.loss for record in steps(trainer.train())])
    messages = hints(losses, trainer.history, 0.0)
    assert [str(word) in hint for hint in messages] == ([True] if word else [])


def test_dead_units_are_counted() -> None:
    """A unit with a large negative bias, of four units, counts as a quarter of dead units."""
    network = Network([Rescale(), Flatten(), Linear(4), ReLU(), Linear(10)])
    network.initialize(np.random.default_rng(1))
    images = np.random.default_rng(2).integers(0, 256, (50, 28, 28), np.uint8)
    bias = network.named_parameters()["2.bias"]
    bias[:] = 100
    assert dead_share(network, images) == 0
    bias[1] = -100
    assert dead_share(network, images) == 0.25
    assert dead_share(Network([Rescale(), Flatten(), Linear(10)]), images) == 0


def test_guessing_loss_depends_on_the_number_of_classes() -> None:
    """A loss equal to guessing among 10 classes gives no hint for 62 classes."""
    losses: Floats = np.geomspace(4.13, 2.2, 500)
    assert hints(losses, [], 0.0, 62) == []
    (hint,) = hints(np.full(200, 4.1), [], 0.0, 62)
    assert "too low" in hint


def test_each_kind_of_hint_is_given_once() -> None:
    """A monitor gives a hint for each kind of problem after the epoch in which it is found, and only once."""
    monitor = HintMonitor(Trainer(small_recipe(), small_dataset()))
    given = []
    for epoch in range(1, 5):
        for step in range(60):
            given += monitor.new_hints(StepDone(60 * epoch + step, 2.31, 10))
        given += monitor.new_hints(EpochDone(epoch, 60 * epoch, Scores(0.1, 2.3, 50), Scores(0.1, 2.3, 50), False))
    assert len(given) == 1
    assert "too low: after 120 steps" in given[0]
    assert monitor.found == given
