"""Networks trained once a session, and the digits that tell how they are meant."""

import pytest

from digitpad.importers.inference.conventions import Yardstick
from digitpad.importers.open_file import yardstick
from tests.unit.importers.strangers import Trained, train


@pytest.fixture(scope="session")
def digits() -> Yardstick:
    """A thousand validation digits."""
    return yardstick()


@pytest.fixture(scope="session")
def deep() -> Trained:
    """784-24-24-10 with ReLU, whose second matrix is square."""
    return train([784, 24, 24, 10])


@pytest.fixture(scope="session")
def shallow() -> Trained:
    """784-10-10 with sigmoids, whose biases are of one shape."""
    return train([784, 10, 10], "sigmoid")
