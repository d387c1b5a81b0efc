"""The errors that a user meets; each text is one line that can be shown as it is.

DigitpadError
├── FileError        a file that cannot be read or written as what it should be
│   ├── DataError    … as a data set
│   ├── WeightsError … as weights
│   │   └── OutputsError … which have outputs that nobody has named
│   ├── InkError     … as strokes or as an image
│   └── RunError     … as a training's run
└── RecipeError      a setting that cannot be; names its key
"""

from pathlib import Path


class DigitpadError(Exception):
    """What went wrong, in one line, for the person at the window or the terminal."""

    def __init__(self, text: str) -> None:
        # File names and keys may hold line breaks and control characters, which must not reach a terminal.
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


class FileError(DigitpadError):
    """A file that is not what it should be: which file, what was expected, what was found."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = Path(path)
        self.problem = problem


def reason(error: BaseException) -> str:
    """Why something failed, without what a reader cannot use: an error number, or a file's name once more."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class DataError(FileError):
    """A file that cannot serve as a data set."""


class WeightsError(FileError):
    """A file that cannot serve as weights."""


class OutputsError(WeightsError):
    """Weights whose outputs are not as many as there are names for them."""

    def __init__(self, path: str | Path, problem: str, n_outputs: int) -> None:
        super().__init__(path, problem)
        self.n_outputs = n_outputs


class InkError(FileError):
    """A file that cannot serve as strokes or as an image of a digit."""


class RunError(FileError):
    """A folder or file that cannot serve as the run of a training."""


class RecipeError(DigitpadError):
    """A setting of a recipe that cannot be, named by its key, as in ``optimizer.learning_rate``."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem
