"""Evaluation as a task: one or two networks on the same images."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from digitpad.evaluation.assessment import Assessment, assess
from digitpad.evaluation.feature_map import FeatureMap, feature_map
from digitpad.evaluation.metrics import EvaluationProgress, align_labels
from digitpad.evaluation.parallel_predictor import scale_progress
from digitpad.evaluation.robustness import Robustness, n_readings, robustness
from digitpad.evaluation.significance import Comparison, compare
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.evaluate.image_atlas import ImageAtlas
from digitpad.weights.native_format import Weights


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """Result of an evaluation.

    Attributes
    ----------
    assessments : tuple of Assessment
        One for each network.
    comparison : Comparison or None
        Comparison of two networks.
    feature_map : FeatureMap
        Feature map of the first network.
    atlas : ImageAtlas
        The images.
    """

    assessments: tuple[Assessment, ...]
    comparison: Comparison | None
    feature_map: FeatureMap
    atlas: ImageAtlas

    @property
    def name(self) -> str:
        """Names of the networks and the dataset."""
        first = self.assessments[0]
        names = " and ".join(assessment.weights.name for assessment in self.assessments)
        return f"{names} on {first.data}, {first.part_images}"


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
        align_labels(dataset, weights)
    digits = getattr(dataset, part)
    total = len(digits) * len(all_weights)
    assessments: list[Assessment] = []
    for weights in all_weights:
        work = assess(weights, dataset, part, n_threads)
        assessments.append((yield from scale_progress(work, len(digits) * len(assessments), total)))
    return EvaluationResult(
        assessments=tuple(assessments),
        comparison=compare(assessments[0].right, assessments[1].right) if len(assessments) > 1 else None,
        feature_map=feature_map(assessments[0].features),
        atlas=ImageAtlas(digits.images),
    )


def robustness_of(
    assessments: tuple[Assessment, ...], n_threads: int
) -> Generator[EvaluationProgress, None, tuple[Robustness, ...]]:
    """Measure the accuracy of each network on distorted images."""
    results: list[Robustness] = []
    n = n_readings(len(assessments[0].digits))
    for place, assessment in enumerate(assessments):
        work = robustness(assessment.weights, assessment.digits, n_threads)
        results.append((yield from scale_progress(work, n * place, n * len(assessments))))
    return tuple(results)
