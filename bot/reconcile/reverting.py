"""Takes a promotion back: restores exactly the values that it replaced, as a commit on the stage's branch or by a pull request.

Decides from what stands on the branch now: the promoted value is restored, a restored one is adopted, any third value stops
the whole revert and asks people. Whether to revert at all was decided in planning.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.action import Notify, Revert, Severity
from bot.domain.errors import OutcomeUnknown, Refused, Stale, UserError
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.pull import PullState
from bot.ports import OpenedPull
from bot.reconcile import crash
from bot.reconcile.branches import holds
from bot.reconcile.content import backward
from bot.reconcile.tools import BOT, Tools

PREFIX = "promotion-revert"


def revert(tools: Tools, action: Revert) -> None:
    """Restore the values, or say what stands in the way."""
    place, promotion = tools.place, action.promotion
    head = tools.repositories.refresh(place.repository).get(place.branch)
    if head is None:
        raise Stale(f"{place.repository} has no branch {place.branch} now")
    if not action.edits:
        _stuck(tools, promotion, "the bot does not know which values it replaced (its database was lost); restore them by hand")
        return
    try:
        files = backward(tools.repositories, place.repository, head, action.edits)
    except UserError as error:
        _stuck(tools, promotion, f"{error}. {error.fix}".strip())
        return
    if not files:
        _note(tools, promotion, commit=_restored_by(tools, action, head), why="the replaced values stand there again")
        return
    if not action.as_pull_request:
        try:
            commit = tools.effects.step(crash.REVERTED, lambda: _onto_branch(tools, action, head, files))
        except Refused:
            _by_pull_request(tools, action, head, files)
            return
        _note(tools, promotion, commit=commit, why=action.title)
        return
    _by_pull_request(tools, action, head, files)


def _onto_branch(tools: Tools, action: Revert, head: str, files: Mapping[str, bytes]) -> str:
    place = tools.place
    if place.signed:
        return tools.forge.commit_files(place.repository, branch=place.branch, expected=head, files=files, message=action.message)
    commit = _commit(tools, action, head, files)
    tools.repositories.push(place.repository, {place.branch: (head, commit)}, urgent=True)
    return commit


def _commit(tools: Tools, action: Revert, head: str, files: Mapping[str, bytes]) -> str:
    at = action.promotion.failed_at or action.promotion.opened_at
    return tools.repositories.commit(tools.place.repository, parent=head, files=files, message=action.message, at=at)


def _by_pull_request(tools: Tools, action: Revert, head: str, files: Mapping[str, bytes]) -> None:
    """The fast lane: a pull request of its own, merged at once where the forge lets us; where not, it waits and is tried again."""
    place, promotion = tools.place, action.promotion
    branch = f"{PREFIX}/{promotion.stage}/{promotion.id}"
    present = tools.repositories.heads(place.repository).get(branch)
    if place.signed:
        _signed_commit(tools, action, files, branch=branch, present=present, head=head)
    else:
        tip = _commit(tools, action, head, files)
        if present != tip:
            tools.effects.step(crash.REVERTED, lambda: tools.repositories.push(place.repository, {branch: (present, tip)}, urgent=True))
    opened = tools.effects.once(
        f"revert-open:{promotion.id}",
        name=crash.REVERT_OPENED,
        look=lambda: _opened(tools, branch),
        do=lambda: tools.forge.open_pull(place.repository, branch=branch, base_branch=place.branch, title=action.title, body=action.body),
        kind=OpenedPull,
    )
    waiting = tools.history.save_promotion(
        replace(promotion, state=PromotionState.REVERTING, revert_number=opened.number, rollout_since=tools.clock()),
        why=f"#{opened.number} takes it back",
        actor=BOT,
        now=tools.clock(),
    )
    finish_revert(tools, waiting)


def _signed_commit(tools: Tools, action: Revert, files: Mapping[str, bytes], *, branch: str, present: str | None, head: str) -> None:
    """A branch that an earlier try made may lack its commit: the forge makes the two one after the other."""
    repository = tools.place.repository
    if present is not None and holds(tools, present, dict(files)):
        return
    tools.forge.commit_files(
        repository,
        branch=branch,
        expected=present or head,
        files=files,
        message=action.message,
        create_from=head if present is None else None,
    )


def _opened(tools: Tools, branch: str) -> OpenedPull | None:
    pull = tools.forge.find_pull(tools.place.repository, branch)
    return None if pull is None else OpenedPull(number=pull.number, node_id=pull.node_id, url=pull.url)


def finish_revert(tools: Tools, promotion: Promotion) -> None:
    """Merge the pull request that takes the promotion back, or adopt that somebody did."""
    place, number = tools.place, promotion.revert_number
    if number is None or promotion.revert_commit is not None:
        return
    branch = f"{PREFIX}/{promotion.stage}/{promotion.id}"
    pull = tools.forge.find_pull(place.repository, branch)
    if pull is None:
        return
    if pull.state is PullState.MERGED:
        _note(tools, promotion, commit=pull.merge_commit or pull.head, why=f"#{number} took it back")
        return
    if pull.state is PullState.CLOSED:
        _stuck(tools, promotion, f"somebody closed #{number}, which would have taken it back; restore the values by hand, or reopen it")
        return
    if _settled_by_people(tools, promotion):
        return

    def look() -> str | None:
        seen = tools.forge.find_pull(place.repository, branch, head=pull.head)
        return seen.merge_commit if seen is not None and seen.state is PullState.MERGED else None

    try:
        commit = tools.effects.once(
            f"revert-merge:{promotion.id}:{pull.head}",
            name=crash.REVERT_MERGED,
            look=look,
            do=lambda: tools.forge.merge(
                place.repository, number, head=pull.head, method=place.merge_method, title=f"{pull.title} (#{number})"
            ),
            kind=str,
        )
    except (Refused, Stale, OutcomeUnknown):
        return
    _note(tools, promotion, commit=commit, why=f"#{number} took it back")


def _settled_by_people(tools: Tools, promotion: Promotion) -> bool:
    """True when the pull request has nothing left to restore: somebody restored the values by hand, or put others there."""
    place, edits = tools.place, tuple(edit for move in promotion.moves for edit in move.edits)
    head = tools.repositories.refresh(place.repository).get(place.branch)
    if head is None or not edits:
        return False
    try:
        files = backward(tools.repositories, place.repository, head, edits)
    except UserError as error:
        _stuck(tools, promotion, f"{error}. {error.fix}. #{promotion.revert_number} stays open; close it when nobody needs it")
        return True
    if not files:
        _note(tools, promotion, commit=head, why=f"the replaced values stand there again, without #{promotion.revert_number}")
    return not files


def _restored_by(tools: Tools, action: Revert, head: str) -> str:
    """Our own revert commit where an earlier try pushed it and died before noting it; else the head, whoever restored the values."""
    after = action.promotion.merge_commit
    subject = action.message.splitlines()[0]
    for commit in tools.repositories.log(tools.place.repository, after=after, until=head, limit=100):
        if commit.subject == subject:
            return commit.sha
    return head


def _note(tools: Tools, promotion: Promotion, *, commit: str, why: str) -> None:
    now = tools.clock()
    back = replace(promotion, state=PromotionState.REVERTING, revert_commit=commit, rollout_since=now)
    tools.effects.step(crash.SAVED, lambda: tools.history.save_promotion(back, why=why, actor=BOT, now=now))


def _stuck(tools: Tools, promotion: Promotion, obstacle: str) -> None:
    """Nothing was forced: people are told what stands in the way."""
    now = tools.clock()
    why = f"the revert of {promotion.name} in {promotion.stage} was not forced: {obstacle}"
    stuck = replace(promotion, state=PromotionState.STUCK, ended_at=now, reason=why)
    tools.outbox.put(
        Notify(
            key=f"{promotion.id}:revert-stuck",
            thread=promotion.id,
            severity=Severity.CRITICAL,
            stage=promotion.stage,
            service=promotion.name,
            text=why,
            fields={"pull request": promotion.url} if promotion.url else {},
        ),
        now=now,
    )
    tools.history.save_promotion(stuck, why=why, actor=BOT, now=now)
