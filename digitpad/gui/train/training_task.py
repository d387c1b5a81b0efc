"""Training as a task: a generator that yields progress about ten times a second and returns the outcome.

What it yields is frozen or a copy; the network in training never leaves its thread.
"""

import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.errors import DigitpadError
from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.gui.tasks.task import TaskCancelledError, report
from digitpad.runs.recorder import Recorder
from digitpad.runs.run import Run, RunStatus
from digitpad.runs.run_log import RunHistory
from digitpad.system import blas_threads
from digitpad.training.events import EpochDone, Result, SettingChange, StepDone
from digitpad.training.hints import dead_share
from digitpad.training.recipe import Recipe
from digitpad.training.snapshots import N_PICTURES, TrainingSnapshot, weight_pictures
from digitpad.training.trainer import DivergedError, Trainer
from digitpad.training.training_data import load_training_data, n_drawings
from digitpad.weights.native_format import Weights

REPORT_SECONDS = 0.1


@dataclass(frozen=True)
class TrainingReport:
    """Progress of a training since the report before.

    ``losses`` belong to the steps ``first_step``, ``first_step + 1``, …. ``answer`` holds the probability of each of
    ``class_names`` for ``pinned``, the digit on the pad. ``seconds_left`` is None until it is known. ``dead`` is the
    share of units that never fired in the last epoch.
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
        """The last step that is complete."""
        return self.first_step + len(self.losses) - 1


@dataclass(frozen=True)
class TrainingStart:
    """A training starts or resumes: the name and history of its run, and its recipe."""

    name: str
    recipe: Recipe
    steps_per_epoch: int
    history: RunHistory


@dataclass(frozen=True)
class TrainingOutcome:
    """Final result of a training.

    Attributes
    ----------
    weights : Weights
        The best weights.
    path : Path or None
        Their file; None if they could not be saved.
    result : Result or None
        Scores on the test set; None if the training was paused.
    problem : str
        Why the training ended early by itself; empty if it did not.
    """

    weights: Weights
    path: Path | None
    result: Result | None
    problem: str = ""


@dataclass(frozen=True)
class Preparing:
    """Drawings to train on are being generated: how many, of how many."""

    done: int
    total: int


@dataclass(frozen=True)
class SettingsChanged:
    """Settings have changed: the change, and the recipe since."""

    change: SettingChange
    recipe: Recipe


@dataclass(frozen=True)
class ChangeRefused:
    """Settings did not change."""

    reason: str


@dataclass(frozen=True)
class NotSaved:
    """The run could not be written; training continues."""

    reason: str


TrainingEvent = Preparing | TrainingStart | TrainingReport | EpochDone | SettingsChanged | ChangeRefused | NotSaved
"""What `train` yields."""


class TrainingControl:
    """Steers a training from another thread."""

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self.may_run = threading.Event()
        self.may_run.set()
        self.changes: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
        if settings:
            self.changes.put(settings)
        self.stopping = False
        self.scores_test_set = True
        self.pinned: NDArray[np.uint8] | None = None
        self.save_problem = ""  # why the run is not on disk

    def pause(self) -> None:
        """Pause after the batch under way."""
        self.may_run.clear()

    def resume(self) -> None:
        """Resume after a pause."""
        self.may_run.set()

    def change(self, settings: Mapping[str, Any]) -> None:
        """Change settings, by their dotted keys, from the next step on."""
        self.changes.put(settings)

    def stop(self, *, scores_test_set: bool = True) -> None:
        """End after the batch under way; without scoring on the test set, the run is left paused."""
        self.scores_test_set = scores_test_set
        self.stopping = True
        self.may_run.set()

    def pin(self, image: NDArray[np.uint8] | None) -> None:
        """Read this image, uint8 of shape (28, 28), for each report; the caller must not change it."""
        self.pinned = image


def train(
    recipe: Recipe, control: TrainingControl, resumed: Run | None = None
) -> Generator[TrainingEvent, None, TrainingOutcome | None]:
    """Train by a recipe, or resume a run; return None if nothing was learnt.

    Raises
    ------
    DigitpadError
        If training cannot start, or diverges before there are weights.
    """
    known = None if resumed is None else resumed.about.get("blas_threads")
    n_threads = known if isinstance(known, int) and known > 0 else blas_threads.thread_count()
    with blas_threads.limited_to(n_threads):  # another number gives other bits
        try:
            recorder, start = _prepare(recipe, control, resumed)
        except TaskCancelledError:
            return None
        with recorder:
            if recorder.run is None:
                yield NotSaved(control.save_problem)
            yield start
            return (yield from _run(recorder, control))


def _prepare(recipe: Recipe, control: TrainingControl, run: Run | None) -> tuple[Recorder, TrainingStart]:
    """Load the dataset and make the run; without one, training works where the user's folder cannot be written."""

    def check(n: int) -> None:
        control.may_run.wait()
        if control.stopping:
            raise TaskCancelledError
        if n % 100 == 0 and (total := n_drawings(recipe)):  # 0 while a dataset is read
            report(Preparing(n, total))

    def note(problem: str) -> None:
        control.save_problem = problem
        report(NotSaved(problem))

    if run is not None:
        run.lock()
    try:
        dataset = load_training_data(recipe, check)
        trainer = Trainer(recipe, dataset) if run is None else run.resume(dataset)
        history = RunHistory() if run is None else run.history()
        history.truncate(trainer.step, len(trainer.history), len(trainer.changes))
        if run is None:
            try:
                run = Run.create(recipe, dataset, trainer.n_threads)
            except DigitpadError as error:
                control.save_problem = str(error)
        name = recipe.name if run is None else run.name
        start = TrainingStart(name, trainer.recipe, trainer.steps_per_epoch, history)
        return Recorder(trainer, run, dataset, note), start
    except BaseException:
        if run is not None:
            run.unlock()
        raise


def _run(recorder: Recorder, control: TrainingControl) -> Generator[TrainingEvent, None, TrainingOutcome | None]:
    trainer = recorder.trainer
    reporter = _Reporter(trainer, control)
    yield from _take_changes(recorder, control)
    problem = ""
    try:
        for progress in recorder.train():
            yield from reporter.look(progress)
            if isinstance(progress, EpochDone):
                yield progress
            if not control.may_run.is_set():
                yield from reporter.flush()
                recorder.pause()
                control.may_run.wait()
                recorder.resume()
                reporter.resumed()
            yield from _take_changes(recorder, control)
            if control.stopping:
                break
    except DivergedError as error:
        problem = str(error)
    yield from reporter.flush()
    if trainer.best is None or (trainer.best.epoch == 0 and (problem or trainer.step == 0)):
        recorder.discard()
        if problem:
            raise DigitpadError(problem)
        return None
    if control.stopping and control.scores_test_set and not problem:
        recorder.checkpoint()
    result = None if problem else (yield from _conclude(recorder, control))
    if result is None and not problem:
        recorder.pause()
    control.save_problem = recorder.problem
    saved = recorder.run is not None and not recorder.problem and recorder.run.weights_path.exists()
    path = recorder.run.weights_path if recorder.run is not None and saved else None
    weights = recorder.weights
    if recorder.run is not None:
        weights = replace(weights, name=recorder.run.name)
    return TrainingOutcome(weights, path, result, problem)


def _conclude(recorder: Recorder, control: TrainingControl) -> Generator[TrainingEvent, None, Result | None]:
    """Score on the test set, unless the window closes: the run is then left paused."""
    if control.stopping and not control.scores_test_set:
        return None
    for progress in recorder.conclude(RunStatus.STOPPED if control.stopping else RunStatus.FINISHED):
        if isinstance(progress, EpochDone):
            yield progress
        if isinstance(progress, Result):
            return progress
        if control.stopping and not control.scores_test_set:
            return None
    return None


def _take_changes(recorder: Recorder, control: TrainingControl) -> Generator[TrainingEvent, None, None]:
    while not control.changes.empty():
        try:
            recorder.change(_not_before_now(control.changes.get(), recorder.trainer))
        except DigitpadError as error:
            yield ChangeRefused(str(error))
        else:
            yield SettingsChanged(recorder.trainer.changes[-1], recorder.trainer.recipe)


def _not_before_now(settings: Mapping[str, Any], trainer: Trainer) -> Mapping[str, Any]:
    """Return the settings with no fewer epochs than have begun, so that training ends with the current epoch."""
    epochs = settings.get("training.epochs")
    if not isinstance(epochs, int) or epochs < 1:  # refused elsewhere
        return settings
    return {**settings, "training.epochs": max(epochs, -(-trainer.step // trainer.steps_per_epoch))}


class _Reporter:
    """Gathers steps into reports, a few a second."""

    def __init__(self, trainer: Trainer, control: TrainingControl) -> None:
        self._trainer, self._control = trainer, control
        self._losses: list[float] = []
        self._images = 0
        self._rate = self._dead = 0.0
        self._since = time.monotonic()

    def look(self, progress: object) -> Generator[TrainingReport, None, None]:
        if isinstance(progress, StepDone):
            self._losses.append(progress.loss)
            self._images += progress.n_images
        elif isinstance(progress, EpochDone) and self._trainer.batch is not None:
            self._dead = dead_share(self._trainer.network, self._trainer.batch)
        if time.monotonic() - self._since >= REPORT_SECONDS and not isinstance(progress, EvaluationProgress):
            yield from self.flush()

    def resumed(self) -> None:
        """Leave the pause out of the speed."""
        self._since = time.monotonic()

    def flush(self) -> Generator[TrainingReport, None, None]:
        if not self._losses:
            return
        seconds = max(time.monotonic() - self._since, 1e-6)
        rate = self._images / seconds
        # Smoothed over about two seconds, so that the figure can be read.
        self._rate = rate if self._rate == 0 else self._rate + (rate - self._rate) * min(1, seconds / 2)
        trainer = self._trainer
        steps_left = max(0, trainer.n_steps - trainer.step)
        seconds_left = steps_left * trainer.recipe.training.batch_size / self._rate if self._rate else None
        pinned = self._control.pinned
        answer = None if pinned is None else tuple(trainer.read(pinned).tolist())
        first_step = trainer.step - len(self._losses) + 1
        batch = np.zeros((0, 28, 28), np.uint8) if trainer.batch is None else trainer.batch[:N_PICTURES].copy()
        progress = TrainingReport(
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
        self._losses.clear()
        self._images = 0
        self._since = time.monotonic()
        yield progress
