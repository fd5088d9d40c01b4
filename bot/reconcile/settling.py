"""Before a stage is observed: finish what an earlier run began and could not note, so that its own commits are not taken for a person's.

Costs nothing while nothing is unfinished: the database is asked, and the forge only about promotions that hang.
"""

from dataclasses import replace

from bot.domain.errors import Stale, UserError
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.pull import PullState
from bot.reconcile.branches import edits_of, holds
from bot.reconcile.closing import closing, finish_close
from bot.reconcile.content import forward
from bot.reconcile.opening import may_be_open, renewed, require_unmerged
from bot.reconcile.reverting import finish_revert
from bot.reconcile.tools import BOT, Tools


def settle(tools: Tools) -> int:
    """Finish unfinished openings, renewals and reverts of the stage; how many records changed."""
    changed = 0
    promotions = tools.history.promotions(tools.place.stage)
    for promotion in promotions:
        if promotion.state is PromotionState.OPENING:
            old = _replaced(promotions, promotion)
            changed += _settle_renewal(tools, promotion, old) if promotion.number is not None else _settle_opening(tools, promotion)
        elif closing(tools, promotion):
            changed += _settle_close(tools, promotion)
        elif promotion.state is PromotionState.REVERTING and promotion.revert_number is not None and promotion.revert_commit is None:
            finish_revert(tools, promotion)
            changed += 1
    return changed


def _replaced(promotions: object, fresh: Promotion) -> Promotion | None:
    assert isinstance(promotions, (list, tuple))
    return next((one for one in promotions if one.state is PromotionState.OPEN and one.number == fresh.number), None)


def _settle_opening(tools: Tools, promotion: Promotion) -> int:
    """The branch may stand, and the pull request too: then it is open. What is not there yet is planned again."""
    if not may_be_open(tools, promotion):
        return 0
    head = tools.repositories.refresh(tools.place.repository).get(promotion.branch)
    if head is None or (promotion.head and head != promotion.head):
        return 0
    pull = tools.forge.find_pull(tools.place.repository, promotion.branch, head=head)
    if pull is None or pull.state is not PullState.OPEN or not pull.ours:
        return 0
    if not promotion.head and not _has_its_content(tools, promotion, head):
        return 0
    now = tools.clock()
    done = replace(promotion, state=PromotionState.OPEN, head=head, number=pull.number, url=pull.url)
    tools.history.save_pull(pull)
    tools.history.save_promotion(done, why=f"#{pull.number} was opened before the bot stopped", actor=BOT, now=now)
    return 1


def _settle_close(tools: Tools, promotion: Promotion) -> int:
    try:
        require_unmerged(tools, promotion)
    except Stale:
        return 0
    finish_close(tools, promotion, promotion.reason)
    return 1


def _settle_renewal(tools: Tools, fresh: Promotion, old: Promotion | None) -> int:
    """Either the new commit stands on the branch, then it is the promotion now, or it does not, then it never was one."""
    head = tools.repositories.refresh(tools.place.repository).get(fresh.branch)
    if old is not None and head is not None and head != old.head and _is_renewal(tools, fresh, head):
        renewed(tools, replace(fresh, head=head), old, why=f"#{fresh.number} was renewed before the bot stopped")
        tools.history.want_pulls(tools.place.repository, [fresh.number] if fresh.number is not None else [])
        return 1
    now = tools.clock()
    never = replace(fresh, state=PromotionState.SUPERSEDED, ended_at=now, reason="the new content was never pushed; planned anew")
    tools.history.save_promotion(never, why=never.reason, actor=BOT, now=now)
    return 1


def _is_renewal(tools: Tools, fresh: Promotion, head: str) -> bool:
    return _has_its_content(tools, fresh, head) if tools.place.signed else head == fresh.head


def _has_its_content(tools: Tools, fresh: Promotion, head: str) -> bool:
    """A commit that the forge made is known by what it holds: nobody knew its id before."""
    try:
        files = forward(tools.repositories, tools.place.repository, fresh.base, edits_of(fresh))
    except UserError:
        return False
    return holds(tools, head, files)
