"""Progress callback of readers and searches."""

from collections.abc import Callable

ProgressCallback = Callable[[int], None]
"""Called at intervals with the number of items processed so far, or 0 if none was completed since the last call.

Items are images for readers of datasets, and tested options for a search. An exception that it raises ends the work.
"""


def ignore_progress(_n_done: int) -> None:
    """Ignore progress reports; the default `ProgressCallback`."""
