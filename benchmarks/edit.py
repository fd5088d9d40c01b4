"""Measures the edit engine and the search for slots. Run: python -m benchmarks.edit [--files N]

Prints one JSON object. `edit`: microseconds a file for libyaml alone (the floor: its events, and PyYAML's C loader), for our reading, our
slots and one whole verified edit (each edit with a new version, so that no cache helps), for ruamel.yaml's round trip, and for npm's
`yaml` and yq where they are installed, on the same texts in one run: the example environments, and a values file of 10,000 lines.
Goals: reading within 1.5 times the events' time, an edit within 5 times, ruamel's round trip 15 times slower than the edit.
`scan`: seconds for a bare clone with N manifests read cold, and after a commit that changed one of them. Goals: 5 s and 50 ms for 8,000.
"""

import argparse
import io
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ruamel.yaml import YAML
from yaml._yaml import CParser

from benchmarks._peers import peers
from benchmarks.rows import Row
from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.collectors.slots import SlotReader
from bot.config.schema import Config
from bot.manifests import edit, find_slots
from bot.yamltext import read

ROOT = Path(__file__).parents[1]
NAME = "acme/shop"
ROUNDS = 7


class Took(NamedTuple):
    """Seconds by the wall, and of this process's own work."""

    wall: float
    processor: float


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--files", type=int, default=8_000)
    asked = arguments.parse_args()
    print(json.dumps({"edit": measure_edits(), "scan": measure_scan(asked.files)}, indent=2))


def bench() -> list[Row]:
    """Ratios do not depend on the machine; seconds do."""
    edits, scanned = measure_edits(), measure_scan(8_000)
    rows = []
    for name, found in edits.items():
        rows += [
            Row(what=f"{name}: reading / libyaml's events", measured=found["reading / events"], unit="times", goal=1.5),
            Row(what=f"{name}: edit / libyaml's events", measured=found["edit / events"], unit="times", goal=5),
            Row(what=f"{name}: ruamel's round trip / edit", measured=found["round trip / edit"], unit="times", goal=15, at_least=True),
            *(Row(what=f"  {way}", measured=took, unit="µs a file") for way, took in found["microseconds"].items()),
        ]
    return [
        *rows,
        Row(what="scan of 8,000 files, cold", measured=scanned["cold seconds"], unit="s", goal=5),
        Row(what="  one file changed", measured=scanned["one file changed, milliseconds"], unit="ms", goal=50),
    ]


def measure_edits() -> dict[str, Any]:
    """The same texts through every reader and editor."""
    small = [(file.as_posix(), file.read_text()) for file in sorted((ROOT / "environments").rglob("*.yaml"))]
    small = [(path, text) for path, text in small if find_slots(path, text.encode()).slots]
    large = [("values.yaml", values_file(2_000))]
    return {"environments": compare(small, rounds=20), "10,000 lines": compare(large, rounds=5)}


def compare(texts: list[tuple[str, str]], *, rounds: int) -> dict[str, Any]:
    """Microseconds a file for each way; the best of the rounds, because other programs disturb only upwards."""
    places: list[tuple[bytes, Mapping[str, object], tuple[bool, bool]]] = []
    for path, text in texts:
        slot = find_slots(path, text.encode()).slots[-1]
        places.append((text.encode(), slot.address, (slot.version.tag is not None, slot.version.digest is not None)))
    ways: dict[str, Callable[[int], object]] = {
        "libyaml events": lambda _: [events(text) for _, text in texts],
        "PyYAML C loader": lambda _: [list(yaml.load_all(text, Loader=yaml.CSafeLoader)) for _, text in texts],
        "reading": lambda _: [read(text) for _, text in texts],
        "slots": lambda _: [find_slots(path, text.encode()) for path, text in texts],
        "edit": lambda turn: [edit(content, address, new_version(turn, shape)) for content, address, shape in places],
    }
    best = dict.fromkeys(ways, float("inf"))
    for turn in range(rounds):  # all ways in every round, so that a slow moment of the machine meets them alike
        for name, way in ways.items():
            best[name] = min(best[name], timed(way, turn) * 1e6 / len(texts))
    best["ruamel.yaml round trip"] = (
        min(timed(lambda _: [round_trip(text) for _, text in texts], turn) for turn in range(2)) * 1e6 / len(texts)
    )
    best |= peers([text for _, text in texts])
    return {
        "files": len(texts),
        "bytes a file": sum(len(text) for _, text in texts) // len(texts),
        "microseconds": {name: round(value, 1) for name, value in best.items()},
        "edits a second": round(1e6 / best["edit"]),
        "reading / events": round(best["reading"] / best["libyaml events"], 2),
        "edit / events": round(best["edit"] / best["libyaml events"], 2),
        "round trip / edit": round(best["ruamel.yaml round trip"] / best["edit"], 1),
    }


def timed(way: Callable[[int], object], turn: int) -> float:
    """Seconds of processor time: what other programs do at the same time counts less."""
    begin = time.process_time()
    way(turn)
    return time.process_time() - begin


def new_version(turn: int, shape: tuple[bool, bool]) -> dict[str, str]:
    """A version that was never written before, with a tag, a digest, or both."""
    tag, digest = shape
    found = {"tag": f"77.{turn}.{time.perf_counter_ns()}"} if tag else {}
    return found | ({"digest": f"sha256:{turn + 1:064x}"} if digest else {})


def events(text: str) -> list[object]:
    """The floor: libyaml's events, kept."""
    get_event = CParser(text).get_event
    found: list[object] = []
    while (event := get_event()) is not None:
        found.append(event)
    return found


def round_trip(text: str) -> str:
    """What an editor on ruamel.yaml does."""
    editor = YAML()
    editor.preserve_quotes = True
    written = io.StringIO()
    editor.dump_all(list(editor.load_all(text)), written)
    return written.getvalue()


def values_file(services: int) -> str:
    """Helm values of five lines a service."""
    return "".join(
        f'service-{number}:\n  image:\n    repository: ghcr.io/acme/service-{number}\n    tag: "1.{number}.0"  # keep\n  replicas: 3\n'
        for number in range(services)
    )


def measure_scan(files: int) -> dict[str, Any]:
    """A repository with a Deployment in every second file and other objects between them, read as the bot reads it."""
    with tempfile.TemporaryDirectory() as folder:
        origin, clones = Path(folder) / "origin.git", Path(folder) / "clones"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(origin)], check=True)
        fast_import(origin, {f"apps/app-{number}/manifest.yaml": manifest(number, "1.0.0") for number in range(files)})
        bot = GitRepositories(clones, Remote(url=lambda _: origin.as_uri(), protocols=frozenset({"file"})))
        reader = SlotReader(bot, Config.model_validate({"version": 1, "pipeline": {"stages": {"dev": {"repository": NAME}}}}))
        first = bot.refresh(NAME)["main"]
        cold, slots = scan(reader, first)
        warm = []
        for turn in range(ROUNDS):
            changed = {"apps/app-2/manifest.yaml": manifest(2, f"1.0.{turn + 1}")}
            fast_import(origin, changed, parent=first)
            first = bot.refresh(NAME)["main"]
            took, again = scan(reader, first)
            warm.append(took)
            if slots != again or slots != (files + 1) // 2:
                raise SystemExit(f"the scan found {slots} and {again} slots")
        return {
            "files": files,
            "slots": slots,
            "cold seconds": round(cold.wall, 3),
            "cold processor seconds": round(cold.processor, 3),
            "one file changed, milliseconds": round(min(one.wall for one in warm) * 1e3, 1),
            "one file changed, processor milliseconds": round(min(one.processor for one in warm) * 1e3, 1),
        }


def scan(reader: SlotReader, commit: str) -> tuple[Took, int]:
    """The time for a stage at a commit, and the number of its slots."""
    wall, processor = time.perf_counter(), time.process_time()
    found = reader.read("dev", commit)
    return Took(time.perf_counter() - wall, time.process_time() - processor), len(found.slots)


def manifest(number: int, version: str) -> str:
    """A Deployment with its Service, or a ConfigMap."""
    if number % 2:
        return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app-{number}}}\ndata:\n  LEVEL: info\n" + "  # more\n" * 40
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{number}
  labels: {{app: app-{number}, team: shop}}
spec:
  replicas: 2
  selector:
    matchLabels: {{app: app-{number}}}
  template:
    metadata:
      labels: {{app: app-{number}, team: shop}}
    spec:
      containers:
        - name: app
          image: ghcr.io/acme/app-{number}:{version}  # keep
          ports:
            - {{name: http, containerPort: 8080}}
          env:
            - {{name: LOG_LEVEL, value: debug}}
            - {{name: GATEWAY, value: "https://gateway.dev.acme.example"}}
          readinessProbe:
            httpGet: {{path: /healthz, port: http}}
            periodSeconds: 5
          resources:
            requests: {{cpu: 50m, memory: 64Mi}}
            limits: {{memory: 256Mi}}
---
apiVersion: v1
kind: Service
metadata:
  name: app-{number}
spec:
  selector: {{app: app-{number}}}
  ports: [{{port: 80, targetPort: http}}]
"""


def fast_import(origin: Path, files: Mapping[str, str], *, parent: str | None = None) -> None:
    """One commit with these files."""
    head = b"commit refs/heads/main\ncommitter bench <bench@localhost> 1700000000 +0000\ndata 1\nx\n"
    parts = [head, f"from {parent}\n".encode() if parent else b""]
    for path, text in files.items():
        data = text.encode()
        parts.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
    subprocess.run(["git", "-C", str(origin), "fast-import", "--quiet"], input=b"".join(parts), check=True)


if __name__ == "__main__":
    main()
