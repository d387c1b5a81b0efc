"""Search for the best reading of a line: which units form a digit, and how much each looks like one.

A hypothesis is a set of units that may form one digit. Its score is a logarithm of probability: how much the network
takes it for a digit, how well its height suits, and for each unit how likely it is in the same digit as its
neighbours. A reading is a set of hypotheses that has each unit once; dynamic programming finds the best one.

The network is needed only for hypotheses that could be part of the best reading. So each is first given the score that
it would have as a perfect digit, and the best reading is found with these scores; if it has hypotheses that the
network has not read, the network reads them, and the search is repeated. The result is the same as if all were read.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from digitpad.recognition.recognizer import Prediction
from digitpad.recognition.segmentation.parts import Box
from digitpad.recognition.segmentation.signs import APART
from digitpad.recognition.segmentation.units import FLAT, Unit, digit_height

MAX_UNITS = 4
"""Number of units in a hypothesis, except the one of all units."""

WINDOW = 6
"""Units, from left to right, among which those of a hypothesis lie."""

MAX_SINGLE = 24
"""Number of units that may together form one digit, or one scribble."""

SAME, PER_OVERLAP, PER_SHARED_HEIGHT, PER_STEP, PER_OFFSET, PER_COVERED = 5.0, 4.7, -4.0, -10.6, 5.0, 5.4
"""Log-odds that two units are in the same digit: a constant, and factors of five lengths in heights of digits.

The lengths are the overlap of their boxes in x (below 0: the gap), that in y, the distance of their centres in x, how
far their upper and lower edges differ, and the overlap in x beyond half of the narrower unit.
Two digits stand beside each other at the same height; two strokes of a digit seldom do, and crossed strokes are seldom
two digits. The factors lie between two logistic regressions, and were chosen by the development numbers and digits
that are read correctly. Each length is limited to the range in which it was fitted.
"""

RAISED, MIN_RAISED, MAX_RAISED = -6.0, 0.2, 0.8
"""The same for an exponent, and its smallest and largest height; 3 of 4,163 digits have a stroke in such a place."""

MIN_LOG_ODDS, MAX_LOG_ODDS = -2.5, 7.0
"""Limits of the log-odds from geometry: units with less are never considered as one digit."""

CONTRARY = 0.5
"""Factor of the log-odds of units that are unlikely in the same digit, in a hypothesis that connects them by others."""

UNCUT = 4.0
"""Log-odds that consecutive pieces of a stroke or a component are in the same digit."""

JOINS = 0.0
"""Score of a line that only joins two digits; a cut at each of its ends is counted already."""

NO_DIGIT = -5.0
"""Logarithm of the probability that ink is not a digit, before it is read."""

SIGN_HEIGHT, SIGN = 0.65, -1.5
"""The same for ink lower than this share of the line's height, which may be a sign."""

KNOWN_SIGN = -0.5
"""Score of a unit that is a sign by its shape and place."""

MIN_SURE = -1.2
"""Lowest score of a sure digit."""

NARROW, MIN_GAP = 1.0, 0.3
"""Two digits that are together narrower than this share of their height, and closer, may be a letter, such as an x."""

MIN_HEIGHT, PER_HEIGHT = 0.5, 4.0
"""Digits lower than this share of the line's height lose this much per halving, in units of e."""

LOW = 0.25
"""How far the middle of a small digit may be below the middle of the line, in heights; a comma is lower."""

LOWER = -3.0


@dataclass(eq=False)
class Hypothesis:
    """Units that may form one digit.

    Attributes
    ----------
    units : int
        Bit i is set if unit i is included.
    parts : tuple of int
    box : Box
    geometry : float
        Logarithm of the probability that these units belong together, and to no other unit.
    size : float
        Logarithm of the probability that a digit has this height and place; 0 for usual ones.
    no_digit : float
        Logarithm of the probability that it is not a digit, before it is read.
    joins : bool
        Whether it is a line that only joins two digits.
    is_sign : bool
        Whether its shape and place make it a point, comma, minus or plus sign; the prediction does not count then.
    prediction : Prediction or None
        None until the network has read it.
    score : float
        Logarithm of the probability, with the network's reading or as if it was a perfect digit.
    doubt : float
        How much worse it is than a perfect digit.
    is_digit : bool
        Whether it is more likely a digit than no digit.
    """

    units: int
    parts: tuple[int, ...]
    box: Box
    geometry: float
    size: float
    no_digit: float = NO_DIGIT
    joins: bool = False
    is_sign: bool = False
    prediction: Prediction | None = field(default=None, init=False)
    score: float = field(init=False)
    doubt: float = field(default=0.0, init=False)
    is_digit: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        own = KNOWN_SIGN if self.is_sign else 0.0 if self.joins else max(self.size, self.no_digit)
        self.score = self.geometry + own

    def take(self, prediction: Prediction) -> None:
        """Set the prediction, and compute the score with it."""
        if self.is_sign:
            self.prediction, self.is_digit = prediction, False
            return
        share = no_digit_share(prediction)
        as_digit, as_other = self.size + math.log(1 - share), self.no_digit + math.log(share)
        self.prediction = prediction
        self.is_digit = as_digit >= as_other
        self.doubt = -max(as_digit, as_other)
        self.score = self.geometry - self.doubt

    @property
    def is_sure(self) -> bool:
        """Whether both the prediction and the division of the units into this digit are sure."""
        return self.prediction is not None and self.prediction.sure and self.is_digit and self.score > MIN_SURE


def no_digit_share(prediction: Prediction) -> float:
    """Return how much the ink looks like no digit, from 0.001 to 0.999.

    The network is trained to give non-digits the same probability for every class. So the classes that are not likely
    have about a tenth of the probability of no digit each.
    """
    others = sorted(prediction.probabilities)[:-2]
    share = len(prediction.probabilities) * sum(others) / max(1, len(others))
    return min(max(share, 0.001), 0.999)


def may_be_letter(line: Sequence[Hypothesis]) -> bool:
    """Return whether a line is no wider than a single letter, although it is read as two digits."""
    if len(line) != 2:
        return False
    box = Box.union([hypothesis.box for hypothesis in line])
    gap = line[1].box.x - line[0].box.right
    return box.width < NARROW * box.height and gap < MIN_GAP * box.height


Read = Callable[[Sequence[Hypothesis]], None]
"""Function that sets the predictions of hypotheses."""


def best_reading(units: Sequence[Unit], read: Read) -> tuple[list[Hypothesis], float]:
    """Return the hypotheses of the best reading of a line, in order from left to right, and its score."""
    by_first = _hypotheses(units)
    while True:
        path, score = _best_path(len(units), by_first)
        digits = [hypothesis for hypothesis in path if not hypothesis.joins]
        unread = [hypothesis for hypothesis in digits if hypothesis.prediction is None]
        if not unread:
            return sorted(digits, key=lambda hypothesis: 2 * hypothesis.box.x + hypothesis.box.width), score
        read(unread)


def _best_path(n_units: int, by_first: Sequence[Sequence[Hypothesis]]) -> tuple[list[Hypothesis], float]:
    """Return the hypotheses with the highest sum of scores that have each unit once.

    The state is the set of units that are covered. The next hypothesis always has the first unit that is not, so each
    reading is found in one order only.
    """
    best: dict[int, tuple[float, int, Hypothesis | None]] = {0: (0.0, 0, None)}
    waiting = [{0}, *(set() for _ in range(n_units))]  # states by their first unit that is not covered
    for first in range(n_units):
        for covered in waiting[first]:
            score = best[covered][0]
            for hypothesis in by_first[first]:
                if hypothesis.units & covered:
                    continue
                after = covered | hypothesis.units
                total = score + hypothesis.score
                known = best.get(after)
                if known is None:
                    waiting[((after + 1) & ~after).bit_length() - 1].add(after)
                if known is None or total > known[0]:
                    best[after] = total, covered, hypothesis
    state = (1 << n_units) - 1
    path: list[Hypothesis] = []
    total = best[state][0]
    while state:
        _, state, chosen = best[state]
        if chosen is not None:
            path.append(chosen)
    return path, total


def _hypotheses(units: Sequence[Unit]) -> list[list[Hypothesis]]:
    """Return the hypotheses of a line, by their first unit."""
    height = digit_height(units)
    links = link_log_odds(units, height)
    line = Box.union([unit.box for unit in units])
    result: list[list[Hypothesis]] = []
    for first, unit in enumerate(units):
        sets = _connected_sets(first, links)
        if first == 0 and MAX_UNITS < len(units) <= MAX_SINGLE:
            sets.append(tuple(range(len(units))))
        result.append([_hypothesis(units, members, _geometry(members, links), line, height) for members in sets])
        if unit.joins:
            result[first].append(Hypothesis(1 << first, unit.parts, unit.box, JOINS, 0.0, joins=True))
    return result


def _connected_sets(first: int, links: Sequence[dict[int, float]]) -> list[tuple[int, ...]]:
    """Return all sets of at most `MAX_UNITS` units that links connect, with ``first`` as their first."""
    found: dict[tuple[int, ...], None] = {(first,): None}
    newest = list(found)
    for _ in range(MAX_UNITS - 1):
        longer = {
            tuple(sorted((*members, unit))): None
            for members in newest
            for member in members
            for unit in links[member]
            if first < unit < first + WINDOW and unit not in members
        }
        newest = list(longer)
        found |= longer
    return list(found)


def link_log_odds(units: Sequence[Unit], height: float) -> list[dict[int, float]]:
    """Return for each unit the log-odds that it is in the same digit as each unit near it."""
    links: list[dict[int, float]] = [{} for _ in units]
    for i, j in _near(len(units)):
        first, second = units[i], units[j]
        if first.is_sign or second.is_sign:
            continue
        if first.whole == second.whole:
            if abs(first.parts[0] - second.parts[0]) == 1:
                links[i][j] = links[j][i] = UNCUT
            continue
        x, y = first.box.overlaps(second.box)
        step = abs(first.box.x - second.box.x + (first.box.width - second.box.width) / 2)
        offset = abs(first.box.y - second.box.y) + abs(first.box.bottom - second.box.bottom)
        odds = SAME + PER_OVERLAP * min(max(x / height, -0.4), 0.6) + PER_SHARED_HEIGHT * min(max(y / height, 0.0), 1.0)
        odds += PER_STEP * min(step / height, 1.0) + PER_OFFSET * min(offset / height, 0.9)
        odds += PER_COVERED * max(0.0, x / max(min(first.box.width, second.box.width), FLAT * height) - 0.5)
        if _is_raised(first.box, second.box, height):
            odds += RAISED
        if odds > MIN_LOG_ODDS:
            links[i][j] = links[j][i] = min(odds, MAX_LOG_ODDS)
    return links


def _near(n: int) -> Iterator[tuple[int, int]]:
    """Return the pairs of n units that may be in one hypothesis; a scribble has many others, which would take long."""
    return ((i, j) for i in range(n) for j in range(i + 1, min(n, i + MAX_SINGLE)))


def _is_raised(left: Box, right: Box, height: float) -> bool:
    """Return whether the box on the right is small and beside the upper half of the other, as an exponent is."""
    return (
        MIN_RAISED * height < right.height < MAX_RAISED * height
        and 0.4 * right.width < right.height < left.height  # the hat of a 5 is flat
        and right.x - left.right > -APART * height
        and right.bottom < left.y + left.height / 2 + 0.1 * height
    )


def _geometry(members: Sequence[int], links: Sequence[dict[int, float]]) -> float:
    """Return the logarithm of the probability that units belong together and to no other.

    Within, the strongest links that connect all units count; to each unit outside, half of the strongest link, because
    its own hypothesis counts the other half.
    """
    score = 0.0
    if len(members) > 1:
        connected, waiting = [members[0]], list(members[1:])
        while waiting:
            odds, unit = max([(links[i].get(j, -MAX_LOG_ODDS), j) for i in connected for j in waiting])
            connected.append(unit)
            waiting.remove(unit)
            score -= math.log1p(math.exp(-odds))
    if len(members) > 2:
        for i, j in itertools.combinations(members, 2):
            score += CONTRARY * min(links[i].get(j, -MAX_LOG_ODDS), 0.0)
    outside: dict[int, float] = {}
    for i in members:
        for j, odds in links[i].items():
            if j not in members and odds > outside.get(j, -math.inf):
                outside[j] = odds
    return score - sum([math.log1p(math.exp(odds)) for odds in outside.values()]) / 2


def _hypothesis(units: Sequence[Unit], members: Sequence[int], geometry: float, line: Box, height: float) -> Hypothesis:
    box = Box.union([units[i].box for i in members])
    parts = tuple(sorted(part for i in members for part in units[i].parts))
    size = 0.0
    share = max(box.height, 1e-3 * height) / height
    if share < MIN_HEIGHT:
        size = PER_HEIGHT * math.log(share / MIN_HEIGHT)
        below = (box.y + box.height / 2 - line.y - line.height / 2) / height
        size += LOWER if below > LOW else 0.0
    no_digit = SIGN if share < SIGN_HEIGHT else NO_DIGIT
    is_sign = len(members) == 1 and units[members[0]].is_sign
    return Hypothesis(sum(1 << i for i in members), parts, box, geometry, size, no_digit, is_sign=is_sign)
