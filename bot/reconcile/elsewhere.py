"""Shows promotions where people look beside the pull request: the chat's threads, and the forge's own page of deployments.

Level-triggered: after each run the promotions of the stage are compared with what was written last, so that a chat or a page that was
down catches up by itself. None of it can hold a promotion up.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.domain.action import Severity
from bot.domain.card import Card
from bot.domain.errors import Fenced, TransientError, UserError
from bot.domain.promotion import Promotion, PromotionState
from bot.messages.cloudevents import events, freezes
from bot.messages.comment import check_title
from bot.ports import Cards, DeploymentPage
from bot.reconcile import telling
from bot.reconcile.tools import Tools

log = structlog.get_logger("elsewhere")

AT_MOST_EVERY = timedelta(seconds=15)
AGAIN = timedelta(minutes=1)
REFUSED = timedelta(hours=1)
CAUGHT_UP = timedelta(minutes=30)
"""So long after its end a promotion's message is still begun: the chat, or our own record of it, was down while the promotion was open."""
STILL_TOLD = timedelta(days=1)
"""So long after its end a promotion's message and record are still brought up to date."""
HASH = "hash"
UNSURE = "?"
"""Stands before the id of a record that may be there, or may have its state, already."""
FAILURES = (PromotionState.FAILED, PromotionState.REVERTING, PromotionState.REVERTED, PromotionState.STUCK)
DEPLOYMENT_STATES = {
    PromotionState.MERGED: "in_progress",
    PromotionState.HEALTHY: "success",
    **dict.fromkeys(FAILURES, "failure"),
}


@dataclass(slots=True)
class Elsewhere:
    """What this process knows to be written. `quiet` says until when nothing new is begun in the chat (None: now is no quiet hour).

    `cards` is None without a chat, `page` where the forge's deployments are not to be written.
    """

    cards: Cards | None = None
    page: DeploymentPage | None = None
    quiet: Callable[[datetime], datetime | None] = lambda _now: None
    _final: set[str] = field(default_factory=set)
    _not_before: dict[str, datetime] = field(default_factory=dict)

    def show(self, tools: Tools) -> datetime | None:
        """Bring everything up to date; the answer is when to look again, None when nothing is left to do."""
        if self.cards is None and self.page is None and not tools.others:
            return None
        now = tools.clock()
        looks: list[datetime] = []
        promotions = [one for one in tools.history.promotions(tools.place.stage) if _concerns(one, now)]
        for what, write in (("card", self._card), ("deployment", self._deployment), ("event", _events)):
            for promotion in promotions:
                key = f"{what}:{promotion.id}"
                if f"{key}:{promotion.version}" in self._final:
                    continue
                if now < self._not_before.get(what, now):
                    looks.append(self._not_before[what])
                    continue
                try:
                    look = write(tools, promotion, key, promotions)
                except Fenced:
                    raise
                except TransientError as error:
                    self._not_before[what] = now + max(error.retry_after or AGAIN, AT_MOST_EVERY)
                    looks.append(self._not_before[what])
                    log.warning("elsewhere.later", what=what, promotion=promotion.id, reason=error.what)
                    continue
                except UserError as error:
                    self._not_before[what] = now + REFUSED
                    log.warning("elsewhere.refused", what=what, promotion=promotion.id, reason=error.what, fix=error.fix)
                    continue
                if look is not None:
                    looks.append(look)
                elif what == "event" or not promotion.state.in_flight:
                    self._final.add(f"{key}:{promotion.version}")
        self._freezes(tools, now)
        return min(looks, default=None)

    def _freezes(self, tools: Tools, now: datetime) -> None:
        """Freezes and their ends, for those who take events: kept once each."""
        if not tools.others:
            return
        for event in freezes(tools.place.stage, tools.history.directives(tools.place.stage), now):
            if f"event:{event.key}" not in self._final:
                telling.copies(tools, event)
                self._final.add(f"event:{event.key}")

    def _card(self, tools: Tools, promotion: Promotion, key: str, others: list[Promotion]) -> datetime | None:
        if self.cards is None or promotion.number is None:
            return None
        now = tools.clock()
        card = _card_of(tools, promotion)
        stored = tools.history.binding(key)
        bound = dict(stored[1]) if stored else _inherited(tools, promotion, others)
        wanted = _hash(card)
        if bound.get(HASH) == wanted or (not bound and _over(promotion, now)):
            return None
        if not bound and (until := self.quiet(now)) is not None:
            return until
        if stored and promotion.state is PromotionState.OPEN and now - stored[0] < AT_MOST_EVERY:
            return stored[0] + AT_MOST_EVERY
        references = self.cards.show(card, {name: stamp for name, stamp in bound.items() if name != HASH})
        tools.history.save_binding(key, {**references, HASH: wanted}, now=now)
        return None

    def _deployment(self, tools: Tools, promotion: Promotion, key: str, _others: list[Promotion]) -> datetime | None:
        state = DEPLOYMENT_STATES.get(promotion.state)
        if self.page is None or state is None or not promotion.merge_commit:
            return None
        stored = tools.history.binding(key)
        bound: Mapping[str, str] = stored[1] if stored else {}
        restored = promotion.revert_commit if promotion.state is PromotionState.REVERTED else None
        wanted = f"{state}, restored" if restored else state
        if bound.get(HASH) not in (state, wanted):
            bound = self._record(tools, promotion, key, bound, name="id", commit=promotion.merge_commit, state=state, says=state)
        if restored and bound.get(HASH) != wanted:
            self._record(tools, promotion, key, bound, name="back", commit=restored, state="success", says=wanted)
        return None

    def _record(
        self, tools: Tools, promotion: Promotion, key: str, bound: Mapping[str, str], *, name: str, commit: str, state: str, says: str
    ) -> Mapping[str, str]:
        """One record and its state. Before it is written it is noted that it may be: after a lost answer it is looked for."""
        assert self.page is not None
        known = bound.get(name, "")
        tools.history.save_binding(key, {**bound, name: f"{UNSURE}{known.removeprefix(UNSURE)}"}, now=tools.clock())
        number = self.page.record(tools.place.repository, promotion, commit=commit, state=state, known=known)
        written = {**bound, name: number, HASH: says}
        tools.history.save_binding(key, written, now=tools.clock())
        return written


def _events(tools: Tools, promotion: Promotion, _key: str, _others: list[Promotion]) -> None:
    """What happened, for those who take events: kept once each, sent by the housekeeping."""
    if tools.others:
        for event in events(promotion):
            telling.copies(tools, event)


def _over(promotion: Promotion, now: datetime) -> bool:
    return not promotion.state.in_flight and (promotion.ended_at is None or now - promotion.ended_at >= CAUGHT_UP)


def _concerns(promotion: Promotion, now: datetime) -> bool:
    return promotion.state.in_flight or (promotion.ended_at is not None and now - promotion.ended_at < STILL_TOLD)


def _inherited(tools: Tools, promotion: Promotion, others: list[Promotion]) -> dict[str, str]:
    """A renewed promotion goes on in the same pull request: its message is the one that stands there."""
    for other in others:
        if other.number == promotion.number and other.id != promotion.id and promotion.state.in_flight and not other.state.in_flight:
            stored = tools.history.binding(f"card:{other.id}")
            if stored is not None:
                return {name: stamp for name, stamp in stored[1].items() if name != HASH}
    return {}


def _card_of(tools: Tools, promotion: Promotion) -> Card:
    if promotion.state.before_merge:
        verdicts = tools.history.verdicts(promotion.id)
        blocked = any(not verdict.lets_pass and verdict.outcome == "failed" for verdict in verdicts)
        return Card(promotion=promotion, sentence=check_title(verdicts) if verdicts else "", blocked=blocked)
    severity = Severity.CRITICAL if promotion.state in FAILURES else Severity.INFO
    return Card(promotion=promotion, sentence=promotion.reason, severity=severity)


def _hash(card: Card) -> str:
    one = card.promotion
    moments = [one.opened_at, one.merged_at, one.healthy_since, one.failed_at, one.ended_at]
    parts = [one.state.value, one.head, str(one.number), one.url, card.sentence, str(card.blocked), card.severity.value]
    parts += [moment.isoformat() if moment is not None else "" for moment in moments]
    parts += [f"{move.service} {move.old.text} {move.new.text}" for move in one.moves]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
