"""Other editors of YAML, where this machine has them: npm's `yaml` in node, and yq. Microseconds for one file read and written again.

`NODE_PATH` says where npm's package lies, if not beside the repository. What is not installed is left out.
"""

import json
import shutil
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
_ROUND_TRIP = """
const { parseAllDocuments } = require('yaml')
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'))
let best = Infinity
for (let turn = 0; turn < 5; turn++) {
  const begin = process.cpuUsage()
  for (const text of texts) parseAllDocuments(text).map(one => one.toString({ lineWidth: 0 })).join('')
  const took = process.cpuUsage(begin)
  best = Math.min(best, took.user + took.system)
}
console.log(best / texts.length)
"""


def peers(texts: list[str]) -> dict[str, float]:
    """Microseconds a file by the peer's name; of yq a whole process, as a script would start it."""
    ways = {"npm yaml round trip": npm_round_trip(texts), "yq, a process": yq_process(texts[0])}
    return {name: took for name, took in ways.items() if took is not None}


def npm_round_trip(texts: list[str]) -> float | None:
    """Processor time of node's own work, best of five rounds; None where node or the package is missing."""
    node = shutil.which("node")
    if node is None:
        return None
    done = subprocess.run([node, "-e", _ROUND_TRIP], input=json.dumps(texts).encode(), capture_output=True, check=False, cwd=HERE)
    return float(done.stdout) if done.returncode == 0 else None


def yq_process(text: str) -> float | None:
    """Wall time, best of three; either of the two programs called yq. None where there is none."""
    program = shutil.which("yq")
    if program is None:
        return None
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        done = subprocess.run([program, "-y", "."], input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            done = subprocess.run([program, "."], input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            return None
        took.append((time.perf_counter() - begin) * 1e6)
    return min(took)
