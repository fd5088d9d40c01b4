"""The daily digest: what waits longest comes first, yesterday's news stay out, and an empty day says so."""

from datetime import timedelta

import pytest

from bot.domain.promotion import Move, Promotion, PromotionState
from bot.domain.verdict import Outcome, Verdict
from bot.messages.daily import daily
from tests.support.builders import NOW, promotion, release

SINCE = NOW - timedelta(days=1)
HOUR = timedelta(hours=1)


def told(*promotions: Promotion, **verdicts: Verdict) -> str:
    return daily(promotions, {key: (value,) for key, value in verdicts.items()}, since=SINCE, now=NOW)


def opened(name: str, ago: timedelta) -> Promotion:
    return promotion(id=name, opened_at=NOW - ago, number=int(name[1:]))


def test_an_empty_day_says_so() -> None:
    assert told() == "Nothing waits, nothing failed, nothing was delivered since the day before."
    assert told(promotion(state=PromotionState.CLOSED, ended_at=NOW)) == told()


def test_what_waits_longest_comes_first_with_what_holds_it() -> None:
    soak = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="1 of 2\n hours.", changer="time")
    ready = Verdict(gate="soak", outcome=Outcome.PASSED, sentence="done", changer="")
    rows = told(opened("p1", HOUR / 2), opened("p2", 27 * HOUR), opened("p3", 3 * HOUR), p2=soak, p3=ready).splitlines()
    assert rows == [
        "Waiting, longest first: 3",
        "• payments 1.1.0 to qa (#2), for 1 d 3 h: soak: 1 of 2 hours.",
        "• payments 1.1.0 to qa (#3), for 3 h: all gates pass",
        "• payments 1.1.0 to qa (#1), for less than an hour: not looked at yet",
    ]


def test_more_than_a_dozen_are_counted() -> None:
    rows = told(*(opened(f"p{number}", number * HOUR) for number in range(1, 16))).splitlines()
    assert (rows[0], len(rows), rows[-1]) == ("Waiting, longest first: 15", 14, "… and 3 more")
    assert "(#15)" in rows[1]


@pytest.mark.parametrize(
    ("state", "part"),
    [
        (PromotionState.FAILED, "the rollout failed. it crashed"),
        (PromotionState.REVERTING, "being taken back. it crashed"),
        (PromotionState.REVERTED, "taken back. it crashed"),
        (PromotionState.STUCK, "a person is needed. it crashed"),
    ],
)
def test_what_failed_since_the_day_before_is_told_with_its_reason(state: PromotionState, part: str) -> None:
    text = told(promotion(state=state, failed_at=SINCE, ended_at=NOW, reason="it crashed", number=None))
    assert text.splitlines()[0] == "Failed: 1"
    assert part in text
    assert "payments 1.1.0 to qa: " in text


def test_yesterday_s_news_are_left_out_but_not_what_still_goes_on() -> None:
    before = SINCE - HOUR
    over = [
        promotion(state=PromotionState.REVERTED, failed_at=before, ended_at=before, reason="x"),
        promotion(state=PromotionState.HEALTHY, ended_at=before, healthy_since=before),
        promotion(state=PromotionState.HEALTHY),
    ]
    assert told(*over) == told()
    assert "Failed: 1" in told(promotion(state=PromotionState.REVERTING, failed_at=before, reason="x"))


def test_the_parts_come_worst_first_and_a_batch_goes_by_its_name() -> None:
    batch = (Move(service="a", old=release("1"), new=release("2")), Move(service="b", old=release("3"), new=release("4")))
    text = told(
        promotion(state=PromotionState.HEALTHY, ended_at=NOW, number=9),
        promotion(state=PromotionState.MERGED, moves=batch, name="all", number=8),
        opened("p7", HOUR),
        promotion(state=PromotionState.FAILED, failed_at=NOW, reason="x " * 400),
    )
    heads = [part.splitlines()[0] for part in text.split("\n\n")]
    assert heads == [
        "Failed: 1",
        "Waiting, longest first: 1",
        "Rolling out: 1",
        "Delivered: 1",
    ]
    assert "• all to qa (#8)" in text
    assert max(len(line) for line in text.splitlines()) < 300
