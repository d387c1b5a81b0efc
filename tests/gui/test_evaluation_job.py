from pathlib import Path

import pytest

from digitpad.errors import DigitpadError
from digitpad.gui.evaluation_job import evaluation
from digitpad.training.evaluation import finished
from digitpad.weights.weights import Weights
from tests.datasets.idx_files import random_digits, write_folder


def test_digits_alone_are_shown(shipped: Weights, tmp_path: Path) -> None:
    """Of other classes it is told where they are scored, before anything is read."""
    folder = write_folder(tmp_path / "fashion", random_digits(60), random_digits(20))
    with pytest.raises(DigitpadError, match=r"fashion: is of T-shirt/top, .*; digits alone are shown here"):
        finished(evaluation([shipped], str(folder), "test", 1))
