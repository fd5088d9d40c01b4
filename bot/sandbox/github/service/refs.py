"""Moving refs, and what follows: push, create and delete events, pull requests that follow their branches.

Every way of moving a ref (git push, git database, GraphQL, merge) ends in `moved`.
"""

from bot.sandbox.github.access import Caller
from bot.sandbox.github.errors import ApiError, unprocessable
from bot.sandbox.github.git import ZERO, GitError
from bot.sandbox.github.service import pulls
from bot.sandbox.github.service.rules import push_refusal
from bot.sandbox.github.state import Repository
from bot.sandbox.github.world import Event, World


def create_ref(world: World, repository: Repository, caller: Caller, ref: str, sha: str) -> None:
    """A new branch or tag."""
    if not ref.startswith("refs/") or ref.count("/") < 2 or not repository.git.valid_ref(ref):
        raise unprocessable(f"{ref} is not a valid ref name.")
    if repository.git.object_type(sha) is None or len(sha) != 40:
        raise unprocessable("Object does not exist")
    if repository.git.commit_of(ref) is not None:
        raise unprocessable("Reference already exists")
    _move(world, repository, caller, ref, ZERO, sha)


def update_ref(world: World, repository: Repository, caller: Caller, ref: str, sha: str, *, force: bool) -> None:
    """Move an existing ref, forward only unless forced."""
    old = repository.git.commit_of(ref)
    if old is None:
        raise unprocessable("Reference does not exist")
    if repository.git.commit_of(sha) is None:
        raise unprocessable("Object does not exist")
    if not force and not repository.git.is_ancestor(old, sha):
        raise unprocessable("Update is not a fast forward")
    if old != sha:
        _move(world, repository, caller, ref, old, sha)


def delete_ref(world: World, repository: Repository, caller: Caller, ref: str) -> None:
    """Remove a ref."""
    old = repository.git.commit_of(ref)
    if old is None:
        raise unprocessable("Reference does not exist")
    _move(world, repository, caller, ref, old, ZERO)


def _move(world: World, repository: Repository, caller: Caller, ref: str, old: str, new: str) -> None:
    refusal = push_refusal(repository, caller.account, ref, old, new)
    if refusal:
        raise unprocessable(refusal)
    advance(world, repository, caller, ref, old, new)


def advance(world: World, repository: Repository, caller: Caller, ref: str, old: str, new: str) -> None:
    """Move a ref whose rules were already looked at (merges, automatic deletion), with all that follows."""
    try:
        repository.git.update_ref(ref, new, old)
    except GitError as error:
        raise ApiError(409, "Git Repository could not update the reference", errors=[str(error)]) from error
    moved(world, repository, caller, [(ref, old, new)])


def moved(world: World, repository: Repository, caller: Caller, changes: list[tuple[str, str, str]]) -> None:
    """Tell the world that refs moved (ref, old, new), and let the pull requests follow."""
    repository.pushed_at = world.now()
    for ref, old, new in changes:
        kind, _, name = ref.removeprefix("refs/").partition("/")
        if kind not in ("heads", "tags"):
            continue
        details = {"ref": ref, "before": old, "after": new}
        world.emit(Event(name="push", action=None, repository=repository, sender=caller.account, details=details))
        named = {"ref": name, "ref_type": "branch" if kind == "heads" else "tag"}
        if old == ZERO:
            world.emit(Event(name="create", action=None, repository=repository, sender=caller.account, details=named))
        if new == ZERO:
            world.emit(Event(name="delete", action=None, repository=repository, sender=caller.account, details=named))
        if kind == "heads":
            pulls.follow(world, repository, caller, name, new)
