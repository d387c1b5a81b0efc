"""Tests of files from PyTorch, its ONNX exporters, scikit-learn and joblib, made by `made_files/make_files.py`."""

import json
from pathlib import Path
from typing import Any

import pytest

from digitpad.importers.open_file import infer_import

_FOLDER = Path(__file__).parent / "made_files"
TRUTH: dict[str, dict[str, Any]] = json.loads((_FOLDER / "truth.json").read_text())


@pytest.mark.parametrize("name", TRUTH)
def test_accuracy_equals_that_of_the_framework(name: str) -> None:
    """The accuracy is within 0.5 points of the framework's own on the same digits, and the convention is correct.

    The probe set has 1,000 digits; large networks are tested on fewer.
    """
    truth = TRUTH[name]
    result = infer_import(_FOLDER / name)
    convention = result.chosen.convention
    assert (convention.activation, convention.scaling) == (truth["activation"], truth["scaling"])
    assert result.chosen.accuracy == pytest.approx(truth["accuracy"], abs=0.005)
