"""How a release is carried into slots of another shape, and how a service's rollout is judged from the cluster."""

from datetime import timedelta
from time import process_time

import pytest

from bot.domain.image import Version
from bot.domain.rollout import ClusterSnapshot, RolloutState, WorkloadRef, WorkloadState
from bot.domain.slot import Holds, ObjectRef
from bot.planning.health import healths
from bot.planning.transfer import CannotCarry, edits, payload, shaped
from tests.support.builders import LONG_AGO, NOW, release, slot, view
from tests.support.builders import health as recorded

A = "sha256:" + "a" * 64
B = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("present", "wanted", "written"),
    [
        (Version(tag="1"), Version(tag="2"), Version(tag="2")),
        (Version(tag="1"), Version(tag="2", digest=B), Version(tag="2")),
        (Version(tag="1", digest=A), Version(tag="2", digest=B), Version(tag="2", digest=B)),
        (Version(digest=A), Version(tag="2", digest=B), Version(digest=B)),
        (Version(digest=A), Version(digest=B), Version(digest=B)),
    ],
)
def test_a_slot_keeps_its_shape(present, wanted, written):
    assert shaped(slot(present), wanted) == written


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        (Version(tag="1", digest=A), Version(tag="2")),
        (Version(digest=A), Version(tag="2")),
        (Version(tag="1"), Version(digest=B)),
        (Version(tag="1", digest=A), Version(digest=B)),
    ],
)
def test_what_would_be_a_guess_is_refused_with_its_place(present, wanted):
    with pytest.raises(CannotCarry, match=r"payments/deployment\.yaml:7"):
        shaped(slot(present), wanted)


def test_only_slots_that_differ_are_edited_and_paths_count_from_the_root():
    both = view(slot("1"), slot("2", path="payments/job.yaml"))
    [edit] = edits(both, release("2"), folder="stages/qa")
    assert (edit.path, edit.old, edit.new) == ("stages/qa/payments/deployment.yaml", Version(tag="1"), Version(tag="2"))
    assert payload(edit.new) == {"tag": "2"}


def workload(image="ghcr.io/acme/payments:1.0.0", state=RolloutState.HEALTHY, name="payments", **more):
    ref = WorkloadRef(kind=more.pop("kind", "Deployment"), namespace="shop", name=name, api_version="apps/v1")
    images = (image,) if image else ()
    return WorkloadState(ref=ref, images=images, state=state, reason="its own word", observed_at=NOW, **more)


def judged(*workloads, own=None, last=None, reachable=True):
    snapshot = ClusterSnapshot(at=NOW, reachable=reachable, problem="" if reachable else "connection refused", workloads=workloads)
    about = own or view(slot("1.0.0"))
    return healths({about.service: about}, snapshot, recorded={about.service: last} if last else {}, now=NOW)[about.service]


def test_four_times_the_services_take_about_four_times_as_long():
    def seconds(count):
        slots = [slot("1.0.0", artifact=f"ghcr.io/acme/app-{n}") for n in range(count)]
        services = {f"app-{n}": view(one, service=f"app-{n}") for n, one in enumerate(slots)}
        workloads = tuple(workload(f"ghcr.io/acme/app-{n}:1.0.0", name=f"app-{n}") for n in range(count))
        began = process_time()
        found = healths(services, ClusterSnapshot(at=NOW, reachable=True, workloads=workloads), recorded={}, now=NOW)
        assert all(one.state is RolloutState.HEALTHY for one in found.values())
        return process_time() - began

    assert min(seconds(1_600) for _ in range(3)) < 9 * min(seconds(400) for _ in range(3))


def test_healthy_when_all_its_workloads_are():
    found = judged(workload(), workload(name="payments-worker"))
    assert (found.state, found.taken, found.since) == (RolloutState.HEALTHY, True, NOW)


def test_one_degraded_workload_of_several_is_degraded():
    found = judged(workload(), workload(name="payments-worker", state=RolloutState.DEGRADED))
    assert found.state is RolloutState.DEGRADED
    assert "payments-worker: its own word" in found.reason


def test_a_workload_that_wants_another_version_has_not_taken_it():
    found = judged(workload("ghcr.io/acme/payments:0.9.0"))
    assert (found.state, found.taken) == (RolloutState.PROGRESSING, False)
    assert "still wants 0.9.0, git declares 1.0.0" in found.reason


def test_nothing_that_runs_it_is_unknown_not_healthy():
    found = judged(workload("ghcr.io/acme/search:1.0.0"))
    assert found.state is RolloutState.UNKNOWN
    assert "payments/deployment.yaml:7" in found.reason


def test_a_cluster_that_cannot_be_seen_is_unknown_whatever_was_seen_before():
    assert judged(workload(), reachable=False).state is RolloutState.UNKNOWN


def test_pods_and_replicasets_of_a_controller_do_not_count_twice():
    owner = WorkloadRef(kind="Deployment", namespace="shop", name="payments", api_version="apps/v1")
    old = workload("ghcr.io/acme/payments:0.9.0", kind="ReplicaSet", name="payments-1", owner=owner)
    assert judged(workload(), old).taken


def test_since_carries_over_while_nothing_changed():
    before = recorded("1.0.0", since=LONG_AGO)
    assert judged(workload(), last=before).since == LONG_AGO
    assert judged(workload(state=RolloutState.DEGRADED), last=before).since == NOW
    newer = judged(workload("ghcr.io/acme/payments:1.1.0"), own=view(slot("1.1.0")), last=before)
    assert newer.since == NOW


def test_a_chart_is_judged_by_the_object_that_holds_it():
    own = view(slot("3.2.1", artifact="search", holds=Holds.CHART, owner=ObjectRef(kind="HelmRelease", name="search", namespace="shop")))
    release_object = workload("", kind="HelmRelease", name="search", revision="3.2.1")
    assert judged(release_object, own=own).taken
    assert not judged(workload("", kind="HelmRelease", name="search", revision="3.2.0"), own=own).taken
    assert judged(workload("", kind="HelmRelease", name="other", revision="3.2.1"), own=own).state is RolloutState.UNKNOWN


def test_time_does_not_matter_to_an_equal_state():
    before = recorded("1.0.0", since=NOW - timedelta(hours=3))
    assert judged(workload(), last=before).since == before.since


@pytest.mark.parametrize("holds", [Holds.IMAGE, Holds.CHART])
def test_what_an_oci_repository_brings_is_known_by_its_revision(holds):
    owner = ObjectRef(kind="OCIRepository", name="payments")
    own = view(slot("1.0.0", artifact="ghcr.io/acme/charts/payments", holds=holds, owner=owner))
    fetched = workload("", kind="OCIRepository", revision="1.0.0@sha256:" + "a" * 64)
    assert (judged(fetched, own=own).state, judged(fetched, own=own).taken) == (RolloutState.HEALTHY, True)
    behind = judged(workload("", kind="OCIRepository", revision="0.9.0@sha256:" + "a" * 64), own=own)
    assert (behind.state, behind.taken) == (RolloutState.PROGRESSING, False)
