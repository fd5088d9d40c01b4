"""Objects of every shape in the sandbox cluster: whatever a tree holds, the cluster goes on, and says what it could not take."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.cluster import ClusterSandbox
from bot.sandbox.cluster.applying import Ledger, apply
from bot.sandbox.cluster.readback import Running, workloads
from bot.sandbox.cluster.render import Item, Rendered
from bot.sandbox.cluster.resources import DEPLOYMENTS, PODS, ROLLOUTS
from tests.support.clusters import Clock, cluster, run, workload

IMAGE = "ghcr.io/acme/web"
SCALARS = st.sampled_from([None, True, -2, 0, 3, "", "x", "25%", "-1", "RollingUpdate", "OnDelete", "Recreate", IMAGE])
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "image", "type", "x"]), inner, max_size=3),
    max_leaves=5,
)
NAMES = (
    "replicas", "strategy", "updateStrategy", "paused", "selector", "minReadySeconds", "progressDeadlineSeconds",
    "template", "jobTemplate", "schedule", "suspend", "completions", "parallelism", "backoffLimit",
    "podManagementPolicy", "timeZone", "values", "chart", "source", "sources", "destination", "path", "ref", "url",
)  # fmt: skip
FIELDS = st.sampled_from(NAMES)
KINDS = st.sampled_from(
    [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("v1", "Pod"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("argoproj.io/v1alpha1", "Application"),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
        ("serving.knative.dev/v1", "Service"),
    ]
)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    api_version, kind = draw(KINDS)
    pod = {"containers": [{"name": "app", "image": draw(st.sampled_from([f"{IMAGE}:1", f"{IMAGE}:2", ""]))}]} | draw(
        st.dictionaries(st.sampled_from(["restartPolicy", "initContainers", "nodeName"]), JUNK, max_size=1)
    )
    template = {"metadata": {"labels": {"app": "x"}}, "spec": pod}
    spec: dict[str, Any] = {"template": template, "schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}, **pod}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": draw(st.sampled_from(["a", "b"])), "namespace": "shop"},
        "spec": spec | draw(st.dictionaries(FIELDS, JUNK, max_size=2)),
    }


@settings(max_examples=60)
@given(st.lists(objects(), min_size=1, max_size=3), st.lists(objects(), max_size=2))
def test_the_cluster_goes_on(first: list[dict[str, Any]], then: list[dict[str, Any]]) -> None:
    clock = Clock()
    sandbox = cluster(clock, tls=False, settled=False)
    ledger = Ledger()
    good = workload("Deployment", "good", f"{IMAGE}:1", replicas=1)
    for batch in (first, then):
        apply(sandbox.world, ledger, Rendered(items=[Item(obj=obj) for obj in [*batch, good]]), "c" * 40)
        clock.now += timedelta(seconds=8)
        sandbox.world.advance(clock.now)
    found = {one.name: one for one in workloads(sandbox.store) if one.kind == "Deployment"}
    assert found["good"].health == "Healthy"
    everything = [obj for resource in tuple(sandbox.store.catalog.resources.values()) for obj in sandbox.store.all(resource)]
    assert json.loads(json.dumps(everything)) == everything
    sandbox.stop()


def test_an_argo_rollout_has_a_phase() -> None:
    clock = Clock()
    sandbox = cluster(clock, tls=False, settled=False)
    sandbox.start()
    sandbox.behave(IMAGE, "2", "crash")
    rollout = workload("Deployment", "web", f"{IMAGE}:1", replicas=2) | {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    phases = []
    for version in ("1", "2"):
        rollout["spec"]["template"]["spec"]["containers"][0]["image"] = f"{IMAGE}:{version}"
        sandbox.apply(rollout)
        run(sandbox, clock, 14)
        (one,) = sandbox.running(IMAGE)
        phases.append(one.health)
    sandbox.stop()
    assert phases == ["Healthy", "Degraded"]


def borrowing(**reference: object) -> dict[str, object]:
    named = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"} | reference
    meta = {"name": "web", "namespace": "shop"}
    spec = {"replicas": 2, "workloadRef": named, "strategy": {"canary": {}}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": meta, "spec": spec}


def of_kind(sandbox: ClusterSandbox, kind: str) -> Running:
    return next(one for one in sandbox.running() if one.kind == kind)


def test_a_rollout_rolls_the_template_that_a_deployment_lends_it() -> None:
    clock = Clock()
    sandbox = cluster(clock, tls=False, settled=False)
    sandbox.start()
    sandbox.behave(IMAGE, "3", "crash")
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=0), borrowing())
    run(sandbox, clock, 14)
    assert (of_kind(sandbox, "Rollout").health, of_kind(sandbox, "Rollout").running) == ("Healthy", (f"{IMAGE}:1",))
    assert of_kind(sandbox, "Deployment").running == ()
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:2")
    clock.now += timedelta(seconds=0.2)
    sandbox.tick()
    run(sandbox, clock, 14)
    assert (of_kind(sandbox, "Rollout").health, of_kind(sandbox, "Rollout").running) == ("Healthy", (f"{IMAGE}:2",))
    [rollout], [deployment] = sandbox.store.all(ROLLOUTS), sandbox.store.all(DEPLOYMENTS)
    assert "template" not in rollout["spec"], "the Rollout itself is left as it was written"
    assert rollout["status"]["workloadObservedGeneration"] == str(deployment["metadata"]["generation"])
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:3")
    run(sandbox, clock, 20)
    assert of_kind(sandbox, "Rollout").health == "Degraded"
    assert f"{IMAGE}:2" in of_kind(sandbox, "Rollout").running
    sandbox.stop()


def test_the_lender_is_scaled_down_where_the_rollout_asks_for_it() -> None:
    clock = Clock()
    sandbox = cluster(clock, tls=False, settled=False)
    sandbox.start()
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=3), borrowing(scaleDown="onsuccess"))
    run(sandbox, clock, 20)
    assert of_kind(sandbox, "Rollout").health == "Healthy"
    assert [one["spec"]["replicas"] for one in sandbox.store.all(DEPLOYMENTS)] == [0]
    assert of_kind(sandbox, "Deployment").running == ()
    sandbox.stop()


def test_a_rollout_whose_lender_is_missing_is_degraded_until_it_comes() -> None:
    clock = Clock()
    sandbox = cluster(clock, tls=False, settled=False)
    sandbox.start()
    sandbox.apply(borrowing())
    run(sandbox, clock, 3)
    assert (of_kind(sandbox, "Rollout").health, of_kind(sandbox, "Rollout").running) == ("Degraded", ())
    assert "spec.workloadRef.name" in sandbox.store.all(ROLLOUTS)[0]["status"]["message"]
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=0))
    run(sandbox, clock, 14)
    assert of_kind(sandbox, "Rollout").health == "Healthy"
    assert "InvalidSpec" not in json.dumps(sandbox.store.all(ROLLOUTS)[0]["status"])
    sandbox.stop()


def test_a_bare_pod_runs() -> None:
    clock = Clock()
    sandbox = cluster(clock, tls=False, settled=False)
    sandbox.start()
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}}
    sandbox.apply(pod | {"spec": {"containers": [{"name": "app", "image": f"{IMAGE}:1"}]}})
    run(sandbox, clock, 3)
    assert sandbox.store.all(PODS)[0]["status"]["phase"] == "Running"
    sandbox.stop()
