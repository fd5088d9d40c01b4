"""The sandbox cluster against kubectl, where it is installed."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.cluster import ClusterSandbox
from tests.support.clusters import workload

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
IMAGE = "ghcr.io/acme/web"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ClusterSandbox]:
    with ClusterSandbox("dev", rollout_seconds=0.6, progress_deadline=1.5) as running:
        running.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        running.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=2))
        yield running


def kubectl(sandbox: ClusterSandbox, folder: Path, *arguments: str, account: str = "bot") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)}
    command = ["kubectl", "--kubeconfig", str(sandbox.kubeconfig(folder / account, account)), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_get_shows_tables(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    assert sandbox.wait_for(lambda: all(one.health == "Healthy" for one in sandbox.running()))
    shown = kubectl(sandbox, tmp_path, "get", "deploy,pods", "-A")
    assert shown.returncode == 0, shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines() if line.strip()]
    assert ["NAMESPACE", "NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"] in rows
    assert ["shop", "deployment.apps/web", "2/2", "2", "2"] in [row[:5] for row in rows]
    assert [row[2:4] for row in rows if row[1].startswith("pod/web-")] == [["1/1", "Running"]] * 2


def test_rollout_status_follows_to_the_end(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:2")
    done = kubectl(sandbox, tmp_path, "rollout", "status", "deploy/web", "-n", "shop", "--timeout=30s")
    assert (done.returncode, 'deployment "web" successfully rolled out' in done.stdout) == (0, True), done.stderr


def test_rollout_status_says_what_failed(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    sandbox.behave(IMAGE, "3", "pull")
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:3")
    failed = kubectl(sandbox, tmp_path, "rollout", "status", "deploy/web", "-n", "shop", "--timeout=30s")
    assert failed.returncode == 1
    assert 'deployment "web" exceeded its progress deadline' in failed.stderr


def test_people_can_read_what_they_may_and_no_more(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    refused = kubectl(sandbox, tmp_path, "get", "secrets", "-A")
    assert "Forbidden" in refused.stderr
    described = kubectl(sandbox, tmp_path, "describe", "deploy", "web", "-n", "shop")
    assert "StrategyType:" in described.stdout
    restarted = kubectl(sandbox, tmp_path, "rollout", "restart", "deploy/web", "-n", "shop", account="admin")
    assert restarted.stdout == "deployment.apps/web restarted\n"
