import dataclasses
from pathlib import Path

import numpy as np
import pytest

from digitpad.errors import FileError
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.training.adaptation.records import AdaptationResult, AdaptationScores
from digitpad.training.adaptation.versions import keep_version, list_versions, versions_folder
from digitpad.weights.native_format import Weights


def adapted(seed: int) -> AdaptationResult:
    """Return the result of an adaptation that changed every parameter."""
    network = Network(feedforward([8]))
    network.initialize(np.random.default_rng(seed))
    base = Weights("base", network.architecture(), network.parameters)
    scores = AdaptationScores(0.5, 0.99, 10)
    about = {"adapted": {"from": "base", "n_drawings": seed, "before": dataclasses.asdict(scores)}}
    weights = Weights("base", base.architecture, base.parameters + np.float32(1), about)
    return AdaptationResult(weights, base, scores, scores, (), ())


def test_versions_are_listed_and_rolled_back() -> None:
    """Each version loads its network, and can be rolled back to the version before it."""
    assert list_versions() == []
    kept = [keep_version(adapted(seed)) for seed in (1, 2)]
    assert sorted(version.id for version in list_versions()) == sorted(version.id for version in kept)
    for seed, version in zip((1, 2), kept, strict=True):
        np.testing.assert_array_equal(version.load().parameters, adapted(seed).weights.parameters)
        np.testing.assert_array_equal(version.roll_back().parameters, adapted(seed).base.parameters)
        assert version.facts()["n_drawings"] == seed
    kept[0].delete()
    assert list_versions() == [kept[1]]


def test_interrupted_version_is_ignored() -> None:
    """A folder without the adapted network is not a version."""
    version = keep_version(adapted(1))
    version.path.unlink()
    assert list_versions() == []


def test_failed_save_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the network cannot be written, there is no version and no folder."""

    def fail(weights: Weights, path: Path) -> None:
        raise FileError(path, "cannot be written (No space left on device)")

    monkeypatch.setattr(Weights, "save", fail)
    with pytest.raises(FileError, match="No space left"):
        keep_version(adapted(1))
    assert list(versions_folder().iterdir()) == []
