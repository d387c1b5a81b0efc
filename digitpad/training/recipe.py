"""A recipe: everything that decides how a network is built and trained, frozen, and checked value by value."""

import dataclasses
import itertools
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from digitpad import assets
from digitpad.datasets.augment import Augmentation
from digitpad.datasets.dataset import BUILT_IN
from digitpad.errors import FileError, RecipeError
from digitpad.nn.initializers import INITIALIZERS
from digitpad.nn.network import ACTIVATIONS, Network, dense
from digitpad.nn.optimizers import SGD, Adam, Optimizer, RMSProp
from digitpad.nn.schedules import SCHEDULES

MAX_PARAMETERS = 16_000_000
"""More would not fit the files that weights are kept in."""

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam")


def _within(default: Any, low: float, high: float) -> Any:
    """A field whose number, or each of whose numbers, lies in low..high."""
    return field(default=default, metadata={"low": low, "high": high})


def _above(default: float, low: float, high: float) -> Any:
    """A field whose number is above ``low`` and at most ``high``."""
    return field(default=default, metadata={"above": low, "high": high})


def _one_of(default: str, choices: typing.Iterable[str]) -> Any:
    return field(default=default, metadata={"choices": tuple(choices)})


@dataclass(frozen=True)
class NetworkPart:
    """``[network]``: hidden layers by their units, what follows each, the share dropped, and how the weights begin."""

    hidden: tuple[int, ...] = _within((128,), 1, 4096)
    activation: str = _one_of("relu", ACTIVATIONS)
    dropout: float = _within(0.0, 0, 0.95)
    initializer: str = _one_of("auto", ("auto", *INITIALIZERS))


@dataclass(frozen=True)
class OptimizerPart:
    """``[optimizer]``: the method, and the learning rate with its schedule over the whole training."""

    method: str = _one_of("adam", OPTIMIZERS)
    learning_rate: float = _above(0.001, 0, 10)
    schedule: str = _one_of("constant", SCHEDULES)
    momentum: float = _within(0.9, 0, 0.999)


@dataclass(frozen=True)
class TrainingPart:
    """``[training]``: how long, in what portions, and the seed of everything random."""

    batch_size: int = _within(128, 1, 10_000)
    epochs: int = _within(10, 1, 10_000)
    seed: int = _within(1, 0, 2**32 - 1)


@dataclass(frozen=True)
class DataPart:
    """``[data]``: the built-in set's name, or the path of a folder with four IDX files."""

    set: str = BUILT_IN


@dataclass(frozen=True)
class AugmentationPart(Augmentation):
    """``[augmentation]``: how far each digit is changed each time it is seen."""

    rotate_deg: float = _within(0.0, 0, 180)
    shift_px: float = _within(0.0, 0, 14)
    scale: float = _within(0.0, 0, 0.9)
    shear: float = _within(0.0, 0, 1)


@dataclass(frozen=True)
class Recipe:
    """How to build and train a network.

    Raises
    ------
    RecipeError
        On construction, if a value cannot be; it names the key.
    """

    name: str = "untitled"
    description: str = ""
    network: NetworkPart = NetworkPart()
    optimizer: OptimizerPart = OptimizerPart()
    training: TrainingPart = TrainingPart()
    data: DataPart = DataPart()
    augmentation: AugmentationPart = AugmentationPart()

    def __post_init__(self) -> None:
        _check(self)
        if len(self.network.hidden) > 16:
            raise RecipeError("network.hidden", f"{len(self.network.hidden)} layers; at most 16 are possible")
        if self.n_parameters > MAX_PARAMETERS:
            raise RecipeError("network.hidden", f"{self.n_parameters:,} parameters; at most {MAX_PARAMETERS:,}")

    @property
    def n_parameters(self) -> int:
        """How many numbers are learnt."""
        return sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(self.sizes))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units from the input to the output."""
        return (784, *self.network.hidden, 10)

    def build_network(self) -> Network:
        """The network, its parameters still zero."""
        part = self.network
        return Network(dense(part.hidden, part.activation, part.initializer, part.dropout))

    def build_optimizer(self) -> Optimizer:
        """The optimizer, its state still empty."""
        match self.optimizer.method:
            case "sgd":
                return SGD()
            case "momentum":
                return SGD(self.optimizer.momentum)
            case "nesterov":
                return SGD(self.optimizer.momentum, nesterov=True)
            case "rmsprop":
                return RMSProp()
            case _:
                return Adam()

    def learning_rate(self, progress: float) -> float:
        """The rate at ``progress`` through training, from 0 to 1."""
        return self.optimizer.learning_rate * SCHEDULES[self.optimizer.schedule](progress)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON and TOML, from which `from_dict` makes an equal recipe."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """A recipe with these values, and the defaults for what is not there.

        Raises
        ------
        RecipeError
            If a key is unknown or a value cannot be.
        """
        return _from_dict(cls, values, "")

    def with_values(self, settings: Mapping[str, Any]) -> "Recipe":
        """A copy in which the values at these dotted keys, as in ``training.epochs``, are others.

        Raises
        ------
        RecipeError
            If a key is unknown or a value cannot be.
        """
        values = self.to_dict()
        for key, value in settings.items():
            *path, last = key.split(".")
            place = values
            for step in path:
                place = place.get(step, {}) if isinstance(place, dict) else {}
            if not isinstance(place, dict) or last not in place:
                raise RecipeError(key, "is not a setting of a recipe")
            place[last] = value
        return Recipe.from_dict(values)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The recipe in a TOML file, named after the file where it does not name itself.

        Raises
        ------
        FileError
            If the file cannot be read, is not TOML, or a value in it cannot be.
        """
        try:
            values = tomllib.loads(path.read_text("utf-8"))
            return cls.from_dict({"name": path.stem, **values})
        except OSError as error:
            raise FileError(path, f"cannot be read ({error.strerror})") from error
        # Besides what is not TOML: bytes that are no text, numbers of thousands of figures, lists too deep.
        except (ValueError, RecursionError) as error:
            raise FileError(path, f"is not TOML ({error})") from error
        except RecipeError as error:
            raise FileError(path, str(error)) from error


def shipped_recipes() -> dict[str, Recipe]:
    """The recipes in ``model/``, by name."""
    recipes = (Recipe.load(path) for path in sorted(assets.MODEL.glob("*.toml")))
    return {recipe.name: recipe for recipe in recipes}


_T = TypeVar("_T")


def _from_dict(cls: type[_T], values: Mapping[str, Any], prefix: str) -> _T:
    hints = typing.get_type_hints(cls)
    arguments = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if name not in hints:
            raise RecipeError(key, f"is not a setting; there are {', '.join(f'{prefix}{hint}' for hint in hints)}")
        kind = hints[name]
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            if not isinstance(value, Mapping):
                raise RecipeError(key, f"is a group of settings, not {value!r}")
            arguments[name] = _from_dict(kind, value, f"{key}.")
        else:
            arguments[name] = _converted(key, value, kind)
    return cls(**arguments)


def _converted(key: str, value: Any, kind: Any) -> Any:
    """The value as its field wants it: lists become tuples, and whole numbers floats where those are wanted."""
    if isinstance(kind, types.GenericAlias):
        if not isinstance(value, list | tuple):
            raise RecipeError(key, f"is {value!r}; expected a list of whole numbers")
        return tuple(_converted(key, element, kind.__args__[0]) for element in value)
    if kind is float and type(value) is int:
        return float(value) if abs(value) < 2**53 else math.inf
    if type(value) is not kind:  # type(), for True is an int too
        words = {int: "a whole number", float: "a number", str: "a text"}
        raise RecipeError(key, f"is {value!r}; expected {words[kind]}")
    return value


def _check(part: Any, prefix: str = "") -> None:
    """Hold every value against the bounds and choices that its field declares."""
    for spec in dataclasses.fields(part):
        key, value, rule = f"{prefix}{spec.name}", getattr(part, spec.name), spec.metadata
        if dataclasses.is_dataclass(value):
            _check(value, f"{key}.")
        elif "choices" in rule and value not in rule["choices"]:
            raise RecipeError(key, f"is {value!r}; expected one of {', '.join(rule['choices'])}")
        for number in value if isinstance(value, tuple) else (value,):
            # Written as "not inside" so that NaN, which is neither below nor above, is refused too.
            if "low" in rule and not rule["low"] <= number <= rule["high"]:
                raise RecipeError(key, f"is {number:,}; expected {rule['low']:,} to {rule['high']:,}")
            if "above" in rule and not rule["above"] < number <= rule["high"]:
                raise RecipeError(key, f"is {number:,}; expected more than {rule['above']:,}, at most {rule['high']:,}")
