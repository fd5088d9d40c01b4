"""What to do about one promotion whose pull request is open, or is just being opened.

Adopts what people did (merged, closed, pushed), follows a newer candidate in place, closes what lost its candidate,
and merges when every gate passed for exactly this head and base. What a gate says is left to `gates`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.config.schema import Config
from bot.domain.action import Action, ClosePromotion, MergePromotion, Notify, SavePromotion, SaveVerdicts, Severity
from bot.domain.directive import Directive, Order
from bot.domain.facts import Facts
from bot.domain.promotion import Move, Promotion, PromotionState, promotion_id
from bot.domain.pull import PullRequest, PullState
from bot.domain.release import same_release
from bot.domain.verdict import Alarm
from bot.messages import orders as order_words
from bot.messages import pulls as words
from bot.planning import orders
from bot.planning.face import renewing, show
from bot.planning.gating import HOTFIX_LABEL, first_blocking, judge, next_look
from bot.planning.labels import ordered
from bot.planning.standing import Report, Standing

FRESH = timedelta(seconds=30)
"""How old the last read of a pull request may be when it is merged: approvals and checks are read again before."""

KEEPS_OPEN = frozenset({Standing.WAITING, Standing.AMBIGUOUS, Standing.UNREADABLE, Standing.UNKNOWN, Standing.HELD})
"""Why a candidate may be missing for a while without the promotion being over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Actions for one promotion, what is told of it, and when to look at it again."""

    actions: tuple[Action, ...]
    report: Report
    look_again: datetime | None = None
    reread: tuple[int, ...] = ()


def decide(config: Config, facts: Facts, promotion: Promotion, moves: tuple[Move, ...], lost: Report | None) -> Decision:
    """`moves` are what the candidates now want under this promotion's name (empty: none); `lost` says why there are none."""
    pull = facts.pulls.get(promotion.number) if promotion.number is not None else None
    if pull is not None and pull.state is PullState.MERGED:
        return _merged(config, facts, promotion, pull)
    if pull is not None and pull.state is PullState.CLOSED:
        return _closed(promotion, pull, facts)
    order = orders.closing(facts, promotion)
    if order is not None:
        return _cancel(promotion, order)
    taken_over = _taken_over(facts, promotion, pull)
    if taken_over is not None:
        return taken_over
    if orders.disabled(facts, promotion):
        return _gates(config, facts, promotion, pull)
    if not moves and lost is not None and lost.standing not in KEEPS_OPEN:
        return _close(promotion, lost.sentence)
    if not promotion.taken_over_by and moves and outdated(facts, promotion, moves):
        return _update(facts, promotion, moves)
    return _gates(config, facts, promotion, pull)


def _merged(config: Config, facts: Facts, promotion: Promotion, pull: PullRequest) -> Decision:
    """Somebody merged it behind our back, or our own merge's answer was lost: adopt it."""
    by = pull.merged_by.login if pull.merged_by is not None else ""
    merged = replace(
        promotion,
        state=PromotionState.MERGED,
        merged_at=pull.merged_at or facts.now,
        merge_commit=pull.merge_commit,
        merged_by=by,
        rollout_since=pull.merged_at or facts.now,
        hotfix=HOTFIX_LABEL in pull.labels,
    )
    blocking = first_blocking(judge(config, facts, promotion))
    why = words.merged_by(by, blocking)
    report = _report(promotion, Standing.ROLLING_OUT, why)
    return Decision(actions=(SavePromotion(promotion=merged, why=why, actor=by or "promotion-bot"),), report=report)


def _closed(promotion: Promotion, pull: PullRequest, facts: Facts) -> Decision:
    by = pull.closed_by.login if pull.closed_by is not None and not pull.closed_by.bot else ""
    why = words.closed_by(by)
    closed = replace(promotion, state=PromotionState.CLOSED, closed_by=by, ended_at=pull.closed_at or facts.now, reason=why)
    return Decision(
        actions=(SavePromotion(promotion=closed, why=why, actor=by or "promotion-bot"),), report=_report(promotion, Standing.CLOSED, why)
    )


def _taken_over(facts: Facts, promotion: Promotion, pull: PullRequest | None) -> Decision | None:
    """Somebody pushed to the branch: say so once, and stop editing."""
    if promotion.state is not PromotionState.OPEN or promotion.taken_over_by or not promotion.head:
        return None
    head = facts.branches.get(promotion.branch)
    if head is None or head == promotion.head:
        return None
    who = words.SOMEBODY
    taken = replace(promotion, taken_over_by=who)
    why = words.taken_over(promotion.head, head)
    reread = (promotion.number,) if promotion.number is not None and (pull is None or pull.head != head) else ()
    report = _report(promotion, Standing.HELD, why)
    return Decision(actions=(SavePromotion(promotion=taken, why=why, actor=who),), report=report, reread=reread)


def _cancel(promotion: Promotion, order: Directive) -> Decision:
    why = order_words.cancelled(order)
    closed = replace(promotion, closed_by=order.actor.login)
    return Decision(actions=(ClosePromotion(promotion=closed, reason=why),), report=_report(promotion, Standing.CLOSED, why))


def _close(promotion: Promotion, sentence: str) -> Decision:
    return Decision(
        actions=(ClosePromotion(promotion=promotion, reason=words.superfluous(sentence)),),
        report=_report(promotion, Standing.UP_TO_DATE, words.superfluous(sentence)),
    )


def outdated(facts: Facts, promotion: Promotion, moves: tuple[Move, ...]) -> bool:
    """The content is not what is wanted now, or the files it edits changed on the stage's branch since its base."""
    wanted = {move.service: move.new for move in moves}
    present = {move.service: move.new for move in promotion.moves}
    if wanted.keys() != present.keys() or any(not same_release(present[name], release) for name, release in wanted.items()):
        return True
    if orders.rebasing(facts, promotion):
        return True
    touched = set(facts.changed.get(promotion.id, ()))
    return any(edit.path in touched for move in promotion.moves for edit in move.edits)


def _update(facts: Facts, promotion: Promotion, moves: tuple[Move, ...]) -> Decision:
    base = facts.stages[facts.stage].head or promotion.base
    fresh = replace(promotion, id=promotion_id(promotion.stage, moves, base), moves=moves, base=base, version=0)
    why = words.renewed(promotion, fresh)
    if promotion.state is PromotionState.OPENING:
        return Decision(actions=(ClosePromotion(promotion=promotion, reason=why),), report=_report(promotion, Standing.READY, why))
    action = renewing(fresh, replaces=promotion)
    return Decision(actions=(action,), report=_report(fresh, Standing.OPEN, why))


def _gates(config: Config, facts: Facts, promotion: Promotion, pull: PullRequest | None) -> Decision:
    stage = config.stage(facts.stage)
    verdicts = judge(config, facts, promotion)
    blocking = first_blocking(verdicts)
    actions: list[Action] = [SaveVerdicts(promotion=promotion, verdicts=verdicts)]
    actions += [told(config, promotion, verdict.alarm) for verdict in verdicts if verdict.alarm is not None]
    reread: tuple[int, ...] = ()
    sentence = words.state_sentence(promotion, verdicts, blocking, merge=stage.merge)
    if pull is None and promotion.number is not None:
        reread = (promotion.number,)
    elif blocking is None and pull is not None and may_merge(facts, promotion, stage.merge):
        if facts.now - pull.read_at > FRESH:
            reread = (pull.number,)
        elif pull.head == promotion.head:
            actions.append(_merge(facts, promotion, stage.merge_method, queue=stage.merge == "queue"))
    if not any(isinstance(action, MergePromotion) and not action.queue for action in actions) and pull is not None:
        actions.append(show(promotion, verdicts, sentence, ordered(facts, promotion)))
    look = next_look(verdicts)
    report = replace(_report(promotion, Standing.OPEN, sentence), verdicts=verdicts, look_again=look)
    return Decision(actions=tuple(actions), report=report, look_again=look, reread=reread)


def told(config: Config, promotion: Promotion, alarm: Alarm) -> Notify:
    """Told once for all promotions that meet it: to the team in charge where the service has one, else where the stage is told of."""
    team = config.service(alarm.service).team if alarm.service else None
    about = {"team": team or "", "pull request": promotion.url or ""}
    return Notify(
        key=f"alarm:{alarm.key}",
        thread=f"alarm:{alarm.key}",
        severity=Severity.CRITICAL,
        stage=promotion.stage,
        service=alarm.service,
        text=alarm.text,
        fields={name: value for name, value in about.items() if value},
    )


def may_merge(facts: Facts, promotion: Promotion, mode: str) -> bool:
    """True when the bot itself may merge: by the stage's mode or by a person's order for this head; never what a person pushed."""
    if promotion.taken_over_by or promotion.state is not PromotionState.OPEN:
        return False
    if any(order.order is Order.DISABLE and order.number == promotion.number and order.active(facts.now) for order in facts.directives):
        return False
    if mode != "manual":
        return True
    return any(
        order.order is Order.MERGE and order.number == promotion.number and order.head in ("", promotion.head) and order.active(facts.now)
        for order in facts.directives
    )


def _merge(facts: Facts, promotion: Promotion, method: str, *, queue: bool) -> MergePromotion:
    pull = facts.pulls.get(promotion.number) if promotion.number is not None else None
    return MergePromotion(
        promotion=replace(promotion, hotfix=pull is not None and HOTFIX_LABEL in pull.labels),
        head=promotion.head,
        base=facts.stages[facts.stage].head or "",
        method=method,
        title=words.merge_title(promotion),
        queue=queue,
    )


def _report(promotion: Promotion, standing: Standing, sentence: str) -> Report:
    first = promotion.moves[0]
    return Report(
        service=promotion.name,
        stage=promotion.stage,
        standing=standing,
        sentence=sentence,
        old=str(first.old),
        new=str(first.new),
        promotion=promotion.id,
        number=promotion.number,
        url=promotion.url,
        places=tuple(f"{edit.path}:{edit.line}" for move in promotion.moves for edit in move.edits),
    )
