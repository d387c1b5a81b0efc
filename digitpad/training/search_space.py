"""Ranges of settings to search, as texts: ``0.001..0.5:log``, ``32..512``, ``relu|gelu``, ``[64]|[128, 64]``.

A whole number's range yields whole numbers; that of a list, as ``network.hidden``, lists of one number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from digitpad.errors import RecipeError
from digitpad.training.setting_values import flattened, toml_value

_NOT_SEARCHED = ("name", "description", "data")  # texts about the recipe, and digits on which scores would differ


@dataclass(frozen=True)
class NumberRange:
    """Every number from ``low`` to ``high``, both included; whole ones where both are int."""

    key: str
    low: float
    high: float
    logarithmic: bool
    in_list: bool = False

    def value(self, drawn: float) -> Any:
        """What the setting becomes when this number is drawn."""
        return [drawn] if self.in_list else drawn

    def __str__(self) -> str:
        return f"{self.low!r}..{self.high!r}{':log' if self.logarithmic else ''}"


@dataclass(frozen=True)
class ChoiceRange:
    """One of several values, drawn by their texts: a database keeps no lists."""

    key: str
    texts: tuple[str, ...]

    def value(self, drawn: str) -> Any:
        """What the setting becomes when this text is drawn."""
        return toml_value(drawn)

    def __str__(self) -> str:
        return "|".join(self.texts)


Range = NumberRange | ChoiceRange


class Searchable(Protocol):
    """The part of a recipe that ranges are checked against; its own ranges are left out."""

    def to_dict(self) -> dict[str, Any]:
        """Return all settings, in groups."""

    def with_values(self, values: Mapping[str, Any]) -> object:
        """Raise `RecipeError` if these values, by dotted key, are refused."""


def parse_range(recipe: Searchable, key: str, text: str) -> Range:
    """The range that ``text`` says, for the setting at this dotted key.

    Raises
    ------
    RecipeError
        If there is no such setting, the text is no range, or the recipe refuses an end of it or a choice.
    """
    present = _setting(recipe, key)
    try:
        parsed = _choices(key, text) if "|" in text else _numbers(key, text, present)
        for drawn in parsed.texts if isinstance(parsed, ChoiceRange) else (parsed.low, parsed.high):
            recipe.with_values({key: parsed.value(drawn)})  # type: ignore[arg-type]  # each range its own kind
    except RecipeError as error:
        raise RecipeError(key, f"cannot be searched over {text!r}: {error.problem}") from error
    return parsed


def parse_ranges(recipe: Searchable, texts: Mapping[str, str]) -> tuple[Range, ...]:
    """The ranges at these dotted keys; see `parse_range`."""
    return tuple(parse_range(recipe, key, text) for key, text in texts.items())


def _setting(recipe: Searchable, key: str) -> Any:
    if key.partition(".")[0] in _NOT_SEARCHED:
        raise RecipeError(key, "is no setting to search")
    settings = flattened(recipe.to_dict())
    if key not in settings:
        raise RecipeError(key, "is not a setting of a recipe")
    return settings[key]


def _choices(key: str, text: str) -> ChoiceRange:
    texts = tuple(choice.strip() for choice in text.split("|"))
    if "" in texts:
        raise RecipeError(key, "a choice is empty")
    if len(set(texts)) < len(texts):
        raise RecipeError(key, "a choice is there twice")
    return ChoiceRange(key, texts)


def _numbers(key: str, text: str, present: Any) -> NumberRange:
    ends, colon, scale = (part.strip() for part in text.partition(":"))
    low, _, high = (toml_value(part.strip()) for part in ends.partition(".."))
    if not all(type(end) in (int, float) for end in (low, high)) or (colon and scale != "log"):
        raise RecipeError(key, "expected LOW..HIGH, LOW..HIGH:log or A|B|C")
    if isinstance(present, str):
        raise RecipeError(key, "it is a text; expected choices, as in A|B|C")
    if isinstance(present, float):
        low, high = (float(end) if abs(end) < 2**53 else end for end in (low, high))  # what is beyond is refused
    if not low < high:
        raise RecipeError(key, "the first end has to be below the second")
    if scale and low <= 0:
        raise RecipeError(key, "a logarithmic range begins above 0")
    return NumberRange(key, low, high, logarithmic=bool(scale), in_list=isinstance(present, tuple))
