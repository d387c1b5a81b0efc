"""Fixtures: networks trained once per session, and the digits to score conventions on."""

import pytest

from digitpad.importers.inference.conventions import ProbeSet
from digitpad.importers.open_file import probe_set
from tests.unit.importers.strangers import Trained, train


@pytest.fixture(scope="session")
def digits() -> ProbeSet:
    """Return 1,000 validation digits."""
    return probe_set()


@pytest.fixture(scope="session")
def deep() -> Trained:
    """Return a 784-24-24-10 network with ReLU, whose second matrix is square."""
    return train([784, 24, 24, 10])


@pytest.fixture(scope="session")
def shallow() -> Trained:
    """Return a 784-10-10 network with sigmoids, whose biases have the same shape."""
    return train([784, 10, 10], "sigmoid")
