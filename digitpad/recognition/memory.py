"""Memory of corrections: drawings that the network misread, which change the answer for similar drawings at once.

Two drawings are similar if the network's hidden layers respond alike. The distance is 1 - cos of the angle between the
activations of the last hidden layer, averaged with the same for that layer's input, which tells drawings apart that the
last layer already takes for the same digit. For a dense network with one hidden layer, that input is the image, which
does not help and is left out.

The network's answer p is changed to the label c of the nearest corrected drawing if their distance is below

    max(NEAR, FAR · (1 - lead / MAX_LEAD)),  where lead = logit[p] - logit[c].

So a drawing that is almost the same counts always, and one that is only similar counts if the network itself was
undecided between p and c. ``tests/tools/memory_distances.py`` chose the three constants.

A labelled drawing within `SURE_WITHIN` also makes the answer sure. For the 20 development writers with most answers
that are not sure, this makes half of those sure that are right, and none that is wrong, once each unsure drawing is
labelled when it comes. Of 1,439 symbols that are no digits, it makes 0.5 per writer a digit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.datasets.own_digits.records import CORRECTION, OwnDigit
from digitpad.nn.arrays import Floats
from digitpad.nn.layers import Linear
from digitpad.nn.losses import NONE
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights

NEAR, FAR, MAX_LEAD = 0.06, 0.4, 6.0

SURE_WITHIN = 0.22

MAX_REMEMBERED = 300
"""Drawings that are compared: the latest ones, misread ones first. Comparing so many takes about 0.1 ms."""


@dataclass(frozen=True)
class Correction:
    """Labelled drawing that changed an answer, or made it sure.

    Attributes
    ----------
    id : str
        Drawing that was corrected.
    label : int
        Its digit, or `NONE` if it is not a digit.
    network_digit : int
        Prediction of the network alone.
    distance : float
        Distance from the corrected drawing, 0 to 1.
    date : datetime or None
        When it was labelled, if known.
    source : str
        How the drawing came into My digits; see `OwnDigit`.
    """

    id: str
    label: int
    network_digit: int
    distance: float
    date: datetime | None = None
    source: str = CORRECTION

    @property
    def is_sure(self) -> bool:
        """Whether the answer is sure, however undecided the network was."""
        return self.label != NONE and self.distance < SURE_WITHIN

    @property
    def said(self) -> str:
        """Reason for the answer, for example ``as you corrected on 3 March``."""
        reason = "as you corrected" if self.source in (CORRECTION, "") else "as in My digits"
        return reason if self.date is None else f"{reason} on {format_day(self.date)}"


def format_day(date: datetime) -> str:
    """Return a day, for example ``3 March``, with the year if it is not this one."""
    year = "" if date.year == datetime.now().astimezone().year else f" {date.year}"
    return f"{date.day} {_MONTHS[date.month - 1]}{year}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class CorrectionMemory:
    """Corrected drawings, as one network sees them.

    Drawings that this network reads correctly never change an answer, but they protect the answer for similar drawings.

    Parameters
    ----------
    weights : Weights
        The network; for another network, make another memory of the same drawings.
    drawings : iterable of OwnDigit
        Labelled drawings, the oldest first. Reading each takes as long as a prediction.

    Attributes
    ----------
    is_on : bool
        Whether the memory may change answers.
    """

    def __init__(self, weights: Weights, drawings: Iterable[OwnDigit] = ()) -> None:
        self.weights = weights
        self.is_on = True
        self._knows_digits = weights.class_names == DIGITS
        self._network = weights.network().folded()
        self._places = feature_places(self._network)
        self._drawings: list[OwnDigit] = []
        self._points: Floats = np.empty((0, 0), np.float32)
        self._read_as: list[int] = []
        self.add(drawings)

    @property
    def is_active(self) -> bool:
        """Whether there are drawings, and they may change answers."""
        return self.is_on and bool(self._drawings)

    @property
    def n_corrections(self) -> int:
        """Number of drawings that can change an answer."""
        return sum(drawing.label != digit for drawing, digit in zip(self._drawings, self._read_as, strict=True))

    def add(self, drawings: Iterable[OwnDigit]) -> None:
        """Remember more drawings; forgotten drawings and those without ink are skipped."""
        new = [drawing for drawing in drawings if not drawing.is_forgotten and drawing.image.any()]
        if not new or not self._knows_digits:  # corrections are digits
            return
        points = [self._points] if self._drawings else []
        for drawing in new:  # one by one, as a drawing is read on the pad
            logits, features = forward_with_features(self._network, drawing.image[None], self._places)
            self._read_as.append(int(logits[0].argmax()))
            points.append(features)
        drawings = [*self._drawings, *new]
        misread = [drawing.label != digit for drawing, digit in zip(drawings, self._read_as, strict=True)]
        kept = sorted(sorted(range(len(drawings)), key=lambda place: (misread[place], place))[-MAX_REMEMBERED:])
        self._drawings = [drawings[place] for place in kept]
        self._read_as = [self._read_as[place] for place in kept]
        self._points = np.concatenate(points)[kept]

    def clear(self) -> None:
        """Forget all drawings; they stay in My digits."""
        self._drawings, self._read_as = [], []
        self._points = self._points[:0]

    def forward(self, network: Network, images: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Return the logits and the features of images by a network of the same weights.

        Parameters
        ----------
        network : Network
            The recogniser's own copy.
        images : ndarray of uint8, shape (n_images, 28, 28)

        Returns
        -------
        logits : ndarray of shape (n_images, n_classes)
            The network's, which its next call overwrites.
        features : ndarray of shape (n_images, n_features)
        """
        return forward_with_features(network, images, self._places)

    def look_up(self, logits: Floats, point: Floats) -> Correction | None:
        """Return the labelled drawing that changes the answer for these logits and features or makes it sure, or None.

        Parameters
        ----------
        logits : ndarray of shape (n_classes,)
            Up to a constant.
        point : ndarray of shape (n_features,)
            From `forward`.
        """
        if not self.is_active:
            return None
        distances = 1 - self._points @ point
        place = int(distances.argmin())
        distance, drawing = float(distances[place]), self._drawings[place]
        digit = int(logits.argmax())
        limit = NEAR
        if drawing.label == digit:
            limit = SURE_WITHIN
        elif drawing.label == self._read_as[place]:
            return None
        elif drawing.label != NONE:
            limit = max(NEAR, FAR * (1 - float(logits[digit] - logits[drawing.label]) / MAX_LEAD))
        if not distance < limit:
            return None
        return Correction(drawing.id, drawing.label, digit, max(0.0, distance), drawing.date, drawing.source)


def feature_places(network: Network) -> tuple[int, ...]:
    """Return the indices of the layers whose inputs are the features: the last hidden layer, and that layer's input."""
    linear = [index for index, layer in enumerate(network.layers) if isinstance(layer, Linear)]
    if not linear:
        return (len(network.layers),)
    has_weights = [index for index, layer in enumerate(network.layers) if layer.weights]
    return (linear[-1],) if len(linear) < 2 or linear[-2] == has_weights[0] else (linear[-2], linear[-1])


def forward_with_features(
    network: Network, images: NDArray[np.uint8], places: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Return logits, which the next call overwrites, and the features of each image.

    The features have shape (n_images, n_features). Those of an image have length 1, so that the dot product of two is
    their mean cosine.
    """
    x: NDArray[Any] = images
    parts = []
    with np.errstate(over="ignore", invalid="ignore"):
        for index, layer in enumerate(network.layers):
            if index in places:
                parts.append(_unit(x, len(places)))
            x = layer.forward(x, False)
    if places[-1] == len(network.layers):
        parts.append(_unit(x, len(places)))
    return x, np.concatenate(parts, axis=1)


def _unit(activations: NDArray[Any], n_parts: int) -> Floats:
    """Return a copy of the activations, those of each image scaled to a squared length of 1 / n_parts.

    They are 0 where no unit is active, or where they overflow.
    """
    part: Floats = activations.reshape(len(activations), -1).astype(np.float32)  # a copy: layers overwrite activations
    squares = np.einsum("ij,ij->i", part, part)[:, None] * n_parts
    is_usable = (squares > 0) & np.isfinite(squares)
    return np.where(is_usable, part / np.sqrt(np.where(is_usable, squares, 1)), 0)
