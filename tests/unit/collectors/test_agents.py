"""What the GitOps agent says it took, and what that means for a promotion."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.collectors.agents import not_taken
from bot.domain.errors import Stale
from bot.domain.promotion import PromotionState
from bot.domain.rollout import ClusterSnapshot, RolloutState, WorkloadRef, WorkloadState
from tests.support.builders import NOW, config, promotion

MERGE, LATER, EARLIER, FOREIGN = "2" * 40, "3" * 40, "1" * 40, "f" * 40


class Cluster:
    def __init__(self, *revisions):
        self.revisions = revisions

    def snapshot(self, stage):
        ref = WorkloadRef(kind="Kustomization", namespace="flux-system", name="qa", api_version="kustomize.toolkit.fluxcd.io/v1")
        workloads = tuple(
            WorkloadState(
                ref=replace(ref, name=str(place)), images=(), state=RolloutState.HEALTHY, reason="", observed_at=NOW, revision=revision
            )
            for place, revision in enumerate(self.revisions)
        )
        return ClusterSnapshot(at=NOW, reachable=True, workloads=workloads)


class Git:
    def is_ancestor(self, repository, older, newer):
        if FOREIGN in (older, newer):
            raise Stale("no such commit here")
        return older <= newer


def behind(*revisions, agent="flux", **more):
    fields = {"state": PromotionState.MERGED, "merge_commit": MERGE, "merged_at": NOW - timedelta(minutes=1)}
    stage = config(qa={"cluster": {"agent": agent}}).stage("qa")
    return not_taken(stage, (promotion(**{**fields, **more}),), Cluster(*revisions), Git())


@pytest.mark.parametrize("revision", [f"main@sha1:{MERGE}", MERGE, f"main@sha1:{LATER}"])
def test_the_commit_or_a_descendant_counts_as_taken(revision):
    assert behind(revision) == {}


def test_an_older_commit_is_named():
    assert behind(f"main@sha1:{EARLIER}") == {promotion().id: EARLIER}


def test_one_object_that_holds_it_is_enough():
    assert behind(EARLIER, LATER) == {}


@pytest.mark.parametrize("revisions", [(), ("1.2.3",), (FOREIGN,), (None,)])
def test_objects_that_speak_of_other_things_say_nothing(revisions):
    assert behind(*revisions) == {}


def test_without_an_agent_nobody_is_asked():
    assert behind(EARLIER, agent="none") == {}


def test_a_revert_is_asked_about_by_its_own_commit():
    assert behind(MERGE, state=PromotionState.REVERTING, revert_commit=LATER) == {promotion().id: MERGE}
    assert behind(EARLIER, state=PromotionState.HEALTHY) == {}
