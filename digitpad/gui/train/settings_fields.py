"""The fields of the settings form, in order: what each sets, how it is called, and what there is to know of it."""

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

Editor = TextField | WordChoice | Check | DatasetChoice | AugmentationChoice


@dataclass(frozen=True)
class Field:
    """A setting as a field.

    Attributes
    ----------
    key : str
        Its dotted key in a recipe; a group's name where one field sets all of the group.
    tip : str
        What is told about it.
    editor : callable
        Makes what it is edited in.
    more : bool
        Whether it is shown under More settings alone.
    only : tuple of str and callable, or None
        It has a meaning only where the callable says so of the value of the setting at that key.
    """

    key: str
    tip: str
    editor: Callable[[], Editor]
    more: bool = False
    only: tuple[str, Callable[[Any], bool]] | None = None

    @property
    def text(self) -> str:
        """What stands before the field."""
        return SETTING_LABELS[self.key]

    @property
    def name(self) -> str:
        """The object name of its editor."""
        return {"data.set": "data_set"}.get(self.key, self.key.rpartition(".")[2])

    def matters(self, values: Mapping[str, Any]) -> bool | None:
        """Whether it has a meaning beside these values, by key; None where the one it hangs on is not known."""
        if self.only is None:
            return True
        key, wanted = self.only
        return wanted(values[key]) if key in values else None


def _is(*choices: str) -> Callable[[Any], bool]:
    return choices.__contains__


def _has_convolutions(hidden: tuple[int | str, ...]) -> bool:
    return any(isinstance(word, str) and word[:1].isdigit() for word in hidden)


_SPACE = "[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]"
_GROUPED = re.compile(rf"[-+]?[0-9]{{1,3}}(?:(?:{_SPACE}[0-9]{{3}})+|(?:,[0-9]{{3}})+)")  # 25 000 or 25,000
_AMBIGUOUS = re.compile(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}")  # a decimal comma, or thousands


def _real(text: str) -> float:
    if _AMBIGUOUS.fullmatch(text.strip()):
        raise RecipeError("", f"{_shorten(text)}: write a point, or no comma")
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
    """The text without what parts thousands in it."""
    text = text.strip()
    if "_" in text:  # parts them in Python alone
        raise ValueError(text)
    return re.sub(f"{_SPACE}|,", "", text) if _GROUPED.fullmatch(text) else text


def _layers(text: str) -> tuple[int | str, ...]:
    # Commas and spaces part them, and a dash after one does; a dash before a figure is a minus.
    parts = (part for part in re.split(r"[,\s]+|(?<=\w)-", text.strip()) if part)
    return tuple(_whole(part) if re.fullmatch(r"[-+]?\d+", part) else part for part in parts)


def _shorten(text: str) -> str:
    return f"“{text[:12]}…”" if len(text) > 12 else f"“{text}”"


def format_number(number: float) -> str:
    """A number as short as it can be without becoming another one."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


_number = partial(TextField, _real, format_number)
_epochs = partial(_number, "epochs")
_count = partial(TextField, _whole, str)

FIELDS: dict[str, tuple[Field, ...]] = {
    "Network": (
        Field(
            "network.hidden",
            "Units of each hidden layer, as in 256, 128; before them convolutions, as in 5x5x32, pool, 128, and "
            "dropout where it shall rest images, too. More can learn more, and take longer. None is allowed.",
            partial(TextField, _layers, lambda units: ", ".join(map(str, units))),
        ),
        Field(
            "network.padding",
            "What a convolution does at an image's rim: without padding the image becomes smaller by the kernel less "
            "one; a frame of zeros keeps its size, and takes longer. None is usual for kernels of 5 × 5.",
            partial(WordChoice, {"valid": "None", "same": "Zeros, same size"}),
            more=True,
            only=("network.hidden", _has_convolutions),
        ),
        Field(
            "network.activation",
            "What follows each layer. ReLU is fast and mostly good. Leaky ReLU has a slope under More settings.",
            partial(
                WordChoice,
                {"relu": "ReLU", "leaky_relu": "Leaky ReLU", "gelu": "GELU", "tanh": "Tanh", "sigmoid": "Sigmoid"},
            ),
        ),
        Field(
            "network.alpha",
            "The slope of leaky ReLU below 0: 0 would be ReLU. 0.01 is usual.",
            _number,
            more=True,
            only=("network.activation", _is("leaky_relu")),
        ),
        Field(
            "network.dropout",
            "The share of each dense hidden layer that is switched off at random in each step, 0 to 0.95; and of what "
            "comes out where the word dropout stands among the layers. "
            "More helps against overfitting, and learns more slowly.",
            _number,
        ),
        Field(
            "network.batch_norm",
            "Normalise what goes into each activation over the batch. It allows higher learning rates and mostly "
            "learns in fewer epochs, each of which takes longer. Off is usual for small networks.",
            partial(Check, "Before activations"),
            more=True,
        ),
        Field(
            "network.initializer",
            "How large the first weights are, at random. Automatic takes He's for ReLU and Glorot's for tanh and "
            "sigmoid, which is what they are for.",
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
            "Label smoothing: the share of each label that is spread over all ten digits, 0 to 0.9. It keeps the "
            "network from being too sure. 0 is none; 0.1 is usual.",
            _number,
            more=True,
        ),
        Field(
            "loss.l1",
            "Adds this times the sum of all weights' sizes to the loss, which drives many to 0. "
            "0 is none; 0.00001 is a beginning.",
            _number,
            more=True,
        ),
        Field(
            "loss.l2",
            "Adds half of this times the sum of all squared weights to the loss, which keeps them small. "
            "0 is none; 0.0001 is usual. With AdamW, weight decay does it better.",
            _number,
            more=True,
        ),
    ),
    "Optimiser": (
        Field(
            "optimizer.method",
            "How gradients become steps. Adam is the least particular. "
            "Momentum, and AdamW's weight decay, are under More settings.",
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
            "The share of each step that the next one keeps, 0 to 0.999. "
            "More is faster and swings wider. 0.9 is usual.",
            _number,
            more=True,
            only=("optimizer.method", _is("momentum", "nesterov")),
        ),
        Field(
            "optimizer.weight_decay",
            "How much AdamW shrinks each weight in a step, times the learning rate. "
            "More helps against overfitting. 0.01 is usual.",
            _number,
            more=True,
            only=("optimizer.method", _is("adamw")),
        ),
        Field(
            "optimizer.learning_rate",
            "The size of a step. Too high and the loss jumps or grows, too low and it hardly moves. "
            "0.001 suits Adam, 0.05 SGD.",
            _number,
        ),
        Field(
            "optimizer.schedule",
            "How the rate changes: cosine goes down to 0 at the end, which mostly ends better. "
            "What the others need is under More settings.",
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
            "How fast the rate goes down, for each epoch. Exponential: times e to the power of minus this. "
            "Inverse time: divided by 1 plus this for each epoch. 0.05 to 0.1 is usual.",
            partial(_number, "an epoch"),
            more=True,
            only=("optimizer.schedule", _is("inverse_time", "exponential")),
        ),
        Field(
            "optimizer.step_epochs",
            "After so many epochs the rate goes down, and again after as many. A third of all epochs is usual.",
            _epochs,
            more=True,
            only=("optimizer.schedule", _is("step")),
        ),
        Field(
            "optimizer.step_factor",
            "What the rate is multiplied by at each step down, up to 1. 0.1 to 0.5 is usual.",
            partial(_number, "times"),
            more=True,
            only=("optimizer.schedule", _is("step")),
        ),
        Field(
            "optimizer.warmup_epochs",
            "The rate rises from 0 over so many epochs at the beginning, with any schedule. It helps high rates and "
            "deep networks. 0 is none; 1 to 5 is usual.",
            _epochs,
            more=True,
        ),
        Field(
            "optimizer.clip_norm",
            "Shortens the whole gradient to this length where it is longer, so that no step runs away. "
            "0 clips nothing; 1 is usual.",
            _number,
            more=True,
        ),
        Field(
            "optimizer.clip_value",
            "Cuts each number of the gradient off at plus and minus this. 0 clips nothing; 0.5 to 1 is usual, and "
            "clipping the norm is mostly better.",
            _number,
            more=True,
        ),
        Field(
            "training.batch_size",
            "Images for one step. Smaller steps more often, larger is faster an epoch.",
            _count,
        ),
        Field("training.epochs", "How often every image is seen.", _count),
        Field(
            "training.patience",
            "Stops early when so many epochs brought no better result on the validation digits. 0 never stops; "
            "10 is usual.",
            partial(_count, "epochs"),
            more=True,
        ),
        Field(
            "training.average",
            "Scores and keeps weights averaged over some 1 / (1 – this) steps, rather than the last ones. It mostly "
            "reads better. 0 is none; 0.999 is usual.",
            _number,
            more=True,
        ),
        Field(
            "training.plain",
            "The share of each batch that is not augmented, so that digits are seen as they will be read, too. "
            "0 is none; with batch norm, 0.25 is usual.",
            _number,
            more=True,
        ),
        Field(
            "training.calibrate",
            "At the end, make probabilities as honest as validation digits can tell: of what is read with 90 %, nine "
            "in ten should be right. It changes no answer. Off is usual.",
            partial(Check, "Honest probabilities"),
            more=True,
        ),
        Field("training.seed", "The same seed gives the same training.", _count),
    ),
    "Data": (
        Field(
            "data.set",
            "What to train on: the built-in MNIST, or IDX files, an .npz, a pickle, a CSV, strokes, or a folder of "
            "images for each class. Show data looks into it.",
            DatasetChoice,
        ),
        Field(
            "data.pen_digits",
            "So many digits as a pen writes them, made for the purpose, are trained on besides. They teach styles that "
            "MNIST hardly holds. None is usual; 25 000 are enough. A thousand take about a second to make.",
            _count,
            more=True,
        ),
        Field(
            "data.non_digits",
            "So many letters, signs and scribbles are shown as things to be unsure of. None is usual; 12 000 are "
            "enough.",
            _count,
            more=True,
        ),
        Field(
            "augmentation",
            "Change each digit a little, each time it is seen. Preview shows how, and changes by how much.",
            AugmentationChoice,
        ),
    ),
}
"""The fields under each heading."""
