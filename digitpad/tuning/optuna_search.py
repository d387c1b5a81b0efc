"""Hyperparameter search with Optuna, by validation accuracy; the test set is never used.

A search is stored in a database. It can be resumed, and several processes, on one machine or many, can share it.
Optuna is an optional dependency: only ``digitpad tune`` imports this module.
"""

# Long, but one module: the search, its storage and its sampler build on Optuna's classes, and the guarded import below
# is the one place that reports the missing extra.

import contextlib
import dataclasses
import math
import time
import warnings
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from digitpad.datasets.dataset import Dataset
from digitpad.errors import DigitpadError, RecipeError, reason
from digitpad.number_format import format_percent
from digitpad.system import user_folders
from digitpad.system.file_names import safe_file_name
from digitpad.training.events import EpochDone, Progress
from digitpad.training.recipe import Recipe
from digitpad.training.search_space import NumberRange, Range
from digitpad.training.setting_values import flattened
from digitpad.training.trainer import DivergedError, Trainer
from digitpad.tuning.trials import Trial, TrialOutcome, best_of, count_trials

try:
    import optuna
    import sqlalchemy
    import sqlalchemy.exc
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, TrialState
except ImportError as error:
    raise DigitpadError(
        f"hyperparameter search needs Optuna ({error}); install it with: python -m pip install 'digitpad[tune]'"
    ) from error

HEARTBEAT_S = 15
"""Interval at which a running trial writes a heartbeat to the database."""

GRACE_S = 60
"""After this time without a heartbeat, a trial counts as dead and is replaced."""

_DATABASE_ERRORS = (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError)
_LOCK_S = 60  # SQLite allows one writer at a time; the others wait up to this long
_ABOUT = "digitpad"  # study attribute with the recipe, ranges and data of the search
_PROBLEM = "problem"  # trial attribute with the reason why the trial failed


class HyperparameterSearch:
    """A named search in a database, new or resumed. Close it after use.

    TPE samples the settings, seeded by the recipe's seed and the trial's number. The median rule prunes: a trial stops
    when its best accuracy so far is below the median of finished trials at the same epoch. Of Optuna's pruners, it
    suits a few dozen trials of a few dozen epochs best. Hyperband, the other well-known pruner, divides trials into
    brackets; TPE starts each bracket with random samples, so Hyperband needs many more trials.

    Parameters
    ----------
    recipe : Recipe
        Values of all settings that are not searched, including the seed: trials differ only in the sampled settings.
    ranges : sequence of Range
        At least one range.
    dataset : Dataset
    name : str
    url : str, optional
        SQLAlchemy URL of the database; by default a SQLite file in the user's data folder.

    Raises
    ------
    DigitpadError
        If the database cannot be used, or contains a different search of this name; the message names the difference.
    """

    def __init__(
        self, recipe: Recipe, ranges: Sequence[Range], dataset: Dataset, name: str, url: str | None = None
    ) -> None:
        if not ranges:
            raise DigitpadError("nothing to search: no setting has a range; add one with --search KEY=RANGE")
        self.recipe = dataclasses.replace(recipe, search={})  # its ranges need not be valid for every trial
        self.ranges = tuple(ranges)
        self.name = name
        self._dataset = dataset
        database = _default_database(name) if url is None else _parsed(url)
        self.place = _display_name(database)
        with self._database_errors():
            self._storage = _open(database)
        try:
            with self._database_errors():
                self._study = optuna.create_study(
                    storage=self._storage,
                    study_name=name,
                    direction="maximize",
                    load_if_exists=True,
                    sampler=_Sampler(recipe.training.seed),
                    # Early epochs say little about a small learning rate, or one that the schedule lowers later.
                    pruner=optuna.pruners.MedianPruner(
                        n_startup_trials=5, n_warmup_steps=math.ceil(recipe.training.epochs / 5)
                    ),
                )
                self._check_same_search()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._storage.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self,
        n_trials: int,
        *,
        timeout_s: float = math.inf,
        on_progress: Callable[[int, Progress], None] = lambda number, progress: None,
    ) -> Iterator[Trial]:
        """Run trials until the database has ``n_trials``; yield each trial of this process when it ends.

        Finished and running trials of other processes count. Processes that check at the same moment may each start
        one trial too many. A trial whose process died counts for `GRACE_S`.

        Parameters
        ----------
        timeout_s : float, optional
            No trial starts after this many seconds.
        on_progress : callable, optional
            Called with the trial's number and each progress record. An exception that it raises ends the search; the
            database is not in use at that moment.
        """
        ends_at = time.monotonic() + timeout_s
        while True:
            with self._database_errors():
                if self._count_trials() >= n_trials or time.monotonic() >= ends_at:
                    return
                number = self._run_trial(on_progress)
            yield next(trial for trial in self.trials() if trial.number == number)

    def trials(self) -> list[Trial]:
        """Return the trials of all processes, by number."""
        with self._database_errors():
            return [self._trial(frozen) for frozen in self._study.get_trials(deepcopy=False)]

    def best_recipe(self, name: str) -> Recipe | None:
        """Return the recipe with the best trial's settings, without ranges; None if no trial is completed."""
        trials = self.trials()
        best = best_of(trials)
        if best is None:
            return None
        assert best.accuracy is not None
        accuracy = format_percent(best.accuracy, 2)
        about = f"{self.recipe.name} with the best settings of {count_trials(trials)} trials: {accuracy} on validation."
        recipe = self.recipe.with_values({**best.settings, "name": name, "description": about})
        return dataclasses.replace(recipe, search={})

    def _run_trial(self, on_progress: Callable[[int, Progress], None]) -> int:
        number = -1

        def objective(trial: optuna.Trial) -> float:
            nonlocal number
            number = trial.number
            return self._accuracy(trial, on_progress)

        try:
            # Not `ask` and `tell`: only `optimize` writes heartbeats.
            self._study.optimize(objective, n_trials=1)
        except ValueError as error:
            # After this machine slept, another process may have marked the trial as dead; continue with the next.
            if not str(error).startswith("Cannot tell a FAIL trial"):
                raise
        return number

    def _accuracy(self, trial: optuna.Trial, on_progress: Callable[[int, Progress], None]) -> float:
        """Train with settings sampled by ``trial``, and return the best validation accuracy."""
        settings = {space.key: space.value(_suggest(trial, space)) for space in self.ranges}
        best = None
        try:
            trainer = Trainer(self.recipe.with_values(settings), self._dataset)
            for progress in trainer.train():
                on_progress(trial.number, progress)
                if not isinstance(progress, EpochDone) or progress.epoch == 0:
                    continue
                best = trainer.best
                assert best is not None
                trial.report(best.validation.accuracy, progress.epoch)
                if progress.epoch < trainer.recipe.training.epochs and trial.should_prune():
                    raise optuna.TrialPruned
        except (DivergedError, RecipeError) as error:
            # Report it as pruned, not failed: TPE learns from pruned trials, and avoids such settings.
            problem = TrialOutcome.DIVERGED if isinstance(error, DivergedError) else TrialOutcome.REFUSED
            trial.set_user_attr(_PROBLEM, problem.value)
            raise optuna.TrialPruned from error
        assert best is not None, "every run has at least one epoch"
        return best.validation.accuracy

    def _trial(self, frozen: FrozenTrial) -> Trial:
        match frozen.state:
            case TrialState.COMPLETE:
                state = TrialOutcome.DONE
            case TrialState.PRUNED:
                state = TrialOutcome(frozen.user_attrs.get(_PROBLEM, TrialOutcome.PRUNED))
            case TrialState.FAIL:
                state = TrialOutcome.STOPPED
            case _:
                state = TrialOutcome.RUNNING
        return Trial(
            number=frozen.number,
            settings={
                space.key: space.value(frozen.params[space.key]) for space in self.ranges if space.key in frozen.params
            },
            accuracy=max(frozen.intermediate_values.values(), default=None),
            epochs=max(frozen.intermediate_values, default=0),
            state=state,
        )

    def _count_trials(self) -> int:
        optuna.storages.fail_stale_trials(self._study)
        return count_trials(self.trials())

    def _check_same_search(self) -> None:
        """Store the description of the search in the database, or compare it with the stored one."""
        # Read trials first: another process that starts the search stores its description before its first trial.
        has_trials = bool(self._study.get_trials(deepcopy=False))
        if _ABOUT not in self._study.user_attrs:
            if has_trials:
                raise DigitpadError(
                    f"{self.place}: {self.name!r} is not a digitpad search; choose another name with --name"
                )
            self._study.set_user_attr(_ABOUT, self._about())
        stored, current = self._study.user_attrs[_ABOUT], self._about()
        searched = {*stored["search"], *current["search"]}
        before, now = _comparable(stored, searched), _comparable(current, searched)
        differences = [
            f"{key} was {before.get(key, 'not set')} and is now {now.get(key, 'not set')}"
            for key in before | now
            if before.get(key) != now.get(key)
        ]
        if differences:
            raise DigitpadError(
                f"{self.place}: the search {self.name!r} exists with other settings: {'; '.join(differences)}; "
                f"choose another name with --name"
            )

    def _about(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.to_dict(),
            "search": {space.key: str(space) for space in self.ranges},
            "data": self._dataset.sha256,
        }

    @contextlib.contextmanager
    def _database_errors(self) -> Iterator[None]:
        """Convert database errors to one-line `DigitpadError` messages; pass on all other errors.

        Also silences Optuna's warnings that heartbeats and the constant liar are experimental.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                yield
        except DigitpadError:
            raise
        except Exception as error:
            # If Optuna cannot mark a trial as failed, its own error hides the database's; search the chain of errors.
            cause: BaseException | None = error
            while not isinstance(cause, _DATABASE_ERRORS):
                if cause is None:
                    raise
                cause = cause.__context__
            raise DigitpadError(f"{self.place}: {_first_line(cause)}") from error


class _Sampler(optuna.samplers.BaseSampler):
    """TPE sampler, reseeded for each trial with the recipe's seed and the trial's number.

    Processes that share a search then sample different settings, a resumed search does not repeat its first samples,
    and a single process is reproducible.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tpe = optuna.samplers.TPESampler(seed=seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        seed = np.random.SeedSequence([self._seed, trial.number]).generate_state(1)
        # The constant liar treats running trials as poor ones, so that processes do not try the same settings.
        self._tpe = optuna.samplers.TPESampler(seed=int(seed[0]), constant_liar=True)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._tpe.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._tpe.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._tpe.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._tpe.after_trial(study, trial, state, values)


class _Storage(optuna.storages.RDBStorage):
    """Optuna storage that can be closed, and that ignores failed heartbeats."""

    def __init__(self, url: sqlalchemy.URL) -> None:
        arguments: dict[str, Any] = {"pool_pre_ping": True}  # a server may close idle connections
        if url.get_backend_name() == "sqlite":
            arguments["connect_args"] = {"timeout": _LOCK_S}
        text = url.render_as_string(hide_password=False)
        try:
            super().__init__(
                text.replace("{", "{{").replace("}", "}}"),  # Optuna treats the URL as a template
                arguments,
                heartbeat_interval=HEARTBEAT_S,
                grace_period=GRACE_S,
            )
        except BaseException:
            self.close()
            raise

    def record_heartbeat(self, trial_id: int) -> None:
        # In the heartbeat thread an error would print a traceback; the trial's next report raises it instead.
        with contextlib.suppress(sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError):
            super().record_heartbeat(trial_id)

    def close(self) -> None:
        """Close every connection."""
        if hasattr(self, "engine"):
            if hasattr(self, "scoped_session"):
                self.remove_session()
            self.engine.dispose()


def _open(url: sqlalchemy.URL) -> _Storage:
    for _ in range(10):
        try:
            return _Storage(url)
        except sqlalchemy.exc.IntegrityError:
            pass
        except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.ProgrammingError) as error:
            if "already exists" not in str(error):
                raise
        except (ImportError, RuntimeError) as error:  # no driver, or tables of another Optuna version
            raise DigitpadError(f"{_display_name(url)}: {_first_line(error)}") from error
        time.sleep(0.1)  # another process is creating the tables
    return _Storage(url)


def _default_database(name: str) -> sqlalchemy.URL:
    """Return the URL of a SQLite file for a search of that name, in the user's data folder."""
    folder = user_folders.ensure_folder(user_folders.user_data() / "searches")
    return sqlalchemy.URL.create("sqlite", database=str(folder / f"{safe_file_name(name, '-_')}.db"))


def _parsed(text: str) -> sqlalchemy.URL:
    try:
        url = sqlalchemy.make_url(text)
        url.get_dialect()
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        # The message omits the text, which may contain a password.
        raise DigitpadError(
            "the storage is not a database URL such as sqlite:///search.db or postgresql://user@host/database"
        ) from error
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise DigitpadError(
            f"{_display_name(url)}: the storage has no file name; use a URL such as sqlite:///search.db"
        )
    return url


def _display_name(url: sqlalchemy.URL) -> str:
    """Return the SQLite file's path, or the URL without its password and query, which may contain one too."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    return url.set(query={}).render_as_string(hide_password=True)


def _suggest(trial: optuna.Trial, space: Range) -> Any:
    match space:
        case NumberRange(low=int(), high=int()):
            return trial.suggest_int(space.key, int(space.low), int(space.high), log=space.logarithmic)
        case NumberRange():
            return trial.suggest_float(space.key, space.low, space.high, log=space.logarithmic)
        case _:
            return trial.suggest_categorical(space.key, space.texts)


def _comparable(about: Mapping[str, Any], searched: Container[str]) -> dict[str, str]:
    """Return what processes that share a search must agree on, as text by name.

    It leaves out names, the location of the data, and the recipe's own values of searched settings. A setting that did
    not exist yet when the search started has its default.
    """
    try:
        recipe = Recipe.from_dict(about["recipe"])
    except RecipeError as error:
        raise DigitpadError(f"the search was started by another version of digitpad: {error}") from error
    settings = {
        key: str(value)
        for key, value in flattened(recipe.to_dict()).items()
        if "." in key and key != "data.set" and key not in searched
    }
    ranges = {f"the range of {key}": text for key, text in about["search"].items()}
    return {**settings, **ranges, "the data's SHA-256": about["data"][:12]}


def _first_line(error: BaseException) -> str:
    """Return the first line of the database's or driver's message, without SQLAlchemy's statement and links."""
    if isinstance(error, optuna.exceptions.StorageInternalError):
        error = error.__cause__ or error
    if isinstance(error, ImportError):
        return f"the database driver is not installed ({error.__cause__ or error})"
    return reason(getattr(error, "orig", None) or error).strip().splitlines()[0]


optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # results are yielded, and errors raised
