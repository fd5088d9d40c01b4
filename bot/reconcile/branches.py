"""The branches of promotions: the commits on them, whose they are, and how they are pushed.

The record says OPENING, with the commit that is about to be pushed, before anything is pushed: whoever comes after a crash can
tell the bot's own commit from a person's. A branch of the same name that is not the bot's is never touched. What a pull
request says is left to `opening`.
"""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.domain.action import OpenPromotion
from bot.domain.errors import Fenced, Refused, Stale
from bot.domain.promotion import Promotion, PromotionState, SlotEdit
from bot.reconcile import crash
from bot.reconcile.content import forward
from bot.reconcile.tools import BOT, Tools

log = structlog.get_logger("reconcile")


def edits_of(promotion: Promotion) -> tuple[SlotEdit, ...]:
    """All edits of all services in it."""
    return tuple(edit for move in promotion.moves for edit in move.edits)


def is_ours(tools: Tools, promotion: Promotion, head: str) -> bool:
    """True when a promotion under this name, of any age that is still remembered, had this very commit as its head."""
    return any(other.name == promotion.name and other.head == head for other in tools.history.promotions(promotion.stage))


def holds(tools: Tools, commit: str, files: dict[str, bytes]) -> bool:
    """True when the commit has these files with these contents."""
    repository = tools.place.repository
    return all(tools.repositories.read(repository, commit, path) == content for path, content in files.items())


def files_of(tools: Tools, promotion: Promotion, commit: str) -> dict[str, bytes]:
    """The files as the promotion leaves them, from how they stand in a commit. `Stale` when they hold its versions already."""
    files = forward(tools.repositories, tools.place.repository, commit, edits_of(promotion))
    if not files:
        raise Stale(f"{promotion.stage} holds the versions of {promotion.name} already")
    return files


def commit_of(tools: Tools, promotion: Promotion, files: dict[str, bytes], message: str) -> str:
    return tools.repositories.commit(tools.place.repository, parent=promotion.base, files=files, message=message, at=promotion.opened_at)


def note_opening(tools: Tools, promotion: Promotion) -> Promotion:
    """The row says OPENING with this head; rows of earlier tries that never got a pull request are over."""
    known = tools.history.promotions(promotion.stage)
    noted = next((other for other in known if replace(other, version=promotion.version) == promotion), None)
    if noted is not None:
        return noted
    others = [
        replace(other, state=PromotionState.SUPERSEDED, ended_at=tools.clock(), reason="never opened; planned anew")
        for other in known
        if other.name == promotion.name and other.state is PromotionState.OPENING and other.number is None and other.id != promotion.id
    ]
    why = f"about to push {promotion.branch}"
    saved = tools.history.save_promotions([*others, promotion], why=why, actor=promotion.starter or BOT, now=tools.clock())
    return saved[-1]


def prepare(tools: Tools, action: OpenPromotion) -> tuple[Promotion, dict[str, bytes]]:
    """The promotion with the commit that is to be pushed, its record written, and the files of that commit. Twice is once."""
    files = files_of(tools, action.promotion, action.promotion.base)
    head = "" if tools.place.signed else commit_of(tools, action.promotion, files, action.message)
    return note_opening(tools, replace(action.promotion, state=PromotionState.OPENING, head=head)), files


def push_together(tools: Tools, actions: Sequence[OpenPromotion]) -> None:
    """One push for the new branches of several openings: forges count pushes. What does not get there in this way is pushed by its
    own opening, which says what is wrong with it, be it a fault of our own: nothing else of the run waits for it. Raises `Fenced` only."""
    repository = tools.place.repository
    if tools.place.signed or len(actions) < 2:
        return
    try:
        heads = tools.repositories.refresh(repository)
        fresh = [promotion for action in actions if (promotion := _prepared(tools, action)) and promotion.branch not in heads]
        if len(fresh) > 1:
            updates = {promotion.branch: (None, promotion.head) for promotion in fresh}
            tools.effects.step(crash.BRANCH_PUSHED, lambda: tools.repositories.push(repository, updates))
    except Fenced:
        raise
    except Exception as error:
        log.info("branches.apart", stage=tools.place.stage, branches=len(actions), reason=str(error))


def _prepared(tools: Tools, action: OpenPromotion) -> Promotion | None:
    try:
        return prepare(tools, action)[0]
    except Fenced:
        raise
    except Exception:
        return None


def write_branch(tools: Tools, promotion: Promotion) -> str:
    place = tools.place
    present = tools.repositories.refresh(place.repository).get(promotion.branch)
    if present == promotion.head:
        return promotion.head
    if present is not None and not is_ours(tools, promotion, present):
        raise not_mine(tools, promotion.branch)
    tools.repositories.push(place.repository, {promotion.branch: (present, promotion.head)})
    return promotion.head


def not_mine(tools: Tools, branch: str) -> Refused:
    return Refused(
        f"the branch {branch} exists already, and its content is not the bot's",
        where=tools.place.repository,
        fix="delete or rename the branch; the bot opens the promotion then",
        code="BranchNotMine",
    )
