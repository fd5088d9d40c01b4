"""What becomes of a promotion in recordings that were written here: one row per story that a cluster can tell."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from bot.workloads.recording import Replay, replay
from bot.workloads.watch import Limits

LIMITS = Limits(timeout=timedelta(seconds=60), bake=timedelta(seconds=10))
NAME = "registry.example.com/shop/web"
WANTED, DIGEST, OTHER_DIGEST = f"{NAME}:1.5.0", f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
PATH = "/apis/apps/v1/namespaces/demo/deployments/web"
AVAILABLE = {"type": "Available", "status": "True"}
BROKEN = {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}
DONE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
ROLLING = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
EXCEEDED = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
OLD, NEW, NEWER = f"{NAME}:1.4.2", WANTED, f"{NAME}:1.6.0"


class Writer:
    """Writes objects with resource versions that only grow."""

    def __init__(self) -> None:
        self.versions = count(100)

    def web(self, image: str, state: str, generation: int = 2, *, uid: str = "u1", space: str = "demo", **more: Any) -> dict[str, Any]:
        wanted = more.pop("replicas", 3)
        status: dict[str, Any] = {"replicas": wanted, "updatedReplicas": wanted, "readyReplicas": wanted, "availableReplicas": wanted}
        match state:
            case "progressing":
                status |= {"updatedReplicas": 1, "conditions": [AVAILABLE, ROLLING]}
            case "exceeded":
                status |= {"updatedReplicas": 1, "conditions": [AVAILABLE, EXCEEDED]}
            case "broken":
                status |= {"readyReplicas": 1, "availableReplicas": 1, "conditions": [BROKEN, DONE]}
            case "complete":
                status |= {"conditions": [AVAILABLE, DONE]}
            case "empty":
                status = {"conditions": [AVAILABLE, DONE]}
        containers = [{"name": "app", "image": image}, *more.pop("sidecars", [])]
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": more.pop("name", "web"),
                "namespace": space,
                "uid": uid,
                "generation": generation,
                "resourceVersion": str(next(self.versions)),
            },
            "spec": {"replicas": wanted, "progressDeadlineSeconds": 600, "template": {"spec": {"containers": containers}}} | more,
            "status": {"observedGeneration": more.pop("seen", generation)} | status,
        }

    def below(self, kind: str, uid: str, owner: str, **more: Any) -> dict[str, Any]:
        metadata = {"name": uid, "namespace": "demo", "uid": uid, "resourceVersion": str(next(self.versions))}
        return {"kind": kind, "apiVersion": "v1", "metadata": metadata | {"ownerReferences": [{"uid": owner, "controller": True}]}, **more}

    def pod(self, restarts: int) -> dict[str, Any]:
        app = {"name": "app", "restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
        return self.below("Pod", "p1", "rs1", status={"phase": "Running", "containerStatuses": [app]})


def got(t: float, obj: dict[str, Any] | None) -> dict[str, Any]:
    if obj is None:
        return {"t": t, "type": "http", "request": {"method": "GET", "path": PATH}, "response": {"status": 404, "body": {"kind": "Status"}}}
    return {"t": t, "type": "http", "request": {"method": "GET", "path": PATH}, "response": {"status": 200, "body": obj}}


def refused(t: float, status: int, body: object = None) -> dict[str, Any]:
    return {"t": t, "type": "http", "request": {"method": "GET", "path": PATH}, "response": {"status": status, "body": body}}


def came(t: float, obj: dict[str, Any], change: str = "MODIFIED") -> dict[str, Any]:
    return {"t": t, "type": "watch_event", "event": {"type": change, "object": obj}}


def played(*entries: Any, image: str | None = WANTED, **more: Any) -> Replay:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return replay({"namespace": "demo", "target": target, "entries": list(entries)} | more, image=image, limits=LIMITS)


def ends(found: Replay) -> tuple[str, str, list[str]]:
    told = found.to_json()
    return told["workload"], told["promotion"], [row["state"] for row in told["verdicts"]]


def test_a_late_crash_that_comes_again_has_failed_also_where_the_workload_looks_well_at_the_end() -> None:
    at = Writer()
    story = [
        got(0, at.web(OLD, "complete", 1)),
        came(1, at.below("ReplicaSet", "rs1", "u1"), "ADDED"),
        came(1, at.web(NEW, "progressing")),
        came(5, at.web(NEW, "complete")),
        came(14, at.web(NEW, "broken")),
        came(14.1, at.pod(1)),
        came(15, at.web(NEW, "complete")),
        came(25, at.pod(2)),
        came(25.1, at.web(NEW, "broken")),
        came(40, at.web(NEW, "complete")),
    ]
    assert ends(played(*story))[:2] == ("healthy", "degraded")
    assert ends(played(*story, came(50, at.pod(3)), came(50.1, at.web(NEW, "broken"))))[:2] == ("progressing", "degraded")


def test_a_deadline_that_comes_and_goes_is_not_final_and_a_bookmark_is_no_object() -> None:
    at = Writer()
    before = got(0, at.web(OLD, "complete", 1))
    turns = [came(t, at.web(NEW, state)) for t, state in ((1, "progressing"), (11, "exceeded"), (20, "progressing"), (31, "exceeded"))]
    bookmark = {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"resourceVersion": "999"},
        "spec": {"replicas": 0},
        "status": {},
    }
    found = played(before, *turns, came(59, at.web(NEW, "complete")), came(60, bookmark, "BOOKMARK"))
    states = ["healthy", "progressing", "degraded", "progressing", "degraded", "healthy"]
    assert ends(found) == ("healthy", "healthy", states)


def test_a_failure_of_the_generation_before_is_no_answer() -> None:
    at = Writer()
    failed, stale = at.web(f"{NAME}:1.5.0-bad", "exceeded"), at.web(NEW, "exceeded", 3)
    stale["status"]["observedGeneration"] = 2
    found = played(got(0, failed), came(1, stale), came(14, at.web(NEW, "complete", 3)))
    assert ends(found) == ("healthy", "healthy", ["degraded", "progressing", "healthy"])


def test_complete_at_zero_and_then_scaled_up_with_an_image_that_never_comes() -> None:
    at = Writer()
    found = played(
        got(0, at.web(NEW, "empty", 1, replicas=0)), got(20, at.web(NEW, "empty", 1, replicas=0)), came(21, at.web(NEW, "broken"))
    )
    assert ends(found) == ("progressing", "degraded", ["healthy", "progressing"])


@pytest.mark.parametrize("failed_first", [True, False])
def test_overtaken_by_a_newer_version(failed_first: bool) -> None:
    at = Writer()
    middle = [came(11, at.web(NEW, "exceeded"))] if failed_first else []
    entries = [got(0, at.web(OLD, "complete", 1)), came(1, at.web(NEW, "progressing")), *middle, came(14, at.web(NEWER, "complete", 3))]
    assert ends(played(*entries))[:2] == ("healthy", "superseded")


def test_a_regression_after_success_that_stays() -> None:
    at = Writer()
    story = [got(0, at.web(OLD, "complete", 1)), came(1, at.web(NEW, "complete")), came(31, at.web(NEW, "broken"))]
    assert ends(played(*story))[:2] == ("progressing", "degraded")
    assert ends(played(*story, came(45, at.web(NEW, "complete"))))[:2] == ("healthy", "healthy")


def test_deleted_and_made_again_with_another_uid() -> None:
    at = Writer()
    gone = at.web(NEW, "progressing")
    story = [
        got(0, at.web(OLD, "complete", 1)),
        came(1, at.web(NEW, "progressing")),
        came(3, gone, "DELETED"),
        came(4, at.web(NEW, "progressing", 1, uid="u2"), "ADDED"),
        came(8, at.web(NEW, "complete", 1, uid="u2")),
        came(9, at.web(NEW, "exceeded", 3)),
    ]
    assert ends(played(*story)) == ("healthy", "healthy", ["healthy", "progressing", "unknown", "progressing", "healthy"])


def test_errors_of_the_api_are_no_observations() -> None:
    at = Writer()
    expired = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 410, "reason": "Expired"}
    found = played(
        got(0, at.web(OLD, "complete", 1)),
        {"t": 3, "type": "http", "request": {"method": "GET", "path": PATH}, "exception": {"type": "ConnectionError", "text": "refused"}},
        refused(20, 403, {"kind": "Status", "code": 403, "message": "forbidden"}),
        refused(21, 504, {"metadata": {}, "status": "Failure", "message": "Timeout", "code": 504}),
        came(22, expired, "ERROR"),
        got(23, at.web(NEW, "complete")),
    )
    assert ends(found) == ("healthy", "healthy", ["healthy"])


def test_what_happened_while_no_watch_was_open_is_seen_in_the_list_after_it() -> None:
    at = Writer()
    expired = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 410, "reason": "Expired"}

    def listed(t: float, *objects: dict[str, Any]) -> dict[str, Any]:
        found = [{key: value for key, value in obj.items() if key not in ("kind", "apiVersion")} for obj in objects]
        body = {"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {"resourceVersion": "9999"}, "items": found}
        request = {"method": "GET", "path": PATH.removesuffix("/web")}
        return {"t": t, "type": "http", "request": request, "response": {"status": 200, "body": body}}

    before, failing, other = at.web(OLD, "complete", 1), at.web(NEW, "exceeded"), at.web(NEW, "complete", name="other", uid="o")
    story = [listed(0, before, other), got(0, before), came(1, expired, "ERROR"), listed(2, failing, other)]
    found = played(*story)
    assert [(row.t, row.state.value) for row in found.rows] == [(0, "healthy"), (2, "degraded")]
    assert found.to_json()["promotion"] == "degraded"
    gone = played(*story, listed(3, other))
    assert [(row.t, row.state.value) for row in gone.rows][-1] == (3, "unknown")


def test_not_found_at_first_and_not_found_at_the_end() -> None:
    at = Writer()
    assert ends(played(got(0, None), got(2, at.web(NEW, "complete", 1)))) == ("healthy", "healthy", ["unknown", "healthy"])
    assert ends(played(got(0, at.web(NEW, "progressing")), got(5, None)))[:2] == ("unknown", "unknown")


def test_an_older_answer_that_comes_late_changes_nothing() -> None:
    at = Writer()
    first, older, newer = at.web(OLD, "complete", 1), at.web(NEW, "progressing"), at.web(NEW, "complete")
    assert ends(played(got(0, first), got(2, newer), came(3, older))) == ("healthy", "healthy", ["healthy"])


def test_what_happens_to_other_workloads_says_nothing() -> None:
    at = Writer()
    elsewhere = at.web(f"{NAME}:1.0.0", "exceeded", uid="x", space="other")
    beside = at.web(f"{NAME}:1.0.0", "exceeded", uid="y", name="other")
    found = played(came(0, elsewhere, "ADDED"), came(1, at.web(NEW, "complete"), "ADDED"), came(2, elsewhere), came(3, beside))
    assert ends(found) == ("healthy", "healthy", ["healthy"])


@pytest.mark.parametrize(
    ("wanted", "runs", "promotion"),
    [
        (WANTED, f"{WANTED}@{DIGEST}", "healthy"),
        (f"{WANTED}@{DIGEST}", WANTED, "healthy"),
        (f"{NAME}@{DIGEST}", f"{WANTED}@{DIGEST}", "healthy"),
        (f"{WANTED}@{DIGEST}", f"{WANTED}@{OTHER_DIGEST}", "degraded"),
        (WANTED, f"mirror.local/{WANTED}", "healthy"),
        (WANTED, "mirror.local/shop/web:1.5.0", "degraded"),
    ],
)
def test_the_wanted_image_may_be_written_otherwise(wanted: str, runs: str, promotion: str) -> None:
    at = Writer()
    proxy = [{"name": "proxy", "image": "docker.io/istio/proxyv2:1.20"}]
    found = played(got(0, at.web(OLD, "complete", 1)), came(5, at.web(runs, "complete", sidecars=proxy)), image=wanted)
    assert found.to_json()["promotion"] == promotion, found.reason


def test_entries_of_any_shape_are_passed_over() -> None:
    at = Writer()
    odd: list[Any] = [
        None,
        1,
        {"type": 7},
        {"t": "x", "type": "http"},
        {"t": 1, "type": "http", "request": None, "response": None},
        {"t": 2, "type": "watch_event", "event": None},
        {"t": 3, "type": "watch_event", "event": {"type": "MODIFIED", "object": {"kind": "Deployment", "metadata": None}}},
        {"t": float("nan"), "type": "note"},
    ]
    found = played(*odd, got(4, at.web(NEW, "complete")), recorded_at="yesterday", namespace=None)
    assert ends(found) == ("healthy", "healthy", ["healthy"])
    assert ends(played()) == ("unknown", "unknown", [])


def test_a_rollout_that_uses_a_deployments_template_is_judged_by_the_rollout() -> None:
    """The Deployment has no pods then: complete at zero, with the new image, at once."""
    at = Writer()

    def rollout(phase: str, seen: int) -> dict[str, Any]:
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "web", "namespace": "demo", "uid": "r1", "generation": 1, "resourceVersion": str(next(at.versions))},
            "spec": {"replicas": 3, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
            "status": {"observedGeneration": "1", "phase": phase, "workloadObservedGeneration": str(seen)},
        }

    target = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"}
    story = [
        came(0, at.web(OLD, "empty", 1, replicas=0), "ADDED"),
        came(0, rollout("Healthy", 1), "ADDED"),
        came(1, at.web(NEW, "empty", 2, replicas=0)),
        came(2, rollout("Progressing", 2)),
        came(9, rollout("Healthy", 2)),
    ]
    found = played(*story, target=target)
    assert ends(found) == ("healthy", "healthy", ["healthy", "progressing", "healthy"])
    assert [row.t for row in found.rows] == [0, 1, 9]
    assert ends(played(*story[:3], target=target))[:2] == ("progressing", "degraded")
