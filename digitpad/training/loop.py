"""The training loop, as a generator of progress records: who iterates it may look, pause, or stop at any of them."""

import contextlib
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad import blas
from digitpad.datasets.batches import Batches
from digitpad.datasets.dataset import Dataset
from digitpad.errors import DigitpadError
from digitpad.nn.arrays import Floats, Scratch
from digitpad.nn.losses import add_penalty_gradients, clip_by_norm, clip_by_value, softmax
from digitpad.nn.optimizers import Averaged
from digitpad.nn.parallel import DataParallel
from digitpad.training.calibration import fit_temperature, sure_above
from digitpad.training.evaluation import Evaluating, Scores, evaluate_in_chunks, read_in_chunks
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
    """A finished training: the best epoch's weights are restored, and scored on the test set, once.

    Attributes
    ----------
    sure_above : float or None
        The confidence from which an answer is sure, if the recipe asks for calibration.
    """

    best_epoch: int
    epochs: int
    validation: Scores
    test: Scores
    seconds: float
    sure_above: float | None = None


Progress = StepDone | Evaluating | EpochDone | Result


class DivergedError(DigitpadError):
    """Training that ran away: the loss is no longer a number."""


class Trainer:
    """Trains one network by one recipe on one data set.

    Iterate `run` to the end; or abandon it at any record and iterate `conclude`, which scores what was reached.

    Parameters
    ----------
    recipe : Recipe
    dataset : Dataset
    threads : int
        How many may work on a batch; by default as many as BLAS was asked to use. The same number gives the same bits.

    Attributes
    ----------
    network : Network
        The network in training; after `conclude`, with the parameters of the best epoch by validation accuracy.
    n_steps : int
        Steps that the whole training takes, if it is not stopped early.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, threads: int | None = None) -> None:
        self.recipe = recipe
        self._dataset = dataset
        weights_rng, batches_rng = (
            np.random.default_rng(seed) for seed in np.random.SeedSequence(recipe.training.seed).spawn(2)
        )
        self.network = recipe.build_network()
        self._n_threads = _useful_threads(recipe, blas.threads() if threads is None else threads)
        self._parallel = DataParallel(self.network, self._n_threads, recipe.loss.label_smoothing)
        self._parallel.initialize(weights_rng)
        self._batches = Batches(dataset.training, recipe.training.batch_size, batches_rng, recipe.augmentation)
        self.n_steps = recipe.training.epochs * len(self._batches)
        self.step = 0
        self.history: list[EpochDone] = []
        self._optimizer = recipe.build_optimizer(self.network)
        self._averaged = Averaged(recipe.training.average) if recipe.training.average else None
        self._scratch = Scratch()
        self._best_parameters = self.network.parameters.copy()
        self._begin = time.monotonic()
        self._epochs = self._train_epochs()

    def run(self) -> Iterator[Progress]:
        """Score the untrained network, train for all epochs or until it gets no better, then `conclude`.

        Raises
        ------
        DivergedError
            When the loss is not finite; the parameters are by then those of the best epoch so far.
        """
        yield from self.train()
        yield from self.conclude()

    def train(self) -> Iterator[Progress]:
        """The same without the end: the test set is not looked at."""
        self._begin = time.monotonic()
        yield from self._epochs

    def conclude(self) -> Iterator[Progress]:
        """Score what came since the last epoch's end, restore the best parameters, and score those on the test set."""
        self._epochs.close()
        self._parallel.close()  # closing what was never begun ends no thread
        if not self.is_scored:
            yield from self._score_epoch(math.ceil(self.step / len(self._batches)))
        best = self._restore_best()
        validation, sure = best.validation, None
        if self.recipe.training.calibrate and best.epoch > 0:
            sure = yield from self._calibrate()
            validation = yield from evaluate_in_chunks(self.network, self._dataset.validation)
        test = yield from evaluate_in_chunks(self.network, self._dataset.test)
        seconds = time.monotonic() - self._begin
        yield Result(best.epoch, self.history[-1].epoch, validation, test, seconds, sure)

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

    def _train_epochs(self) -> Generator[Progress, None, None]:
        """Every epoch with its scores; closing it ends the threads."""
        with self._parallel, blas.one_thread() if self._n_threads > 1 else contextlib.nullcontext():
            yield from self._score_epoch(0)
            for epoch in range(1, self.recipe.training.epochs + 1):
                for images, labels in self._batches.one_pass():
                    yield StepDone(self.step + 1, self._learn(images, labels), len(labels))
                yield from self._score_epoch(epoch)
                if self._gets_no_better:
                    break

    def _learn(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> float:
        """Take one step, and return the loss before it."""
        parameters, gradients = self.network.parameters, self.network.gradients
        penalties, limits = self.recipe.loss, self.recipe.optimizer
        learning_rate = self.recipe.learning_rate(self.step / len(self._batches))
        loss = self._parallel.learn(images, labels)
        if not math.isfinite(loss):
            self._restore_best()
            raise DivergedError(
                f"the loss is {loss} at step {self.step} with a learning rate of {learning_rate:g}; "
                f"a lower learning rate may help"
            )
        with np.errstate(over="ignore", invalid="ignore"):  # the next loss tells
            if penalties.l1 or penalties.l2:
                weights = self.network.weights()
                add_penalty_gradients(gradients, parameters, weights, penalties.l1, penalties.l2, self._scratch)
            if limits.clip_value:
                clip_by_value(gradients, limits.clip_value)
            if limits.clip_norm:
                clip_by_norm(gradients, limits.clip_norm)
            self._optimizer.step(parameters, gradients, learning_rate)
            if self._averaged is not None:
                self._averaged.update(parameters)
        self.step += 1
        return loss

    @property
    def _gets_no_better(self) -> bool:
        """Whether the recipe's patience is at an end."""
        patience = self.recipe.training.patience
        return bool(patience) and not any(epoch.is_best for epoch in self.history[-patience:])

    def _score_epoch(self, epoch: int) -> Generator[Progress, None, None]:
        sample = self._dataset.training[: len(self._dataset.validation)]
        with self._averaged_parameters() as parameters:
            training = yield from evaluate_in_chunks(self._parallel, sample)
            validation = yield from evaluate_in_chunks(self._parallel, self._dataset.validation)
            done = EpochDone(epoch, self.step, training, validation, is_best=False)
            # A network of which something is no longer a number reads every digit as 0: right once in ten times.
            sound = math.isfinite(validation.loss) and bool(np.isfinite(parameters).all())
            if self.best is None or (sound and _goodness(done) > _goodness(self.best)):
                self._best_parameters[:] = parameters
                done = EpochDone(epoch, self.step, training, validation, is_best=True)
        self.history.append(done)
        yield done

    @contextlib.contextmanager
    def _averaged_parameters(self) -> Iterator[Floats]:
        """The network with its averaged parameters, where the recipe asks for them; afterwards it is as it was."""
        parameters = self.network.parameters
        if self._averaged is None or not self.step:
            yield parameters
            return
        kept = self._scratch("kept", parameters.shape)
        kept[:] = parameters
        parameters[:] = self._averaged.average
        try:
            yield parameters
        finally:
            parameters[:] = kept

    def _calibrate(self) -> Generator[Evaluating, None, float]:
        """Divide the last layer, and so logits, by the temperature that suits validation; when an answer is sure."""
        digits = self._dataset.validation
        logits = yield from read_in_chunks(self.network, digits)
        temperature = fit_temperature(logits, digits.labels)
        for parameter in self.network.layers[-1].parameters.values():
            parameter /= temperature
        self._best_parameters[:] = self.network.parameters
        return sure_above(softmax(logits / temperature).max(axis=1))

    def _restore_best(self) -> EpochDone:
        best = self.best
        assert best is not None, "epoch 0 is always scored"
        self.network.parameters[:] = self._best_parameters
        return best


def _goodness(epoch: EpochDone) -> tuple[float, float]:
    return epoch.validation.accuracy, -epoch.validation.loss


def _useful_threads(recipe: Recipe, threads: int) -> int:
    """Threads that a batch is shared out among; products of dense layers are better shared out within BLAS."""
    convolutional = any(isinstance(word, str) for word in recipe.network.hidden)
    return max(1, min(threads, recipe.training.batch_size // _MIN_SHARE)) if convolutional else 1


_MIN_SHARE = 16
"""Images for which a thread's work outweighs its start."""
