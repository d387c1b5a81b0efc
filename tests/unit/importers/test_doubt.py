"""Tests of the note on imported networks that recognise few digits."""

from pathlib import Path

import numpy as np

from digitpad.importers.open_file import infer_import
from tests.unit.importers.strangers import Trained, numbered, save_npz


def test_inaccurate_network_is_doubted(shallow: Trained, tmp_path: Path) -> None:
    """The doubt is stored with the weights, for the command line and the window; a good network has none."""
    rng = np.random.default_rng(1)
    path = save_npz(tmp_path / "a.npz", {"W1": rng.normal(size=(784, 12)), "W2": rng.normal(size=(12, 10))})
    result = infer_import(path)
    assert "reads only" in result.doubt
    assert result.weights().about["doubt"] == result.doubt
    good = infer_import(save_npz(tmp_path / "b.npz", numbered(shallow, "W{}", "b{}")))
    assert good.doubt == ""
    assert "doubt" not in good.weights().about
