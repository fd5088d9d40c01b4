"""The daily digest: what waits and for what, what failed, what was delivered, since the day before. Plain text for every way of telling."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.promotion import Promotion, PromotionState
from bot.domain.verdict import Verdict
from bot.messages.comment import check_title, state_title

MOST = 12
BAD = (PromotionState.FAILED, PromotionState.REVERTING, PromotionState.REVERTED, PromotionState.STUCK)


def daily(promotions: Sequence[Promotion], verdicts: Mapping[str, Sequence[Verdict]], *, since: datetime, now: datetime) -> str:
    """`verdicts` are those of open promotions, by their ids. Instants before `since` are yesterday's news."""
    waiting = sorted((one for one in promotions if one.state is PromotionState.OPEN), key=lambda one: one.opened_at)
    rolling = [one for one in promotions if one.state is PromotionState.MERGED]
    failed = [one for one in promotions if one.state in BAD and (one.state.in_flight or _after(one.failed_at or one.ended_at, since))]
    done = [one for one in promotions if one.state is PromotionState.HEALTHY and _after(one.ended_at or one.healthy_since, since)]
    parts = [
        _part("Failed", [f"{_name(one)}: {state_title(one)}. {_line(one.reason)}".strip() for one in failed]),
        _part("Waiting, longest first", [f"{_name(one)}, for {_span(one, now)}: {_hold(one, verdicts)}" for one in waiting]),
        _part("Rolling out", [_name(one) for one in rolling]),
        _part("Delivered", [_name(one) for one in done]),
    ]
    told = [part for part in parts if part]
    return "\n\n".join(told) if told else "Nothing waits, nothing failed, nothing was delivered since the day before."


def _after(at: datetime | None, since: datetime) -> bool:
    return at is not None and at >= since


def _part(title: str, rows: Sequence[str]) -> str:
    if not rows:
        return ""
    more = [f"… and {len(rows) - MOST} more"] if len(rows) > MOST else []
    return "\n".join([f"{title}: {len(rows)}", *(f"• {row}" for row in rows[:MOST]), *more])


def _name(promotion: Promotion) -> str:
    number = f" (#{promotion.number})" if promotion.number is not None else ""
    what = f"{promotion.moves[0].service} {promotion.moves[0].new}" if len(promotion.moves) == 1 else promotion.name
    return f"{what} to {promotion.stage}{number}"


def _hold(promotion: Promotion, verdicts: Mapping[str, Sequence[Verdict]]) -> str:
    known = verdicts.get(promotion.id, ())
    return _line(check_title(known)) if known else "not looked at yet"


def _span(promotion: Promotion, now: datetime) -> str:
    hours = int((now - promotion.opened_at).total_seconds() // 3600)
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h" if hours else "less than an hour"


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
