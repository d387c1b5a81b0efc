"""Search spaces: ranges as text, such as ``0.001..0.5:log``, ``32..512``, ``relu|gelu`` or ``[64]|[128, 64]``.

A range between integers yields integers. A range for a list, such as ``network.hidden``, yields lists of one number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from digitpad.errors import RecipeError
from digitpad.training.setting_values import flattened, toml_value

_NOT_SEARCHED = ("name", "description", "data")  # not hyperparameters; scores on different data are not comparable


@dataclass(frozen=True)
class NumberRange:
    """Numbers from ``low`` to ``high``, both included; integers if both ends are int."""

    key: str
    low: float
    high: float
    logarithmic: bool
    in_list: bool = False

    def value(self, drawn: float) -> Any:
        """Return the setting's value for the sampled number."""
        return [drawn] if self.in_list else drawn

    def __str__(self) -> str:
        return f"{self.low!r}..{self.high!r}{':log' if self.logarithmic else ''}"


@dataclass(frozen=True)
class ChoiceRange:
    """Choice of several values, stored as text because Optuna's database cannot hold lists."""

    key: str
    texts: tuple[str, ...]

    def value(self, drawn: str) -> Any:
        """Return the setting's value for the sampled text."""
        return toml_value(drawn)

    def __str__(self) -> str:
        return "|".join(self.texts)


Range = NumberRange | ChoiceRange


class Searchable(Protocol):
    """Interface of a recipe that ranges are checked against."""

    def to_dict(self) -> dict[str, Any]:
        """Return all settings, in groups."""

    def with_values(self, values: Mapping[str, Any]) -> object:
        """Return a copy with these values, by dotted key. Raises `RecipeError` if a value is invalid."""


def parse_range(recipe: Searchable, key: str, text: str) -> Range:
    """Parse the range ``text`` of the setting at this dotted key.

    Raises
    ------
    RecipeError
        If there is no such setting, the text is not a range, or an end or a choice is not valid in the recipe.
    """
    present = _setting(recipe, key)
    try:
        parsed = _choices(key, text) if "|" in text else _numbers(key, text, present)
        for drawn in parsed.texts if isinstance(parsed, ChoiceRange) else (parsed.low, parsed.high):
            recipe.with_values({key: parsed.value(drawn)})  # type: ignore[arg-type]  # matches the type of range
    except RecipeError as error:
        raise RecipeError(key, f"invalid search range {text!r}: {error.problem}") from error
    return parsed


def parse_ranges(recipe: Searchable, texts: Mapping[str, str]) -> tuple[Range, ...]:
    """Parse the ranges at these dotted keys; see `parse_range`."""
    return tuple(parse_range(recipe, key, text) for key, text in texts.items())


def _setting(recipe: Searchable, key: str) -> Any:
    if key.partition(".")[0] in _NOT_SEARCHED:
        raise RecipeError(key, "cannot be searched")
    settings = flattened(recipe.to_dict())
    if key not in settings:
        raise RecipeError(key, "is not a setting of a recipe")
    return settings[key]


def _choices(key: str, text: str) -> ChoiceRange:
    texts = tuple(choice.strip() for choice in text.split("|"))
    if "" in texts:
        raise RecipeError(key, "a choice is empty")
    if len(set(texts)) < len(texts):
        raise RecipeError(key, "a choice is repeated")
    return ChoiceRange(key, texts)


def _numbers(key: str, text: str, present: Any) -> NumberRange:
    ends, colon, scale = (part.strip() for part in text.partition(":"))
    low, _, high = (toml_value(part.strip()) for part in ends.partition(".."))
    if not all(type(end) in (int, float) for end in (low, high)) or (colon and scale != "log"):
        raise RecipeError(key, "enter LOW..HIGH, LOW..HIGH:log or A|B|C")
    if isinstance(present, str):
        raise RecipeError(key, "the setting is text; enter choices such as A|B|C")
    if isinstance(present, float):
        low, high = (float(end) if abs(end) < 2**53 else end for end in (low, high))  # larger integers are invalid
    if not low < high:
        raise RecipeError(key, "the first number must be less than the second")
    if scale and low <= 0:
        raise RecipeError(key, "a logarithmic range must start above 0")
    return NumberRange(key, low, high, logarithmic=bool(scale), in_list=isinstance(present, tuple))
