"""GitHub's merge queue, for queues of one: a pull request is tested as it would be merged, then the base moves there.

The required checks are asked of the merge group's commit, which stands under `gh-readonly-queue/<base>/pr-<n>-<sha>`;
without required checks the merge happens at once. A base that moved makes a new group.
"""

from bot.sandbox.github.access import Caller
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.history import is_mergeable, merged
from bot.sandbox.github.service import refs
from bot.sandbox.github.service.merging import HEAD_MOVED, NOT_MERGEABLE
from bot.sandbox.github.service.pulls import announce, record_merge
from bot.sandbox.github.service.rules import check_state, opinions
from bot.sandbox.github.state import Pull, QueueEntry, Repository
from bot.sandbox.github.world import Event, World


def enqueue(world: World, repository: Repository, caller: Caller, pull: Pull, *, expected: str | None) -> QueueEntry:
    """Put a pull request into the queue of its base branch."""
    if not repository.settings.merge_queue:
        raise ApiError(422, "Pull request is not able to be added to the merge queue: the base branch has no merge queue")
    if pull.state != "open" or pull.draft:
        raise ApiError(422, "Pull request is not able to be added to the merge queue")
    if pull.queued is not None:
        raise ApiError(422, "Pull request is already in the queue")
    if expected is not None and expected != pull.head_sha:
        raise ApiError(422, HEAD_MOVED)
    protection = repository.protections.get(pull.base_ref)
    given = [review.state for review in opinions(world, repository, pull, writers_only=True)]
    if protection is not None and given.count("APPROVED") < protection.reviews:
        raise ApiError(422, "Pull request Required approving review count not met")
    entry = _group(world, repository, caller, pull)
    announce(world, repository, caller, pull, "enqueued")
    _ask_for_checks(world, repository, caller, entry)
    advance(world, repository)
    return entry


def _group(world: World, repository: Repository, caller: Caller, pull: Pull) -> QueueEntry:
    git, tip = repository.git, repository.git.branch(pull.base_ref)
    if tip is None or not is_mergeable(git, tip, pull.head_sha):
        raise ApiError(422, NOT_MERGEABLE)
    text = f"Merge pull request #{pull.number} from {repository.owner.login}/{pull.head_ref}\n\n{pull.title}"
    parents, committer = [tip, pull.head_sha], world.web_flow()
    tree = merged(git, tip, pull.head_sha).tree
    sha = git.commit_tree(tree, parents, message=text, author=world.signature(caller.account), committer=committer)
    repository.verified.add(sha)
    ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{tip}"
    old = git.branch(ref.removeprefix("refs/heads/")) or ZERO
    refs.advance(world, repository, caller, ref, old, sha)
    pull.queued = QueueEntry(by=caller.account, ref=ref, sha=sha, base_sha=tip, enqueued_at=world.now())
    return pull.queued


def _ask_for_checks(world: World, repository: Repository, caller: Caller, entry: QueueEntry) -> None:
    details = {"entry": entry}
    world.emit(Event(name="merge_group", action="checks_requested", repository=repository, sender=caller.account, details=details))


def dequeue(world: World, repository: Repository, caller: Caller, pull: Pull, *, reason: str) -> QueueEntry:
    """Take it out; `reason` is MANUAL, CI_FAILURE, MERGE, MERGE_CONFLICT or INVALIDATED."""
    entry = pull.queued
    if entry is None:
        raise ApiError(422, "Pull request is not in the merge queue")
    pull.queued = None
    gone = {"entry": entry, "reason": "merged" if reason == "MERGE" else "dequeued"}
    world.emit(Event(name="merge_group", action="destroyed", repository=repository, sender=caller.account, details=gone))
    announce(world, repository, caller, pull, "dequeued", reason=reason)
    if repository.git.branch(entry.ref.removeprefix("refs/heads/")) is not None:
        refs.advance(world, repository, caller, entry.ref, entry.sha, ZERO)
    return entry


def advance(world: World, repository: Repository) -> None:
    """Merge every group whose checks are green on the base as it is now; drop those that failed; renew those that are stale."""
    for pull in repository.pulls():
        entry = pull.queued
        if entry is None or pull.state != "open":
            continue
        caller = Caller(account=entry.by)
        tip = repository.git.branch(pull.base_ref)
        protection = repository.protections.get(pull.base_ref)
        states = {check_state(repository, entry.sha, context) for context in (protection.checks if protection else ())}
        if "failing" in states:
            dequeue(world, repository, caller, pull, reason="CI_FAILURE")
        elif tip != entry.base_sha:
            try:
                _ask_for_checks(world, repository, caller, _group(world, repository, caller, pull))
            except ApiError:
                dequeue(world, repository, caller, pull, reason="MERGE_CONFLICT")
        elif states <= {"success"}:
            pull.queued = None
            refs.advance(world, repository, caller, f"refs/heads/{pull.base_ref}", entry.base_sha, entry.sha)
            if pull.merged_at is None:
                record_merge(world, repository, caller, pull, entry.sha)
            pull.queued = entry
            dequeue(world, repository, caller, pull, reason="MERGE")
