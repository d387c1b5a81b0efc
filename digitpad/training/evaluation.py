"""How good a network is on digits it is shown."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from digitpad.datasets.dataset import Digits
from digitpad.nn.losses import CrossEntropy
from digitpad.nn.network import Network

CHUNK = 500
"""Images read at once: large enough for BLAS, small enough that a stop in between takes some milliseconds."""


@dataclass(frozen=True)
class Scores:
    """Share of digits read right, mean cross-entropy, and how many there were."""

    accuracy: float
    loss: float
    n: int


@dataclass(frozen=True)
class Evaluating:
    """A sign of life between two chunks of an evaluation."""

    done: int
    total: int


def evaluate_in_chunks(network: Network, digits: Digits) -> Generator[Evaluating, None, Scores]:
    """Score ``network``, pausing after each chunk; the generator's value is the scores."""
    loss = CrossEntropy()
    total = len(digits)
    n_right, loss_sum = 0, 0.0
    for begin in range(0, total, CHUNK):
        part = digits[begin : begin + CHUNK]
        with np.errstate(over="ignore", invalid="ignore"):  # a network that ran away says so by its loss
            logits = network.forward(part.images)
            n_right += int(np.count_nonzero(logits.argmax(axis=1) == part.labels))
            loss_sum += loss(logits, part.labels)[0] * len(part)
        yield Evaluating(begin + len(part), total)
    return Scores(n_right / total, loss_sum / total, total)


def evaluate(network: Network, digits: Digits) -> Scores:
    """Score ``network`` in one go."""
    chunks = evaluate_in_chunks(network, digits)
    while True:
        try:
            next(chunks)
        except StopIteration as stop:
            scores: Scores = stop.value
            return scores
