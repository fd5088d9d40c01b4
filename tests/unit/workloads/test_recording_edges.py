"""Recordings that say little: what the target is, what was promoted, and what nobody saw; and caches between lists and watches."""

from datetime import timedelta
from typing import Any

import pytest

from bot.workloads.cache import REMEMBERED_UIDS, Cache
from bot.workloads.recording import replay, target_of
from bot.workloads.references import lender, template_of
from bot.workloads.rollout import by_replicas
from bot.workloads.watch import Limits
from tests.unit.workloads.test_kinds import deployment, make

LIMITS = Limits(timeout=timedelta(seconds=60), bake=timedelta(seconds=0))


def event(obj: dict[str, Any], t: float, kind: str = "ADDED") -> dict[str, Any]:
    return {"type": "watch_event", "t": t, "event": {"type": kind, "object": obj}}


def recording(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"started": "2026-11-20T12:00:00Z", "entries": list(entries)} | more


def test_without_a_target_the_first_object_that_is_seen_is_meant() -> None:
    found = target_of(recording({"type": "note"}, event(deployment({}), 1)))
    assert str(found) == "Deployment shop/web"
    assert found.api_version == "apps/v1"


def test_a_target_without_a_namespace_is_the_first_of_its_name() -> None:
    named = recording(event(deployment({}), 1), target={"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"})
    assert str(target_of(named)) == "Deployment shop/web"
    assert str(target_of(recording(target={"kind": "Deployment", "name": "api"}, namespace="pay"))) == "Deployment pay/api"
    assert str(target_of(recording(target={"kind": "Deployment", "name": "api"}))) == "Deployment api"


def test_a_recording_of_nothing_is_unknown_and_never_healthy() -> None:
    found = replay(recording(), image=None, limits=LIMITS)
    assert (found.workload.value, found.promotion.value, found.rows) == ("unknown", "unknown", ())
    assert str(target_of(recording())).strip() == "object"


def test_a_watch_of_a_healthy_deployment_is_healthy() -> None:
    found = replay(recording(event(deployment({}), 1), {"type": "note", "t": 30}), image="ghcr.io/acme/web:1.5.0", limits=LIMITS)
    assert (found.workload.value, found.promotion.value) == ("healthy", "healthy")


def some(name: str, version: object, uid: str, kind: str = "Pod", namespace: str = "shop") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": version}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def test_a_list_takes_away_what_it_does_not_hold_and_leaves_what_is_newer_or_elsewhere() -> None:
    cache = Cache()
    for one in (some("old", "5", "1"), some("new", "50", "2"), some("far", "5", "3", namespace="other"), some("odd", "x", "4")):
        assert cache.seen(one)
    changed = cache.listed("Pod", "shop", [some("here", "7", "5")], 10)
    assert {key[2] for key in changed} == {"old", "odd", "here"}
    assert {key[2] for key in cache.keys("Pod")} == {"new", "far", "here"}


def test_only_so_many_of_the_buried_are_remembered() -> None:
    cache = Cache()
    for number in range(REMEMBERED_UIDS + 2):
        cache.seen(some("web", str(number + 1), f"uid-{number}"))
    assert len(cache.gone) == REMEMBERED_UIDS
    assert "uid-0" not in cache.gone
    anonymous = Cache()
    anonymous.seen(some("web", "1", ""))
    anonymous.seen(some("web", "2", "a"))
    assert not anonymous.gone


def test_a_rollout_lends_its_template_from_the_workload_that_it_names_and_from_no_other() -> None:
    borrower = make("Rollout", {"workloadRef": {"kind": "Deployment", "name": "web"}}, {}, version="argoproj.io/v1alpha1")
    other = deployment({})
    other["metadata"] = other["metadata"] | {"name": "api"}
    assert template_of(borrower, [other, deployment({})]) == deployment({})
    assert template_of(borrower, [other]) is None
    assert template_of(deployment({}), [other]) is None
    assert lender(make("Rollout", {"workloadRef": {"kind": "Deployment"}}, {}, version="argoproj.io/v1alpha1")) is None


@pytest.mark.parametrize(
    ("replicas", "updated", "available", "words"),
    [(3, 1, 1, "More replicas need to be updated"), (4, 3, 3, "old replicas are pending"), (3, 3, 2, "still becoming available")],
)
def test_a_rollout_of_an_old_controller_goes_by_its_counters(replicas: int, updated: int, available: int, words: str) -> None:
    status = {"replicas": replicas, "updatedReplicas": updated, "availableReplicas": available}
    found = by_replicas(make("Rollout", {"replicas": 3, "strategy": {"canary": {}}}, status, version="argoproj.io/v1alpha1"))
    assert found is not None
    assert words in found.message
