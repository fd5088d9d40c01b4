"""What a rollout was where nobody said it: by what it names, by the versions' order, never because a version was seen before."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.history import Deploy, RolloutKind
from bot.domain.history_file import read_history
from bot.reporting.replay import Timeline
from bot.reporting.roles import Role, Rollout, VersionOrder, roles_of
from tests.support.deliveries import deploy, figures


def rolled(*events: dict[str, Any], order: list[str] | None = None) -> list[Rollout]:
    found = [event for event in read_history(json.dumps({"events": list(events)})).events if isinstance(event, Deploy)]
    return roles_of(found, VersionOrder(found, order))


def unsaid(name: str, when: str, version: str, **more: Any) -> dict[str, Any]:
    return deploy(name, when, version, **more) | {"kind": None}


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, RolloutKind.PROMOTION),
        ({"fixes": ["d1"]}, RolloutKind.HOTFIX),
        ({"reverts_prs": [3]}, RolloutKind.REVERT),
        ({"reverts_prs": [3], "fixes": ["d1"]}, RolloutKind.REVERT),
        ({"rolls_back": "d1"}, RolloutKind.ROLLBACK),
    ],
)
def test_a_rollout_of_no_named_kind_is_what_it_names(more: dict[str, Any], kind: RolloutKind) -> None:
    assert rolled(unsaid("d1", "3 09:00", "v1"), unsaid("d2", "4 09:00", "v2", **more))[-1].kind is kind


@pytest.mark.parametrize(
    ("order", "kind", "role"),
    [
        (None, RolloutKind.ROLLBACK, Role.ROLLBACK),
        (["v1", "v2"], RolloutKind.ROLLBACK, Role.ROLLBACK),
        (["v2", "v1"], RolloutKind.PROMOTION, Role.DEPLOYMENT),
    ],
)
def test_an_older_version_that_was_live_comes_back_by_a_rollback(order: list[str] | None, kind: RolloutKind, role: Role) -> None:
    last = rolled(unsaid("d1", "3 09:00", "v1"), unsaid("d2", "4 09:00", "v2"), unsaid("d3", "5 09:00", "v1"), order=order)[-1]
    assert (last.kind, last.role, last.replaced) == (kind, role, "v2")


def test_a_newer_version_that_comes_back_after_a_rollback_is_promoted_anew() -> None:
    events = [unsaid(f"d{number}", f"{number} 09:00", version) for number, version in enumerate(("v1", "v2", "v1", "v2"), start=3)]
    assert [found.kind for found in rolled(*events)][-1] is RolloutKind.PROMOTION


def test_an_older_version_that_was_never_live_here_is_no_return() -> None:
    seen_elsewhere = unsaid("x", "2 09:00", "v1", stage="qa")
    found = rolled(seen_elsewhere | {"status": "failed"}, unsaid("d2", "4 09:00", "v2"), unsaid("d3", "5 09:00", "v1"))
    assert found[-1].kind is RolloutKind.PROMOTION


@pytest.mark.parametrize(
    ("kind", "role"), [("promotion", Role.FAILED_ATTEMPT), ("rollback", Role.FAILED_RETURN), ("redeploy", Role.FAILED_RETURN)]
)
def test_what_failed_going_back_is_no_failed_attempt(kind: str, role: Role) -> None:
    found = rolled(deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2", kind=kind, status="failed"))[-1]
    assert (found.role, found.succeeded) == (role, False)


def test_rework_counts_what_was_inferred_like_what_was_said() -> None:
    fix, back = deploy("d2", "4 09:00", "v2", fixes=["d1"], kind="hotfix"), deploy("d3", "5 09:00", "v1", kind="rollback")
    said = [deploy("d1", "3 09:00", "v1"), fix, back]
    unsaid_too = [event | {"kind": None} for event in said]
    assert figures(said)["rework_rate"] == figures(unsaid_too)["rework_rate"] == pytest.approx(2 / 3)


def test_a_version_that_goes_live_again_without_another_between_is_live_since_its_first_time() -> None:
    line, (first, second, third) = Timeline(), (datetime(2025, 3, day, 9, tzinfo=UTC) for day in (3, 4, 5))
    for at, version in ((first, "1"), (second, "1"), (third, "2")):
        line.went_live(version, at)
    assert line.live(second) == ("1", first)
    assert line.live(third) == ("2", third)


def test_a_commit_that_is_named_twice_counts_once_from_its_earlier_date() -> None:
    commits = [{"sha": "a", "at": f"2025-03-04T{hour}:00:00Z"} for hour in ("08", "06", "07")]
    leads = figures([deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2") | {"commits": commits}])["lead_time_s"]
    assert leads == {"n": 1, "median": 3 * 3600, "p90": 3 * 3600}
