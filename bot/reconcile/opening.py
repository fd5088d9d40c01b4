"""Opens a promotion, and puts newer content into an open one: branch, pull request and record, in this order.

What stands on the branch, and what is noted before it is pushed, is decided in `branches`.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.action import OpenPromotion, UpdatePromotion
from bot.domain.errors import OutcomeUnknown, Stale, UserError
from bot.domain.people import Person
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.pull import PullRequest, PullState
from bot.domain.release import same_release
from bot.ports import OpenedPull, SignedCommit
from bot.reconcile import crash
from bot.reconcile.branches import commit_of, edits_of, files_of, holds, is_ours, not_mine, prepare, write_branch
from bot.reconcile.content import forward
from bot.reconcile.rendering import with_rendered
from bot.reconcile.tools import BOT, Place, Tools


def open_promotion(tools: Tools, action: OpenPromotion) -> None:
    """Push the branch, open the pull request, note it, label it."""
    place = tools.place
    promotion, files = prepare(tools, action)
    wanted = replace(action, promotion=promotion, body=with_rendered(tools, promotion, action.body))
    way = _open_signed if place.signed else _open_pushed
    head, opened = way(tools, wanted, files)
    now = tools.clock()
    done = replace(promotion, state=PromotionState.OPEN, head=head, number=opened.number, url=opened.url)
    pull = _pull(tools, action, done, opened)
    tools.history.save_pull(pull)
    tools.history.save_promotion(done, why=action.title, actor=promotion.starter or BOT, now=now)
    if not place.signed:
        _label(tools, opened.number, action.labels)


def _open_pushed(tools: Tools, action: OpenPromotion, _files: dict[str, bytes]) -> tuple[str, OpenedPull]:
    """One push and one call of the API."""
    place, promotion = tools.place, action.promotion
    head = tools.effects.step(crash.BRANCH_PUSHED, lambda: write_branch(tools, promotion))
    opened = tools.effects.once(
        _open_key(promotion.id, head),
        name=crash.PULL_OPENED,
        look=lambda: find_open(tools, promotion.branch, head),
        do=lambda: tools.forge.open_pull(
            place.repository, branch=promotion.branch, base_branch=place.branch, title=action.title, body=action.body
        ),
        kind=OpenedPull,
    )
    return head, opened


def _open_signed(tools: Tools, action: OpenPromotion, files: dict[str, bytes]) -> tuple[str, OpenedPull]:
    """One GraphQL document; the labels come with the first status, in its document.

    GitHub names the commit, so nobody knows its id before: after a crash it is known by its parent's branch and its content.
    """
    place, promotion = tools.place, action.promotion

    def do() -> tuple[str, OpenedPull]:
        present = tools.repositories.refresh(place.repository).get(promotion.branch)
        if present is not None and present != promotion.base:
            if not holds(tools, present, files) and not is_ours(tools, promotion, present):
                raise not_mine(tools, promotion.branch)
            tools.repositories.push(place.repository, {promotion.branch: (present, None)})
            present = None
        commit = SignedCommit(
            repository=place.repository,
            branch=promotion.branch,
            expected=promotion.base,
            files=files,
            message=action.message,
            create=present is None,
        )
        return tools.forge.open_signed(commit, base_branch=place.branch, title=action.title, body=action.body)

    opened = tools.effects.once(
        _open_key(promotion.id, ""),
        name=crash.PULL_OPENED,
        look=lambda: _find_signed(tools, promotion, files),
        do=do,
        kind=tuple[str, OpenedPull],
    )
    return opened[0], opened[1]


def _open_key(promotion: str, head: str) -> str:
    return f"open:{promotion}:{head}" if head else f"open:{promotion}"


def may_be_open(tools: Tools, promotion: Promotion) -> bool:
    """False when no pull request was asked for yet, or the forge said that it opened none: there is nothing to look for."""
    return tools.effects.known(_open_key(promotion.id, promotion.head))


def _find_signed(tools: Tools, promotion: Promotion, files: dict[str, bytes]) -> tuple[str, OpenedPull] | None:
    head = tools.repositories.refresh(tools.place.repository).get(promotion.branch)
    if head is None or not holds(tools, head, files):
        return None
    opened = find_open(tools, promotion.branch, head)
    return None if opened is None else (head, opened)


def find_open(tools: Tools, branch: str, head: str) -> OpenedPull | None:
    pull = tools.forge.find_pull(tools.place.repository, branch, head=head)
    if pull is None or pull.state is not PullState.OPEN:
        return None
    return OpenedPull(number=pull.number, node_id=pull.node_id, url=pull.url)


def _pull(tools: Tools, action: OpenPromotion, promotion: Promotion, opened: OpenedPull) -> PullRequest:
    """The pull request as we just made it: no read is spent on what we know."""
    now = tools.clock()
    return PullRequest(
        repository=tools.place.repository,
        number=opened.number,
        node_id=opened.node_id,
        url=opened.url,
        title=action.title,
        body=action.body,
        branch=promotion.branch,
        head=promotion.head,
        base_branch=tools.place.branch,
        base=promotion.base,
        state=PullState.OPEN,
        author=Person(id=0, login=tools.forge.identity(), bot=True),
        created_at=now,
        updated_at=now,
        read_at=now,
        ours=True,
        labels={} if tools.place.signed else dict.fromkeys(action.labels),
        head_since=promotion.opened_at,
    )


def _label(tools: Tools, number: int, labels: Sequence[str]) -> None:
    """Labels are an index, no more: where the forge forbids them, or does not answer, the promotion goes on without."""
    if not labels:
        return
    try:
        tools.effects.step(crash.LABELS, lambda: tools.forge.add_labels(tools.place.repository, number, labels))
    except (UserError, OutcomeUnknown, Stale):
        return


def update_promotion(tools: Tools, action: UpdatePromotion) -> None:
    """Title and body first (a repeat changes nothing), then the commit, then both records in one transaction."""
    place, number = tools.place, action.promotion.number
    if number is None:
        raise Stale(f"promotion {action.promotion.id} has no pull request yet")
    old = next((one for one in tools.history.promotions(place.stage) if one.id == action.replaces), None)
    if old is None or old.head != action.expected_head:
        raise Stale(f"the promotion that was to be renewed, {action.replaces}, has moved on")
    base = action.expected_head if place.signed else action.promotion.base
    files = _signed_files(tools, action, base) if place.signed else files_of(tools, action.promotion, base)
    fresh = replace(action.promotion, state=PromotionState.OPENING, head="")
    if not place.signed:
        fresh = replace(fresh, head=commit_of(tools, fresh, files, action.message))
    if _arrived(old, action.promotion):
        require_unmerged(tools, old)
    if tools.repositories.refresh(place.repository).get(old.branch) != action.expected_head:
        raise Stale(f"{old.branch} does not stand at {action.expected_head[:9]} any more")
    why = f"about to renew #{number}"
    fresh = tools.history.save_promotion(fresh, why=why, actor=fresh.starter or BOT, now=tools.clock())
    body = with_rendered(tools, action.promotion, action.body)
    tools.effects.step(crash.PULL_UPDATED, lambda: tools.forge.update_pull(place.repository, number, title=action.title, body=body))
    head = tools.effects.step(crash.BRANCH_PUSHED, lambda: _renew_branch(tools, place, fresh, action, files))
    renewed(tools, replace(fresh, head=head), old, why=action.title)
    pull = tools.history.pull(place.repository, number)
    if pull is not None:
        now = tools.clock()
        tools.history.save_pull(
            replace(pull, head=head, base=fresh.base, title=action.title, body=action.body, checks=(), mergeable=None, read_at=now)
        )


def _signed_files(tools: Tools, action: UpdatePromotion, head: str) -> dict[str, bytes]:
    """On the branch as it stands: the forge commits on top only, and a branch reset to its base would close the pull request."""
    stands = {edit.path: edit for edit in edits_of(action.promotion)}
    old = next((one for one in tools.history.promotions(tools.place.stage) if one.id == action.replaces), None)
    before = {(edit.path, str(edit.address)): edit.new for edit in edits_of(old)} if old is not None else {}
    edits = [replace(edit, old=before.get((edit.path, str(edit.address)), edit.old)) for edit in edits_of(action.promotion)]
    files = forward(tools.repositories, tools.place.repository, head, edits)
    if not files:
        raise Stale(f"{action.promotion.branch} holds the wanted versions already ({', '.join(stands)})")
    return files


def _renew_branch(tools: Tools, place: Place, fresh: Promotion, action: UpdatePromotion, files: dict[str, bytes]) -> str:
    if place.signed:
        return tools.forge.commit_files(
            place.repository, branch=fresh.branch, expected=action.expected_head, files=files, message=action.message
        )
    tools.repositories.push(place.repository, {fresh.branch: (action.expected_head, fresh.head)})
    return fresh.head


def renewed(tools: Tools, fresh: Promotion, old: Promotion, *, why: str) -> None:
    """The pull request carries `fresh` now; `old` is over."""
    now = tools.clock()
    done = replace(fresh, state=PromotionState.OPEN)
    over = replace(old, state=PromotionState.SUPERSEDED, ended_at=now, reason=f"replaced in #{old.number} by {fresh.id}")
    tools.history.save_promotions([over, done], why=why, actor=fresh.starter or BOT, now=now)


def _arrived(old: Promotion, fresh: Promotion) -> bool:
    """True when the stage holds what the promotion to be renewed was to bring: somebody may have merged it, unheard of."""
    brought = {move.service: move.new for move in old.moves}
    return any(move.service in brought and same_release(move.old, brought[move.service]) for move in fresh.moves)


def require_unmerged(tools: Tools, promotion: Promotion) -> None:
    """`Stale` when the forge says that the pull request was merged, unheard of: it is read again, and what follows is planned anew."""
    repository, number = tools.place.repository, promotion.number
    pull = tools.forge.find_pull(repository, promotion.branch) if number is not None else None
    if number is not None and pull is not None and pull.number == number and pull.state is PullState.MERGED:
        tools.history.want_pulls(repository, [number])
        raise Stale(f"#{number} was merged meanwhile")
