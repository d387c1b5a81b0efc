"""Training in a thread of its own, which tells the window how it goes, about ten times a second.

A `threading.Thread` and a QObject with its signals, rather than a QThread: one that still runs at exit ends the program
with an abort. What crosses is frozen, or a copy; the network in training never leaves its thread.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from digitpad.datasets.dataset import Dataset
from digitpad.errors import DigitpadError
from digitpad.training.data import dataset_of, n_drawings
from digitpad.training.evaluation import Evaluating
from digitpad.training.loop import DivergedError, EpochDone, Progress, Result, StepDone, Trainer
from digitpad.training.recipe import Recipe
from digitpad.training.run import new_run_path, weights_of
from digitpad.weights.weights import Weights

REPORT_SECONDS = 0.1


@dataclass(frozen=True)
class Report:
    """How training goes, between two others.

    ``losses`` are those of the steps ``first_step``, ``first_step + 1``, … since the report before. ``answer`` holds
    the probabilities that the network gives ``pinned``, the digit on the pad; ``seconds_left`` is None until known.
    """

    first_step: int
    losses: tuple[float, ...]
    n_steps: int
    images_per_second: float
    seconds_left: float | None
    pinned: NDArray[np.uint8] | None
    answer: tuple[float, ...] | None

    @property
    def step(self) -> int:
        """The steps done."""
        return self.first_step + len(self.losses) - 1


@dataclass(frozen=True)
class Outcome:
    """What a training came to: its weights, where they are kept, and its result (None when it was cut short).

    ``problem`` says why it ended by itself before its end; it is empty if it did not.
    """

    weights: Weights
    path: Path | None
    result: Result | None
    problem: str = ""


class TrainingThread(QObject):
    """One training, from start to outcome."""

    preparing = Signal(int, int)  # drawings made, of how many
    started_with = Signal(int, int)  # steps an epoch, epochs
    reported = Signal(object)  # Report
    epoch_done = Signal(object)  # EpochDone
    finished = Signal(object)  # Outcome, or None where nothing was learnt; the thread is about to end
    failed = Signal(str)  # why it came to nothing; the thread is about to end
    not_saved = Signal(str)  # why the best weights so far are not on disk; training goes on

    def __init__(self, recipe: Recipe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.recipe = recipe
        self._thread = threading.Thread(target=self._run, name="training", daemon=True)
        self._may_run = threading.Event()
        self._may_run.set()
        self._stopping = False
        self._divergence = ""
        self._testing = True
        self._pinned: NDArray[np.uint8] | None = None
        self.save_problem = ""

    # From the window's thread.

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self) -> None:
        """Rest after the batch under way."""
        self._may_run.clear()

    def resume(self) -> None:
        """Go on."""
        self._may_run.set()

    @property
    def paused(self) -> bool:
        """Whether it was told to rest."""
        return not self._may_run.is_set()

    @property
    def running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def stop(self, *, testing: bool = True) -> None:
        """End after the batch under way; save the best weights so far, and with ``testing`` score them as well."""
        self._testing = testing
        self._stopping = True
        self._may_run.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the thread's end; whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def pin(self, image: NDArray[np.uint8] | None) -> None:
        """Read this image, uint8 of shape (28, 28), with each report; nobody may change it any more."""
        self._pinned = image

    # In the training's own thread.

    def _run(self) -> None:
        try:
            dataset = dataset_of(self.recipe, self._made)
            self._train(Trainer(self.recipe, dataset), dataset)
        except _StoppedError:
            self.finished.emit(None)
        except DigitpadError as error:
            self.failed.emit(str(error))
        except MemoryError:
            self.failed.emit("There is not enough memory for this network and batch size.")
        except Exception as error:  # it would vanish with the thread: the window must hear of it
            self.failed.emit(f"{type(error).__name__}: {error}")
            raise

    def _made(self, n: int) -> None:
        """Between two writers of drawings that are made to train on."""
        self._may_run.wait()
        if self._stopping:
            raise _StoppedError
        if n % 100 == 0:
            self.preparing.emit(n, n_drawings(self.recipe))

    def _train(self, trainer: Trainer, dataset: Dataset) -> None:
        path = self._new_path()
        reporter = _Reporter(self, trainer)
        result = None
        self.started_with.emit(trainer.n_steps // self.recipe.training.epochs, self.recipe.training.epochs)
        for progress in self._until_it_diverges(trainer):
            reporter.look(progress)
            if isinstance(progress, EpochDone):
                self.epoch_done.emit(progress)
                if progress.is_best and progress.epoch > 0:
                    path = self._save(weights_of(trainer, dataset), path)
            result = progress if isinstance(progress, Result) else None
            if not self._may_run.is_set():
                reporter.flush()
                self._may_run.wait()
                reporter.resumed()
            if self._stopping:
                break
        reporter.flush()
        diverged = self._divergence
        if trainer.best is None or (trainer.best.epoch == 0 and (diverged or trainer.step == 0)):
            self.failed.emit(diverged) if diverged else self.finished.emit(None)
            return
        if result is None and not diverged:
            for progress in trainer.conclude():
                if isinstance(progress, EpochDone):
                    self.epoch_done.emit(progress)
                result = progress if isinstance(progress, Result) else None
                if trainer.is_scored and not self._testing:  # the window closes: the test may be spared
                    break
        weights = weights_of(trainer, dataset, result)
        path = self._save(weights, path)
        self.finished.emit(Outcome(weights, path, result, diverged))

    def _until_it_diverges(self, trainer: Trainer) -> Iterator[Progress]:
        """The trainer's records; that it ran away ends them, with the best parameters restored."""
        try:
            yield from trainer.run()
        except DivergedError as error:
            self._divergence = str(error)

    def _new_path(self) -> Path | None:
        """The run's own file, or None where the user's folder cannot be written; training goes on all the same."""
        try:
            return new_run_path(self.recipe.name)
        except DigitpadError as error:
            self._tell_not_saved(error)
            return None

    def _tell_not_saved(self, error: DigitpadError) -> None:
        self.save_problem = str(error)
        self.not_saved.emit(self.save_problem)

    def _save(self, weights: Weights, path: Path | None) -> Path | None:
        """Keep the weights in the run's own file; where that fails, say so once and go on."""
        if path is not None:
            try:
                weights.save(path)
            except DigitpadError as error:
                self._tell_not_saved(error)
                return None
        return path


class _StoppedError(Exception):
    """Told to stop before there was anything to train on."""


class _Reporter:
    """Gathers steps and reports them a few times a second."""

    def __init__(self, thread: TrainingThread, trainer: Trainer) -> None:
        self._thread, self._trainer = thread, trainer
        self._losses: list[float] = []
        self._images = 0
        self._rate = 0.0
        self._since = time.monotonic()

    def look(self, progress: object) -> None:
        if isinstance(progress, StepDone):
            self._losses.append(progress.loss)
            self._images += progress.n_images
        if time.monotonic() - self._since >= REPORT_SECONDS and not isinstance(progress, Evaluating):
            self.flush()

    def resumed(self) -> None:
        """Do not count the pause as training."""
        self._since = time.monotonic()

    def flush(self) -> None:
        if not self._losses:
            return
        seconds = max(time.monotonic() - self._since, 1e-6)
        rate = self._images / seconds
        # Smoothed over about two seconds, so that the figures can be read.
        self._rate = rate if self._rate == 0 else self._rate + (rate - self._rate) * min(1, seconds / 2)
        trainer = self._trainer
        steps_left = trainer.n_steps - trainer.step
        seconds_left = steps_left * trainer.recipe.training.batch_size / self._rate if self._rate else None
        pinned = self._thread._pinned
        answer = None if pinned is None else tuple(trainer.read(pinned).tolist())
        first_step = trainer.step - len(self._losses) + 1
        report = Report(first_step, tuple(self._losses), trainer.n_steps, self._rate, seconds_left, pinned, answer)
        self._thread.reported.emit(report)
        self._losses.clear()
        self._images = 0
        self._since = time.monotonic()
