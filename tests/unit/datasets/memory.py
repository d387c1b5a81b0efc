"""How much memory some code takes at most, in a process of its own."""

import subprocess
import sys
from pathlib import Path

from tests.root import ROOT

# Address space is bounded, so that code which unpacks a bomb fails rather than taking the machine with it. VmHWM is the
# process's own peak; ru_maxrss would begin with what its parent had.
_BEFORE = "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))\n"
_AFTER = """
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print(int(line.split()[1]) // 1024)
"""


def peak_mebibytes(code: str, *arguments: str | Path) -> int:
    """Run ``code`` in Python on Linux, with ``arguments`` in sys.argv, and return its peak in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", _BEFORE + code + _AFTER, *map(str, arguments)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return int(done.stdout.split()[-1])
