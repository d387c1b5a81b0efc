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
    """All that the tab shows.

    Attributes
    ----------
    made : tuple of Assessment
        Of one set of weights, or of two.
    comparison : Comparison, optional
        Of the two.
    places : FeatureMap
        Of the first.
    sheet : DigitSheet
    """

    made: tuple[Assessment, ...]
    comparison: Comparison | None
    places: FeatureMap
    sheet: ImageAtlas

    @property
    def name(self) -> str:
        """What was read by what."""
        first = self.made[0]
        names = " and ".join(one.weights.name for one in self.made)
        return f"{names} on {first.data}, {first.part} {first.images}"


Opener = Callable[[Path, DatasetLoader], Weights]
"""What loads weights of any kind; the data is there to find out how they are meant."""


def evaluation(
    chosen: list[Weights | Path], open_weights: Opener, data: DatasetLoader, part: str, n_threads: int
) -> Generator[EvaluationProgress, None, EvaluationResult]:
    """Load what is to be loaded, and assess."""
    yield EvaluationProgress(0, 1)
    dataset = data.get()
    all_weights = [one if isinstance(one, Weights) else open_weights(one, data) for one in chosen]
    for one in all_weights:  # before anything is read
        relabelled(dataset, one)
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
    """How each set of weights reads changed digits."""
    results: list[Robustness] = []
    n = n_readings(len(made[0].digits))
    for place, one in enumerate(made):
        work = robustness(one.weights, one.digits, n_threads)
        results.append((yield from scale_progress(work, n * place, n * len(made))))
    return tuple(results)
