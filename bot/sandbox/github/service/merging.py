"""Merging a pull request: whether it can be, by which method, the revert of one, and GitHub's auto-merge.

Decides in GitHub's order: open, expected head, method, protection, conflict. All under the world's lock, so that two
merges never see the same base.
"""

from bot.sandbox.github.access import Caller
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.git import ZERO, Git, Signature
from bot.sandbox.github.history import is_mergeable, merged, read_commit
from bot.sandbox.github.service import refs
from bot.sandbox.github.service.pulls import announce, open_pull, record_merge
from bot.sandbox.github.service.rules import combined_state, latest_runs, latest_statuses, unmet
from bot.sandbox.github.state import AutoMerge, Pull, Repository
from bot.sandbox.github.world import World

NOT_MERGEABLE = "Pull Request is not mergeable"
HEAD_MOVED = "Head branch was modified. Review and try the merge again."
NAMES = {"merge": "Merge commits are", "squash": "Squash merges are", "rebase": "Rebase merges are"}


def mergeability(world: World, repository: Repository, pull: Pull) -> tuple[bool | None, str]:
    """`mergeable` and `mergeable_state`, computed now; (None, unknown) for what is no longer open."""
    tip = repository.git.branch(pull.base_ref)
    if pull.state != "open" or tip is None:
        return None, "unknown"
    if not is_mergeable(repository.git, tip, pull.head_sha):
        return False, "dirty"
    if pull.draft:
        return True, "draft"
    lacking = unmet(world, repository, pull)
    if any("not up to date" in text for text in lacking):
        return True, "behind"
    if lacking:
        return True, "blocked"
    statuses, runs = latest_statuses(repository, pull.head_sha), latest_runs(repository, pull.head_sha)
    troubled = (statuses and combined_state(statuses) != "success") or any(
        run.conclusion not in ("success", "neutral", "skipped") for run in runs
    )
    return True, "unstable" if troubled else "clean"


def merge_pull(
    world: World,
    repository: Repository,
    caller: Caller,
    pull: Pull,
    *,
    method: str = "merge",
    expected: str | None = None,
    wording: tuple[str | None, str | None] = (None, None),
) -> str:
    """The sha that the base branch has afterwards; `wording` is the title and message of the commit."""
    refuse_merge(world, repository, pull, caller, method=method, expected=expected)
    tip = repository.git.branch(pull.base_ref)
    if tip is None:
        raise ApiError(405, NOT_MERGEABLE)
    sha = _write_merge(world, repository, caller, pull, method, wording, tip)
    refs.advance(world, repository, caller, f"refs/heads/{pull.base_ref}", tip, sha)
    if pull.merged_at is None:  # squash and rebase: the head is no ancestor of the new base, so following the branch saw no merge
        record_merge(world, repository, caller, pull, sha)
    if repository.settings.auto_delete_head and pull.head_ref != repository.settings.default_branch:
        head = repository.git.branch(pull.head_ref)
        if head is not None:
            refs.advance(world, repository, caller, f"refs/heads/{pull.head_ref}", head, ZERO)
    return sha


def refuse_merge(world: World, repository: Repository, pull: Pull, caller: Caller, *, method: str, expected: str | None) -> None:
    """Raise what GitHub answers if the merge is not possible now."""
    settings = repository.settings
    if pull.state != "open":
        raise ApiError(405, NOT_MERGEABLE)
    if pull.draft:
        raise ApiError(405, "Pull Request is still a draft")
    if expected is not None and expected != pull.head_sha:
        raise ApiError(409, HEAD_MOVED)
    allowed = {"merge": settings.allow_merge_commit, "squash": settings.allow_squash_merge, "rebase": settings.allow_rebase_merge}
    if method not in allowed:
        raise ApiError(422, "Validation Failed", errors=[{"resource": "PullRequest", "code": "invalid", "field": "merge_method"}])
    if not allowed[method]:
        raise ApiError(405, f"{NAMES[method]} not allowed on this repository.")
    if settings.merge_queue:
        raise ApiError(405, "Changes must be made through the merge queue")
    protection = repository.protections.get(pull.base_ref)
    if protection is not None and caller.account.login.lower() not in (login.lower() for login in protection.bypass):
        if protection.linear and method == "merge":
            raise ApiError(405, "Merge commits are not allowed on this repository.")
        lacking = unmet(world, repository, pull)
        if lacking:
            raise ApiError(405, " ".join(lacking))
    tip = repository.git.branch(pull.base_ref)
    if tip is None or not is_mergeable(repository.git, tip, pull.head_sha):
        raise ApiError(405, NOT_MERGEABLE)


def _write_merge(
    world: World, repository: Repository, caller: Caller, pull: Pull, method: str, wording: tuple[str | None, str | None], tip: str
) -> str:
    git, author, title, message = repository.git, world.signature(caller.account), *wording
    match method:
        case "squash":
            title = title or f"{pull.title} (#{pull.number})"
            tree = merged(git, tip, pull.head_sha).tree
            text = f"{title}\n\n{message}" if message else title
            sha = git.commit_tree(tree, [tip], message=text, author=world.signature(pull.author), committer=world.web_flow())
        case "rebase":
            return rebase(git, tip, git.commits(f"{tip}..{pull.head_sha}")[::-1], author)
        case _:
            title = title or f"Merge pull request #{pull.number} from {repository.owner.login}/{pull.head_ref}"
            message = pull.title if message is None else message
            tree = merged(git, tip, pull.head_sha).tree
            text = f"{title}\n\n{message}" if message else title
            sha = git.commit_tree(tree, [tip, pull.head_sha], message=text, author=author, committer=world.web_flow())
    repository.verified.add(sha)
    return sha


def rebase(git: Git, tip: str, commits: list[str], committer: Signature) -> str:
    """Each commit again on top of `tip`; merge commits are left out. Raises 405 where one conflicts."""
    for sha in commits:
        commit = read_commit(git, sha)
        if len(commit.parents) != 1:
            continue
        # git 2.39 cannot name the merge base: a twin of our tip that hangs on the picked commit's parent makes it so.
        tree = read_commit(git, tip).tree
        twin = git.commit_tree(tree, commit.parents, message="twin", author=committer, committer=committer)
        picked = git.merge(twin, sha)
        if picked.conflicts:
            raise ApiError(405, NOT_MERGEABLE)
        tip = git.commit_tree(picked.tree, [tip], message=commit.message, author=commit.author, committer=committer)
    return tip


def revert_pull(
    world: World, repository: Repository, caller: Caller, pull: Pull, *, title: str | None, body: str | None, draft: bool
) -> Pull:
    """A pull request that takes a merged one back, on the branch `revert-<number>-<head>`, as the Revert button makes it."""
    if pull.merged_at is None or pull.merge_sha is None:
        raise ApiError(422, "Pull request is not merged.")
    git, tip = repository.git, repository.git.branch(pull.base_ref)
    if tip is None:
        raise ApiError(422, "The base branch has been deleted.")
    brought = read_commit(git, pull.merge_sha)
    author = world.signature(caller.account)
    if not git.is_ancestor(brought.sha, tip):
        raise ApiError(422, "The merge commit is not on the base branch.")
    before = read_commit(git, brought.parents[0]).tree
    undone = git.commit_tree(before, [brought.sha], message="undone", author=author, committer=author)
    result = git.merge(tip, undone)
    if result.conflicts:
        told = "It may have already been reverted, or the content may have changed since it was merged."
        raise ApiError(422, f"Sorry, this pull request couldn’t be reverted automatically. {told}")
    title = title or f'Revert "{pull.title}"'
    branch = f"revert-{pull.number}-{pull.head_ref}"
    sha = git.commit_tree(result.tree, [tip], message=title, author=author, committer=world.web_flow())
    repository.verified.add(sha)
    refs.create_ref(world, repository, caller, f"refs/heads/{branch}", sha)
    text = f"Reverts {repository.full_name}#{pull.number}" if body is None else body
    return open_pull(world, repository, caller, title=title, head=branch, base=pull.base_ref, body=text, draft=draft)


def enable_auto_merge(world: World, repository: Repository, caller: Caller, pull: Pull, auto: AutoMerge, *, expected: str | None) -> None:
    """Merge it as soon as the rules allow; refused where nothing stands in the way."""
    if not repository.settings.allow_auto_merge:
        raise ApiError(422, "Pull request Auto merge is not allowed for this repository")
    if expected is not None and expected != pull.head_sha:
        raise ApiError(422, "Head sha didn't match expected head sha")
    _, state = mergeability(world, repository, pull)
    if state in ("clean", "unstable", "unknown"):
        raise ApiError(422, f"Pull request Pull request is in {state} status")
    if state == "draft":
        raise ApiError(422, "Pull request Pull request is in draft state")
    pull.auto_merge = auto
    pull.updated_at = world.now()
    announce(world, repository, caller, pull, "auto_merge_enabled")


def disable_auto_merge(world: World, repository: Repository, caller: Caller, pull: Pull) -> None:
    """Take the wish back."""
    if pull.auto_merge is None:
        raise ApiError(422, "Can't disable auto-merge for this pull request")
    pull.auto_merge = None
    announce(world, repository, caller, pull, "auto_merge_disabled", reason="disabled")


def settle(world: World, repository: Repository, sha: str) -> None:
    """Something about this head changed: merge what waits for it with auto-merge and now may."""
    for pull in repository.pulls():
        auto = pull.auto_merge
        if auto is None or pull.state != "open" or pull.head_sha != sha or unmet(world, repository, pull):
            continue
        try:
            merge_pull(world, repository, Caller(account=auto.by), pull, method=auto.method, wording=(auto.title, auto.message))
        except ApiError:
            continue  # a conflict: GitHub waits on
