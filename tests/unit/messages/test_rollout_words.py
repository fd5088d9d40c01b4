"""Words about rollouts and bans whose reason comes from a cluster: whole sentences, whether it gave a reason, half of one, or none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.facts import Quarantine, StageHold
from bot.domain.promotion import PromotionState
from bot.domain.rollout import RolloutState
from bot.messages import rollouts, standings
from bot.planning.plan import plan
from tests.support.builders import BASE, NOW, config, facts, health, promotion, release, stage

REASONS = ["", "  ", "Deployment shop/web: CrashLoopBackOff", "Deployment shop/web: CrashLoopBackOff."]


def said(reason: str) -> list[str]:
    """Every message that carries a failure's own reason."""
    failed = promotion(state=PromotionState.FAILED, reason=reason, revert_number=8)
    ban = Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=NOW, reason=reason, promotion="p")
    return [
        rollouts.failed(failed, reason),
        rollouts.failed_notice(failed, reason, "revert"),
        rollouts.left_in_place(failed, "qa"),
        rollouts.degraded_for_now(reason, NOW),
        rollouts.rolling(failed, RolloutState.PROGRESSING, reason, NOW),
        rollouts.reverting(failed, RolloutState.PROGRESSING, reason, NOW),
        rollouts.timed_out(reason, timedelta(minutes=10)) + ".",
        rollouts.revert_failed(failed, reason),
        rollouts.revert_unmerged(failed),
        rollouts.turned_bad(health("1.1.0", state=RolloutState.DEGRADED, reason=reason), "qa"),
        rollouts.blind("qa", reason, NOW),
        rollouts.unseen("qa", reason, NOW),
        standings.quarantined("payments", "prod", ban),
        standings.stage_held("qa", StageHold(stage="qa", at=NOW, reason=reason)),
    ]


@pytest.mark.parametrize("reason", REASONS)
def test_every_message_is_made_of_whole_sentences(reason: str) -> None:
    for text in said(reason):
        assert text.rstrip()[-1] == ".", text
        assert ": ." not in text
        assert "..)" not in text
        assert ".)" not in text
        assert ".." not in text
        assert "  " not in text
        assert ": It " not in text
        assert ": The " not in text
        assert "CrashLoopBackOff " not in text
        assert ("CrashLoopBackOff" in text) == ("CrashLoopBackOff" in reason), text
        assert ("no reason is given" in text) == (not reason.strip()), text


@pytest.mark.parametrize("state", [RolloutState.DEGRADED, RolloutState.PROGRESSING, RolloutState.UNKNOWN])
def test_a_rollout_that_fails_without_a_reason_says_that_there_is_none(state: RolloutState) -> None:
    seen = stage("qa", "1.1.0")
    seen = replace(seen, health={"payments": health("1.1.0", state=state, since=NOW - timedelta(hours=9), reason="")})
    merged = promotion(state=PromotionState.MERGED, merged_at=NOW - timedelta(hours=9), rollout_since=NOW - timedelta(hours=9))
    (report,) = plan(config(), facts(stage("dev", "1.1.0"), seen, promotions=(merged,), branches={"main": BASE})).reports
    assert report.sentence.startswith("The rollout of payments 1.1.0 in qa failed: ")
    assert report.sentence.endswith("no reason is given.")
