"""Training loop: a generator of progress records, at each of which the caller can inspect, pause or stop training."""

# Longer than other modules: steps, scores and the saved state are three views of the same private fields, and a split
# would make those public.

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
from digitpad.nn.network import Network
from digitpad.nn.optimizers import EMA
from digitpad.nn.parallel import DataParallel
from digitpad.system import blas_threads
from digitpad.training.events import (
    EpochDone,
    Progress,
    Result,
    SettingChange,
    StepDone,
    change_from_dict,
    epoch_from_dict,
)
from digitpad.training.pixel_order import sorted_pixels_for
from digitpad.training.recipe import Recipe
from digitpad.training.training_data import n_validation_pen_digits


@dataclass(frozen=True, eq=False)
class TrainerState:
    """Complete state of a training run; a trainer restored from it continues with bit-identical results.

    Attributes
    ----------
    values : dict
        Plain values for JSON.
    arrays : dict of ndarray
        By name. They are the trainer's own arrays, valid until its next step.
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
"""Settings that can be changed during training."""


class DivergedError(DigitpadError):
    """Diverged training: the loss is not finite."""


class Trainer:
    """Trainer of one network, with one recipe, on one dataset.

    Iterate `run` to the end. Or stop at any record and iterate `conclude`, which scores the network so far.

    Parameters
    ----------
    recipe : Recipe
    dataset : Dataset
    threads : int
        Upper limit of threads per batch; by default the number of BLAS threads. Results with the same number are
        bit-identical.

    Attributes
    ----------
    n_threads : int
        Threads per batch.
    seconds : float
        Training time, without the time between two records.
    changes : list of SettingChange
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, threads: int | None = None) -> None:
        self.recipe = recipe
        self._dataset = dataset
        weights_rng, batches_rng = (
            np.random.default_rng(seed) for seed in np.random.SeedSequence(recipe.training.seed).spawn(2)
        )
        # The network that takes the steps; its first weights may be in the order of sorted pixels.
        self._learner = self._network = recipe.build_network(len(dataset.class_names))
        self._is_stale = False  # whether the learner has taken a step that `_network` has not
        self.n_threads = _useful_threads(recipe, blas_threads.thread_count() if threads is None else threads)
        self._parallel = DataParallel(self._learner, self.n_threads, recipe.loss.label_smoothing)
        self._generators = [*self._parallel.initialize(weights_rng), batches_rng]
        part = recipe.training
        self._batches = Batches(dataset.training, part.batch_size, batches_rng, recipe.augmentation, part.plain)
        self.step = 0
        self.history: list[EpochDone] = []
        self.changes: list[SettingChange] = []
        self._batch: NDArray[np.uint8] | None = None
        self._optimizer = recipe.build_optimizer(self._learner)
        self._averaged = EMA(recipe.training.average) if recipe.training.average else None
        self._scratch = Scratch()
        # Set while the network holds the averaged parameters for scoring.
        self._training_parameters: Floats | None = None
        self._best_parameters = self._learner.parameters.copy()
        self.seconds = 0.0
        self._epochs = self._train_epochs()
        self._batches.sorted_pixels = sorted_pixels_for(recipe, dataset)
        self._sort_weights()

    @property
    def network(self) -> Network:
        """Network in training. After `conclude` it has the parameters of the best epoch by validation accuracy."""
        if self._is_stale and self._network is not self._learner:
            self._network.parameters[:] = self._unsorted(self._learner.parameters)
        self._is_stale = False
        return self._network

    @property
    def batch(self) -> NDArray[np.uint8] | None:
        """Images of the last step, after augmentation, of shape (n, 28, 28); valid until the next step."""
        if self._batch is None or self._batch.ndim == 3:
            return self._batch
        assert self._batches.sorted_pixels is not None
        return self._batches.sorted_pixels.images(self._batch)

    @property
    def steps_per_epoch(self) -> int:
        """Batches per epoch."""
        return len(self._batches)

    @property
    def n_steps(self) -> int:
        """Steps of the whole training if it does not stop early."""
        return self.recipe.training.epochs * self.steps_per_epoch

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step."""
        return self.recipe.learning_rate(self.step / self.steps_per_epoch)

    def run(self) -> Iterator[Progress]:
        """Score the untrained network, train for all epochs or until early stopping, then `conclude`.

        Raises
        ------
        DivergedError
            When the loss is not finite; the network then has the parameters of the best epoch so far.
        """
        yield from self.train()
        yield from self.conclude()

    def train(self) -> Iterator[Progress]:
        """Do the same as `run` without `conclude`: the test set is not used."""
        yield from self._timed(self._epochs)

    def conclude(self) -> Iterator[Progress]:
        """Score steps since the last epoch, restore the best parameters, and score those on the test set."""
        yield from self._timed(self._conclude())

    def _conclude(self) -> Generator[Progress, None, None]:
        self._epochs.close()
        self._parallel.close()  # closing a generator that never started does not run its `with` block
        if not self.is_scored:
            yield from self._score_epoch(math.ceil(self.step / self.steps_per_epoch))
        best = self._restore_best()
        validation, threshold = best.validation, None
        if self.recipe.training.calibrate and best.epoch > 0:
            threshold = yield from self._calibrate()
            validation = yield from evaluate_in_chunks(self.network, self._dataset.validation)
        test = yield from evaluate_in_chunks(self.network, self._dataset.test)
        yield Result(best.epoch, self.history[-1].epoch, validation, test, self.seconds, threshold)

    @property
    def skipped_files(self) -> tuple[str, ...]:
        """Files of the dataset that could not be read, each with its problem."""
        return self._dataset.skipped

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class of each network output."""
        return self._dataset.class_names

    @property
    def best(self) -> EpochDone | None:
        """Best epoch so far by validation accuracy; ties go to the lower validation loss."""
        return next((epoch for epoch in reversed(self.history) if epoch.is_best), None)

    @property
    def is_scored(self) -> bool:
        """Whether no step was taken since the last validation."""
        return bool(self.history) and self.history[-1].step == self.step

    @property
    def best_parameters(self) -> Floats:
        """Copy of the parameters at the end of the best epoch so far."""
        return self._best_parameters.copy()

    def read(self, image: NDArray[np.uint8]) -> Floats:
        """Return the network's probabilities for one image, shape (n_classes,); call only between two records."""
        probabilities: Floats = self.network.predict(image[None])[0]
        return probabilities

    def try_rates(self, rates: Iterable[float]) -> Iterator[float]:
        """Take one step at each learning rate, and yield the loss before it; stop when the loss is not finite.

        Do not use the trainer for anything else.
        """
        with self._parallel, self._blas():
            batches = itertools.chain.from_iterable(self._batches.one_pass() for _ in itertools.count())
            for rate, (images, labels) in zip(rates, batches, strict=False):
                loss = self._learn(images, labels, rate)
                if not math.isfinite(loss):
                    return
                yield loss

    def change(self, settings: Mapping[str, Any]) -> SettingChange:
        """Change settings, by dotted key, from the next step on; call only between two records.

        Raises
        ------
        RecipeError
            If a setting is not in `CHANGEABLE`, or a value is invalid; nothing changes then.
        """
        recipe = self.changed(settings)
        self._parallel.set_dropout(recipe.network.dropout)
        self._copy_learner()
        optimizer = recipe.build_optimizer(self._learner)
        optimizer.state = self._optimizer.state
        self._optimizer = optimizer
        self._batches.set_augmentation(recipe.augmentation)
        if recipe.augmentation:
            self._stop_sorting()
        self.recipe = recipe
        self.changes.append(SettingChange(self.step, dict(settings)))
        return self.changes[-1]

    def changed(self, settings: Mapping[str, Any]) -> Recipe:
        """Return the recipe as `change` would make it, without applying it.

        Raises
        ------
        RecipeError
            See `change`.
        """
        recipe = self.recipe.with_values(settings)
        for key in settings:
            if key not in CHANGEABLE:
                raise RecipeError(key, f"cannot change during training; you can change {', '.join(CHANGEABLE)}")
        if recipe.network.dropout != self.recipe.network.dropout and not self._has_dropout:
            raise RecipeError("network.dropout", "cannot change because the network has no dropout layers")
        return recipe

    @property
    def _has_dropout(self) -> bool:
        """Whether the network has dropout layers, even if their rate is 0."""
        return any(isinstance(layer, Dropout) for layer in self.network.layers)

    def state(self) -> TrainerState:
        """Return the complete state; call at any record except those of `conclude`."""
        arrays: dict[str, NDArray[Any]] = {
            "parameters": self.network.parameters if self._training_parameters is None else self._training_parameters,
            "best_parameters": self._best_parameters,
        }
        if self._batches.order is not None:
            arrays["order"] = self._batches.order
        for owner, owner_state in self._states().items():
            arrays |= {f"{owner}.{name}": self._unsorted(array) for name, array in owner_state.items()}
        return TrainerState(
            {
                "recipe": self.recipe.to_dict(),
                "n_threads": self.n_threads,
                "drops": self._has_dropout,
                "sorts": self._batches.sorted_pixels is not None,
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
        """Return a trainer that continues from a state, on the same data.

        Raises
        ------
        KeyError, TypeError, ValueError, RecipeError
            If the state does not come from `state`, or does not fit the data.
        """
        values, arrays = state.values, state.arrays
        recipe = Recipe.from_dict(values["recipe"])
        # Dropout may have changed to 0 during training; the network would then be built without dropout layers.
        drops = values["drops"] and not recipe.network.dropout
        built = recipe.with_values({"network.dropout": 0.5}) if drops else recipe
        trainer = cls(built, dataset, int(values["n_threads"]))
        trainer.recipe = recipe
        trainer._parallel.set_dropout(recipe.network.dropout)
        # Augmentation may have been set and reset during training; the usual order of pixels is then kept.
        if not values.get("sorts", True):
            trainer._stop_sorting()
        trainer.step, trainer.seconds = int(values["step"]), float(values["seconds"])
        trainer.history = [epoch_from_dict(epoch) for epoch in values["history"]]
        trainer.changes = [change_from_dict(change) for change in values["changes"]]
        for rng, rng_state in zip(trainer._generators, values["generators"], strict=True):
            rng.bit_generator.state = rng_state
        for target, name in (
            (trainer._learner.parameters, "parameters"),
            (trainer._best_parameters, "best_parameters"),
        ):
            if arrays[name].shape != target.shape:
                raise ValueError(f"{name} have shape {arrays[name].shape}; the network needs {target.shape}")
            target[:] = arrays[name]
        if "order" in arrays:
            order = arrays["order"].astype(np.int32)
            if not np.array_equal(np.sort(order), np.arange(len(dataset.training))):
                raise ValueError(f"the batch order has {order.size} digits; the dataset has {len(dataset.training)}")
            trainer._batches.order, trainer._batches.cursor = order, int(values["cursor"])
        for owner, owner_state in trainer._states().items():
            for name, array in arrays.items():
                if name.startswith(f"{owner}."):
                    owner_state[name.removeprefix(f"{owner}.")] = array.copy()
        trainer._sort_weights()
        return trainer

    def _stop_sorting(self) -> None:
        """Restore the usual order of pixels and weights from the next step on."""
        pixels, self._batches.sorted_pixels = self._batches.sorted_pixels, None
        if pixels is not None:
            for vector in self._vectors():
                pixels.unsort(self._first_weight(vector))
            self._batch, self._network = None, self._learner

    def _sort_weights(self) -> None:
        """Sort all vectors of the learner, which are in the usual order of pixels, and make a copy that is not."""
        if self._batches.sorted_pixels is not None:
            for vector in self._vectors():
                self._batches.sorted_pixels.sort(self._first_weight(vector))
        self._copy_learner()

    def _copy_learner(self) -> None:
        """Let `network` be a copy of the learner if that has sorted weights."""
        is_sorted = self._batches.sorted_pixels is not None
        self._network = Network.from_architecture(self._learner.architecture()) if is_sorted else self._learner
        self._is_stale = True

    def _unsorted(self, vector: Floats) -> Floats:
        """Return a vector of the learner in the usual order of pixels."""
        if self._batches.sorted_pixels is None or vector.shape != self._learner.parameters.shape:
            return vector
        vector = vector.copy()
        self._batches.sorted_pixels.unsort(self._first_weight(vector))
        return vector

    def _vectors(self) -> list[Floats]:
        """Return the learner's parameters, and what the optimizer and the average keep for each of them."""
        parameters = self._learner.parameters
        states = (array for owner_state in self._states().values() for array in owner_state.values())
        return [parameters, *(array for array in states if array.shape == parameters.shape)]

    def _first_weight(self, vector: Floats) -> Floats:
        """Return the view of a vector that belongs to the first layer's weights, of shape (n_pixels, units)."""
        return vector[self._learner.weights()[0]].reshape(math.prod(self._learner.input_shape), -1)

    def _states(self) -> dict[str, dict[str, Floats]]:
        """Return the state of the optimizer and of the averaged weights, by name."""
        states = {"optimizer": self._optimizer.state}
        if self._averaged is not None:
            states["averaged"] = self._averaged.state
        return states

    def _train_epochs(self) -> Generator[Progress, None, None]:
        """Train and score every epoch; closing the generator ends the threads."""
        with self._parallel, self._blas():
            if not self.history:
                yield from self._score_epoch(0)
            while self.history[-1].epoch < self.recipe.training.epochs and not self._patience_exhausted:
                epoch = self.history[-1].epoch + 1
                # False if the run was paused after the pass, while the epoch was being scored.
                if self._batches.order is not None or self.step < epoch * self.steps_per_epoch:
                    yield from self._train_pass()
                yield from self._score_epoch(epoch)

    def _train_pass(self) -> Generator[StepDone, None, None]:
        """Take the steps that remain in the current pass over the data, or all steps of a new pass."""
        for images, labels in self._batches.one_pass():
            loss = self._learn(images, labels, self.learning_rate)
            if not math.isfinite(loss):
                self._restore_best()
                raise DivergedError(
                    f"the loss is {loss} at step {self.step:,} with a learning rate of {self.learning_rate:g}; "
                    f"try a lower learning rate"
                )
            yield StepDone(self.step, loss, len(labels))

    def _blas(self) -> contextlib.AbstractContextManager[None]:
        """Limit BLAS to one thread if the batch is already divided among threads."""
        return blas_threads.one_thread() if self.n_threads > 1 else contextlib.nullcontext()

    def _timed(self, work: Generator[Progress, None, None]) -> Iterator[Progress]:
        """Yield the same records, and add the time spent on them to `seconds`."""
        with contextlib.closing(work):
            while True:
                start = time.monotonic()
                try:
                    progress = next(work)
                except StopIteration:
                    return
                finally:
                    self.seconds += time.monotonic() - start
                yield progress

    def _learn(self, images: NDArray[np.uint8], labels: NDArray[np.uint8], learning_rate: float) -> float:
        """Take one optimisation step if the loss is finite; return the loss before it."""
        parameters, gradients = self._learner.parameters, self._learner.gradients
        penalties, limits = self.recipe.loss, self.recipe.optimizer
        self._batch = images
        loss = self._parallel.learn(images, labels)
        if not math.isfinite(loss):
            return loss
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow shows in the next loss
            if penalties.l1 or penalties.l2:
                weights = self._learner.weights()
                add_penalty_gradients(gradients, parameters, weights, penalties.l1, penalties.l2, self._scratch)
            if limits.clip_value:
                clip_by_value(gradients, limits.clip_value)
            if limits.clip_norm:
                clip_by_norm(gradients, limits.clip_norm)
            self._optimizer.step(parameters, gradients, learning_rate)
            if self._averaged is not None:
                self._averaged.update(parameters)
        self.step += 1
        self._is_stale = True
        return loss

    @property
    def _patience_exhausted(self) -> bool:
        """Whether there was no improvement for as many epochs as the recipe's patience."""
        patience = self.recipe.training.patience
        return bool(patience) and not any(epoch.is_best for epoch in self.history[-patience:])

    def _score_epoch(self, epoch: int) -> Generator[Progress, None, None]:
        sample = self._dataset.training[: len(self._dataset.validation)]
        with self._averaged_parameters() as parameters:
            yield from self._estimate_averages()
            scored = self._parallel if self._network is self._learner else self._network
            training = yield from evaluate_in_chunks(scored, sample)
            validation = yield from evaluate_in_chunks(scored, self._dataset.validation)
            done = EpochDone(epoch, self.step, training, validation, is_best=False)
            # A network with NaN parameters reads every digit as 0, which is right for one digit in ten.
            is_finite = math.isfinite(validation.loss) and bool(np.isfinite(parameters).all())
            if self.best is None or (is_finite and _goodness(done) > _goodness(self.best)):
                self._best_parameters[:] = parameters
                done = EpochDone(epoch, self.step, training, validation, is_best=True)
        self.history.append(done)
        yield done

    def _estimate_averages(self) -> Generator[EvaluationProgress, None, None]:
        """Estimate the normalisation averages from digits as they will be read, without augmentation or dropout.

        If part of each batch is not augmented in training, the averages are estimated from the same mixture. They then
        fit clean digits, and also digits as blurred as augmented ones.
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
        """Give the network its averaged parameters, if the recipe averages them; restore the others on exit."""
        parameters = self.network.parameters
        saved = self._training_parameters = self._scratch("kept", parameters.shape)
        saved[:] = parameters
        if self._averaged is not None and self.step:
            parameters[:] = self._unsorted(self._averaged.average)
        try:
            yield parameters
        finally:
            parameters[:] = saved
            self._training_parameters = None

    def _calibrate(self) -> Generator[EvaluationProgress, None, float]:
        """Divide the last layer, and so the logits, by the temperature fitted to the validation set.

        If there are pen digits in the validation set, it is fitted to them alone: they are like the digits that users
        draw, on which a temperature fitted to scanned digits leaves the network underconfident.

        Returns
        -------
        float
            Confidence threshold.
        """
        digits = self._dataset.validation
        logits = yield from read_in_chunks(self.network, digits)
        n_pen = n_validation_pen_digits(self.recipe)  # at the end; -0 is the start, so that without any all are used
        temperature = fit_temperature(logits[-n_pen:], digits.labels[-n_pen:])
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
    """Return the number of threads per batch; 1 for dense networks, which run faster with BLAS threads."""
    convolutional = any(isinstance(word, str) for word in recipe.network.hidden)
    return max(1, min(threads, recipe.training.batch_size // _MIN_SHARE)) if convolutional else 1


N_ESTIMATING = 4096
"""Digits from which normalisation averages are estimated; more would hardly change them."""

_MIN_SHARE = 16
"""Fewest images per thread; with fewer, starting a thread costs more than it saves."""
