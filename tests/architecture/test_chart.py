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
SHIPPED = (CHART / "values.yaml").read_text()
CONFIG = yaml.safe_load(re.sub(r"(?m)^#  ", "", SHIPPED[SHIPPED.index("#   version: 1") : SHIPPED.index("config: {}")]))
"""The example that stands in values.yaml as a comment."""
DEFAULTS = yaml.safe_load(SHIPPED) | {"config": CONFIG}
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


def laid_over(base, more):
    """As Helm lays given values over the chart's: maps are mixed, all else is replaced."""
    both = {key: laid_over(base[key], more[key]) for key in base.keys() & more.keys() if isinstance(base[key], dict)}
    return base | more | both


def test_the_chart_mixes_no_stage_and_no_setting_of_its_own_into_a_given_configuration():
    given = {
        "version": 1,
        "pipeline": {"stages": {"dev": {"repository": "a/dev", "cluster": {"context": "far"}}, "live": {"repository": "a/live"}}},
    }
    [stored] = of(rendered(**laid_over(yaml.safe_load(SHIPPED), {"config": given})), "ConfigMap")
    assert yaml.safe_load(stored["data"]["promotion-bot.yaml"]) == given


def test_without_a_configuration_it_is_refused():
    with pytest.raises(jsonschema.ValidationError, match="is a required property"):
        jsonschema.validate(yaml.safe_load(SHIPPED), SCHEMA)


def test_only_what_was_asked_for_is_made():
    plain, full = rendered(), rendered(**EVERYTHING)
    for kind in ("Ingress", "ServiceMonitor", "PodDisruptionBudget"):
        assert not of(plain, kind), kind
        assert len(of(full, kind)) == 1, kind
    assert not of(full, "Secret"), "the chart makes no secret"
    assert not of(rendered(networkPolicy={"enabled": False}), "NetworkPolicy")


def egress(**sections):
    return {"networkPolicy": DEFAULTS["networkPolicy"] | {"egress": DEFAULTS["networkPolicy"]["egress"] | sections}}


def reached(objects):
    """What the policy lets the pod connect to: (protocol, port) -> the peers, None for every address. No policy of egress: no limit."""
    [policy] = of(objects, "NetworkPolicy")
    if "Egress" not in policy["spec"]["policyTypes"]:
        return None
    found = {}
    for rule in policy["spec"]["egress"] or []:
        assert rule.get("ports"), "a rule without ports opens them all"
        for port in rule["ports"]:
            found[port["protocol"], port["port"]] = rule.get("to")
    return found


NAMES = dict.fromkeys([(protocol, port) for protocol in ("UDP", "TCP") for port in (53, 5353)])
USUAL = NAMES | dict.fromkeys([("TCP", 443), ("TCP", 6443)])


def test_the_bot_may_connect_to_names_https_and_apis_of_clusters_and_to_nothing_else():
    assert reached(rendered()) == USUAL
    assert reached(rendered(**egress(dns={"ports": []}, https={"ports": []}, kubernetes={"ports": []}))) == {}


def test_the_database_is_reached_where_there_is_one():
    database = {"database": {"existingSecret": "postgres", "key": "url"}}
    assert reached(rendered(**database)) == USUAL | {("TCP", 5432): None}
    assert reached(rendered(**database, **egress(database={"ports": [6432], "to": []}))) == USUAL | {("TCP", 6432): None}


def test_what_the_configuration_names_is_reached_at_its_port():
    config = DEFAULTS["config"] | {
        "sources": {
            "prometheus": {"url": "http://prometheus.monitoring:9090/prom"},
            "opa": {"url": "http://[fd00::1]:8181"},
            "registries": {"registry.acme.io": {"url": "https://registry.acme.io:5000"}, "ghcr.io": {"url": "https://ghcr.io"}},
        },
        "notifications": {"mail": {"ops": {"host": "mail.acme.io", "sender": "bot@acme.io", "to": ["a@acme.io"]}}},
    }
    assert check(yaml.safe_dump(config)).config is not None
    assert reached(rendered(config=config)) == USUAL | dict.fromkeys([("TCP", 9090), ("TCP", 8181), ("TCP", 5000), ("TCP", 587)])
    config["notifications"]["mail"]["ops"]["port"] = 2525
    assert set(reached(rendered(config=config))) - set(USUAL) == {("TCP", 9090), ("TCP", 8181), ("TCP", 5000), ("TCP", 2525)}
    assert reached(rendered(config=config, **egress(configured=False))) == USUAL


def test_addresses_may_be_named_rules_added_and_all_of_it_switched_off():
    github, apis = [{"ipBlock": {"cidr": "140.82.112.0/20"}}], [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
    dns = [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}]
    extra = [{"ports": [{"port": 3128, "protocol": "TCP"}], "to": apis}]
    changes = egress(
        dns={"ports": [53], "to": dns}, https={"ports": [443], "to": github}, kubernetes={"ports": [16443], "to": apis}, extra=extra
    )
    wanted = {("UDP", 53): dns, ("TCP", 53): dns, ("TCP", 443): github, ("TCP", 16443): apis, ("TCP", 3128): apis}
    assert reached(rendered(**changes)) == wanted
    assert reached(rendered(**egress(enabled=False))) is None


@pytest.mark.parametrize(
    "section",
    [
        {"https": {"ports": [0]}},
        {"https": {"ports": ["443"]}},
        {"https": {"ports": [70000]}},
        {"https": {"to": []}},
        {"https": {"ports": [443], "to": [{}]}},
        {"smtp": {"ports": [25]}},
        {"extra": {"ports": []}},
    ],
)
def test_ways_out_that_cannot_be_are_refused(section):
    with pytest.raises(jsonschema.ValidationError):
        rendered(**egress(**section))


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
    [policy], [chart_policy] = of(objects, "NetworkPolicy"), of(rendered(), "NetworkPolicy")
    assert reached(objects) == reached(rendered()) | {("TCP", 5432): None}
    assert policy["spec"]["ingress"] == chart_policy["spec"]["ingress"]
    [workload], [chart_workload] = of(objects, "StatefulSet"), of(rendered(), "StatefulSet")
    pod, chart_pod = workload["spec"]["template"]["spec"], chart_workload["spec"]["template"]["spec"]
    assert pod["securityContext"].items() <= chart_pod["securityContext"].items()
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert pod["containers"][0]["securityContext"] == chart_pod["containers"][0]["securityContext"]
