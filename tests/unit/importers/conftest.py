"""Networks trained once a session, and the digits that tell how they are meant."""

import pytest

from digitpad.importers.inference.conventions import ProbeSet
from digitpad.importers.open_file import probe_set
from tests.unit.importers.strangers import Trained, train


@pytest.fixture(scope="session")
def digits() -> ProbeSet:
    """A thousand validation digits."""
    return probe_set()


@pytest.fixture(scope="session")
def deep() -> Trained:
    """784-24-24-10 with ReLU, whose second matrix is square."""
    return train([784, 24, 24, 10])


@pytest.fixture(scope="session")
def shallow() -> Trained:
    """784-10-10 with sigmoids, whose biases are of one shape."""
    return train([784, 10, 10], "sigmoid")
