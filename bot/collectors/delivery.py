"""A stage's delivery figures for the `dora` gate, from the rollouts that the bot recorded.

Decides since when the gate's block has been in force, by looking back over the recorded history alone, so that a restart forgets
nothing. How figures are counted is `reporting`'s, what they allow is `domain.dora_rule`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.collectors.answers import Found
from bot.config.schema import Config
from bot.domain.dora_rule import DeliveryStats, DoraRule, Mode, Signal, judge
from bot.domain.history import Event
from bot.gates.dora import Dora
from bot.reporting.gate_stats import delivery_stats
from bot.reporting.live import Records, live_history

FRESH = timedelta(minutes=1)
MOST_LOOKS_BACK = 60


class Recorded(Protocol):
    """Who keeps the ended rollouts, what was seen running, and incidents."""

    def records(self, stage: str | None = None) -> Records: ...


class DeliveryFigures:
    """The asker of `dora` questions: stage, over (seconds)."""

    source = "dora"

    def __init__(self, config: Config, history: Recorded) -> None:
        self._config = config
        self._history = history

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        stage, over = params["stage"], timedelta(seconds=int(params["over"]))
        grace = {stage: self._config.stage(stage).rollout.grace}
        events = live_history(self._history.records(stage), grace=grace).events
        gates = [gate for gate in self._config.stage(stage).gates if isinstance(gate, Dora) and gate.over == over]
        rule = gates[0].rule() if gates else DoraRule()
        return Found(value=figures(events, stage=stage, over=over, now=now, rule=rule), fresh=FRESH)


def figures(events: Sequence[Event], *, stage: str, over: timedelta, now: datetime, rule: DoraRule) -> DeliveryStats:
    """The figures at `now`, with the block that is in force under this rule."""

    def at(instant: datetime) -> DeliveryStats:
        return delivery_stats(events, stage=stage, over=over, now=instant)

    rate_only = replace(rule, open_failure=Mode.OFF, recovery=Mode.OFF, error_budget=Mode.OFF)
    instants = sorted({event.at for event in events if event.at <= now and now - event.at <= over} | {now}, reverse=True)[:MOST_LOOKS_BACK]
    rate_since = _since(at, rate_only, instants)
    return replace(at(now), blocked_since=_earlier(_since(at, rule, instants), rate_since), rate_blocked=rate_since is not None)


def _since(at: Callable[[datetime], DeliveryStats], rule: DoraRule, instants: Sequence[datetime]) -> datetime | None:
    """The first instant of the block in force at the newest instant: a block goes on while the rate is above its limit at all."""
    first: datetime | None = None
    for instant in instants:
        stats = at(instant)
        if judge(replace(stats, rate_blocked=True, blocked_since=None), rule, instant)[0] is not Signal.BLOCK:
            break
        if judge(replace(stats, rate_blocked=False, blocked_since=None), rule, instant)[0] is Signal.BLOCK:
            first = instant
    return first


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((instant for instant in (one, other) if instant is not None), default=None)
