"""Accuracy of a network on the user's labelled drawings, for each writer and each digit."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import Digits
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.errors import DataError
from digitpad.evaluation.metrics import EvaluationProgress, read_in_chunks
from digitpad.weights.native_format import Weights


@dataclass(frozen=True)
class GroupScore:
    """Number of drawings of a writer or of a digit, and how many of them the network reads correctly."""

    name: str
    n: int
    n_right: int

    @property
    def accuracy(self) -> float:
        """Share of drawings that are read correctly."""
        return self.n_right / self.n


@dataclass(frozen=True)
class OwnDigitScores:
    """Scores on labelled drawings; drawings that are not digits, or have no ink, are left out.

    Attributes
    ----------
    read_as : dict of str
        Name of the class that the network reads for each drawing, by its identifier.
    by_writer : tuple of GroupScore
        The hardest writer first.
    by_digit : tuple of GroupScore
        In the order of the digits.
    """

    read_as: dict[str, str]
    by_writer: tuple[GroupScore, ...]
    by_digit: tuple[GroupScore, ...]

    @property
    def total(self) -> GroupScore:
        """Score of all drawings."""
        return GroupScore("All", sum(each.n for each in self.by_digit), sum(each.n_right for each in self.by_digit))


def score_own_digits(
    weights: Weights, drawings: Sequence[OwnDigit]
) -> Generator[EvaluationProgress, None, OwnDigitScores]:
    """Read all drawings with a network, and yield progress; return the scores.

    Raises
    ------
    DataError
        If there is no digit, or the network does not know one of them.
    """
    digits = [drawing for drawing in drawings if drawing.is_digit and drawing.image.any()]
    if not digits:
        raise DataError("My digits", "has no labelled digits yet")
    names = weights.class_names
    if unknown := sorted({str(digit.label) for digit in digits} - set(names)):
        raise DataError("My digits", f"has the digit {unknown[0]}, which {weights.name} does not know")
    labels = np.array([names.index(str(digit.label)) for digit in digits], np.uint8)
    images = Digits(np.stack([digit.image for digit in digits]), labels)
    read = (yield from read_in_chunks(weights.network(), images)).argmax(axis=1)
    is_right = read == labels
    writers = np.array([digit.writer for digit in digits])
    by_writer = [_score(name, is_right[writers == name]) for name in sorted(set(writers.tolist()))]
    by_digit = [_score(str(digit), is_right[labels == names.index(str(digit))]) for digit in _values(digits)]
    return OwnDigitScores(
        {digit.id: names[place] for digit, place in zip(digits, read.tolist(), strict=True)},
        tuple(sorted(by_writer, key=lambda score: (score.accuracy, score.name))),
        tuple(by_digit),
    )


def _values(digits: Sequence[OwnDigit]) -> list[int]:
    return sorted({digit.label for digit in digits})


def _score(name: str, is_right: NDArray[np.bool_]) -> GroupScore:
    return GroupScore(name, len(is_right), int(is_right.sum()))
