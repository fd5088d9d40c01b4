"""Pull requests: opening, editing, closing, reopening, and following the branches that they stand on.

Merging is decided in `merging`; who may call was decided before.
"""

from typing import Any

from bot.sandbox.github.access import Caller
from bot.sandbox.github.errors import ApiError, invalid
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.history import compare
from bot.sandbox.github.state import Pull, Repository, TimelineEvent
from bot.sandbox.github.world import Event, World


def announce(world: World, repository: Repository, caller: Caller, pull: Pull, action: str, **details: Any) -> None:
    """Emit a `pull_request` event."""
    found = {"pull": pull} | details
    world.emit(Event(name="pull_request", action=action, repository=repository, sender=caller.account, details=found))


def note(world: World, pull: Pull, caller: Caller, kind: str) -> None:
    """Write a line into the timeline."""
    pull.timeline.append(TimelineEvent(id=world.next_id(), kind=kind, actor=caller.account, created_at=world.now()))


def open_pull(
    world: World, repository: Repository, caller: Caller, *, title: str, head: str, base: str, body: str | None, draft: bool = False
) -> Pull:
    """A new pull request; raises 422 as GitHub does for what cannot be one."""
    owner, _, branch = head.rpartition(":")
    if owner and owner.lower() != repository.owner.login.lower():
        raise invalid("PullRequest", "head", code="invalid")
    head_sha, base_sha = repository.git.branch(branch), repository.git.branch(base)
    if not title.strip():
        raise ApiError(422, "Validation Failed", errors=[{"resource": "PullRequest", "code": "missing_field", "field": "title"}])
    if base_sha is None:
        raise invalid("PullRequest", "base", code="invalid")
    if head_sha is None:
        raise invalid("PullRequest", "head", code="invalid")
    _refuse_twin(repository, branch, base)
    found = compare(repository.git, base_sha, head_sha)
    if found is None:
        raise invalid("PullRequest", "head", f"The {branch} branch has no history in common with {base}")
    if not found.ahead:
        raise invalid("PullRequest", "head", f"No commits between {base} and {branch}")
    now = world.now()
    pull = Pull(
        id=world.next_id(),
        pull_id=world.next_id(),
        number=repository.next_number,
        title=title,
        body=body,
        author=caller.account,
        app=caller.through_app,
        head_ref=branch,
        base_ref=base,
        head_sha=head_sha,
        base_sha=base_sha,
        draft=draft,
        created_at=now,
        updated_at=now,
    )
    repository.next_number += 1
    repository.issues[pull.number] = pull
    announce(world, repository, caller, pull, "opened")
    return pull


def _refuse_twin(repository: Repository, head: str, base: str) -> None:
    for other in repository.pulls():
        if other.state == "open" and other.head_ref == head and other.base_ref == base:
            raise invalid("PullRequest", "head", f"A pull request already exists for {repository.owner.login}:{head}.")


def edit_pull(world: World, repository: Repository, caller: Caller, pull: Pull, changes: dict[str, Any]) -> None:
    """Change `title`, `body`, `base` or `state`; a field that already is as asked changes nothing."""
    before: dict[str, Any] = {}
    base = changes.get("base")
    if base is not None and base != pull.base_ref:
        tip = repository.git.branch(base)
        if tip is None or pull.state != "open":
            raise invalid("PullRequest", "base", code="invalid")
        before["base"] = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
        pull.base_ref, pull.base_sha, pull.auto_merge = base, tip, None
    title = changes.get("title")
    if title is not None and title != pull.title:
        before["title"] = {"from": pull.title}
        pull.title = title
    if "body" in changes and changes["body"] != pull.body:
        before["body"] = {"from": pull.body or ""}
        pull.body = changes["body"]
    if before:
        pull.updated_at = world.now()
        announce(world, repository, caller, pull, "edited", changes=before)
    match changes.get("state"):
        case "closed" if pull.state == "open":
            close_pull(world, repository, caller, pull)
        case "open" if pull.state == "closed":
            reopen_pull(world, repository, caller, pull)
        case None | "open" | "closed":
            pass
        case _:
            raise invalid("PullRequest", "state", code="invalid")


def close_pull(world: World, repository: Repository, caller: Caller, pull: Pull) -> None:
    """Close without merging."""
    now = world.now()
    pull.state, pull.closed_at, pull.updated_at, pull.auto_merge = "closed", now, now, None
    note(world, pull, caller, "closed")
    announce(world, repository, caller, pull, "closed")


def reopen_pull(world: World, repository: Repository, caller: Caller, pull: Pull) -> None:
    """Open again, if the branch still carries what was closed."""
    tip = repository.git.branch(pull.head_ref)
    reason = None
    if pull.merged_at is not None:
        reason = "state cannot be changed. The pull request cannot be reopened."
    elif tip is None:
        reason = f"state cannot be changed. The {pull.head_ref} branch has been deleted."
    elif not repository.git.is_ancestor(pull.head_sha, tip):
        reason = f"state cannot be changed. The {pull.head_ref} branch was force-pushed or recreated."
    if reason:
        raise invalid("PullRequest", "state", reason)
    _refuse_twin(repository, pull.head_ref, pull.base_ref)
    pull.state, pull.closed_at, pull.updated_at = "open", None, world.now()
    pull.head_sha = tip or pull.head_sha
    note(world, pull, caller, "reopened")
    announce(world, repository, caller, pull, "reopened")


def follow(world: World, repository: Repository, caller: Caller, branch: str, new: str) -> None:
    """A branch moved to `new`: open pull requests take the new head, close with their branch, or turn out to be merged."""
    for pull in repository.pulls():
        if pull.state != "open":
            continue
        if pull.head_ref == branch and new == ZERO:
            close_pull(world, repository, caller, pull)
        elif pull.head_ref == branch and new != pull.head_sha:
            _synchronize(world, repository, caller, pull, new)
        elif pull.base_ref == branch and new != ZERO and repository.git.is_ancestor(pull.head_sha, new):
            record_merge(world, repository, caller, pull, new)


def _synchronize(world: World, repository: Repository, caller: Caller, pull: Pull, new: str) -> None:
    before, pull.head_sha = pull.head_sha, new
    pull.base_sha = repository.git.branch(pull.base_ref) or pull.base_sha
    pull.updated_at = world.now()
    protection = repository.protections.get(pull.base_ref)
    if protection is not None and protection.dismiss_stale:
        for review in pull.reviews:
            if review.state == "APPROVED":
                review.state = "DISMISSED"
                found = {"pull": pull, "review": review}
                world.emit(
                    Event(name="pull_request_review", action="dismissed", repository=repository, sender=caller.account, details=found)
                )
    announce(world, repository, caller, pull, "synchronize", before=before, after=new)
    if repository.git.is_ancestor(new, pull.base_sha):
        close_pull(world, repository, caller, pull)


def record_merge(world: World, repository: Repository, caller: Caller, pull: Pull, sha: str) -> None:
    """Write down that a pull request was merged as `sha`."""
    now = world.now()
    pull.state, pull.merged_at, pull.closed_at, pull.updated_at = "closed", now, now, now
    pull.merged_by, pull.merge_sha, pull.auto_merge = caller.account, sha, None
    note(world, pull, caller, "merged")
    note(world, pull, caller, "closed")
    announce(world, repository, caller, pull, "closed")
