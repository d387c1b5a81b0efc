"""The search for good settings of a recipe, by Optuna, on validation accuracy; the test set is never looked at.

A search lives in a database, whence it is resumed, and where several processes, on one machine or many, share it.
Optuna is an extra: nothing but ``digitpad tune`` imports this module.
"""

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
from digitpad.system import user_folders
from digitpad.training.events import EpochDone, Progress
from digitpad.training.recipe import Recipe
from digitpad.training.search_space import NumberRange, Range
from digitpad.training.setting_values import flattened
from digitpad.training.trainer import DivergedError, Trainer
from digitpad.tuning.trials import Trial, TrialOutcome, best_of, n_counting

try:
    import optuna
    import sqlalchemy
    import sqlalchemy.exc
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, TrialState
except ImportError as error:
    raise DigitpadError(
        f"a search needs Optuna ({error}); python -m pip install 'digitpad[tune]' installs it"
    ) from error

HEARTBEAT_S = 15
"""Between two signs of life that a running trial leaves in the database."""

GRACE_S = 60
"""Without a sign of life for so long, a trial is taken for dead, and another takes its place."""

_DATABASE_ERRORS = (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError)
_LOCK_S = 60  # SQLite lets one process write at a time; the others wait so long for their turn
_ABOUT = "digitpad"  # the study's attribute that says what is searched
_PROBLEM = "problem"  # a trial's attribute: why it came to no end


class HyperparameterSearch:
    """A search under its name in a database; begun, or gone on with if it is there. Close it after use.

    TPE draws the settings, from the recipe's seed and the trial's number. The median rule prunes: a trial is given up
    when its best accuracy so far is below the median of what finished trials had reached by then. Of Optuna's rules it
    is the one that fits a few dozen trials of a few dozen epochs; Hyperband, the other that is well-known, divides
    trials into brackets in each of which TPE begins with random draws, and so wants many more of them.

    Parameters
    ----------
    recipe : Recipe
        What is not searched stays as it is here, the seed too: trials differ by what was drawn alone.
    ranges : sequence of Range
        At least one.
    dataset : Dataset
    name : str
    url : str, optional
        A database as SQLAlchemy names it; a file in the user's own folder by default.

    Raises
    ------
    DigitpadError
        If the database cannot be used, or holds another search under this name; it names the difference.
    """

    def __init__(
        self, recipe: Recipe, ranges: Sequence[Range], dataset: Dataset, name: str, url: str | None = None
    ) -> None:
        if not ranges:
            raise DigitpadError("there is nothing to search: no setting has a range")
        self.recipe = dataclasses.replace(recipe, search={})  # whose ranges are here, and need not fit each trial
        self.ranges = tuple(ranges)
        self.name = name
        self._dataset = dataset
        database = _default_database(name) if url is None else _parsed(url)
        self.place = _shown(database)
        with self._told():
            self._storage = _open(database)
        try:
            with self._told():
                self._study = optuna.create_study(
                    storage=self._storage,
                    study_name=name,
                    direction="maximize",
                    load_if_exists=True,
                    sampler=_Sampler(recipe.training.seed),
                    # The first epochs tell little of a small learning rate, or of one that a schedule will lower.
                    pruner=optuna.pruners.MedianPruner(
                        n_startup_trials=5, n_warmup_steps=math.ceil(recipe.training.epochs / 5)
                    ),
                )
                self._compare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the database go."""
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
        """Train until there are ``n_trials`` in the database; yield each of this process's own as it ends.

        Those that other processes have ended, or are at, count; of processes that look at the same moment, each may
        begin one more. A trial whose process died counts for `GRACE_S`.

        Parameters
        ----------
        timeout_s : float, optional
            No trial begins after so many seconds.
        on_progress : callable, optional
            Called with a trial's number and each record of its training; what it raises ends the search, at a moment
            when the database is not in use.
        """
        ends_at = time.monotonic() + timeout_s
        while True:
            with self._told():
                if self._n_counting() >= n_trials or time.monotonic() >= ends_at:
                    return
                number = self._run_one(on_progress)
            yield next(trial for trial in self.trials() if trial.number == number)

    def trials(self) -> list[Trial]:
        """All of them, whichever process ran them, by number."""
        with self._told():
            return [self._trial(frozen) for frozen in self._study.get_trials(deepcopy=False)]

    def best_recipe(self, name: str) -> Recipe | None:
        """The recipe with the best trial's settings, and nothing more to search."""
        trials = self.trials()
        best = best_of(trials)
        if best is None:
            return None
        assert best.accuracy is not None
        about = f"{self.recipe.name} with the best of {n_counting(trials)} trials: {best.accuracy:.2%} on validation."
        recipe = self.recipe.with_values({**best.settings, "name": name, "description": about})
        return dataclasses.replace(recipe, search={})

    def _run_one(self, on_progress: Callable[[int, Progress], None]) -> int:
        number = -1

        def objective(trial: optuna.Trial) -> float:
            nonlocal number
            number = trial.number
            return self._accuracy(trial, on_progress)

        try:
            # Not ask and tell, for the heartbeat beats within `optimize` alone.
            self._study.optimize(objective, n_trials=1)
        except ValueError as error:
            # After a long sleep of this machine, another may have taken the trial for dead: it goes on with the next.
            if not str(error).startswith("Cannot tell a FAIL trial"):
                raise
        return number

    def _accuracy(self, trial: optuna.Trial, on_progress: Callable[[int, Progress], None]) -> float:
        """Train with settings that ``trial`` draws; the best accuracy on validation."""
        settings = {drawn.key: drawn.value(_draw(trial, drawn)) for drawn in self.ranges}
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
            # Pruned for Optuna, rather than failed: TPE learns from those alone, and keeps away.
            problem = TrialOutcome.DIVERGED if isinstance(error, DivergedError) else TrialOutcome.REFUSED
            trial.set_user_attr(_PROBLEM, problem.value)
            raise optuna.TrialPruned from error
        assert best is not None, "a training has an epoch"
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
                drawn.key: drawn.value(frozen.params[drawn.key]) for drawn in self.ranges if drawn.key in frozen.params
            },
            accuracy=max(frozen.intermediate_values.values(), default=None),
            epochs=max(frozen.intermediate_values, default=0),
            state=state,
        )

    def _n_counting(self) -> int:
        optuna.storages.fail_stale_trials(self._study)
        return n_counting(self.trials())

    def _compare(self) -> None:
        """Leave in the database what is searched, or hold it against what was left there."""
        # Trials first: another process that begins the search leaves what is searched before it begins a trial.
        begun = bool(self._study.get_trials(deepcopy=False))
        if _ABOUT not in self._study.user_attrs:
            if begun:
                raise DigitpadError(f"{self.place}: holds {self.name!r}, which digitpad did not begin; --name another")
            self._study.set_user_attr(_ABOUT, self._about())
        stored, own = self._study.user_attrs[_ABOUT], self._about()
        searched = {*stored["search"], *own["search"]}
        there, here = _comparable(stored, searched), _comparable(own, searched)
        differences = [
            f"{key} is {there.get(key, 'not there')} in it, and {here.get(key, 'not there')} now"
            for key in there | here
            if there.get(key) != here.get(key)
        ]
        if differences:
            raise DigitpadError(
                f"{self.place}: the search {self.name!r} was begun otherwise: {'; '.join(differences)}; "
                f"--name begins another"
            )

    def _about(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.to_dict(),
            "search": {drawn.key: str(drawn) for drawn in self.ranges},
            "data": self._dataset.sha256,
        }

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Tell in a line what goes wrong with the database, and nothing else.

        Optuna calls its heartbeat and its liar experiments that may change, of which no user here need be warned.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                yield
        except DigitpadError:
            raise
        except Exception as error:
            # Optuna, when it cannot mark a trial as failed, raises an error of its own over the database's.
            lost: BaseException | None = error
            while not isinstance(lost, _DATABASE_ERRORS):
                if lost is None:
                    raise
                lost = lost.__context__
            raise DigitpadError(f"{self.place}: {_first_line(lost)}") from error


class _Sampler(optuna.samplers.BaseSampler):
    """TPE, seeded anew for each trial by the recipe's seed and the trial's number.

    So processes that share a search draw different settings, a search that is gone on with does not repeat its first
    draws, and one process alone draws the same ones each time.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tpe = optuna.samplers.TPESampler(seed=seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        seed = np.random.SeedSequence([self._seed, trial.number]).generate_state(1)
        # The "liar" takes trials that run elsewhere for poor ones, lest everyone tries the same at once.
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
    """A database that can be let go, and in which a lost heartbeat is no disaster."""

    def __init__(self, url: sqlalchemy.URL) -> None:
        arguments: dict[str, Any] = {"pool_pre_ping": True}  # a server may drop who was silent for a long epoch
        if url.get_backend_name() == "sqlite":
            arguments["connect_args"] = {"timeout": _LOCK_S}
        text = url.render_as_string(hide_password=False)
        try:
            super().__init__(
                text.replace("{", "{{").replace("}", "}}"),  # Optuna takes it for a template
                arguments,
                heartbeat_interval=HEARTBEAT_S,
                grace_period=GRACE_S,
            )
        except BaseException:
            self.close()
            raise

    def record_heartbeat(self, trial_id: int) -> None:
        # It has a thread of its own, in which an error would be told by a traceback; the trial's next report tells it.
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
        except (ImportError, RuntimeError) as error:  # no driver, or tables of another Optuna's
            raise DigitpadError(f"{_shown(url)}: {_first_line(error)}") from error
        time.sleep(0.1)  # another process makes the tables at this moment, and they are then there
    return _Storage(url)


def _default_database(name: str) -> sqlalchemy.URL:
    """A file in the user's own folder for a search of that name."""
    folder = user_folders.ensure_folder(user_folders.user_data() / "searches")
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60]
    return sqlalchemy.URL.create("sqlite", database=str(folder / f"{safe}.db"))


def _parsed(text: str) -> sqlalchemy.URL:
    try:
        url = sqlalchemy.make_url(text)
        url.get_dialect()
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        # The text is not repeated, for there may be a password in it.
        raise DigitpadError(
            "the storage is no database's URL; expected one as sqlite:///search.db or postgresql://user@host/database"
        ) from error
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise DigitpadError(f"{_shown(url)}: names no file, as sqlite:///search.db does")
    return url


def _shown(url: sqlalchemy.URL) -> str:
    """The database's name without passwords, which a query may hold too; a file's path as it is."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    return url.set(query={}).render_as_string(hide_password=True)


def _draw(trial: optuna.Trial, drawn: Range) -> Any:
    match drawn:
        case NumberRange(low=int(), high=int()):
            return trial.suggest_int(drawn.key, int(drawn.low), int(drawn.high), log=drawn.logarithmic)
        case NumberRange():
            return trial.suggest_float(drawn.key, drawn.low, drawn.high, log=drawn.logarithmic)
        case _:
            return trial.suggest_categorical(drawn.key, drawn.texts)


def _comparable(about: Mapping[str, Any], searched: Container[str]) -> dict[str, str]:
    """What two processes have to agree on, to be told where they do not.

    Names do not matter, nor where the data lie, nor what a setting that is searched was before. A setting that the
    recipe did not have yet when the search was begun has its default.
    """
    try:
        recipe = Recipe.from_dict(about["recipe"])
    except RecipeError as error:
        raise DigitpadError(f"the search was begun by another digitpad: {error}") from error
    settings = {
        key: str(value)
        for key, value in flattened(recipe.to_dict()).items()
        if "." in key and key != "data.set" and key not in searched
    }
    ranges = {f"the range of {key}": text for key, text in about["search"].items()}
    return {**settings, **ranges, "the data's SHA-256": about["data"][:12]}


def _first_line(error: BaseException) -> str:
    """What the database says, or its driver, without SQLAlchemy's statement, parameters and links."""
    if isinstance(error, optuna.exceptions.StorageInternalError):
        error = error.__cause__ or error
    if isinstance(error, ImportError):
        return f"needs a driver that is not installed ({error.__cause__ or error})"
    return reason(getattr(error, "orig", None) or error).strip().splitlines()[0]


optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # what there is to tell is yielded and raised
