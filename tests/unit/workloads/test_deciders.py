"""Who decides the replicas of a workload beside its manifest."""

from typing import Any

import pytest

from bot.workloads.deciders import ruled_by

WEB = ("Deployment", "shop", "web")


def obj(kind: str, spec: dict[str, Any], status: dict[str, Any] | None = None, namespace: str = "shop") -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "any", "namespace": namespace}, "spec": spec, "status": status or {}}


def application(**spec: Any) -> dict[str, Any]:
    listed = [
        {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web"},
        {"group": "apps", "kind": "StatefulSet", "namespace": "shop", "name": "db"},
        {"kind": "Service", "namespace": "shop", "name": "web"},
    ]
    return obj("Application", spec, {"resources": listed}, namespace="argocd")


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "ScaledObject"])
def test_an_autoscaler_decides_its_targets(kind: str) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    assert ruled_by(obj(kind, {"scaleTargetRef": target})) == (WEB,)
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"}
    assert ruled_by(obj(kind, {"scaleTargetRef": rollout})) == (("Rollout", "shop", "web"),)


def test_a_scaled_object_means_a_deployment_where_it_names_no_kind() -> None:
    assert ruled_by(obj("ScaledObject", {"scaleTargetRef": {"name": "web"}})) == (WEB,)


def test_a_rollout_decides_the_deployment_whose_template_it_borrows() -> None:
    assert ruled_by(obj("Rollout", {"workloadRef": {"kind": "Deployment", "name": "web"}})) == (WEB,)
    assert ruled_by(obj("Rollout", {"template": {}})) == ()


@pytest.mark.parametrize("field", ["patches", "patchesStrategicMerge", "components"])
def test_a_flux_kustomization_decides_what_it_patches(field: str) -> None:
    inventory = {"inventory": {"entries": [{"id": "shop_web_apps_Deployment", "v": "v1"}, {"id": "shop_web__Service", "v": "v1"}]}}
    assert ruled_by(obj("Kustomization", {field: [{"patch": "x"}]}, inventory)) == (WEB,)
    assert ruled_by(obj("Kustomization", {field: []}, inventory)) == ()


@pytest.mark.parametrize("source", [{"kustomize": {"replicas": [{"name": "web", "count": 3}]}}, {"plugin": {"name": "x"}}])
def test_an_application_decides_what_it_rewrites(source: dict[str, Any]) -> None:
    both = (WEB, ("StatefulSet", "shop", "db"))
    assert ruled_by(application(source=source)) == both
    assert ruled_by(application(sources=[{"path": "a"}, source])) == both


@pytest.mark.parametrize(
    "rule",
    [
        {"jsonPointers": ["/spec/replicas"]},
        {"jqPathExpressions": [".spec.replicas"]},
        {"managedFieldsManagers": ["kube-controller-manager"]},
    ],
)
def test_what_an_application_leaves_alone_is_not_gits_to_say(rule: dict[str, Any]) -> None:
    assert ruled_by(application(ignoreDifferences=[{"group": "apps", "kind": "Deployment", **rule}])) == (WEB,)
    assert ruled_by(application(ignoreDifferences=[{"group": "apps", "kind": "Deployment", "name": "api", **rule}])) == ()


def test_an_ordinary_application_decides_nothing() -> None:
    ignored = [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/template"]}]
    assert ruled_by(application(source={"kustomize": {"images": ["web:1"]}}, ignoreDifferences=ignored)) == ()


@pytest.mark.parametrize("spec", [None, [], "text", {"scaleTargetRef": None}, {"scaleTargetRef": {"name": 7}}, {"patches": 1}])
@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "ScaledObject", "Rollout", "Kustomization", "Application", "Pod"])
def test_odd_objects_decide_nothing(kind: str, spec: Any) -> None:
    assert ruled_by({"kind": kind, "metadata": None, "spec": spec, "status": None}) == ()
