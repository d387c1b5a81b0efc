"""Description of a run, as stored in ``run.json``: recipe, data, threads, versions and date, each value checked.

A checkpoint holds a copy, from which a damaged ``run.json`` is rebuilt.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from digitpad.errors import RecipeError, RunError, reason
from digitpad.formats import json_values
from digitpad.formats.bounded_read import read_bounded
from digitpad.runs.checkpoint import load_description
from digitpad.runs.network_names import DESCRIPTION, MAX_DESCRIPTION_BYTES
from digitpad.training.recipe import Recipe

_MAX_TEXT = 1000
_MAX_THREADS = 4096


def read_description(folder: Path, checkpoints: Iterable[Path]) -> tuple[Mapping[str, Any], Recipe]:
    """Return the contents of ``run.json`` and the recipe in it; if it is damaged, those of a checkpoint.

    Parameters
    ----------
    folder : Path
    checkpoints : iterable of Path
        Checkpoints of the run, newest first.

    Raises
    ------
    RunError
        If neither is readable; the error is that of ``run.json``.
    """
    try:
        return _read_file(folder)
    except RunError:
        for path in checkpoints:
            with contextlib.suppress(RunError, RecipeError, KeyError, TypeError, ValueError):
                return _checked(load_description(path))
        raise


def is_readable(folder: Path) -> bool:
    """Return whether ``run.json`` itself is readable and valid."""
    try:
        _read_file(folder)
    except RunError:
        return False
    return True


def started(about: Mapping[str, Any]) -> datetime:
    """Return the start time, with a time zone; 1970 if it is not known."""
    return _date(about["date"]) if "date" in about else datetime.fromtimestamp(0).astimezone()


def _read_file(folder: Path) -> tuple[Mapping[str, Any], Recipe]:
    try:
        return _checked(json.loads(read_bounded(folder / DESCRIPTION, MAX_DESCRIPTION_BYTES)))
    except OSError as error:
        raise RunError(folder, f"is not a run: {DESCRIPTION} cannot be read ({reason(error)})") from error
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError, RecipeError) as error:
        raise RunError(folder / DESCRIPTION, f"is not a valid description of a run ({reason(error)})") from error


def _checked(about: Any) -> tuple[Mapping[str, Any], Recipe]:
    """Return the description and its recipe if all its values are valid."""
    about = json_values.mapping(about)
    recipe = Recipe.from_dict(json_values.mapping(about["recipe"]))
    for key in ("n_threads", "blas_threads"):
        if key in about:
            _named(key, lambda value: json_values.whole_number(value, 1, _MAX_THREADS), about[key])
    for key in ("digitpad", "numpy", "python"):
        if key in about:
            _named(key, lambda value: json_values.text(value, _MAX_TEXT), about[key])
    if "date" in about:
        _named("date", _date, about["date"])
    for key, value in _named("data", json_values.mapping, about.get("data", {})).items():
        _named(f"data.{key}", lambda value: json_values.text(value, _MAX_TEXT), value)
    return about, recipe


def _named(key: str, check: Any, value: Any) -> Any:
    try:
        return check(value)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{key}: {reason(error)}") from error


def _date(value: Any) -> datetime:
    """Return a date with a time zone; a date without one is local time, as people write it."""
    return datetime.fromisoformat(json_values.text(value, _MAX_TEXT)).astimezone()
