"""Errors shown to the user. Each message is a single printable line.

DigitpadError
├── FileError            a file that cannot be read or written
│   ├── DataError        a dataset
│   ├── WeightsError     a weights file
│   │   └── OutputsError a weights file whose number of outputs does not match the class names
│   ├── InkError         strokes or an image
│   └── RunError         a training run
└── RecipeError          an invalid setting, named by its key
"""

from pathlib import Path

_SPACES = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"  # printable, although Python says otherwise


def printable(text: str) -> str:
    """Return the text with line breaks and control characters escaped, because they must not reach a terminal."""
    return "".join(c if c.isprintable() or c in _SPACES else repr(c)[1:-1] for c in text)


class DigitpadError(Exception):
    """Base class of all errors that are shown to the user, with a one-line message."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))  # file names and keys may contain control characters


class FileError(DigitpadError):
    """Error about a file: its path, and the problem (including the expected and the actual content)."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = Path(path)
        self.problem = problem


def reason(error: BaseException) -> str:
    """Return why something failed, without the error number and without repeating the file name."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class DataError(FileError):
    """Error about a file that cannot be used as a dataset."""


class WeightsError(FileError):
    """Error about a file that cannot be used as weights."""


class OutputsError(WeightsError):
    """Error about weights whose number of outputs differs from the number of class names."""

    def __init__(self, path: str | Path, problem: str, n_outputs: int) -> None:
        super().__init__(path, problem)
        self.n_outputs = n_outputs


class InkError(FileError):
    """Error about a file that cannot be used as strokes or as an image of a digit."""


class RunError(FileError):
    """Error about a folder or file that cannot be used as a training run."""


class RecipeError(DigitpadError):
    """Error about an invalid recipe setting, named by its key, for example ``optimizer.learning_rate``."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem
