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
    """A data set whose test digits nobody may have."""

    def __init__(self, dataset: Dataset) -> None:
        self.training, self.validation = dataset.training, dataset.validation
        self.name, self.sha256 = dataset.name, dataset.sha256
        self.class_names = dataset.class_names

    @property
    def test(self) -> None:
        raise AssertionError("the test set was looked at")


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
    """By accuracy on validation alone; the best recipe holds it, and has nothing more to search."""
    with search(url) as one:
        found = list(one.run(4))
        best = best_of(found)
        recipe = one.best_recipe("best")
    assert [trial.number for trial in found] == [0, 1, 2, 3]
    assert {trial.state for trial in found} == {TrialOutcome.DONE}
    assert {trial.epochs for trial in found} == {3}
    assert best is not None
    assert best.accuracy is not None
    assert best.accuracy > 0.7
    assert best.settings == {"optimizer.learning_rate": 0.003}
    assert recipe == dataclasses.replace(
        small_recipe(optimizer__learning_rate=0.003),
        name="best",
        description=f"small with the best of 4 trials: {best.accuracy:.2%} on validation.",
    )
    assert recipe.search == {}


def test_accuracy_is_the_best_epochs(url: str) -> None:
    """Though later epochs were worse, as a training keeps its best weights."""
    seen: list[tuple[int, Progress]] = []
    with search(url, {"training.seed": "0..5"}, optimizer__learning_rate=0.1, training__epochs=5) as one:
        (trial,) = one.run(1, on_progress=lambda number, progress: seen.append((number, progress)))
    epochs = [progress for _, progress in seen if isinstance(progress, EpochDone)]
    accuracies = [epoch.validation.accuracy for epoch in epochs[1:]]
    assert {number for number, _ in seen} == {0}
    assert [epoch.epoch for epoch in epochs] == list(range(6))
    assert trial.accuracy == max(accuracies) != accuracies[-1]


def test_poor_trials_are_pruned(url: str) -> None:
    """Once five were done, who lies below their median is given up before the last epoch, and is never the best."""
    with search(url, {"optimizer.learning_rate": "0.000001..0.003:log"}, training__epochs=6) as one:
        found = list(one.run(12))
    pruned = [trial for trial in found if trial.state is TrialOutcome.PRUNED]
    assert {trial.state for trial in found[:5]} == {TrialOutcome.DONE}
    assert pruned
    assert all(2 <= trial.epochs < 6 and trial.accuracy is not None for trial in pruned)
    best = best_of(found)
    assert best is not None
    assert best.state is TrialOutcome.DONE


def test_diverging_trials_do_not_end_the_search(url: str) -> None:
    """They count, and none is the best; where all diverge, none is."""
    deep: dict[str, Any] = {"optimizer__method": "sgd", "network__hidden": [64] * 6}
    with search(url, {"optimizer.learning_rate": "10|0.003"}, **deep) as one:
        found = list(one.run(6))
        assert len(one.trials()) == 6
    assert {trial.settings["optimizer.learning_rate"]: trial.state for trial in found} == {
        10: TrialOutcome.DIVERGED,
        0.003: TrialOutcome.DONE,
    }
    with search(url, {"optimizer.learning_rate": "9.9..10"}, "all", **deep) as one:
        assert [trial.state for trial in one.run(2)] == [TrialOutcome.DIVERGED] * 2
        assert best_of(one.trials()) is None
        assert one.best_recipe("best") is None


def test_settings_that_cannot_be_together_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each alone may be in the recipe; a trial with both counts, and the search goes on."""
    with search(url, {"network.hidden": "[64]|[32]"}) as one:
        monkeypatch.setattr("digitpad.training.recipe.MAX_PARAMETERS", 40_000)
        found = list(one.run(6))
    assert {str(trial.settings["network.hidden"]): trial.state for trial in found} == {
        "[64]": TrialOutcome.REFUSED,
        "[32]": TrialOutcome.DONE,
    }


def test_search_is_gone_on_with(url: str) -> None:
    """What is in the database counts, so that the number of trials is the one in the end."""
    with search(url) as one:
        assert [trial.number for trial in one.run(2)] == [0, 1]
    with search(url) as one:
        assert len(one.trials()) == 2
        assert [trial.number for trial in one.run(3)] == [2]
        assert list(one.run(3)) == []


def test_draws_are_those_of_the_seed(tmp_path: Path) -> None:
    """In one go or resumed, they are the same; another seed has others."""

    def drawn(name: str, parts: list[int], seed: int) -> list[float]:
        for part in parts:
            with search(
                f"sqlite:///{tmp_path}/{name}.db",
                {"optimizer.learning_rate": "0.0001..0.1:log"},
                training__epochs=1,
                training__seed=seed,
            ) as one:
                list(one.run(part))
                trials = one.trials()
        return [trial.settings["optimizer.learning_rate"] for trial in trials]

    whole = drawn("whole", [12], 1)
    assert drawn("resumed", [3, 11, 12], 1) == whole
    assert drawn("other", [12], 2) != whole
    assert len(set(whole)) == 12


def test_no_trial_begins_after_the_timeout(url: str) -> None:
    """However many are wanted."""
    with search(url) as one:
        assert list(one.run(5, timeout_s=0)) == []
        begin = time.monotonic()
        assert len(list(one.run(1000, timeout_s=0.5))) < 1000
        assert time.monotonic() - begin < 20


def test_interrupted_trial_does_not_count(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C it is marked as stopped, what was found before stays, and another takes its place."""
    run = Trainer.train

    def interrupted(self: Trainer) -> Iterator[Progress]:
        for progress in run(self):
            yield progress
            if isinstance(progress, EpochDone) and progress.epoch == 2:
                raise KeyboardInterrupt

    with search(url) as one:
        list(one.run(1))
        monkeypatch.setattr(Trainer, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(one.run(2))
        monkeypatch.undo()
        assert [trial.state for trial in one.trials()] == [TrialOutcome.DONE, TrialOutcome.STOPPED]
        assert [trial.number for trial in one.run(2)] == [2]


def test_unforeseen_error_ends_the_search(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for a poor trial, of which one more would only fail again."""

    def broken(self: Trainer) -> Iterator[Progress]:
        yield from ()
        raise ValueError("broken")

    monkeypatch.setattr(Trainer, "train", broken)
    with search(url) as one:
        with pytest.raises(ValueError, match="broken"):
            list(one.run(3))
        assert [trial.state for trial in one.trials()] == [TrialOutcome.STOPPED]


def test_trial_of_a_dead_process_is_replaced(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as long as its process may live; then it is marked as stopped."""
    monkeypatch.setattr(optuna_search, "GRACE_S", 1)
    with search(url) as one:
        storage = optuna.storages.RDBStorage(url)
        dead = optuna.load_study(study_name="small", storage=storage).ask()
        one._storage.record_heartbeat(dead._trial_id)
        assert list(one.run(1)) == []
        time.sleep(2.5)
        assert [trial.number for trial in one.run(1)] == [1]
        assert [trial.state for trial in one.trials()] == [TrialOutcome.STOPPED, TrialOutcome.DONE]
        storage.engine.dispose()


def test_trial_that_was_taken_for_dead_is_left(url: str) -> None:
    """As after a long sleep of the machine: it is told as stopped, and the search goes on with the next."""
    storage = optuna.storages.RDBStorage(url)

    def bury(number: int, progress: Progress) -> None:
        if number == 0:
            study = optuna.load_study(study_name="small", storage=storage)
            if study.trials[0].state is optuna.trial.TrialState.RUNNING:
                storage.set_trial_state_values(study.trials[0]._trial_id, optuna.trial.TrialState.FAIL)

    with search(url) as one:
        assert [trial.state for trial in one.run(1, on_progress=bury)] == [TrialOutcome.STOPPED, TrialOutcome.DONE]
    storage.engine.dispose()


def test_own_folder_is_the_default(tmp_path: Path) -> None:
    """A file a name, whatever is in the name or in the folder's."""
    with search(None, name="a/b") as one:
        list(one.run(1))
        assert Path(one.place) == tmp_path / "digitpad-home" / "searches" / "a-b.db"
        assert Path(one.place).is_file()


def test_odd_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is a path, and neither a URL nor a template."""
    home = tmp_path / "a {b} #c %41"
    monkeypatch.setenv("DIGITPAD_HOME", str(home))
    with search(None):
        assert (home / "searches" / "small.db").is_file()


@pytest.mark.parametrize(
    ("ranges", "settings", "difference"),
    [
        ({"optimizer.learning_rate": "0.1..1"}, {}, "the range of optimizer.learning_rate is 0.000001|0.003 in it"),
        ({"training.seed": "1..2"}, {}, "the range of training.seed is not there in it, and 1..2 now"),
        (RATES, {"training__epochs": 4}, "training.epochs is 3 in it, and 4 now"),
        (RATES, {"network__hidden": [8]}, "network.hidden is (32,) in it, and (8,) now"),
    ],
    ids=["range", "key", "setting", "list"],
)
def test_another_search_under_the_name_is_told(
    url: str, ranges: dict[str, str], settings: dict[str, Any], difference: str
) -> None:
    """By what differs, for trials of both could not be compared; under another name it may be in the same database."""
    with search(url):
        pass
    with pytest.raises(DigitpadError, match=r"was begun otherwise.*--name begins another") as caught:
        search(url, ranges, **settings)
    assert difference in str(caught.value)
    with search(url, ranges, "other", **settings):
        pass


def test_what_no_trial_depends_on_may_differ(url: str) -> None:
    """The recipe's name, where the data lie, and the searched setting's own value."""
    with search(url):
        pass
    with search(url, name="small", optimizer__learning_rate=0.5, data__set="elsewhere", description="x"):
        pass


def test_other_data_are_told(url: str) -> None:
    """By their sum, wherever they lie."""
    recipe = small_recipe()
    ranges, dataset = parse_ranges(recipe, RATES), small_dataset(500)
    with HyperparameterSearch(recipe, ranges, dataset, "small", url):
        pass
    with pytest.raises(DigitpadError, match=r"the data's SHA-256 is \w{12} in it, and 000000000000 now"):
        HyperparameterSearch(recipe, ranges, dataclasses.replace(dataset, sha256="0" * 64), "small", url)


def test_setting_that_came_later_has_its_default(url: str) -> None:
    """A search that an older digitpad began goes on; one of a newer is told."""
    with search(url) as one:
        about = dict(one._study.user_attrs["digitpad"])
        del about["recipe"]["network"]["dropout"]
        one._study.set_user_attr("digitpad", about)
    with search(url) as one:
        about["recipe"]["network"]["colour"] = "red"
        one._study.set_user_attr("digitpad", about)
    with pytest.raises(DigitpadError, match=r"begun by another digitpad: network.colour"):
        search(url)


def test_foreign_study_is_told(url: str) -> None:
    """What another program keeps under the name is left alone."""
    storage = optuna.storages.RDBStorage(url)
    optuna.create_study(storage=storage, study_name="small").ask()
    storage.engine.dispose()
    with pytest.raises(DigitpadError, match=r"holds 'small', which digitpad did not begin"):
        search(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "is no database's URL"),
        ("", "is no database's URL"),
        ("foo://me:secret@host/name", "is no database's URL"),
        ("sqlite:///nowhere/search.db", "nowhere/search.db: unable to open database file"),
        ("sqlite:///text.db", "text.db: file is not a database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql+asyncpg://me:secret@host/name?password=secret", r"host/name: needs a driver"),
    ],
)
def test_database_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, message: str) -> None:
    """In one line, and without the password."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.db").write_text("no database, but a text that is long enough to be none" * 20)
    with pytest.raises(DigitpadError, match=message) as caught:
        search(url)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_database_that_goes_away_is_told(url: str, tmp_path: Path) -> None:
    """In the middle of a search too."""

    def destroy(number: int, progress: Progress) -> None:
        (tmp_path / "search.db").write_text("gone" * 5000)

    with search(url) as one, pytest.raises(DigitpadError, match=r"search.db: .*(malformed|not a database)"):
        list(one.run(1, on_progress=destroy))


def test_nothing_to_search_is_told(url: str) -> None:
    """A search needs a range."""
    with pytest.raises(DigitpadError, match="no setting has a range"):
        search(url, {})


def test_missing_optuna_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.delitem(sys.modules, "digitpad.tuning.optuna_search")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(DigitpadError, match=r"python -m pip install 'digitpad\[tune\]'"):
        importlib.import_module("digitpad.tuning.optuna_search")
