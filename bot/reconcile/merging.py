"""Merges a promotion: head and base are read once more, the merge names the head it means, and a lost answer is looked for.

Decides only whether what the gates were asked about still stands; whether they passed was decided in planning.
"""

from dataclasses import replace

from bot.domain.action import MergePromotion, Notify, Severity
from bot.domain.errors import Stale
from bot.domain.facts import StageHold
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.pull import PullState
from bot.messages.pulls import trailers
from bot.reconcile import crash
from bot.reconcile.branches import edits_of
from bot.reconcile.tools import Tools


def merge_promotion(tools: Tools, action: MergePromotion) -> None:
    """Merge exactly this head onto exactly this base, then note commit and time. `Stale` when either has moved."""
    place, promotion = tools.place, action.promotion
    number = promotion.number
    if number is None:
        raise Stale(f"promotion {promotion.id} has no pull request")
    if already := _merge_commit(tools, promotion, action.head) if _tried(tools, promotion, action.head) else None:
        _note(tools, promotion, already)
        return
    heads = tools.repositories.refresh(place.repository)
    if heads.get(promotion.branch) != action.head:
        raise Stale(f"{promotion.branch} is not at {action.head[:9]} any more")
    if heads.get(place.branch) != action.base:
        raise Stale(f"{place.branch} of {place.repository} is not at {action.base[:9]} any more")
    if action.queue:
        _queue(tools, action, number)
        return
    commit = tools.effects.once(
        merge_key(promotion, action.head),
        name=crash.MERGED,
        look=lambda: _merge_commit(tools, promotion, action.head),
        do=lambda: tools.forge.merge(
            place.repository, number, head=action.head, method=action.method, title=action.title, message=trailers(promotion)
        ),
        kind=str,
    )
    _note(tools, promotion, commit)


def merge_key(promotion: Promotion, head: str) -> str:
    """The effect's key."""
    return f"merge:{promotion.id}:{head}"


def _tried(tools: Tools, promotion: Promotion, head: str) -> bool:
    """True when an earlier run began this merge: the base has moved by itself then, and must not be compared first."""
    return tools.effects.known(merge_key(promotion, head))


def _merge_commit(tools: Tools, promotion: Promotion, head: str) -> str | None:
    pull = tools.forge.find_pull(tools.place.repository, promotion.branch, head=head)
    return pull.merge_commit if pull is not None and pull.state is PullState.MERGED else None


def _note(tools: Tools, promotion: Promotion, commit: str) -> None:
    now = tools.clock()
    merged = replace(
        promotion,
        state=PromotionState.MERGED,
        merged_at=now,
        merge_commit=commit,
        merged_by=tools.forge.identity(),
        rollout_since=now,
    )
    why = f"every gate passed for {promotion.head[:9]} on {promotion.base[:9]}; merged as {commit[:9]}"
    saved = tools.effects.step(crash.SAVED, lambda: tools.history.save_promotion(merged, why=why, actor=tools.forge.identity(), now=now))
    _compare(tools, saved, commit)


def _compare(tools: Tools, promotion: Promotion, commit: str) -> None:
    """What stands on the branch must be what was approved; the forge has merged wrong content before, and nobody would notice."""
    repository = tools.place.repository
    heads = tools.repositories.refresh(repository)
    if heads.get(tools.place.branch) is None or not tools.repositories.is_ancestor(repository, commit, heads[tools.place.branch]):
        return
    for path in sorted({edit.path for edit in edits_of(promotion)}):
        approved = tools.repositories.read(repository, promotion.head, path)
        if tools.repositories.read(repository, commit, path) != approved:
            _alarm(tools, promotion, f"{path} at {commit[:9]} is not what was approved at {promotion.head[:9]} in #{promotion.number}")
            return


def _alarm(tools: Tools, promotion: Promotion, why: str) -> None:
    now = tools.clock()
    tools.history.save_stage_hold(StageHold(stage=promotion.stage, at=now, reason=why), now=now)
    notice = Notify(
        key=f"{promotion.id}:differs",
        thread=promotion.id,
        severity=Severity.CRITICAL,
        stage=promotion.stage,
        service=promotion.name,
        text=f"{promotion.stage} is held: {why}. Look at the branch, then lift the hold.",
        fields={},
    )
    tools.outbox.put(notice, now=now)


def _queue(tools: Tools, action: MergePromotion, number: int) -> None:
    """Hand it to the forge's own queue, once per head; what becomes of it is seen when it is read again."""
    place = tools.place
    pull = tools.history.pull(place.repository, number)
    if pull is None:
        raise Stale(f"#{number} was not read yet")

    def hand_over() -> str:
        tools.forge.queue_merge(place.repository, pull, head=action.head, method=action.method)
        return "queued"

    tools.effects.once(f"queue:{action.promotion.id}:{action.head}", name=crash.MERGED, look=lambda: None, do=hand_over, kind=str)
