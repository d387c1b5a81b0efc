"""The training loop, as a generator of progress records: who iterates it may look, pause, or stop at any of them."""

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.batches import Batches
from digitpad.datasets.dataset import Dataset
from digitpad.errors import DigitpadError
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import CrossEntropy
from digitpad.training.evaluation import Evaluating, Scores, evaluate_in_chunks
from digitpad.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class StepDone:
    """A batch was learnt from; ``loss`` is that of the batch before the step."""

    step: int
    loss: float
    n_images: int


@dataclass(frozen=True)
class EpochDone:
    """A pass is over, or as epoch 0 the first about to begin: scores on validation, and on as many training digits."""

    epoch: int
    step: int
    training: Scores
    validation: Scores
    is_best: bool


@dataclass(frozen=True)
class Result:
    """A finished training: the best epoch's weights are restored, and scored on the test set, once."""

    best_epoch: int
    epochs: int
    validation: Scores
    test: Scores
    seconds: float


Progress = StepDone | Evaluating | EpochDone | Result


class DivergedError(DigitpadError):
    """Training that ran away: the loss is no longer a number."""


class Trainer:
    """Trains one network by one recipe on one data set.

    Iterate `run` to the end; or abandon it at any record and iterate `conclude`, which scores what was reached.

    Attributes
    ----------
    network : Network
        The network in training; after `conclude`, with the parameters of the best epoch by validation accuracy.
    n_steps : int
        Steps that the whole training takes.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset) -> None:
        self.recipe = recipe
        self._dataset = dataset
        weights_rng, batches_rng = (
            np.random.default_rng(seed) for seed in np.random.SeedSequence(recipe.training.seed).spawn(2)
        )
        self.network = recipe.build_network()
        self.network.initialize(weights_rng)
        self._batches = Batches(dataset.training, recipe.training.batch_size, batches_rng, recipe.augmentation)
        self.n_steps = recipe.training.epochs * len(self._batches)
        self.step = 0
        self.history: list[EpochDone] = []
        self._loss = CrossEntropy()
        self._optimizer = recipe.build_optimizer()
        self._best_parameters = self.network.parameters.copy()
        self._begin = time.monotonic()

    def run(self) -> Iterator[Progress]:
        """Score the untrained network, train for all epochs, then `conclude`.

        Raises
        ------
        DivergedError
            When the loss is not finite; the parameters are by then those of the best epoch so far.
        """
        self._begin = time.monotonic()
        yield from self._score_epoch(0)
        for epoch in range(1, self.recipe.training.epochs + 1):
            for images, labels in self._batches.one_pass():
                yield StepDone(self.step + 1, self._learn(images, labels), len(labels))
            yield from self._score_epoch(epoch)
        yield from self.conclude()

    def conclude(self) -> Iterator[Progress]:
        """Score what came since the last epoch's end, restore the best parameters, and score those on the test set."""
        if not self.is_scored:
            yield from self._score_epoch(math.ceil(self.step / len(self._batches)))
        best = self._restore_best()
        test = yield from evaluate_in_chunks(self.network, self._dataset.test)
        seconds = time.monotonic() - self._begin
        yield Result(best.epoch, self.history[-1].epoch, best.validation, test, seconds)

    @property
    def best(self) -> EpochDone | None:
        """The best epoch so far by validation accuracy; of equals, the one with the lower loss."""
        return next((epoch for epoch in reversed(self.history) if epoch.is_best), None)

    @property
    def is_scored(self) -> bool:
        """Whether no step was taken since the last score on validation."""
        return bool(self.history) and self.history[-1].step == self.step

    @property
    def best_parameters(self) -> Floats:
        """A copy of the parameters at the end of the best epoch so far."""
        return self._best_parameters.copy()

    def read(self, image: NDArray[np.uint8]) -> Floats:
        """Probabilities, shape (10,), that the network in training gives one image; only between two records."""
        probabilities: Floats = self.network.predict(image[None])[0]
        return probabilities

    def _learn(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> float:
        """Take one step, and return the loss before it."""
        learning_rate = self.recipe.learning_rate(self.step / self.n_steps)
        with np.errstate(over="ignore", invalid="ignore"):  # the loss tells, and what is told is an error of ours
            loss, dlogits = self._loss(self.network.forward(images, training=True), labels)
            if not math.isfinite(loss):
                self._restore_best()
                raise DivergedError(
                    f"the loss is {loss} at step {self.step} with a learning rate of {learning_rate:g}; "
                    f"a lower learning rate may help"
                )
            self.network.backward(dlogits)
            self._optimizer.step(self.network.parameters, self.network.gradients, learning_rate)
        self.step += 1
        return loss

    def _score_epoch(self, epoch: int) -> Generator[Progress, None, None]:
        sample = self._dataset.training[: len(self._dataset.validation)]
        training = yield from evaluate_in_chunks(self.network, sample)
        validation = yield from evaluate_in_chunks(self.network, self._dataset.validation)
        done = EpochDone(epoch, self.step, training, validation, is_best=False)
        # A network of which something is no longer a number reads every digit as 0: right once in ten times.
        sound = math.isfinite(validation.loss) and bool(np.isfinite(self.network.parameters).all())
        if self.best is None or (sound and _goodness(done) > _goodness(self.best)):
            self._best_parameters[:] = self.network.parameters
            done = EpochDone(epoch, self.step, training, validation, is_best=True)
        self.history.append(done)
        yield done

    def _restore_best(self) -> EpochDone:
        best = self.best
        assert best is not None, "epoch 0 is always scored"
        self.network.parameters[:] = self._best_parameters
        return best


def _goodness(epoch: EpochDone) -> tuple[float, float]:
    return epoch.validation.accuracy, -epoch.validation.loss
