"""A stage's figures from recorded rollouts, and since when the gate's block is in force."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bot.collectors.delivery import DeliveryFigures, figures
from bot.collectors.rules import RequiredChecks
from bot.domain.action import SaveDeployment
from bot.domain.dora_rule import DeliveryStats, DoraRule, Mode
from bot.domain.image import Version
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.release import Release
from bot.reporting.live import Records
from bot.reporting.recorded import events_of
from tests.support.builders import NOW, config

DAY = timedelta(days=1)
WEEKS = timedelta(days=28)


def saved(number: int, at: datetime, status: str = "success", kind: str = "promotion", version: str = "") -> SaveDeployment:
    promotion = Promotion(
        id=f"p{number}", stage="qa", name="payments", moves=(), branch="b", state=PromotionState.HEALTHY, base="c", opened_at=at
    )
    release = Release(versions=(("0", Version(tag=version or f"1.{number}.0")),))
    return SaveDeployment(promotion=promotion, service="payments", at=at, status=status, kind=kind, version=release.text)


class Kept:
    def __init__(self, rows: Sequence[SaveDeployment]) -> None:
        self._rows = rows

    def records(self, stage: str | None = None) -> Records:
        return Records(deployments=[row for row in self._rows if stage in (None, row.promotion.stage)])


def ask(rows: Sequence[SaveDeployment], *gates: dict[str, object]) -> DeliveryStats:
    asker = DeliveryFigures(config(qa={"gates": list(gates)}), Kept(rows))
    found = asker.ask({"stage": "qa", "over": str(int(WEEKS.total_seconds()))}, now=NOW, before=None).value
    assert isinstance(found, DeliveryStats)
    return found


def test_a_failed_rollout_that_was_rolled_back_is_a_failed_change_that_recovered() -> None:
    rows = [
        saved(1, NOW - 3 * DAY),
        saved(2, NOW - 2 * DAY, "failed"),
        saved(2, NOW - 2 * DAY + timedelta(minutes=20), kind="rollback", version="1.1.0"),
    ]
    found = ask(rows)
    assert (found.changes, found.failed, found.open_failures) == (2, 1, ())
    assert (found.recovered, found.recovery_median) == (1, timedelta(minutes=20))
    assert found.blocked_since is None


def test_an_open_failure_blocks_since_it_failed() -> None:
    rows = [saved(1, NOW - 3 * DAY), saved(2, NOW - 2 * DAY, "failed")]
    found = ask(rows, {"gate": "dora"})
    assert [failure.since for failure in found.open_failures] == [NOW - 2 * DAY]
    assert found.blocked_since == NOW - 2 * DAY
    assert not found.rate_blocked


def test_other_stages_do_not_count() -> None:
    found = DeliveryFigures(config(qa={"gates": []}), Kept([saved(1, NOW - DAY, "failed")])).ask(
        {"stage": "dev", "over": "86400"}, now=NOW, before=None
    )
    assert isinstance(found.value, DeliveryStats)
    assert found.value.changes == 0


@pytest.mark.parametrize(("good", "blocked"), [(2, True), (10, True), (40, False)])
def test_a_rate_that_blocked_goes_on_while_it_is_above_its_limit(good: int, blocked: bool) -> None:
    rule = DoraRule(open_failure=Mode.OFF, change_fail_rate=Mode.BLOCK, recovery=Mode.OFF, min_changes=5)
    rows: list[SaveDeployment] = []
    for number in range(5):
        at = NOW - 20 * DAY + number * timedelta(hours=2)
        rows += [saved(number, at, "failed"), saved(number, at + timedelta(hours=1), kind="rollback", version="0.9.0")]
    rows += [saved(100 + number, NOW - 10 * DAY + number * timedelta(hours=1)) for number in range(good)]
    found = figures(events_of(rows), stage="qa", over=WEEKS, now=NOW, rule=rule)
    assert found.rate_blocked is blocked
    assert (found.blocked_since is not None) is blocked
    if blocked:
        assert found.blocked_since is not None
        assert NOW - 20 * DAY <= found.blocked_since <= NOW - 19 * DAY


def test_required_checks_come_from_the_stages_branch() -> None:
    class Rules:
        def required_checks(self, repository: str, branch: str) -> frozenset[str]:
            return frozenset({f"{repository}@{branch}", "build"})

    asker = RequiredChecks(config(qa={"branch": "release"}), Rules())
    assert asker.ask({"stage": "qa"}, now=NOW, before=None).value == ["acme/env-qa@release", "build"]
