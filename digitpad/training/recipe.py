"""A recipe: everything that decides how a network is built and trained, frozen, and checked value by value."""

import dataclasses
import functools
import json
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from digitpad.datasets.augmentation.augment import Augmentation
from digitpad.datasets.dataset import BUILT_IN
from digitpad.errors import FileError, RecipeError
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
"""More would not fit the files that weights are kept in."""

MAX_IN_A_BATCH = 500_000_000
"""Numbers that all layers may hold for a batch: 2 GB, and about as much again for their gradients."""

MAX_TEXT = 100_000

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
SCHEDULES = ("constant", "step", "inverse_time", "exponential", "cosine", "one_cycle")


def _within(default: Any, low: float, high: float) -> Any:
    """A field whose number, or each of whose numbers, lies in low..high."""
    return field(default=default, metadata={"low": low, "high": high})


def _above(default: float, low: float, high: float) -> Any:
    """A field whose number is above ``low`` and at most ``high``."""
    return field(default=default, metadata={"above": low, "high": high})


def _one_of(default: str, choices: typing.Iterable[str]) -> Any:
    return field(default=default, metadata={"choices": tuple(choices)})


@dataclass(frozen=True)
class NetworkSettings:
    """``[network]``: hidden layers as `digitpad.nn.feedforward` reads them, what follows each, how they begin.

    ``alpha`` is the slope of ``leaky_relu`` below 0, ``dropout`` the share that rests of each dense hidden layer, and
    where ``hidden`` says so.
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
    """``[loss]``: what is added to the cross-entropy, l1 · Σ|w| + l2 / 2 · Σ w², and how far labels are smoothed."""

    label_smoothing: float = _within(0.0, 0, 0.9)
    l1: float = _within(0.0, 0, 1)
    l2: float = _within(0.0, 0, 1)


@dataclass(frozen=True)
class OptimizerSettings:
    """``[optimizer]``: the method, the learning rate and its schedule, and what gradients are clipped to.

    ``momentum`` is for ``momentum`` and ``nesterov``, ``weight_decay`` for ``adamw``; the others take ``loss.l2``.
    ``decay`` an epoch is for ``inverse_time`` and ``exponential``; ``step_epochs`` and ``step_factor`` are for
    ``step``. With any schedule, the rate may rise from 0 over ``warmup_epochs``. ``clip_norm`` shortens the whole
    gradient, ``clip_value`` each of its numbers; 0 clips nothing.
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
    """``[training]``: how long, in what portions, and the seed of everything random.

    Training stops early after ``patience`` epochs without a better one on validation; 0 never stops it. With an
    ``average`` above 0, as 0.999, what is scored and kept are weights averaged over some 1 / (1 - average) steps.
    A share ``plain`` of each batch is not augmented, so that digits are seen as they will be read, too. ``calibrate``
    makes the probabilities of what is kept as honest as validation digits can tell.
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
    """``[data]``: the built-in set's name, or the path of another one, and what is made besides.

    ``pen_digits`` are written as `digitpad.datasets.synthetic.pen` writes them; ``non_digits``, of which the network is
    to be unsure, are letters, signs and scribbles.
    """

    set: str = BUILT_IN
    pen_digits: int = _within(0, 0, 1_000_000)
    non_digits: int = _within(0, 0, 1_000_000)


@dataclass(frozen=True)
class AugmentationSettings(Augmentation):
    """``[augmentation]``: how far each digit is changed each time it is seen; `Augmentation` tells what each means."""

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
    """How to build and train a network.

    Attributes
    ----------
    search : mapping of str
        ``[search]``: ranges that `digitpad tune` goes through, by dotted key; no training depends on them.

    Raises
    ------
    RecipeError
        On construction, if a value cannot be; it names the key.
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
            raise RecipeError("network.hidden", f"{len(self.network.hidden)} layers; at most 16 are possible")
        try:
            plan = self.plan
        except ValueError as error:
            raise RecipeError("network.hidden", str(error)) from error
        if plan.n_parameters > MAX_PARAMETERS:
            raise RecipeError("network.hidden", f"{plan.n_parameters:,} parameters; at most {MAX_PARAMETERS:,}")
        if plan.n_activations > MAX_ACTIVATIONS:
            raise RecipeError(
                "network.hidden", f"{plan.n_activations:,} numbers to compute an image; at most {MAX_ACTIVATIONS:,}"
            )
        in_a_batch = plan.n_activations * self.training.batch_size
        if in_a_batch > MAX_IN_A_BATCH:
            raise RecipeError(
                "training.batch_size",
                f"{in_a_batch:,} numbers to hold for {self.training.batch_size:,} images; at most {MAX_IN_A_BATCH:,}",
            )
        if len(self.name) + len(self.description) > MAX_TEXT:
            raise RecipeError(
                "description", f"is {len(self.description):,} letters long; expected {MAX_TEXT:,} at most"
            )
        parse_ranges(dataclasses.replace(self, search={}), self.search) if self.search else ()

    @functools.cached_property
    def plan(self) -> Plan:
        """Shapes and sizes of the network."""
        return Plan(self._layers(), IMAGE_SHAPE)

    @property
    def summary(self) -> str:
        """The network's sizes from input to output, as in ``784-256-128-10``."""
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
        """The network for data of so many classes, its parameters still zero."""
        return Network(self._layers(n_classes))

    def build_optimizer(self, network: Network) -> Optimizer:
        """The optimizer for this network, its state still empty."""
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
        """The rate when ``epoch`` epochs are done; a fraction says how far the next one is."""
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
        """Plain values, fit for JSON and TOML, from which `from_dict` makes an equal recipe; without ``search``."""
        return {key: value for key, value in dataclasses.asdict(self).items() if key != "search"}

    def to_toml(self) -> str:
        """The text of a file from which `load` makes an equal recipe, with the same ``search``.

        Raises
        ------
        RecipeError
            If a text holds what UTF-8 has no bytes for, as a file's undecodable name may.
        """
        values = dataclasses.asdict(self)
        parts = [[f"{key} = {_toml(key, value)}" for key, value in values.items() if not isinstance(value, dict)]]
        for group, settings in values.items():
            if isinstance(settings, dict) and settings:
                lines = [f"{key} = {_toml(f'{group}.{key}', value)}" for key, value in settings.items()]
                parts.append([f"[{group}]", *lines])
        return "\n\n".join("\n".join(lines) for lines in parts) + "\n"

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
        return Recipe.from_dict({**values, "search": self.search})

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
    if typing.get_origin(kind) is Mapping:
        if not isinstance(value, Mapping):
            raise RecipeError(key, f"is a group of settings, not {value!r}")
        return {name: _converted(f"{key}.{name}", text, str) for name, text in flattened(value).items()}
    if isinstance(kind, types.GenericAlias):
        if not isinstance(value, list | tuple):
            raise RecipeError(key, f"is {value!r}; expected a list")
        return tuple(_converted(key, element, kind.__args__[0]) for element in value)
    if kind is float and type(value) is int:
        return float(value) if abs(value) < 2**53 else math.inf
    kinds = kind.__args__ if isinstance(kind, types.UnionType) else (kind,)
    if type(value) not in kinds:  # type(), for True is an int too
        words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise RecipeError(key, f"is {value!r}; expected {' or '.join(words[kind] for kind in kinds)}")
    return value


def _toml(key: str, value: Any) -> str:
    """A value as TOML has it: what JSON has, but for one control character that it leaves as it is."""
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RecipeError(key, f"is {value!r}, which no file can hold as text") from error
    return text


def _check(part: Any, prefix: str = "") -> None:
    """Hold every value against the bounds and choices that its field declares."""
    for spec in dataclasses.fields(part):
        key, value, rule = f"{prefix}{spec.name}", getattr(part, spec.name), spec.metadata
        if dataclasses.is_dataclass(value):
            _check(value, f"{key}.")
        elif "choices" in rule and value not in rule["choices"]:
            raise RecipeError(key, f"is {value!r}; expected one of {', '.join(rule['choices'])}")
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, str):
                continue
            # Written as "not inside" so that NaN, which is neither below nor above, is refused too.
            if "low" in rule and not rule["low"] <= number <= rule["high"]:
                raise RecipeError(key, f"is {number:,}; expected {rule['low']:,} to {rule['high']:,}")
            if "above" in rule and not rule["above"] < number <= rule["high"]:
                raise RecipeError(key, f"is {number:,}; expected more than {rule['above']:,}, at most {rule['high']:,}")
