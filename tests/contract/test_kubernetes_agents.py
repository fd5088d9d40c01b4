"""The cluster adapter beside a GitOps agent: its objects are seen, say which commit they took, and can be asked to look."""

import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.kubernetes.clusters import KubernetesClusters
from bot.config.stage import Cluster
from bot.domain.errors import Refused
from bot.domain.rollout import WorkloadState
from bot.sandbox.cluster import ClusterSandbox, Source

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - name: app
          image: ghcr.io/acme/web:{version}
"""


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, version: str) -> str:
    (folder / "web.yaml").write_text(MANIFEST.format(version=version))
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", version)
    return git(folder, "rev-parse", "HEAD")


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.02)


@pytest.mark.parametrize(("agent", "kind"), [("argocd", "Application"), ("flux", "Kustomization")])
def test_the_agent_says_which_commit_it_took_and_looks_when_asked(agent: str, kind: str, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    first = commit(repository, "1.4.2")
    source = Source(url=str(repository))
    with ClusterSandbox("dev", source=source, agent=agent, rollout_seconds=0.3, poll_seconds=3600) as sandbox:
        config = str(sandbox.kubeconfig(tmp_path / "config"))
        clusters = KubernetesClusters(clusters={"dev": Cluster(kubeconfig=config, agent=agent)}, clock=lambda: datetime.now(UTC))
        clusters.start()

        def look(wanted: str) -> WorkloadState | None:
            return next((state for state in clusters.snapshot("dev").workloads if state.ref.kind == wanted), None)

        def took(revision: str) -> bool:
            found = look(kind)
            return found is not None and found.revision == revision and found.state == "healthy"

        try:
            until(lambda: clusters.snapshot("dev").reachable and took(first))
            second = commit(repository, "1.5.0")
            assert took(first), "the agent has not looked yet"
            clusters.sync("dev")
            until(lambda: took(second))
            until(lambda: getattr(look("Deployment"), "images", ()) == ("ghcr.io/acme/web:1.5.0",))
            sandbox.faults.forbid(verbs=("patch",))
            with pytest.raises(Refused, match="may not ask"):
                clusters.sync("dev")
        finally:
            clusters.close()
