import json
from pathlib import Path

import numpy as np
import pytest

from digitpad.training.loop import Trainer
from digitpad.training.run import new_run_path, weights_of
from digitpad.weights.weights import load_weights
from tests.training.small import result, small_dataset, small_recipe


def test_weights_say_where_they_come_from(tmp_path: Path) -> None:
    """Recipe, data, history and scores are kept, and survive the file."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    outcome = result(trainer.run())
    weights = weights_of(trainer, dataset, outcome)
    weights.save(tmp_path / "x.npz")
    about = load_weights(tmp_path / "x.npz").about
    assert weights.name == "small.npz"
    assert weights.test_accuracy == about["test_accuracy"] == outcome.test.accuracy
    assert about["recipe"] == json.loads(json.dumps(trainer.recipe.to_dict()))
    assert about["data"] == {"name": "small", "sha256": dataset.sha256}
    assert [epoch["epoch"] for epoch in about["history"]] == [0, 1, 2, 3]
    assert about["epoch"] == outcome.best_epoch
    assert about["validation_accuracy"] == outcome.validation.accuracy
    assert (about["test_loss"], about["test_n"]) == (outcome.test.loss, 500)
    assert {"digitpad", "numpy", "blas_threads", "date"} <= about.keys()


def test_weights_are_those_of_the_best_epoch() -> None:
    """Taken while training, they are the best so far, and claim nothing of a test set."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    run = trainer.run()
    while trainer.step < 50:
        next(run)
    weights = weights_of(trainer, dataset)
    np.testing.assert_array_equal(weights.parameters, trainer.best_parameters)
    assert not np.array_equal(weights.parameters, trainer.network.parameters)
    assert weights.about["epoch"] == 1
    assert weights.test_accuracy is None


def test_weights_can_be_taken_before_the_first_score() -> None:
    """What a network begins with can be kept, too."""
    dataset = small_dataset()
    trainer = Trainer(small_recipe(), dataset)
    weights = weights_of(trainer, dataset)
    np.testing.assert_array_equal(weights.parameters, trainer.network.parameters)
    assert weights.about["history"] == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_runs_are_kept_in_the_users_folder(home: Path) -> None:
    """Named by when and what, in a folder that is made if need be."""
    path = new_run_path("quick")
    assert path.parent == home / "runs"
    assert path.parent.is_dir()
    assert path.name[:2] == "20"
    assert "-quick" in path.stem
    assert path.suffix == ".npz"


def test_no_two_runs_share_a_path(home: Path) -> None:
    """Within one second, too, each gets a file of its own, whether or not the ones before are saved already."""
    paths = []
    for _ in range(5):
        paths.append(new_run_path("quick"))
        paths[-1].write_bytes(b"")
    assert len(set(paths)) == 5
    assert len({new_run_path("slow") for _ in range(5)}) == 5


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "a b:c*?", "..", "", "x" * 300, "zeile\n2", "七"])
def test_any_recipe_name_makes_a_file_name(home: Path, name: str) -> None:
    """However a recipe is called, its run stays in the folder and can be written."""
    path = new_run_path(name)
    assert path.parent == home / "runs"
    assert path.name.isprintable()
    path.write_bytes(b"")
