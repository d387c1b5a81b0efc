"""Peak memory of code in a separate process."""

import subprocess
import sys
from pathlib import Path

from tests.root import ROOT

# The limit on address space makes code that decompresses a bomb fail, instead of exhausting the machine's memory.
# VmHWM is the peak of this process; ru_maxrss would include the peak of its parent.
_BEFORE = "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))\n"
_AFTER = """
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print(int(line.split()[1]) // 1024)
"""


def peak_mebibytes(code: str, *arguments: str | Path) -> int:
    """Run ``code`` in Python on Linux, with ``arguments`` in sys.argv, and return its peak memory in MiB."""
    process = subprocess.run(
        [sys.executable, "-c", _BEFORE + code + _AFTER, *map(str, arguments)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return int(process.stdout.split()[-1])
