"""Fields of the settings form, in order: the setting, its label, its tooltip and its input widget."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from digitpad.errors import RecipeError
from digitpad.gui.data.dataset_choice import DatasetChoice
from digitpad.gui.train.augmentation_choice import AugmentationChoice
from digitpad.gui.widgets.form_widgets import Check, TextField, WordChoice
from digitpad.gui.widgets.setting_labels import SETTING_LABELS
from digitpad.number_format import format_number

Editor = TextField | WordChoice | Check | DatasetChoice | AugmentationChoice


@dataclass(frozen=True)
class Field:
    """Field for a setting.

    Attributes
    ----------
    key : str
        Dotted key in a recipe, or the name of a group if the field sets the whole group.
    tip : str
        Tooltip.
    editor : callable
        Function that creates the input widget.
    more : bool
        Whether the field is shown only under More settings.
    only : tuple of str and callable, or None
        Key of another setting, and a function that returns whether this setting has an effect with its value.
    """

    key: str
    tip: str
    editor: Callable[[], Editor]
    more: bool = False
    only: tuple[str, Callable[[Any], bool]] | None = None

    @property
    def text(self) -> str:
        """Label of the field."""
        return SETTING_LABELS[self.key]

    @property
    def name(self) -> str:
        """Object name of the input widget."""
        return {"data.set": "data_set"}.get(self.key, self.key.rpartition(".")[2])

    def matters(self, values: Mapping[str, Any]) -> bool | None:
        """Return whether the setting has an effect with these values, or None if the value it depends on is unknown."""
        if self.only is None:
            return True
        key, condition = self.only
        return condition(values[key]) if key in values else None


def _is(*choices: str) -> Callable[[Any], bool]:
    return choices.__contains__


def _has_convolutions(hidden: tuple[int | str, ...]) -> bool:
    return any(isinstance(word, str) and word[:1].isdigit() for word in hidden)


_SPACE = "[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]"
_GROUPED = re.compile(rf"[-+]?[0-9]{{1,3}}(?:(?:{_SPACE}[0-9]{{3}})+|(?:,[0-9]{{3}})+)")  # 25 000 or 25,000
_AMBIGUOUS = re.compile(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}")  # a decimal comma or a thousands separator


def _real(text: str) -> float:
    if _AMBIGUOUS.fullmatch(text.strip()):
        raise RecipeError("", f"{_shorten(text)} is ambiguous; write a point or no comma")
    try:
        return float(_plain(text.replace(",", ".")))
    except ValueError as error:
        raise RecipeError("", f"{_shorten(text)} is not a number") from error


def _whole(text: str) -> int:
    try:
        return int(_plain(text))
    except ValueError as error:
        raise RecipeError("", f"{_shorten(text)} is not a whole number") from error


def _plain(text: str) -> str:
    """Return the text without thousands separators."""
    text = text.strip()
    if "_" in text:  # a thousands separator only in Python
        raise ValueError(text)
    return re.sub(f"{_SPACE}|,", "", text) if _GROUPED.fullmatch(text) else text


def _layers(text: str) -> tuple[int | str, ...]:
    # Layers are separated by commas, spaces, or a dash after a word; a dash before a number is a minus sign.
    parts = (part for part in re.split(r"[,\s]+|(?<=\w)-", text.strip()) if part)
    return tuple(_whole(part) if re.fullmatch(r"[-+]?\d+", part) else part for part in parts)


def _shorten(text: str) -> str:
    return f"“{text[:12]}…”" if len(text) > 12 else f"“{text}”"


_number = partial(TextField, _real, format_number)
_epochs = partial(_number, "epochs")
_count = partial(TextField, _whole, str)

FIELDS: dict[str, tuple[Field, ...]] = {
    "Network": (
        Field(
            "network.hidden",
            "Units of each hidden layer, such as 256, 128. Convolutions come first, as in 5x5x32, pool, 128; the word "
            "dropout adds dropout at its place. More units can learn more but take longer. No layers is allowed.",
            partial(TextField, _layers, lambda units: ", ".join(map(str, units))),
        ),
        Field(
            "network.padding",
            "Padding of convolutions. Without padding, each convolution shrinks the image by the kernel size minus 1; "
            "zero padding keeps the size but takes longer. None is usual for kernels of 5 × 5.",
            partial(WordChoice, {"valid": "None", "same": "Zeros, same size"}),
            more=True,
            only=("network.hidden", _has_convolutions),
        ),
        Field(
            "network.activation",
            "Activation function after each hidden layer. ReLU is fast and usually works well. The slope of leaky "
            "ReLU is under More settings.",
            partial(
                WordChoice,
                {"relu": "ReLU", "leaky_relu": "Leaky ReLU", "gelu": "GELU", "tanh": "Tanh", "sigmoid": "Sigmoid"},
            ),
        ),
        Field(
            "network.alpha",
            "Slope of leaky ReLU below 0; a slope of 0 would be ReLU. 0.01 is usual.",
            _number,
            more=True,
            only=("network.activation", _is("leaky_relu")),
        ),
        Field(
            "network.dropout",
            "Share of the units of each dense hidden layer that are switched off at random in each step, 0 to 0.95; "
            "also used where the word dropout is among the hidden layers. "
            "More dropout reduces overfitting but slows down learning.",
            _number,
        ),
        Field(
            "network.batch_norm",
            "Normalises the inputs of each activation over the batch. It allows higher learning rates and usually "
            "needs fewer epochs, but each epoch takes longer. Off is usual for small networks.",
            partial(Check, "Before activations"),
            more=True,
        ),
        Field(
            "network.initializer",
            "Distribution of the random initial weights. Automatic uses He for ReLU and Glorot for tanh and sigmoid, "
            "the activations they were designed for.",
            partial(
                WordChoice,
                {
                    "auto": "Automatic",
                    "he_normal": "He, normal",
                    "he_uniform": "He, uniform",
                    "glorot_normal": "Glorot, normal",
                    "glorot_uniform": "Glorot, uniform",
                    "lecun_normal": "LeCun, normal",
                    "lecun_uniform": "LeCun, uniform",
                },
            ),
            more=True,
        ),
    ),
    "Loss": (
        Field(
            "loss.label_smoothing",
            "Share of each label that is spread over all ten digits, 0 to 0.9. It reduces overconfidence. "
            "0 is none; 0.1 is usual.",
            _number,
            more=True,
        ),
        Field(
            "loss.l1",
            "Adds this times the sum of the absolute weights to the loss, which drives many weights to 0. "
            "0 is none; 0.00001 is a usual start.",
            _number,
            more=True,
        ),
        Field(
            "loss.l2",
            "Adds half of this times the sum of the squared weights to the loss, which keeps weights small. "
            "0 is none; 0.0001 is usual. With AdamW, use weight decay instead.",
            _number,
            more=True,
        ),
    ),
    "Optimiser": (
        Field(
            "optimizer.method",
            "Optimiser: how gradients update the weights. Adam works with most settings. "
            "Momentum and the weight decay of AdamW are under More settings.",
            partial(
                WordChoice,
                {
                    "sgd": "SGD",
                    "momentum": "Momentum",
                    "nesterov": "Nesterov",
                    "rmsprop": "RMSProp",
                    "adam": "Adam",
                    "adamw": "AdamW",
                },
            ),
        ),
        Field(
            "optimizer.momentum",
            "Share of each step that carries over to the next step, 0 to 0.999. "
            "More is faster but overshoots more. 0.9 is usual.",
            _number,
            more=True,
            only=("optimizer.method", _is("momentum", "nesterov")),
        ),
        Field(
            "optimizer.weight_decay",
            "AdamW shrinks each weight in each step by this share times the learning rate. "
            "More reduces overfitting. 0.01 is usual.",
            _number,
            more=True,
            only=("optimizer.method", _is("adamw")),
        ),
        Field(
            "optimizer.learning_rate",
            "Size of a step. If it is too high, the loss jumps or grows; if it is too low, the loss hardly changes. "
            "0.001 is usual for Adam, 0.05 for SGD.",
            _number,
        ),
        Field(
            "optimizer.schedule",
            "How the learning rate changes during training. Cosine falls to 0 at the end, which usually gives a better "
            "result. The settings of the other schedules are under More settings.",
            partial(
                WordChoice,
                {
                    "constant": "Constant",
                    "step": "Step",
                    "inverse_time": "Inverse time",
                    "exponential": "Exponential",
                    "cosine": "Cosine",
                    "one_cycle": "One cycle",
                },
            ),
        ),
        Field(
            "optimizer.decay",
            "How fast the learning rate falls. Exponential: after each epoch, the rate is multiplied by e to the power "
            "of minus this. Inverse time: the rate is divided by 1 plus this times the epochs. 0.05 to 0.1 is usual.",
            partial(_number, "per epoch"),
            more=True,
            only=("optimizer.schedule", _is("inverse_time", "exponential")),
        ),
        Field(
            "optimizer.step_epochs",
            "Number of epochs between two reductions of the learning rate. A third of all epochs is usual.",
            _epochs,
            more=True,
            only=("optimizer.schedule", _is("step")),
        ),
        Field(
            "optimizer.step_factor",
            "Factor for the learning rate at each reduction, at most 1. 0.1 to 0.5 is usual.",
            partial(_number, "times"),
            more=True,
            only=("optimizer.schedule", _is("step")),
        ),
        Field(
            "optimizer.warmup_epochs",
            "Number of epochs at the start in which the learning rate rises from 0, with any schedule. It helps with "
            "high learning rates and deep networks. 0 is none; 1 to 5 is usual.",
            _epochs,
            more=True,
        ),
        Field(
            "optimizer.clip_norm",
            "Scales the whole gradient down to this norm if its norm is larger, so that training does not diverge. "
            "0 is off; 1 is usual.",
            _number,
            more=True,
        ),
        Field(
            "optimizer.clip_value",
            "Limits each number of the gradient to plus and minus this. 0 is off; 0.5 to 1 is usual. "
            "Clipping the norm is usually better.",
            _number,
            more=True,
        ),
        Field(
            "training.batch_size",
            "Images per step. A smaller batch gives more steps per epoch; a larger batch makes epochs faster.",
            _count,
        ),
        Field("training.epochs", "Number of passes over all training images.", _count),
        Field(
            "training.patience",
            "Early stopping: training stops after this number of epochs without a better result on the validation set. "
            "0 is off; 10 is usual.",
            partial(_count, "epochs"),
            more=True,
        ),
        Field(
            "training.average",
            "Evaluates and saves weights averaged over about 1 / (1 – this) steps instead of the last weights. This "
            "is usually more accurate. 0 is none; 0.999 is usual.",
            _number,
            more=True,
        ),
        Field(
            "training.plain",
            "Share of each batch that is not augmented, so that the network also trains on digits as they will be "
            "read. 0 is none; with batch norm, 0.25 is usual.",
            _number,
            more=True,
        ),
        Field(
            "training.calibrate",
            "After training, calibrates the probabilities on the validation set: of predictions with a probability of "
            "90\N{NO-BREAK SPACE}%, nine in ten should be right. Predictions do not change. Off is usual.",
            partial(Check, "Probabilities"),
            more=True,
        ),
        Field("training.seed", "Seed of the random numbers. The same seed and settings give the same result.", _count),
    ),
    "Data": (
        Field(
            "data.set",
            "Dataset for training: the built-in MNIST, IDX files, an .npz, a pickle, a CSV, strokes, or a folder of "
            "images for each class. Show data shows its images.",
            DatasetChoice,
        ),
        Field(
            "data.normalise",
            "Whether images of 28 × 28 pixels are scaled and centred like MNIST's, as drawings in the window are.",
            partial(WordChoice, {"auto": "If needed", "always": "Always", "never": "Never"}),
            more=True,
        ),
        Field(
            "data.pen_digits",
            "Number of generated pen-written digits to add to the training set. They cover styles that are rare in "
            "MNIST. None is usual; 25,000 are enough. Generating 1,000 takes about a second.",
            _count,
            more=True,
        ),
        Field(
            "data.non_digits",
            "Number of letters, signs and scribbles to add to the training set, for which the network learns to be "
            "unsure. None is usual; 12,000 are enough.",
            _count,
            more=True,
        ),
        Field(
            "augmentation",
            "Random changes of each digit, new in every epoch. Preview shows them and sets their amounts.",
            AugmentationChoice,
        ),
    ),
}
"""Fields under each heading."""
