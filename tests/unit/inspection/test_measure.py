import numpy as np

from digitpad.datasets.dataset import Dataset, Digits
from digitpad.evaluation.metrics import evaluate, run_to_end
from digitpad.inspection.measure import measure
from tests.unit.inspection.networks import weights


def digits(n: int, seed: int) -> Digits:
    rng = np.random.default_rng(seed)
    return Digits(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8))


def test_accuracies_equal_those_of_an_evaluation() -> None:
    """Both accuracies equal those of an evaluation, for one and two threads, with intermediate results."""
    dataset = Dataset("random", digits(10, 1), digits(450, 2), digits(700, 3), "")
    dense = weights("dense")
    for n_threads in (1, 2):
        results = list(measure(dense, dataset, n_threads))
        assert 0 < results[0].test.n_read < 700
        assert not results[0].is_whole
        final = run_to_end(measure(dense, dataset, n_threads))
        assert final == results[-1]
        assert final.is_whole
        for part, digits_of_part in ((final.validation, dataset.validation), (final.test, dataset.test)):
            assert part.accuracy == evaluate(dense.network(), digits_of_part).accuracy
            assert part.n == len(digits_of_part)
