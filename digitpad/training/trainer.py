"""The training loop, as a generator of progress records: who iterates it may look, pause, or stop at any of them."""

import contextlib
import dataclasses
import itertools
import math
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.augmentation.augment import Augmentation
from digitpad.datasets.batches import Batches
from digitpad.datasets.dataset import Dataset
from digitpad.errors import DigitpadError, RecipeError
from digitpad.evaluation.calibration import confidence_threshold, fit_temperature
from digitpad.evaluation.metrics import EvaluationProgress, evaluate_in_chunks, read_in_chunks
from digitpad.nn.arrays import Floats, Scratch
from digitpad.nn.layers import Dropout
from digitpad.nn.losses import NONE, add_penalty_gradients, clip_by_norm, clip_by_value, softmax
from digitpad.nn.optimizers import EMA
from digitpad.nn.parallel import DataParallel
from digitpad.system import blas_threads
from digitpad.training.events import EpochDone, Progress, Result, SettingChange, StepDone, epoch_from
from digitpad.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class TrainerState:
    """All that the rest of a training depends on: a trainer that has it goes on to the same bits.

    Attributes
    ----------
    values : dict
        Plain values, fit for JSON.
    arrays : dict of ndarray
        By name; the trainer's own, and so good until its next step.
    """

    values: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


CHANGEABLE = (
    "optimizer.learning_rate",
    "optimizer.momentum",
    "optimizer.weight_decay",
    "loss.l1",
    "loss.l2",
    "network.dropout",
    "training.epochs",
    "training.patience",
    *(f"augmentation.{field.name}" for field in dataclasses.fields(Augmentation)),
)
"""Settings that may change while a training runs."""


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
    n_threads : int
        That work on a batch.
    seconds : float
        That were spent at work, without what passed between two records.
    changes : list of Change
    batch : ndarray of uint8, shape (n, 28, 28), or None
        The images last learnt from, as the network saw them; good until the next step.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, threads: int | None = None) -> None:
        self.recipe = recipe
        self._dataset = dataset
        weights_rng, batches_rng = (
            np.random.default_rng(seed) for seed in np.random.SeedSequence(recipe.training.seed).spawn(2)
        )
        self.network = recipe.build_network(len(dataset.class_names))
        self.n_threads = _useful_threads(recipe, blas_threads.thread_count() if threads is None else threads)
        self._parallel = DataParallel(self.network, self.n_threads, recipe.loss.label_smoothing)
        self._generators = [*self._parallel.initialize(weights_rng), batches_rng]
        part = recipe.training
        self._batches = Batches(dataset.training, part.batch_size, batches_rng, recipe.augmentation, part.plain)
        self.step = 0
        self.history: list[EpochDone] = []
        self.changes: list[SettingChange] = []
        self.batch: NDArray[np.uint8] | None = None
        self._optimizer = recipe.build_optimizer(self.network)
        self._averaged = EMA(recipe.training.average) if recipe.training.average else None
        self._scratch = Scratch()
        self._kept: Floats | None = None  # while others, averaged ones, are in the network to be scored
        self._best_parameters = self.network.parameters.copy()
        self.seconds = 0.0
        self._epochs = self._train_epochs()

    @property
    def steps_per_epoch(self) -> int:
        """Batches a pass over the data."""
        return len(self._batches)

    @property
    def n_steps(self) -> int:
        """Steps that the whole training takes, if it is not stopped early."""
        return self.recipe.training.epochs * self.steps_per_epoch

    @property
    def learning_rate(self) -> float:
        """That of the next step."""
        return self.recipe.learning_rate(self.step / self.steps_per_epoch)

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
        yield from self._timed(self._epochs)

    def conclude(self) -> Iterator[Progress]:
        """Score what came since the last epoch's end, restore the best parameters, and score those on the test set."""
        yield from self._timed(self._conclude())

    def _conclude(self) -> Generator[Progress, None, None]:
        self._epochs.close()
        self._parallel.close()  # closing what was never begun ends no thread
        if not self.is_scored:
            yield from self._score_epoch(math.ceil(self.step / self.steps_per_epoch))
        best = self._restore_best()
        validation, sure = best.validation, None
        if self.recipe.training.calibrate and best.epoch > 0:
            sure = yield from self._calibrate()
            validation = yield from evaluate_in_chunks(self.network, self._dataset.validation)
        test = yield from evaluate_in_chunks(self.network, self._dataset.test)
        yield Result(best.epoch, self.history[-1].epoch, validation, test, self.seconds, sure)

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the network's outputs stand for."""
        return self._dataset.class_names

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
        """Probabilities, shape (n_classes,), that the network in training gives one image; only between two records."""
        probabilities: Floats = self.network.predict(image[None])[0]
        return probabilities

    def try_rates(self, rates: Iterable[float]) -> Iterator[float]:
        """Take a step at each of these learning rates, and yield the loss before it, while that is finite.

        For a trainer that trains nothing else.
        """
        with self._parallel, self._blas():
            batches = itertools.chain.from_iterable(self._batches.one_pass() for _ in itertools.count())
            for rate, (images, labels) in zip(rates, batches, strict=False):
                loss = self._learn(images, labels, rate)
                if not math.isfinite(loss):
                    return
                yield loss

    def change(self, settings: Mapping[str, Any]) -> SettingChange:
        """Go on with other settings, by their dotted keys, from the next step on; only between two records.

        Raises
        ------
        RecipeError
            If a setting is none of `CHANGEABLE`, or a value cannot be; nothing has then changed.
        """
        recipe = self.changed(settings)
        self._parallel.set_dropout(recipe.network.dropout)
        optimizer = recipe.build_optimizer(self.network)
        optimizer.state = self._optimizer.state
        self._optimizer = optimizer
        self._batches.set_augmentation(recipe.augmentation)
        self.recipe = recipe
        self.changes.append(SettingChange(self.step, dict(settings)))
        return self.changes[-1]

    def changed(self, settings: Mapping[str, Any]) -> Recipe:
        """The recipe with other settings, as `change` would have it; nothing changes.

        Raises
        ------
        RecipeError
            As `change` raises it.
        """
        recipe = self.recipe.with_values(settings)
        for key in settings:
            if key not in CHANGEABLE:
                raise RecipeError(key, f"cannot change in a training; {', '.join(CHANGEABLE)} can")
        if recipe.network.dropout != self.recipe.network.dropout and not self._drops:
            raise RecipeError("network.dropout", "cannot change where no layer drops anything")
        return recipe

    @property
    def _drops(self) -> bool:
        """Whether there is a layer that drops, be it nothing at the moment."""
        return any(isinstance(layer, Dropout) for layer in self.network.layers)

    def state(self) -> TrainerState:
        """All that what is to come depends on; at any record but those of `conclude`."""
        arrays: dict[str, NDArray[Any]] = {
            "parameters": self.network.parameters if self._kept is None else self._kept,
            "best_parameters": self._best_parameters,
        }
        if self._batches.order is not None:
            arrays["order"] = self._batches.order
        for owner, of_owner in self._states().items():
            arrays |= {f"{owner}.{name}": array for name, array in of_owner.items()}
        return TrainerState(
            {
                "recipe": self.recipe.to_dict(),
                "n_threads": self.n_threads,
                "drops": self._drops,
                "step": self.step,
                "cursor": self._batches.cursor,
                "seconds": self.seconds,
                "history": [dataclasses.asdict(epoch) for epoch in self.history],
                "changes": [dataclasses.asdict(change) for change in self.changes],
                "generators": [rng.bit_generator.state for rng in self._generators],
            },
            arrays,
        )

    @classmethod
    def restored(cls, state: TrainerState, dataset: Dataset) -> "Trainer":
        """A trainer that goes on from a state, on the same data.

        Raises
        ------
        KeyError, TypeError, ValueError, RecipeError
            If it is no state that `state` gave.
        """
        values, arrays = state.values, state.arrays
        recipe = Recipe.from_dict(values["recipe"])
        # Dropout may have come down to 0 on the way, of which no layer would be built.
        drops = values["drops"] and not recipe.network.dropout
        built = recipe.with_values({"network.dropout": 0.5}) if drops else recipe
        trainer = cls(built, dataset, int(values["n_threads"]))
        trainer.recipe = recipe
        trainer._parallel.set_dropout(recipe.network.dropout)
        trainer.step, trainer.seconds = int(values["step"]), float(values["seconds"])
        trainer.history = [epoch_from(epoch) for epoch in values["history"]]
        trainer.changes = [SettingChange(**change) for change in values["changes"]]
        for rng, of_rng in zip(trainer._generators, values["generators"], strict=True):
            rng.bit_generator.state = of_rng
        for own, name in ((trainer.network.parameters, "parameters"), (trainer._best_parameters, "best_parameters")):
            if arrays[name].shape != own.shape:
                raise ValueError(f"{name} of shape {arrays[name].shape} where the network has {own.shape}")
            own[:] = arrays[name]
        if "order" in arrays:
            order = arrays["order"].astype(np.int32)
            if not np.array_equal(np.sort(order), np.arange(len(dataset.training))):
                raise ValueError(f"an order of {order.size} digits where there are {len(dataset.training)}")
            trainer._batches.order, trainer._batches.cursor = order, int(values["cursor"])
        for owner, own_state in trainer._states().items():
            for name, array in arrays.items():
                if name.startswith(f"{owner}."):
                    own_state[name.removeprefix(f"{owner}.")] = array.copy()
        return trainer

    def _states(self) -> dict[str, dict[str, Floats]]:
        """The state of each part that learns from step to step, by that part's name."""
        states = {"optimizer": self._optimizer.state}
        if self._averaged is not None:
            states["averaged"] = self._averaged.state
        return states

    def _train_epochs(self) -> Generator[Progress, None, None]:
        """Every epoch with its scores; closing it ends the threads."""
        with self._parallel, self._blas():
            if not self.history:
                yield from self._score_epoch(0)
            while self.history[-1].epoch < self.recipe.training.epochs and not self._gets_no_better:
                epoch = self.history[-1].epoch + 1
                # Else it was paused after the pass, while that epoch was scored.
                if self._batches.order is not None or self.step < epoch * self.steps_per_epoch:
                    yield from self._train_pass()
                yield from self._score_epoch(epoch)

    def _train_pass(self) -> Generator[StepDone, None, None]:
        """What is left of the pass under way, or else a new one."""
        for images, labels in self._batches.one_pass():
            loss = self._learn(images, labels, self.learning_rate)
            if not math.isfinite(loss):
                self._restore_best()
                raise DivergedError(
                    f"the loss is {loss} at step {self.step} with a learning rate of {self.learning_rate:g}; "
                    f"a lower learning rate may help"
                )
            yield StepDone(self.step, loss, len(labels))

    def _blas(self) -> contextlib.AbstractContextManager[None]:
        """One thread for each product, where the batch is shared out among threads already."""
        return blas_threads.one_thread() if self.n_threads > 1 else contextlib.nullcontext()

    def _timed(self, work: Generator[Progress, None, None]) -> Iterator[Progress]:
        """The same records, their making measured."""
        with contextlib.closing(work):
            while True:
                begin = time.monotonic()
                try:
                    progress = next(work)
                except StopIteration:
                    return
                finally:
                    self.seconds += time.monotonic() - begin
                yield progress

    def _learn(self, images: NDArray[np.uint8], labels: NDArray[np.uint8], learning_rate: float) -> float:
        """Take one step, if the loss is finite, and return the loss before it."""
        parameters, gradients = self.network.parameters, self.network.gradients
        penalties, limits = self.recipe.loss, self.recipe.optimizer
        self.batch = images
        loss = self._parallel.learn(images, labels)
        if not math.isfinite(loss):
            return loss
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
            yield from self._estimate_averages()
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

    def _estimate_averages(self) -> Generator[EvaluationProgress, None, None]:
        """Fit what the network's layers average to digits as they will be read: neither augmented nor dropped.

        Where training sees plain digits beside augmented ones, it is to such a mixture: plain ones then fit in with it,
        and digits that are as blurred as augmented ones do, too.
        """
        if not self.network.is_normalized or not self.step:
            return
        digits, rng = self._dataset.training, np.random.default_rng(self.recipe.training.seed)
        chosen = np.flatnonzero(digits.labels != NONE)
        chosen = rng.permutation(chosen)[:N_ESTIMATING]
        parts = np.array_split(chosen, max(1, len(chosen) // self.network.chunk))
        batches = (digits.images[part] for part in parts)
        if self.recipe.training.plain:
            batches = (self._batches.augmented(batch, rng) for batch in batches)
        done = 0
        for part, _ in zip(parts, self.network.estimate_averages(batches), strict=True):
            done += len(part)
            yield EvaluationProgress(done, len(chosen))

    @contextlib.contextmanager
    def _averaged_parameters(self) -> Iterator[Floats]:
        """The network with its averaged parameters, where the recipe asks for them; afterwards it is as it was."""
        parameters = self.network.parameters
        kept = self._kept = self._scratch("kept", parameters.shape)
        kept[:] = parameters
        if self._averaged is not None and self.step:
            parameters[:] = self._averaged.average
        try:
            yield parameters
        finally:
            parameters[:] = kept
            self._kept = None

    def _calibrate(self) -> Generator[EvaluationProgress, None, float]:
        """Divide the last layer, and so logits, by the temperature that suits validation; when an answer is sure."""
        digits = self._dataset.validation
        logits = yield from read_in_chunks(self.network, digits)
        temperature = fit_temperature(logits, digits.labels)
        for parameter in self.network.layers[-1].parameters.values():
            parameter /= temperature
        self._best_parameters[:] = self.network.parameters
        return confidence_threshold(softmax(logits / temperature).max(axis=1))

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


N_ESTIMATING = 4096
"""Digits that say what layers average, of which more would hardly change it."""

_MIN_SHARE = 16
"""Images for which a thread's work outweighs its start."""
