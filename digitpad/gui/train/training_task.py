"""Training in a thread of its own, which tells the window how it goes, about ten times a second.

A `threading.Thread` and a QObject with its signals, rather than a QThread: one that still runs at exit ends the program
with an abort. What crosses is frozen, or a copy; the network in training never leaves its thread.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from digitpad.class_names import DIGITS
from digitpad.errors import DigitpadError
from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.runs.recorder import Recorder
from digitpad.runs.run import Run, RunStatus
from digitpad.runs.run_log import RunHistory
from digitpad.system import blas_threads
from digitpad.training.events import EpochDone, Result, StepDone
from digitpad.training.hints import dead_share
from digitpad.training.recipe import Recipe
from digitpad.training.snapshots import N_PICTURES, TrainingSnapshot, weight_pictures
from digitpad.training.trainer import DivergedError, Trainer
from digitpad.training.training_data import dataset_of, n_drawings
from digitpad.weights.native_format import Weights

REPORT_SECONDS = 0.1


@dataclass(frozen=True)
class TrainingReport:
    """How training goes, between two others.

    ``losses`` are those of the steps ``first_step``, ``first_step + 1``, … since the report before. ``answer`` holds
    the probabilities that the network gives ``pinned``, the digit on the pad, for each of ``class_names``;
    ``seconds_left`` is None until known. ``dead`` is the share of units that never fire, as of the last epoch's end.
    """

    first_step: int
    losses: tuple[float, ...]
    n_steps: int
    images_per_second: float
    seconds_left: float | None
    pinned: NDArray[np.uint8] | None
    answer: tuple[float, ...] | None
    seen: TrainingSnapshot
    dead: float
    class_names: tuple[str, ...] = DIGITS

    @property
    def step(self) -> int:
        """The steps done."""
        return self.first_step + len(self.losses) - 1


@dataclass(frozen=True)
class TrainingStart:
    """What a training begins with, or goes on from.

    ``history`` is that of the run so far; ``name`` is the run's.
    """

    name: str
    recipe: Recipe
    steps_per_epoch: int
    history: RunHistory


@dataclass(frozen=True)
class TrainingOutcome:
    """What a training came to: its weights, where they are kept, and its result (None when it was cut short).

    ``problem`` says why it ended by itself before its end; it is empty if it did not.
    """

    weights: Weights
    path: Path | None
    result: Result | None
    problem: str = ""


class TrainingThread(QObject):
    """One training, from start to outcome; or one that goes on from a run's last checkpoint.

    Parameters
    ----------
    recipe : Recipe
    resumed : Run, optional
        To go on with, instead of a new one.
    settings : mapping, optional
        That are to change before its next step, by their dotted keys.
    """

    preparing = Signal(int, int)  # drawings made, of how many
    started = Signal(object)  # Start
    reported = Signal(object)  # Report
    epoch_done = Signal(object)  # EpochDone
    rested = Signal()  # it was told to pause, and does; all is on disk
    changed = Signal(object, object)  # Change, and the recipe since
    refused = Signal(str)  # why settings did not change
    finished = Signal(object)  # Outcome, or None where nothing was learnt; the thread is about to end
    failed = Signal(str)  # why it came to nothing; the thread is about to end
    not_saved = Signal(str)  # why what is learnt is not on disk; training goes on

    def __init__(
        self,
        recipe: Recipe,
        parent: QObject | None = None,
        *,
        resumed: Run | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(parent)
        self.recipe = recipe
        self._resumed = resumed
        self._thread = threading.Thread(target=self._run, name="training", daemon=True)
        self._may_run = threading.Event()
        self._may_run.set()
        self._changes: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
        if settings:
            self._changes.put(settings)
        self._stopping = False
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

    def change(self, settings: Mapping[str, Any]) -> None:
        """Go on with other settings, by their dotted keys, from the next step on."""
        self._changes.put(settings)

    @property
    def paused(self) -> bool:
        """Whether it was told to rest."""
        return not self._may_run.is_set()

    @property
    def running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def stop(self, *, testing: bool = True) -> None:
        """End after the batch under way; with ``testing`` score what was learnt, else leave it to be gone on with."""
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
            with blas_threads.limited_to(self._n_blas_threads), self._recorder() as recorder:
                self._train(recorder)
        except _StoppedError:
            self.finished.emit(None)
        except DigitpadError as error:
            self.failed.emit(str(error))
        except MemoryError:
            self.failed.emit("There is not enough memory for this network and batch size.")
        except Exception as error:  # it would vanish with the thread: the window must hear of it
            self.failed.emit(f"{type(error).__name__}: {error}")
            raise

    @property
    def _n_blas_threads(self) -> int:
        """Those that the run began with, for other numbers give other bits."""
        known = None if self._resumed is None else self._resumed.about.get("blas_threads")
        return known if isinstance(known, int) and known > 0 else blas_threads.thread_count()

    def _made(self, n: int) -> None:
        """Between two writers of drawings that are made to train on."""
        self._may_run.wait()
        if self._stopping:
            raise _StoppedError
        if n % 100 == 0 and (total := n_drawings(self.recipe)):  # 0 while a data set is read
            self.preparing.emit(n, total)

    def _recorder(self) -> Recorder:
        """A new run, or the one that is gone on with; where the user's folder cannot be written, none is kept."""
        run = self._resumed
        if run is not None:
            run.lock()
        try:
            dataset = dataset_of(self.recipe, self._made)
            trainer = Trainer(self.recipe, dataset) if run is None else run.resume(dataset)
            history = RunHistory() if run is None else run.history()
            history.forget(trainer.step, len(trainer.history), len(trainer.changes))
            if run is None:
                try:
                    run = Run.create(self.recipe, dataset, trainer.n_threads)
                except DigitpadError as error:
                    self._tell_not_saved(str(error))
            name = self.recipe.name if run is None else run.name
            self.started.emit(TrainingStart(name, trainer.recipe, trainer.steps_per_epoch, history))
            return Recorder(trainer, run, dataset, self._tell_not_saved)
        except BaseException:
            if run is not None:
                run.unlock()
            raise

    def _train(self, recorder: Recorder) -> None:
        trainer = recorder.trainer
        reporter = _Reporter(self, trainer)
        self._take_changes(recorder)
        problem = ""
        try:
            for progress in recorder.train():
                reporter.look(progress)
                if isinstance(progress, EpochDone):
                    self.epoch_done.emit(progress)
                if not self._may_run.is_set():
                    reporter.flush()
                    recorder.pause()
                    self.rested.emit()
                    self._may_run.wait()
                    recorder.goes_on()
                    reporter.resumed()
                self._take_changes(recorder)
                if self._stopping:
                    break
        except DivergedError as error:
            problem = str(error)
        reporter.flush()
        if trainer.best is None or (trainer.best.epoch == 0 and (problem or trainer.step == 0)):
            recorder.discard()
            self.failed.emit(problem) if problem else self.finished.emit(None)
            return
        if self._stopping and self._testing and not problem:
            recorder.checkpoint()
        result = None if problem else self._conclude(recorder)
        if result is None and not problem:
            recorder.pause()
        self.save_problem = recorder.problem
        saved = recorder.run is not None and not recorder.problem and recorder.run.weights_path.exists()
        path = recorder.run.weights_path if recorder.run is not None and saved else None
        self.finished.emit(TrainingOutcome(recorder.weights, path, result, problem))

    def _conclude(self, recorder: Recorder) -> Result | None:
        """Score on the test set, unless the window closes: the run is then left to be gone on with."""
        if self._stopping and not self._testing:
            return None
        for progress in recorder.conclude(RunStatus.STOPPED if self._stopping else RunStatus.FINISHED):
            if isinstance(progress, EpochDone):
                self.epoch_done.emit(progress)
            if isinstance(progress, Result):
                return progress
            if self._stopping and not self._testing:
                return None
        return None

    def _take_changes(self, recorder: Recorder) -> None:
        while not self._changes.empty():
            try:
                recorder.change(self._changes.get())
            except DigitpadError as error:
                self.refused.emit(str(error))
            else:
                self.changed.emit(recorder.trainer.changes[-1], recorder.trainer.recipe)

    def _tell_not_saved(self, problem: str) -> None:
        self.save_problem = problem
        self.not_saved.emit(problem)


class _StoppedError(Exception):
    """Told to stop before there was anything to train on."""


class _Reporter:
    """Gathers steps and reports them a few times a second."""

    def __init__(self, thread: TrainingThread, trainer: Trainer) -> None:
        self._thread, self._trainer = thread, trainer
        self._losses: list[float] = []
        self._images = 0
        self._rate = self._dead = 0.0
        self._since = time.monotonic()

    def look(self, progress: object) -> None:
        if isinstance(progress, StepDone):
            self._losses.append(progress.loss)
            self._images += progress.n_images
        elif isinstance(progress, EpochDone) and self._trainer.batch is not None:
            self._dead = dead_share(self._trainer.network, self._trainer.batch)
        if time.monotonic() - self._since >= REPORT_SECONDS and not isinstance(progress, EvaluationProgress):
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
        batch = np.zeros((0, 28, 28), np.uint8) if trainer.batch is None else trainer.batch[:N_PICTURES].copy()
        self._thread.reported.emit(
            TrainingReport(
                first_step,
                tuple(self._losses),
                trainer.n_steps,
                self._rate,
                seconds_left,
                pinned,
                answer,
                TrainingSnapshot(weight_pictures(trainer.network), batch),
                self._dead,
                trainer.class_names,
            )
        )
        self._losses.clear()
        self._images = 0
        self._since = time.monotonic()
