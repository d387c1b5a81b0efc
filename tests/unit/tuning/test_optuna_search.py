import dataclasses
import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from digitpad.datasets.dataset import Dataset
from digitpad.errors import DigitpadError
from digitpad.training.events import EpochDone, Progress
from digitpad.training.search_space import parse_ranges
from digitpad.training.trainer import Trainer
from digitpad.tuning import optuna_search
from digitpad.tuning.optuna_search import HyperparameterSearch
from digitpad.tuning.trials import TrialOutcome, best_of
from tests.unit.training.small import small_dataset, small_recipe

RATES = {"optimizer.learning_rate": "0.000001|0.003"}


class Untouchable:
    """Dataset whose test set raises an error on access."""

    def __init__(self, dataset: Dataset) -> None:
        self.training, self.validation = dataset.training, dataset.validation
        self.name, self.sha256 = dataset.name, dataset.sha256
        self.class_names = dataset.class_names

    @property
    def test(self) -> None:
        raise AssertionError("the test set was read")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'search.db').as_posix()}"


def search(
    url: str | None, ranges: dict[str, str] | None = None, name: str = "small", **settings: Any
) -> HyperparameterSearch:
    recipe = small_recipe(**settings)
    dataset: Any = Untouchable(small_dataset(500))
    return HyperparameterSearch(recipe, parse_ranges(recipe, RATES if ranges is None else ranges), dataset, name, url)


def test_better_of_two_settings_is_found(url: str) -> None:
    """The search finds the better value by validation accuracy; the best recipe has it, without ranges."""
    with search(url) as tuner:
        trials = list(tuner.run(4))
        best = best_of(trials)
        recipe = tuner.best_recipe("best")
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert {trial.state for trial in trials} == {TrialOutcome.DONE}
    assert {trial.epochs for trial in trials} == {3}
    assert best is not None
    assert best.accuracy is not None
    assert best.accuracy > 0.7
    assert best.settings == {"optimizer.learning_rate": 0.003}
    assert recipe == dataclasses.replace(
        small_recipe(optimizer__learning_rate=0.003),
        name="best",
        description=f"small with the best settings of 4 trials: {100 * best.accuracy:.2f}\u00a0% on validation.",
    )
    assert recipe.search == {}


def test_accuracy_is_that_of_the_best_epoch(url: str) -> None:
    """A trial's accuracy is that of its best epoch, even if later epochs are worse."""
    seen: list[tuple[int, Progress]] = []
    with search(url, {"training.seed": "0..5"}, optimizer__learning_rate=0.1, training__epochs=5) as tuner:
        (trial,) = tuner.run(1, on_progress=lambda number, progress: seen.append((number, progress)))
    epochs = [progress for _, progress in seen if isinstance(progress, EpochDone)]
    accuracies = [epoch.validation.accuracy for epoch in epochs[1:]]
    assert {number for number, _ in seen} == {0}
    assert [epoch.epoch for epoch in epochs] == list(range(6))
    assert trial.accuracy == max(accuracies) != accuracies[-1]


def test_poor_trials_are_pruned(url: str) -> None:
    """After five trials, trials below the median stop before the last epoch, and are never the best."""
    with search(url, {"optimizer.learning_rate": "0.000001..0.003:log"}, training__epochs=6) as tuner:
        trials = list(tuner.run(12))
    pruned = [trial for trial in trials if trial.state is TrialOutcome.PRUNED]
    assert {trial.state for trial in trials[:5]} == {TrialOutcome.DONE}
    assert pruned
    assert all(2 <= trial.epochs < 6 and trial.accuracy is not None for trial in pruned)
    best = best_of(trials)
    assert best is not None
    assert best.state is TrialOutcome.DONE


def test_diverging_trials_do_not_end_the_search(url: str) -> None:
    """Diverged trials count but are never the best; if all diverge, there is no best trial."""
    deep: dict[str, Any] = {"optimizer__method": "sgd", "network__hidden": [64] * 6}
    with search(url, {"optimizer.learning_rate": "10|0.003"}, **deep) as tuner:
        trials = list(tuner.run(6))
        assert len(tuner.trials()) == 6
    assert {trial.settings["optimizer.learning_rate"]: trial.state for trial in trials} == {
        10: TrialOutcome.DIVERGED,
        0.003: TrialOutcome.DONE,
    }
    with search(url, {"optimizer.learning_rate": "9.9..10"}, "all", **deep) as tuner:
        assert [trial.state for trial in tuner.run(2)] == [TrialOutcome.DIVERGED] * 2
        assert best_of(tuner.trials()) is None
        assert tuner.best_recipe("best") is None


def test_invalid_combination_counts_as_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial with an invalid combination of settings counts as refused, and the search continues."""
    with search(url, {"network.hidden": "[64]|[32]"}) as tuner:
        monkeypatch.setattr("digitpad.training.recipe.MAX_PARAMETERS", 40_000)
        trials = list(tuner.run(6))
    assert {str(trial.settings["network.hidden"]): trial.state for trial in trials} == {
        "[64]": TrialOutcome.REFUSED,
        "[32]": TrialOutcome.DONE,
    }


def test_search_is_resumed(url: str) -> None:
    """A resumed search counts the trials in the database."""
    with search(url) as tuner:
        assert [trial.number for trial in tuner.run(2)] == [0, 1]
    with search(url) as tuner:
        assert len(tuner.trials()) == 2
        assert [trial.number for trial in tuner.run(3)] == [2]
        assert list(tuner.run(3)) == []


def test_sampled_settings_depend_on_the_seed(tmp_path: Path) -> None:
    """A resumed search samples the same settings as an uninterrupted one; another seed samples others."""

    def sampled(name: str, parts: list[int], seed: int) -> list[float]:
        for part in parts:
            with search(
                f"sqlite:///{tmp_path}/{name}.db",
                {"optimizer.learning_rate": "0.0001..0.1:log"},
                training__epochs=1,
                training__seed=seed,
            ) as tuner:
                list(tuner.run(part))
                trials = tuner.trials()
        return [trial.settings["optimizer.learning_rate"] for trial in trials]

    whole = sampled("whole", [12], 1)
    assert sampled("resumed", [3, 11, 12], 1) == whole
    assert sampled("other", [12], 2) != whole
    assert len(set(whole)) == 12


def test_no_trial_starts_after_the_timeout(url: str) -> None:
    """No trial starts after the timeout."""
    with search(url) as tuner:
        assert list(tuner.run(5, timeout_s=0)) == []
        begin = time.monotonic()
        assert len(list(tuner.run(1000, timeout_s=0.5))) < 1000
        assert time.monotonic() - begin < 20


def test_interrupted_trial_does_not_count(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial interrupted by Ctrl-C is marked as stopped and replaced; earlier trials remain."""
    run = Trainer.train

    def interrupted(self: Trainer) -> Iterator[Progress]:
        for progress in run(self):
            yield progress
            if isinstance(progress, EpochDone) and progress.epoch == 2:
                raise KeyboardInterrupt

    with search(url) as tuner:
        list(tuner.run(1))
        monkeypatch.setattr(Trainer, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(tuner.run(2))
        monkeypatch.undo()
        assert [trial.state for trial in tuner.trials()] == [TrialOutcome.DONE, TrialOutcome.STOPPED]
        assert [trial.number for trial in tuner.run(2)] == [2]


def test_unforeseen_error_ends_the_search(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error ends the search, and marks the trial as stopped."""

    def broken(self: Trainer) -> Iterator[Progress]:
        yield from ()
        raise ValueError("broken")

    monkeypatch.setattr(Trainer, "train", broken)
    with search(url) as tuner:
        with pytest.raises(ValueError, match="broken"):
            list(tuner.run(3))
        assert [trial.state for trial in tuner.trials()] == [TrialOutcome.STOPPED]


def test_trial_of_a_dead_process_is_replaced(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial without heartbeats counts until `GRACE_S` has passed; then it is replaced."""
    monkeypatch.setattr(optuna_search, "GRACE_S", 1)
    with search(url) as tuner:
        storage = optuna.storages.RDBStorage(url)
        dead = optuna.load_study(study_name="small", storage=storage).ask()
        tuner._storage.record_heartbeat(dead._trial_id)
        assert list(tuner.run(1)) == []
        time.sleep(2.5)
        assert [trial.number for trial in tuner.run(1)] == [1]
        assert [trial.state for trial in tuner.trials()] == [TrialOutcome.STOPPED, TrialOutcome.DONE]
        storage.engine.dispose()


def test_trial_marked_as_failed_is_stopped(url: str) -> None:
    """A running trial that another process marked as failed is stopped, and the search continues."""
    storage = optuna.storages.RDBStorage(url)

    def mark_failed(number: int, progress: Progress) -> None:
        if number == 0:
            study = optuna.load_study(study_name="small", storage=storage)
            if study.trials[0].state is optuna.trial.TrialState.RUNNING:
                storage.set_trial_state_values(study.trials[0]._trial_id, optuna.trial.TrialState.FAIL)

    with search(url) as tuner:
        assert [trial.state for trial in tuner.run(1, on_progress=mark_failed)] == [
            TrialOutcome.STOPPED,
            TrialOutcome.DONE,
        ]
    storage.engine.dispose()


def test_own_folder_is_the_default(tmp_path: Path) -> None:
    """The default database is a file in the user's folder, named after the search."""
    with search(None, name="a/b") as tuner:
        list(tuner.run(1))
        assert Path(tuner.place) == tmp_path / "digitpad-home" / "searches" / "a-b.db"
        assert Path(tuner.place).is_file()


def test_folder_may_have_special_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Special characters in the folder's name are not treated as a URL or template."""
    home = tmp_path / "a {b} #c %41"
    monkeypatch.setenv("DIGITPAD_HOME", str(home))
    with search(None):
        assert (home / "searches" / "small.db").is_file()


@pytest.mark.parametrize(
    ("ranges", "settings", "difference"),
    [
        (
            {"optimizer.learning_rate": "0.1..1"},
            {},
            "the range of optimizer.learning_rate was 0.000001|0.003 and is now",
        ),
        ({"training.seed": "1..2"}, {}, "the range of training.seed was not set and is now 1..2"),
        (RATES, {"training__epochs": 4}, "training.epochs was 3 and is now 4"),
        (RATES, {"network__hidden": [8]}, "network.hidden was (32,) and is now (8,)"),
    ],
    ids=["range", "key", "setting", "list"],
)
def test_different_search_of_the_same_name_is_reported(
    url: str, ranges: dict[str, str], settings: dict[str, Any], difference: str
) -> None:
    """A different search of the same name raises an error with the difference; another name works."""
    with search(url):
        pass
    with pytest.raises(DigitpadError, match=r"exists with other settings.*choose another name") as caught:
        search(url, ranges, **settings)
    assert difference in str(caught.value)
    with search(url, ranges, "other", **settings):
        pass


def test_irrelevant_settings_may_differ(url: str) -> None:
    """A search can be resumed with another description, data path, or own value of a searched setting."""
    with search(url):
        pass
    with search(url, name="small", optimizer__learning_rate=0.5, data__set="elsewhere", description="x"):
        pass


def test_different_data_are_reported(url: str) -> None:
    """Data with another SHA-256 raise an error."""
    recipe = small_recipe()
    ranges, dataset = parse_ranges(recipe, RATES), small_dataset(500)
    with HyperparameterSearch(recipe, ranges, dataset, "small", url):
        pass
    with pytest.raises(DigitpadError, match=r"the data's SHA-256 was \w{12} and is now 000000000000"):
        HyperparameterSearch(recipe, ranges, dataclasses.replace(dataset, sha256="0" * 64), "small", url)


def test_new_setting_has_its_default_in_an_old_search(url: str) -> None:
    """A search of an older version resumes; one with an unknown setting raises an error."""
    with search(url) as tuner:
        about = dict(tuner._study.user_attrs["digitpad"])
        del about["recipe"]["network"]["dropout"]
        tuner._study.set_user_attr("digitpad", about)
    with search(url) as tuner:
        about["recipe"]["network"]["colour"] = "red"
        tuner._study.set_user_attr("digitpad", about)
    with pytest.raises(DigitpadError, match=r"started by another version of digitpad: network.colour"):
        search(url)


def test_study_of_another_program_is_reported(url: str) -> None:
    """A study of another program raises an error."""
    storage = optuna.storages.RDBStorage(url)
    optuna.create_study(storage=storage, study_name="small").ask()
    storage.engine.dispose()
    with pytest.raises(DigitpadError, match=r"'small' is not a digitpad search"):
        search(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "is not a database URL"),
        ("", "is not a database URL"),
        ("foo://me:secret@host/name", "is not a database URL"),
        ("sqlite:///nowhere/search.db", "nowhere/search.db: unable to open database file"),
        ("sqlite:///text.db", "text.db: file is not a database"),
        ("sqlite://", "has no file name"),
        ("sqlite:///:memory:", "has no file name"),
        (
            "postgresql+asyncpg://me:secret@host/name?password=secret",
            r"host/name: the database driver is not installed",
        ),
    ],
)
def test_invalid_database_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, message: str) -> None:
    """An invalid database gives a one-line error without the password."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.db").write_text("no database, but a text that is long enough to be none" * 20)
    with pytest.raises(DigitpadError, match=message) as caught:
        search(url)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_database_damaged_during_a_search_is_reported(url: str, tmp_path: Path) -> None:
    """A database that is damaged during a search gives a one-line error."""

    def destroy(number: int, progress: Progress) -> None:
        (tmp_path / "search.db").write_text("gone" * 5000)

    with search(url) as tuner, pytest.raises(DigitpadError, match=r"search.db: .*(malformed|not a database)"):
        list(tuner.run(1, on_progress=destroy))


def test_search_without_ranges_is_refused(url: str) -> None:
    """A search without ranges raises an error."""
    with pytest.raises(DigitpadError, match="no setting has a range"):
        search(url, {})


def test_missing_optuna_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for missing Optuna has the command that installs it."""
    monkeypatch.delitem(sys.modules, "digitpad.tuning.optuna_search")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(DigitpadError, match=r"python -m pip install 'digitpad\[tune\]'"):
        importlib.import_module("digitpad.tuning.optuna_search")
