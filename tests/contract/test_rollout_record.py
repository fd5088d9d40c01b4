"""A recording made of the sandbox's cluster, replayed: the operator's way to study an incident."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.adapters.kubernetes.recorder import Recorder
from bot.cli.main import load_commands
from bot.config.stage import Cluster
from bot.domain.errors import UserError
from bot.sandbox.cluster import ClusterSandbox
from bot.workloads.recording import replay
from bot.workloads.watch import Limits
from tests.contract.test_kubernetes import deployment, until

BAD = "ghcr.io/acme/web:1.5.0-bad"
LIMITS = Limits(timeout=timedelta(seconds=60), bake=timedelta(seconds=10))


@pytest.fixture
def sandbox() -> Iterator[ClusterSandbox]:
    with ClusterSandbox("dev", rollout_seconds=0.3, progress_deadline=0.5, agent="plain") as cluster:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        cluster.apply(deployment("web", "ghcr.io/acme/web:1.4.2"), deployment("other", "ghcr.io/acme/other:1"))
        assert cluster.wait_for(lambda: {one.health for one in cluster.running()} == {"Healthy"})
        yield cluster


def recorder(sandbox: ClusterSandbox, folder: Path, kind: str = "Deployment", name: str = "web") -> Recorder:
    cluster = Cluster(kubeconfig=str(sandbox.kubeconfig(folder / "config")))
    return Recorder(cluster=cluster, kind=kind, namespace="shop", name=name, wanted_image=BAD, clock=lambda: datetime.now(UTC))


def test_a_recorded_failure_replays_as_it_went(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    recording = recorder(sandbox, tmp_path)
    recording.start()
    until(lambda: len(recording.followers) == sum(one.listed_once for one in recording.followers))
    sandbox.behave("ghcr.io/acme/web", "1.5.0-bad", "crash")
    sandbox.set_image("Deployment", "shop", "web", BAD)
    until(lambda: "ProgressDeadlineExceeded" in json.dumps(recording.recording()))
    recording.stop()
    assert not any(thread.is_alive() for thread in recording.threads)
    text = json.dumps(recording.recording())
    assert sandbox.token("bot") not in text
    assert "hunter2-secret" not in text
    assert "acme/other" not in text
    played = replay(recording.recording(), image=None, limits=LIMITS)
    assert (played.workload, played.promotion) == ("degraded", "degraded")
    assert [row.state for row in played.rows] == ["healthy", "progressing", "degraded"]
    assert "exceeded its progress deadline" in played.reason


def test_the_command_writes_what_the_replay_reads(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    run, file = CliRunner(), tmp_path / "incident.json.gz"
    options = ["-n", "shop", "--kubeconfig", str(sandbox.kubeconfig(tmp_path / "config")), "--for", "1s", "--file", str(file)]
    recorded = run.invoke(load_commands(), ["rollout", "record", "Deployment/web", *options, "--output", "json"])
    assert recorded.exit_code == 0, recorded.output
    assert json.loads(recorded.stdout)["target"] == "Deployment shop/web"
    assert json.loads(gzip.decompress(file.read_bytes()))["target"]["name"] == "web"
    played = run.invoke(load_commands(), ["rollout", "replay", str(file), "--output", "json"])
    assert json.loads(played.stdout)["promotion"] == "healthy"


def test_what_is_not_there_is_recorded_as_unknown(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    recording = recorder(sandbox, tmp_path, name="none")
    recording.start()
    until(lambda: bool(recording.recording()["entries"]))
    recording.stop()
    assert replay(recording.recording(), image=None, limits=LIMITS).workload == "unknown"


def test_a_kind_that_cannot_be_recorded_is_refused_with_those_that_can(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Gadget") as refused:
        recorder(sandbox, tmp_path, kind="Gadget").start()
    assert "StatefulSet" in refused.value.fix
