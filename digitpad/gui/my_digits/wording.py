"""Texts about labelled drawings that several parts of the tab show."""

from digitpad.datasets.own_digits.records import CONFIRMATION, CORRECTION, IMPORT, WRITING, OwnDigit
from digitpad.evaluation.own_digit_scores import GroupScore
from digitpad.nn.losses import NONE
from digitpad.number_format import format_count, format_percent
from digitpad.recognition.memory import format_day

NO_WRITER = "Unknown"
"""Name of the writer of drawings that name none."""

_SOURCES = {CORRECTION: "corrected", CONFIRMATION: "confirmed", WRITING: "written", IMPORT: "imported"}


def count_of(n: int, one: str, many: str) -> str:
    """Return a number with its noun, for example ``1 drawing`` or ``1,200 drawings``."""
    return f"{format_count(n)} {one if n == 1 else many}"


def drawings_of(n: int) -> str:
    """Return a number of drawings, for example ``1 drawing``."""
    return count_of(n, "drawing", "drawings")


def label_name(label: int) -> str:
    """Return a label for the user."""
    return "Not a digit" if label == NONE else str(label)


def describe(digit: OwnDigit, read_as: str | None) -> str:
    """Return what is known of a drawing, for example ``7, read as 1, by Ada, written on 3 March``."""
    parts = [label_name(digit.label)]
    if read_as is not None:
        parts.append("read correctly" if read_as == str(digit.label) else f"misread as {read_as}")
    if digit.writer:
        parts.append(f"by {digit.writer}")
    source = _SOURCES.get(digit.source, "labelled")
    parts.append(source if digit.date is None else f"{source} on {format_day(digit.date)}")
    if digit.is_forgotten:
        parts.append("changes no answer")
    return ", ".join(parts)


def describe_score(score: GroupScore) -> str:
    """Return how many drawings of a group are read correctly, for example ``4 of 5 read correctly (80 %)``."""
    share = format_percent(score.accuracy, 0 if score.n < 1000 else 1)
    return f"{format_count(score.n_right)} of {format_count(score.n)} read correctly ({share})"
