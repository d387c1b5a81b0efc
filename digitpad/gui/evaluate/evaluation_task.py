"""Evaluation as a task: one or two networks on the same images."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from digitpad.evaluation.assessment import Assessment, assess
from digitpad.evaluation.feature_map import FeatureMap, feature_map
from digitpad.evaluation.metrics import EvaluationProgress, relabelled
from digitpad.evaluation.parallel_predictor import scale_progress
from digitpad.evaluation.robustness import Robustness, n_readings, robustness
from digitpad.evaluation.significance import Comparison, compare
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.widgets.image_atlas import ImageAtlas
from digitpad.weights.native_format import Weights


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """Result of an evaluation.

    Attributes
    ----------
    made : tuple of Assessment
        One for each network.
    comparison : Comparison or None
        Comparison of two networks.
    places : FeatureMap
        Feature map of the first network.
    sheet : ImageAtlas
        The images.
    """

    made: tuple[Assessment, ...]
    comparison: Comparison | None
    places: FeatureMap
    sheet: ImageAtlas

    @property
    def name(self) -> str:
        """Names of the networks and the dataset."""
        first = self.made[0]
        names = " and ".join(assessment.weights.name for assessment in self.made)
        return f"{names} on {first.data}, {first.part} {first.images}"


Opener = Callable[[Path, DatasetLoader], Weights]
"""Opens a network file of any kind; the dataset tests the import options."""


def evaluation(
    chosen: list[Weights | Path], open_weights: Opener, data: DatasetLoader, part: str, n_threads: int
) -> Generator[EvaluationProgress, None, EvaluationResult]:
    """Load the networks and the dataset, and evaluate."""
    yield EvaluationProgress(0, 1)
    dataset = data.get()
    all_weights = [source if isinstance(source, Weights) else open_weights(source, data) for source in chosen]
    for weights in all_weights:  # raises an error before anything is evaluated
        relabelled(dataset, weights)
    digits = getattr(dataset, part)
    total = len(digits) * len(all_weights)
    made: list[Assessment] = []
    for weights in all_weights:
        work = assess(weights, dataset, part, n_threads)
        made.append((yield from scale_progress(work, len(digits) * len(made), total)))
    return EvaluationResult(
        made=tuple(made),
        comparison=compare(made[0].right, made[1].right) if len(made) > 1 else None,
        places=feature_map(made[0].features),
        sheet=ImageAtlas(digits.images),
    )


def robustness_of(
    made: tuple[Assessment, ...], n_threads: int
) -> Generator[EvaluationProgress, None, tuple[Robustness, ...]]:
    """Measure the accuracy of each network on distorted images."""
    results: list[Robustness] = []
    n = n_readings(len(made[0].digits))
    for place, one in enumerate(made):
        work = robustness(one.weights, one.digits, n_threads)
        results.append((yield from scale_progress(work, n * place, n * len(made))))
    return tuple(results)
