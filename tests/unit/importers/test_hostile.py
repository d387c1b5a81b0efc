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
from digitpad.importers.read_file import read_contents

def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024

resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
before = peak()
for name in sys.argv[1:]:
    begin = time.process_time()
    try:
        open_weights(Path(name))
        said = "opened"
    except WeightsError as error:
        said = "refused: " + error.problem
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps([name, said[:200], round(time.process_time() - begin, 2), peak() - before]), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")
def test_files_that_mean_harm_do_none(tmp_path: Path) -> None:
    """Under a gigabyte of address space each is refused by the one exception, in little memory; nothing is run."""
    paths = files(tmp_path)
    before = sorted(tmp_path.iterdir())
    answer = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, *map(str, paths)],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        timeout=300,
        check=False,
    )
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(lines) == len(paths), f"died at {paths[len(lines)].name}: {answer.stderr[-500:]}"
    wrong = [line for line in lines if not line[1].startswith("refused: ")]
    assert not wrong
    assert max(line[3] for line in lines) < 300, lines
    assert sorted(tmp_path.iterdir()) == before
