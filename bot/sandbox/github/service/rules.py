"""Branch protection: what a pull request still lacks, and whether a ref may be moved directly.

Decides from the protection of the branch, the checks of the head and the reviews; the sentences are GitHub's own.
"""

from bot.sandbox.github.access import RANK, role_of
from bot.sandbox.github.accounts import Account
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.state import CheckRun, Protection, Pull, Repository, Review, Status
from bot.sandbox.github.world import World

GOOD = frozenset({"success", "neutral", "skipped"})
PULL_ONLY = "Changes must be made through a pull request."
UNSIGNED = "Commits must have verified signatures."


def latest_statuses(repository: Repository, sha: str) -> list[Status]:
    """The newest status of each context on a commit, newest first."""
    newest: dict[str, Status] = {}
    for status in repository.statuses:
        if status.sha == sha:
            newest[status.context] = status
    return sorted(newest.values(), key=lambda status: status.id, reverse=True)


def latest_runs(repository: Repository, sha: str) -> list[CheckRun]:
    """The newest check run of each App and name on a commit, newest first."""
    newest: dict[tuple[int, str], CheckRun] = {}
    for run in repository.check_runs.values():
        if run.head_sha == sha:
            newest[(run.suite.app.id, run.name)] = run
    return sorted(newest.values(), key=lambda run: run.id, reverse=True)


def combined_state(statuses: list[Status]) -> str:
    """`failure` if any failed, `success` if all did well, else (also without any) `pending`."""
    states = {status.state for status in statuses}
    if states & {"failure", "error"}:
        return "failure"
    return "success" if states == {"success"} else "pending"


def check_state(repository: Repository, sha: str, context: str) -> str:
    """How a required context stands: `success`, `failing`, `pending`, or `expected` where nobody reported it."""
    said = [_of_status(status) for status in latest_statuses(repository, sha) if status.context == context]
    said += [_of_run(run) for run in latest_runs(repository, sha) if run.name == context]
    for state in ("failing", "pending", "success"):
        if state in said:
            return state
    return "expected"


def _of_status(status: Status) -> str:
    return {"success": "success", "pending": "pending"}.get(status.state, "failing")


def _of_run(run: CheckRun) -> str:
    if run.status != "completed":
        return "pending"
    return "success" if run.conclusion in GOOD else "failing"


def opinions(world: World, repository: Repository, pull: Pull, *, writers_only: bool) -> list[Review]:
    """Each reviewer's latest opinion (approval, request for changes, dismissal), oldest first; comments are no opinion."""
    latest: dict[int, Review] = {}
    for review in pull.reviews:
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            latest[review.author.id] = review
    found = sorted(latest.values(), key=lambda review: review.id)
    if writers_only:
        found = [review for review in found if RANK[role_of(world, repository, review.author)] >= RANK["write"]]
    return found


def missing_checks(repository: Repository, protection: Protection, sha: str) -> str | None:
    """GitHub's sentence about required checks that are not green, or None."""
    open_states = {context: check_state(repository, sha, context) for context in protection.checks}
    open_states = {context: state for context, state in open_states.items() if state != "success"}
    if not open_states:
        return None
    if len(open_states) == 1 and len(protection.checks) == 1:
        context, state = next(iter(open_states.items()))
        return f'Required status check "{context}" is {state}.'
    counted = [
        f"{list(open_states.values()).count(state)} {state}"
        for state in ("expected", "failing", "pending")
        if state in open_states.values()
    ]
    told = counted[0] if len(counted) == 1 else ", ".join(counted[:-1]) + " and " + counted[-1]
    return f"{len(open_states)} of {len(protection.checks)} required status checks have not succeeded: {told}."


def unmet(world: World, repository: Repository, pull: Pull) -> list[str]:
    """What the protection of the base branch still asks of a pull request, in GitHub's words."""
    protection = repository.protections.get(pull.base_ref)
    if protection is None:
        return []
    said = []
    checks = missing_checks(repository, protection, pull.head_sha)
    if checks:
        said.append(checks)
    given = opinions(world, repository, pull, writers_only=True)
    if protection.reviews and any(review.state == "CHANGES_REQUESTED" for review in given):
        said.append("Changes have been requested on this pull request by reviewers with write access.")
    approvals = sum(1 for review in given if review.state == "APPROVED")
    if approvals < protection.reviews:
        wanted = "1 approving review is" if protection.reviews == 1 else f"{protection.reviews} approving reviews are"
        said.append(f"At least {wanted} required by reviewers with write access.")
    tip = repository.git.branch(pull.base_ref) or pull.base_sha
    if protection.signatures and any(sha not in repository.verified for sha in repository.git.commits(f"{tip}..{pull.head_sha}")):
        said.append(UNSIGNED)
    if protection.strict and not repository.git.is_ancestor(tip, pull.head_sha):
        said.append("The head branch is not up to date with the base branch.")
    return said


def push_refusal(repository: Repository, actor: Account, ref: str, old: str, new: str) -> str | None:
    """Why a ref may not be moved from `old` to `new` by a push or the git database, or None."""
    protection = repository.protections.get(ref.removeprefix("refs/heads/"))
    if protection is None or actor.login.lower() in (login.lower() for login in protection.bypass):
        return None
    if new == ZERO:
        return None if protection.allow_deletion else "Cannot delete this branch"
    if protection.forbids_push():
        return PULL_ONLY
    if old != ZERO and not protection.allow_force and not repository.git.is_ancestor(old, new):
        return "Cannot force-push to this branch"
    fresh = repository.git.commits(new, *([f"^{old}"] if old != ZERO else ["--not", "--branches"]))
    if protection.signatures and any(sha not in repository.verified for sha in fresh):
        return UNSIGNED
    return missing_checks(repository, protection, new)
