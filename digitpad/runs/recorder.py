"""Recorder: training that saves its log and checkpoints, so that an interrupted run can be resumed."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import numpy as np

from digitpad import __version__
from digitpad.datasets.dataset import Dataset
from digitpad.errors import DigitpadError, RunError, reason
from digitpad.runs.run import Run, RunStatus, RunSummary
from digitpad.runs.run_log import RunLog
from digitpad.runs.trained_weights import weights_of
from digitpad.system import blas_threads
from digitpad.training.events import EpochDone, Progress, Result, StepDone
from digitpad.training.trainer import DivergedError, Trainer
from digitpad.weights.native_format import Weights

CHECKPOINT_S = 10.0
LOG_S = 1.0


class Recorder:
    """Recorder of a training run: iterates a trainer and writes to the run's folder; unlocks the run on `close`.

    If a file cannot be written, for example on a full disk, training continues, older files stay unchanged, and the
    next checkpoint tries again.

    Parameters
    ----------
    trainer : Trainer
    run : Run or None
        A locked run. With None nothing is written, for example if the user's folder is not writable.
    dataset : Dataset
    tell : callable
        Receives the message of a write error: once, and again only after a write has succeeded.

    Attributes
    ----------
    problem : str
        Latest write error; empty if everything is on disk.
    """

    def __init__(
        self, trainer: Trainer, run: Run | None, dataset: Dataset, tell: Callable[[str], None] = lambda problem: None
    ) -> None:
        self.trainer, self.run = trainer, run
        self.problem = ""
        self._dataset = dataset
        self._tell = tell
        self._log = None if run is None else RunLog(run.log_path)
        self._losses: list[float] = []
        self._logged_at = self._saved_at = time.monotonic()
        self._result: Result | None = None
        self._weights_due = self._concluding = self._ended = False
        self._add(
            "begun",
            step=trainer.step,
            n_epochs=len(trainer.history),
            n_changes=len(trainer.changes),
            digitpad=__version__,
            n_threads=trainer.n_threads,
            blas_threads=blas_threads.thread_count(),
        )
        self._summarize(RunStatus.RUNNING)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def weights(self) -> Weights:
        """Best weights so far; after `conclude`, the final weights."""
        return weights_of(self.trainer, self._dataset, self._result)

    def train(self) -> Iterator[Progress]:
        """Iterate `Trainer.train`, and record its progress."""
        try:
            for progress in self.trainer.train():
                self._note(progress)
                yield progress
        except DivergedError as error:
            self._try(lambda run, log: run.delete_checkpoint(self.trainer.step))
            self._end(RunStatus.DIVERGED, str(error))
            raise

    def conclude(self, status: RunStatus = RunStatus.FINISHED) -> Iterator[Progress]:
        """Iterate `Trainer.conclude`, then set the status; it is paused if the weights cannot be written."""
        self._concluding = True
        for progress in self.trainer.conclude():
            if isinstance(progress, EpochDone):
                self._note_epoch(progress)
            elif isinstance(progress, Result):
                self._result = progress
                self._try(self._save_result)
                # A run without its weights on disk is not finished; resuming concludes it again.
                self._end(RunStatus.PAUSED, self.problem) if self.problem else self._end(status)
            yield progress

    def pause(self) -> None:
        """Save everything, so that this or another process can resume the run later."""
        self.checkpoint()
        self._end(RunStatus.PAUSED)

    def resume(self) -> None:
        """Mark the run as running again after `pause`."""
        self._ended = False
        self._saved_at = time.monotonic()
        self._summarize(RunStatus.RUNNING)

    def change(self, settings: Mapping[str, Any]) -> None:
        """Call `Trainer.change`, and save the change before the next step."""
        change = self.trainer.change(settings)
        self._flush()
        self._add("change", **dataclasses.asdict(change))
        self.checkpoint()

    def checkpoint(self) -> None:
        """Save the log and a checkpoint; no checkpoint while concluding, or if parameters are not finite."""
        self._saved_at = time.monotonic()
        self._flush()
        if not self._concluding and np.isfinite(self.trainer.network.parameters).all():
            self._try(self._save_all)

    def discard(self) -> None:
        """Delete the run if no step was taken."""
        if self.run is not None and self.trainer.step == 0:
            self.close()
            self.run.remove()
            self.run = None

    def close(self) -> None:
        """Write the rest of the log, close it, and unlock the run."""
        self._flush()
        if self.run is not None and self._log is not None:
            self._log.close()
            self.run.unlock()

    def _note(self, progress: Progress) -> None:
        if isinstance(progress, StepDone):
            self._losses.append(progress.loss)
            now = time.monotonic()
            if now - self._saved_at >= CHECKPOINT_S:
                self.checkpoint()
            elif now - self._logged_at >= LOG_S:
                self._flush()
        elif isinstance(progress, EpochDone):
            self._note_epoch(progress)
            self.checkpoint()

    def _note_epoch(self, epoch: EpochDone) -> None:
        self._flush()
        self._add("epoch", epoch=dataclasses.asdict(epoch), seconds=self.trainer.seconds)
        self._weights_due |= epoch.is_best and epoch.epoch > 0
        self._summarize(RunStatus.RUNNING)

    def _flush(self) -> None:
        self._logged_at = time.monotonic()
        if not self._losses:
            return
        losses, self._losses = self._losses, []
        first = self.trainer.step - len(losses) + 1
        self._add("steps", first=first, losses=losses, seconds=self.trainer.seconds)

    def _save_all(self, run: Run, log: RunLog) -> None:
        if self._weights_due:
            self._save_weights(run, log)
        run.save_checkpoint(self.trainer.state())
        log.sync()
        self.problem = ""

    def _save_result(self, run: Run, log: RunLog) -> None:
        self._save_weights(run, log)
        self.problem = ""

    def _save_weights(self, run: Run, log: RunLog) -> None:
        self.weights.save(run.weights_path)
        self._weights_due = False

    def _add(self, kind: str, **values: Any) -> None:
        self._try(lambda run, log: log.add(kind, **values))

    def _end(self, status: RunStatus, problem: str = "") -> None:
        if not self._ended:
            self._ended = True
            self._flush()
            self._summarize(status, problem)

    def _summarize(self, status: RunStatus, problem: str = "") -> None:
        trainer, best, result = self.trainer, self.trainer.best, self._result
        summary = RunSummary(
            status,
            epoch=trainer.history[-1].epoch if trainer.history else 0,
            n_epochs=trainer.recipe.training.epochs,
            step=trainer.step,
            n_steps=trainer.n_steps,
            seconds=trainer.seconds,
            validation_accuracy=None if best is None else best.validation.accuracy,
            test_accuracy=None if result is None else result.test.accuracy,
            problem=problem,
        )
        self._try(lambda run, log: run.write_summary(summary))

    def _try(self, write: Callable[[Run, RunLog], None]) -> None:
        if self.run is None or self._log is None:
            return
        try:
            write(self.run, self._log)
        except (DigitpadError, OSError) as error:
            message = str(error if isinstance(error, DigitpadError) else RunError(self.run.log_path, reason(error)))
            if not self.problem:
                self._tell(message)
            self.problem = message
