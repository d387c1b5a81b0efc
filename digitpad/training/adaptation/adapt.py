"""Adaptation: fine-tuning of a network on the user's own digits, without forgetting the others.

Only the dense layers are trained; convolutions keep their parameters, so each image passes through them once, which
takes most of the time. Every step has some own digits, distorted, and ten times as many rehearsal images: MNIST
training digits and generated pen digits. Their targets are the probabilities of the network before the adaptation
(Li and Hoiem, 2017, Learning without forgetting), so that the network keeps its answers for other people's digits.

At the end the parameters are moved back towards the old ones (Wortsman et al., 2022, Robust fine-tuning), just as far
as MNIST validation digits require: the accuracy must hardly fall, and neither may the answers change. The divergence of
the answers is measured because the accuracy of so good a network changes by a few digits only, most of it by chance.

A third of the own digits is held out first, and a network adapted to the others is scored on them. Then the network is
adapted again, to all own digits: this is the result. The MNIST test set is used for scores only.
"""

import math
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.datasets.augmentation.augment import Augmentation, Augmenter
from digitpad.datasets.dataset import mnist
from digitpad.datasets.digits import SIDE
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.datasets.synthetic.pen_digits import pen_digits
from digitpad.errors import DigitpadError
from digitpad.nn.arrays import Floats, Ints
from digitpad.nn.losses import NONE, softmax
from digitpad.nn.optimizers import Adam
from digitpad.system import blas_threads
from digitpad.training.adaptation.records import (
    AdaptationProgress,
    AdaptationResult,
    AdaptationScores,
    AdaptationSettings,
)
from digitpad.training.adaptation.split_network import SplitNetwork, head_width
from digitpad.weights.native_format import Weights, provenance

DISTORTIONS = Augmentation(rotate_deg=10, shift_px=1, scale=0.1, shear=0.2, elastic_px=0.7, thickness_px=0.4)

MIX = (1.0, 0.85, 0.7, 0.6, 0.5, 0.42, 0.35, 0.28, 0.2, 0.14, 0.1)
"""Shares of the change that are tried, the largest first."""

DEFAULTS = AdaptationSettings()

HELD_OUT_EVERY = 3


@dataclass(frozen=True, eq=False)
class References:
    """Digits of other people, as the trunk of one network sees them; they serve any number of its adaptations.

    Attributes
    ----------
    weights : Weights
    rehearsal : ndarray of shape (n, *width)
        MNIST training digits and generated digits.
    targets : ndarray of shape (n, 10)
        Probabilities of the network for them.
    validation, test : ndarray of shape (n, *width)
        MNIST digits, with their labels.
    """

    weights: Weights
    rehearsal: Floats
    targets: Floats
    validation: Floats
    validation_labels: Ints
    test: Floats
    test_labels: Ints


Adapting = Generator[AdaptationProgress, None, AdaptationResult]


def adapt(
    weights: Weights,
    drawings: Sequence[OwnDigit],
    n_threads: int | None = None,
    settings: AdaptationSettings | None = None,
    references: References | None = None,
) -> Adapting:
    """Adapt a network to the user's drawings; yield progress a few times a second, and return the result.

    Closing the generator stops the adaptation; nothing has changed then.

    Parameters
    ----------
    weights : Weights
    drawings : sequence of OwnDigit
        Labelled drawings; those without ink are skipped.
    n_threads : int, optional
        Threads for the convolutions; by default the number of BLAS threads.
    settings : AdaptationSettings, optional
    references : References, optional
        From `read_references` for the same weights, to save most of the time of a further adaptation.

    Raises
    ------
    DigitpadError
        If the network does not read digits, or there is no drawing.
    """
    if problem := adaptation_problem(weights):
        raise DigitpadError(problem)
    drawings = [drawing for drawing in drawings if drawing.image.any()]
    if not drawings:
        raise DigitpadError("there are no labelled drawings to adapt to; label some first")
    if references is not None and references.weights is not weights:
        raise ValueError("the references belong to another network")
    settings = settings or DEFAULTS
    n_threads = blas_threads.thread_count() if n_threads is None else n_threads
    if references is None:
        references = yield from read_references(weights, n_threads, settings)
    with SplitNetwork(weights, n_threads) as network:
        return (yield from _Adaptation(network, drawings, references, settings).run())


def adaptation_problem(weights: Weights) -> str:
    """Return why a network cannot be adapted, as a sentence for the user; empty if it can."""
    if weights.class_names != DIGITS:
        return f"{weights.name} does not read the digits 0 to 9, so it cannot be adapted to your digits."
    if (width := head_width(weights)) > MAX_HEAD_WIDTH:
        return (
            f"The part of {weights.name} that would be trained has {width:,} inputs, more than {MAX_HEAD_WIDTH:,}, "
            "and would take too much memory to adapt."
        )
    return ""


MAX_HEAD_WIDTH = 20_000
"""Largest input of the head, in numbers; all images of an adaptation then take less than 2 GB."""


def read_references(
    weights: Weights, n_threads: int = 1, settings: AdaptationSettings | None = None
) -> Generator[AdaptationProgress, None, References]:
    """Read MNIST and generated digits with a network's trunk; most of the time of an adaptation."""
    settings = settings or DEFAULTS
    data = mnist()
    pen = yield from _pen_digits(settings)
    chosen = np.sort(np.random.default_rng(settings.seed).permutation(len(data.training))[: settings.n_mnist])
    validation = data.validation[: settings.n_validation]
    images = [np.concatenate([data.training.images[chosen], pen]), validation.images, data.test.images]
    total, done = sum(map(len, images)), 0
    with SplitNetwork(weights, n_threads) as network:
        features = []
        for part in images:
            features.append(np.empty((len(part), *network.width), np.float32))
            for n in network.features(part, features[-1]):
                share = (done + n) / total
                yield AdaptationProgress("Reading MNIST", done + n, total, _READ + (_TRAIN - _READ) * share)
            done += len(part)
        rehearsal, validation_features, test = features
        targets = softmax(network.logits(rehearsal))
    return References(weights, rehearsal, targets, validation_features, validation.labels, test, data.test.labels)


def _pen_digits(settings: AdaptationSettings) -> Generator[AdaptationProgress, None, NDArray[np.uint8]]:
    """Generate pen digits in parts, so that the work can be stopped between them."""
    parts = []
    for start in range(0, settings.n_pen, _PEN_PART):
        yield AdaptationProgress("Generating digits", start, settings.n_pen, _READ * start / settings.n_pen)
        n = min(_PEN_PART, settings.n_pen - start)
        parts.append(pen_digits(n, _PEN_SEED + settings.seed * 1000 + start // _PEN_PART).images)
    return np.concatenate(parts) if parts else np.empty((0, SIDE, SIDE), np.uint8)


_READ, _TRAIN, _FINAL = 0.1, 0.6, 0.8  # shares of the whole at which the stages begin
_PEN_PART, _PEN_SEED = 200, 2**30  # other seeds than those of the recipes' pen digits


def held_out(labels: Sequence[int]) -> NDArray[np.bool_]:
    """Return which drawings are held out: of each digit the second, the fifth, and so on.

    More drawings, added at the end, leave earlier ones where they are. If no digit has two drawings, the second, the
    fifth, … of all digits are held out. Drawings of no digit are never held out.
    """
    result = np.zeros(len(labels), bool)
    digits = np.array(labels)
    groups = [np.flatnonzero(digits == label) for label in np.unique(digits[digits != NONE])]
    if groups and max(map(len, groups)) < 2:
        groups = [np.flatnonzero(digits != NONE)]
    for group in groups:
        result[group[1::HELD_OUT_EVERY]] = True
    return result


class _Adaptation:
    """Adaptation of one network: its own digits as the trunk sees them, and the head before and after."""

    def __init__(
        self,
        network: SplitNetwork,
        drawings: Sequence[OwnDigit],
        references: References,
        settings: AdaptationSettings,
    ) -> None:
        self._network, self._drawings, self._references, self._settings = network, drawings, references, settings
        self._before = network.head.parameters.copy()
        self._rng = np.random.default_rng(settings.seed)
        self._labels = np.array([drawing.label for drawing in drawings], np.uint8)
        self._is_held_out = held_out(self._labels.tolist())

    def run(self) -> Adapting:
        """Adapt, score, and return the result."""
        images = np.stack([drawing.image for drawing in self._drawings])
        n_copies = max(1, min(self._settings.n_copies, _MAX_COPIES // len(images)))
        copies = self._distorted(np.repeat(images, n_copies, axis=0))
        everything = np.concatenate([images, copies])
        own = np.empty((len(everything), *self._network.width), np.float32)
        for done in self._network.features(everything, own):
            yield AdaptationProgress("Reading your digits", done, len(own), _TRAIN)
        owners = np.concatenate([np.arange(len(images)), np.repeat(np.arange(len(images)), n_copies)])
        plain = own[: len(images)]
        own_before = self._network.is_right(plain, self._labels)
        mnist_before = self._score_test_set()

        tested = self._is_held_out
        held_out_after = own_before
        if tested.any() and not tested.all():
            yield from self._train(own, owners, ~tested, "Adapting without the held-out digits", _TRAIN, _FINAL)
            held_out_after = self._network.is_right(plain, self._labels)
        self._network.head.parameters[:] = self._before
        yield from self._train(own, owners, np.ones(len(images), bool), "Adapting to all your digits", _FINAL, 1.0)
        own_after = self._network.is_right(plain, self._labels)
        n_tested = int(tested.sum())
        before = AdaptationScores(_mean(own_before[tested]), mnist_before, n_tested)
        after = AdaptationScores(_mean(held_out_after[tested]), self._score_test_set(), n_tested)
        return AdaptationResult(
            self._adapted(before, after),
            self._references.weights,
            before,
            after,
            self._chosen(own_after & ~own_before),
            self._chosen(own_before & ~own_after),
        )

    def _chosen(self, mask: NDArray[np.bool_]) -> tuple[OwnDigit, ...]:
        return tuple(drawing for drawing, is_chosen in zip(self._drawings, mask.tolist(), strict=True) if is_chosen)

    def _adapted(self, before: AdaptationScores, after: AdaptationScores) -> Weights:
        """Return the weights with the network's present parameters, and the facts about the adaptation."""
        weights = self._references.weights
        facts = {
            "from": weights.name,
            "n_drawings": len(self._drawings),
            "before": asdict(before),
            "after": asdict(after),
            **provenance(),
        }
        about = {**weights.about, "test_accuracy": after.mnist_accuracy, "adapted": facts}
        return replace(weights, parameters=self._network.parameters, about=about)

    def _distorted(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        augment = Augmenter(DISTORTIONS)
        parts = np.array_split(images, -(-len(images) // _CHUNK))
        return np.concatenate([augment(part, self._rng).copy() for part in parts])

    def _train(
        self, own: Floats, owners: Ints, chosen: NDArray[np.bool_], stage: str, begin: float, end: float
    ) -> Generator[AdaptationProgress, None, None]:
        """Train the head on the chosen drawings, then move it back as far as the validation digits require.

        Parameters
        ----------
        own : ndarray of shape (n, *width)
            The drawings, followed by their distorted copies.
        owners : ndarray of shape (n,)
            Drawing of each row.
        chosen : ndarray of bool, shape (n_drawings,)
        stage, begin, end
            For the progress.
        """
        settings, references, head, optimizer = self._settings, self._references, self._network.head, Adam()
        places = np.flatnonzero(chosen[owners])
        own_targets = _targets(self._labels, references.targets.dtype)[owners]
        weight = settings.rehearsal_weight / settings.n_rehearsal
        if end < 1:
            yield self._scored(AdaptationProgress(stage, 0, settings.n_steps, begin), own, chosen)
        for step in range(settings.n_steps):
            a = self._rng.choice(places, settings.n_own)
            b = self._rng.integers(0, len(references.rehearsal), settings.n_rehearsal)
            with np.errstate(over="ignore", invalid="ignore"):
                probabilities = softmax(head.forward(np.concatenate([own[a], references.rehearsal[b]])))
                # The gradient of cross-entropy by the logits is p - t, also for targets that are probabilities.
                gradient = probabilities - np.concatenate([own_targets[a], references.targets[b]])
                gradient[: len(a)] /= len(a)
                gradient[len(a) :] *= weight
                head.backward(gradient)
                rate = settings.learning_rate * (0.5 + 0.5 * math.cos(math.pi * step / settings.n_steps))
                optimizer.step(head.parameters, head.gradients, rate)
            n_done = step + 1
            if n_done % _REPORT_STEPS == 0:
                log = np.log(np.maximum(probabilities[: len(a)], 1e-12))
                loss = -float((own_targets[a] * log).sum(axis=1).mean())
                share = begin + (end - begin) * n_done / settings.n_steps
                progress = AdaptationProgress(
                    stage, n_done, settings.n_steps, share, loss, training_share=(share - _TRAIN) / (1 - _TRAIN)
                )
                yield progress if n_done % _SCORE_STEPS else self._scored(progress, own, chosen)
        self._move_back()

    def _scored(self, progress: AdaptationProgress, own: Floats, chosen: NDArray[np.bool_]) -> AdaptationProgress:
        """Return a progress with the accuracies of the network as it is now."""
        is_right = self._network.is_right(own[: len(chosen)], self._labels)
        own_accuracy = None if chosen.all() else _mean(is_right[self._is_held_out])
        return replace(progress, own_accuracy=own_accuracy, mnist_accuracy=self._validate()[0])

    def _move_back(self) -> None:
        """Keep the largest share of the change that the validation digits allow."""
        parameters, settings = self._network.head.parameters, self._settings
        change = parameters - self._before
        parameters[:] = self._before
        accuracy_before, logits = self._validate()
        probabilities = softmax(logits)
        for share in MIX:
            parameters[:] = self._before + share * change
            if not np.isfinite(parameters).all():
                continue
            accuracy, logits = self._validate()
            divergence = _divergence(probabilities, softmax(logits))
            if accuracy >= accuracy_before - settings.max_drop and divergence <= settings.max_divergence:
                return
        parameters[:] = self._before

    def _validate(self) -> tuple[float, Floats]:
        """Return the accuracy on the validation digits, and their logits."""
        logits = self._network.logits(self._references.validation)
        return float((logits.argmax(axis=1) == self._references.validation_labels).mean()), logits

    def _score_test_set(self) -> float:
        return float(self._network.is_right(self._references.test, self._references.test_labels).mean())


_CHUNK, _MAX_COPIES = 128, 10_000
_REPORT_STEPS, _SCORE_STEPS = 5, 25


def _divergence(before: Floats, after: Floats) -> float:
    """Return the mean Kullback-Leibler divergence of probabilities from those before, in nats."""
    smallest = 1e-12
    logs = np.log(np.maximum(before, smallest)) - np.log(np.maximum(after, smallest))
    return float((before * logs).sum(axis=1).mean())


def _targets(labels: Ints, dtype: Any) -> Floats:
    """Return target probabilities, one row per label; uniform for a drawing of no digit."""
    table = np.full((NONE + 1, len(DIGITS)), 1 / len(DIGITS), dtype)
    table[: len(DIGITS)] = np.eye(len(DIGITS))
    return table[labels]


def _mean(right: NDArray[np.bool_]) -> float | None:
    return float(right.mean()) if len(right) else None
