"""What a file of weights does not say, found by trying: activation, scaling of the pixels, transposed images.

Each convention makes another network of the same numbers. All are scored on digits, and of those that come close to the
best, the most usual one is taken: which of two alike is a matter of what people do, and not of half a percent of luck.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.classes import DIGITS
from digitpad.errors import WeightsError
from digitpad.nn.layers import (
    ELU,
    GELU,
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Binarize,
    Conv2d,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Rescale,
    Sigmoid,
    Swish,
    Tanh,
)
from digitpad.nn.losses import CrossEntropy
from digitpad.nn.network import Network
from digitpad.weights.foreign.contents import Contents
from digitpad.weights.foreign.structure import SIDE, Beside, Norm, Structure, hints, scaling_beside, structures
from digitpad.weights.weights import MAX_ACTIVATIONS, MAX_PARAMETERS, Weights

CLOSE = 0.015
"""Within so much of the best, the most usual convention is taken: 1.5 points found 41 of 43, the best alone half."""

POOR = 0.5
"""Read so little, and something is not as it was meant; the weights are opened all the same, and it is said."""

_GOOD = 0.9  # from here on, no stranger convention is tried
_TELLING = ("relu", "sigmoid", "tanh", "none")  # of which one comes close to any other
_SURE, _POSSIBLE, _NEXT = 0.9, 0.6, 0.6
_MOST_WAYS = 24
_FIRST_DIGITS = 250
_HEAVY = 3_000_000  # multiplications for an image, from which on fewer candidates are scored
_SOME = np.repeat(np.array([0, 64, 255], np.uint8), 784).reshape(3, 28, 28)  # to see that numbers stay finite
_MARGIN = 0.07  # what a score of the first digits may be wrong by
_BY_LOSS, _MOST_BY_LOSS = 1.5, 1.5
_ALL_READ = 0.02  # a loss below it tells nothing: of what is read right, larger numbers make any loss smaller
_SHOWN = 12

ACTIVATIONS: dict[str, tuple[Callable[[], Layer] | None, float]] = {
    "relu": (ReLU, 0.0),
    "sigmoid": (Sigmoid, 0.5),
    "tanh": (Tanh, 1.0),
    "leaky_relu": (LeakyReLU, 1.5),
    "swish": (Swish, 2.0),
    "elu": (ELU, 2.3),
    "gelu": (GELU, 2.5),
    "leaky_relu 0.1": (lambda: LeakyReLU(0.1), 2.6),
    "leaky_relu 0.2": (lambda: LeakyReLU(0.2), 2.7),
    "none": (None, 3.0),
}
"""The layer behind each name, and how unusual it is."""

SCALINGS: dict[str, tuple[float, float, float]] = {
    "x/255": (1 / 255, 0.0, 0.0),
    "0..255": (1.0, 0.0, 1.0),
    "(x/255 - 0.1307)/0.3081": (1 / 255 / 0.3081, -0.1307 / 0.3081, 1.1),
    "x/255 - 0.5": (1 / 255, -0.5, 1.2),
    "x/127.5 - 1": (1 / 127.5, -1.0, 1.3),
    "0.01..1": (0.99 / 255, 0.01, 1.4),
}
"""Factor and offset of each scaling that treats all pixels alike, and how unusual it is."""

_STRANGE_SCALINGS = {
    "x/255 - 0.1307": (1 / 255, -0.1307, 2.2),
    "1 - x/255": (-1 / 255, 1.0, 2.5),
    "x - 33.3": (1.0, -33.3, 2.6),
    "255 - x": (-1.0, 255.0, 3.0),
}
_STRANGE = [(name, cost) for name, (_, _, cost) in _STRANGE_SCALINGS.items()]
_BINARISED = {"binarised": (0.5, 1.5), "binarised, x > 0": (0.0, 1.8)}
STANDARDISED, PER_PIXEL, CENTRED = "standardised", "standardised per pixel", "less the mean of each pixel"

_HINTED = {
    "relu": "relu",
    "leaky": "leaky_relu",
    "leakyrelu": "leaky_relu",
    "sigmoid": "sigmoid",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "swish": "swish",
    "silu": "swish",
    "gelu": "gelu",
    "elu": "elu",
}


@dataclass(frozen=True)
class Yardstick:
    """Images to score by, and each pixel's mean and spread over the training set, as its own per-pixel scaling.

    ``images`` of shape (n, 28, 28), ``labels`` (n,), both uint8; ``mean`` and ``std`` of shape (784,). Without images,
    nothing is scored, and the most usual convention is taken. ``data`` is what they are of, where it is not the
    built-in set.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    class_names: tuple[str, ...] = DIGITS
    data: str = ""

    @property
    def scores(self) -> bool:
        """Whether there is something to score by."""
        return len(self.labels) > 0

    @property
    def said(self) -> str:
        """What is read, as in ``1,000 validation digits``."""
        return f"{len(self.labels):,} validation {f'images of {self.data}' if self.data else 'digits'}"


@dataclass(frozen=True)
class Convention:
    """How weights are meant.

    Attributes
    ----------
    activation : str
        A key of `ACTIVATIONS`, or one for each hidden layer, apart by commas.
    scaling : str
    orientation : str
        Of the matrices in the file.
    transposed : bool
        Whether the network wants images with rows and columns exchanged.
    detail : str
        What else was assumed.
    """

    activation: str
    scaling: str
    orientation: str
    transposed: bool = False
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Fit for JSON."""
        return {
            "activation": self.activation,
            "scaling": self.scaling,
            "orientation": self.orientation,
            "transposed": self.transposed,
            **({"detail": self.detail} if self.detail else {}),
        }


@dataclass(frozen=True, eq=False)
class Candidate:
    """A convention, what it reads of the digits, and what it takes to make weights of it.

    ``cost`` is how unusual it is, ``loss`` the mean cross-entropy of what is read.
    """

    convention: Convention
    accuracy: float
    cost: float
    structure: Structure
    shifted: bool = False
    loss: float = math.inf


@dataclass(frozen=True, eq=False)
class Understanding:
    """A file of weights with its candidates: the one chosen, and all that are worth a look, the best first."""

    contents: Contents
    chosen: Candidate
    candidates: list[Candidate]
    beside: Sequence[Beside]
    yardstick: Yardstick

    def weights(self, candidate: Candidate | None = None) -> Weights:
        """Weights of our own kind, by the chosen convention or another; ``about`` says how they came to be.

        Raises
        ------
        WeightsError
            If what they compute is not finite, or more than a network here may.
        """
        candidate = candidate or self.chosen
        path = self.contents.path
        try:
            network = _build(candidate, self.beside, self.yardstick)
        except ValueError as error:
            raise WeightsError(path, f"describes a network that cannot be: {error}") from error
        with np.errstate(over="ignore", invalid="ignore"):
            read = network.predict(_SOME)
        if not (np.isfinite(network.parameters).all() and np.isfinite(read).all()):
            raise WeightsError(path, "holds numbers that are not finite, or so large that what they compute is not")
        about: dict[str, Any] = {
            "source": path.name,
            "kind": self.contents.kind,
            "convention": candidate.convention.as_dict(),
        }
        if self.yardstick.scores:
            about |= {
                "candidates": [
                    {**one.convention.as_dict(), "accuracy": round(one.accuracy, 4)} for one in self.candidates
                ],
                "convention_accuracy": candidate.accuracy,
                "convention_scored": self.yardstick.said,
            }
        return Weights(path.name, network.architecture(), network.parameters, about, self.yardstick.class_names)


def understand(
    contents: Contents,
    yardstick: Yardstick,
    *,
    activation: str | None = None,
    scaling: str | None = None,
    tell: Callable[[], None] = lambda: None,
) -> Understanding:
    """Find out how a file's weights are meant.

    Parameters
    ----------
    contents : Contents
    yardstick : Yardstick
    activation, scaling : str, optional
        What is known, and is then not to be guessed.
    tell : callable, optional
        Called between any two candidates; what it raises ends the search.

    Raises
    ------
    WeightsError
        If there is no network in it.
    """
    ways = [way for way in structures(contents, len(yardstick.class_names)) if _fits(way)]
    if not ways:
        raise WeightsError(contents.path, "describes a network that is too large, or holds numbers that are not finite")
    search = _Search(contents, yardstick, ways, activation, scaling, tell)
    if not yardstick.scores:
        usual = search.most_usual()
        return Understanding(contents, usual[0], usual, search.beside, yardstick)
    if ways[0].convs:
        search.along_each_axis()
    else:
        search.everywhere()
    exact = search.finalists()
    chosen = _most_usual(exact)
    return Understanding(contents, chosen, _worth_showing(chosen, exact), search.beside, yardstick)


class _Search:
    """Candidates, quickly scored by a few digits at first, as most are nothing."""

    def __init__(
        self,
        contents: Contents,
        yardstick: Yardstick,
        ways: list[Structure],
        activation: str | None,
        scaling: str | None,
        tell: Callable[[], None],
    ) -> None:
        self._tell = tell
        self.beside = scaling_beside(contents)
        self._yardstick = yardstick
        self._ways = ways
        self._told = _told(contents)
        self._activation, self._scaling = activation, scaling
        self._usual = _scalings(self.beside) if scaling is None else [(scaling, 0.0)]
        self._strange = _STRANGE if scaling is None else []
        self._images = bool(ways[0].convs)
        self._heavy = _n_products(ways[0]) > _HEAVY
        n_first = 100 if self._images else int(min(_FIRST_DIGITS, max(80, 100_000_000 // _n_products(ways[0]))))
        self._n_first = 50 if self._heavy else n_first
        self._scored: list[Candidate] = []

    def everywhere(self) -> None:
        """Every activation with every scaling; what is stranger, where nothing else reads well."""
        first = self._ways[0]
        self._try([first], self._activations(first), self._usual)
        for way in self._ways[1:]:
            self._try([way], self._activations(way), self._usual[:4])
        if self._activation is None and 2 <= first.n_hidden <= 4:
            (way,) = self._likely(1)
            scalings = {self._top(way).convention.scaling, self._usual[0][0]}
            rows = itertools.product(("relu", "sigmoid", "tanh"), repeat=first.n_hidden)
            mixed = [(", ".join(row), 3.0) for row in rows if len(set(row)) > 1]
            self._try([way], mixed, [one for one in self._usual if one[0] in scalings])
        if _best(self._scored) >= _GOOD:
            return
        likely = self._likely(3)
        for way in likely:
            activations = self._activations(way)
            self._try([way], activations, self._usual, transposed=True)
            self._try_shifted(way, activations, self._usual)
            self._try([way], activations, self._strange)
        if _best(self._scored) < _POSSIBLE:  # Octave's columns first, and its tenth for 0, of whatever way it is
            for way in self._ways[:_MOST_WAYS]:
                for transposed, shifted in ((True, False), (False, True), (True, True)):
                    if not shifted or self._yardstick.class_names == DIGITS:
                        few = self._activations(way)[:3], self._usual[:2]
                        self._try([way], *few, transposed=transposed, shifted=shifted)

    def along_each_axis(self) -> None:
        """For convolutions, which take their time: the ways they fit together, then scalings, then activations."""
        usual = list({way.geometry: way for way in reversed(self._ways)}.values())[::-1]
        self._try_ways(sorted(usual, key=lambda way: way.cost))
        likely = {way.geometry for way in self._likely(2)} if _best(self._scored) > _POSSIBLE else {*()}
        rest = [way for way in self._ways if way not in usual and (way.geometry in likely or not likely)]
        self._try_ways(rest, every=True)
        for way in self._likely(1 if self._heavy else 2):
            top = self._top(way)
            name = top.convention.activation
            self._try([way], [one for one in self._activations(way) if one[0] == name], self._usual[1:])
            scaling = self._top(way).convention.scaling
            others = [one for one in self._activations(way) if one[0] != name]
            self._try([way], others, [one for one in self._usual if one[0] == scaling])
        if _best(self._scored) < _GOOD:
            for way in self._likely(2):
                top = self._top(way)
                activation = [one for one in self._activations(way) if one[0] == top.convention.activation]
                self._try([way], activation, self._usual, transposed=True)
                self._try_shifted(way, activation, self._usual[:2])
                self._try([way], activation, self._strange)

    def _try_ways(self, ways: Sequence[Structure], *, every: bool = False) -> None:
        """Each with the activations that tell, until one is as good as sure; ``every`` way, or until then."""
        for name, name_cost in self._activations(self._ways[0]):
            if name_cost >= 0 and name not in _TELLING:
                continue
            for way in ways:
                best = max(self._scored, key=lambda one: one.accuracy, default=None)
                sure = best is not None and best.accuracy > _SURE
                if best is not None and sure and not every and way.cost > best.structure.cost + _NEXT:
                    break  # stranger ones still could only come as close by chance
                self._try([way], [(name, name_cost)], self._usual[:1])
            if _best(self._scored) > _SURE:
                break

    def most_usual(self) -> list[Candidate]:
        """Without anything to score by: what most people do, and what others do, by how usual it is."""
        way, *others = self._ways
        activations = self._activations(way)
        self._try([way], activations[:1], self._usual)
        self._try([way], activations[1:6], self._usual[:1])
        self._try(others[:3], activations[:1], self._usual[:1])
        self._try([way], activations[:1], self._usual[:1], transposed=True)
        usual = [one for one in self._scored if one.cost < math.inf]
        return sorted(usual or self._scored, key=lambda one: one.cost)[:_SHOWN]

    def finalists(self) -> list[Candidate]:
        """Those that may be best and those that may be most usual, scored by all digits."""
        bar = _best(self._scored) - _MARGIN
        close = sorted((one for one in self._scored if one.accuracy >= bar), key=lambda one: (-one.accuracy, one.cost))
        usual_first = sorted(close, key=lambda one: one.cost)
        n = 2 if self._heavy else 5 if self._images else 12
        chosen = [*close[:n], *usual_first[:n]]
        for name in ("relu", "sigmoid", "tanh"):  # so that the table compares them, if only to show the distance
            alike = [one for one in self._scored if one.convention.activation == name]
            chosen += sorted(alike, key=lambda one: (-one.accuracy, one.cost))[:1]
        return [self._score(one, len(self._yardstick.labels)) for one in {id(one): one for one in chosen}.values()]

    def _activations(self, way: Structure) -> list[tuple[str, float]]:
        names = list(ACTIVATIONS) if self._activation is None else [self._activation]
        return sorted(_activations(names, self._told, way.n_hidden), key=lambda one: one[1])

    def _try(
        self,
        ways: Sequence[Structure],
        activations: Sequence[tuple[str, float]],
        scalings: Sequence[tuple[str, float]],
        *,
        transposed: bool = False,
        shifted: bool = False,
    ) -> None:
        for way, (name, name_cost), (scale, scale_cost) in itertools.product(ways, activations, scalings):
            details = "; ".join(filter(None, [way.detail, "outputs for 1 to 9, then 0" if shifted else ""]))
            convention = Convention(name, scale, way.orientation, transposed, details)
            cost = name_cost + scale_cost + way.cost + 2.0 * transposed + 2.5 * shifted
            n = min(self._n_first, len(self._yardstick.labels))
            self._scored.append(self._score(Candidate(convention, 0.0, cost, way, shifted), n))

    def _try_shifted(
        self,
        way: Structure,
        activations: Sequence[tuple[str, float]],
        scalings: Sequence[tuple[str, float]],
        *,
        transposed: bool = False,
    ) -> None:
        if self._yardstick.class_names == DIGITS:
            self._try([way], activations, scalings, transposed=transposed, shifted=True)

    def _likely(self, n: int) -> list[Structure]:
        ranked = sorted(self._scored, key=lambda one: (-one.accuracy, one.cost))
        return list(dict.fromkeys(one.structure for one in ranked))[:n]

    def _top(self, way: Structure) -> Candidate:
        own = [one for one in self._scored if one.structure is way]
        return max(own, key=lambda one: (one.accuracy, -one.cost))

    def _score(self, candidate: Candidate, n: int) -> Candidate:
        self._tell()
        try:
            network = _build(candidate, self.beside, self._yardstick)
        except ValueError:  # as of a network that would compute more than one may
            return candidate
        if n == 0:
            with np.errstate(all="ignore"):
                finite = np.isfinite(network.forward(_SOME)).all()
            return candidate if finite else replace(candidate, cost=math.inf)
        right, loss = 0, 0.0
        for begin in range(0, n, network.chunk):
            end = min(n, begin + network.chunk)
            with np.errstate(all="ignore"):
                logits = network.forward(self._yardstick.images[begin:end])
            labels = self._yardstick.labels[begin:end]
            if not np.isfinite(logits).all():
                return replace(candidate, accuracy=0.0)
            right += int((logits.argmax(axis=1) == labels).sum())
            loss += CrossEntropy()(logits, labels)[0] * len(labels)
        return replace(candidate, accuracy=right / n, loss=loss / n)


def _most_usual(candidates: Sequence[Candidate]) -> Candidate:
    """Of those close to the best the most usual one; a loss larger than another's makes a candidate less likely."""
    best = _best(candidates)
    close = [one for one in candidates if one.accuracy >= best - CLOSE]
    least = max(min(one.loss for one in close), _ALL_READ)

    def unlikely(one: Candidate) -> tuple[float, float]:
        return one.cost + min(_MOST_BY_LOSS, max(0.0, _BY_LOSS * (one.loss / least - 1))), -one.accuracy

    return min(close, key=unlikely)


def normalised(scaling: str) -> str:
    """The name of a scaling as it is known here, from how people write it."""
    plain = scaling.lower().replace(" ", "")
    aliases = {
        "raw": "0..255",
        "0-255": "0..255",
        "none": "0..255",
        "x": "0..255",
        "0..1": "x/255",
        "0-1": "x/255",
        "unit": "x/255",
        "x/255-.5": "x/255 - 0.5",
        "-0.5..0.5": "x/255 - 0.5",
        "-1..1": "x/127.5 - 1",
        "x/255*2-1": "x/127.5 - 1",
        "mnist": "(x/255 - 0.1307)/0.3081",
        "standardized": STANDARDISED,
        "perpixel": PER_PIXEL,
        "standardizedperpixel": PER_PIXEL,
        "binarized": "binarised",
        "binary": "binarised",
    }
    if plain in aliases:
        return aliases[plain]
    known = (*SCALINGS, *_STRANGE_SCALINGS, *_BINARISED, STANDARDISED, PER_PIXEL, CENTRED)
    for name in known:
        if name.replace(" ", "") == plain:
            return name
    raise ValueError(f"{scaling!r} is no scaling; there are {', '.join(known)}")


# Candidates.


def _fits(structure: Structure) -> bool:
    layers = structure.layers
    if sum(layer.weight.size for layer in layers) > MAX_PARAMETERS:
        return False
    return all(np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all() for layer in layers)


def _scalings(beside: Sequence[Beside]) -> list[tuple[str, float]]:
    """Names and costs; what lies beside the weights is likely what their pixels were scaled with."""
    found = [(name, cost) for name, (_, _, cost) in SCALINGS.items()]
    found += [(name, cost) for name, (_, cost) in _BINARISED.items()]
    per_pixel = any(one.mean.size > 1 for one in beside)
    found += [(PER_PIXEL, -1.0 if per_pixel else 2.0), (CENTRED, 2.5)]
    if any(one.mean.size == 1 for one in beside):
        found.append((STANDARDISED, -1.0))
    return sorted(found, key=lambda one: one[1])


def _told(contents: Contents) -> list[str]:
    """The activations that a file speaks of, in order."""
    told = []
    for words in hints(contents):
        named = [_HINTED[word] for word in words if word in _HINTED]
        if "leaky" in words or "lrelu" in words:
            named = ["leaky_relu"]
        if "re" in words and "lu" in words:  # ReLU, apart at its capitals
            named = ["leaky_relu" if "leaky" in words else "relu"]
        told += named[:1]
    return told


def _activations(names: Sequence[str], told: list[str], n_hidden: int) -> list[tuple[str, float]]:
    if n_hidden == 0:
        return [("none", 0.0)]
    found = []
    for name in names:
        known = name.split(" ")[0] in told
        found.append((name, (ACTIVATIONS[name][1] if name in ACTIVATIONS else 0.0) - 3.0 * known))
    in_order = told[:n_hidden]
    if len(in_order) == n_hidden and len(set(in_order)) > 1 and len(names) > 1:
        found.append((", ".join(in_order), -2.5))
    return found


def _best(candidates: Sequence[Candidate]) -> float:
    return max((one.accuracy for one in candidates), default=0.0)


def _worth_showing(chosen: Candidate, scored: Sequence[Candidate]) -> list[Candidate]:
    """The best ones, among them the one chosen and the best of each activation that people use most."""
    ranked = sorted(scored, key=lambda one: (-one.accuracy, one.cost))
    wanted = [chosen]
    for name in _TELLING[:3]:
        wanted += [one for one in ranked if one.convention.activation == name][:1]
    wanted += ranked[:_SHOWN]
    kept = list({id(one): one for one in wanted}.values())[:_SHOWN]
    return sorted(kept, key=lambda one: (-one.accuracy, one.cost))


def _n_products(structure: Structure) -> int:
    """Multiplications for an image."""
    total, side = sum(dense.weight.size for dense in structure.denses), SIDE
    for conv in structure.convs:
        side += 2 * conv.padding - len(conv.weight) + 1
        total += conv.weight.size * side**2
        side //= conv.pool
    return total


# From a candidate to a network.


def _build(candidate: Candidate, beside: Sequence[Beside], yardstick: Yardstick) -> Network:
    """The network that a candidate describes, with its parameters.

    Raises
    ------
    ValueError
        If it cannot be, or would compute more than one may.
    """
    way, convention = candidate.structure, candidate.convention
    first, factor, offset = _input(convention.scaling, beside, yardstick)
    layers: list[Layer] = [*first]
    values: list[dict[str, Any]] = [{} for _ in first]

    def add(layer: Layer, **parameters: Any) -> None:
        layers.append(layer)
        values.append(parameters)

    names = convention.activation.split(", ")
    hidden = iter(names * way.n_hidden if len(names) == 1 else names)

    def follow(norm: Norm | None, *, last: bool = False) -> None:
        maker = None if last else ACTIVATIONS[next(hidden)][0]
        activation = None if maker is None else maker()
        if norm is not None and not way.norm_last:
            add(BatchNorm(), **_norm_parameters(norm))
        if activation is not None:
            layers.append(activation)
            values.append({})
        if norm is not None and way.norm_last:
            add(BatchNorm(), **_norm_parameters(norm))

    if way.convs:
        if np.size(factor) > 1 or np.size(offset) > 1:
            raise ValueError("pixels scaled each by itself before a convolution")
        add(AddChannel())
    for conv in way.convs:
        weight = conv.weight.swapaxes(0, 1) if convention.transposed else conv.weight
        add(Conv2d(weight.shape[3], len(weight), conv.padding), weight=weight, bias=conv.bias)
        follow(conv.norm)
        if conv.pool > 1:
            add((AvgPool2d if way.average_pool else MaxPool2d)(conv.pool))
    add(Flatten())
    for place, dense in enumerate(way.denses):
        weight, bias = dense.weight, dense.bias
        if place == 0:
            if convention.transposed:
                weight = _transposed(way, weight)
            if not way.convs:  # what each pixel is scaled by goes into the weights that it meets
                bias = bias + (offset * np.ones(len(weight))) @ weight
                weight = weight * (factor * np.ones(len(weight)))[:, None]
        if place == len(way.denses) - 1 and candidate.shifted:
            weight, bias = np.roll(weight, 1, axis=1), np.roll(bias, 1)
        add(Linear(weight.shape[1]), weight=weight, bias=bias)
        follow(dense.norm, last=place == len(way.denses) - 1)
    network = Network(layers, max_parameters=MAX_PARAMETERS)
    if network.plan.n_activations > MAX_ACTIVATIONS:
        raise ValueError(f"it computes more than {MAX_ACTIVATIONS:,} numbers for an image")
    with np.errstate(over="ignore", invalid="ignore"):
        for layer, parameters in zip(layers, values, strict=True):
            for name, value in parameters.items():
                layer.parameters[name][...] = value
    return network


def _input(scaling: str, beside: Sequence[Beside], yardstick: Yardstick) -> tuple[list[Layer], Any, Any]:
    """The first layers, and what else each pixel is multiplied by and added to it."""
    if scaling in _BINARISED:
        return [Rescale(1 / 255), Binarize(_BINARISED[scaling][0])], 1.0, 0.0
    if scaling in SCALINGS or scaling in _STRANGE_SCALINGS:
        factor, offset, _ = (SCALINGS | _STRANGE_SCALINGS)[scaling]
        return [Rescale(factor, offset)], 1.0, 0.0
    if scaling == STANDARDISED:
        one = next((one for one in beside if one.mean.size == 1), None)
        of_all, spread = (33.3184, 78.5675) if one is None else (float(one.mean[0]), float(one.std[0]))
        # Means of pixels of 0..1 are small; a lone spread of 255 or so belongs to pixels of 0..255.
        unit = 1 / 255 if abs(of_all) <= 1.5 and spread <= 1.5 else 1.0
        return [Rescale(unit / spread, -of_all / spread)], 1.0, 0.0
    own = next((one for one in beside if one.mean.size > 1), None)
    mean, std = (yardstick.mean, yardstick.std) if own is None else (own.mean, own.std * np.ones(784))
    if scaling == CENTRED:
        std = np.ones_like(mean)
    if own is None and scaling == PER_PIXEL:
        std = np.where(std > 1e-7, std, 1.0)
    unit = 1 / 255 if np.abs(mean).max() <= 1.5 else 1.0
    return [Rescale(unit)], 1 / std, -mean / std


def _transposed(way: Structure, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first matrix for images with rows and columns exchanged."""
    channels = way.convs[-1].weight.shape[3] if way.convs else 1
    side = math.isqrt(len(weight) // channels)
    return weight.reshape(side, side, channels, -1).transpose(1, 0, 2, 3).reshape(weight.shape)


def _norm_parameters(norm: Norm) -> dict[str, NDArray[np.float64]]:
    return {"scale": norm.scale, "shift": norm.shift, "mean": norm.mean, "variance": norm.variance}
