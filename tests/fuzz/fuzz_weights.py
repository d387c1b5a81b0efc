"""Fuzz the readers of other people's weights with Google's atheris, which is not among the test extra's packages.

    python -m pip install atheris
    python tests/fuzz/fuzz_weights.py CORPUS_FOLDER -max_total_time=3600

Each file that breaks the one promise — read, or refused by `WeightsError` — is left in the current folder, and becomes
a case of `tests/weights/foreign/test_reading.py`.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["digitpad"]):
    from digitpad.errors import WeightsError
    from digitpad.weights.foreign.reading import read_contents
    from digitpad.weights.foreign.structure import scaling_beside, structures

_FILE = Path(tempfile.mkdtemp()) / "fuzzed"


def one_input(content: bytes) -> None:
    """Read one file, and find the layers in it."""
    _FILE.write_bytes(content)
    with contextlib.suppress(WeightsError):
        contents = read_contents(_FILE)
        scaling_beside(contents)
        structures(contents, 10)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
