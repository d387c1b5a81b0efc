"""What comes out of a training, as weights that say where they come from, kept where no other run's are."""

import dataclasses
import secrets
from datetime import datetime
from pathlib import Path

from digitpad import folders
from digitpad.datasets.dataset import Dataset
from digitpad.training.loop import Result, Trainer
from digitpad.weights.weights import Weights, provenance


def weights_of(trainer: Trainer, dataset: Dataset, result: Result | None = None) -> Weights:
    """The best weights that a training has come to; with its result, also how good they are on the test set."""
    best = trainer.best
    about = {
        "recipe": trainer.recipe.to_dict(),
        "data": {"name": dataset.name, "sha256": dataset.sha256},
        "history": [dataclasses.asdict(epoch) for epoch in trainer.history],
        **provenance(),
    }
    if best is not None:
        about |= {"epoch": best.epoch, "validation_accuracy": best.validation.accuracy}
    if result is not None:
        about |= {
            "test_accuracy": result.test.accuracy,
            "test_loss": result.test.loss,
            "test_n": result.test.n,
            "seconds": result.seconds,
        }
        if result.sure_above is not None:
            about["sure_above"] = result.sure_above
    return Weights(
        name=f"{trainer.recipe.name}.npz",
        architecture=trainer.network.architecture(),
        parameters=trainer.best_parameters,
        about=about,
    )


def new_run_path(recipe_name: str) -> Path:
    """A file of its own for a training's weights, in the user's folder, named by when and what."""
    folder = folders.made(folders.user_data() / "runs")
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in recipe_name)
    safe = safe.encode()[:100].decode(errors="ignore")  # a file's name has room for 255 bytes
    # The last part keeps two that begin in the same second apart.
    return folder / f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{safe}-{secrets.token_hex(3)}.npz"
