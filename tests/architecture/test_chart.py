"""The Helm chart, rendered by a small renderer of our own (no helm is needed): whole, strict, without privileges."""

import json
import re
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest
import yaml

from bot.adapters.kubernetes.kinds import KINDS
from bot.config.load import check
from bot.settings import PREFIX, Settings
from tests.support.go_template import Renderer

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "promotion-bot"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
EVERYTHING = {
    "replicas": 3,
    "database": {"existingSecret": "postgres", "key": "url"},
    "kubeconfigs": {"existingSecret": "kube"},
    "ingress": {"enabled": True, "className": "nginx", "host": "bot.example.com", "tlsSecret": "tls", "annotations": {"a": "b"}},
    "metrics": {"port": 9090, "from": [{"podSelector": {}}], "serviceMonitor": True, "interval": "15s"},
    "rbac": {"create": True, "namespaces": ["dev", "prod"], "nudgeAgents": True},
    "image": {"repository": "r.example/bot", "tag": "", "digest": "sha256:" + "a" * 64, "pullPolicy": "Always"},
}


def rendered(**changes):
    values = deepcopy(DEFAULTS) | changes
    jsonschema.validate(values, SCHEMA)
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    chart = {"Name": about["name"], "Version": about["version"], "AppVersion": about["appVersion"]}
    root = {"Values": values, "Chart": chart, "Release": {"Name": "bot", "Namespace": "bots", "Service": "Helm"}}
    renderer = Renderer((CHART / "templates" / "_helpers.tpl").read_text())
    found = []
    for file in sorted((CHART / "templates").glob("*.yaml")):
        found += [one for one in yaml.safe_load_all(renderer.text(file.read_text(), root)) if one]
    return found


def of(objects, kind):
    return [one for one in objects if one["kind"] == kind]


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_the_pod_runs_without_privileges_and_mounts_what_it_names(changes):
    [workload] = of(rendered(**changes), "StatefulSet")
    pod = workload["spec"]["template"]["spec"]
    [bot] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert bot["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    claims = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
    assert {mount["name"] for mount in bot["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]} | claims
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert {variable["name"] for variable in bot["env"]} <= known
    paths = {bot[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"/healthz", "/readyz"}


def test_the_rules_are_read_only_and_cover_every_kind_that_is_watched():
    [role] = of(rendered(), "ClusterRole")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    granted = {(group, resource) for rule in role["rules"] for group in rule["apiGroups"] for resource in rule["resources"]}
    assert {(kind.group, kind.plural) for kind in KINDS} <= granted


def test_namespaces_narrow_the_rules_to_roles():
    objects = rendered(**EVERYTHING)
    assert [one["metadata"]["namespace"] for one in of(objects, "Role")] == ["dev", "prod"]
    assert not of(objects, "ClusterRole")
    verbs = {verb for role in of(objects, "Role") for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"list", "watch", "patch"}


def test_the_digest_stands_above_the_tag():
    [workload] = of(rendered(**EVERYTHING), "StatefulSet")
    assert workload["spec"]["template"]["spec"]["containers"][0]["image"] == "r.example/bot@sha256:" + "a" * 64


def test_metrics_have_a_port_of_their_own_when_asked_for():
    def ports(objects):
        [workload], [service], [policy] = of(objects, "StatefulSet"), of(objects, "Service"), of(objects, "NetworkPolicy")
        [bot] = workload["spec"]["template"]["spec"]["containers"]
        told = {one["name"]: one["value"] for one in bot["env"] if "METRICS" in one["name"]}
        opened = [(port["port"], "from" in rule) for rule in policy["spec"]["ingress"] for port in rule["ports"]]
        return [one["name"] for one in bot["ports"]], [one["targetPort"] for one in service["spec"]["ports"]], opened, told

    assert ports(rendered()) == (["http"], ["http"], [("http", False)], {})
    full = rendered(**EVERYTHING)
    apart = (["http", "metrics"], ["http", "metrics"], [("http", False), ("metrics", True)], {"PROMOTION_BOT_METRICS_PORT": "9090"})
    assert ports(full) == apart
    assert of(full, "ServiceMonitor")[0]["spec"]["endpoints"][0]["port"] == "metrics"
    same = rendered(metrics={**DEFAULTS["metrics"], "serviceMonitor": True})
    assert of(same, "ServiceMonitor")[0]["spec"]["endpoints"][0]["port"] == "http"


def test_the_configuration_arrives_as_it_was_given():
    [stored] = of(rendered(), "ConfigMap")
    written = stored["data"]["promotion-bot.yaml"]
    assert yaml.safe_load(written) == DEFAULTS["config"]
    assert check(written).config is not None


def test_only_what_was_asked_for_is_made():
    plain, full = rendered(), rendered(**EVERYTHING)
    for kind in ("Ingress", "ServiceMonitor", "PodDisruptionBudget"):
        assert not of(plain, kind), kind
        assert len(of(full, kind)) == 1, kind
    assert not of(full, "Secret"), "the chart makes no secret"
    assert not of(rendered(networkPolicy={"enabled": False}), "NetworkPolicy")


@pytest.mark.parametrize(
    "changes",
    [
        {"replicas": 2},
        {"replica": 1},
        {"secrets": {"existingSecret": ""}},
        {"image": {"repository": "x", "digest": "sha256:abc"}},
        {"environment": {"LOG_LEVEL": 1}},
        {"ingress": {"enabled": True, "host": ""}},
        {"config": {"version": 1}},
    ],
)
def test_values_that_cannot_work_are_refused(changes):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(deepcopy(DEFAULTS) | changes, SCHEMA)


def test_every_value_is_used():
    text = "".join(file.read_text() for file in (CHART / "templates").iterdir())
    used = set(re.findall(r"\.Values\.(\w+)", text))
    assert used == set(DEFAULTS)


def test_the_kustomize_base_builds_and_grants_what_the_chart_grants():
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    folder = CHART.parents[1] / "kustomize"
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    objects = list(yaml.safe_load_all(done.stdout))
    [role], [chart_role] = of(objects, "ClusterRole"), of(rendered(), "ClusterRole")
    assert role["rules"] == chart_role["rules"]
    [stored] = of(objects, "ConfigMap")
    assert check(stored["data"]["promotion-bot.yaml"]).config is not None
    [workload], [chart_workload] = of(objects, "StatefulSet"), of(rendered(), "StatefulSet")
    pod, chart_pod = workload["spec"]["template"]["spec"], chart_workload["spec"]["template"]["spec"]
    assert pod["securityContext"].items() <= chart_pod["securityContext"].items()
    assert pod["containers"][0]["securityContext"] == chart_pod["containers"][0]["securityContext"]
