"""Measures the backfill of an environment repository with 10,000 commits. Run: python -m benchmarks.backfill

The repository is made by `git fast-import`: 200 services, one file each, every commit moves one of them. Prints one JSON object.
Goal: under a minute.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.rows import Row

COMMITS, SERVICES = 10_000, 200
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{service}
  labels: {{app: service-{service}}}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: app
          image: registry.acme.io/shop/service-{service}:1.{version}.0
          ports: [{{containerPort: 8080}}]
          readinessProbe: {{httpGet: {{path: /ready, port: 8080}}}}
"""


def stream() -> Iterator[str]:
    """The commits as git's import stream."""
    for number in range(COMMITS):
        service, version = number % SERVICES, number // SERVICES
        text = MANIFEST.format(service=service, version=version)
        message = f"promote(prod): service-{service} -> 1.{version}.0\n\nPromotion-Id: p{number}\n"
        yield f"commit refs/heads/main\ncommitter Bot <bot@acme.io> {1_700_000_000 + number * 600} +0000\ndata {len(message)}\n{message}\n"
        yield f"M 100644 inline prod/service-{service}.yaml\ndata {len(text)}\n{text}\n"


def bench() -> list[Row]:
    """Seconds for the first and the second time."""
    found = measure()
    return [
        Row(what="backfill of 10,000 commits", measured=found["seconds"], unit="s", goal=60),
        Row(what="  again", measured=found["seconds_again"], unit="s"),
        Row(what="  peak memory", measured=found["peak_mb"], unit="MB"),
    ]


def main() -> None:
    """Print what was measured."""
    print(json.dumps(measure()))


def measure() -> dict[str, Any]:
    """Makes the repository, runs the command, and runs it again."""
    with tempfile.TemporaryDirectory() as folder:
        repository, out = Path(folder, "env.git"), Path(folder, "history.json")
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(repository)], check=True)
        feed = "".join(stream())
        subprocess.run(["git", "-C", str(repository), "fast-import", "--quiet"], input=feed, text=True, check=True)
        command = [sys.executable, "-c", "from bot.cli.main import main; main()", "backfill", "--out", str(out), "-o", "json"]
        command += ["--stage", f"prod={repository}@main//prod"]
        seconds = []
        for _ in range(2):
            begun = time.perf_counter()
            answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            seconds.append(round(time.perf_counter() - begun, 2))
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "commits": COMMITS, "events": answer["events"], "seconds": seconds[0], "seconds_again": seconds[1],
            "peak_mb": round(used.ru_maxrss / 1024),
        }  # fmt: skip


if __name__ == "__main__":
    main()
