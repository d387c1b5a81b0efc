"""Order in which digits are asked for: a number of each, mixed, with skipping and going back. It knows no window."""

import numpy as np


class WritingRound:
    """Prompts of one writer.

    Parameters
    ----------
    n_each : int
        How many of each digit.
    rng : numpy.random.Generator

    Attributes
    ----------
    prompts : tuple of int
        The digits to write, in order; the same digit never twice in a row, unless only one is asked for.
    place : int
        Index of the present prompt; the number of prompts at the end.
    kept : dict of str
        Identifier of the drawing for each prompt that was answered, by its index.
    """

    def __init__(self, n_each: int, rng: np.random.Generator) -> None:
        self.prompts = _mixed(n_each, rng)
        self.place = 0
        self.kept: dict[int, str] = {}

    @property
    def prompt(self) -> int | None:
        """The digit to write now; None at the end."""
        return self.prompts[self.place] if self.place < len(self.prompts) else None

    @property
    def following(self) -> tuple[int, ...]:
        """The next digits after the present one."""
        return self.prompts[self.place + 1 : self.place + 5]

    def keep(self, identifier: str) -> None:
        """Note the drawing for the present prompt, and go to the next one."""
        self.kept[self.place] = identifier
        self.skip()

    def skip(self) -> None:
        """Go to the next prompt."""
        self.place = min(self.place + 1, len(self.prompts))

    def back(self) -> str:
        """Go to the prompt before; return the identifier of its drawing, or an empty text if it was skipped."""
        self.place = max(0, self.place - 1)
        return self.kept.pop(self.place, "")


def _mixed(n_each: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Return rounds of the ten digits, each in another order; no round starts with the digit that ends the last one."""
    prompts: list[int] = []
    for _ in range(n_each):
        digits = rng.permutation(10).tolist()
        if prompts and digits[0] == prompts[-1]:
            digits[0], digits[1] = digits[1], digits[0]
        prompts += digits
    return tuple(prompts)


def next_writer(name: str) -> str:
    """Return the name of the next writer if writers are numbered, for example ``pupil 8`` after ``pupil 7``."""
    digits = name[len(name.rstrip("0123456789")) :]
    return f"{name[: len(name) - len(digits)]}{int(digits) + 1}" if digits else ""
