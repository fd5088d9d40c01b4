"""The demo is the product's whole main job: it must come true on the example tree and on trees that it never saw."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: default}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: web
        image: registry.example.com:5000/team/web:{version}   # keep this comment
"""
VALUES = """\
image:
  repository: quay.io/team/api
  tag: "2.0"
"""
KUSTOMIZATION = """\
resources: [worker.yaml]
images:
- name: worker
  newName: ghcr.io/team/worker
  newTag: v3.9.9
"""
WORKER = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: worker}
spec:
  serviceName: worker
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      containers: [{name: w, image: worker}]
"""


def run(*arguments: str) -> tuple[subprocess.CompletedProcess[str], dict]:
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", "demo", "--once", "--output", "json", "--limit", "200"]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.stdout.strip(), done.stderr[-4000:]
    return done, json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_the_example_environments():
    done, result = run()
    assert done.returncode == 0, done.stderr[-4000:]
    assert result["ok"] is True
    travelled = {(row["service"], row["stage"]): row for row in result["promotions"]}
    assert {stage for service, stage in travelled if service == "payments"} == {"qa", "uat", "prod"}
    assert all(travelled["payments", stage]["state"] == "healthy" for stage in ("qa", "uat", "prod"))
    [revert] = result["reverts"]
    assert (revert["service"], revert["stage"], revert["from"], revert["to"]) == ("storefront", "uat", "2.42.0", "2.41.3")
    assert not any(service == "storefront" and stage == "prod" for service, stage in travelled)
    numbers = [(row["stage"], row["pr"]) for row in result["promotions"]]
    assert len(numbers) == len(set(numbers))
    approvals = 2 * sum(1 for row in result["promotions"] if row["stage"] == "prod")
    assert result["rest_calls"] <= 4 * len(result["promotions"]) + approvals, "the rights of an approver are asked of the forge"


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_a_tree_with_other_stages_and_formats(tmp_path):
    for stage in ("dev", "staging", "prod"):
        folder = tmp_path / stage
        for name, content in {
            "web/deploy.yaml": DEPLOYMENT.format(version="1.3.0" if stage == "dev" else "1.2.3"),
            "api/values.yaml": VALUES,
            "worker/kustomization.yaml": KUSTOMIZATION,
            "worker/worker.yaml": WORKER,
            "README.md": "not a manifest\n",
        }.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    done, result = run("--from", str(tmp_path))
    assert done.returncode == 0, done.stderr[-4000:]
    assert result["services"] == 3
    assert {(row["service"], row["stage"]) for row in result["promotions"]} >= {("web", "staging"), ("web", "prod")}
    assert len(result["reverts"]) == 1


def test_a_folder_without_stages_is_refused_with_a_sentence(tmp_path):
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", "demo", "--once", "--from", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "stage folders" in done.stderr
    assert "fix:" in done.stderr
