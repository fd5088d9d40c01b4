"""Delivery history out of commits: what was a promotion, what a rollback, what nobody can know; and that it goes on where it stopped."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.history import CommitRef, Deploy, RolloutKind, RolloutStatus
from bot.reporting.backfill import NOTES, Branch, Sources, StageCommit, follow, nothing_known

START = datetime(2025, 3, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def commit(sha: str, hours: float = 0, message: str = "promote", **versions: str | None) -> StageCommit:
    return StageCommit(sha=sha * 40, at=START + hours * HOUR, message=message, versions=versions)


def run(*commits: StageCommit, branch: Branch | None = None, sources: Sources | None = None) -> tuple[list[Deploy], Branch]:
    branch = branch or Branch(stage="prod")
    return list(follow(branch, commits, sources or nothing_known())), branch


BASE = commit("0", api="1.0.0")


def test_the_first_commit_is_the_baseline_and_nothing_was_brought_by_it() -> None:
    (deploy,), branch = run(BASE)
    assert (deploy.baseline, deploy.kind, deploy.status, deploy.commits) == (True, RolloutKind.PROMOTION, RolloutStatus.SUCCESS, ())
    assert deploy.doubts == ("commit_time", "health_unknown")
    assert branch.notes["no_source"] == 0


def test_a_newer_version_is_a_promotion_and_an_older_one_a_rollback() -> None:
    found, _ = run(BASE, commit("1", 1, api="1.1.0"), commit("2", 2, api="1.0.0"), commit("3", 3, api="1.1.0"))
    kinds = [deploy.kind for deploy in found]
    assert kinds == [RolloutKind.PROMOTION, RolloutKind.PROMOTION, RolloutKind.ROLLBACK, RolloutKind.PROMOTION]
    assert [deploy.id for deploy in found][1] == f"git:prod:{'1' * 16}:api"
    assert len({deploy.id for deploy in found}) == 4


def test_a_version_that_was_seen_before_is_no_rollback_where_nobody_can_tell_its_direction() -> None:
    found, branch = run(commit("0", api="aaaaaaa"), commit("1", 1, api="bbbbbbb"), commit("2", 2, api="aaaaaaa"))
    assert [deploy.kind for deploy in found] == [RolloutKind.PROMOTION] * 3
    assert ["unordered" in deploy.doubts for deploy in found] == [False, True, True]
    assert branch.notes["unordered"] == 2


def test_ancestry_speaks_before_the_order_of_versions() -> None:
    def older(service: str, old: str, new: str) -> bool | None:
        return {("1.0.0", "1.1.0"): True, ("1.1.0", "1.0.0"): False}[old, new]

    sources = Sources(commits=lambda service, old, new: None, is_older=older)
    found, _ = run(BASE, commit("1", 1, api="1.1.0"), commit("2", 2, api="1.0.0"), sources=sources)
    assert [deploy.kind for deploy in found[1:]] == [RolloutKind.ROLLBACK, RolloutKind.PROMOTION]


@pytest.mark.parametrize("name", ["1" * 40, "1" * 12])
def test_git_s_own_revert_names_what_it_takes_back_even_where_versions_have_no_order(name: str) -> None:
    message = f'Revert "promote"\n\nThis reverts commit {name}.'
    found, _ = run(commit("0", api="aaaaaaa"), commit("1", 1, api="bbbbbbb"), commit("2", 2, message, api="aaaaaaa"))
    assert (found[2].kind, found[2].rolls_back, "unordered" in found[2].doubts) == (RolloutKind.ROLLBACK, found[1].id, False)


def test_the_bot_s_own_revert_names_the_promotion() -> None:
    found, _ = run(
        commit("0", api="aaaaaaa"),
        commit("1", 1, "promote\n\nPromotion-Id: p1\nPromotion-Stage: prod", api="bbbbbbb"),
        commit("2", 2, "revert\n\nReverts-Promotion: p1\nPromotion-Stage: prod", api="aaaaaaa"),
        commit("3", 3, "revert\n\nReverts-Promotion: unheard-of", api="ccccccc"),
    )
    assert (found[2].kind, found[2].rolls_back) == (RolloutKind.ROLLBACK, found[1].id)
    assert (found[3].kind, found[3].rolls_back) == (RolloutKind.PROMOTION, None)
    assert ["hand_made" in deploy.doubts for deploy in found] == [False, False, False, False]


@pytest.mark.parametrize(
    ("message", "api", "web"),
    [
        pytest.param("This reverts commit " + "1" * 40, "ccccccc", None, id="restores something else than what was replaced"),
        pytest.param("This reverts commit " + "9" * 40, "aaaaaaa", None, id="names a commit that made nothing"),
        pytest.param("This reverts commit " + "1" * 40, None, "bbbbbbb", id="is about another service"),
    ],
)
def test_a_revert_that_does_not_restore_what_it_names_is_none(message: str, api: str | None, web: str | None) -> None:
    first = StageCommit(sha="0" * 40, at=START, message="", versions={"api": "aaaaaaa", "web": "aaaaaaa"})
    versions: Mapping[str, str] = {name: text for name, text in (("api", api), ("web", web)) if text}
    found, _ = run(first, commit("1", 1, api="bbbbbbb"), commit("2", 2, message, **versions))
    assert (found[-1].kind, found[-1].rolls_back) == (RolloutKind.PROMOTION, None)


def test_what_source_repositories_know_stands_in_the_promotion_and_not_in_the_rollback() -> None:
    asked: list[tuple[str, str, str]] = []
    brought = (CommitRef("a" * 40, START),)

    def commits(service: str, old: str, new: str) -> tuple[CommitRef, ...]:
        asked.append((service, old, new))
        return brought

    sources = Sources(commits=commits, is_older=lambda service, old, new: None)
    found, branch = run(BASE, commit("1", 1, api="1.1.0"), commit("2", 2, api="1.0.0"), sources=sources)
    assert [deploy.commits for deploy in found] == [(), brought, ()]
    assert asked == [("api", "1.0.0", "1.1.0")]
    assert branch.notes["no_source"] == 0


def test_what_is_not_known_is_counted_and_every_count_has_its_sentence() -> None:
    found, branch = run(
        BASE,
        commit("1", 1, "by hand", api="1.1.0"),
        commit("2", 2, api=None),
        commit("3", 3, api="1.1.0"),
        commit("4", 2.5, api="1.2.0"),
    )
    assert [deploy.version for deploy in found] == ["1.0.0", "1.1.0", "1.2.0"]
    counted = {"commit_time": 3, "health_unknown": 3, "hand_made": 2, "no_source": 2, "ambiguous": 1, "clock_order": 1}
    assert {name: count for name, count in branch.notes.items() if count} == counted
    assert set(branch.notes) <= set(NOTES)


def test_a_commit_that_seems_older_than_the_one_before_it_comes_after_it_all_the_same() -> None:
    found, branch = run(BASE, commit("1", 1, api="1.1.0"), commit("2", 1, api="1.2.0"), commit("3", -5, api="1.3.0"))
    instants = [deploy.at for deploy in found]
    assert instants == sorted(set(instants))
    assert branch.notes["clock_order"] == 1


def test_a_service_that_comes_later_is_a_deployment_of_its_own_without_a_version_before() -> None:
    found, _ = run(BASE, commit("1", 1, web="2.0.0"))
    assert (found[1].service, found[1].baseline, found[1].kind) == ("web", False, RolloutKind.PROMOTION)


def test_followed_in_two_parts_it_is_the_same_history() -> None:
    commits: list[StageCommit] = [
        BASE,
        commit("1", 1, "x\n\nPromotion-Id: p1", api="1.1.0", web="3"),
        commit("2", 1, "x\n\nReverts-Promotion: p1", api="1.0.0"),
        commit("3", 4, api="1.2.0"),
    ]
    whole, all_at_once = run(*commits)
    for cut in range(len(commits) + 1):
        parts: list[Any] = []
        branch = Branch(stage="prod")
        for part in (commits[:cut], commits[cut:]):
            parts += run(*part, branch=branch)[0]
        assert parts == whole
        assert branch == all_at_once
