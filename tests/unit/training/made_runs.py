"""Create run folders with chosen metrics, without training."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from digitpad.evaluation.metrics import Scores
from digitpad.runs.run import Run, RunStatus, RunSummary, runs_folder
from digitpad.runs.run_log import RunLog
from digitpad.system import user_folders
from digitpad.training.events import EpochDone
from tests.unit.training.small import small_recipe

STEPS = 4  # per epoch
_numbers = count()


def made_run(name: str = "small", status: RunStatus = RunStatus.FINISHED, n_epochs: int = 3, **settings: Any) -> Run:
    """Create a run, by default of three epochs of four steps; its loss is 2 and halves with each step.

    ``settings`` are dotted keys with ``__`` for each dot. Each run starts an hour after the previous one.
    """
    recipe = dataclasses.replace(small_recipe(**settings), name=name)
    number = next(_numbers)
    started = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    folder = user_folders.ensure_folder(runs_folder() / f"{started:%Y-%m-%d-%H%M%S}-{name}-{number:06x}")
    about = {
        "recipe": recipe.to_dict(), "data": {"name": "small", "contents_sha256": "0" * 64}, "n_threads": 1,
        "blas_threads": 1, "digitpad": "0.1.0", "date": started.isoformat(),
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(about))
    run = Run.open(folder)
    log = RunLog(run.log_path)
    log.add("begun", step=0, n_epochs=0, n_changes=0)
    log.add("epoch", epoch=_epoch(0, 0.1), seconds=0.5)
    for epoch in range(1, n_epochs + 1):
        first = (epoch - 1) * STEPS + 1
        log.add("steps", first=first, losses=[2.0 * 0.5**step for step in range(first, first + STEPS)], seconds=epoch)
        log.add("epoch", epoch=_epoch(epoch, 1 - 0.5**epoch), seconds=epoch + 0.25)
    log.close()
    concluded = status in (RunStatus.FINISHED, RunStatus.STOPPED)
    run.write_summary(
        RunSummary(
            RunStatus.RUNNING if status is RunStatus.CUT_OFF else status,
            epoch=n_epochs,
            n_epochs=recipe.training.epochs,
            step=n_epochs * STEPS,
            n_steps=recipe.training.epochs * STEPS,
            seconds=n_epochs + 0.25,
            validation_accuracy=1 - 0.5**n_epochs,
            test_accuracy=1 - 0.5**n_epochs - 0.01 if concluded else None,
        )
    )
    return run


def _epoch(epoch: int, accuracy: float) -> dict[str, Any]:
    training, validation = Scores(accuracy + 0.01, 1 - accuracy, 10), Scores(accuracy, 1.1 - accuracy, 10)
    return dataclasses.asdict(EpochDone(epoch, epoch * STEPS, training, validation, is_best=True))
