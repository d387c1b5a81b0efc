"""Results of training: the best weights with their description, and the hash of the training data."""

import dataclasses
import hashlib

from digitpad.datasets.dataset import Dataset
from digitpad.training.events import Result
from digitpad.training.trainer import Trainer
from digitpad.weights.native_format import Weights, provenance


def weights_of(trainer: Trainer, dataset: Dataset, result: Result | None = None) -> Weights:
    """Return the best weights so far; with a result, their description includes the test scores."""
    best = trainer.best
    about = {
        "recipe": trainer.recipe.to_dict(),
        "data": {"name": dataset.name, "sha256": dataset.sha256},
        "history": [dataclasses.asdict(epoch) for epoch in trainer.history],
        **provenance(),
    }
    if trainer.changes:
        about["changes"] = [dataclasses.asdict(change) for change in trainer.changes]
    if best is not None:
        about |= {"epoch": best.epoch, "validation_accuracy": best.validation.accuracy}
    if result is not None:
        about |= {
            "test_accuracy": result.test.accuracy,
            "test_loss": result.test.loss,
            "test_n": result.test.n,
            "seconds": result.seconds,
        }
        if result.confidence_threshold is not None:
            about["sure_above"] = result.confidence_threshold
    return Weights(
        name=f"{trainer.recipe.name}.npz",
        architecture=trainer.network.architecture(),
        parameters=trainer.best_parameters,
        about=about,
        class_names=dataset.class_names,
    )


def contents_sha256(dataset: Dataset) -> str:
    """Return the SHA-256 of all images and labels that training uses, including synthetic drawings."""
    digest = hashlib.sha256()
    for digits in (dataset.training, dataset.validation, dataset.test):
        for array in (digits.images, digits.labels):
            digest.update(array.tobytes() if not array.flags.c_contiguous else array.data)
    return digest.hexdigest()
