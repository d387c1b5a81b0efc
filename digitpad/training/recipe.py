"""Recipes: frozen, validated settings that decide how a network is built and trained."""

# Longer than 400 lines: every setting has its limits and its source beside it.

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import tomli_w

from digitpad.datasets.augmentation.augment import Augmentation
from digitpad.datasets.conversion.preparation import AUTO, NORMALISE
from digitpad.datasets.dataset import BUILT_IN
from digitpad.errors import FileError, RecipeError, reason
from digitpad.formats.bounded_read import read_bounded
from digitpad.formats.toml import parse_toml
from digitpad.nn.feedforward import ACTIVATIONS, PADDINGS, feedforward
from digitpad.nn.initializers import INITIALIZERS
from digitpad.nn.layers import Layer
from digitpad.nn.network import IMAGE_SHAPE, N_CLASSES, Network, Plan, summary
from digitpad.nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSProp
from digitpad.nn.schedules import Constant, Cosine, Exponential, InverseTime, OneCycle, Schedule, StepDecay, WarmUp
from digitpad.training.search_space import parse_ranges
from digitpad.training.setting_values import flattened
from digitpad.weights.native_format import MAX_ACTIVATIONS

MAX_PARAMETERS = 16_000_000
"""Upper limit of parameters; more do not fit in a weights file."""

MAX_IN_A_BATCH = 500_000_000
"""Upper limit of activations of all layers for a batch: 2 GB, and about as much again for their gradients."""

MAX_TEXT = 100_000
MAX_FILE_BYTES = 1_000_000

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
SCHEDULES = ("constant", "step", "inverse_time", "exponential", "cosine", "one_cycle")


def _within(default: Any, low: float, high: float) -> Any:
    """Declare a field whose number, or each number in its tuple, must lie in low..high."""
    return field(default=default, metadata={"low": low, "high": high})


def _above(default: float, low: float, high: float) -> Any:
    """Declare a field whose number must be above ``low`` and at most ``high``."""
    return field(default=default, metadata={"above": low, "high": high})


def _one_of(default: str, choices: typing.Iterable[str]) -> Any:
    return field(default=default, metadata={"choices": tuple(choices)})


@dataclass(frozen=True)
class NetworkSettings:
    """``[network]``: hidden layers, in the notation of `digitpad.nn.feedforward`, and how they are initialised.

    ``alpha`` is the slope of ``leaky_relu`` below 0. ``dropout`` is the share of units that are dropped in each dense
    hidden layer, and at each place that ``hidden`` names.
    """

    hidden: tuple[int | str, ...] = _within((128,), 1, 4096)
    activation: str = _one_of("relu", ACTIVATIONS)
    alpha: float = _within(0.01, 0, 0.99)
    dropout: float = _within(0.0, 0, 0.95)
    batch_norm: bool = False
    padding: str = _one_of("valid", PADDINGS)
    initializer: str = _one_of("auto", ("auto", *INITIALIZERS))


@dataclass(frozen=True)
class LossSettings:
    """``[loss]``: label smoothing, and the penalty l1 · Σ|w| + l2 / 2 · Σ w² that is added to the cross-entropy."""

    label_smoothing: float = _within(0.0, 0, 0.9)
    l1: float = _within(0.0, 0, 1)
    l2: float = _within(0.0, 0, 1)


@dataclass(frozen=True)
class OptimizerSettings:
    """``[optimizer]``: the method, the learning rate and its schedule, and gradient clipping.

    ``momentum`` applies to ``momentum`` and ``nesterov``. ``weight_decay`` applies to ``adamw``; use ``loss.l2`` with
    the other methods. ``decay``, per epoch, applies to ``inverse_time`` and ``exponential``; ``step_epochs`` and
    ``step_factor`` apply to ``step``. With any schedule, the rate can rise from 0 over ``warmup_epochs``.
    ``clip_norm`` limits the norm of the whole gradient, ``clip_value`` each of its components; 0 disables clipping.
    """

    method: str = _one_of("adam", OPTIMIZERS)
    learning_rate: float = _above(0.001, 0, 10)
    momentum: float = _within(0.9, 0, 0.999)
    weight_decay: float = _within(0.01, 0, 1)
    schedule: str = _one_of("constant", SCHEDULES)
    decay: float = _within(0.1, 0, 100)
    step_epochs: float = _within(10.0, 0.001, 10_000)
    step_factor: float = _above(0.5, 0, 1)
    warmup_epochs: float = _within(0.0, 0, 10_000)
    clip_norm: float = _within(0.0, 0, 1000)
    clip_value: float = _within(0.0, 0, 1000)


@dataclass(frozen=True)
class TrainingSettings:
    """``[training]``: epochs, batch size, early stopping, weight averaging, and the random seed.

    Training stops early after ``patience`` epochs without an improvement on validation; 0 disables early stopping.
    With ``average`` above 0, for example 0.999, the weights that are scored and kept are an exponential moving average
    over about 1 / (1 - average) steps. The share ``plain`` of each batch is not augmented, so that the network also
    trains on digits as it will read them. ``calibrate`` scales the final network's logits by the temperature that fits
    the validation set.
    """

    batch_size: int = _within(128, 1, 10_000)
    epochs: int = _within(10, 1, 10_000)
    patience: int = _within(0, 0, 10_000)
    average: float = _within(0.0, 0, 0.99999)
    plain: float = _within(0.0, 0, 1)
    calibrate: bool = False
    seed: int = _within(1, 0, 2**32 - 1)


@dataclass(frozen=True)
class DataSettings:
    """``[data]``: the dataset, and the number of synthetic images to add to it.

    ``set`` is the built-in dataset's name, or the path of another one, and ``normalise`` is as for `dataset.load`.
    ``pen_digits`` are digits drawn by `digitpad.datasets.synthetic.pen`. ``non_digits`` are letters, signs and
    scribbles, for which the network learns to be not sure.
    """

    set: str = BUILT_IN
    normalise: str = _one_of(AUTO, NORMALISE)
    pen_digits: int = _within(0, 0, 1_000_000)
    non_digits: int = _within(0, 0, 1_000_000)


@dataclass(frozen=True)
class AugmentationSettings(Augmentation):
    """``[augmentation]``: how much each digit is distorted each time; `Augmentation` documents the settings."""

    rotate_deg: float = _within(0.0, 0, 180)
    shift_px: float = _within(0.0, 0, 14)
    scale: float = _within(0.0, 0, 0.9)
    shear: float = _within(0.0, 0, 1)
    elastic_px: float = _within(0.0, 0, 10)
    thickness_px: float = _within(0.0, 0, 2)
    noise: float = _within(0.0, 0, 1)
    erase_px: float = _within(0.0, 0, 28)


@dataclass(frozen=True)
class Recipe:
    """Settings for building and training a network.

    Attributes
    ----------
    search : mapping of str
        ``[search]``: ranges that `digitpad tune` searches, by dotted key; training ignores them.

    Raises
    ------
    RecipeError
        On construction, if a value is invalid; the error names the key.
    """

    name: str = "untitled"
    description: str = ""
    network: NetworkSettings = NetworkSettings()
    loss: LossSettings = LossSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    training: TrainingSettings = TrainingSettings()
    data: DataSettings = DataSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    search: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        _check(self)
        if len(self.network.hidden) > 16:
            raise RecipeError("network.hidden", f"{len(self.network.hidden)} layers; the limit is 16")
        try:
            plan = self.plan
        except ValueError as error:
            raise RecipeError("network.hidden", str(error)) from error
        if plan.n_parameters > MAX_PARAMETERS:
            raise RecipeError("network.hidden", f"{plan.n_parameters:,} parameters; the limit is {MAX_PARAMETERS:,}")
        if plan.n_activations > MAX_ACTIVATIONS:
            raise RecipeError(
                "network.hidden", f"{plan.n_activations:,} activations per image; the limit is {MAX_ACTIVATIONS:,}"
            )
        batch_activations = plan.n_activations * self.training.batch_size
        if batch_activations > MAX_IN_A_BATCH:
            raise RecipeError(
                "training.batch_size",
                f"{batch_activations:,} activations for {self.training.batch_size:,} images; "
                f"the limit is {MAX_IN_A_BATCH:,}",
            )
        if len(self.name) + len(self.description) > MAX_TEXT:
            raise RecipeError("description", f"is {len(self.description):,} characters long; the limit is {MAX_TEXT:,}")
        if "\0" in self.data.set:
            raise RecipeError("data.set", f"is {self.data.set!r}; a file name cannot contain a null character")
        if self.search:
            parse_ranges(dataclasses.replace(self, search={}), self.search)

    @functools.cached_property
    def plan(self) -> Plan:
        """Shapes and parameter counts of the network."""
        return Plan(self._layers(), IMAGE_SHAPE)

    @property
    def summary(self) -> str:
        """Layer sizes from input to output, for example ``784-256-128-10``."""
        return summary(self._layers())

    def _layers(self, n_classes: int = N_CLASSES) -> list[Layer]:
        part = self.network
        return feedforward(
            part.hidden,
            part.activation,
            part.initializer,
            part.dropout,
            n_classes=n_classes,
            alpha=part.alpha,
            batch_norm=part.batch_norm,
            padding=part.padding,
        )

    def build_network(self, n_classes: int = N_CLASSES) -> Network:
        """Return a network with ``n_classes`` outputs; its parameters are still zero."""
        return Network(self._layers(n_classes))

    def build_optimizer(self, network: Network) -> Optimizer:
        """Return the optimizer for this network; its state is still empty."""
        part = self.optimizer
        match part.method:
            case "sgd":
                return SGD()
            case "momentum":
                return SGD(part.momentum)
            case "nesterov":
                return SGD(part.momentum, nesterov=True)
            case "rmsprop":
                return RMSProp()
            case "adamw":
                return AdamW(weight_decay=part.weight_decay, decayed=network.weights())
            case _:
                return Adam()

    def learning_rate(self, epoch: float) -> float:
        """Return the learning rate after ``epoch`` epochs; fractions count steps within an epoch."""
        return self.optimizer.learning_rate * self._schedule()(epoch, self.training.epochs)

    def _schedule(self) -> Schedule:
        part = self.optimizer
        schedules: dict[str, Schedule] = {
            "constant": Constant(),
            "step": StepDecay(part.step_epochs, part.step_factor),
            "inverse_time": InverseTime(part.decay),
            "exponential": Exponential(part.decay),
            "cosine": Cosine(),
            "one_cycle": OneCycle(),
        }
        schedule = schedules[part.schedule]
        return WarmUp(part.warmup_epochs, schedule) if part.warmup_epochs else schedule

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values for JSON and TOML, without ``search``; the inverse of `from_dict`."""
        return {key: value for key, value in dataclasses.asdict(self).items() if key != "search"}

    def to_toml(self) -> str:
        """Return the recipe as TOML, with ``search``; the inverse of `load`.

        Raises
        ------
        RecipeError
            If a string cannot be encoded as UTF-8, for example an undecodable file name.
        """
        values = dataclasses.asdict(self)
        if not self.search:
            del values["search"]
        for key, value in flattened(values).items():
            _check_encodable(key, value)
        return tomli_w.dumps(values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return a recipe with these values, and defaults for all others.

        Raises
        ------
        RecipeError
            If a key is unknown or a value is invalid.
        """
        return _from_dict(cls, values, "")

    def with_values(self, settings: Mapping[str, Any]) -> "Recipe":
        """Return a copy with new values at these dotted keys, for example ``training.epochs``.

        Raises
        ------
        RecipeError
            If a key is unknown or a value is invalid.
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
        return Recipe.from_dict({**values, "search": self.search})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a recipe from a TOML file; its name defaults to the file's name.

        Raises
        ------
        FileError
            If the file cannot be read, is not TOML, or contains an invalid value.
        """
        try:
            return cls.from_toml(read_bounded(path, MAX_FILE_BYTES).decode(), path)
        except OSError as error:
            raise FileError(path, f"cannot be read ({reason(error)})") from error
        except UnicodeDecodeError as error:
            raise FileError(path, f"is not TOML ({error})") from error

    @classmethod
    def from_toml(cls, text: str, path: Path) -> Self:
        """Return the recipe in a TOML text that comes from ``path``; its name defaults to the file's name.

        Raises
        ------
        FileError
            If the text is not TOML, or contains an invalid value.
        """
        try:
            return cls.from_dict({"name": path.stem, **parse_toml(text)})
        # Also raised for bytes that are not UTF-8, numbers of thousands of digits, and lists nested too deeply.
        except (ValueError, RecursionError) as error:
            raise FileError(path, f"is not TOML ({error})") from error
        except RecipeError as error:
            raise FileError(path, str(error)) from error


_T = TypeVar("_T")


def _from_dict(cls: type[_T], values: Mapping[str, Any], prefix: str) -> _T:
    hints = typing.get_type_hints(cls)
    arguments = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if name not in hints:
            known = ", ".join(f"{prefix}{hint}" for hint in hints)
            raise RecipeError(key, f"is not a setting; use one of {known}")
        kind = hints[name]
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            if not isinstance(value, Mapping):
                raise RecipeError(key, f"is a group of settings, not {value!r}")
            arguments[name] = _from_dict(kind, value, f"{key}.")
        else:
            arguments[name] = _converted(key, value, kind)
    return cls(**arguments)


def _converted(key: str, value: Any, kind: Any) -> Any:
    """Return the value as the field's type: lists become tuples, and integers become floats for a float field."""
    if typing.get_origin(kind) is Mapping:
        if not isinstance(value, Mapping):
            raise RecipeError(key, f"is a group of settings, not {value!r}")
        return {name: _converted(f"{key}.{name}", text, str) for name, text in flattened(value).items()}
    if isinstance(kind, types.GenericAlias):
        if not isinstance(value, list | tuple):
            raise RecipeError(key, f"is {value!r}; enter a list")
        return tuple(_converted(key, element, kind.__args__[0]) for element in value)
    if kind is float and type(value) is int:
        return float(value) if abs(value) < 2**53 else math.inf
    kinds = kind.__args__ if isinstance(kind, types.UnionType) else (kind,)
    if type(value) not in kinds:  # not isinstance(): True is an int too
        words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        raise RecipeError(key, f"is {value!r}; enter {' or '.join(words[kind] for kind in kinds)}")
    return value


def _check_encodable(key: str, value: Any) -> None:
    """Refuse a text that a file cannot hold."""
    for text in value if isinstance(value, tuple) else (value,):
        try:
            str(text).encode()
        except UnicodeEncodeError as error:
            raise RecipeError(key, f"is {value!r}, which cannot be saved as UTF-8 text") from error


def _check(part: Any, prefix: str = "") -> None:
    """Check every value against the bounds and choices that its field declares."""
    for spec in dataclasses.fields(part):
        key, value, rule = f"{prefix}{spec.name}", getattr(part, spec.name), spec.metadata
        if dataclasses.is_dataclass(value):
            _check(value, f"{key}.")
        elif "choices" in rule and value not in rule["choices"]:
            raise RecipeError(key, f"is {value!r}; enter one of {', '.join(rule['choices'])}")
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, str):
                continue
            # "not low <= x <= high" also rejects NaN, for which every comparison is false.
            if "low" in rule and not rule["low"] <= number <= rule["high"]:
                raise RecipeError(key, f"is {number:,}; enter {rule['low']:,} to {rule['high']:,}")
            if "above" in rule and not rule["above"] < number <= rule["high"]:
                raise RecipeError(key, f"is {number:,}; enter more than {rule['above']:,}, at most {rule['high']:,}")
