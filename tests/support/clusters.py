"""Builders for cluster tests: a clock that is moved by hand, workloads, a git repository of a stage."""

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.sandbox.cluster import ClusterSandbox, Source

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Stage:
    """A stage's repository in a directory, written by git."""

    def __init__(self, path: Path, files: Mapping[str, str]) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write(files)

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.path), "-c", "user.name=ana", "-c", "user.email=ana@acme.example", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, files: Mapping[str, str | None]) -> str:
        for name, text in files.items():
            if text is None:
                (self.path / name).unlink()
                continue
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")


def cluster(clock: Clock, stage: Stage | None = None, **more: Any) -> ClusterSandbox:
    """A cluster whose time is the clock's; a pod takes one second."""
    source = Source(url=str(stage.path)) if stage else None
    settings: dict[str, Any] = {"source": source, "rollout_seconds": 3.0, "progress_deadline": 10.0, "poll_seconds": 0.5} | more
    return ClusterSandbox("dev", clock=clock, automatic=False, **settings)


def run(sandbox: ClusterSandbox, clock: Clock, seconds: float, step: float = 0.25) -> None:
    """Lets time pass in small steps."""
    ends = clock.now + timedelta(seconds=seconds)
    while clock.now < ends:
        clock.now = min(ends, clock.now + timedelta(seconds=step))
        sandbox.tick()


def workload(kind: str, name: str, image: str, **spec: Any) -> dict[str, Any]:
    """A Deployment, StatefulSet, DaemonSet or Job of one container in the namespace shop."""
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": image}]}}
    body = {"template": template} | spec
    if kind != "Job":
        body = {"selector": {"matchLabels": {"app": name}}} | body
    api = "batch/v1" if kind == "Job" else "apps/v1"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": body}


def manifest(name: str, image: str, replicas: int = 2) -> str:
    """A Deployment as a file of a repository."""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  replicas: {replicas}\n"
        f"  selector:\n    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n"
        f"    spec:\n      containers:\n        - name: app\n          image: {image}\n"
    )
