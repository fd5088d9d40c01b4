"""What promotions waited for: each span under the gate that people were told, the rollout after the merge, and what waits now."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.image import Version
from bot.domain.promotion import Move, Promotion, PromotionState
from bot.domain.release import Release
from bot.domain.verdict import Outcome, Verdict
from bot.reporting.waiting import Waited, blocked_now, phases
from bot.reporting.windows import Window

HOUR = timedelta(hours=1)
T = datetime(2025, 6, 3, 8, tzinfo=UTC)
WEEK = Window(first=date(2025, 6, 2), end=date(2025, 6, 9), zone=ZoneInfo("UTC"))


def promotion(**more: object) -> Promotion:
    move = Move(service="api", old=Release.single(Version.parse("1.0.0")), new=Release.single(Version.parse("1.1.0")))
    base = {"id": "p", "stage": "prod", "name": "api", "moves": (move,), "branch": "b", "base": "c", "opened_at": T}
    return Promotion(**({"state": PromotionState.OPEN} | base | more))  # type: ignore[arg-type]


def held(gate: str) -> tuple[Verdict, ...]:
    return (
        Verdict(gate="checks", outcome=Outcome.PASSED, sentence="green"),
        Verdict(gate=gate, outcome=Outcome.PENDING, sentence=f"{gate} is not over"),
        Verdict(gate="window", outcome=Outcome.PENDING, sentence="later"),
    )


MERGED = promotion(merged_at=T + 7 * HOUR, healthy_since=T + 8 * HOUR, state=PromotionState.HEALTHY)
STORY = ((T, held("soak")), (T + 2 * HOUR, held("approval")), (T + 6 * HOUR, ()), (T + 7 * HOUR, held("soak")))


def test_each_span_belongs_to_the_first_gate_that_held_and_the_spans_add_up() -> None:
    found = {row.name: row.seconds for row in phases([Waited(promotion=MERGED, verdicts=STORY)], window=WEEK, as_of=T + 9 * HOUR)}
    assert found == {"soak": (7200.0,), "approval": (14400.0,), "opening and merging": (3600.0,), "rollout": (3600.0,)}


def test_what_was_not_known_then_or_lies_outside_the_window_is_left_out() -> None:
    waits = [Waited(promotion=MERGED, verdicts=STORY)]
    assert phases(waits, window=WEEK, as_of=T + 6 * HOUR) == ()
    assert phases(waits, window=WEEK.before(), as_of=T + 9 * HOUR) == ()
    assert phases(waits, window=WEEK, as_of=T + 9 * HOUR, services=frozenset({"web"})) == ()
    early = phases(waits, window=WEEK, as_of=T + 7 * HOUR)
    assert "rollout" not in {row.name for row in early}


def test_what_waits_now_is_told_with_its_age_and_the_gates_sentence() -> None:
    closed = replace(promotion(id="q"), ended_at=T + HOUR, state=PromotionState.CLOSED)
    merged = promotion(id="m", merged_at=T + HOUR, state=PromotionState.MERGED)
    waits = [Waited(promotion=promotion(), verdicts=STORY[:2]), Waited(promotion=merged), Waited(promotion=closed)]
    (row,) = blocked_now(waits, now=T + 3 * HOUR)
    assert (row.service, row.version, row.age_s, row.gate, row.reason) == ("api", "1.1.0", 10_800, "approval", "approval is not over")
    assert blocked_now(waits, now=T - HOUR) == ()


def test_without_a_verdict_nothing_is_made_up() -> None:
    (row,) = blocked_now([Waited(promotion=promotion())], now=T + HOUR)
    assert (row.gate, row.reason) == ("", "not judged yet")


def test_what_waited_at_an_instant_in_the_past_is_told_as_it_was_then() -> None:
    (row,) = blocked_now([Waited(promotion=MERGED, verdicts=STORY)], now=T + HOUR)
    assert (row.gate, row.age_s) == ("soak", 3600)
