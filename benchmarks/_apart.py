"""Runs a command in a process of its own and writes what it used: `python -m benchmarks._apart REPORT COMMAND...`.

Linux counts what a process held before it became another program as the other's peak: a command that is started by a large
process seems to be as large. This one is small.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Ends with the command's own status."""
    report, *command = sys.argv[1:]
    began = time.perf_counter()
    status = subprocess.run(command, check=False).returncode
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {"seconds": round(seconds, 2), "cpu": round(used.ru_utime + used.ru_stime, 2), "peak": round(used.ru_maxrss * 1024 / 1e6)}
    Path(report).write_text(json.dumps(found))
    sys.exit(status)


if __name__ == "__main__":
    main()
