import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.importers.hostile_files import files

OPEN_ALL = """
import json, resource, sys, time
from pathlib import Path
from digitpad.errors import WeightsError
from digitpad.importers.open_file import open_weights
from digitpad.importers.read_file import read_tensor_tree

def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024

resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
before = peak()
for name in sys.argv[1:]:
    begin = time.process_time()
    try:
        open_weights(Path(name))
        outcome = "opened"
    except WeightsError as error:
        outcome = "refused: " + error.problem
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
    print(json.dumps([name, outcome[:200], round(time.process_time() - begin, 2), peak() - before]), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS and /proc are used as on Linux")
def test_hostile_files_are_refused(tmp_path: Path) -> None:
    """Within 1 GiB of address space, each hostile file raises WeightsError, uses little memory and runs no code."""
    paths = files(tmp_path)
    before = sorted(tmp_path.iterdir())
    process = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, *map(str, paths)],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        timeout=300,
        check=False,
    )
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(lines) == len(paths), f"died at {paths[len(lines)].name}: {process.stderr[-500:]}"
    not_refused = [line for line in lines if not line[1].startswith("refused: ")]
    assert not not_refused
    assert max(line[3] for line in lines) < 300, lines
    assert sorted(tmp_path.iterdir()) == before
